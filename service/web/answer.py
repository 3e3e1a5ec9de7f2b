"""The answer panel: who is responsible at the point that was clicked, in the order in which a person would ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

import numpy as np
from flask import Blueprint, render_template
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.clock import local_date
from service.duties.rules import role_name
from service.geo.values import BBox
from service.grids.queries import Zone
from service.grids.rules import KINDS, short_code
from service.incidents.columns import Columns
from service.incidents.queries import IncidentRow, rows_by_id
from service.incidents.rules import due_text
from service.people.access import reach
from service.people.queries import PersonRow
from service.people.rules import Viewer
from service.records.masking import mask_words
from service.responsibility.lookup import Found, duties_at, find, keeper, shown_name
from service.responsibility.reach import person_near, shop_inside
from service.responsibility.snapshot import Held, Snapshot
from service.web.api import asked_point
from service.web.context import account, area, asked_day, now, require_look, services
from service.web.grid_layer import area_ha, frontages_in

bp = Blueprint("answer", __name__)
SHOWN = 12
_LATE = "late"


@dataclass(frozen=True)
class Shown:
    """One line of the panel's list."""

    number: str
    state: str
    category_name: str
    address: str | None
    due_text: str
    late: bool


class Call(NamedTuple):
    """Whose number a button asks for: POST /phones/reveal."""

    kind: str
    code: str


@bp.get("/map/answer")
def answer_fragment() -> str:
    """The panel's inside as an HTML fragment."""
    asking = require_look()
    lon, lat = asked_point()
    given = services()
    snapshot = given.responsibility.on(asked_day())
    found = find(snapshot, lon, lat, given.distances)
    with given.database.read() as session:
        body = panel(session, snapshot, found, asking, given.incidents.current())
    return render_template("map/answer.html", answer=body)


def panel(session: Session, snapshot: Snapshot, found: Found, viewer: Viewer, columns: Columns) -> dict[str, Any]:
    """Everything that templates/map/answer.html shows, masked for the viewer."""
    zone = found.zone
    office = services().office
    held = duties_at(snapshot, found)
    leader = next((one for one in held if one.role == "grid_leader"), None)
    body: dict[str, Any] = {
        "point": {"lon": round(found.lon, 6), "lat": round(found.lat, 6)},
        "on": snapshot.on,
        "today": snapshot.on == local_date(now()),
        "public": not viewer.signed_in,
        "hotline": office.hotline,
        "leader": _person(snapshot, leader, viewer) if leader else None,
        "vacant": zone is not None and leader is None,
        "grid": None,
        "community": None,
        "edition": None,
        "people": [_person(snapshot, one, viewer) for one in held if one is not leader and one.metres is None],
        "around": _around(snapshot, [one for one in held if one.metres is not None], viewer),
        "frontage": _shop(snapshot, found, viewer),
        "neighbours": _neighbours(snapshot, found, viewer),
        "near_boundary_m": office.border_m,
        "nearest": None,
        "assign": _assign(snapshot, zone, leader),
        "incidents": [],
        "incidents_total": 0,
        "incidents_here": 0,
        "elsewhere": False,
        "history_total": 0,
    }
    if zone is None:
        if found.nearest:
            near, metres = found.nearest
            body["nearest"] = {
                "code": near.code,
                "short": short_code(near.code)[1],
                "name": near.name,
                "distance_m": metres,
            }
        _incidents(session, body, found, viewer, columns)
        return body
    community = snapshot.communities.get(zone.community_code)
    prefix, short = short_code(zone.code)
    body["edition"] = zone.starts_on
    body["community"] = {"code": zone.community_code, "name": community.name if community else zone.community_code}
    body["grid"] = {
        "code": zone.code,
        "short": short,
        "prefix": prefix,
        "name": zone.name,
        "kind": zone.kind,
        "kind_name": KINDS.get(zone.kind, zone.kind),
        "households": zone.households if viewer.signed_in else None,
        "population": zone.population if viewer.signed_in else None,
        "ha": area_ha(snapshot, found.zone_index),
        "frontages": frontages_in(snapshot, zone.code),
        "notes": mask_words(zone.notes) if viewer.signed_in and zone.notes else None,
        "micro_grid": {"code": found.micro.code, "name": found.micro.name} if found.micro else None,
    }
    _incidents(session, body, found, viewer, columns)
    return body


def _assign(snapshot: Snapshot, zone: Zone | None, leader: Held | None) -> dict[str, str] | None:
    """The panel's one action for those who assign here: somebody where nobody is, somebody else where somebody is."""
    who = account()
    if zone is None or reach(who.role if who else None, "duties.assign") is None:
        return None
    if not area("duties.assign").holds_grid(zone.code, zone.community_code):
        return None
    asked = {"role": "grid_leader", "subject": f"grid:{zone.code}"}
    asked |= {"replace": "1"} if leader else {}
    asked |= {"from": snapshot.on.isoformat()} if snapshot.on > local_date(now()) else {}
    return {"url": f"/duties/assign?{urlencode(asked, safe=':')}", "word": _("换网格长") if leader else _("指派网格长")}


