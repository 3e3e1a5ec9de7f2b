"""The small map of a record: SVG paths drawn on the server from the ground, the grids and the record's own shape."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import shapely

from service.geo.values import BBox
from service.places.ground import GroundData

WIDTH, HEIGHT = 460, 156
_NEAREST_M = 170.0  # metres across the picture of a point or a short line
_MARGIN = 1.3
_LAND = ("wood", "dense_wood", "bank", "park", "river")
# metres wide, least px, casing px: by street level, as on the map (js/map/style.js)
_STREET = ((17, 2.4, 1.6), (12, 1.8, 1.4), (9, 1.3, 1.2), (4.5, 0.8, 0.8))
_HOUSES_FROM, _LANES_FROM = 0.24, 0.3  # px per metre
_MOST_NAMES = 3
_LETTER = 13
_BESIDE = 12


@dataclass(frozen=True)
class Path:
    """One SVG path; `look` is its class in css/minimap.css, `width` its stroke in px."""

    look: str
    d: str
    width: float | None = None


@dataclass(frozen=True)
class Label:
    """A word at px, turned by degrees."""

    look: str
    text: str
    x: float
    y: float
    turn: float = 0.0


@dataclass
class MiniMap:
    """All that templates/registers/minimap.html draws, bottom to top."""

    width: int = WIDTH
    height: int = HEIGHT
    paths: list[Path] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    pin: tuple[float, float] | None = None
    lon: float = 0.0
    lat: float = 0.0
    zoom: float = 17.0


@dataclass(frozen=True)
class Zones:
    """The grids as they are drawn: shapes, short codes, and which one is the record's (None: none). `own`: several that
    are drawn as the subject's, each with its code."""

    geoms: Sequence[Any]
    names: Sequence[str]
    chosen: int | None = None
    own: Sequence[int] = ()


class _Frame:
    """Degrees to px: metres on the plane that touches the earth in the middle of the subject."""

    def __init__(self, subject: Any, height: int) -> None:
        self.height = height
        west, south, east, north = subject.bounds
        self.lon, self.lat = (west + east) / 2, (south + north) / 2
        self.ky = 111_132.92 - 559.82 * math.cos(2 * math.radians(self.lat))
        self.kx = max(111_412.84 * math.cos(math.radians(self.lat)), 1.0)
        wide = max((east - west) * self.kx * _MARGIN, _NEAREST_M)
        high = max((north - south) * self.ky * _MARGIN, _NEAREST_M * height / WIDTH)
        self.scale = min(WIDTH / wide, height / high)
        dx, dy = WIDTH / 2 / self.scale / self.kx, height / 2 / self.scale / self.ky
        self.seen = BBox(self.lon - dx, self.lat - dy, self.lon + dx, self.lat + dy)
        self.screen = shapely.box(-20, -20, WIDTH + 20, height + 20)

    @property
    def zoom(self) -> float:
        """The web map's zoom that shows as much."""
        metres_per_px = 1 / self.scale
        return round(math.log2(156_543.03 * math.cos(math.radians(self.lat)) / metres_per_px), 1)

    def place(self, geom: Any) -> Any:
        """A geometry in px, cut at the picture's edge."""
        moved = shapely.transform(geom, self._px)
        if moved.geom_type == "Point":
            return moved
        return shapely.intersection(shapely.make_valid(shapely.simplify(moved, 0.3)), self.screen)

    def _px(self, coords: np.ndarray) -> np.ndarray:
        out = np.empty_like(coords)
        out[:, 0] = (coords[:, 0] - self.lon) * self.kx * self.scale + WIDTH / 2
        out[:, 1] = self.height / 2 - (coords[:, 1] - self.lat) * self.ky * self.scale
        return out


def mini_map(subject: Any, ground: GroundData, zones: Zones, height: int = HEIGHT, is_zone: bool = False) -> MiniMap:
    """The picture of one record. `subject`: a geometry in degrees (WGS 84), not empty; `height`: px of 460 wide;
    `is_zone`: whether it is itself a grid or a community."""
    frame = _Frame(subject, height)
    out = MiniMap(height=height, lon=round(frame.lon, 6), lat=round(frame.lat, 6), zoom=frame.zoom)
    _land(out, frame, ground)
    _roads(out, frame, ground)
    held = _zones(out, frame, zones)
    mine = frame.place(subject)
    _subject(out, mine, is_zone)
    _names(out, frame, ground, shapely.Point() if is_zone else mine, held, zones)
    return out


def _land(out: MiniMap, frame: _Frame, ground: GroundData) -> None:
    for kind in _LAND:
        shapes = [
            ground.places.geoms[i]
            for i in ground.places.within(frame.seen).tolist()
            if ground.places.rows[i][2] == kind
        ]
        _add(out, f"m-{kind}", [frame.place(one) for one in shapes])
    if frame.scale > _HOUSES_FROM:
        houses = [frame.place(ground.buildings.geoms[i]) for i in ground.buildings.within(frame.seen).tolist()]
        _add(out, "m-house", houses)


def _roads(out: MiniMap, frame: _Frame, ground: GroundData) -> None:
    by_level: dict[int, list[Any]] = {}
    for i in ground.streets.within(frame.seen).tolist():
        level = min(3, ground.streets.rows[i][1] or 0)
        if level < 3 or frame.scale > _LANES_FROM:
            by_level.setdefault(level, []).append(frame.place(ground.streets.geoms[i]))
    for look, edge in (("m-casing", 1), ("m-street", 0)):
        for level in sorted(by_level, reverse=True):
            metres, least, casing = _STREET[level]
            _add(out, look, by_level[level], max(least, metres * frame.scale) + edge * casing)


