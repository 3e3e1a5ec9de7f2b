"""REST of duties under /api/v1/duties: assign, hand over, leave, return, end, copy, correct.

Lists, single duties and their history are the registers' own (register_api.py).
"""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson
from flask import Blueprint, Response, jsonify, request
from flask_wtf.csrf import validate_csrf
from werkzeug.exceptions import BadRequest

from service.clock import local_date
from service.duties import actions
from service.duties.leave import Leave, Return
from service.duties.ledger import Verdict
from service.duties.queries import DutyRow
from service.duties.steps import Assign, Copy, End, HandOver, Step
from service.errors import InvalidValue, InvalidValues, NotAllowed, StaleVersion
from service.registers import queries
from service.registers.kinds import register_of
from service.registers.rows import Row
from service.registers.values import understood
from service.web.api import as_json
from service.web.context import area, now, services, viewer
from service.web.duties.asked import day_of, facts_now, person_of, role_of, subject_of, write_refusals, writer
from service.web.register_view import Whose, here, masked_values, row_json

bp = Blueprint("duties_api", __name__, url_prefix="/api/v1/duties")
_MOST_NOTE = 200


@bp.before_request
def from_own_page() -> None:
    """As the registers' interface has it: a browser needs the page's token, a program its bearer token."""
    if request.method in ("GET", "HEAD", "OPTIONS") or "Authorization" in request.headers:
        return
    try:
        validate_csrf(request.headers.get("X-CSRFToken"))
    except ValueError:  # wtforms' ValidationError is one
        raise BadRequest("X-CSRFToken") from None


@bp.errorhandler(InvalidValues)
def invalid(error: InvalidValues) -> Response:
    """Every field at fault, not only the first."""
    errors = [{"field": field, "message": message} for field, message in error.errors]
    return _problem(422, "填写有误", error.message, errors=errors)


@bp.errorhandler(StaleVersion)
def stale(error: StaleVersion) -> Response:
    """Both sides of the conflict."""
    register, of = register_of("duties"), Whose("duties", str((request.view_args or {}).get("code")))
    stored = masked_values(register, error.stored, viewer(), of)
    sent = {name: value.isoformat() if isinstance(value, date) else value for name, value in error.sent.items()}
    return _problem(
        409,
        "有冲突",
        error.message,
        stored={**stored, "version": error.stored_version},
        sent={**sent, "version": error.sent_version},
    )


def _problem(status: int, title: str, detail: str, **more: Any) -> Response:
    answer = jsonify({"type": "about:blank", "title": title, "status": status, "detail": detail, **more})
    answer.status_code = status
    answer.mimetype = "application/problem+json"
    return answer


@bp.post("")
def create() -> Response:
    """`{"role", "person_code", "subjects": ["grid:CODE", …] or "subject_kind" and "subject_code", "starts_on",
    "ends_on", "replace", "note", "dry_run"}`. 201 with the verdict of each subject, 409 when
    none of them could be assigned.

    Days are half-open as stored: `ends_on` is the first day on which the duty holds no longer.
    """
    body = _body()
    with services().database.read() as session:
        given = body.pop("subjects", None)
        if given is None:
            given = [f"{body.pop('subject_kind', '')}:{body.pop('subject_code', '')}"]
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            raise InvalidValue("subjects", 'subjects 要是一列，写成 ["grid:500237002001001"] 这样。')
        step = Assign(
            role_of(_word(body, "role")),
            person_of(session, _word(body, "person_code"), "person_code", "责任人"),
            tuple(dict.fromkeys(subject_of(one) for one in given)),
            _day(body, "starts_on") or local_date(now()),
            _day(body, "ends_on"),
            body.pop("replace", False) is True,
        )
    return _carried_out(step, body, 201)


@bp.put("/<path:code>")
def change(code: str) -> Response:
    """The sent fields of a duty; `version` is the one that was read, else 409 with both sides."""
    register, row = register_of("duties"), _row(code)
    body = _body()
    version, note = body.pop("version", None), _note(body)
    if not isinstance(version, int) or isinstance(version, bool):
        raise InvalidValue("version", "version 要写取来时的那个版本号。")
    sent = {name: value for name, value in body.items() if name not in _ONLY_ANSWERED}
    with services().database.read() as session:
        facts = facts_now(session)
        if not facts.mine(_as_duty(row)):
            raise NotAllowed("这项责任的对象不全在你的社区里，由主管来改。")
        values, faults = understood(session, register, sent, row.values)
        values.pop("code", None)  # the same, or a fault: codes don't change
    if faults:
        raise InvalidValues(faults)
    with services().database.write() as session:
        actions.correct(session, code, values, version, facts, writer(), note)
    return as_json(row_json(register, _row(code), viewer()))


