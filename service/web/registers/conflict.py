"""Both versions of a row that two people changed at once, field by field (templates/registers/conflict.html)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.errors import InvalidValue, StaleVersion
from service.records.models import AuditEntry
from service.records.register import PHONE, Register, RegisterField
from service.registers.rows import Row
from service.registers.values import choice
from service.web.register_view import masked, whose
from service.web.registers.asking import Asking
from service.web.registers.forms import Typed, drawn, draws, points_text, shape_of, stored_as_typed
from service.web.registers.links import list_url, row_url
from service.web.registers.query import Query
from service.web.registers.trail import account_names, brief

PLACE = "geometry"
_TAKE = "take:"


def conflict_context(
    session: Session, ask: Asking, row: Row, typed: Typed, stale: StaleVersion, query: Query
) -> dict[str, Any]:
    """`row`: as it is stored now; `typed`: what the asker sent."""
    register = ask.register
    others = _since(session, register, row.code, stale.stored_version - stale.sent_version)
    seen = dict(stored_as_typed(register, row).values)
    for entry in others:
        seen |= {name: _as_typed(value) for name, value in (entry.before or {}).items() if name in seen}
    now = stored_as_typed(register, row).values
    fields = [
        _field(ask, one, row, now.get(one.name, ""), seen.get(one.name, ""), typed.values[one.name])
        for one in register.editable
        if one.name in typed.values
    ]
    if draws(register):
        fields.append(_place(register, row, typed, moved=any(PLACE in (one.after or {}) for one in others)))
    last = others[0] if others else None
    names = account_names(session, ask.viewer, {one.actor for one in others})
    return {
        "name": ask.words.title(row),
        "action": row_url(register.name, row.code, query, "edit"),
        "cancel_url": row_url(register.name, row.code, query),
        "list_url": list_url(register.name, query),
        "list_title": _(ask.look.title),
        "version": stale.stored_version,
        "who": names.get(last.actor, last.actor) if last else "",
        "at": brief(last.at) if last else "",
        "fields": fields,
        "kept": [*typed.values.items(), ("points", typed.points), ("shape", typed.shape)],
    }


def taken(typed: Typed, sent: Mapping[str, str]) -> Typed:
    """What is left of a typed form after the choice per field: theirs are not sent."""
    theirs = {name.removeprefix(_TAKE) for name, word in sent.items() if name.startswith(_TAKE) and word == "theirs"}
    values = {name: text for name, text in typed.values.items() if name not in theirs}
    return Typed(values, "" if PLACE in theirs else typed.points, typed.shape, typed.faults)


def _since(session: Session, register: Register, code: str, versions: int) -> list[AuditEntry]:
    """The changes after the version that the asker saw, newest first."""
    mine = (AuditEntry.subject_kind == register.name) & (AuditEntry.subject_code == code)
    verbs = AuditEntry.action.in_(
        [f"{register.noun}.{verb}" for verb in ("change", "end", "restore", "hand_over", "withdraw", "act", "return")]
    )
    found = select(AuditEntry).where(mine, verbs, AuditEntry.ok.is_(True)).order_by(AuditEntry.id.desc())
    return list(session.scalars(found.limit(max(versions, 0))))


def _as_typed(value: Any) -> str:
    return "" if value is None else str(value)


def _field(ask: Asking, one: RegisterField, row: Row, now: str, seen: str, typed: str) -> dict[str, Any]:
    """`now`, `seen` and `typed` as a form shows them; a number that was left empty is not a change."""
    mine = _canonical(one, typed)
    kept_number = one.kind == PHONE and not mine
    differs = mine != now and not kept_number
    return {
        "name": one.name,
        "label": _(one.label),
        "theirs": ask.words.text(row, one.name),
        "mine": str(masked(one, row.values.get(one.name), ask.viewer, whose(ask.register, row)) or "")
        if kept_number
        else one.shown(mine)
        if mine
        else "",
        "differs": differs or (one.kind == PHONE and bool(mine)),
        "mine_changed": mine != seen,
    }


def _canonical(one: RegisterField, text: str) -> str:
    text = text.strip()
    if not one.choices or not text:
        return text
    try:
        return str(choice(one, text))
    except InvalidValue:
        return text


def _place(register: Register, row: Row, typed: Typed, moved: bool) -> dict[str, Any]:
    """`moved`: whether the others changed the place; then the asker's own only wins when it was drawn anew."""
    try:
        differs = drawn(register, typed, row.geometry) is not None
    except InvalidValue:
        differs = True
    return {
        "name": PLACE,
        "label": _("位置"),
        "theirs": _told(points_text(row.geometry), shape_of(register, row.geometry)),
        "mine": _told(typed.points, typed.shape),
        "differs": differs,
        "mine_changed": not moved,
    }


def _told(points: str, shape: str) -> str:
    lines = [line for line in points.split("\n") if line.strip()]
    if not lines:
        return ""
    more = f" {_('等')} {len(lines)} {_('个点')}" if len(lines) > 1 else ""
    return f"{lines[0]}{more}"
