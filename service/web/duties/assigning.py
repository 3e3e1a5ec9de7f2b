"""Assigning on the map: who gets which role for which subjects; the list says the same without the map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

import numpy as np
import orjson
import shapely
from flask import Response, render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.clock import local_date
from service.duties.actions import carry_out, judge
from service.duties.ledger import Facts, SubjectFact
from service.duties.rules import ROLES, SUBJECT_KINDS, fits, role_name
from service.duties.steps import Assign
from service.errors import InvalidValue, InvalidValues
from service.geo.coverage import label_points, simplify_coverage
from service.grids.rules import short_code
from service.maps.assigning import render_assigning
from service.registers.duty_words import subject_shapes
from service.responsibility.snapshot import Snapshot
from service.web.context import now, services, viewer
from service.web.duties.asked import (
    day_of,
    facts_now,
    needed_day,
    note_of,
    person_of,
    require_assign,
    role_of,
    subjects_of,
    until_of,
    write_refusals,
    writer,
)
from service.web.duties.blueprint import bp
from service.web.duties.verdicts import verdict_page
from service.web.map_config import map_config

DEFAULT_ROLE = "grid_leader"
MOST_LISTED, MOST_DRAWN = 400, 6_000
_SMOOTH = 1e-6  # degrees, about 10 cm: what no screen shows


@dataclass(frozen=True)
class Wish:
    """What the address or the form says, as far as it can be understood."""

    role: str
    kind: str
    on: date

    @classmethod
    def of(cls, sent: Mapping[str, str]) -> Wish:
        """Unknown words fall back to the first that serves: an address may be old. Raises InvalidValue for a role."""
        role = role_of(sent.get("role", ""), DEFAULT_ROLE)
        kind = sent.get("kind", "")
        if kind not in ROLES[role].fits:
            named = sent.get("subject", "").partition(":")[0]
            kind = named if named in ROLES[role].fits else ROLES[role].fits[0]
        return cls(role, kind, day_of(sent.get("from"), "starts_on", local_date(now())) or local_date(now()))


@bp.get("/assign")
def assign() -> str:
    """`?role=&subject=grid:CODE&person=&from=&until=`; `subjects=` takes several with commas."""
    require_assign()
    with services().database.read() as session:
        return _form(session, request.args, ())


@bp.post("/assign")
def assign_post() -> str | tuple[str, int]:
    """First the verdict of each subject, then (`step=save`) the same written."""
    require_assign()
    sent, save = request.form, request.form.get("step") == "save"
    with services().database.read() as session:
        if sent.get("step") == "again":  # without scripts another role is another page
            return _form(session, sent, ())
        facts = facts_now(session)
        try:
            asked = _asked(session, sent)
            verdicts = None if save else judge(session, asked, facts)
        except InvalidValue as fault:
            return _form(session, sent, _faults(fault)), 422
    if verdicts is None:
        try:
            with services().database.write() as session:
                verdicts = carry_out(session, asked, facts, writer(), note_of(sent))
                write_refusals(session, verdicts, writer())
        except InvalidValue as fault:
            with services().database.read() as session:
                return _form(session, sent, _faults(fault)), 422
    pairs = [(name, value) for name, value in sent.items(multi=True) if name not in ("step", "csrf_token")]
    back = f"/duties/assign?{urlencode(pairs)}"
    title = f"{_('指派')}{role_name(asked.role)}"
    page = verdict_page(
        title,
        verdicts,
        facts,
        saved=save,
        action="/duties/assign",
        back_url=back if not save else "/duties/assign",
        kept=pairs,
    )
    return render_template("duties/verdicts.html", page=page)


def _faults(fault: InvalidValue) -> Sequence[tuple[str, str]]:
    return fault.errors if isinstance(fault, InvalidValues) else [(fault.field, fault.message)]


def _asked(session: Session, sent: Any) -> Assign:
    role = role_of(sent.get("role", ""), DEFAULT_ROLE)
    subjects = subjects_of([*sent.getlist("subject"), *sent.getlist("subjects")])
    if not subjects:
        raise InvalidValue("subjects", "先在地图上或名单里选至少一个对象。")
    starts = needed_day(sent.get("from"), "starts_on", local_date(now()))
    person = person_of(session, sent.get("person"), "person_code", _("责任人"))
    return Assign(role, person, subjects, starts, until_of(sent.get("until"), "ends_on"), bool(sent.get("replace")))


def _form(session: Session, sent: Any, faults: Sequence[tuple[str, str]]) -> str:
    wish = Wish.of(sent)
    facts = facts_now(session)
    snapshot = services().responsibility.on(wish.on)
    chosen = set(subjects_of([*sent.getlist("subject"), *sent.getlist("subjects")]))
    listed = _listed(facts, wish)
    words = sent.get("q", "").strip()
    alike = _alike(listed)
    rows = [_row(snapshot, fact, wish, chosen) | {"alike": fact.name in alike} for fact in listed if fact.mine]
    shown = [row for row in rows if row["on"] or not words or words in row["name"] or words in row["code"]]
    person = sent.get("person", "")
    page = {
        "role": wish.role,
        "role_name": role_name(wish.role),
        "roles": [(code, role.name) for code, role in ROLES.items()],
        "kind": wish.kind,
        "kind_name": SUBJECT_KINDS[wish.kind],
        "kinds": [(one, SUBJECT_KINDS[one]) for one in ROLES[wish.role].fits],
        "exclusive": ROLES[wish.role].exclusive,
        "person": facts.people[person].name if person in facts.people and _alone(facts, person) else person,
        "from": sent.get("from", "") or wish.on.isoformat(),
        "until": sent.get("until", ""),
        "replace": bool(sent.get("replace")),
        "note": sent.get("note", ""),
        "q": words,
        "rows": sorted(shown, key=lambda row: (not row["on"], not row["vacant"], row["code"]))[:MOST_LISTED],
        "more": max(len(shown) - MOST_LISTED, 0),
        "vacant": sum(row["vacant"] for row in rows),
        "total": len(rows),
        "others": len(listed) - len(rows),
        "any": bool(listed),
        "errors": [{"name": name, "message": message} for name, message in faults],
        "wrong": dict(faults),
        "data_url": f"/duties/assign/subjects?{_again(wish)}",
        "on_map": wish.kind not in ("organisation", "subdistrict"),
    }
    config = map_config(viewer(), demo=False)
    board = render_assigning(config)
    return render_template("duties/assign.html", page=page, config=_config(config), board=board)


def _again(wish: Wish) -> str:
    return urlencode({"role": wish.role, "kind": wish.kind, "from": wish.on.isoformat()})


def _alone(facts: Facts, code: str) -> bool:
    """Whether nobody else has the same name: then the form shows it instead of the code."""
    name = facts.people[code].name
    return sum(one.name == name for one in facts.people.values()) == 1


def _config(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: config[name] for name in ("bounds", "frame", "on", "today", "office")}


def _listed(facts: Facts, wish: Wish) -> list[SubjectFact]:
    """The subjects of the kind that there are on the day and that the role is for, by code."""
    found = [facts.subjects[subject] for subject in facts.subjects if subject[0] == wish.kind]
    there = [one for one in found if any(_begun(span, wish.on) for span in one.spans)]
    return sorted((one for one in there if fits(wish.role, one.kind, one.sort)), key=lambda one: one.code)


def _alike(listed: Sequence[SubjectFact]) -> set[str]:
    """Names that several of them have: such a one is told by its code too."""
    counts = Counter(one.name for one in listed)
    return {name for name, count in counts.items() if count > 1}


def _begun(span: tuple[date | None, date | None], on: date) -> bool:
    return (span[0] is None or span[0] <= on) and (span[1] is None or on < span[1])


def _row(snapshot: Snapshot, fact: SubjectFact, wish: Wish, chosen: set[tuple[str, str]]) -> dict[str, Any]:
    holders = _holders(snapshot, fact, wish.role)
    return {
        "value": f"{fact.kind}:{fact.code}",
        "code": fact.code,
        "name": fact.name,
        "on": (fact.kind, fact.code) in chosen,
        "vacant": not holders,
        "holder": "、".join(holders[:2]) + ("…" if len(holders) > 2 else ""),
    }


def _holders(snapshot: Snapshot, fact: SubjectFact, role: str) -> list[str]:
    leader = role == "grid_leader"
    held = [one for one in snapshot.held(fact.kind, fact.code, fact.name) if one.role == role]
    return [viewer().name((one.acting_for or one.person).name, leader) or "" for one in held]


@bp.get("/assign/subjects")
def subjects() -> Response:
    """Where the subjects of the role and the kind lie, who holds the role there, and whose they are to assign."""
    require_assign()
    wish = Wish.of(request.args)
    snapshot = services().responsibility.on(wish.on)
    with services().database.read() as session:
        facts = {(one.kind, one.code): one for one in _listed(facts_now(session), wish)}
        shapes = subject_shapes(session, wish.on, list(facts))
    known = [subject for subject in facts if subject in shapes][:MOST_DRAWN]
    geoms = np.empty(len(known), dtype=object)
    geoms[:] = [shapes[subject] for subject in known]
    middles = _middles(geoms)
    alike = _alike(list(facts.values()))
    out = []
    for subject, geom, middle in zip(known, _drawn(geoms, wish.kind), middles, strict=True):
        fact = facts[subject]
        holders = _holders(snapshot, fact, wish.role)
        out.append(
            {
                "code": f"{fact.kind}:{fact.code}",
                "name": fact.name,
                "short": short_code(fact.code)[1] if wish.kind in ("grid", "micro_grid") else fact.name,
                "mine": fact.mine,
                "alike": fact.name in alike,
                "holder": "、".join(holders),
                "at": middle,
                **_parts(geom),
            }
        )
    answer = Response(
        orjson.dumps({"subjects": out, "left_out": len(shapes) - len(known)}), mimetype="application/json"
    )
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


def _drawn(geoms: np.ndarray, kind: str) -> np.ndarray:
    """Without vertices that nobody sees; grids as a coverage, so that neighbours keep their shared border."""
    if not len(geoms):
        return geoms
    if kind == "grid":
        return simplify_coverage(geoms, 10 * _SMOOTH)
    return np.asarray(shapely.simplify(geoms, _SMOOTH), dtype=object)


def _middles(geoms: np.ndarray) -> list[list[float]]:
    """Where a name belongs."""
    areas = shapely.get_dimensions(geoms) == 2 if len(geoms) else np.empty(0, bool)
    out = np.empty((len(geoms), 2))
    if areas.any():
        lon, lat, _radius = label_points(geoms[areas])
        out[areas] = np.column_stack([lon, lat])
    for i in np.flatnonzero(~areas).tolist():
        at = shapely.point_on_surface(geoms[i])
        out[i] = (at.x, at.y)
    return np.round(out, 6).tolist()  # type: ignore[no-any-return]


def _parts(geom: Any) -> dict[str, Any]:
    """`rings`, `lines` or `points` as flat [lon, lat, …]."""
    parts = [one for one in shapely.get_parts(geom) if not one.is_empty]
    rings = [ring for part in parts if part.geom_type == "Polygon" for ring in (part.exterior, *part.interiors)]
    lines = [part for part in parts if part.geom_type == "LineString"]
    spots = [part for part in parts if part.geom_type == "Point"]
    named = {"rings": rings, "lines": lines, "points": spots}
    return {name: [_flat(one) for one in some] for name, some in named.items() if some}


def _flat(line: Any) -> list[float]:
    return np.round(shapely.get_coordinates(line), 6).ravel().tolist()
