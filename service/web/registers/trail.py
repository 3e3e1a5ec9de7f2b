"""The course of a record in words: who did what to it, when, from what to what; newest first."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.clock import SHANGHAI
from service.incidents.rules import is_overdue
from service.people.models import Account
from service.people.rules import ROLES, Viewer
from service.records.register import LONG, Register
from service.registers.history import Change, Event, history
from service.registers.rows import Row
from service.web.register_view import Whose, masked, showing, whose
from service.web.registers.asking import Asking

MOST = 100


@dataclass(frozen=True)
class Line:
    """One field of a change, both sides as words."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Step:
    """One entry of the timeline."""

    at: str
    iso: str
    what: str
    who: str
    role: str
    note: str = ""
    lines: list[Line] = field(default_factory=list)


def course_of(session: Session, ask: Asking, row: Row) -> list[Step]:
    """At most a hundred steps; the interface's history holds all of them."""
    events = history(session, ask.register, row.code, ask.area, ask.located)
    names = account_names(session, ask.viewer, {one.actor for one in events[:MOST] if one.actor})
    steps = [_step(ask.register, one, ask.viewer, names, whose(ask.register, row)) for one in events[:MOST]]
    return [*steps, *_handling(ask, row)] if ask.register.name == "incidents" else steps


def _handling(ask: Asking, row: Row) -> list[Step]:
    """What an incident's own times tell of its handling."""
    source = ask.words.text(row, "source")
    due, closed = row.values.get("due_at"), row.values.get("closed_at")
    passed = due if is_overdue(due, closed, ask.now) else None
    told: list[tuple[datetime | None, str, str]] = [
        (row.values.get("reported_at"), _("上报"), f"{_('来源：')}{source}" if source else ""),
        (passed, _("超过时限"), ""),
        (closed, _("结案"), ""),
    ]
    steps = [(at, Step(brief(at), at.isoformat(), what, note, "")) for at, what, note in told if at is not None]
    return [step for _at, step in sorted(steps, key=lambda one: one[0], reverse=True)]


def account_names(session: Session, viewer: Viewer, accounts: Collection[str]) -> dict[str, str]:
    """Accounts by their person's name, as far as the asker reads it."""
    found = session.execute(select(Account.name, Account.display_name).where(Account.name.in_(accounts)))
    return {account: viewer.name(name) or account for account, name in found}


def _step(register: Register, event: Event, viewer: Viewer, names: Mapping[str, str], of: Whose) -> Step:
    """A new row's fields stand in the facts already: its step names none of them."""
    changes = (
        () if event.verb in ("create", "import") and not any(one.before for one in event.changes) else event.changes
    )
    return Step(
        brief(event.at),
        event.at.isoformat(),
        _(event.word),
        names.get(event.actor or "", event.actor or ""),
        _(ROLES.get(event.role or "", "")),
        " ".join(part for part in (event.files, event.note) if part),
        [Line(_(one.label), *_sides(register, one, viewer, of)) for one in changes],
    )


def brief(at: datetime) -> str:
    """2026-11-23 09:30, in Shanghai."""
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def _sides(register: Register, change: Change, viewer: Viewer, of: Whose) -> tuple[str, str]:
    before, after = (_word(register, change.field, one, viewer, of) for one in (change.before, change.after))
    if change.field == "geometry" and before == after:
        return "", f"{_('移动了')}（{after}）"
    if before == after and before:  # two numbers that look the same under the mask
        return before, f"{after}（{_('另一个')}）"
    return before, after


def _word(register: Register, name: str, value: Any, viewer: Viewer, of: Whose) -> str:
    if value is None or value == "":
        return ""
    if name == "geometry":
        return _place(value)
    described = register.by_name.get(name)
    if described is None:
        return str(value)
    if described.personal or described.kind == LONG:
        return str(masked(described, value, viewer, of) or "")
    if described.reference == "people":
        known = showing(viewer).snapshot.persons.get(str(value))
        return (showing(viewer).person(known.code, known.name) if known else None) or str(value)
    return described.shown(value)


def _place(value: Any) -> str:
    """A geometry told by its kind and how many points it has."""
    if not isinstance(value, dict):
        return ""
    word = str(value.get("type", "")).lower()
    kind = _("点") if "point" in word else _("线") if "line" in word else _("面")
    n = _points(value.get("coordinates"))
    return kind if n == 1 else f"{kind}，{n} {_('个点')}"


def _points(coordinates: Any) -> int:
    if not isinstance(coordinates, list | tuple) or not coordinates:
        return 0
    if isinstance(coordinates[0], int | float):
        return 1
    return sum(_points(one) for one in coordinates)
