"""Who answered somewhere on a day, with the entries that made it so: for appeals against a score; to be printed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import render_template, request
from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from service.clock import local_date, spoken
from service.duties.queries import Subject
from service.duties.rules import SUBJECT_KINDS, last_day, role_name
from service.errors import InvalidValue, NotFound
from service.grids.models import Edition, Grid
from service.grids.queries import Zone
from service.grids.rules import KINDS, short_code
from service.people.rules import Viewer
from service.records.batches import visible
from service.records.models import ImportBatch
from service.registers.duty_words import subject_names
from service.registers.kinds import REGISTERS
from service.registers.location import zone_facts
from service.registers.queries import one as read_one
from service.responsibility.lookup import duties_at, duties_of_zone, find, keeper, shown_name
from service.responsibility.snapshot import Held, Snapshot
from service.web.api import asked_point
from service.web.context import area, now, require_account, services, viewer
from service.web.duties.asked import day_of, subject_of
from service.web.duties.blueprint import bp
from service.web.duties.verdicts import page_of
from service.web.register_view import here
from service.web.registers.asking import Asking, asking
from service.web.registers.links import row_url
from service.web.registers.trail import course_of


@dataclass(frozen=True)
class Place:
    """What is asked about: a point, a subject, or both; `words`: how the page names it; `at`: an incident's moment."""

    words: str
    point: tuple[float, float] | None = None
    subject: Subject | None = None
    incident: str | None = None
    on: date | None = None
    at: str = ""


@bp.get("/answered")
def answered() -> str:
    """`?lon=&lat=`, `?incident=NUMBER`, `?grid=CODE or NAME` or `?subject=grid:CODE`, with `on=`; without any of them
    the form alone."""
    require_account()
    asked = day_of(request.args.get("on"), "on")
    with services().database.read() as session:
        place = _place(session)
        on = asked or (place.on if place else None) or local_date(now())
        body = _answer(session, place, on) if place else None
    return render_template(
        "duties/answered.html",
        answer=body,
        on=on.isoformat(),
        asked={name: request.args.get(name, "") for name in ("lon", "lat", "incident")}
        | {"subject": ":".join(place.subject) if place and place.subject else ""},
        office_name=services().office.name,
        told_at=spoken(now()),
    )


def _place(session: Session) -> Place | None:
    given = {name: request.args.get(name, "").strip() for name in ("incident", "subject", "grid", "lon", "lat")}
    if given["incident"]:
        return _of_incident(session, given["incident"])
    if given["subject"] or given["grid"]:
        subject = subject_of(given["subject"]) if given["subject"] else _grid_called(session, given["grid"])
        name = subject_names(session, {}, [subject]).get(subject, subject[1])
        return Place(f"{SUBJECT_KINDS[subject[0]]} {name}", subject=subject)
    if given["lon"] or given["lat"]:
        lon, lat = asked_point()
        return Place(f"{lon:.6f}, {lat:.6f}", point=(lon, lat))
    return None


def _grid_called(session: Session, word: str) -> Subject:
    """A grid or micro-grid of any edition by its code, or by a name that only one has. Raises NotFound,
    InvalidValue."""
    if "\0" in word:
        raise NotFound(_("没有这个网格。"))
    named = session.execute(
        select(Grid.code, Grid.kind).where(or_(Grid.code == word, Grid.name == word), visible(Grid)).distinct()
    ).all()
    found = {code: "micro_grid" if kind == "micro_grid" else "grid" for code, kind in named}
    if word in found:
        return found[word], word
    if not found:
        raise NotFound(f"没有编码或名称是“{word[:40]}”的网格。写 15 位编码，或者写全名称，如“聚鹤社区第一网格”。")
    if len(found) > 1:
        raise InvalidValue("grid", f"有 {len(found)} 个网格叫“{word[:40]}”：{'、'.join(sorted(found)[:6])}。改写编码。")
    code, kind = next(iter(found.items()))
    return kind, code


def _of_incident(session: Session, number: str) -> Place:
    """Judged by the day on which it was reported. Raises NotFound, also outside the asker's area."""
    register = REGISTERS["incidents"]
    row = read_one(session, register, number[:64], area("incidents.read"), here(session, register))
    reported = row.values["reported_at"]
    words = f"{_('事项')} {number}　{row.values.get('category_name') or ''}　{row.values.get('address') or ''}".strip()
    point = (row.geometry.x, row.geometry.y) if row.geometry is not None else None
    grid = (row.derived.get("grid") or {}).get("code")
    if point is None and grid is None:
        raise NotFound(f"事项 {number[:40]} 没有位置也没有网格，说不出谁负责。先给它定位。")
    subject = None if point else ("grid", str(grid))
    return Place(words, point, subject, number, local_date(reported), spoken(reported))


