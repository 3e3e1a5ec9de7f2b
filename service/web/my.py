"""What is due for me: an officer's grids, duties, matters and neighbours; a manager's communities and their gaps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

import numpy as np
import shapely
from flask import Blueprint, render_template, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.clock import local_date, spoken
from service.duties.queries import DutyRow
from service.duties.rules import SUBJECT_KINDS, last_day, role_name
from service.grids.queries import Zone
from service.grids.rules import short_code
from service.incidents.columns import Columns
from service.incidents.queries import IncidentRow, rows_by_id
from service.incidents.rules import due_text
from service.maps.mini import MiniMap, Zones, mini_map
from service.people.access import EVERYWHERE, Area, reach
from service.people.rules import Viewer
from service.registers.duty_words import subject_names
from service.registers.kinds import REGISTERS
from service.registers.location import zone_facts
from service.responsibility.lookup import shown_name
from service.responsibility.reach import neighbour_zones, person_near
from service.responsibility.snapshot import Snapshot
from service.web.context import SignedIn, now, own_area, require_account, services, viewer
from service.web.duties.asked import may_assign
from service.web.duties.verdicts import page_of
from service.web.register_view import here
from service.web.registers.links import row_url

bp = Blueprint("my", __name__)
SOON = timedelta(days=30)
MOST_INCIDENTS, MOST_NEIGHBOURS = 30, 40
_HIGH = 300
_AREAS = ("admin", "supervisor", "manager", "viewer")


@bp.get("/my")
def index() -> str:
    """The signed-in home."""
    who = require_account()
    given, asker = services(), viewer()
    today = local_date(now())
    snapshot = given.responsibility.on(today)
    columns = given.incidents.current()
    page: dict[str, Any] = {
        "name": who.display_name,
        "initial": who.display_name[:1],
        "at": spoken(now()),
        "person": None,
        "communities": [],
        "answered_url": "/duties/answered",
    }
    with given.database.read() as session:
        if who.person_code and who.person_code in snapshot.persons:
            page["person"] = _person(session, who, snapshot, asker, columns)
        if who.role in _AREAS:
            page |= _communities(session, who, snapshot, columns)
    return render_template("my/index.html", page=page)


def _person(session: Session, who: SignedIn, snapshot: Snapshot, asker: Viewer, columns: Columns) -> dict[str, Any]:
    """What a person answers for today."""
    code = str(who.person_code)
    mine = [
        (duty, duty.holder_on(snapshot.on))
        for held in snapshot.duties.values()
        for duty in held
        if code in duty.holder_on(snapshot.on)
    ]
    subjects = {(duty.subject_kind, duty.subject_code) for duty, _ in mine}
    names = subject_names(session, zone_facts(snapshot), subjects)
    zones = [zone for zone in snapshot.tiling.zones if ("grid", zone.code) in subjects]
    zones += [zone for zone in snapshot.tiling.micro_zones if ("micro_grid", zone.code) in subjects]
    duties = [_duty(snapshot, duty, held, code, names, asker) for duty, held in mine]
    opened = _incidents(session, columns, _area_of(zones), asker)
    neighbours = _neighbours(snapshot, _area_of(zones), asker)
    soon = [one for one in duties if one["soon"]]
    person = snapshot.persons[code]
    return {
        "name": person.name,
        "initial": person.name[:1],
        "sub": _sub(duties),
        "url": row_url("people", code),
        "grids": [_grid(snapshot, zone, columns, asker) for zone in zones],
        "map": _map(snapshot, zones),
        "duties": sorted(duties, key=lambda one: (one["away"], one["role"], one["code"])),
        "soon": soon,
        "neighbours": neighbours,
        **opened,
    }


def _sub(duties: Sequence[dict[str, Any]]) -> str:
    """What somebody is, in one line: 聚鹤社区第一网格 网格长."""
    told = [f"{one['name']} {one['role']}{_('（代）') if one['acting'] else ''}" for one in duties if not one["away"]]
    return "、".join(told[:2]) + (f" {_('等')} {len(told)} {_('项')}" if len(told) > 2 else "")


def _area_of(zones: Sequence[Zone]) -> Area:
    return Area(grids=frozenset(zone.parent_code or zone.code for zone in zones))


def _duty(
    snapshot: Snapshot,
    duty: DutyRow,
    held: tuple[str, str | None],
    code: str,
    names: dict[tuple[str, str], str],
    asker: Viewer,
) -> dict[str, Any]:
    """`acting`: for whom I stand in; `away`: who stands in for me."""
    holder, absent = held
    subject = (duty.subject_kind, duty.subject_code)
    acting = absent is not None and holder == code
    ends = duty.ends_on
    if absent is not None and duty.acting_until is not None:
        ends = min(duty.acting_until, ends or date.max)
    other = snapshot.persons.get((absent if acting else holder) or "") if absent else None
    return {
        "code": duty.code,
        "role": role_name(duty.role),
        "kind": SUBJECT_KINDS.get(duty.subject_kind, ""),
        "name": names.get(subject, duty.subject_code if subject[0] != "subdistrict" else snapshot.office_name),
        "url": page_of(*subject),
        "acting": shown_name(other, asker, duty.role == "grid_leader") if other and acting else None,
        "away": shown_name(other, asker, duty.role == "grid_leader") if other and not acting else None,
        "from": duty.starts_on.isoformat() if duty.starts_on else None,
        "until": _iso(last_day(ends)),
        "soon": ends is not None and ends <= snapshot.on + SOON,
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _grid(snapshot: Snapshot, zone: Zone, columns: Columns, asker: Viewer) -> dict[str, Any]:
    home = snapshot.communities.get(zone.community_code)
    opened = len(columns.in_grid(zone.parent_code or zone.code)[0])
    return {
        "short": short_code(zone.code)[1],
        "name": zone.name,
        "community": home.name if home else zone.community_code,
        "households": zone.households,
        "open": opened if asker.may_see_incidents(asker.area.holds_grid(zone.code, zone.community_code)) else None,
        "url": row_url("grids", zone.code),
    }


def _map(snapshot: Snapshot, zones: Sequence[Zone]) -> MiniMap | None:
    tiling = snapshot.tiling
    at = [tiling.by_code[code] for zone in zones if (code := zone.parent_code or zone.code) in tiling.by_code]
    if not at:
        return None
    shapes = Zones(list(tiling.geoms), [short_code(zone.code)[1] for zone in tiling.zones], own=tuple(set(at)))
    whole = shapely.union_all(tiling.geoms[sorted(set(at))])
    return mini_map(whole, services().ground.data(), shapes, _HIGH, True)


def _incidents(session: Session, columns: Columns, area: Area, asker: Viewer) -> dict[str, Any]:
    """Open ones of own grids, worst first."""
    inside = columns.inside(area)
    if not asker.may_see_incidents(bool(area.grids)):
        inside = np.zeros_like(inside)
    rows = columns.rows
    alive = np.flatnonzero(inside & (rows.group < 3))
    order = alive[np.argsort(rows.due[alive], kind="stable")]
    found = rows_by_id(session, rows.ids[order[:MOST_INCIDENTS]].tolist())
    return {"counts": columns.counts(now(), area), "incidents": [_line(row) for row in found]}


def _line(row: IncidentRow) -> dict[str, Any]:
    text, late = due_text(row.group, row.due_at, now())
    return {
        "number": row.number,
        "url": row_url("incidents", row.number),
        "state": "late" if late else ("rep", "way", "chk", "done")[row.group],
        "title": row.title,
        "address": row.address,
        "due": text,
        "late": late,
    }


def _neighbours(snapshot: Snapshot, area: Area, asker: Viewer) -> list[dict[str, Any]]:
    """Who leads the grids beside mine, one line a person."""
    by_person: dict[str, dict[str, Any]] = {}
    vacant = []
    for i in neighbour_zones(snapshot, area):
        zone = snapshot.tiling.zones[i]
        home = snapshot.communities.get(zone.community_code)
        where = f"{home.name.removesuffix('社区') if home else zone.community_code} {short_code(zone.code)[1]}"
        leader = snapshot.leader_of(zone.code, zone.name, zone.kind)
        if leader is None:
            vacant.append({"name": None, "where": [where], "phone": None, "code": None, "reveal": False})
            continue
        person = leader.person
        line = by_person.setdefault(
            person.code,
            {
                "name": shown_name(person, asker, True),
                "where": [],
                "phone": asker.phone(person.phone),
                "code": person.code,
                "reveal": bool(person.phone) and asker.may_reveal(person_near(snapshot, person.code, asker.area)),
            },
        )
        line["where"].append(where)
    return [*by_person.values(), *vacant][:MOST_NEIGHBOURS]


def _communities(session: Session, who: SignedIn, snapshot: Snapshot, columns: Columns) -> dict[str, Any]:
    """Each community of the asker's area: grids, those without a leader now or soon, what ends, what is open."""
    area = EVERYWHERE if who.role != "manager" else own_area()
    later = services().responsibility.on(snapshot.on + SOON)
    held_later = {zone.code for zone in later.tiling.zones if later.leader_of(zone.code, zone.name, zone.kind)}
    spots = here(session, REGISTERS["duties"]).spots
    by_home: dict[str, list[DutyRow]] = defaultdict(list)
    for duty in (one for held in snapshot.duties.values() for one in held):
        for home in {home for _grid, home in spots.get(duty.code, ()) if home}:
            by_home[home].append(duty)
    codes = sorted({*snapshot.communities, *(zone.community_code for zone in snapshot.tiling.zones)})
    lines = [
        _community(snapshot, code, held_later, by_home[code], columns) for code in codes if area.holds_community(code)
    ]
    return {
        "communities": lines,
        "total": {name: sum(line[name] for line in lines) for name in ("grids", "vacant", "soon", "ending", "acting")},
        "may_assign": may_assign(),
        "import_url": url_for("imports.index") if reach(who.role, "files.import") else None,
    }


