"""REST of the registers under /api/v1: lists, rows, writing with a version, the end of validity, bulk changes,
history."""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson
from flask import Blueprint, Response, jsonify, request

from service.errors import InvalidValue, InvalidValues, StaleVersion
from service.people.rules import Viewer
from service.records.register import LONG, Register
from service.registers import actions, queries
from service.registers.bulk import change_many, end_many, read_changes
from service.registers.history import history
from service.registers.judging import may_write_any
from service.registers.kinds import REGISTERS, register_of
from service.registers.location import Located
from service.registers.rows import Row
from service.web.api import as_json
from service.web.context import area, asked_day, services, viewer
from service.web.own_page import from_own_page
from service.web.register_bulk import asked_bulk, bulk_json
from service.web.register_view import (
    Whose,
    asked_list,
    event_json,
    here,
    masked,
    masked_values,
    row_json,
    whole,
    whose,
    writer,
)

bp = Blueprint("register_api", __name__, url_prefix="/api/v1")
bp.before_request(from_own_page)
_KEPT = ",".join(name for name, one in REGISTERS.items() if one.by_forms)
_KIND = f"/<any({_KEPT}):kind>"
_READ = f"/<any({_KEPT},duties):kind>"  # duties are changed by steps of their own (duties_api.py)


@bp.errorhandler(InvalidValues)
def invalid(error: InvalidValues) -> Response:
    """Every field at fault, not only the first."""
    return _problem(
        422,
        "填写有误",
        error.message,
        errors=[{"field": field, "message": message} for field, message in error.errors],
    )


@bp.errorhandler(StaleVersion)
def stale(error: StaleVersion) -> Response:
    """Both sides of the conflict, masked like any row."""
    given = request.view_args or {}
    register, asking = register_of(str(given.get("kind"))), viewer()
    of = Whose(register.name, str(given.get("code")), error.stored.get("organisation_code"))
    return _problem(
        409,
        "有冲突",
        error.message,
        stored={**masked_values(register, error.stored, asking, of), "version": error.stored_version},
        sent={**error.sent, "version": error.sent_version},
    )


def _problem(status: int, title: str, detail: str, **more: Any) -> Response:
    answer = jsonify({"type": "about:blank", "title": title, "status": status, "detail": detail, **more})
    answer.status_code = status
    answer.mimetype = "application/problem+json"
    return answer


@bp.get("/incidents", defaults={"kind": "incidents"}, endpoint="incidents")
@bp.get(_READ, endpoint="rows")
def rows(kind: str) -> Response:
    """One page: `items`, `total`, `counts` per state, `next` (the cursor of the next page, or null)."""
    register, asking, day = register_of(kind), viewer(), asked_day()
    asked = asked_list(register, request.args, day, asking)
    with services().database.read() as session:
        found = queries.page(session, register, asked, here(session, register, day))
    end = asked.offset + len(found.rows)
    return as_json(
        {
            "items": [row_json(register, row, asking) for row in found.rows],
            "total": found.total,
            "counts": found.counts,
            "next": str(end) if found.rows and end < found.total else None,
        }
    )


@bp.get("/incidents/<path:code>", defaults={"kind": "incidents"}, endpoint="incident")
@bp.get(f"{_READ}/<path:code>", endpoint="row")
def row(kind: str, code: str) -> Response:
    """One row with its version and geometry; `on=`: as on that day, a grid then of the edition in force."""
    register = register_of(kind)
    return as_json(row_json(register, _row(register, code, asked_day()), viewer()))


@bp.get("/incidents/<path:code>/history", defaults={"kind": "incidents"}, endpoint="incident_history")
@bp.get(f"{_READ}/<path:code>/history", endpoint="row_history")
def row_history(kind: str, code: str) -> Response:
    """Who changed the row, when, from what; the newest first."""
    register, asking = register_of(kind), viewer()
    with services().database.read() as session:
        located = here(session, register)
        events = history(session, register, code, area(register.read_right), located)
    return as_json({"items": [event_json(register, one, asking, Whose(register.name, code)) for one in events]})


@bp.post(_KIND)
def create(kind: str) -> Response:
    """A new row: fields and `geometry`. 201 with the row."""
    register = register_of(kind)
    sent, _, geometry = _body(register)
    located = _here(register)
    with services().database.write() as session:
        done = actions.create(session, register, sent, writer(), located, geometry)
    answer = as_json(row_json(register, _row(register, done.code), viewer()), 201)
    answer.headers["Location"] = f"/api/v1/{kind}/{done.code}"
    return answer


