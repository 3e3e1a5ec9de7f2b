"""The map of one sheet: ground, neighbours, grids and their labels, in millimetres."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import shapely

from service.documents import staticmap
from service.documents.fonts import printable
from service.documents.labels import Label, Line, Wanted, Wording, place_all, place_along, place_inside
from service.documents.staticmap import Frame, Shape
from service.geo.coverage import colour_communities, neighbours_of, outer_boundary
from service.geo.crs import MetricFrame
from service.geo.values import BBox
from service.grids.rules import short_code
from service.places.ground import GroundData
from service.responsibility.snapshot import Snapshot
from service.wall.content import VACANT, Content, GridRow, community_name, grid_title

_LAND = ("wood", "dense_wood", "bank", "park", "river")
# metres wide, least mm, casing mm: by street level
_STREET = ((17, 1.1, 0.25), (12, 0.8, 0.2), (9, 0.55, 0.18), (4.5, 0.35, 0.14))
_MARGIN = {"community": 0.05, "officer": 0.08, "grid": 0.14}  # of the subject's extent, on each side: neighbours show
_LEAST_M = 140.0
_HOUSES_FROM, _LANES_FROM = 0.11, 0.14  # mm per metre
_LEAST_HOUSE_MM2 = 0.6
_STEPS = (24.0, 21.0, 18.5, 16.5, 15.0, 13.5, 12.0, 10.5, 9.2, 8.0, 7.0, 6.2, 5.4, 4.7, 4.1, 3.6, 3.1, 2.7)
_LARGEST = {"community": 15.0, "officer": 16.5, "grid": 24.0}
_MOST_STREET_NAMES = 14
_LONG_NAME = 4


@dataclass(frozen=True)
class Subject:
    """What the sheet is about, in metres: its grids, their outline, and every other grid around."""

    plane: MetricFrame
    grids: np.ndarray
    outline: Any
    margin: float

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """With a margin in which the neighbours show."""
        west, south, east, north = self.outline.bounds
        wide, high = max(east - west, _LEAST_M), max(north - south, _LEAST_M)
        x, y, more = (west + east) / 2, (south + north) / 2, 1 + 2 * self.margin
        dx, dy = wide / 2 * more, high / 2 * more
        return x - dx, y - dy, x + dx, y + dy


@dataclass(frozen=True)
class Drawn:
    """`hatched`, `micro`, `water` …: what the legend has to explain."""

    svg: str
    labels: list[Label]
    bar: tuple[float, str]
    shown: frozenset[str]
    unnamed: int


def subject_of(snapshot: Snapshot, content: Content) -> Subject:
    """The grids of a sheet on a plane of metres."""
    geoms = snapshot.tiling.geoms[[row.index for row in content.rows]]
    west, south, east, north = shapely.total_bounds(geoms)
    plane = MetricFrame((west + east) / 2, (south + north) / 2)
    flat = plane.geometries(geoms)
    return Subject(plane, flat, outer_boundary(flat), _MARGIN[content.what])


def draw(
    snapshot: Snapshot, ground: GroundData, content: Content, subject: Subject, wide: float, high: float, k: float
) -> Drawn:
    """The picture of a sheet on a box in mm; `k`: how large type is, 1 on A3."""
    frame = Frame(subject.bounds, wide, high)
    box = _degrees(subject.plane, frame)
    shown: set[str] = set()
    shapes = [Shape("land", frame.box)]
    shapes += _land(frame, subject, ground, box, content.on, shown)
    tints = _tints(frame, subject, content)
    shapes += tints
    shapes += _houses(frame, subject, ground, box, content.on, shown)
    streets = _streets(frame, subject, ground, box, content.on)
    shapes += [shape for shape, _ in streets]
    shown |= {"street"} if streets else set()
    outline = frame.exact(np.array([subject.outline], dtype=object))[0]
    shapes.append(Shape("veil", frame.box.difference(outline)))
    around = _around(frame, subject, snapshot, box, content)
    shapes += [Shape("beyond", geom.boundary) for _, geom in around]
    grids = frame.exact(subject.grids)
    shapes += _held(grids, content, snapshot, frame, subject, shown)
    shapes += _homes(frame, subject, snapshot, box)
    shapes += [Shape("edge_halo", outline.boundary), Shape("edge", outline.boundary)]
    labels, unnamed = _labels(frame, grids, content, k)
    inside = [one for one in labels if one.spot is not None]
    shapes += [Shape("lead", shapely.LineString([(one.x, one.y), one.spot or (one.x, one.y)])) for one in inside]
    shapes += [Shape("spot", shapely.Point(one.spot).buffer(0.5)) for one in inside if one.spot]
    labels += _neighbour_names(frame, outline, around, snapshot, content, labels, k)
    labels += _street_names(frame, streets, labels, k)
    shapes.append(Shape("frame", frame.box.boundary))
    return Drawn(
        staticmap.svg(frame, shapes, 2.6 * k), labels, frame.bar(min(55 * k, wide * 0.3)), frozenset(shown), unnamed
    )


def _degrees(plane: MetricFrame, frame: Frame) -> BBox:
    west, south, east, north = frame.seen
    lon, lat = plane.inverse(np.array([west, west, east, east]), np.array([south, north, south, north]))
    return BBox(float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max()))


def _land(frame: Frame, subject: Subject, ground: GroundData, box: BBox, on: date, shown: set[str]) -> Iterable[Shape]:
    layer = ground.places
    for kind in _LAND:
        chosen = [i for i in layer.within(box, on).tolist() if layer.rows[i][2] == kind]
        chosen = [i for i in chosen if layer.geoms[i].geom_type.endswith("Polygon")]
        if chosen:
            shown.add(kind)
            yield from (Shape(kind, one) for one in frame.place(subject.plane.geometries(layer.geoms[chosen])))


def _houses(frame: Frame, subject: Subject, ground: GroundData, box: BBox, on: date, shown: set[str]) -> list[Shape]:
    if frame.scale < _HOUSES_FROM:
        return []
    chosen = ground.buildings.within(box, on)
    placed = frame.place(subject.plane.geometries(ground.buildings.geoms[chosen]))
    large = [one for one in placed if one.area >= _LEAST_HOUSE_MM2]
    if not large:
        return []
    shown.add("building")
    return [Shape("building", shapely.GeometryCollection(large))]


def _streets(
    frame: Frame, subject: Subject, ground: GroundData, box: BBox, on: date
) -> list[tuple[Shape, tuple[str | None, Any, int]]]:
    """Casings first, then the streets, the small ones first; each with its name, line and level."""
    layer = ground.streets
    chosen = layer.within(box, on)
    placed = frame.place(subject.plane.geometries(layer.geoms[chosen]))
    found = []
    for i, geom in zip(chosen.tolist(), placed, strict=True):
        name, level = layer.rows[i]
        level = min(3, level or 0)
        if level < 3 or frame.scale >= _LANES_FROM:
            found.append((level, name, geom))
    found.sort(key=lambda one: -one[0])
    out = []
    for look in ("casing", "street"):
        for level, name, geom in found:
            metres, least, casing = _STREET[level]
            wide = max(least, metres * frame.scale) + (2 * casing if look == "casing" else 0)
            out.append((Shape(look, geom, stroke_mm=wide), (name if look == "street" else None, geom, level)))
    return out


def _tints(frame: Frame, subject: Subject, content: Content) -> list[Shape]:
    """Each grid of the sheet in a colour that its neighbours don't have; light, so that grey prints stay legible."""
    pairs = neighbours_of(subject.grids)
    colours = colour_communities(pairs, len(subject.grids), len(staticmap.TINTS))
    placed = frame.exact(subject.grids)
    return [
        Shape("land", geom, staticmap.TINTS[colour] + "b8")
        for geom, colour, row in zip(placed, colours, content.rows, strict=True)
        if row.leader is not None
    ]