def _person(snapshot: Snapshot, held: Held, viewer: Viewer) -> dict[str, Any]:
    leader = held.role == "grid_leader"
    name = shown_name(held.person, viewer, leader)
    return {
        "role": held.role,
        "role_name": role_name(held.role),
        "name": name,
        "initial": name[:1],
        "phone": viewer.phone(held.person.phone),
        "call": _call(snapshot, held.person, viewer),
        "acting_for": shown_name(held.acting_for, viewer, leader) if held.acting_for else None,
        "subject_name": held.subject_name,
        "subject_kind": held.subject_kind,
        "until": held.ends_on,
    }


def _around(snapshot: Snapshot, held: list[Held], viewer: Viewer) -> list[dict[str, Any]]:
    """Streets, buildings, facilities and reaches here with their people, each thing once."""
    out: dict[tuple[str, str], dict[str, Any]] = {}
    for one in held:
        place = one.subject_kind if one.subject_kind != "organisation" else "place"
        told = out.setdefault(
            (place, one.subject_name), {"name": one.subject_name, "distance_m": one.metres, "people": []}
        )
        told["people"].append(_person(snapshot, one, viewer))
    return list(out.values())


def _call(snapshot: Snapshot, person: PersonRow, viewer: Viewer) -> Call | None:
    """The button behind which the number is asked for; None without a number, or without the right to it."""
    if not person.phone or not viewer.may_reveal(person_near(snapshot, person.code, viewer.area)):
        return None
    return Call("people", person.code)


def _shop(snapshot: Snapshot, found: Found, viewer: Viewer) -> dict[str, Any] | None:
    shop = found.frontage
    if shop is None:
        return None
    own = keeper(snapshot, shop, viewer)
    callable_ = shop.phone and shop.state != "vacant"
    revealed = callable_ and viewer.may_reveal(shop_inside(snapshot, shop.code, viewer.area))
    return {
        "code": shop.code,
        "shop_name": shop.shop_name,
        "trade": shop.trade,
        "address": shop.address if viewer.signed_in else None,
        "state": shop.state,
        "standing": shop.standing(snapshot.on) if viewer.signed_in else None,
        "role_name": own["role_name"] if own else None,
        "person_name": own["person"]["name"] if own else None,
        "phone": own["person"]["phone"] if own else None,
        "call": Call("frontages", shop.code) if revealed else None,
        "agreement_until": shop.agreement_until if viewer.signed_in else None,
        "grade": shop.grade,
        "distance_m": found.frontage_m,
        "within_m": services().office.frontage_m,
    }


def _neighbours(snapshot: Snapshot, found: Found, viewer: Viewer) -> list[dict[str, Any]]:
    out = []
    for zone, metres in found.neighbours:
        leader = snapshot.leader_of(zone.code, zone.name, zone.kind)
        community = snapshot.communities.get(zone.community_code)
        out.append(
            {
                "code": zone.code,
                "short": short_code(zone.code)[1],
                "name": zone.name,
                "community_name": community.name if community else zone.community_code,
                "leader_name": shown_name(leader.person, viewer, True) if leader else None,
                "call": _call(snapshot, leader.person, viewer) if leader else None,
                "distance_m": metres,
            }
        )
    return out


def _incidents(session: Session, body: dict[str, Any], found: Found, viewer: Viewer, columns: Columns) -> None:
    """Open ones within the stated distance first, then the grid's, worst first; only those in the viewer's area.
    Outside it, as for the public, counts only."""
    zone = found.zone
    moment = now()
    mine, ever = columns.in_grid(zone.code) if zone is not None else (np.empty(0, np.int64), 0)
    body["incidents_total"], body["history_total"] = len(mine), ever
    inside = zone is None or viewer.may_see_incidents(viewer.area.holds_grid(zone.code, zone.community_code))
    if not viewer.signed_in:
        return
    if not inside:
        body["elsewhere"], mine = True, mine[:0]
    metres = services().office.here_m
    filters = columns.filters(states=["late", "way", "chk", "rep"], area=viewer.incidents_within)
    around = columns.index.points(BBox.around(found.lon, found.lat, metres), int(moment.timestamp()), filters, 200)[0]
    near = set(columns.within(around, found.lon, found.lat, metres))
    body["incidents_here"] = len(near)
    order = [key for key in mine.tolist() if key in near] + [key for key in near if key not in set(mine.tolist())]
    order += [key for key in mine.tolist() if key not in near]
    if found.zone is None:
        body["incidents_total"] = len(near)
    body["incidents"] = [_line(row) for row in rows_by_id(session, order[:SHOWN])]


def _line(row: IncidentRow) -> Shown:
    text, late = due_text(row.group, row.due_at, now())
    state = _LATE if late else ("rep", "way", "chk", "done")[row.group]
    return Shown(row.number, state, row.title, row.address, text, late)
