"""GeoJSON coordinates to shapes, forgiving where the meaning is plain and naming the defect where it is not."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

_DEPTH = {"point": 1, "multipoint": 2, "linestring": 2, "multilinestring": 3, "polygon": 3, "multipolygon": 4}
_BY_DEPTH = {1: "point", 2: "linestring", 3: "polygon", 4: "multipolygon"}
_NAMES = {
    "point": "点",
    "multipoint": "多点",
    "linestring": "线",
    "multilinestring": "多线",
    "polygon": "面",
    "multipolygon": "多面",
}
_DEEPEST = 20
_HEIGHTS = "坐标带有高程（或测量值），只用平面坐标"


class BrokenShape(Exception):
    """A geometry without a usable shape; `reason` is for the user."""

    def __init__(self, value: object, reason: str) -> None:
        super().__init__(reason)
        self.value, self.reason = value, reason


def build(geometry: dict[str, Any], repairs: Counter[str], level: int = 0) -> Any:
    """The shape of a GeoJSON geometry, heights dropped. Counts in `repairs` what was put right. Raises BrokenShape."""
    kind = str(geometry.get("type") or "").lower()
    if kind == "geometrycollection" or (not kind and "geometries" in geometry):
        return _collection(geometry, repairs, level)
    if "coordinates" not in geometry:
        raise BrokenShape(geometry, "图形没有坐标（coordinates）")
    coordinates = geometry["coordinates"]
    if coordinates is None or coordinates == []:
        return None
    depth = _depth(coordinates)
    if depth == 0:
        raise BrokenShape(coordinates, "坐标不是成对的数")
    if kind not in _DEPTH:
        kind = _BY_DEPTH.get(depth) or _unknown(geometry)
        repairs[f"图形类型写错或没写，按坐标当作{_NAMES[kind]}"] += 1
    if depth != _DEPTH[kind] or kind == "multipolygon":
        coordinates, kind = _fit(coordinates, kind, repairs)
    return _make(kind, coordinates, repairs)


def _unknown(geometry: dict[str, Any]) -> str:
    raise BrokenShape(geometry.get("type"), "图形类型不认识，坐标层次也看不出是什么图形")


def _collection(geometry: dict[str, Any], repairs: Counter[str], level: int) -> Any:
    members = geometry.get("geometries")
    if not isinstance(members, list) or level > _DEEPEST:
        raise BrokenShape(members, "图形集合里没有图形（geometries）")
    shapes = [build(member, repairs, level + 1) for member in members if isinstance(member, dict)]
    shapes = [shape for shape in shapes if shape is not None]
    return shapely.GeometryCollection(shapes) if shapes else None


def _depth(coordinates: Any) -> int:
    """How many brackets stand around the first number; 0 when there is none."""
    depth = 0
    while isinstance(coordinates, list):
        depth += 1
        if depth > _DEEPEST:
            return 0
        first = coordinates[0] if coordinates else None
        if first is None or first == []:
            first = next((c for c in coordinates if c not in ([], None)), None)
        coordinates = first
    return depth if _number(coordinates) is not None else 0


def _fit(coordinates: Any, kind: str, repairs: Counter[str]) -> tuple[Any, str]:
    """Coordinates with as many brackets as their type asks for: superfluous ones taken off, missing ones added."""
    depth, wanted = _depth(coordinates), _DEPTH[kind]
    if depth == 1 and wanted > 1:
        if len(coordinates) < 2:
            raise BrokenShape(coordinates, f"写的是{_NAMES[kind]}，却连一对坐标也没有")
        repairs[f"写的是{_NAMES[kind]}，只有一个位置，当作点"] += 1
        return coordinates, "point"
    if kind == "linestring" and depth == 3 and all(ring and ring[0] == ring[-1] for ring in coordinates):
        repairs["写的是线，坐标是闭合的边界，当作面"] += 1
        return coordinates, "polygon"
    while depth > wanted and len(coordinates) == 1:
        coordinates, depth = coordinates[0], depth - 1
        repairs["坐标多了一层括号，已去掉"] += 1
    if depth > wanted:
        better = next((k for k in ("multi" + kind, _BY_DEPTH.get(depth, "")) if _DEPTH.get(k) == depth), None)
        if better is None:
            raise BrokenShape(coordinates, f"坐标的括号层次与{_NAMES[kind]}不符")
        repairs[f"写的是{_NAMES[kind]}，按坐标当作{_NAMES[better]}"] += 1
        kind = better
    if kind == "multipolygon" and any(_depth(part) == 2 for part in coordinates):
        repairs["坐标少了一层括号，已补上"] += 1
        coordinates = [[part] if _depth(part) == 2 else part for part in (coordinates if depth > 2 else [coordinates])]
    elif depth < _DEPTH[kind]:
        repairs["坐标少了一层括号，已补上"] += 1
        for _ in range(_DEPTH[kind] - depth):
            coordinates = [coordinates]
    return coordinates, kind


def _make(kind: str, coordinates: Any, repairs: Counter[str]) -> Any:
    if kind == "point":
        return shapely.Point(_position(coordinates, repairs))
    if kind == "multipoint":
        return shapely.MultiPoint(_positions(coordinates, repairs))
    if kind == "linestring":
        return _line(coordinates, repairs)
    if kind == "multilinestring":
        return shapely.MultiLineString([_line(part, repairs) for part in _list(coordinates)])
    if kind == "polygon":
        return _polygon(coordinates, repairs)
    return shapely.MultiPolygon([_polygon(part, repairs) for part in _list(coordinates)])


def _line(coordinates: Any, repairs: Counter[str]) -> Any:
    positions = _positions(coordinates, repairs)
    if len(positions) < 2:
        raise BrokenShape(coordinates, "线少于两个点")
    return shapely.LineString(positions)


def _polygon(coordinates: Any, repairs: Counter[str]) -> Any:
    rings = [_positions(ring, repairs) for ring in _list(coordinates)]
    rings = [ring for index, ring in enumerate(rings) if index == 0 or _encloses(ring)]
    if not rings or not _encloses(rings[0]):
        raise BrokenShape(coordinates, "面的边界少于三个不同的点，围不成面")
    if any(ring[0].tolist() != ring[-1].tolist() for ring in rings):
        repairs["面的边界没有闭合，已接上"] += 1
    # The vectorised functions skip the constructors' checks of each coordinate: three times as fast.
    holes: Any = [shapely.linearrings(ring) for ring in rings[1:]]
    outline: Any = shapely.linearrings(rings[0]) if holes else rings[0]
    return shapely.polygons(outline, holes or None)


def _encloses(ring: NDArray[np.float64]) -> bool:
    """Whether it has three different points; the first few nearly always do."""
    return len(set(map(tuple, ring[:5].tolist()))) >= 3 or len(set(map(tuple, ring.tolist()))) >= 3


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise BrokenShape(value, "坐标的括号层次不对")
    return value


def _positions(values: Any, repairs: Counter[str]) -> NDArray[np.float64]:
    """Positions as an array of shape (n, 2); all at once when they are clean."""
    try:
        array = np.array(values)
        if array.dtype.kind not in "fi":
            array = np.empty(0)
        if array.ndim == 2 and array.shape[1] >= 2 and np.isfinite(array).all():
            if array.shape[1] > 2:
                repairs[_HEIGHTS] += 1
            return array[:, :2].astype(np.float64)
    except (TypeError, ValueError):
        pass
    kept = [v for v in _list(values) if v not in ([], None)]
    if len(kept) < len(values):
        repairs["边界里有空的坐标，已跳过"] += 1
    if not kept:
        raise BrokenShape(values, "图形没有坐标")
    return np.array([_position(v, repairs) for v in kept], dtype=np.float64)


def _position(value: Any, repairs: Counter[str]) -> tuple[float, float]:
    pair = value[:2] if isinstance(value, list) else []
    numbers = [_number(v) for v in pair]
    if len(numbers) < 2 or numbers[0] is None or numbers[1] is None:
        raise BrokenShape(value, "坐标不是成对的数")
    if not (math.isfinite(numbers[0]) and math.isfinite(numbers[1])):
        raise BrokenShape(value, "坐标不是有限的数")
    if any(isinstance(v, str) for v in pair):
        repairs["坐标写成了文字，已转成数"] += 1
    if len(value) > 2:
        repairs[_HEIGHTS] += 1
    return numbers[0], numbers[1]


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