def _around(frame: Frame, subject: Subject, snapshot: Snapshot, box: BBox, content: Content) -> list[tuple[int, Any]]:
    """The other grids that the picture shows: (index in the tiling, shape in mm)."""
    tiling = snapshot.tiling
    mine = {row.index for row in content.rows}
    tree = shapely.STRtree(tiling.geoms)
    hit = [i for i in np.sort(tree.query(shapely.box(*_corners(box)))).tolist() if i not in mine]
    placed = frame.exact(subject.plane.geometries(tiling.geoms[hit])) if hit else np.empty(0, object)
    return list(zip(hit, placed, strict=True))


def _corners(box: BBox) -> tuple[float, float, float, float]:
    return box.west, box.south, box.east, box.north


def _held(
    grids: np.ndarray, content: Content, snapshot: Snapshot, frame: Frame, subject: Subject, shown: set[str]
) -> list[Shape]:
    """Hatching where nobody leads, micro-grids, and the borders."""
    out = []
    for row, geom in zip(content.rows, grids, strict=True):
        if row.leader is None:
            shown.add("vacant")
            out.append(Shape("hatch", geom))
    codes = {row.code for row in content.rows}
    tiling = snapshot.tiling
    micro = [i for i, zone in enumerate(tiling.micro_zones) if zone.parent_code in codes]
    if micro:
        shown.add("micro")
        inner = frame.exact(
            subject.plane.geometries(np.array([tiling.micro_index.geoms[i] for i in micro], dtype=object))
        )
        out += [Shape("micro", one.boundary) for one in inner]
    return out + [Shape("border", geom.boundary) for geom in grids]


