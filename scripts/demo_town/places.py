"""Facilities that are inspected — markets, refuse stations, public toilets — and parks, schools, hospitals."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from shapely.geometry import Point, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from .chance import stream
from .grids import Grid
from .streets import HALF_WIDTH, Street
from .terrain import Ground, polygons


@dataclass
class Place:
    """A facility or a piece of nature."""

    name: str
    kind: str
    geometry: BaseGeometry
    address: str = ""
    code: str = ""


@dataclass
class Facilities:
    """What takes its ground before houses are built: places, their buildings (outline, name, storeys), open ground."""

    area: BaseGeometry
    places: list[Place] = field(default_factory=list)
    buildings: list[tuple[Polygon, str, int]] = field(default_factory=list)
    open_ground: list[BaseGeometry] = field(default_factory=list)


_PARKS = (
    ("500237002001008", "聚鹤公园", 1.0),
    ("500237002002014", "净坛广场", 0.75),
    ("500237002003010", "翠屏公园", 1.0),
    ("500237002001003", "鹤鸣游园", 0.7),
    ("500237002002006", "龙江口袋公园", 0.6),
)
_HALLS = (
    ("500237002001014", "聚鹤农贸市场", "market", 44, 30),
    ("500237002002008", "龙江便民菜市场", "market", 34, 24),
    ("500237002003007", "龙水社区卫生服务中心", "hospital", 40, 16),
    ("500237002002004", "龙门街道中心医院", "hospital", 58, 26),
    ("500237002001006", "聚鹤幼儿园", "school", 36, 18),
    ("500237002003004", "龙水中学", "school", 62, 34),
    ("500237002202015", "梨早村小学", "school", 36, 14),
)
_STATION_GRIDS = (
    *("500237002001005", "500237002001010", "500237002001016", "500237002002003", "500237002002010", "500237002002017"),
    *("500237002003002", "500237002003008", "500237002003015", "500237002202004", "500237002202008", "500237002202013"),
)
_TOILET_GRIDS = (
    *("500237002001007", "500237002001012", "500237002001017", "500237002002005", "500237002002013", "500237002002016"),
    *("500237002003005", "500237002003009", "500237002003014", "500237002202006", "500237002202018"),
)


def plan_facilities(ground: Ground, streets: list[Street], grids: list[Grid]) -> Facilities:
    """Everything that must have its ground before the houses."""
    by_code = {grid.code: grid for grid in grids}
    plan = Facilities(unary_union([grid.polygon for grid in grids if not grid.parent_code]))
    roads = unary_union([street.line.buffer(HALF_WIDTH[street.level] + 3) for street in streets])
    for code, name, size in _PARKS:
        park = _park(by_code[code].polygon, roads, size)
        plan.places.append(Place(name, "park", park))
        plan.open_ground.append(park)
    for grid in grids:
        if grid.kind == "special":
            _special_ground(plan, grid, roads)
    for code, name, kind, wide, deep in _HALLS:
        hall = _hall(by_code[code].polygon, streets, roads, wide, deep)
        plan.places.append(Place(name, kind, hall))
        plan.buildings.append((hall, name, 1 if kind == "market" else 4))
        plan.open_ground.append(hall.buffer(3))
    _stations(plan, ground, by_code, streets)
    return plan


def _park(block: Polygon, roads: BaseGeometry, size: float) -> Polygon:
    """A soft-edged park in the largest piece between the roads."""
    room = max(polygons(block.difference(roads)), key=lambda p: p.area).buffer(-3)
    middle = room.representative_point() if not room.contains(room.centroid) else room.centroid
    waves = [i / 48 * 2 * math.pi for i in range(48)]
    blob = Polygon(
        [
            (
                middle.x + size * (66 + 9 * math.sin(3 * a + middle.x)) * math.cos(a),
                middle.y + size * (48 + 7 * math.cos(2 * a + middle.y)) * math.sin(a),
            )
            for a in waves
        ]
    )
    return max(polygons(room.intersection(blob).buffer(-6).buffer(6)), key=lambda p: p.area).simplify(0.4)


def _special_ground(plan: Facilities, grid: Grid, roads: BaseGeometry) -> None:
    """The mall's block, the school's campus with its field, the market's hall and forecourt."""
    room = max(polygons(grid.polygon.difference(roads).buffer(-4)), key=lambda p: p.area)
    name = grid.name.removesuffix("专属网格")
    plan.open_ground.append(grid.polygon.buffer(-2))
    if "天街" in name:
        mall = room.buffer(-5, join_style="mitre").simplify(9)
        plan.buildings.append((mall, name, 6))
        plan.places.append(Place(name, "other", mall))
    elif "市场" in name:
        hall = _shrunk(room, 0.86, 0.72)
        plan.buildings.append((hall, name, 2))
        plan.places.append(Place(name, "market", hall))
    else:
        plan.places.append(Place(name, "school", room.simplify(1)))
        box = _shrunk(room, 0.9, 0.86)
        corners = list(box.exterior.coords)
        for number, (low, high) in enumerate(((0.0, 0.16), (0.36, 0.50)), start=1):
            plan.buildings.append((_strip(corners, low, high, 0.0, 0.62), f"{name}{number}号教学楼", 5))
        plan.buildings.append((_strip(corners, 0.72, 0.95, 0.0, 0.3), f"{name}体育馆", 2))


