"""Zones as a coverage: repairing single polygons, finding what doesn't tile, simplifying, labelling, colouring."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from service.geo.crs import MetricFrame, square_metres

LEAST_M2 = 0.01
_SMALL_CHANGE = 0.01
_BESIDE = 5e-7  # degrees, about 5 cm
_MOST_BESIDE = 6


@dataclass(frozen=True)
class Fault:
    """Where zones don't tile. kind: overlap (two codes or more), gap (codes beside it), overhang (one code)."""

    kind: str
    codes: tuple[str, ...]
    area_m2: float
    geom: Any


def repair(geoms: np.ndarray) -> tuple[np.ndarray, list[str | None], np.ndarray]:
    """Polygons made valid where that is unambiguous. geoms: (n,). Returns (geoms, notes, rejected bool (n,)).

    Unambiguous: the area stays within 1 % or 1 m² of what the rings enclose as drawn, a loop the other way round
    counting as negative: of two lobes of one size nobody knows which was meant. A note says what was done or why not.
    None and empty geometries stay as they are.
    """
    out = geoms.copy()
    notes: list[str | None] = [None] * len(geoms)
    rejected = np.zeros(len(geoms), dtype=bool)
    present = ~(shapely.is_missing(out) | shapely.is_empty(out))
    for i in np.flatnonzero(present & ~np.isin(shapely.get_type_id(out), (3, 6))).tolist():
        rejected[i], notes[i] = True, "图形不是面。"
    for i in np.flatnonzero(present & ~rejected & ~shapely.is_valid(out)).tolist():
        fixed, notes[i] = _repaired(out[i])
        rejected[i] = fixed is None
        out[i] = out[i] if fixed is None else fixed
    return out, notes, rejected


def _repaired(geom: Any) -> tuple[Any, str]:
    """(valid polygons or None, what was done or why not)."""
    if not np.isfinite(shapely.get_coordinates(geom)).all():
        return None, "坐标里有不是数字的值。"
    spoken = _REASONS.get(str(shapely.is_valid_reason(geom)).split("[")[0], "图形无效")
    try:
        fixed = _polygons(shapely.make_valid(geom, method="structure", keep_collapsed=False))
    except shapely.errors.GEOSException:
        return None, f"{spoken}，改不好。请在原图里改好再导入。"
    if fixed is None or fixed.area == 0:
        return None, f"{spoken}，围不成面。"
    if abs(fixed.area - _drawn(geom)) > max(_SMALL_CHANGE * fixed.area, _square_metre(fixed)):
        return None, f"{spoken}，有不止一种改法，请在原图里改好再导入。"
    return fixed, f"{spoken}，已自动修复"


def _drawn(geom: Any) -> float:
    """What the rings enclose as drawn; a part that is there twice counts once."""
    parts = shapely.normalize(shapely.get_parts(geom))
    return float(shapely.area(shapely.from_wkb(list({part.wkb for part in parts}))).sum())


_REASONS = {
    "Self-intersection": "边线自相交",
    "Ring Self-intersection": "边线自相交",
    "Too few points in geometry component": "点太少",
    "Hole lies outside shell": "内环在外环之外",
    "Holes are nested": "内环互相嵌套",
    "Nested shells": "外环互相嵌套",
    "Duplicate Rings": "有重复的环",
    "Interior is disconnected": "内部被切断",
    "Ring is not closed": "环没有闭合",
}


def _square_metre(geom: Any) -> float:
    """One square metre in square degrees at the geometry's latitude, roughly."""
    _, south, _, north = geom.bounds
    return 1.0 / (111_320.0**2 * max(0.05, float(np.cos(np.radians((south + north) / 2)))))