def _homes(frame: Frame, subject: Subject, snapshot: Snapshot, box: BBox) -> list[Shape]:
    """Borders between communities."""
    tiling = snapshot.tiling
    hit = np.sort(shapely.STRtree(tiling.geoms).query(shapely.box(*_corners(box))))
    out = []
    for code in sorted({tiling.zones[i].community_code for i in hit.tolist()}):
        mine = [i for i, zone in enumerate(tiling.zones) if zone.community_code == code]
        outline = outer_boundary(subject.plane.geometries(tiling.geoms[mine]))
        out.append(
            Shape("community", frame.place(np.array([outline], dtype=object))[0].boundary.intersection(frame.box))
        )
    return out


def _labels(frame: Frame, grids: np.ndarray, content: Content, k: float) -> tuple[list[Label], int]:
    """Numbers and names of the sheet's grids; and how many found no room at all."""
    page = frame.box.buffer(-1.2 * k)
    wanted = [
        Wanted(geom.intersection(page), _wordings(row, content, k), row.number, plate=row.leader is None)
        for row, geom in zip(content.rows, grids, strict=True)
    ]
    most = _LARGEST[content.what]
    placed = place_all(wanted, [step * k for step in _STEPS if step <= most], page)
    return [one for one in placed if one is not None], sum(one is None for one in placed)


def _wordings(row: GridRow, content: Content, k: float) -> tuple[Wording, ...]:
    """From everything to the number alone; who leads is said as long as it can be read."""
    number, title = Line(row.number, 0.8, True), Line(printable(row.title), 0.55)
    only = Wording((Line(row.number, 1.0, True),), 2.6 * k, 6.0 * k)
    if row.leader is None:
        word = Line(VACANT, 1.0, True)
        return (
            Wording((number, word), 2.7 * k),
            Wording((Line(f"{row.number} {VACANT}", 1.0, True),), 2.6 * k),
            only,
        )
    if row.leader.name is None:
        return (
            Wording((Line(row.number, 1.0, True), Line(printable(row.title), 0.62)), 3.4 * k),
            only,
        )
    leader = printable(row.leader.name)
    name = Line(leader, 1.0, True)
    phone = (Line(row.leader.phone, 0.52),) if row.leader.phone else ()
    out = [Wording((number, title, name, *phone), 5.2 * k)]
    if phone:
        out.append(Wording((number, name, *phone), 4.4 * k))
    out += [
        Wording((number, name), 3.0 * k),
        *((Wording((number, *_halves(leader)), 2.7 * k),) if len(leader) > _LONG_NAME else ()),
        Wording((Line(f"{row.number} {leader}", 1.0, True),), 2.7 * k),
    ]
    return (*out, only)


