"""Which zone holds a point: a raster over the tiling, exact where a border runs.

A raster cell holds the zone in which it lies wholly, with no other zone touching it. Cells that a border crosses hold
their candidates, which are tested exactly. A point on a shared border or in an overlap belongs to the lowest code.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import shapely

from service.geo.crs import MetricFrame

_OUTSIDE, _BORDER = -1, -2
_COARSE = 16
_REACH_M = 60.0
_WIDER = 1e-9


class PointIndex:
    """Zones by point. `geoms`: (n,) shapely polygons in lon/lat, None or empty ones are nowhere; `codes`: n texts."""

    def __init__(self, geoms: np.ndarray, codes: Sequence[str]) -> None:
        self.codes = list(codes)
        self.geoms = np.asarray(geoms, dtype=object)
        self._rank = np.empty(len(self.codes), np.int32)
        self._rank[np.argsort(np.array(self.codes, dtype=object), kind="stable")] = np.arange(len(self.codes))
        self._by_rank = np.argsort(self._rank)
        self._usable = np.flatnonzero(~(shapely.is_missing(self.geoms) | shapely.is_empty(self.geoms)))
        self._empty = len(self._usable) == 0
        if self._empty:
            return
        shapely.prepare(self.geoms[self._usable])
        self._bounds = shapely.total_bounds(self.geoms[self._usable])
        self._tree = shapely.STRtree(self.geoms[self._usable])
        west, south, east, north = self._bounds.tolist()
        self._frame = MetricFrame((west + east) / 2, (south + north) / 2)
        self._metric: np.ndarray | None = None
        self._metric_tree: shapely.STRtree | None = None
        self._raster_of_zones()
        self._calm_cells()

    @property
    def nbytes(self) -> int:
        """Memory of the raster and its candidates (the zones themselves not counted)."""
        if self._empty:
            return 0
        return int(self._raster.nbytes + self._calm.nbytes + self._start.nbytes + self._zones.nbytes)

    # Building ------------------------------------------------------------------------------------------------------

    def _raster_of_zones(self) -> None:
        """Quarter the cells that a border crosses until the raster is fine enough."""
        west, south, east, north = self._bounds.tolist()
        n = len(self._usable)
        levels = int(np.clip(round(math.log2(math.sqrt(n) * 60 / _COARSE)), 2, 7))
        size = _COARSE << levels
        self._size = size
        self._x0, self._y0 = west, south
        self._dx = max((east - west) * (1 + _WIDER), 1e-12) / size
        self._dy = max((north - south) * (1 + _WIDER), 1e-12) / size
        self._raster = np.full((size, size), _OUTSIDE, np.int32)
        iy, ix = (part.ravel() for part in np.mgrid[0:_COARSE, 0:_COARSE])
        for level in range(levels + 1):
            step = size >> (level + 4)
            cell, zone = self._touching(ix, iy, step)
            count = np.bincount(cell, minlength=len(ix))
            single = np.flatnonzero(count == 1)
            first = np.searchsorted(cell, np.arange(len(ix)))
            owner = zone[first[single]]
            inside = shapely.contains_properly(self.geoms[owner], self._boxes(ix[single], iy[single], step))
            self._paint(ix[single[inside]], iy[single[inside]], step, owner[inside])
            left = count > 0
            left[single[inside]] = False
            if level == levels:
                self._keep_candidates(ix, iy, left, cell, zone)
                return
            half = step // 2 if step > 1 else 1
            scale = step // half
            ox, oy = ix[left] * scale, iy[left] * scale
            ix = np.concatenate([ox, ox + 1, ox, ox + 1])
            iy = np.concatenate([oy, oy, oy + 1, oy + 1])

    def _boxes(self, ix: np.ndarray, iy: np.ndarray, step: int) -> np.ndarray:
        """Cells of `step` raster cells as boxes, a trifle wider than the cells."""
        ex, ey = self._dx * step * 1e-6, self._dy * step * 1e-6
        x, y = self._x0 + ix * self._dx * step, self._y0 + iy * self._dy * step
        return np.asarray(shapely.box(x - ex, y - ey, x + self._dx * step + ex, y + self._dy * step + ey))

    def _touching(self, ix: np.ndarray, iy: np.ndarray, step: int) -> tuple[np.ndarray, np.ndarray]:
        """(cell, zone) pairs, sorted by cell: the zones that each cell touches."""
        cell, hit = self._tree.query(self._boxes(ix, iy, step), predicate="intersects")
        order = np.lexsort((hit, cell))
        return cell[order], self._usable[hit[order]]

    def _paint(self, ix: np.ndarray, iy: np.ndarray, step: int, owner: np.ndarray) -> None:
        if step == 1:
            self._raster[iy, ix] = owner
            return
        for x, y, zone in zip((ix * step).tolist(), (iy * step).tolist(), owner.tolist(), strict=True):
            self._raster[y : y + step, x : x + step] = zone

    def _keep_candidates(
        self, ix: np.ndarray, iy: np.ndarray, left: np.ndarray, cell: np.ndarray, zone: np.ndarray
    ) -> None:
        """Border cells hold a number below -1: their place in a table of candidates, lowest code first."""
        number = np.full(len(ix), -1, np.int64)
        number[left] = np.arange(int(left.sum()))
        self._raster[iy[left], ix[left]] = _BORDER - number[left]
        kept = left[cell]
        who, candidates = number[cell[kept]], zone[kept]
        order = np.lexsort((self._rank[candidates], who))
        self._zones = candidates[order].astype(np.int32)
        self._start = np.searchsorted(who[order], np.arange(int(left.sum()) + 1)).astype(np.int64)

    def _calm_cells(self) -> None:
        """Cells farther than the reach from any border and from the outside."""
        metres_x = self._dx * 111_320.0 * math.cos(math.radians(self._y0))
        metres_y = self._dy * 110_570.0
        busy = self._raster < 0
        inner = self._raster
        busy[:, 1:] |= inner[:, 1:] != inner[:, :-1]
        busy[1:, :] |= inner[1:, :] != inner[:-1, :]
        rx, ry = (math.ceil(_REACH_M / max(m, 1e-9)) + 1 for m in (metres_x, metres_y))
        self._calm = ~_dilated(_dilated(busy, min(rx, self._size), 1), min(ry, self._size), 0)

    # Asking --------------------------------------------------------------------------------------------------------

    def locate(self, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        """Index of the zone of each point, int32 (m,); -1 outside, and for NaN."""
        lon, lat = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
        out = np.full(len(lon), _OUTSIDE, np.int32)
        if self._empty or not len(lon):
            return out
        fx, fy = (lon - self._x0) * (1 / self._dx), (lat - self._y0) * (1 / self._dy)
        with np.errstate(invalid="ignore"):
            within = (fx >= -1e-3) & (fy >= -1e-3) & (fx < self._size + 1e-3) & (fy < self._size + 1e-3)
        if within.all():
            cell = self._cell(fx, fy)
            out = self._raster.ravel()[cell]
        else:
            cell = self._cell(fx[within], fy[within])
            out[within] = self._raster.ravel()[cell]
        border = np.flatnonzero(out <= _BORDER)
        if len(border):
            out[border] = self._exact(_BORDER - out[border], lon[border], lat[border])
        return out

    def _cell(self, fx: np.ndarray, fy: np.ndarray) -> np.ndarray:
        top = self._size - 1
        ix = np.minimum(np.maximum(fx.astype(np.int32), 0), top)
        iy = np.minimum(np.maximum(fy.astype(np.int32), 0), top)
        return iy.astype(np.int64) * self._size + ix

    def _exact(self, number: np.ndarray, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        """Test the candidates of border cells; the first that covers the point has the lowest code."""
        first, count = self._start[number], self._start[number + 1] - self._start[number]
        out = np.full(len(lon), _OUTSIDE, np.int32)
        open_points = np.arange(len(lon))
        for turn in range(int(count.max(initial=0))):
            open_points = open_points[(count[open_points] > turn) & (out[open_points] < 0)]
            if not len(open_points):
                break
            zone = self._zones[first[open_points] + turn]
            order = np.argsort(zone, kind="stable")  # a zone's prepared geometry stays warm
            points = open_points[order]
            hit = shapely.intersects_xy(self.geoms[zone[order]], lon[points], lat[points])
            out[points[hit]] = zone[order][hit]
        return out

    def locate_one(self, lon: float, lat: float) -> int:
        """Index of one point's zone; -1 outside."""
        if self._empty:
            return _OUTSIDE
        number = self._value(lon, lat)
        if number > _BORDER:
            return number
        place = _BORDER - number
        for zone in self._zones[self._start[place] : self._start[place + 1]].tolist():
            if shapely.intersects_xy(self.geoms[zone], lon, lat):
                return int(zone)
        return _OUTSIDE

    def _value(self, lon: float, lat: float) -> int:
        fx, fy = (lon - self._x0) / self._dx, (lat - self._y0) / self._dy
        if not (-1e-3 <= fx < self._size + 1e-3 and -1e-3 <= fy < self._size + 1e-3):
            return _OUTSIDE
        top = self._size - 1
        return int(self._raster.item(min(max(int(fy), 0), top), min(max(int(fx), 0), top)))

    def neighbours(self, lon: float, lat: float, within_m: float) -> list[tuple[int, float]]:
        """(index, metres) of the other zones within a distance of a point, nearest first."""
        if self._empty or not (math.isfinite(lon) and math.isfinite(lat)) or self._is_calm(lon, lat, within_m):
            return []
        own = self.locate_one(lon, lat)
        point = shapely.Point(self._frame.forward(lon, lat))
        shapes, tree = self._in_metres()
        hits = tree.query(point, predicate="dwithin", distance=within_m).tolist()
        found = [(int(self._usable[hit]), float(shapely.distance(shapes[hit], point))) for hit in hits]
        return sorted(
            ((zone, metres) for zone, metres in found if zone != own), key=lambda pair: (pair[1], self._rank[pair[0]])
        )

    def nearest(self, lon: float, lat: float) -> tuple[int, float]:
        """(index, metres) of the zone nearest to a point; the point may lie inside (0 m). Needs at least one zone."""
        point = shapely.Point(self._frame.forward(lon, lat))
        shapes, tree = self._in_metres()
        hits = tree.query_nearest(point, all_matches=True).tolist()
        best = min(hits, key=lambda hit: self._rank[self._usable[hit]])
        return int(self._usable[best]), float(shapely.distance(shapes[best], point))

    def near_boundary(self, lon: np.ndarray, lat: np.ndarray, within_m: float) -> np.ndarray:
        """Whether another zone than the point's own lies within a distance, bool (m,)."""
        lon, lat = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
        out = np.zeros(len(lon), dtype=bool)
        if self._empty or not len(lon):
            return out
        asked = np.isfinite(lon) & np.isfinite(lat)
        if within_m <= _REACH_M:
            fx, fy = (lon - self._x0) / self._dx, (lat - self._y0) / self._dy
            with np.errstate(invalid="ignore"):
                inside = asked & (fx >= 0) & (fy >= 0) & (fx < self._size) & (fy < self._size)
            quiet = np.zeros(len(lon), dtype=bool)
            quiet[inside] = self._calm.ravel()[self._cell(fx[inside], fy[inside])]
            asked &= ~quiet
        at = np.flatnonzero(asked)
        if not len(at):
            return out
        own = self.locate(lon[at], lat[at])
        x, y = self._frame.forward(lon[at], lat[at])
        _, tree = self._in_metres()
        which, hit = tree.query(shapely.points(x, y), predicate="dwithin", distance=within_m)
        other = self._usable[hit] != own[which]
        out[at[which[other]]] = True
        return out

    def _is_calm(self, lon: float, lat: float, within_m: float) -> bool:
        fx, fy = (lon - self._x0) / self._dx, (lat - self._y0) / self._dy
        if within_m > _REACH_M or not (0 <= fx < self._size and 0 <= fy < self._size):
            return False
        return bool(self._calm.item(int(fy), int(fx)))

    def _in_metres(self) -> tuple[np.ndarray, shapely.STRtree]:
        if self._metric is None or self._metric_tree is None:
            self._metric = self._frame.geometries(self.geoms[self._usable])
            shapely.prepare(self._metric)
            self._metric_tree = shapely.STRtree(self._metric)
        return self._metric, self._metric_tree


def _dilated(flags: np.ndarray, reach: int, axis: int) -> np.ndarray:
    """True where a True lies within `reach` cells along an axis."""
    total = np.cumsum(flags, axis=axis, dtype=np.int32)
    pad = [(0, 0), (0, 0)]
    pad[axis] = (reach + 1, reach)
    wide = np.pad(total, pad, mode="edge")
    low = [slice(None), slice(None)]
    low[axis] = slice(0, flags.shape[axis])
    head = [slice(None), slice(None)]
    head[axis] = slice(0, reach + 1)
    wide[tuple(head)] = 0
    high = [slice(None), slice(None)]
    high[axis] = slice(2 * reach + 1, 2 * reach + 1 + flags.shape[axis])
    return np.asarray(wide[tuple(high)] - wide[tuple(low)] > 0)
