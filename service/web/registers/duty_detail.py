"""Duties on a row's detail: what one is and what can be done with it; who held what, when, of a subject or person."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import quote, urlencode

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.duties.queries import Subject, duties_of
from service.duties.rules import OVER, SUBJECT_KINDS, last_day, role_name
from service.people.access import reach
from service.registers.duty_words import subject_names, subject_shapes
from service.registers.location import zone_facts
from service.registers.rows import Row
from service.registers.rules import holds_all
from service.responsibility.course import Held, of_person, of_subject
from service.web.context import account, area
from service.web.register_view import showing
from service.web.registers.asking import Asking
from service.web.registers.cells import subject_text
from service.web.registers.drawing import map_of
from service.web.registers.links import row_url

PAGES_OF = {
    "grid": "grids",
    "micro_grid": "grids",
    "organisation": "organisations",
    "community": "communities",
    "frontage": "frontages",
    "place": "places",
    "street": "streets",
}
# What a subject's page offers to assign first.
_FIRST_ROLE = {
    "grid": "grid_leader",
    "micro_grid": "micro_leader",
    "community": "community_head",
    "street": "road_chief",
    "frontage": "shop_keeper",
    "organisation": "first_responsible",
}
_MOST_LINES = 40


def duty_context(session: Session, ask: Asking, row: Row) -> dict[str, Any]:
    """What differs from other registers' detail: facts as people say them, and the steps that there are."""
    values, words = row.values, ask.words
    subject = (str(values["subject_kind"]), str(values["subject_code"]))
    shape = subject_shapes(session, ask.on, [subject]).get(subject)
    drawn = map_of(ask, shape, zone=subject[0] in ("grid", "micro_grid", "community")) if shape is not None else None
    named = row.derived.get("subject") or {}
    what = f"{words.text(row, 'role')}　{subject_text(named)}" if named else words.text(row, "role")
    may, over = ask.may_change(row), values["state"] == OVER
    acting = values.get("acting_code")
    facts = [
        _fact(_("职务"), words.text(row, "role")),
        _fact(_("对象"), subject_text(named) if named else subject[1], _subject_url(*subject)),
        _fact(_("责任人"), words.title(row), row_url("people", str(values["person_code"]))),
        _fact(_("社区"), words.text(row, "community")),
        _fact(_("自"), words.text(row, "starts_on") or _("向来")),
        _fact(_("最后一天"), words.text(row, "last_day") or _("没有截止")),
    ]
    if acting:
        facts += [
            _fact(_("代理人"), words.text(row, "acting_code"), row_url("people", str(acting))),
            _fact(_("代理"), _period(values.get("acting_from"), values.get("acting_until"))),
        ]
    code = [("code", row.code)]
    away = acting and (values.get("acting_until") is None or values["acting_until"] > ask.on)
    steps = [
        (_("回岗") if away else _("代理"), f"/duties/{'return' if away else 'leave'}?{urlencode(code)}"),
        (_("终止"), f"/duties/end?{urlencode(code)}"),
        (_("更正"), row_url("duties", row.code, None, "edit")),
        (_("交接"), f"/duties/hand-over?{urlencode(code)}"),
    ]
    steps = [steps[2]] if over else steps
    return {
        "sub": what,
        "state": words.state(row),
        "ended_on": None,
        "facts": [one for one in facts if one["text"]],
        "map": drawn,
        "map_url": f"/map?at={drawn.lon},{drawn.lat}&z={drawn.zoom}" if drawn else None,
        "where": subject_text(named) if named else "",
        "edit_url": None,
        "acts": [_act(*one, main=one is steps[-1]) for one in steps] if may else [],
        "course": _subject_course(session, ask, subject),
        "answered_url": answered_url(subject),
    }


def _fact(label: str, text: str, url: str | None = None) -> dict[str, Any]:
    return {"name": label, "label": label, "text": text, "wide": len(text) > 14, "url": url, "reveal_url": None}


def _act(word: str, url: str, main: bool = False) -> dict[str, Any]:
    return {"word": word, "url": url, "main": main}