def _halves(name: str) -> tuple[Line, Line]:
    """A long name on two lines, parted at its dot or space where it has one.

    >>> [line.text for line in _halves("阿不都热依木·艾则孜")]
    ['阿不都热依木·', '艾则孜']
    """
    at = max(name.find(sign) for sign in "·• ") + 1 or (len(name) + 1) // 2
    return Line(name[:at].strip(), 0.9, True), Line(name[at:].strip(), 0.9, True)


def _neighbour_names(
    frame: Frame,
    outline: Any,
    around: Sequence[tuple[int, Any]],
    snapshot: Snapshot,
    content: Content,
    labels: Sequence[Label],
    k: float,
) -> list[Label]:
    """The names of what lies beyond: communities round a community, grids round a grid."""
    zones = snapshot.tiling.zones
    free = frame.box.buffer(-1.0 * k).difference(outline.buffer(0.9 * k))
    own = {zones[row.index].community_code for row in content.rows}
    by_home: dict[str, list[Any]] = {}
    for i, geom in around:
        by_home.setdefault(zones[i].community_code, []).append(geom)
    taken = [one.shape for one in labels]
    out: list[Label] = []
    for code, geoms in sorted(by_home.items()):
        if code in own:
            continue
        room = shapely.union_all(geoms).intersection(free)
        wanted = Wanted(room, (Wording((Line(printable(community_name(snapshot, code)), 1.0, True),), 2.7 * k),), "")
        _add(out, taken, place_inside(wanted, [6.4 * k, 5.4 * k, 4.6 * k, 3.9 * k, 3.3 * k, 2.7 * k], taken), "home")
    if content.what == "community":
        return out
    for i, geom in around:
        zone = zones[i]
        number = short_code(zone.code)[1]
        title = printable(grid_title(zone, community_name(snapshot, zone.community_code)))
        wordings = (
            Wording((Line(title, 1.0),), 2.7 * k),
            Wording((Line(printable(number), 1.0),), 2.5 * k),
        )
        wanted = Wanted(geom.intersection(free), wordings, "")
        _add(out, taken, place_inside(wanted, [3.8 * k, 3.3 * k, 2.9 * k, 2.5 * k], taken), "beyond")
    return out


def _add(out: list[Label], taken: list[Any], label: Label | None, look: str) -> None:
    if label is not None:
        out.append(Label(label.x, label.y, label.width, label.height, label.size, label.lines, look, label.turn, False))
        taken.append(label.shape)


def _street_names(
    frame: Frame, streets: Sequence[tuple[Shape, tuple[str | None, Any, int]]], labels: Sequence[Label], k: float
) -> list[Label]:
    """Along the streets, the large ones first, each name once."""
    taken = [one.shape.buffer(0.5) for one in labels]
    page = frame.box.buffer(-1.0 * k)
    said: set[str] = set()
    out: list[Label] = []
    for _, (name, geom, level) in sorted(streets, key=lambda one: (one[1][2], -shapely.length(one[1][1]))):
        if not name or name in said or len(out) == _MOST_STREET_NAMES:
            continue
        label = place_along(geom, printable(name), (3.1 if level < 2 else 2.6) * k, taken, page)
        if label is not None:
            said.add(name)
            out.append(label)
            taken.append(label.shape)
    return out