def _zones(out: MiniMap, frame: _Frame, zones: Zones) -> Any:
    """Outlines of all grids, the record's own over them; the visible part of the latter."""
    tree = shapely.STRtree(list(zones.geoms))
    box = shapely.box(frame.seen.west, frame.seen.south, frame.seen.east, frame.seen.north)
    shown = [(i, frame.place(zones.geoms[i])) for i in sorted(tree.query(box).tolist())]
    _add(out, "m-zone", [one for i, one in shown if i != zones.chosen])
    for i, one in shown:
        if i in zones.own:
            at = shapely.point_on_surface(one)
            out.labels.append(Label("m-code", zones.names[i], round(at.x, 1), round(at.y + 5, 1)))
            _add(out, "m-own", [one])
    held = next((one for i, one in shown if i == zones.chosen), None)
    if held is not None:
        _add(out, "m-held-edge", [held])
        _add(out, "m-held", [held])
    return held


def _subject(out: MiniMap, mine: Any, is_zone: bool) -> None:
    if mine.geom_type == "Point":
        out.pin = (round(mine.x, 1), round(mine.y, 1))
    elif mine.geom_type.endswith("Polygon"):
        _add(out, "m-held-edge", [mine])
        _add(out, "m-held" if is_zone else "m-mine-area", [mine])
    else:
        _add(out, "m-mine-edge", [mine])
        _add(out, "m-mine", [mine])


def _names(out: MiniMap, frame: _Frame, ground: GroundData, mine: Any, held: Any, zones: Zones) -> None:
    """The grid's code where it hides nothing, and the names of the streets along their longest straight pieces."""
    taken = [] if mine.is_empty else [mine]
    if held is not None and zones.chosen is not None and not held.is_empty:
        x, y = _corner(held, mine, out.height)
        text = zones.names[zones.chosen]
        out.labels.append(Label("m-code", text, x, y + 5))
        taken.append(shapely.box(x - 5 * len(text), y - 10, x + 5 * len(text), y + 10))
    said: set[str] = set()
    streets = sorted(ground.streets.within(frame.seen).tolist(), key=lambda i: ground.streets.rows[i][1] or 0)
    for i in streets:
        name = ground.streets.rows[i][0]
        if not name or name in said or len(said) == _MOST_NAMES:
            continue
        label = _along(frame.place(ground.streets.geoms[i]), name, taken, held, out.height)
        if label:
            said.add(name)
            out.labels.append(label)
            taken.append(shapely.Point(label.x, label.y).buffer(len(name) * _LETTER / 2))


def _corner(held: Any, mine: Any, height: int) -> tuple[float, float]:
    """A spot within the visible grid, far from the record; in the middle when the record is the grid."""
    room = held.intersection(shapely.box(0, 0, WIDTH, height))
    inner = room.buffer(-18)
    if inner.is_empty:
        inner = room
    if inner.is_empty:
        inner = held
    if mine.is_empty:
        at = shapely.point_on_surface(inner)
        return round(at.x, 1), round(at.y, 1)
    corners = [shapely.Point(x, y) for x in (26, WIDTH - 26) for y in (20, height - 20)]
    near = [shapely.Point(shapely.shortest_line(inner, corner).coords[0]) for corner in corners]
    best = max(near, key=lambda at: at.distance(mine))
    return round(best.x, 1), round(best.y, 1)


def _along(line: Any, name: str, taken: list[Any], held: Any, height: int) -> Label | None:
    """The name on the longest straight piece that has room for it and touches nothing that is already there; beside
    the line where the grid's border runs along the street."""
    need = len(name) * _LETTER + 8
    pieces = sorted(_segments(line), key=lambda piece: -piece.length)
    for piece in pieces[:4]:
        if piece.length < need:
            return None
        (x0, y0), (x1, y1) = piece.coords
        mid = piece.interpolate(0.5, normalized=True)
        reach = piece.buffer(2).intersection(mid.buffer(need / 2))
        if not (need / 2 < mid.x < WIDTH - need / 2 or abs(x1 - x0) < abs(y1 - y0)) or not 8 < mid.y < height - 8:
            continue
        if any(reach.distance(other) < 9 for other in taken):
            continue
        turn = math.degrees(math.atan2(y1 - y0, x1 - x0))
        turn = turn - 180 if turn > 90 else turn + 180 if turn < -90 else turn
        aside = _BESIDE if held is not None and reach.distance(held.boundary) < _LETTER / 2 else 0
        x, y = mid.x + aside * math.sin(math.radians(turn)), mid.y - aside * math.cos(math.radians(turn))
        return Label("m-name", name, round(x, 1), round(y + 4, 1), round(turn, 1))
    return None


def _segments(line: Any) -> Iterator[Any]:
    for part in shapely.get_parts(line):
        if part.geom_type == "LineString":
            coords = shapely.get_coordinates(shapely.simplify(part, 2))
            for a, b in pairwise(coords):
                yield shapely.LineString([a, b])


def _add(out: MiniMap, look: str, shapes: list[Any], width: float | None = None) -> None:
    d = "".join(_d(one) for one in shapes)
    if d:
        out.paths.append(Path(look, d, None if width is None else round(width, 1)))


def _d(geom: Any) -> str:
    """SVG path data of lines and polygons."""
    out = []
    for part in shapely.get_parts(geom):
        if part.is_empty:
            continue
        if part.geom_type == "Polygon":
            out += [_run(ring.coords, True) for ring in (part.exterior, *part.interiors)]
        elif part.geom_type in ("LineString", "LinearRing"):
            out.append(_run(part.coords, False))
        elif part.geom_type in ("GeometryCollection", "MultiPolygon", "MultiLineString"):
            out.append(_d(part))
    return "".join(out)


def _run(coords: Any, closed: bool) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y, *_ in coords) + ("Z" if closed else "")