def _shrunk(room: Polygon, along: float, across: float) -> Polygon:
    """The rectangle that the room's outline suggests, drawn in until it fits."""
    box = room.minimum_rotated_rectangle
    middle = room.centroid
    corners = list(box.exterior.coords)[:4]
    for factor in (0.94, 0.9, 0.85, 0.8, 0.74, 0.68, 0.6, 0.5):
        moved = [
            (middle.x + (x - box.centroid.x) * factor, middle.y + (y - box.centroid.y) * factor) for x, y in corners
        ]
        if room.contains(Polygon(moved)):
            return _strip([*moved, moved[0]], (1 - along) / 2, (1 + along) / 2, (1 - across) / 2, (1 + across) / 2)
    raise AssertionError("no rectangle fits")


def _strip(corners: list[tuple[float, ...]], low: float, high: float, left: float, right: float) -> Polygon:
    """Part of a rectangle, by shares along its first and second side."""
    (ax, ay), (bx, by), _, (dx, dy) = (c[:2] for c in corners[:4])

    def at(s: float, t: float) -> tuple[float, float]:
        return ax + (bx - ax) * s + (dx - ax) * t, ay + (by - ay) * s + (dy - ay) * t

    return Polygon([at(low, left), at(high, left), at(high, right), at(low, right)])


def _hall(block: Polygon, streets: list[Street], roads: BaseGeometry, wide: float, deep: float) -> Polygon:
    """A large building in the middle of the roomiest piece of the block, parallel to the nearest street."""
    room = max(polygons(block.difference(roads)), key=lambda p: p.buffer(-20).area)
    spot = room.buffer(-20)
    spot = (max(polygons(spot), key=lambda p: p.area) if not spot.is_empty else room).representative_point()
    road = min((s.line for s in streets if s.level < 3), key=lambda line: line.distance(spot))
    s = road.project(spot)
    a, b = road.interpolate(max(0, s - 10)), road.interpolate(s + 10)
    angle = math.atan2(b.y - a.y, b.x - a.x)
    for factor in (1.0, 0.85, 0.7, 0.55):
        w, d = wide * factor / 2, deep * factor / 2
        hall = Polygon(
            [
                (spot.x + x * math.cos(angle) - y * math.sin(angle), spot.y + x * math.sin(angle) + y * math.cos(angle))
                for x, y in ((-w, -d), (w, -d), (w, d), (-w, d))
            ]
        )
        if room.contains(hall):
            return hall
    return hall


def _stations(plan: Facilities, ground: Ground, by_code: dict[str, Grid], streets: list[Street]) -> None:
    """Refuse stations and toilets stand beside a street, a few metres off the kerb."""
    rng = stream("stations")
    side = [s for s in streets if s.level in (1, 2, 3) and s.name not in ("龙水大桥",)]
    wet = ground.river.buffer(14)
    jobs = [(code, "refuse_station", "垃圾收集站") for code in _STATION_GRIDS]
    jobs += [(code, "toilet", "公共厕所") for code in _TOILET_GRIDS]
    jobs += [
        ("500237002003016", "transfer_station", "龙水垃圾转运站"),
        ("500237002202001", "transfer_station", "梨早垃圾转运站"),
    ]
    for code, kind, word in jobs:
        block = by_code[code].polygon
        street = max((s for s in side if s.line.intersects(block)), key=lambda s: s.line.intersection(block).length)
        spot = _beside(street, block, wet, float(rng.uniform(0.25, 0.75)))
        name = word if kind == "transfer_station" else street.name + word
        plan.places.append(Place(name, kind, spot, f"{street.name}旁"))
        plan.open_ground.append(spot.buffer(5))


def _beside(street: Street, block: Polygon, wet: BaseGeometry, share: float) -> Point:
    inside = street.line.intersection(block)
    piece = max(inside.geoms, key=lambda p: p.length) if hasattr(inside, "geoms") else inside
    for step in range(9):
        s = piece.length * ((share + step * 0.11) % 1.0)
        a, b = piece.interpolate(max(0, s - 1)), piece.interpolate(min(piece.length, s + 1))
        norm = math.dist(a.coords[0], b.coords[0])
        off = HALF_WIDTH[street.level] + 5
        for sign in (1, -1):
            spot = Point(
                (a.x + b.x) / 2 - sign * (b.y - a.y) / norm * off, (a.y + b.y) / 2 + sign * (b.x - a.x) / norm * off
            )
            if block.contains(spot) and not wet.contains(spot):
                return spot
    return piece.interpolate(0.5, normalized=True)


def all_places(ground: Ground, plan: Facilities, streets: list[Street]) -> list[Place]:
    """Nature first, then facilities; coded P001 … in this order."""
    roads = unary_union([street.line.buffer(HALF_WIDTH[street.level] + 1) for street in streets])
    shore = polygons(unary_union(ground.banks).difference(roads), least=60)
    found = [Place("龙水河", "river", ground.river.simplify(0.4))]
    found += [Place("龙水河岸", "bank", part.simplify(0.4)) for part in shore]
    for kind, name, parts in (("wood", "林地", ground.woods), ("dense_wood", "密林", ground.dense_woods)):
        for wood in parts:
            found += [Place(name, kind, part) for part in polygons(wood.difference(roads).simplify(1.0), least=1500)]
    found += plan.places
    for number, place in enumerate(found, start=1):
        place.code = f"P{number:03d}"
        place.address = place.address or _address(place, streets)
    return found


def _address(place: Place, streets: list[Street]) -> str:
    if place.kind in ("river", "bank", "wood", "dense_wood"):
        return ""
    named = [s for s in streets if s.level < 3 and s.name != "龙水大桥"]
    return min(named, key=lambda s: s.line.distance(place.geometry)).name
