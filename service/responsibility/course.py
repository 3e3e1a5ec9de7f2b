"""Who held what, when: the duties of one subject or one person, in order, without gaps being hidden. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from service.clock import in_force, is_empty
from service.duties.queries import DutyRow
from service.duties.rules import is_exclusive, role_rank


@dataclass(frozen=True)
class Away:
    """Somebody stood in."""

    person: str
    starts: date | None
    ends: date | None


@dataclass(frozen=True)
class Held:
    """One person in one role for one subject, without a break; `codes`: the duties that say so. `person` None: nobody
    held an exclusive role then. `as_acting`: the person whose course it is only stood in."""

    role: str
    subject: tuple[str, str]
    person: str | None
    starts: date | None
    ends: date | None
    away: tuple[Away, ...] = ()
    codes: tuple[str, ...] = ()
    as_acting: bool = False

    def now(self, on: date) -> bool:
        return in_force(self.starts, on, self.ends)


def of_subject(duties: Iterable[DutyRow]) -> list[tuple[str, list[Held]]]:
    """Per role, the nearest first: its holders, newest first, with the days on which nobody held an exclusive one."""
    by_role: dict[str, list[DutyRow]] = {}
    for duty in _real(duties):
        by_role.setdefault(duty.role, []).append(duty)
    out = []
    for role in sorted(by_role, key=lambda one: (role_rank(one), one)):
        held = joined(by_role[role])
        out.append((role, list(reversed(with_gaps(held) if is_exclusive(role) else held))))
    return out


def of_person(duties: Iterable[DutyRow], person: str) -> list[Held]:
    """What somebody answered for, held and acted for, newest first."""
    own: dict[tuple[str, str, str], list[DutyRow]] = {}
    stood_in = []
    for duty in _real(duties):
        if duty.person_code == person:
            own.setdefault((duty.role, duty.subject_kind, duty.subject_code), []).append(duty)
        if duty.acting_code == person:
            subject = (duty.subject_kind, duty.subject_code)
            starts = max((d for d in (duty.acting_from, duty.starts_on) if d), default=None)
            ends = min((d for d in (duty.acting_until, duty.ends_on) if d), default=None)
            stood_in.append(Held(duty.role, subject, duty.person_code, starts, ends, (), (duty.code,), True))
    held = [one for some in own.values() for one in joined(some)]
    return sorted([*held, *stood_in], key=lambda one: (one.ends or date.max, one.starts or date.min), reverse=True)


def _real(duties: Iterable[DutyRow]) -> list[DutyRow]:
    """Without those that were withdrawn before they began."""
    return [one for one in duties if not is_empty(one.starts_on, one.ends_on)]


def joined(duties: Sequence[DutyRow]) -> list[Held]:
    """Duties of one role and subject, oldest first; those of one person that follow each other as one."""
    out: list[Held] = []
    for duty in sorted(duties, key=lambda one: (one.starts_on or date.min, one.code)):
        away = (
            (Away(duty.acting_code, duty.acting_from, duty.acting_until),)
            if duty.acting_code and not is_empty(duty.acting_from, duty.acting_until)
            else ()
        )
        last = out[-1] if out else None
        if last and last.person == duty.person_code and last.ends is not None and last.ends == duty.starts_on:
            out[-1] = Held(
                last.role,
                last.subject,
                last.person,
                last.starts,
                duty.ends_on,
                last.away + away,
                (*last.codes, duty.code),
            )
            continue
        subject = (duty.subject_kind, duty.subject_code)
        out.append(Held(duty.role, subject, duty.person_code, duty.starts_on, duty.ends_on, away, (duty.code,)))
    return out


def with_gaps(held: Sequence[Held]) -> list[Held]:
    """The same with the days between on which nobody held the role."""
    out: list[Held] = []
    for one, following in pairwise([*held, None]):
        assert one is not None
        out.append(one)
        covered = max(other.ends or date.max for other in out if other.person)
        begins = following.starts if following else date.max
        if begins is not None and covered < begins:
            out.append(Held(one.role, one.subject, None, covered, following.starts if following else None))
    return out
