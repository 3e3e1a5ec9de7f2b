"""Duties as they would stand after some changes: what every step is judged against. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from service.clock import is_empty, overlap
from service.duties.queries import DutyRow, Subject
from service.duties.rules import duty_code, is_exclusive, period_words, role_name

Span = tuple[date | None, date | None]


@dataclass(frozen=True)
class SubjectFact:
    """What a duty may be for. `spans`: the half-open periods in which it exists (grids: its editions); `mine`: whether
    the writer's area holds all of it; `sort`: a place's kind."""

    kind: str
    code: str
    name: str
    spans: tuple[Span, ...] = ((None, None),)
    mine: bool = True
    sort: str | None = None

    def holds(self, starts: date | None, ends: date | None) -> bool:
        """Whether it exists on every day of a period."""
        return any(_within((starts, ends), span) for span in self.spans)


def _within(inner: Span, outer: Span) -> bool:
    begins = outer[0] is None or (inner[0] is not None and outer[0] <= inner[0])
    return begins and (outer[1] is None or (inner[1] is not None and inner[1] <= outer[1]))


@dataclass(frozen=True)
class PersonFact:
    """Who may hold a duty. `until`: the day from which on the person is no longer registered; `away`: the periods in
    which somebody stands in for them in a duty of theirs."""

    code: str
    name: str
    until: date | None = None
    away: tuple[Span, ...] = ()

    def away_in(self, starts: date | None, ends: date | None) -> Span | None:
        """The first of those periods that shares a day with this one."""
        return next((one for one in self.away if overlap(starts, ends, *one)), None)


@dataclass(frozen=True)
class Facts:
    """All that a step is judged by, beside the duties: the day, what there is, who there is, and whether the writer's
    say reaches everywhere."""

    today: date
    subjects: Mapping[Subject, SubjectFact]
    people: Mapping[str, PersonFact]
    everywhere: bool = True

    def mine(self, duty: DutyRow) -> bool:
        """Whether the writer may touch a duty: its subject lies in the area; what is gone lies nowhere."""
        found = self.subjects.get((duty.subject_kind, duty.subject_code))
        return found.mine if found else self.everywhere

    def person_name(self, code: str) -> str:
        return self.people[code].name if code in self.people else code

    def subject_name(self, subject: Subject) -> str:
        found = self.subjects.get(subject)
        return found.name if found else subject[1]


@dataclass(frozen=True)
class Change:
    """One duty before (None: a new one) and after."""

    verb: str
    before: DutyRow | None
    after: DutyRow


@dataclass(frozen=True)
class Verdict:
    """What becomes of one subject or duty. `ok` without changes: it was so already. `clash`: the other duty that is in
    the way; `field`: which input is at fault."""

    subject: Subject
    code: str | None
    ok: bool
    message: str
    changes: tuple[Change, ...] = ()
    clash: DutyRow | None = None
    field: str = ""


@dataclass
class Ledger:
    """Duties by code. A step that is accepted is put in at once, so that the next one is judged against it."""

    rows: dict[str, DutyRow] = field(default_factory=dict)
    _by_subject: dict[Subject, set[str]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def of(cls, duties: Iterable[DutyRow]) -> Ledger:
        made = cls()
        for duty in duties:
            made.put(duty)
        return made

    def put(self, duty: DutyRow) -> None:
        before = self.rows.get(duty.code)
        if before is not None:
            self._by_subject[before.subject_kind, before.subject_code].discard(duty.code)
        self.rows[duty.code] = duty
        self._by_subject[duty.subject_kind, duty.subject_code].add(duty.code)

    def put_all(self, changes: Iterable[Change]) -> None:
        for one in changes:
            self.put(one.after)

    def of_subject(self, subject: Subject) -> list[DutyRow]:
        """Oldest first."""
        found = (self.rows[code] for code in self._by_subject.get(subject, ()))
        return sorted(found, key=lambda one: (one.starts_on or date.min, one.code))

    def beside(self, duty: DutyRow) -> list[DutyRow]:
        """The other duties of the same role and subject that share a day with it."""
        return [
            other
            for other in self.of_subject((duty.subject_kind, duty.subject_code))
            if other.code != duty.code
            and other.role == duty.role
            and overlap(duty.starts_on, duty.ends_on, other.starts_on, other.ends_on)
        ]

    def clash(self, duty: DutyRow, before: DutyRow | None = None) -> DutyRow | None:
        """A duty that keeps this one from being: another holder of an exclusive role, or the same person once more.

        `before`: the duty as it stood; what stood beside it on days that it had already is not made worse by it.
        """
        known = {other.code for other in self.beside(before)} if before and _no_wider(before, duty) else set()
        for other in self.beside(duty):
            if (is_exclusive(duty.role) or other.person_code == duty.person_code) and other.code not in known:
                return other
        return None

    def free_code(self, duty: DutyRow) -> str:
        """The code of a new duty."""
        made = duty_code(duty.role, duty.subject_kind, duty.subject_code, duty.person_code, duty.starts_on)
        number, code = 1, made
        while code in self.rows:
            number += 1
            code = f"{made}-{number}"
        return code


def _no_wider(before: DutyRow, after: DutyRow) -> bool:
    same = (before.role, before.subject_kind, before.subject_code) == (
        after.role,
        after.subject_kind,
        after.subject_code,
    )
    return same and _within((after.starts_on, after.ends_on), (before.starts_on, before.ends_on))


def clash_words(clash: DutyRow, facts: Facts) -> str:
    """The other duty: who, from when, until when."""
    who = facts.person_name(clash.person_code)
    return f"{role_name(clash.role)}已有{who}（{period_words(clash.starts_on, clash.ends_on)}）"


def relieved_of_leave(duty: DutyRow) -> DutyRow:
    """The same duty with nobody standing in."""
    return replace(duty, acting_code=None, acting_from=None, acting_until=None)


def is_over(duty: DutyRow, on: date) -> bool:
    """Whether the duty holds neither on the day nor later."""
    return is_empty(duty.starts_on, duty.ends_on) or (duty.ends_on is not None and duty.ends_on <= on)
