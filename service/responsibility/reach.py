"""Whether a person, a shop or an organisation answers within an account's area on the day of a snapshot."""

from __future__ import annotations

from typing import cast

import shapely

from service.people.access import Area
from service.responsibility.snapshot import Snapshot

_TOUCH = 1e-6  # degrees, about 10 cm: imported borders don't always meet


def shop_inside(snapshot: Snapshot, code: str, area: Area) -> bool:
    """By the grid in which it stands, or by a duty that names it."""
    if area.everywhere or area.holds_subject("frontage", code):
        return True
    if not area.grids and not area.communities:
        return False
    zone = snapshot.zone_of_shop(code)
    return zone is not None and area.holds_grid(zone.code, zone.community_code)


def person_inside(snapshot: Snapshot, code: str, area: Area) -> bool:
    """Themselves, somebody of the own organisation, or somebody with a duty in the area or over it."""
    if area.everywhere or code == area.person:
        return True
    person = snapshot.persons.get(code)
    if person is not None and area.organisation is not None and person.organisation_code == area.organisation:
        return True
    return code in answering(snapshot, area)


def person_near(snapshot: Snapshot, code: str, area: Area) -> bool:
    """The same, or somebody who leads a grid that touches one in the area: a neighbour is called over the border."""
    return person_inside(snapshot, code, area) or code in neighbour_leaders(snapshot, area)


def neighbour_zones(snapshot: Snapshot, area: Area) -> list[int]:
    """Indexes of the day's grids that touch a grid of the area and don't lie in it. Kept with the snapshot."""
    key = ("beside", area)
    known = snapshot.memo.get(key)
    if known is None:
        zones, geoms = snapshot.tiling.zones, snapshot.tiling.geoms
        mine = [i for i, zone in enumerate(zones) if area.holds_grid(zone.code, zone.community_code)]
        found: list[int] = []
        if mine and not area.everywhere:
            own = shapely.buffer(geoms[mine], _TOUCH)
            _, hits = shapely.STRtree(geoms).query(own, predicate="intersects")
            found = sorted(set(hits.tolist()) - set(mine))
        known = snapshot.memo[key] = found
    return cast(list[int], known)


def neighbour_leaders(snapshot: Snapshot, area: Area) -> frozenset[str]:
    """Who leads the grids beside the area on the day."""
    zones = [snapshot.tiling.zones[i] for i in neighbour_zones(snapshot, area)]
    held = [snapshot.leader_of(zone.code, zone.name, zone.kind) for zone in zones]
    return frozenset(one.person.code for one in held if one is not None)


def organisation_inside(_snapshot: Snapshot, code: str, area: Area) -> bool:
    """Organisations stand in no grid: a unit's handler has the own one, whoever has an area on the map has all."""
    if area.everywhere or area.organisation is not None:
        return area.everywhere or code == area.organisation
    return bool(area.grids or area.communities)


def answering(snapshot: Snapshot, area: Area) -> frozenset[str]:
    """Codes of the persons whom the panel names at a point of the area. Kept with the snapshot."""
    key = ("answering", area)
    known = snapshot.memo.get(key)
    if known is None:
        known = snapshot.memo[key] = frozenset(
            code
            for subject, duties in snapshot.duties.items()
            if _concerns(snapshot, subject, area)
            for duty in duties
            for code in duty.holder_on(snapshot.on)
            if code is not None
        )
    return cast(frozenset[str], known)


def _concerns(snapshot: Snapshot, subject: tuple[str, str], area: Area) -> bool:
    """Whether a duty for the subject is one in the area, or one over all of it: its community's, the subdistrict's."""
    kind, code = subject
    if subject in area.subjects:
        return True
    if kind == "frontage":
        return shop_inside(snapshot, code, area)
    if kind in ("grid", "micro_grid", "community"):
        return code in _codes(snapshot, area)
    if kind in ("street", "building", "place"):
        return _reaches_in(snapshot, kind, code, area)
    if kind == "organisation":  # the panel names a unit's people at the place that is called like it
        called = (name for name, unit in snapshot.units.items() if unit == code)
        places = (place for name in called for place in snapshot.nearby.places_called(name))
        return any(_reaches_in(snapshot, place.kind, place.code, area) for place in places)
    return kind == "subdistrict" and bool(area.grids or area.communities)


def _reaches_in(snapshot: Snapshot, kind: str, code: str, area: Area) -> bool:
    """Whether a street, building or place lies in the area, if only a piece of it."""
    zones = snapshot.tiling.zones
    return any(area.holds_grid(zones[i].code, zones[i].community_code) for i in snapshot.zones_of(kind, code))


def _codes(snapshot: Snapshot, area: Area) -> frozenset[str]:
    """Grids and micro-grids of the area, and the communities of these."""
    key = ("codes", area)
    known = snapshot.memo.get(key)
    if known is None:
        tiling = snapshot.tiling
        mine = {zone for zone in tiling.zones if area.holds_grid(zone.code, zone.community_code)}
        mine |= {zone for zone in tiling.micro_zones if area.holds_grid(zone.parent_code, zone.community_code)}
        homes = {zone.community_code for zone in mine} | area.communities
        known = snapshot.memo[key] = frozenset({zone.code for zone in mine} | homes)
    return cast(frozenset[str], known)
