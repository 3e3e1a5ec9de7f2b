"""Whole phone numbers on demand: pages and interfaces carry masked ones only."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request

from service.clock import local_date
from service.errors import InvalidValue
from service.records.audit import Subject
from service.responsibility.revealing import ACTION, reveal_phone
from service.web import refusals
from service.web.context import actor, by_token, now, services, viewer

bp = Blueprint("people", __name__)


@bp.post("/phones/reveal")
def reveal() -> Response:
    """{"phone": …} of {"kind": people|frontages|organisations, "code": …}, as a form or JSON."""
    if not by_token():
        current_app.extensions["csrf"].protect()  # a browser sends its cookie along unasked, a token never
    kind, code = _asked("kind"), _asked("code")
    given, asking = services(), viewer()
    snapshot = given.responsibility.on(local_date(now()))
    refusals.told_as(ACTION, Subject(kind, code))
    with given.database.write() as session:
        phone = reveal_phone(session, snapshot, kind, code, asking, actor(), now())
    answer = jsonify({"phone": phone})
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _asked(field: str) -> str:
    body: Any = request.get_json(silent=True)
    value = body.get(field) if isinstance(body, dict) else request.form.get(field)
    if not isinstance(value, str) or not value.strip():
        raise InvalidValue(field, f"缺少 {field}。")
    return value.strip()[:200]
