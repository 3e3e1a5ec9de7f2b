"""Buildings: rows along the streets, slabs inside the blocks, farmhouses in the village."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.polygon import orient
from shapely.ops import polygonize, unary_union
from shapely.prepared import PreparedGeometry, prep

from .chance import stream
from .grids import Grid
from .places import Facilities
from .streets import HALF_WIDTH, Street
from .terrain import Ground, bent, river_y

PAVEMENT = 3.5
"""Metres between the kerb and the wall."""
_WALL = 9
"""Level of a border that is no street."""


@dataclass
class Building:
    """An outline; `front` is the wall on the street, west to east along `street` when there is one."""

    polygon: Polygon
    front: LineString | None = None
    street: Street | None = None
    storeys: int = 5
    code: str = ""
    name: str = ""
    address: str = ""


@dataclass(frozen=True)
class _Kerbs:
    """Which street runs past a point, and what must stay free."""

    streets: list[Street]
    tree: shapely.STRtree
    obstacles: PreparedGeometry

    def street_at(self, point: Point) -> Street | None:
        near = [self.streets[int(i)] for i in sorted(self.tree.query(point, predicate="dwithin", distance=3.0))]
        return min(near, key=lambda street: street.level, default=None)


def make_buildings(ground: Ground, streets: list[Street], grids: list[Grid], facilities: Facilities) -> list[Building]:
    """All buildings, those of the facilities first."""
    rng = stream("buildings")
    lines = [street.line for street in streets]
    borders = [grid.polygon.exterior for grid in grids]
    blocks = [face for face in polygonize(unary_union([*lines, *borders])) if face.area > 400]
    roads = [street.line.buffer(HALF_WIDTH[street.level] + 2) for street in streets]
    kept_free = [*roads, ground.river.buffer(26), *(p.buffer(4) for p in facilities.open_ground)]
    woods = [wood for wood in ground.woods if wood.intersects(facilities.area)]
    kerbs = _Kerbs(streets, shapely.STRtree(lines), prep(unary_union([*kept_free, *woods])))
    found = [Building(p, name=name, storeys=storeys) for p, name, storeys in facilities.buildings]
    for block in sorted(blocks, key=lambda b: (round(b.centroid.x), round(b.centroid.y))):
        if not facilities.area.contains(block.representative_point()):
            continue
        village = block.centroid.y < bent(block.centroid.x, river_y(block.centroid.x))[1]
        placed = [] if village else _rows(block, kerbs, rng)
        placed += _farmhouses(block, kerbs, rng) if village else _slabs(block, kerbs, placed, rng)
        found += placed
    for number, building in enumerate(found, start=1):
        building.code = f"B{number:04d}"
    return found


def _rows(block: Polygon, kerbs: _Kerbs, rng: np.random.Generator) -> list[Building]:
    """Houses wall to wall along the block's edge, broken by gateways; narrower ones where a wide one has no room."""
    ring = orient(block, 1.0).exterior
    placed: list[Building] = []
    s = 5.0
    while s < ring.length - 9:
        widest = float(rng.uniform(12, 27))
        fits = (house for width in (widest, widest * 0.7, 9.5) if (house := _row_house(ring, s, width, kerbs, rng)))
        house = next((h for h in fits if _free(h.polygon, block, kerbs, placed)), None)
        if house is None:
            s += 4
            continue
        across = LineString(list(house.polygon.exterior.coords)[:2]).length
        lane = house.street is None or house.street.level >= 3
        if not (lane and rng.random() < 0.3):
            house.polygon = _shaped(house.polygon, rng)
            placed.append(house)
        s += across + float(rng.uniform(0.4, 1.6) if rng.random() < 0.86 else rng.uniform(5, 12))
    return placed


def _row_house(ring: LineString, s: float, width: float, kerbs: _Kerbs, rng: np.random.Generator) -> Building | None:
    """A house along the edge from s to s + width; None around a corner."""
    a, b = ring.interpolate(s), ring.interpolate(min(s + width, ring.length))
    if math.dist(a.coords[0], b.coords[0]) < width * 0.9:
        return None
    street = kerbs.street_at(Point((a.x + b.x) / 2, (a.y + b.y) / 2))
    level = street.level if street else _WALL
    deep = float(rng.uniform(11, 17) if level < 3 else rng.uniform(9, 13))
    back = HALF_WIDTH[level] + PAVEMENT + float(rng.uniform(0, 0.9)) if street else 3.0
    house = _house((a.x, a.y), (b.x, b.y), back, deep)
    wall = LineString(list(house.exterior.coords)[:2]) if street else None
    return Building(house, wall, street, _storeys(level, rng))


def _house(a: tuple[float, float], b: tuple[float, float], back: float, deep: float) -> Polygon:
    """A rectangle to the left of a → b, `back` metres away from it; its first side is the front."""
    length = math.dist(a, b)
    dx, dy = (b[0] - a[0]) / length, (b[1] - a[1]) / length
    nx, ny = -dy, dx
    front = [(p[0] + nx * back, p[1] + ny * back) for p in (a, b)]
    rear = [(p[0] + nx * deep, p[1] + ny * deep) for p in reversed(front)]
    return Polygon(front + rear)