def held_context(session: Session, ask: Asking, row: Row) -> dict[str, Any]:
    """Of a subject: its holders over time; of a person: what they held. With the steps for those who may."""
    register = ask.register
    if register.name == "people":
        return _of_person(session, ask, row)
    if register.subject is None:
        return {"course": None, "acts": []}
    kind = "micro_grid" if register.name == "grids" and row.values.get("kind") == "micro_grid" else register.subject
    subject = (kind, row.code)
    course = _subject_course(session, ask, subject)
    acts = []
    mine = holds_all(area("duties.assign"), ask.located.spots.get(row.code, ()))
    if may_assign() and mine and ask.on >= ask.today and not row.ended(ask.on):
        named = f"{kind}:{row.code}"
        told = {"role": _FIRST_ROLE.get(kind, "other"), "subject": named}
        told |= {"from": ask.on.isoformat()} if ask.on > ask.today else {}
        acts.append(_act(_("指派"), f"/duties/assign?{urlencode(told, safe=':')}"))
        if course and ask.on == ask.today:
            acts.append(_act(_("照样指派"), f"/duties/copy?of={quote(named, safe=':')}"))
    return {"course": course, "answered_url": answered_url(subject), "acts": acts}


def answered_url(subject: Subject) -> str:
    return f"/duties/answered?subject={subject[0]}:{quote(subject[1], safe='')}"


def may_assign() -> bool:
    who = account()
    return reach(who.role if who else None, "duties.assign") is not None


def _of_person(session: Session, ask: Asking, row: Row) -> dict[str, Any]:
    duties = duties_of(session, people=[row.code])
    held = of_person(duties, row.code)
    names = subject_names(session, zone_facts(ask.snapshot), {one.subject for one in held})
    lines = [_person_line(ask, one, names) for one in held[:_MOST_LINES]]
    running = any(one.ends is None or one.ends > ask.on for one in held if not one.as_acting)
    acts: list[dict[str, Any]] = []
    if may_assign() and not row.ended(ask.on):
        told = urlencode({"person": row.code})
        acts = [_act(_("指派"), f"/duties/assign?{told}")]
        if running:
            acts += [_act(_("请假代理"), f"/duties/leave?{told}"), _act(_("交接"), f"/duties/hand-over?{told}")]
    return {"course": [{"title": "", "lines": lines}] if lines else None, "acts": acts}


def _person_line(ask: Asking, held: Held, names: dict[Subject, str]) -> dict[str, Any]:
    role = role_name(held.role)
    name = names.get(held.subject, held.subject[1])
    more = [_away_words(ask, one.person, one.starts, one.ends) for one in held.away]
    if held.as_acting:
        role = f"{role}{_('（代）')}"
        more = [f"{_('代')}{_name(ask, held.person)}"]
    kind = SUBJECT_KINDS.get(held.subject[0], "")
    return {
        "who": f"{role} {subject_text({'name': name, 'kind_name': kind})}",
        "url": row_url("duties", held.codes[-1]),
        "period": _period(held.starts, held.ends),
        "now": held.now(ask.on),
        "gap": False,
        "more": more,
    }


def _subject_course(session: Session, ask: Asking, subject: Subject) -> list[dict[str, Any]] | None:
    duties = [one for one in duties_of(session, subjects=[subject]) if (one.subject_kind, one.subject_code) == subject]
    out = []
    for role, held in of_subject(duties):
        lines = [_holder_line(ask, one) for one in held[:_MOST_LINES]]
        out.append({"title": role_name(role), "lines": lines})
    return out or None


def _holder_line(ask: Asking, held: Held) -> dict[str, Any]:
    return {
        "who": _name(ask, held.person),
        "url": row_url("duties", held.codes[-1]) if held.codes else None,
        "period": _period(held.starts, held.ends),
        "now": held.now(ask.on),
        "gap": held.person is None,
        "more": [_away_words(ask, one.person, one.starts, one.ends) for one in held.away],
    }


def _away_words(ask: Asking, person: str, starts: date | None, ends: date | None) -> str:
    return f"{_name(ask, person)}{_('代理')} {_period(starts, ends)}"


def _name(ask: Asking, code: str | None) -> str:
    known = ask.snapshot.persons.get(code or "")
    if known is None:
        return code or ""
    return showing(ask.viewer).person(known.code, known.name, known.organisation_code) or ""


def _period(starts: date | None, ends: date | None) -> str:
    """2026-01-01 至 2026-06-30; short ones for what has no end."""
    last = last_day(ends)
    begin = starts.isoformat() if starts else _("向来")
    return f"{begin} {_('至')} {last}" if last else f"{begin} {_('起')}" if starts else begin


def _subject_url(kind: str, code: str) -> str | None:
    return row_url(PAGES_OF[kind], code) if kind in PAGES_OF else None