@bp.post(f"{_KIND}/bulk")
def bulk(kind: str) -> Response:
    """The same change, or the end, of many rows: a verdict per row, as the page's bulk change. 200 also where rows are
    refused; a body that no row could follow is refused as a whole."""
    register = register_of(kind)
    by = writer()
    may_write_any(register, by.area)
    asked = asked_bulk(_json())
    located = _here(register)
    if asked.changes is None:
        with services().database.write() as session:
            done = end_many(session, register, asked.rows, by, located, asked.on, asked.reason)
    else:
        with services().database.read() as session:
            values = read_changes(session, register, asked.changes)
        with services().database.write() as session:
            done = change_many(session, register, asked.rows, values, by, located)
    return as_json(bulk_json(done))


@bp.put(f"{_KIND}/<path:code>")
def change(kind: str, code: str) -> Response:
    """The sent fields and `geometry` of a row; `version` is the one that was read, 409 with both sides when it is not
    the stored one any more."""
    register, asking = register_of(kind), viewer()
    sent, version, geometry = _body(register)
    sent = _without_masks(register, _row(register, code), sent, asking)
    located = _here(register)
    with services().database.write() as session:
        actions.change(session, register, code, sent, _needed(version), writer(), located, geometry)
    return as_json(row_json(register, _row(register, code), asking))


@bp.delete(f"{_KIND}/<path:code>")
def end(kind: str, code: str) -> Response:
    """The end of validity, today or `on=`; nothing is deleted. `version=` as in PUT."""
    register = register_of(kind)
    version = whole(request.args, "version", 0, 1, 2**31 - 1) or None
    day = asked_day() if request.args.get("on") else None
    located = _here(register)
    with services().database.write() as session:
        actions.end(session, register, code, _needed(version), writer(), located, day)
    return as_json(row_json(register, _row(register, code), viewer()))


@bp.post(f"{_KIND}/<path:code>/restore")
def restore(kind: str, code: str) -> Response:
    """An ended row holds again. Body: `version`."""
    register = register_of(kind)
    _, version, _ = _body(register)
    located = _here(register)
    with services().database.write() as session:
        actions.restore(session, register, code, _needed(version), writer(), located)
    return as_json(row_json(register, _row(register, code), viewer()))


def _here(register: Register) -> Located:
    """Worked out before the write begins: nobody waits for it."""
    with services().database.read() as session:
        return here(session, register)


def _row(register: Register, code: str, on: date | None = None) -> Row:
    with services().database.read() as session:
        return queries.one(session, register, code, area(register.read_right), here(session, register, on))


def _json() -> Any:
    try:
        return orjson.loads(request.get_data(cache=False) or b"{}")
    except orjson.JSONDecodeError:
        raise InvalidValue("body", "请求的内容不是 JSON。") from None


def _body(register: Register) -> tuple[dict[str, Any], int | None, Any]:
    """(fields, version, geometry) of the JSON body. What only an answer holds is passed over, so that an answer can be
    sent back changed."""
    body = _json()
    if not isinstance(body, dict):
        raise InvalidValue("body", '请求的内容要是一个 JSON 对象，例如 {"version": 1, "name": "…"}。')
    version = body.pop("version", None)
    if version is not None and (not isinstance(version, int) or isinstance(version, bool)):
        raise InvalidValue("version", "version 要是整数，写取来时的那个版本号。")
    geometry = body.pop("geometry", None)
    only_answers = {"names", "ended_on", *(one.name for one in register.derived)} - set(register.by_name)
    return {name: value for name, value in body.items() if name not in only_answers}, version, geometry


def _needed(version: int | None) -> int:
    if version is None:
        raise InvalidValue("version", "缺少 version：写取来时的那个版本号，免得盖掉别人的修改。")
    return version


def _without_masks(register: Register, stored: Row, sent: dict[str, Any], asking: Viewer) -> dict[str, Any]:
    """A masked phone, name or note that comes back as it was shown is no change."""
    return {
        name: value
        for name, value in sent.items()
        if not (
            name in register.by_name
            and (register.by_name[name].personal or register.by_name[name].kind == LONG)
            and value is not None
            and value == masked(register.by_name[name], stored.values.get(name), asking, whose(register, stored))
            and value != stored.values.get(name)
        )
    }
