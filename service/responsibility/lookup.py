"""Who is responsible at a point on a day: the facts, and the answer as a viewer may read it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from service.duties.rules import role_name
from service.frontages.queries import FrontageRow
from service.grids.queries import Zone
from service.people.queries import PersonRow
from service.people.rules import Viewer
from service.places.queries import BUILDING, PLACE, STREET
from service.responsibility.nearby import Near, Reach
from service.responsibility.reach import shop_inside
from service.responsibility.snapshot import Held, Snapshot


@dataclass(frozen=True)
class Distances:
    """Metres, told in each answer."""

    border: float = 10.0
    frontage: float = 15.0
    street: float = 15.0
    place: float = 20.0


@dataclass(frozen=True)
class Found:
    """The facts at a point, before anybody looks at them."""

    lon: float
    lat: float
    zone: Zone | None
    zone_index: int
    micro: Zone | None
    frontage: FrontageRow | None
    frontage_m: float | None
    neighbours: list[tuple[Zone, float]]
    nearest: tuple[Zone, float] | None
    nearby: list[Near]


def find(snapshot: Snapshot, lon: float, lat: float, distances: Distances) -> Found:
    """Grid, micro-grid, frontage and neighbours at a WGS-84 point."""
    tiling = snapshot.tiling
    at = tiling.index.locate_one(lon, lat)
    zone = tiling.zones[at] if at >= 0 else None
    micro = None
    if zone is not None and tiling.micro_zones:
        inner = tiling.micro_index.locate_one(lon, lat)
        micro = tiling.micro_zones[inner] if inner >= 0 else None
    shop = snapshot.frontages.nearest(lon, lat, distances.frontage)
    beside = tiling.index.neighbours(lon, lat, distances.border)
    nearest = None
    if zone is None and tiling.zones:
        index, metres = tiling.index.nearest(lon, lat)
        nearest = (tiling.zones[index], metres)
    return Found(
        lon,
        lat,
        zone,
        at,
        micro,
        shop[0] if shop else None,
        shop[1] if shop else None,
        [(tiling.zones[i], metres) for i, metres in beside],
        nearest,
        snapshot.nearby.at(lon, lat, Reach(distances.street, distances.place), snapshot.on),
    )


def duties_at(snapshot: Snapshot, found: Found) -> list[Held]:
    """From the nearest subject upward: frontage, building, facility, micro-grid, grid, street, reach, community,
    subdistrict. (Who signed the frontage's agreement comes before: `keeper`.)"""
    inner: list[Held] = []
    outer: list[Held] = []
    for near in found.nearby:
        (outer if _is_wide(near) else inner).extend(_held_near(snapshot, near))
    shop = found.frontage
    own = snapshot.held("frontage", shop.code, shop.shop_name) if shop else []
    below, above = _of_zone(snapshot, found.zone, found.micro)
    return [*own, *inner, *below, *outer, *above]


def duties_of_zone(snapshot: Snapshot, zone: Zone | None, micro: Zone | None) -> list[Held]:
    """Those of a grid as a whole, from the micro-grid upward: micro-grid, grid, community, subdistrict."""
    below, above = _of_zone(snapshot, zone, micro)
    return [*below, *above]


def _is_wide(near: Near) -> bool:
    """Streets and reaches run through grids; houses and facilities stand in one."""
    return near.subject.kind == STREET or near.subject.is_reach


def _held_near(snapshot: Snapshot, near: Near) -> list[Held]:
    """The duties over a subject at the point; a place that is called like a unit answers with the unit's too."""
    subject = near.subject
    held = snapshot.held(subject.kind, subject.code, subject.name)
    unit = snapshot.units.get(subject.name) if subject.kind == PLACE else None
    if unit is not None:
        held = held + snapshot.held("organisation", unit, subject.name)
    return [replace(one, metres=near.metres) for one in held]


def _of_zone(snapshot: Snapshot, zone: Zone | None, micro: Zone | None) -> tuple[list[Held], list[Held]]:
    """(the micro-grid's and the grid's, the community's and the subdistrict's)."""
    key = (zone.code if zone else None, micro.code if micro else None)
    known = snapshot.memo.get(key)
    if known is not None:
        return known  # type: ignore[return-value]
    below: list[Held] = []
    above: list[Held] = []
    if micro is not None:
        below += snapshot.held("micro_grid", micro.code, micro.name)
    if zone is not None:
        below += snapshot.held("grid", zone.code, zone.name)
        community = snapshot.communities.get(zone.community_code)
        above += snapshot.held("community", zone.community_code, community.name if community else zone.community_code)
        above += snapshot.held("subdistrict", snapshot.office_code, snapshot.office_name)
    snapshot.memo[key] = below, above
    return below, above


def answer(snapshot: Snapshot, lon: float, lat: float, viewer: Viewer, distances: Distances) -> dict[str, Any]:
    """The lookup object of CONTRACT, masked for the viewer."""
    found = find(snapshot, lon, lat, distances)
    return present(snapshot, found, viewer, distances)


def present(snapshot: Snapshot, found: Found, viewer: Viewer, distances: Distances) -> dict[str, Any]:
    """The facts as the viewer may read them."""
    zone = found.zone
    out: dict[str, Any] = {
        "point": {"lon": round(found.lon, 7), "lat": round(found.lat, 7)},
        "on": snapshot.on.isoformat(),
        "edition": None,
        "grid": None,
        "community": None,
    }
    if zone is not None:
        community = snapshot.communities.get(zone.community_code)
        out["edition"] = zone.starts_on.isoformat() if zone.starts_on else None
        out["grid"] = {
            "code": zone.code,
            "name": zone.name,
            "kind": zone.kind,
            "micro_grid": {"code": found.micro.code, "name": found.micro.name} if found.micro else None,
        }
        out["community"] = {
            "code": zone.community_code,
            "name": community.name if community else zone.community_code,
        }
    elif found.nearest is not None:
        near, metres = found.nearest
        out["nearest"] = {"code": near.code, "name": near.name, "distance_m": round(metres, 1)}
    out["duties"] = _duties(snapshot, found, viewer, distances)
    out["frontage"] = _frontage(snapshot, found, distances)
    out["near_boundary"] = bool(found.neighbours)
    out["near_boundary_m"] = distances.border
    out["neighbours"] = [
        {"code": near.code, "name": near.name, "distance_m": round(metres, 1)} for near, metres in found.neighbours
    ]
    return out


def _duties(snapshot: Snapshot, found: Found, viewer: Viewer, distances: Distances) -> list[dict[str, Any]]:
    """The order of `duties_at`; what is the same at every point of a grid, or of a subject, is kept as it is shown."""
    below, above = _shown_of_zone(snapshot, found, viewer)
    shop = found.frontage
    if shop is None and not found.nearby:
        return below + above
    own = keeper(snapshot, shop, viewer) if shop else None
    first = [own] if own else []
    if shop:
        first += [duty_object(held, viewer) for held in snapshot.held("frontage", shop.code, shop.shop_name)]
    inner: list[dict[str, Any]] = []
    outer: list[dict[str, Any]] = []
    for near in found.nearby:
        (outer if _is_wide(near) else inner).extend(_shown_near(snapshot, near, viewer, distances))
    return [*first, *inner, *below, *outer, *above]


def _shown_of_zone(
    snapshot: Snapshot, found: Found, viewer: Viewer
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    key = ("duties", found.zone_index, found.micro.code if found.micro else None, viewer.sight)
    known = snapshot.memo.get(key)
    if known is None:
        parts = _of_zone(snapshot, found.zone, found.micro)
        known = snapshot.memo[key] = tuple([duty_object(held, viewer) for held in part] for part in parts)
    return cast(tuple[list[dict[str, Any]], list[dict[str, Any]]], known)


def _shown_near(snapshot: Snapshot, near: Near, viewer: Viewer, distances: Distances) -> list[dict[str, Any]]:
    """The duties over a subject near by, with how far off it is and within which distance it counts as here."""
    subject = near.subject
    key = ("near", subject.kind, subject.code, viewer.sight)
    known = cast(list[dict[str, Any]] | None, snapshot.memo.get(key))
    if known is None:
        known = snapshot.memo[key] = [duty_object(held, viewer) for held in _held_near(snapshot, near)]
    far: dict[str, Any] = {"distance_m": round(near.metres, 1)}
    if subject.kind != BUILDING:
        far["within_m"] = distances.street if subject.kind == STREET else distances.place
    return [one | {"subject": one["subject"] | far} for one in known]


def duty_object(held: Held, viewer: Viewer) -> dict[str, Any]:
    """One duty of the answer, names and phones by the viewer's right."""
    leader = held.role == "grid_leader"
    subject = {"kind": held.subject_kind, "code": held.subject_code, "name": held.subject_name}
    return {
        "role": held.role,
        "role_name": role_name(held.role),
        "person": {"name": shown_name(held.person, viewer, leader), "phone": viewer.phone(held.person.phone)},
        "acting_for": shown_name(held.acting_for, viewer, leader) if held.acting_for else None,
        "subject": subject,
        "from": held.starts_on.isoformat() if held.starts_on else None,
        "until": held.ends_on.isoformat() if held.ends_on else None,
    }


def shown_name(person: PersonRow, viewer: Viewer, leader: bool = False) -> str:
    """A colleague's name as the viewer may read it. `leader`: as 网格长."""
    return viewer.name(person.name, leader, person.organisation_code) or ""


def keeper(snapshot: Snapshot, shop: FrontageRow, viewer: Viewer) -> dict[str, Any] | None:
    """The frontage's own person: the 店长, or the owner of a vacant shop; None when nobody is on record."""
    vacant = shop.state == "vacant"
    name = shop.owner_name if vacant else (shop.person_name or shop.owner_name)
    if not name:
        return None
    inside = viewer.signed_in and shop_inside(snapshot, shop.code, viewer.area)
    return {
        "role": "owner" if vacant else "shop_keeper",
        "role_name": "业主" if vacant else "店长",
        "person": {"name": viewer.citizen(name, inside), "phone": None if vacant else viewer.phone(shop.phone)},
        "acting_for": None,
        "subject": {"kind": "frontage", "code": shop.code, "name": shop.shop_name},
        "from": None,
        "until": None,
    }


def _frontage(snapshot: Snapshot, found: Found, distances: Distances) -> dict[str, Any] | None:
    shop = found.frontage
    if shop is None:
        return None
    return {
        "code": shop.code,
        "shop_name": shop.shop_name,
        "distance_m": round(found.frontage_m or 0.0, 1),
        "within_m": distances.frontage,
        "grade": shop.grade,
    }


def locate_many(
    snapshot: Snapshot, lon: np.ndarray, lat: np.ndarray, distances: Distances
) -> tuple[list[str | None], list[str | None], list[bool]]:
    """(grid codes, community codes, near a border) per point, in order; NaN gives None."""
    tiling = snapshot.tiling
    at = tiling.index.locate(lon, lat)
    codes = np.array([*(zone.code for zone in tiling.zones), None], dtype=object)
    homes = np.array([*(zone.community_code for zone in tiling.zones), None], dtype=object)
    near = tiling.index.near_boundary(lon, lat, distances.border)
    return codes[at].tolist(), homes[at].tolist(), near.tolist()
