"""Which zone holds a point: a raster over the tiling, exact where a border runs.

A raster cell holds the zone in which it lies wholly, with no other zone touching it. Cells that a border crosses hold
their candidates, which are tested exactly. A point on a shared border or in an overlap belongs to the lowest code.
Metres are those of the metric frame in the middle of the zones.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence

import numpy as np
import shapely

from service.geo import zoneraster
from service.geo.crs import MetricFrame
from service.geo.zoneraster import LISTED, OUTSIDE, Grid

_AT_ONCE = 200_000
_SPARSE = 60.0  # bounds this many times larger than the zones' own boxes: something lies far away
_FAR = 12.0


class PointIndex:
    """Zones by point. `geoms`: (n,) shapely polygons in lon/lat, None or empty ones are nowhere; `codes`: n texts."""

    def __init__(self, geoms: np.ndarray, codes: Sequence[str]) -> None:
        self.codes = list(codes)
        self.geoms = np.asarray(geoms, dtype=object)
        self._rank = np.empty(len(self.codes), np.int64)
        self._rank[sorted(range(len(self.codes)), key=self.codes.__getitem__)] = np.arange(len(self.codes))
        self._usable = _usable(self.geoms)
        self._empty = len(self._usable) == 0
        if self._empty:
            return
        shapes = self.geoms[self._usable]
        self._tree = shapely.STRtree(shapes)
        boxes = shapely.bounds(shapes)
        grid, self._more_beyond = _grid_over(boxes)
        middle = np.median((boxes[:, :2] + boxes[:, 2:]) / 2, axis=0).tolist()
        self._frame = MetricFrame(*middle)
        self._making = threading.Lock()
        self._metric: tuple[np.ndarray, shapely.STRtree] | None = None
        _warm(shapes, 0.0)
        self._raster = zoneraster.build(shapes, self._rank[self._usable], grid, self._tree, self._more_beyond)
        self._values, self._start = self._raster.values, self._raster.start
        if len(shapes) < len(self.geoms):
            inside = self._values >= 0
            self._values[inside] = self._usable[self._values[inside]]
        self._zones = self._usable[self._raster.zones].astype(np.int32)
        self._x0, self._y0, self._dx, self._dy = grid.x0, grid.y0, grid.dx, grid.dy
        self._nx, self._ny = grid.nx, grid.ny

    @property
    def nbytes(self) -> int:
        """Memory of the raster and its candidates (the zones themselves not counted)."""
        return 0 if self._empty else self._raster.nbytes + int(self._zones.nbytes)

    # Which zone -----------------------------------------------------------------------------------------------------

    def locate(self, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        """Index of the zone of each point, int32 (m,); -1 outside, and for NaN."""
        lon, lat = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
        if self._empty or not len(lon):
            return np.full(len(lon), OUTSIDE, np.int32)
        cell, within = self._cells(lon, lat)
        out: np.ndarray
        if within is None:
            out = self._values[cell]
        else:
            out = np.full(len(lon), OUTSIDE, np.int32)
            out[within] = self._values[cell]
            if self._more_beyond:
                self._locate_beyond(out, lon, lat, within)
        listed = np.flatnonzero(out <= LISTED)
        if len(listed):
            out[listed] = self._tested(LISTED - out[listed], lon[listed], lat[listed])
        return out

    def _cells(self, lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """(cells, which points are on the raster); the latter None when all are."""
        fx, fy = (lon - self._x0) * (1 / self._dx), (lat - self._y0) * (1 / self._dy)
        # A thousandth of a cell of slack: what a border touches there is listed and tested.
        with np.errstate(invalid="ignore"):
            within = (fx >= -1e-3) & (fy >= -1e-3) & (fx < self._nx + 1e-3) & (fy < self._ny + 1e-3)
        if within.all():
            return self._cell(fx, fy), None
        return self._cell(fx[within], fy[within]), within

    def _cell(self, fx: np.ndarray, fy: np.ndarray) -> np.ndarray:
        ix = np.minimum(fx.astype(np.int32), self._nx - 1)  # -0.001 … 1 becomes 0
        iy = np.minimum(fy.astype(np.int32), self._ny - 1)
        return np.asarray(iy * np.int32(self._nx) + ix)

    def _locate_beyond(self, out: np.ndarray, lon: np.ndarray, lat: np.ndarray, within: np.ndarray) -> None:
        """Zones that lie far from the others are not on the raster."""
        at = np.flatnonzero(~within & np.isfinite(lon) & np.isfinite(lat))
        if len(at):
            which, hit = self._tree.query(shapely.points(lon[at], lat[at]), predicate="intersects")
            zone = self._usable[hit]
            order = np.argsort(-self._rank[zone])  # the lowest code is written last
            out[at[which[order]]] = zone[order]

    def _tested(self, number: np.ndarray, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        """Test the candidates of border cells; the first that covers the point has the lowest code."""
        first, count = self._start[number], self._start[number + 1] - self._start[number]
        out = np.full(len(lon), OUTSIDE, np.int32)
        still = np.arange(len(lon))
        for turn in range(int(count.max(initial=0))):
            still = still[(count[still] > turn) & (out[still] < 0)]
            if not len(still):
                break
            zone = self._zones[first[still] + turn]
            order = np.argsort(zone, kind="stable")  # a zone's prepared geometry stays warm
            points = still[order]
            hit = shapely.intersects_xy(self.geoms[zone[order]], lon[points], lat[points])
            out[points[hit]] = zone[order][hit]
        return out

    def locate_one(self, lon: float, lat: float) -> int:
        """Index of one point's zone; -1 outside."""
        if self._empty:
            return OUTSIDE
        fx, fy = (lon - self._x0) / self._dx, (lat - self._y0) / self._dy
        if not (-1e-3 <= fx < self._nx + 1e-3 and -1e-3 <= fy < self._ny + 1e-3):
            return int(self.locate(np.array([lon]), np.array([lat]))[0]) if self._more_beyond else OUTSIDE
        value = self._values.item(min(int(fy), self._ny - 1) * self._nx + min(int(fx), self._nx - 1))
        if value > LISTED:
            return int(value)
        place = LISTED - value
        for zone in self._zones[self._start.item(place) : self._start.item(place + 1)].tolist():
            if shapely.intersects_xy(self.geoms[zone], lon, lat):
                return int(zone)
        return OUTSIDE

    # How far --------------------------------------------------------------------------------------------------------

    def neighbours(self, lon: float, lat: float, within_m: float) -> list[tuple[int, float]]:
        """(index, metres) of the other zones within a distance of a point, nearest first."""
        if self._empty or not (math.isfinite(lon) and math.isfinite(lat)) or self._has_room(lon, lat, within_m):
            return []
        own = self.locate_one(lon, lat)
        x, y = self._frame.forward(lon, lat)
        if not math.isfinite(x):
            return []
        shapes, tree = self._in_metres()
        at = shapely.Point(x, y)
        hits = tree.query(shapely.box(x - within_m, y - within_m, x + within_m, y + within_m))
        near = zip(self._usable[hits].tolist(), shapely.distance(shapes[hits], at).tolist(), strict=True)
        found = [(zone, metres) for zone, metres in near if zone != own and metres <= within_m]
        return sorted(found, key=lambda pair: (pair[1], self._rank[pair[0]]))

    def _has_room(self, lon: float, lat: float, within_m: float) -> bool:
        """No border within the distance, by the raster alone."""
        fx, fy = (lon - self._x0) / self._dx, (lat - self._y0) / self._dy
        if not (0 <= fx < self._nx and 0 <= fy < self._ny):
            return False
        return bool(self._raster.room.item(int(fy) * self._nx + int(fx)) > within_m)

    def nearest(self, lon: float, lat: float) -> tuple[int, float]:
        """(index, metres) of the zone nearest to a point, 0 m inside it; (-1, inf) when there is none."""
        if self._empty or not (math.isfinite(lon) and math.isfinite(lat)):
            return OUTSIDE, math.inf
        x, y = self._frame.forward(lon, lat)
        if not math.isfinite(x):
            return OUTSIDE, math.inf
        shapes, tree = self._in_metres()
        at = shapely.Point(x, y)
        hits = tree.query_nearest(at, all_matches=True).tolist()
        best = min(hits, key=lambda hit: self._rank[self._usable[hit]], default=None)
        if best is None:
            return OUTSIDE, math.inf
        return int(self._usable[best]), float(shapely.distance(shapes[best], at))

    def near_boundary(self, lon: np.ndarray, lat: np.ndarray, within_m: float) -> np.ndarray:
        """Whether another zone than the point's own lies within a distance, bool (m,); False for NaN."""
        lon, lat = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
        out = np.zeros(len(lon), dtype=bool)
        if self._empty or not len(lon):
            return out
        cell, within = self._cells(lon, lat)
        asked = np.isfinite(lon) & np.isfinite(lat)
        asked[slice(None) if within is None else within] &= self._raster.room[cell] <= within_m
        at = np.flatnonzero(asked)
        for first in range(0, len(at), _AT_ONCE):
            some = at[first : first + _AT_ONCE]
            out[some] = self._near(lon[some], lat[some], within_m)
        return out

    def _near(self, lon: np.ndarray, lat: np.ndarray, within_m: float) -> np.ndarray:
        own = self.locate(lon, lat)
        x, y = self._frame.forward(lon, lat)
        known = np.flatnonzero(np.isfinite(x))
        x, y = x[known], y[known]
        shapes, tree = self._in_metres()
        which, hit = tree.query(shapely.box(x - within_m, y - within_m, x + within_m, y + within_m))
        other = np.flatnonzero(self._usable[hit] != own[known[which]])
        other = other[np.argsort(hit[other], kind="stable")]
        which, hit = which[other], hit[other]
        close = shapely.dwithin(shapes[hit], shapely.points(x[which], y[which]), within_m)
        out = np.zeros(len(lon), dtype=bool)
        out[known[which[close]]] = True
        return out

    def _in_metres(self) -> tuple[np.ndarray, shapely.STRtree]:
        """The zones in metres, prepared, and a tree of them; made when first needed."""
        if self._metric is None:
            with self._making:
                if self._metric is None:
                    shapes = self._frame.geometries(self.geoms[self._usable])
                    shapes[~np.isfinite(shapely.bounds(shapes)).all(axis=1)] = None  # farther than the frame reaches
                    _warm(shapes, 1.0)
                    self._metric = shapes, shapely.STRtree(shapes)
        return self._metric


