"""Shop fronts on the walls that face a street, numbered along it; each with its agreement."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from shapely import STRtree
from shapely.geometry import LineString, Point
from shapely.ops import substring

from .buildings import Building
from .chance import pick, stream
from .names import SHOP_STEMS, TRADES, invented_names, shop_phone
from .streets import Street

WANTED = 1200
_CENTRE = Point(1230, 930)
_GRADES = ("五星", "四星", "三星", "二星", "一星")
_GRADE_SHARES = (0.12, 0.34, 0.36, 0.14, 0.04)


@dataclass
class Frontage:
    """One shop front; agreement_until counts days from the loading day, None without agreement."""

    line: LineString
    address: str
    street: Street
    code: str = ""
    shop_name: str = ""
    trade: str = ""
    state: str = "operating"
    person_name: str = ""
    phone: str = ""
    owner_name: str = ""
    agreement_until: int | None = None
    grade: str = ""


def make_frontages(buildings: list[Building]) -> list[Frontage]:
    """Shops along the shopping streets, codes F0001 … by street and number; addresses the buildings too."""
    rng = stream("frontages")
    chosen = _with_shops(buildings, rng)
    found: list[Frontage] = []
    for street, side, houses in _by_side(buildings):
        number = 2 if side == "left" else 1
        for building in houses:
            first = number
            parts = _split(building, street, rng) if building.code in chosen else []
            for part in parts:
                found.append(Frontage(part, f"{street.name}{number}号", street))
                number += 2
            number += 0 if parts else 2
            last = number - 2
            building.address = f"{street.name}{first}号" if last == first else f"{street.name}{first}-{last}号"
    for serial, frontage in enumerate(found, start=1):
        frontage.code = f"F{serial:04d}"
    _address_yards(buildings)
    _furnish(found, rng)
    return found


def _address_yards(buildings: list[Building]) -> None:
    """A house in a yard has the address of the nearest house on a street."""
    fronts = [building for building in buildings if building.address]
    tree = STRtree([building.polygon for building in fronts])
    for building in buildings:
        if not building.address:
            nearest = fronts[int(tree.nearest(building.polygon))].address
            building.address = nearest.split("号")[0].split("-")[0] + "号院"


def _with_shops(buildings: list[Building], rng: np.random.Generator) -> set[str]:
    """The buildings that have shops: the nearer the centre and the busier the street, the likelier."""
    chances = []
    for building in buildings:
        if building.front is None or building.street is None or building.front.length < 8:
            continue
        distance = building.front.distance(_CENTRE)
        nearness = 0.25 + 0.75 * math.exp(-((distance / 760) ** 2))
        draw = float(rng.random()) / max(building.street.reach * nearness, 1e-6)
        chances.append((draw, building.code, building.front.length))
    chosen, length = set(), 0.0
    for _, code, wall in sorted(chances):
        if length > WANTED * 7.05:
            break
        chosen.add(code)
        length += wall - 1.2
    return chosen


def _by_side(buildings: list[Building]) -> Iterator[tuple[Street, str, list[Building]]]:
    sides: dict[tuple[str, str], list[tuple[float, Building]]] = defaultdict(list)
    streets: dict[str, Street] = {}
    for building in buildings:
        if building.street is None or building.front is None:
            continue
        middle = building.front.interpolate(0.5, normalized=True)
        s, side = _position(building.street.line, middle)
        streets[building.street.code] = building.street
        sides[building.street.code, side].append((s, building))
    for (code, side), houses in sorted(sides.items()):
        yield streets[code], side, [b for _, b in sorted(houses, key=lambda pair: (pair[0], pair[1].code))]


def _position(line: LineString, point: Point) -> tuple[float, str]:
    """Metres along the street, and the side on which the point lies."""
    s = line.project(point)
    a, b = line.interpolate(max(0.0, s - 2)), line.interpolate(min(line.length, s + 2))
    left = (b.x - a.x) * (point.y - a.y) - (b.y - a.y) * (point.x - a.x) > 0
    return s, "left" if left else "right"


def _split(building: Building, street: Street, rng: np.random.Generator) -> list[LineString]:
    """The wall cut into shop fronts 4-12 m wide, in the street's direction."""
    wall = building.front
    assert wall is not None
    if street.line.project(Point(wall.coords[0])) > street.line.project(Point(wall.coords[-1])):
        wall = wall.reverse()
    room = wall.length - 0.8
    count = max(1, round(room / float(rng.uniform(5.4, 8.8))))
    while room / count > 11:
        count += 1
    weights = rng.uniform(0.75, 1.3, count)
    widths = weights / weights.sum() * room
    if widths.min() < 4.2 or widths.max() > 11.9:
        widths = np.full(count, room / count)
    stops = 0.4 + np.concatenate([[0.0], np.cumsum(widths)])
    return [substring(wall, float(a) + 0.1, float(b) - 0.1) for a, b in pairwise(stops)]


def _furnish(found: list[Frontage], rng: np.random.Generator) -> None:
    """Names, people, agreements: ~78 % valid, ~14 % expired, ~8 % vacant."""
    people = invented_names("shops", 1500)
    trades, weights = zip(*TRADES, strict=True)
    used: set[str] = set()
    for i, frontage in enumerate(found):
        frontage.trade, words = pick(rng, trades, weights)
        frontage.shop_name = _fresh(frontage, words, used, rng)
        frontage.owner_name = people[(i * 7 + 3) % len(people)] if rng.random() < 0.75 else ""
        draw = rng.random()
        if draw < 0.08:
            frontage.state, frontage.shop_name, frontage.trade = "vacant", "", ""
            frontage.owner_name = frontage.owner_name or people[(i * 7 + 3) % len(people)]
            continue
        frontage.state = "renovating" if draw < 0.09 else "closed" if draw < 0.095 else "operating"
        frontage.person_name = people[i % len(people)]
        frontage.phone = shop_phone(i)
        frontage.agreement_until = int(-rng.integers(3, 300)) if rng.random() < 0.152 else int(rng.integers(9, 700))
        frontage.grade = pick(rng, _GRADES, _GRADE_SHARES)
    for soon in range(40, len(found), 61):  # a few run out within the month
        if (found[soon].agreement_until or -1) > 0:
            found[soon].agreement_until = 5 + soon % 24


def _fresh(frontage: Frontage, words: tuple[str, ...], used: set[str], rng: np.random.Generator) -> str:
    """A shop name that occurs once in the street; a second shop of a chain names its street."""
    for _ in range(30):
        name = pick(rng, SHOP_STEMS) + pick(rng, words)
        if name not in used:
            used.add(name)
            return name
    name = f"{name}（{frontage.street.name}店）"
    used.add(name)
    return name