@bp.post("/copy")
def copy() -> Response:
    """`{"of": "grid:CODE", "to": ["grid:CODE", …], "on", "roles": […], "note"}`."""
    body = _body()
    to = body.pop("to", None)
    roles = body.pop("roles", [])
    if not isinstance(to, list) or not isinstance(roles, list):
        raise InvalidValue("to", 'to 要是一列，写成 ["grid:500237002001002"] 这样。')
    step = Copy(
        subject_of(_word(body, "of")),
        tuple(dict.fromkeys(subject_of(str(one)) for one in to)),
        _day(body, "on") or local_date(now()),
        tuple(role_of(str(one)) for one in roles),
    )
    return _carried_out(step, body, 201)


@bp.post("/<path:code>/<any('hand-over','acting','return','end'):what>")
def step(code: str, what: str) -> Response:
    """hand-over `{"to", "on", "ends_on"}` · acting `{"acting_code", "acting_from", "acting_until"}` · return `{"on"}` ·
    end `{"on"}`; each with `note` and `dry_run`. `codes` beside the one in the address: several at once."""
    body = _body()
    more = body.pop("codes", [])
    if not isinstance(more, list):
        raise InvalidValue("codes", "codes 要是一列编码。")
    codes = tuple(dict.fromkeys([code, *(str(one) for one in more)]))
    for one in codes[:1]:
        _row(one)  # NotFound outside what the asker reads
    today = local_date(now())
    with services().database.read() as session:
        asked: Step
        if what == "hand-over":
            to = person_of(session, _word(body, "to"), "to", "交给谁")
            asked = HandOver(codes, to, _day(body, "on") or today, _day(body, "ends_on"))
        elif what == "acting":
            acting = person_of(session, _word(body, "acting_code"), "acting_code", "代理人")
            asked = Leave(codes, acting, _day(body, "acting_from") or today, _day(body, "acting_until"))
        elif what == "return":
            asked = Return(codes, _day(body, "on") or today)
        else:
            asked = End(codes, _day(body, "on") or today)
    return _carried_out(asked, body, 200)


def _carried_out(step: Step, body: dict[str, Any], status: int) -> Response:
    """The verdicts; a step of which nothing could be done is refused with all of them."""
    note, dry = _note(body), body.pop("dry_run", False) is True
    if body:
        raise InvalidValue(str(next(iter(body)))[:40], f"没有“{str(next(iter(body)))[:40]}”这一项，检查拼写。")
    with services().database.read() as session:
        facts = facts_now(session)
        verdicts = actions.judge(session, step, facts) if dry else None
    if verdicts is None:
        with services().database.write() as session:
            verdicts = actions.carry_out(session, step, facts, writer(), note)
            write_refusals(session, verdicts, writer())
    if not any(one.ok for one in verdicts):
        elsewhere = bool(verdicts) and all("不全在你的社区里" in one.message for one in verdicts)
        told = [_verdict(one) for one in verdicts]
        title = "没有权限" if elsewhere else "有冲突"
        return _problem(
            403 if elsewhere else 409, title, verdicts[0].message if verdicts else "没有可做的。", results=told
        )
    return as_json({"results": [_verdict(one) for one in verdicts], "dry_run": dry}, 200 if dry else status)


def _verdict(verdict: Verdict) -> dict[str, Any]:
    kind, code = verdict.subject
    return {
        "subject": {"kind": kind, "code": code} if kind else None,
        "code": verdict.code,
        "ok": verdict.ok,
        "changed": bool(verdict.changes),
        "message": verdict.message,
        "duties": [_duty(change.after) for change in verdict.changes],
        "clash": _duty(verdict.clash) if verdict.clash else None,
    }


def _duty(duty: DutyRow) -> dict[str, Any]:
    values = {name: getattr(duty, name) for name in DutyRow.__dataclass_fields__}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}


_ONLY_ANSWERED = {"names", "subject", "community", "last_day", "state", "ended_on"}


def _as_duty(row: Row) -> DutyRow:
    return DutyRow(*(row.values.get(name) for name in DutyRow.__dataclass_fields__))  # type: ignore[arg-type]


def _row(code: str) -> Row:
    register = register_of("duties")
    with services().database.read() as session:
        return queries.one(session, register, code, area(register.read_right), here(session, register))


def _body() -> dict[str, Any]:
    try:
        body = orjson.loads(request.get_data(cache=False) or b"{}")
    except orjson.JSONDecodeError:
        raise InvalidValue("body", "请求的内容不是 JSON。") from None
    if not isinstance(body, dict):
        raise InvalidValue("body", '请求的内容要是一个 JSON 对象，例如 {"role": "grid_leader", "person_code": "…"}。')
    return body


def _word(body: dict[str, Any], name: str) -> str:
    value = body.pop(name, "")
    if not isinstance(value, str):
        raise InvalidValue(name, f"{name} 要是文字。")
    return value


def _day(body: dict[str, Any], name: str) -> date | None:
    value = body.pop(name, None)
    if value is not None and not isinstance(value, str):
        raise InvalidValue(name, f"{name} 要写成 2026-11-23 这样。")
    return day_of(value, name)


def _note(body: dict[str, Any]) -> str | None:
    return " ".join(_word(body, "note").split())[:_MOST_NOTE] or None