def _shaped(house: Polygon, rng: np.random.Generator) -> Polygon:
    """Some houses have a wing: one rear corner is cut back. The front stays as it is."""
    front_left, front_right, rear_right, rear_left = list(house.exterior.coords)[:4]
    if math.dist(front_left, front_right) < 17 or rng.random() < 0.55:
        return house
    across, along = float(rng.uniform(0.35, 0.6)), float(rng.uniform(0.35, 0.6))

    def between(p: tuple[float, ...], q: tuple[float, ...], share: float) -> tuple[float, float]:
        return p[0] + (q[0] - p[0]) * share, p[1] + (q[1] - p[1]) * share

    if rng.random() < 0.5:
        rear, side = between(rear_left, rear_right, along), between(front_right, rear_right, across)
        inner = (rear[0] + side[0] - rear_right[0], rear[1] + side[1] - rear_right[1])
        return Polygon([front_left, front_right, side, inner, rear, rear_left])
    rear, side = between(rear_right, rear_left, along), between(front_left, rear_left, across)
    inner = (rear[0] + side[0] - rear_left[0], rear[1] + side[1] - rear_left[1])
    return Polygon([front_left, front_right, rear_right, rear, inner, side])


def _free(house: Polygon, block: Polygon, kerbs: _Kerbs, placed: list[Building]) -> bool:
    return (
        block.contains(house)
        and not kerbs.obstacles.intersects(house)
        and not any(house.distance(other.polygon) < 0.3 for other in placed)
    )


def _slabs(block: Polygon, kerbs: _Kerbs, rows: list[Building], rng: np.random.Generator) -> list[Building]:
    """Apartment slabs and a few towers in the block's inner yard, parallel to its longer side."""
    inner = block.buffer(-31)
    if inner.is_empty:
        return []
    box = list(block.minimum_rotated_rectangle.exterior.coords)
    a, b = max(((box[0], box[1]), (box[1], box[2])), key=lambda side: math.dist(*side))
    angle = math.atan2(b[1] - a[1], b[0] - a[0])
    placed: list[Building] = []
    reach = math.dist(box[0], box[2]) / 2
    middle = block.centroid
    y = -reach + float(rng.uniform(0, 12))
    while y < reach:
        x = -reach + float(rng.uniform(0, 20))
        while x < reach:
            tower = rng.random() < 0.16
            wide = float(rng.uniform(17, 22)) if tower else float(rng.uniform(24, 46))
            deep = float(rng.uniform(16, 20)) if tower else float(rng.uniform(10.5, 13))
            slab = _turned(middle, angle, x, y, wide, deep)
            if inner.contains(slab) and rng.random() > 0.12 and _free(slab, block, kerbs, [*rows, *placed]):
                placed.append(Building(slab, storeys=int(rng.integers(16, 27) if tower else rng.integers(5, 9))))
                x += wide + float(rng.uniform(6, 13))
            else:
                x += 6
        y += float(rng.uniform(27, 33))
    return placed


def _turned(origin: Point, angle: float, x: float, y: float, wide: float, deep: float) -> Polygon:
    cos, sin = math.cos(angle), math.sin(angle)
    corners = ((x, y), (x + wide, y), (x + wide, y + deep), (x, y + deep))
    return Polygon([(origin.x + px * cos - py * sin, origin.y + px * sin + py * cos) for px, py in corners])


def _farmhouses(block: Polygon, kerbs: _Kerbs, rng: np.random.Generator) -> list[Building]:
    """Hamlets: houses along the village roads in clusters, a few with a side wing."""
    ring = orient(block, 1.0).exterior
    placed: list[Building] = []
    s, hamlet = 8.0, 0
    while s < ring.length - 10:
        if hamlet == 0:
            s += float(rng.uniform(15, 75))
            hamlet = int(rng.integers(2, 8))
            continue
        hamlet -= 1
        width = float(rng.uniform(9, 15))
        a, b = ring.interpolate(s % ring.length), ring.interpolate((s + width) % ring.length)
        street = kerbs.street_at(Point((a.x + b.x) / 2, (a.y + b.y) / 2))
        s += width + float(rng.uniform(1.5, 9))
        if street is None or math.dist(a.coords[0], b.coords[0]) < width * 0.8:
            continue
        back = HALF_WIDTH[street.level] + PAVEMENT + float(rng.uniform(0.5, 9 if rng.random() < 0.4 else 2))
        house = _house((a.x, a.y), (b.x, b.y), back, float(rng.uniform(8, 12)))
        if _free(house, block, kerbs, placed):
            wall = LineString(list(house.exterior.coords)[:2])
            placed.append(Building(_shaped(house, rng), wall, street, int(rng.integers(2, 4))))
    return placed


def _storeys(level: int, rng: np.random.Generator) -> int:
    return int(rng.integers(5, 10)) if level < 3 else int(rng.integers(3, 7))
