"""The trail: every change, sign-in, refusal, unmasking and export, each line's hash covering the line before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.db.types import iso_ms
from service.records import counters
from service.records.models import AuditEntry

GENESIS = "0" * 64
_LOCK = 7_302_116_202  # PostgreSQL's advisory lock of the trail's end; on the GeoPackage there is one writer anyway
_HASHED = (
    "id",
    "at",
    "actor",
    "role",
    "address",
    "action",
    "ok",
    "subject_kind",
    "subject_code",
    "subject_name",
    "before",
    "after",
    "note",
)


@dataclass(frozen=True)
class Actor:
    """Who does something, as the trail writes it down."""

    name: str
    role: str | None = None
    address: str | None = None
    account_id: int | None = None


SYSTEM = Actor("系统")
COMMAND_LINE = Actor("命令行", "admin")


@dataclass(frozen=True)
class Subject:
    """What it was done to, by kind and code: the trail never imports what it is about."""

    kind: str
    code: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class Line:
    """What one line says. `before` and `after`: only the fields that differ, as plain JSON."""

    action: str
    subject: Subject | None = None
    ok: bool = True
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    note: str | None = None


def append(
    session: Session,
    actor: Actor,
    action: str,
    now: datetime,
    subject: Subject | None = None,
    *,
    ok: bool = True,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    note: str | None = None,
) -> AuditEntry:
    """One more line, in the caller's transaction. `before` and `after`: only the fields that differ, as plain JSON."""
    return append_lines(session, actor, now, [Line(action, subject, ok, before, after, note)])[0]


def append_lines(session: Session, actor: Actor, now: datetime, lines: Sequence[Line]) -> list[AuditEntry]:
    """Many lines in order, each hash covering the line before: the end of the trail is asked for and moved once."""
    if not lines:
        return []
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
    last, previous = head(session)
    entries = []
    for number, line in enumerate(lines, start=last + 1):
        entries.append(_entry(number, previous, actor, now, line))
        previous = entries[-1].hash
    session.add_all(entries)
    session.flush()
    counters.reach(session, counters.TRAIL, last + len(lines))
    return entries


def _entry(number: int, previous: str, actor: Actor, now: datetime, line: Line) -> AuditEntry:
    subject = line.subject
    entry = AuditEntry(
        id=number,
        at=to_milliseconds(now),
        actor=actor.name,
        role=actor.role,
        address=actor.address,
        action=line.action,
        ok=line.ok,
        subject_kind=subject.kind if subject else None,
        subject_code=subject.code if subject else None,
        subject_name=subject.name if subject else None,
        before=None if line.before is None else dict(line.before),
        after=None if line.after is None else dict(line.after),
        note=line.note,
        previous=previous,
    )
    entry.hash = line_hash(entry)
    return entry


def line_hash(entry: AuditEntry) -> str:
    """SHA-256 over the previous line's hash and this line's content, as canonical JSON."""
    content = {name: getattr(entry, name) for name in _HASHED} | {"at": iso_ms(entry.at)}
    told = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{entry.previous}\n{told}".encode()).hexdigest()


def to_milliseconds(moment: datetime) -> datetime:
    """What both stores keep of a moment, so that a line's hash is the same when it is read again."""
    return moment.astimezone(UTC).replace(microsecond=moment.microsecond // 1000 * 1000)


def head(session: Session) -> tuple[int, str]:
    """Number and hash of the last line; (0, GENESIS) of an empty trail."""
    last = session.execute(select(AuditEntry.id, AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1)).first()
    return (int(last[0]), str(last[1])) if last else (0, GENESIS)


def lines(session: Session, at_once: int = 2_000) -> Iterator[AuditEntry]:
    """Every line in order, some thousand at a time; also those that were slipped in before the first."""
    reached: int | None = None
    while True:
        asked = select(AuditEntry).order_by(AuditEntry.id).limit(at_once)
        found = session.scalars(asked if reached is None else asked.where(AuditEntry.id > reached)).all()
        if not found:
            return
        yield from found
        reached = found[-1].id
        session.expunge_all()


def differences(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields that differ, of both sides.

    >>> differences({"name": "甲", "phone": "1"}, {"name": "乙", "phone": "1"})
    ({'name': '甲'}, {'name': '乙'})
    """
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}