def _usable(geoms: np.ndarray) -> np.ndarray:
    """Indexes of the polygons with an extent that is a number."""
    kinds = np.isin(shapely.get_type_id(geoms), (3, 6))
    return np.flatnonzero(kinds & np.isfinite(shapely.bounds(geoms)).all(axis=1))


def _grid_over(boxes: np.ndarray) -> tuple[Grid, bool]:
    """The raster's place for zones with these bounds (n, 4), and whether zones far away were left beyond it."""
    whole = [*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist()]
    sides = boxes[:, 2:] - boxes[:, :2]
    area = (whole[2] - whole[0]) * (whole[3] - whole[1])
    if area > _SPARSE * float(sides.prod(axis=1).sum()):
        middles = (boxes[:, :2] + boxes[:, 2:]) / 2
        away = np.abs(middles - np.median(middles, axis=0)).max(axis=1)
        close = away <= _FAR * np.median(away) + 2 * float(np.median(sides))
        if not close.all():
            core = [*boxes[close, :2].min(axis=0).tolist(), *boxes[close, 2:].max(axis=0).tolist()]
            return Grid.over(core, int(close.sum())), True
    return Grid.over(whole, len(boxes)), False


def _warm(shapes: np.ndarray, reach: float) -> None:
    """Prepare polygons and make GEOS build their indexes now: it would do so at the first question, in any thread."""
    shapely.prepare(shapes)
    first = shapely.get_point(shapely.get_exterior_ring(shapely.get_geometry(shapes, 0)), 0)
    if reach:
        shapely.dwithin(shapes, first, reach)
    else:
        shapely.intersects(shapes, first)