def _answer(session: Session, place: Place, on: date) -> dict[str, Any]:
    given, asker = services(), viewer()
    snapshot = given.responsibility.on(on)
    zone, micro, shop = None, None, None
    held: list[Held] = []
    if place.point:
        found = find(snapshot, *place.point, given.distances)
        zone, micro = found.zone, found.micro
        held = duties_at(snapshot, found)
        shop = keeper(snapshot, found.frontage, asker) if found.frontage else None
    elif place.subject and place.subject[0] in ("grid", "micro_grid"):
        zone, micro = _zone_of(snapshot, place.subject[1])
    if not place.point:
        held = duties_of_zone(snapshot, zone, micro)
    if place.subject and place.subject[0] not in ("grid", "micro_grid"):
        name = subject_names(session, zone_facts(snapshot), [place.subject]).get(place.subject, place.subject[1])
        held = [*snapshot.held(*place.subject, name), *held]
    ask = asking(session, "duties")
    community = snapshot.communities.get(zone.community_code) if zone else None
    return {
        "place": place,
        "on": on.isoformat(),
        "future": on > local_date(now()),
        "zone": _zone(zone, micro),
        "community": community.name if community else zone.community_code if zone else None,
        "edition": _edition(session, zone) if zone else None,
        "leaders": [_person(one, asker) for one in held if one.role == "grid_leader"],
        "vacant": zone is not None and not any(one.role == "grid_leader" for one in held),
        "people": [_person(one, asker) for one in held],
        "shop": shop,
        "evidence": [one for duty in held if duty.code and (one := _evidence(session, ask, duty, on))],
        "nobody": not held,
        "map_url": _map_url(place, on),
    }


def _zone_of(snapshot: Snapshot, code: str) -> tuple[Zone | None, Zone | None]:
    """The grid of the day with the code, or the parent of a micro-grid with the micro-grid."""
    by_code = {zone.code: zone for zone in snapshot.tiling.zones}
    micro = next((zone for zone in snapshot.tiling.micro_zones if zone.code == code), None)
    return (by_code.get(micro.parent_code or ""), micro) if micro else (by_code.get(code), None)


def _zone(zone: Zone | None, micro: Zone | None) -> dict[str, Any] | None:
    if zone is None:
        return None
    return {
        "code": zone.code,
        "short": short_code(zone.code)[1],
        "name": zone.name,
        "kind": KINDS.get(zone.kind, zone.kind),
        "micro": micro.name if micro else None,
        "url": row_url("grids", zone.code),
    }


def _edition(session: Session, zone: Zone) -> dict[str, Any]:
    """From when the boundaries hold, and where they come from."""
    starts = Edition.starts_on.is_(None) if zone.starts_on is None else Edition.starts_on == zone.starts_on
    batch = session.scalar(
        select(Edition.batch_id).where(Edition.community_code == zone.community_code, starts, visible(Edition))
    )
    source = session.get(ImportBatch, batch) if batch else None
    return {
        "starts": zone.starts_on.isoformat() if zone.starts_on else None,
        "files": source.files if source else None,
        "at": spoken(source.finished_at) if source and source.finished_at else None,
    }


def _person(held: Held, asker: Viewer) -> dict[str, Any]:
    leader = held.role == "grid_leader"
    until = last_day(held.ends_on)
    return {
        "role": role_name(held.role),
        "name": shown_name(held.person, asker, leader),
        "acting_for": shown_name(held.acting_for, asker, leader) if held.acting_for else None,
        "subject": held.subject_name,
        "kind": SUBJECT_KINDS.get(held.subject_kind, ""),
        "subject_url": page_of(held.subject_kind, held.subject_code),
        "from": held.starts_on.isoformat() if held.starts_on else None,
        "until": until.isoformat() if until else None,
        "url": row_url("duties", held.code) if held.code else None,
    }


def _evidence(session: Session, ask: Asking, held: Held, on: date) -> dict[str, Any] | None:
    """What the trail says of one duty, oldest first; what was written after the day is marked. None where the asker may
    not read the duty."""
    try:
        row = read_one(session, ask.register, held.code, ask.area, ask.located)
    except NotFound:
        return None
    steps = [{"step": step, "later": step.iso[:10] > on.isoformat()} for step in reversed(course_of(session, ask, row))]
    return {"role": role_name(held.role), "subject": held.subject_name, "code": held.code, "steps": steps}


def _map_url(place: Place, on: date) -> str | None:
    if place.point is None:
        return None
    lon, lat = place.point
    day = f"&on={on.isoformat()}" if on != local_date(now()) else ""
    return f"/map?p={lon:.6f},{lat:.6f}&at={lon:.6f},{lat:.6f}&z=17{day}"
