"""What a person draws, brought onto the tiling: near vertices onto nodes and edges, the others rounded."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import shapely

from service.geo.tiling import DoesNotTile

SNAP_M = 0.5
REACH_M = 2.0  # a line may end so far before the border, or behind it
FREE = 6  # decimals of a vertex that lies on nothing: about 0.1 m
_M_PER_DEG = 111_320.0


class Snapper:
    """Nodes and edges of the borders that something drawn may run along; works in a plane where a degree is as long
    from west to east as from south to north."""

    def __init__(self, geoms: Iterable[Any]) -> None:
        shapes = np.array(list(geoms), dtype=object)
        box = shapely.total_bounds(shapes) if len(shapes) else np.zeros(4)
        self._kx = math.cos(math.radians(float(box[1] + box[3]) / 2)) if np.isfinite(box).all() else 1.0
        borders = self._flat(shapely.boundary(shapes)) if len(shapes) else shapes
        self._nodes = np.unique(shapely.get_coordinates(borders), axis=0)
        self._edges = np.asarray(shapely.get_parts(shapely.get_parts(borders)), dtype=object)
        self._tree = shapely.STRtree(self._edges)

    def _flat(self, geom: Any) -> Any:
        return shapely.transform(geom, lambda c: c * (self._kx, 1.0))

    def _back(self, geom: Any) -> Any:
        return shapely.transform(geom, lambda c: c / (self._kx, 1.0))

    def points(self, coords: np.ndarray) -> np.ndarray:
        """Vertices (n, 2) in lon/lat onto nodes, else edges, within 0.5 m; the others rounded to 1e-6°."""
        reach = SNAP_M / _M_PER_DEG
        flat = coords * (self._kx, 1.0)
        out = np.round(coords, FREE)
        if not len(self._nodes):
            return out
        for i, at in enumerate(flat):
            far = np.hypot(*(self._nodes - at).T)
            nearest = int(far.argmin())
            if far[nearest] <= reach:
                out[i] = self._nodes[nearest] / (self._kx, 1.0)
                continue
            point = shapely.Point(at)
            edge = self._edges[self._tree.query_nearest(point, all_matches=False)[0]]
            on = shapely.get_coordinates(shapely.shortest_line(edge, point))[0]
            if math.hypot(*(on - at)) <= reach:
                out[i] = on / (self._kx, 1.0)
        return out

    def line(self, line: Any, field: str = "line") -> Any:
        """A drawn line, snapped. Raises DoesNotTile when nothing of it is left."""
        coords = _without_repeats(self.points(shapely.get_coordinates(line)))
        if len(coords) < 2:
            raise DoesNotTile(field, "线太短，至少画两个点。")
        return shapely.LineString(coords)

    def polygon(self, polygon: Any, field: str = "polygon") -> Any:
        """A drawn polygon, snapped ring by ring. Raises DoesNotTile when it crosses itself or encloses nothing."""
        parts = []
        for part in shapely.get_parts(polygon).tolist():
            rings = [_without_repeats(self.points(shapely.get_coordinates(ring))) for ring in shapely.get_rings(part)]
            rings = [ring for ring in rings if len(ring) > 3]
            if rings:
                parts.append(shapely.Polygon(rings[0], rings[1:]))
        whole = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
        if whole.is_empty or not shapely.is_valid(whole) or whole.area == 0:
            raise DoesNotTile(field, "画的面边线自己相交，或者围不成面。拖开交叉的点再试。")
        return whole

    def reaching(self, line: Any, region: Any, field: str = "line") -> Any:
        """The part of a line within a region, its ends carried on by up to 2 m until they meet the region's border.

        Raises DoesNotTile when an end stops farther inside. A closed line stays as it is.
        """
        if line.is_ring:
            return line
        coords = shapely.get_coordinates(self._flat(line))
        inside, border = self._flat(region), self._flat(shapely.boundary(region))
        coords = self._carried_on(coords, inside, border, field)
        coords = self._carried_on(coords[::-1], inside, border, field)[::-1]
        within = shapely.get_parts(shapely.intersection(shapely.LineString(coords), inside)).tolist()
        lines = [part for part in within if part.geom_type == "LineString"]
        if not lines:
            raise DoesNotTile(field, "线没有穿过网格。从一边画到另一边。")
        return self._back(shapely.multilinestrings(lines))

    def _carried_on(self, coords: np.ndarray, inside: Any, border: Any, field: str) -> np.ndarray:
        """The same with the first vertex moved on to the border where it stops short of it."""
        reach = REACH_M / _M_PER_DEG
        first, second = coords[0], coords[1]
        start = shapely.Point(first)
        if not shapely.intersects(inside, start) or shapely.distance(border, start) < 1e-12:
            return coords
        way = (first - second) / max(float(np.hypot(*(first - second))), 1e-15)
        beam = shapely.LineString([first, first + way * reach])
        met = shapely.intersection(beam, border)
        if met.is_empty:
            nearest = shapely.get_coordinates(shapely.shortest_line(border, start))[0]
            if math.hypot(*(nearest - first)) > reach:
                raise DoesNotTile(field, "线没有画到网格的边上：把两头画到边界，差 2 米以内会自动接上。")
        else:
            ends = shapely.get_coordinates(met)
            nearest = ends[np.hypot(*(ends - first).T).argmin()]
        return np.vstack([nearest, coords])


def _without_repeats(coords: np.ndarray) -> np.ndarray:
    """Consecutive vertices that fell onto one place, once."""
    keep = np.ones(len(coords), dtype=bool)
    keep[1:] = np.any(np.abs(np.diff(coords, axis=0)) > 1e-12, axis=1)
    return np.asarray(coords[keep])
