"""Duties assigned, handed over, acted for, ended, corrected, copied: judged first, then written. None commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.clock import overlap, spoken
from service.db.bulk import among
from service.duties.ledger import Change, Facts, Ledger, PersonFact, Verdict
from service.duties.models import Duty
from service.duties.queries import DutyRow, beside_these, duties_of
from service.duties.rules import role_name
from service.duties.steps import Correct, Step
from service.errors import Conflict, NotFound, StaleVersion, TooMany
from service.people.models import Person
from service.people.writers import By
from service.records import audit, counters
from service.records.audit import Subject as Noted
from service.records.audit import differences
from service.records.batches import visible
from service.records.models import AuditEntry

MOST = 500  # the write lock is held under a second
_FIELDS = tuple(one.name for one in fields(DutyRow))


def judge(session: Session, step: Step, facts: Facts) -> list[Verdict]:
    """What would become of each subject or duty; nothing is written. Raises InvalidValues, TooMany."""
    if max(len(step.subjects), len(step.codes)) > MOST:
        raise TooMany(f"一次最多 {MOST} 个，这里有 {max(len(step.subjects), len(step.codes))} 个。先分成几批。")
    facts = replace(facts, people={**facts.people, **_people(session, step)})
    step.check(facts)
    return step.plan(Ledger.of(beside_these(session, step.codes, step.subjects)), facts)


def carry_out(session: Session, step: Step, facts: Facts, by: By, note: str | None = None) -> list[Verdict]:
    """The same, and what is accepted is written, with a line in the trail for each duty. Those that are refused stay as
    they are. Raises InvalidValues, TooMany."""
    revision = counters.move(session, counters.RESPONSIBILITY)  # writers wait here for each other, before they read
    verdicts = judge(session, step, facts)
    changes = [change for verdict in verdicts for change in verdict.changes]
    _write(session, changes, facts, by, revision, note)
    return verdicts


def correct(
    session: Session,
    code: str,
    values: Mapping[str, Any],
    version: int | None,
    facts: Facts,
    by: By,
    note: str | None = None,
) -> Verdict:
    """Fields of one duty. Raises StaleVersion when `version` isn't the stored one (None: whatever it is), NotFound,
    InvalidValues, Conflict naming the duty that is in the way."""
    counters.move(session, counters.RESPONSIBILITY)
    row = session.scalars(
        select(Duty).where(Duty.code == code, visible(Duty)).execution_options(populate_existing=True)
    ).first()
    if row is None:
        raise NotFound(f"没有编码是“{code[:40]}”的责任，或者不在你的范围里。")
    if version is not None and version != row.version:
        message = f"这条责任在你打开之后被改过{_by_whom(session, code)}。看过现在的内容，再决定怎样改。"
        raise StaleVersion(message, _told(_row(row)), row.version, values, version)
    verdict = carry_out(session, Correct(code, values), facts, by, note)[0]
    if not verdict.ok:
        raise Conflict(verdict.message)
    return verdict


def _people(session: Session, step: Step) -> dict[str, PersonFact]:
    """Those who are to answer, as they are registered now, with the days on which others stand in for them."""
    wanted = [one for one in step.people if one and "\0" not in one]
    if not wanted:
        return {}
    found = session.execute(
        select(Person.code, Person.name, Person.ended_on).where(among(Person.code, wanted), visible(Person))
    )
    people = {row[0]: PersonFact(*row) for row in found}
    for duty in sorted(duties_of(session, people=wanted), key=lambda one: (one.acting_from or date.min, one.code)):
        mine = people.get(duty.person_code)
        if mine and duty.acting_code and overlap(duty.starts_on, duty.ends_on, duty.acting_from, duty.acting_until):
            people[mine.code] = replace(mine, away=(*mine.away, (duty.acting_from, duty.acting_until)))
    return people


def _write(session: Session, changes: Sequence[Change], facts: Facts, by: By, revision: int, note: str | None) -> None:
    """All of a step at once: rows read together, written together, one line in the trail for each change."""
    known = [change.after.code for change in changes if change.before is not None]
    rows = {row.code: row for row in session.scalars(select(Duty).where(among(Duty.code, known)))} if known else {}
    lines = []
    for change in changes:
        after = change.after
        if change.before is None:
            values = {name: getattr(after, name) for name in _FIELDS}
            row = Duty(**values, subdistrict=by.subdistrict, version=1, revision=revision)
            session.add(row)
            rows[after.code] = row
            before, told = None, {name: value for name, value in _told(after).items() if value is not None}
        else:
            row = rows[after.code]
            for name in _FIELDS:
                setattr(row, name, getattr(after, name))
            row.version += 1
            row.revision = revision
            before, told = differences(_told(change.before), _told(after))
        name = f"{role_name(after.role)} {facts.subject_name((after.subject_kind, after.subject_code))}"
        noted = Noted("duties", after.code, name)
        lines.append(audit.Line(f"duty.{change.verb}", noted, before=before, after=told, note=note))
    session.flush()
    audit.append_lines(session, by.actor, by.now, lines)


def _row(row: Duty) -> DutyRow:
    return DutyRow(*(getattr(row, name) for name in _FIELDS))


def _told(duty: DutyRow) -> dict[str, Any]:
    """A duty as plain JSON, for the trail and for a conflict's two sides."""
    return {name: value.isoformat() if isinstance(value := getattr(duty, name), date) else value for name in _FIELDS}


def _by_whom(session: Session, code: str) -> str:
    last = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.subject_kind == "duties", AuditEntry.subject_code == code)
        .where(AuditEntry.action.startswith("duty."))
        .order_by(AuditEntry.id.desc())
        .limit(1)
    ).first()
    return f"（{last.actor}，{spoken(last.at)}）" if last else ""
