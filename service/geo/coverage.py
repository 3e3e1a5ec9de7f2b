"""Zones as a coverage: repairing single polygons, finding what doesn't tile, simplifying, labelling, colouring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from service.geo.crs import MetricFrame

LEAST_M2 = 0.01
_SMALL_CHANGE = 0.01


@dataclass(frozen=True)
class Fault:
    """Where zones don't tile. kind: overlap (two codes or more), gap (codes beside it), overhang (one code)."""

    kind: str
    codes: tuple[str, ...]
    area_m2: float
    geom: Any


def repair(geoms: np.ndarray) -> tuple[np.ndarray, list[str | None], np.ndarray]:
    """Polygons made valid where that is unambiguous. geoms: (n,). Returns (geoms, notes, rejected bool (n,)).

    Unambiguous: the area stays within 1 % or 1 m² of what the ring encloses. A note says what was done or why not.
    """
    out = geoms.copy()
    notes: list[str | None] = [None] * len(geoms)
    rejected = np.zeros(len(geoms), dtype=bool)
    valid = shapely.is_valid(out)
    for i in np.flatnonzero(~valid).tolist():
        reason = shapely.is_valid_reason(out[i]).split("[")[0]
        fixed = _polygons(shapely.make_valid(out[i], method="structure", keep_collapsed=False))
        linework = _polygons(shapely.make_valid(out[i]))
        spoken = _REASONS.get(reason, "图形无效")
        if fixed is None or fixed.is_empty or fixed.area == 0:
            rejected[i], notes[i] = True, f"{spoken}，围不成面。"
            continue
        difference = abs(fixed.area - linework.area) if linework is not None else 0.0
        if difference > max(_SMALL_CHANGE * fixed.area, _square_metre(fixed)):
            rejected[i], notes[i] = True, f"{spoken}，有不止一种改法，请在原图里改好再导入。"
            continue
        out[i], notes[i] = fixed, f"{spoken}，已自动修复"
    flat = (shapely.area(out) == 0) & ~rejected & ~shapely.is_missing(out) & ~shapely.is_empty(out)
    for i in np.flatnonzero(flat).tolist():
        rejected[i], notes[i] = True, "面积为零，围不成面。"
    return out, notes, rejected


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
    """What keeps zones from tiling, largest first. geoms: (n,) valid polygons in lon/lat; outline: what is to be tiled.

    Overlaps between zones; gaps enclosed by them (with an outline: all of it that no zone covers); overhang beyond the
    outline. Below 0.01 m² nothing is reported.
    """
    if not len(geoms):
        return []
    west, south, east, north = shapely.total_bounds(geoms).tolist()
    frame = MetricFrame((west + east) / 2, (south + north) / 2)
    flat = frame.geometries(geoms)
    flat = np.where(shapely.is_valid(flat), flat, shapely.buffer(flat, 0))
    whole = shapely.union_all(flat)
    found = _overlaps(flat, codes)
    if outline is not None:
        area = _valid(frame.geometries(np.array([outline], dtype=object))[0])
        shapely.prepare(area)
        found += _named("gap", shapely.difference(area, whole), flat, codes)
        beyond = np.flatnonzero(~shapely.covers(area, flat))
        for i, rest in zip(beyond.tolist(), shapely.difference(flat[beyond], area), strict=True):
            found += [("overhang", (codes[i],), part) for part in _large_parts(rest)]
    else:
        holes = [shapely.polygons(ring) for part in shapely.get_parts(whole) for ring in part.interiors]
        for hole in holes:
            found += _named("gap", hole, flat, codes)
    parts = np.array([part for _, _, part in found], dtype=object)
    shapes = frame.to_degrees(parts) if found else parts
    faults = [
        Fault(kind, names, float(part.area), _valid(shape))
        for (kind, names, part), shape in zip(found, shapes, strict=True)
    ]
    return sorted(faults, key=lambda fault: -fault.area_m2)


def _valid(geom: Any) -> Any:
    return geom if geom.is_valid else shapely.make_valid(geom)


def _overlaps(flat: np.ndarray, codes: list[str]) -> list[tuple[str, tuple[str, ...], Any]]:
    first, second = shapely.STRtree(flat).query(flat, predicate="intersects")
    pairs = first < second
    first, second = first[pairs], second[pairs]
    found = []
    for i, j, both in zip(
        first.tolist(), second.tolist(), shapely.intersection(flat[first], flat[second]), strict=True
    ):
        names = tuple(sorted((codes[i], codes[j])))
        found += [("overlap", names, part) for part in _large_parts(both)]
    return found


def _large_parts(geom: Any) -> list[Any]:
    return [part for part in shapely.get_parts(geom) if part.geom_type == "Polygon" and part.area >= LEAST_M2]


def _named(kind: str, geom: Any, flat: np.ndarray, codes: list[str]) -> list[tuple[str, tuple[str, ...], Any]]:
    """The parts of a fault with the codes of the zones that touch each."""
    parts = _large_parts(geom)
    if not parts:
        return []
    part, zone = shapely.STRtree(flat).query(np.array(parts, dtype=object), predicate="dwithin", distance=0.05)
    beside: dict[int, list[str]] = {}
    for p, z in zip(part.tolist(), zone.tolist(), strict=True):
        beside.setdefault(p, []).append(codes[z])
    return [(kind, tuple(sorted(beside.get(p, []))[:6]), shape) for p, shape in enumerate(parts)]


def outer_boundary(geoms: np.ndarray) -> Any:
    """The union of zones: fast where they are a valid coverage."""
    if shapely.coverage_is_valid(geoms):
        return shapely.coverage_union_all(geoms)
    return shapely.union_all(geoms)


def simplify_coverage(geoms: np.ndarray, tolerance: float) -> np.ndarray:
    """Zones with fewer vertices whose shared borders stay shared. tolerance in degrees."""
    return np.asarray(shapely.coverage_simplify(geoms, tolerance, simplify_boundary=True), dtype=object)


def label_points(geoms: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(lon, lat, radius in metres), each (n,): the middle of the largest circle inside each polygon."""
    west, south, east, north = shapely.total_bounds(geoms).tolist()
    frame = MetricFrame((west + east) / 2, (south + north) / 2)
    flat = frame.geometries(geoms)
    span = max(1.0, float(np.sqrt(np.nanmax(shapely.area(flat)))))
    circles = [
        shapely.maximum_inscribed_circle(shapely.simplify(one, span / 500), tolerance=max(0.5, span / 200))
        for one in flat
    ]
    ends = np.array([one.coords[0] for one in circles])
    lon, lat = frame.inverse(ends[:, 0], ends[:, 1])
    return np.asarray(lon), np.asarray(lat), np.array([one.length for one in circles])


def neighbours_of(geoms: np.ndarray) -> np.ndarray:
    """Pairs (m, 2) of zones that touch, each once, lower index first."""
    first, second = shapely.STRtree(geoms).query(geoms, predicate="intersects")
    keep = first < second
    return np.column_stack([first[keep], second[keep]])


def colour_communities(pairs: np.ndarray, n: int, most: int = 8) -> list[int]:
    """A colour 0 … most-1 per area so that neighbours differ where that is possible; spread over the palette."""
    beside: dict[int, set[int]] = {i: set() for i in range(n)}
    for a, b in pairs.tolist():
        beside[a].add(b)
        beside[b].add(a)
    colours = [-1] * n
    used = [0] * most
    for i in range(n):
        taken = {colours[j] for j in beside[i]}
        free = [c for c in range(most) if c not in taken] or list(range(most))
        colours[i] = min(free, key=lambda c: (used[c], c))
        used[colours[i]] += 1
    return colours
