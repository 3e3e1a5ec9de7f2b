"""Duties in force on a day, by subject."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from service.clock import in_force
from service.db.bulk import among
from service.duties.models import Duty
from service.duties.rules import acting_on, role_rank
from service.records.batches import visible


@dataclass(frozen=True)
class DutyRow:
    """A duty as stored; dates half-open."""

    code: str
    role: str
    subject_kind: str
    subject_code: str
    person_code: str
    acting_code: str | None
    acting_from: date | None
    acting_until: date | None
    starts_on: date | None
    ends_on: date | None

    def holder_on(self, on: date) -> tuple[str, str | None]:
        """(code of the person who answers on the day, code of the absent holder or None)."""
        if acting_on(self.acting_code, self.acting_from, on, self.acting_until) and self.acting_code:
            return self.acting_code, self.person_code
        return self.person_code, None


Subject = tuple[str, str]


def all_duties(session: Session) -> list[DutyRow]:
    """Every duty, past and future too."""
    columns = [getattr(Duty, name) for name in DutyRow.__dataclass_fields__]
    return [DutyRow(*row) for row in session.execute(select(*columns).where(visible(Duty)))]


def by_subject(duties: list[DutyRow], on: date, gone: Collection[str] = frozenset()) -> dict[Subject, list[DutyRow]]:
    """Those in force on the day, per (subject kind, code), in the order in which their roles answer.

    `gone`: persons who have ended by then; what they would answer for is vacant.
    """
    found: dict[Subject, list[DutyRow]] = defaultdict(list)
    for duty in duties:
        if in_force(duty.starts_on, on, duty.ends_on) and duty.holder_on(on)[0] not in gone:
            found[duty.subject_kind, duty.subject_code].append(duty)
    for held in found.values():
        held.sort(key=lambda duty: (role_rank(duty.role), duty.starts_on or date.min, duty.code))
    return dict(found)


def duties_of(
    session: Session, codes: Collection[str] = (), subjects: Collection[Subject] = (), people: Collection[str] = ()
) -> list[DutyRow]:
    """Those that are named, those of the subjects, and those in which one of the people answers or answered."""
    columns = [getattr(Duty, name) for name in DutyRow.__dataclass_fields__]
    wanted = []
    if codes:
        wanted.append(among(Duty.code, codes))
    if subjects:
        mine = set(subjects)
        wanted.append(among(Duty.subject_code, {code for _, code in mine}))
    if people:
        wanted += [among(Duty.person_code, people), among(Duty.acting_code, people)]
    if not wanted:
        return []
    return [DutyRow(*row) for row in session.execute(select(*columns).where(visible(Duty), or_(*wanted)))]


def beside_these(session: Session, codes: Collection[str], subjects: Collection[Subject]) -> list[DutyRow]:
    """The named duties with all others of the same subjects, and all duties of the named subjects."""
    named = duties_of(session, codes)
    return duties_of(session, subjects={*subjects, *((one.subject_kind, one.subject_code) for one in named)})
