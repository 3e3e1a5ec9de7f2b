"""Hand over, leave, return, end, copy: a form, what would become of each duty, then the same saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from service.clock import in_force, local_date
from service.duties.actions import carry_out, judge
from service.duties.leave import Leave, Return
from service.duties.ledger import Facts, Verdict
from service.duties.queries import DutyRow, beside_these, duties_of
from service.duties.rules import ACTING, SUBJECT_KINDS, is_exclusive, period_words, role_name, state_on
from service.duties.steps import Copy, End, HandOver, Step
from service.errors import InvalidValue, InvalidValues
from service.registers.kinds import REGISTERS
from service.web.context import now, services, viewer
from service.web.duties.asked import (
    day_of,
    facts_now,
    needed_day,
    note_of,
    person_of,
    require_assign,
    subject_of,
    subjects_of,
    until_of,
    write_refusals,
    writer,
)
from service.web.duties.blueprint import bp
from service.web.duties.verdicts import verdict_page
from service.web.registers.links import row_url
from service.web.registers.query import parse_query

Answer = str | Response | tuple[str, int]
Sent = MultiDict[str, str]
TITLES = {
    "hand-over": "交接责任",
    "leave": "安排代理",
    "return": "代理结束，本人回岗",
    "end": "终止责任",
    "copy": "照样指派",
}
_PATHS = {"hand_over": "hand-over", "leave": "leave", "end": "end"}


@bp.post("/bulk")
def bulk() -> Response:
    """The ticked rows of the list go on to the step that was chosen for them."""
    chosen = request.form.get("field", "")
    if chosen not in _PATHS:
        raise InvalidValue("field", "选一项要做的：交接、安排代理或终止。")
    query = parse_query(REGISTERS["duties"], request.form.get("query", "")).text()
    codes = request.form.getlist("code")
    if not codes:
        return redirect(f"/duties?{query}" if query else "/duties")
    return redirect(f"/duties/{_PATHS[chosen]}?{urlencode([('code', one) for one in codes])}")


@bp.get("/<any('hand-over','leave','return','end','copy'):what>", endpoint="step")
def form(what: str) -> str:
    """`?person=` all duties of somebody, `?code=` some duties; `?of=` for copying."""
    require_assign()
    with services().database.read() as session:
        return _form(session, what, request.args, ())


@bp.post("/<any('hand-over','leave','return','end','copy'):what>", endpoint="step_post")
def step(what: str) -> Answer:
    """First what would become of each, then (`step=save`) the same written."""
    require_assign()
    sent, save = request.form, request.form.get("step") == "save"
    with services().database.read() as session:
        facts = facts_now(session)
        try:
            asked = _step(session, what, sent)
            verdicts = None if save else judge(session, asked, facts)
        except InvalidValue as fault:
            return _form(session, what, sent, _faults(fault)), 422
        duties = {one.code: one for one in beside_these(session, asked.codes, asked.subjects)}
    if verdicts is None:
        try:
            with services().database.write() as session:
                verdicts = carry_out(session, asked, facts, writer(), note_of(sent))
                write_refusals(session, verdicts, writer())
        except InvalidValue as fault:
            with services().database.read() as session:
                return _form(session, what, sent, _faults(fault)), 422
    return render_template("duties/verdicts.html", page=_page(what, sent, verdicts, facts, duties, save))


def _page(
    what: str, sent: Sent, verdicts: list[Verdict], facts: Facts, duties: Mapping[str, DutyRow], saved: bool
) -> dict[str, Any]:
    pairs = [(name, value) for name, value in sent.items(multi=True) if name not in ("step", "csrf_token")]
    person = sent.get("of_person", "")
    return verdict_page(
        _(TITLES[what]),
        verdicts,
        facts,
        saved=saved,
        action=f"/duties/{what}",
        back_url=f"/duties/{what}?{urlencode(pairs)}" if not saved else _after(person),
        kept=pairs,
        duties=duties,
    )


def _after(person: str) -> str:
    return row_url("people", person) if person else "/duties"


def _step(session: Session, what: str, sent: Sent) -> Step:
    today = local_date(now())
    codes = tuple(dict.fromkeys(sent.getlist("code")))
    if what != "copy" and not codes:
        raise InvalidValue("code", "先选至少一项责任。")
    if what == "hand-over":
        to = person_of(session, sent.get("to"), "to", _("交给谁"))
        return HandOver(codes, to, needed_day(sent.get("on"), "on", today), until_of(sent.get("until"), "ends_on"))
    if what == "leave":
        acting = person_of(session, sent.get("acting"), "acting_code", _("谁来代理"))
        starts = needed_day(sent.get("from"), "acting_from", today)
        return Leave(codes, acting, starts, until_of(sent.get("until"), "acting_until"))
    if what == "return":
        return Return(codes, needed_day(sent.get("on"), "on", today))
    if what == "end":
        ended = until_of(sent.get("until"), "on")
        return End(codes, ended or needed_day("", "on", today))
    of = subject_of(sent.get("of", ""))
    roles = tuple(dict.fromkeys(sent.getlist("role")))
    return Copy(of, subjects_of(sent.getlist("subject")), needed_day(sent.get("on"), "on", today), roles)


def _faults(fault: InvalidValue) -> Sequence[tuple[str, str]]:
    return fault.errors if isinstance(fault, InvalidValues) else [(fault.field, fault.message)]


def _form(session: Session, what: str, sent: Sent, faults: Sequence[tuple[str, str]]) -> str:
    facts = facts_now(session)
    today = local_date(now())
    person = sent.get("person", "") or sent.get("of_person", "")
    ticked = set(sent.getlist("code"))
    rows = _rows(session, person, ticked)
    asked = {"on": today.isoformat(), "from": today.isoformat()}
    fields = {name: sent.get(name, asked.get(name, "")) for name in ("to", "acting", "on", "from", "until", "note")}
    page: dict[str, Any] = {
        "what": what,
        "title": _(TITLES[what]),
        "action": f"/duties/{what}",
        "person": person,
        "person_name": facts.person_name(person) if person else "",
        "person_url": row_url("people", person) if person else None,
        "fields": fields,
        "today": today.isoformat(),
        "errors": [{"name": name, "message": message} for name, message in faults],
        "wrong": dict(faults),
        "rows": [one for row in rows if (one := _row(facts, row, ticked, what))],
        "none_ticked": not ticked,
    }
    if what == "copy":
        page |= _copying(session, facts, sent)
    return render_template("duties/step.html", page=page)


def _rows(session: Session, person: str, ticked: set[str]) -> list[DutyRow]:
    if person and "\0" not in person:
        return duties_of(session, people=[person])
    return duties_of(session, codes={one for one in ticked if "\0" not in one})


def _row(facts: Facts, duty: DutyRow, ticked: set[str], what: str) -> dict[str, Any] | None:
    """A duty to tick; those that are over are not among them, nor for a return those without a stand-in."""
    state = state_on(duty.starts_on, duty.ends_on, facts.today, *_away(duty))
    coming_leave = duty.acting_code and (duty.acting_until is None or duty.acting_until > facts.today)
    if state == "over" or (what == "return" and not coming_leave) or not facts.mine(duty):
        return None
    return {
        "code": duty.code,
        "on": duty.code in ticked if ticked else True,
        "role": role_name(duty.role),
        "subject": facts.subject_name((duty.subject_kind, duty.subject_code)),
        "kind": SUBJECT_KINDS.get(duty.subject_kind, ""),
        "person": viewer().name(facts.person_name(duty.person_code)),
        "period": period_words(duty.starts_on, duty.ends_on),
        "acting": viewer().name(facts.person_name(duty.acting_code)) if duty.acting_code and coming_leave else None,
        "acting_period": period_words(duty.acting_from, duty.acting_until) if coming_leave else "",
        "away": state == ACTING,
        "exclusive": is_exclusive(duty.role),
    }


def _away(duty: DutyRow) -> tuple[Any, ...]:
    return duty.acting_code, duty.acting_from, duty.acting_until


def _copying(session: Session, facts: Facts, sent: Sent) -> dict[str, Any]:
    """The duties of the subject that is copied, and the subjects of the same kind to copy them to."""
    of = subject_of(sent.get("of", ""))
    day = day_of(sent.get("on"), "on", facts.today) or facts.today
    wanted = {one for word in sent.getlist("subject") for one in word.split(",")}
    roles = set(sent.getlist("role"))
    held = [one for one in beside_these(session, (), [of]) if one.ends_on is None or one.ends_on > day]
    others = [fact for subject, fact in facts.subjects.items() if subject[0] == of[0] and subject != of and fact.mine]
    return {
        "of": f"{of[0]}:{of[1]}",
        "of_name": facts.subject_name(of),
        "copied": [
            {
                "role": duty.role,
                "word": role_name(duty.role),
                "person": viewer().name(facts.person_name(duty.person_code)),
                "period": period_words(duty.starts_on, duty.ends_on),
                "on": not roles or duty.role in roles,
            }
            for duty in held
        ],
        "targets": [
            {"value": f"{fact.kind}:{fact.code}", "name": fact.name, "on": f"{fact.kind}:{fact.code}" in wanted}
            for fact in sorted(others, key=lambda one: one.code)
            if any(in_force(starts, day, until) for starts, until in fact.spans)
        ][:500],
    }
