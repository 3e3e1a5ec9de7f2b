"""Where incidents happen: points along streets, shops, yards, the bank and the facilities, with weights."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from .buildings import Building
from .chance import stream
from .frontages import Frontage
from .places import Place
from .skeleton import row_line
from .streets import QUAY, Street
from .terrain import bent, river_y

_STREET_WEIGHT = {0: 0.75, 1: 0.5, 2: 0.28, 3: 0.2}
_PLACE_SITES = {
    "market": ("market", 9.0),
    "refuse_station": ("station", 5.0),
    "transfer_station": ("station", 5.0),
    "toilet": ("station", 1.2),
    "school": ("school", 5.0),
    "hospital": ("school", 3.0),
    "park": ("park", 4.0),
    "other": ("school", 3.0),
}


@dataclass(frozen=True)
class Site:
    """A place where something is reported now and then; `kind` is a key of `categories.MIXES`."""

    x: float
    y: float
    kind: str
    weight: float
    address: str


def make_sites(
    area: BaseGeometry, streets: list[Street], frontages: list[Frontage], buildings: list[Building], places: list[Place]
) -> list[Site]:
    """All sites inside the area; weights are relative, uneven as real places are."""
    rng = stream("sites")
    found = [*_shops(frontages), *_along_streets(area, streets), *_yards(buildings), *_bank()]
    for place in places:
        if place.kind in _PLACE_SITES:
            kind, weight = _PLACE_SITES[place.kind]
            spots = _around(place.geometry)
            found += [Site(x, y, kind, weight / len(spots), place.name) for x, y in spots]
    uneven = rng.lognormal(0, 0.4, len(found))
    return [
        Site(s.x, s.y, s.kind, s.weight * float(w), s.address)
        for s, w in zip(found, uneven, strict=True)
        if area.contains(Point(s.x, s.y))
    ]


def _shops(frontages: list[Frontage]) -> list[Site]:
    sites = []
    for frontage in frontages:
        middle = frontage.line.interpolate(0.5, normalized=True)
        road = frontage.street.line.interpolate(frontage.street.line.project(middle))
        share = min(1.0, 3.0 / max(middle.distance(road), 0.1))
        x, y = middle.x + (road.x - middle.x) * share, middle.y + (road.y - middle.y) * share
        words = (
            f"{frontage.address}门前" if not frontage.shop_name else f"{frontage.address}（{frontage.shop_name}）门前"
        )
        sites.append(Site(x, y, "shop", 0.8, words))
    return sites


def _along_streets(area: BaseGeometry, streets: list[Street]) -> list[Site]:
    sites = []
    lines = [street.line for street in streets]
    for street in streets:
        if street.name == "龙水大桥":
            continue
        for s in np.arange(12.0, street.line.length, 25.0):
            spot = street.line.interpolate(float(s))
            if not area.contains(spot):
                continue
            village = spot.y < bent(spot.x, river_y(spot.x))[1]
            other = min(
                (i for i in range(len(lines)) if streets[i] is not street), key=lambda i: lines[i].distance(spot)
            )
            near = lines[other].distance(spot)
            words = (
                f"{street.name}与{streets[other].name}路口" if near < 20 else f"{street.name}近{streets[other].name}"
            )
            weight = _STREET_WEIGHT[street.level] * (0.45 if village else 1.0)
            sites.append(Site(spot.x, spot.y, "village" if village and street.level > 1 else "street", weight, words))
    return sites


def _around(geometry: BaseGeometry) -> list[tuple[float, float]]:
    """Where people stand: beside a building, in a park, at a station."""
    if geometry.geom_type == "Point":
        return [(geometry.x, geometry.y)]
    edge = geometry.buffer(3.5).exterior if geometry.area < 9000 else geometry.buffer(-4).exterior
    count = max(4, round(edge.length / 30))
    spots = [edge.interpolate((i + 0.5) / count, normalized=True) for i in range(count)]
    return [(spot.x, spot.y) for spot in spots]


def _yards(buildings: list[Building]) -> list[Site]:
    sites = []
    for building in buildings:
        (ax, ay), (bx, by) = building.polygon.exterior.coords[:2]
        length = math.dist((ax, ay), (bx, by))
        # The outlines run counter-clockwise: the outside is on the right of the first wall.
        x, y = (ax + bx) / 2 + (by - ay) / length * 3.5, (ay + by) / 2 - (bx - ax) / length * 3.5
        village = y < bent(x, river_y(x))[1]
        if village:
            sites.append(Site(x, y, "village", 0.28, f"{building.address}农户房前"))
        elif building.street is None and not building.name:
            sites.append(Site(x, y, "yard", 0.16 + 0.012 * building.storeys, f"{building.address}内"))
    return sites


def _bank() -> list[Site]:
    quay = row_line(QUAY)
    return [
        Site(spot.x, spot.y - 34, "river", 0.55, "滨江路下河岸")
        for spot in (quay.interpolate(float(s)) for s in np.arange(20.0, quay.length, 40.0))
    ]