def _community(
    snapshot: Snapshot, code: str, held_later: set[str], duties: Sequence[DutyRow], columns: Columns
) -> dict[str, Any]:
    """Every number leads to the list that it counts."""
    row = snapshot.communities.get(code)
    zones = [zone for zone in snapshot.tiling.zones if zone.community_code == code]
    led = {zone.code: snapshot.leader_of(zone.code, zone.name, zone.kind) for zone in zones}
    vacant = [zone.code for zone in zones if led[zone.code] is None]
    soon = [zone.code for zone in zones if led[zone.code] is not None and zone.code not in held_later]
    until = snapshot.on + SOON
    span = f"{snapshot.on + timedelta(days=1)}..{until}"
    counts = columns.counts(now(), Area(communities=frozenset({code})))
    here_only = {"community": code}
    return {
        "code": code,
        "name": row.name if row else code,
        "url": row_url("communities", code),
        "grids": len(zones),
        "grids_url": _list_url("grids", here_only),
        "vacant": len(vacant),
        "vacant_url": _assign_url(vacant) if may_assign() else _list_url("grids", here_only | {"missing": "leader"}),
        "soon": len(soon),
        "soon_url": _assign_url(soon) if may_assign() else _list_url("grids", here_only),
        "ending": sum(duty.ends_on is not None and duty.ends_on <= until for duty in duties),
        "ending_url": _list_url("duties", here_only | {"ends_on": span, "state": ["held", "acting"]}),
        "acting": sum(duty.holder_on(snapshot.on)[1] is not None for duty in duties),
        "acting_url": _list_url("duties", here_only | {"state": "acting"}),
        "open": counts["open"],
        "late": counts["late"],
        "open_url": _list_url("incidents", here_only),
    }


def _list_url(name: str, filters: Mapping[str, Any]) -> str:
    return f"/{name}?{urlencode(filters, doseq=True, safe='.')}"


def _assign_url(grids: Sequence[str]) -> str:
    subjects = ",".join(f"grid:{code}" for code in grids)
    return f"/duties/assign?{urlencode({'role': 'grid_leader', 'subjects': subjects}, safe=':,')}"
