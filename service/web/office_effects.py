"""What each of the office's settings does, in figures and pictures of the office's own data."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from service.clock import local_date
from service.geo.clusters import Filters
from service.geo.values import BBox
from service.incidents.columns import Columns
from service.people.rules import Viewer
from service.responsibility.lookup import find
from service.responsibility.nearby import Reach
from service.responsibility.snapshot import Snapshot
from service.web.answer import panel
from service.web.context import now, services
from service.web.security import hosts

RULES = ("off", "basic", "names")
_POINTS, _DOORS, _COUNTED, _STEP_M = 3_000, 300, 100, 30.0
_METRE = 1 / 111_320


def distance_effect(
    border_m: float, frontage_m: float, here_m: float, street_m: float, place_m: float
) -> dict[str, Any] | None:
    """Of points all over the office's area: the shares that are told their neighbours, and a street's, a facility's or
    a water's people; of places in front of shops: the share that finds one, and how many open incidents lie "here".
    None while there are no grids."""
    given = services()
    snapshot = given.responsibility.on(local_date(now()))
    if not snapshot.tiling.zones:
        return None
    lon, lat = _anywhere(snapshot)
    near = snapshot.tiling.index.near_boundary(lon, lat, border_m)
    doors = _in_front_of_shops(snapshot)
    found = [snapshot.frontages.nearest(x, y, frontage_m) is not None for x, y in doors]
    columns, at = given.incidents.current(), doors[:_COUNTED]
    filters = columns.filters(states=["late", "way", "chk", "rep"])
    here = [_near(columns, filters, x, y, here_m) for x, y in at]
    reach, some = Reach(street_m, place_m), list(zip(lon.tolist(), lat.tolist(), strict=True))[:_DOORS]
    chiefs = [bool(snapshot.nearby.at(x, y, reach, snapshot.on)) for x, y in some]
    return {
        "chief": round(100 * float(np.mean(chiefs))) if chiefs else 0,
        "near": round(100 * float(np.mean(near))) if len(near) else 0,
        "shop": round(100 * float(np.mean(found))) if found else None,
        "here": round(float(np.mean(here)), 1) if here else None,
    }


def _anywhere(snapshot: Snapshot) -> tuple[np.ndarray, np.ndarray]:
    """Points spread over the grids, the same each time."""
    west, south, east, north = shapely.total_bounds(snapshot.tiling.geoms)
    chance = np.random.default_rng(1)
    lon, lat = chance.uniform(west, east, _POINTS), chance.uniform(south, north, _POINTS)
    inside = snapshot.tiling.index.locate(lon, lat) >= 0
    return lon[inside], lat[inside]


def _in_front_of_shops(snapshot: Snapshot) -> list[tuple[float, float]]:
    """Places within thirty metres of shops, the same each time."""
    chance = np.random.default_rng(2)
    some = snapshot.frontages.coords[:: max(1, len(snapshot.frontages.coords) // _DOORS)][:_DOORS]
    angle, far = chance.uniform(0, 2 * np.pi, len(some)), _STEP_M * np.sqrt(chance.uniform(0, 1, len(some)))
    return [
        (float(one[0][0] + far[i] * np.cos(angle[i]) * _METRE), float(one[0][1] + far[i] * np.sin(angle[i]) * _METRE))
        for i, one in enumerate(some)
    ]


def _near(columns: Columns, filters: Filters, lon: float, lat: float, metres: float) -> int:
    around = columns.index.points(BBox.around(lon, lat, metres), int(now().timestamp()), filters, 500)[0]
    return len(columns.within(around, lon, lat, metres))


def public_previews() -> dict[str, Any]:
    """What somebody who isn't signed in is answered at one place, under each rule."""
    given = services()
    snapshot = given.responsibility.on(local_date(now()))
    at = _sample(snapshot)
    if at is None:
        return {}
    found = find(snapshot, *at, given.distances)
    columns = given.incidents.current()
    with given.database.read() as session:
        return {rule: panel(session, snapshot, found, Viewer(None, rule), columns) for rule in RULES if rule != "off"}


def _sample(snapshot: Snapshot) -> tuple[float, float] | None:
    """A point in the first grid that has a leader, else in the first grid."""
    zones = snapshot.tiling.zones
    led = (i for i, zone in enumerate(zones) if snapshot.leader_of(zone.code, zone.name, zone.kind))
    at = next(led, 0 if zones else None)
    if at is None:
        return None
    point = shapely.point_on_surface(snapshot.tiling.geoms[at])
    return float(point.x), float(point.y)


def basemap_hosts() -> list[str]:
    """Whom the browsers ask for pictures, as things stand."""
    return hosts(services().office.basemaps)