def _polygons(geom: Any) -> Any:
    """The polygonal part of a geometry; None when there is none."""
    if geom is None or geom.is_empty:
        return None
    if geom.geom_type in ("Polygon", "MultiPolygon"):
        return geom
    parts = [part for part in shapely.get_parts(geom) if part.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(parts) if parts else None


def find_faults(geoms: np.ndarray, codes: list[str], outline: Any = None) -> list[Fault]:
    """What keeps zones from tiling, largest first. geoms: (n,) polygons in lon/lat; outline: what is to be tiled.

    Overlaps between zones; gaps enclosed by them (with an outline: all of it that no zone covers); overhang beyond the
    outline. Every separate place is a fault of its own. Below 0.01 m² nothing is reported. Laid over one another in
    degrees, as they are stored: in metres a corner on a neighbour's long edge would leave the edge.
    """
    present = np.flatnonzero(~(shapely.is_missing(geoms) | shapely.is_empty(geoms)))
    shapes = _valid(geoms[present])
    names = [codes[i] for i in present.tolist()]
    area = None if outline is None or outline.is_empty else _valid(np.array([outline], dtype=object))[0]
    if not len(shapes):
        return [] if area is None else _measured(_named("gap", area, shapes, names))
    found = _overlaps(shapes, names)
    whole = shapely.union_all(shapes)
    if area is not None:
        shapely.prepare(area)
        found += _named("gap", shapely.difference(area, whole), shapes, names)
        beyond = np.flatnonzero(~shapely.covers(area, shapes))
        for i, rest in zip(beyond.tolist(), shapely.difference(shapes[beyond], area).tolist(), strict=True):
            found += [("overhang", (names[i],), part) for part in _parts(rest)]
    else:
        holes = [shapely.polygons(ring) for part in _parts(whole) for ring in part.interiors]
        # A hole may hold other zones, and holes of theirs.
        found += _named("gap", shapely.difference(shapely.union_all(holes), whole), shapes, names)
    return _measured(found)


_Place = tuple[str, tuple[str, ...], Any]


def _valid(geoms: np.ndarray) -> np.ndarray:
    """Made valid, to their polygons."""
    out = geoms.copy()
    for i in np.flatnonzero(~shapely.is_valid(out)).tolist():
        out[i] = _polygons(shapely.make_valid(out[i])) or shapely.Polygon()
    return out


def _measured(found: list[_Place]) -> list[Fault]:
    """Faults with their area, the large ones first, without what is too small to be seen."""
    if not found:
        return []
    parts = np.array([part for _, _, part in found], dtype=object)
    areas = square_metres(parts)
    order = [i for i in np.argsort(-areas, kind="stable").tolist() if areas[i] >= LEAST_M2]
    return [Fault(found[i][0], found[i][1], float(areas[i]), parts[i]) for i in order]


def _frame(geoms: np.ndarray) -> MetricFrame:
    west, south, east, north = shapely.total_bounds(geoms).tolist()
    return MetricFrame((west + east) / 2, (south + north) / 2)


def _overlaps(shapes: np.ndarray, codes: list[str]) -> list[_Place]:
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = first < second
    first, second = first[pairs], second[pairs]
    shared = shapely.intersection(shapes[first], shapes[second]).tolist()
    return [
        ("overlap", tuple(sorted((codes[i], codes[j]))), part)
        for i, j, both in zip(first.tolist(), second.tolist(), shared, strict=True)
        for part in _parts(both)
    ]


def _parts(geom: Any) -> list[Any]:
    return [part for part in _flat(geom) if part.geom_type == "Polygon" and not part.is_empty]


def _flat(geom: Any) -> list[Any]:
    """The simple parts of a geometry, collections within collections opened."""
    if geom.geom_type == "GeometryCollection":
        return [one for part in geom.geoms for one in _flat(part)]
    return list(shapely.get_parts(geom).tolist())


def _named(kind: str, geom: Any, shapes: np.ndarray, codes: list[str]) -> list[_Place]:
    """The parts of a fault with the codes of the zones beside each, at most six."""
    parts = _parts(geom)
    if not parts:
        return []
    part, zone = shapely.STRtree(shapes).query(np.array(parts, dtype=object), predicate="dwithin", distance=_BESIDE)
    beside: dict[int, list[str]] = {}
    for p, z in zip(part.tolist(), zone.tolist(), strict=True):
        beside.setdefault(p, []).append(codes[z])
    return [(kind, tuple(sorted(beside.get(p, []))[:_MOST_BESIDE]), shape) for p, shape in enumerate(parts)]


def outer_boundary(geoms: np.ndarray) -> Any:
    """The union of zones: fast where they are a valid coverage."""
    shapes = _valid(geoms[~(shapely.is_missing(geoms) | shapely.is_empty(geoms))])
    if shapely.coverage_is_valid(shapes):
        return shapely.coverage_union_all(shapes)
    return shapely.union_all(shapes)


def simplify_coverage(geoms: np.ndarray, tolerance: float) -> np.ndarray:
    """Zones with fewer vertices whose shared borders stay shared. tolerance in degrees: triangles below its square go.

    A zone that would vanish or become invalid, because it isn't valid or overlaps others, stays as it is.
    """
    out = geoms.copy()
    usable = np.flatnonzero(~(shapely.is_missing(geoms) | shapely.is_empty(geoms)) & shapely.is_valid(geoms))
    if not len(usable):
        return out
    drawn = np.asarray(shapely.coverage_simplify(geoms[usable], tolerance, simplify_boundary=True), dtype=object)
    good = shapely.is_valid(drawn) & ~shapely.is_empty(drawn)
    out[usable[good]] = drawn[good]
    return out


def label_points(geoms: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(lon, lat, radius in metres), each (n,): the middle of the largest circle inside each polygon.

    Found on slightly simplified outlines. NaN and 0 where there is no polygon.
    """
    lon, lat, radius = np.full(len(geoms), np.nan), np.full(len(geoms), np.nan), np.zeros(len(geoms))
    usable = np.flatnonzero(~(shapely.is_missing(geoms) | shapely.is_empty(geoms)))
    if not len(usable):
        return lon, lat, radius
    frame = _frame(geoms[usable])
    flat = _valid(frame.geometries(geoms[usable]))
    span = np.sqrt(np.maximum(shapely.area(flat), 1e-6))
    circles = shapely.maximum_inscribed_circle(shapely.simplify(flat, span / 500), tolerance=span / 200)
    middles = shapely.get_point(circles, 0)
    out = np.flatnonzero(~shapely.contains_properly(flat, middles))
    for i in out.tolist():  # the simplified outline left a winding zone
        middles[i] = shapely.point_on_surface(flat[i])
    lon[usable], lat[usable] = frame.inverse(shapely.get_x(middles), shapely.get_y(middles))
    radius[usable] = shapely.distance(middles, shapely.boundary(flat))
    return lon, lat, radius


def neighbours_of(geoms: np.ndarray) -> np.ndarray:
    """Pairs (m, 2) of zones that touch, each once, lower index first."""
    first, second = shapely.STRtree(geoms).query(geoms, predicate="intersects")
    keep = first < second
    return np.column_stack([first[keep], second[keep]])


def colour_communities(pairs: np.ndarray, n: int, most: int = 8) -> list[int]:
    """A colour 0 … most-1 per area so that neighbours differ; spread evenly over the palette.

    The area with the fewest neighbours left is put aside, again and again, and coloured last: in a plane it has at
    most five then, so six colours suffice. More neighbours than colours: the least used one is repeated.
    """
    beside: list[set[int]] = [set() for _ in range(n)]
    for a, b in pairs.tolist():
        beside[a].add(b)
        beside[b].add(a)
    colours = [-1] * n
    used = [0] * most
    for i in reversed(_fewest_first(beside)):
        taken = {colours[j] for j in beside[i]}
        free = [c for c in range(most) if c not in taken] or list(range(most))
        colours[i] = min(free, key=lambda c: (used[c], c))
        used[colours[i]] += 1
    return colours


def _fewest_first(beside: list[set[int]]) -> list[int]:
    """Areas in the order in which each has the fewest neighbours among those still there."""
    count = [len(one) for one in beside]
    heap = [(number, i) for i, number in enumerate(count)]
    heapq.heapify(heap)
    order: list[int] = []
    gone = [False] * len(beside)
    while heap:
        number, i = heapq.heappop(heap)
        if gone[i] or number != count[i]:
            continue
        gone[i] = True
        order.append(i)
        for j in beside[i]:
            if not gone[j]:
                count[j] -= 1
                heapq.heappush(heap, (count[j], j))
    return order
