"""Responsibility audit: where nobody answers, two do, one has too much, or what is on record no longer holds. Pure.

Judged for a day and some days ahead. docs/decisions/025.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from service.clock import ended_by, in_force, overlap
from service.duties.queries import DutyRow, Subject
from service.duties.rules import ROLES, is_exclusive
from service.people.queries import PersonRow

Span = tuple[date | None, date | None]

VACANT, SOON, TWICE, LOADED, PHONE, ENDING, LOST, LEFT, STREET, SHOP, PLACE, REACH, AGREEMENT = (
    "vacant", "vacant_soon", "overlap", "overloaded", "no_phone", "ending", "subject_gone", "person_gone", "street",
    "frontage", "place", "reach", "agreement",
)  # fmt: skip
NAMES = {
    VACANT: "缺网格长",
    SOON: "即将缺网格长",
    TWICE: "一职两人",
    LOADED: "一人管得太多",
    LEFT: "人已不在",
    LOST: "对象已不在",
    PHONE: "没有电话",
    ENDING: "快到期没人接",
    STREET: "街路没有路长",
    REACH: "河湖林没有负责人",
    PLACE: "场所没有负责人",
    SHOP: "门店没有负责人",
    AGREEMENT: "责任书到期",
}
"""In the order in which they are shown: what leaves people without an answer first."""
URGENT = (VACANT, TWICE, LEFT, LOST)
_MAIN_STREET = 2  # level up to which a street has a 路长; a lane (3) has a 巷长
_WAYS = {True: ("road_chief",), False: ("lane_chief", "road_chief")}


@dataclass(frozen=True)
class Rules:
    """What counts as soon, and as too much: grids in one hand, by role."""

    days: int = 30
    leader_grids: int = 2
    officer_grids: int = 8

    @property
    def most(self) -> Mapping[str, int]:
        return {"grid_leader": self.leader_grids, "grid_officer": self.officer_grids}


@dataclass(frozen=True)
class Audited:
    """A subject as the audit needs it. `spans`: half-open periods in which it exists; `communities`: where it lies;
    `sort`: a street's level or a place's kind; `kept`: a frontage has its own person on record; `expired`: its
    agreement ran out on that day; `reach`: a piece of nature that has a chief; `wanted`: somebody should answer."""

    kind: str
    code: str
    name: str
    spans: tuple[Span, ...] = ((None, None),)
    communities: tuple[str, ...] = ()
    sort: str = ""
    kept: bool = False
    expired: date | None = None
    reach: bool = False
    wanted: bool = True

    def holds(self, on: date) -> bool:
        return any(in_force(starts, on, ends) for starts, ends in self.spans)


@dataclass(frozen=True)
class Finding:
    """One thing to put right. `kind`: a key of NAMES; `persons`: codes, concerned in it; `on`: since or from when;
    `why`: what brings it about (SOON: ends, edition, leaves); `count`: how many grids or duties."""

    kind: str
    subject: Subject
    name: str
    communities: tuple[str, ...] = ()
    role: str = ""
    persons: tuple[str, ...] = ()
    on: date | None = None
    why: str = ""
    count: int = 0
    duties: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Facts:
    """All that is audited."""

    duties: Sequence[DutyRow]
    persons: Mapping[str, PersonRow]
    subjects: Mapping[Subject, Audited]


class _Book:
    """The facts in the order in which they are asked for."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.by_post: dict[tuple[Subject, str], list[DutyRow]] = defaultdict(list)
        self.by_subject: dict[Subject, list[DutyRow]] = defaultdict(list)
        for duty in facts.duties:
            subject = (duty.subject_kind, duty.subject_code)
            self.by_post[subject, duty.role].append(duty)
            self.by_subject[subject].append(duty)

    def there(self, person: str | None, on: date) -> bool:
        """Whether somebody is registered on the day."""
        known = self.facts.persons.get(person or "")
        return known is not None and not ended_by(on, known.ended_on)

    def answers(self, duty: DutyRow, on: date) -> bool:
        return in_force(duty.starts_on, on, duty.ends_on) and self.there(duty.holder_on(on)[0], on)

    def held(self, subject: Subject, roles: Iterable[str] | None, on: date) -> bool:
        """Whether somebody answers on the day, in one of the roles (None: in any)."""
        if roles is None:
            return any(self.answers(duty, on) for duty in self.by_subject.get(subject, ()))
        return any(self.answers(duty, on) for role in roles for duty in self.by_post.get((subject, role), ()))

    def found(self, kind: str, subject: Subject, **more: object) -> Finding:
        known = self.facts.subjects.get(subject)
        name, communities = (known.name, known.communities) if known else (subject[1], ())
        return Finding(kind, subject, name, communities, **more)  # type: ignore[arg-type]


def audit(facts: Facts, today: date, rules: Rules) -> list[Finding]:
    """Everything found, in the order of NAMES and of the subjects' codes."""
    book = _Book(facts)
    found = [
        *_vacancies(book, today, rules.days),
        *_two_at_once(book, today),
        *_overloaded(book, today, rules.most),
        *_without_phone(book, today),
        *_ending(book, today, rules.days),
        *_gone(book, today),
        *_nobody(book, today),
    ]
    order = list(NAMES)
    return sorted(found, key=lambda one: (order.index(one.kind), one.subject, one.role, one.persons))


def _vacancies(book: _Book, today: date, days: int) -> Iterable[Finding]:
    for subject, known in book.facts.subjects.items():
        if subject[0] != "grid":
            continue
        for day, why in _turns(book, known, today, days):
            if known.holds(day) and not book.held(subject, ("grid_leader",), day):
                kind = VACANT if day == today else SOON
                last = [duty for duty in book.by_post.get((subject, "grid_leader"), ()) if duty.ends_on == day]
                yield book.found(
                    kind,
                    subject,
                    role="grid_leader",
                    persons=tuple(sorted({duty.person_code for duty in last})) if kind == SOON else (),
                    on=_since(book, subject, today) if kind == VACANT else day,
                    why=why,
                )
                break


def _turns(book: _Book, known: Audited, today: date, days: int) -> list[tuple[date, str]]:
    """Days up to the last one ahead on which the answer may change, with why; today first."""
    turns: dict[date, str] = {}
    for duty in book.by_post.get(((known.kind, known.code), "grid_leader"), ()):
        turns |= {day: "ends" for day in (duty.ends_on, duty.acting_until) if day}
        for person in (duty.person_code, duty.acting_code):
            one = book.facts.persons.get(person or "")
            if one is not None and one.ended_on:
                turns.setdefault(one.ended_on, "leaves")
        if duty.acting_from:
            turns.setdefault(duty.acting_from, "leaves")
    turns |= {starts: "edition" for starts, _ in known.spans if starts}
    last = today + timedelta(days=days)
    return [(today, ""), *sorted((day, why) for day, why in turns.items() if today < day <= last)]


def _since(book: _Book, subject: Subject, today: date) -> date | None:
    """Since when a post that is vacant has been so, when a duty on record ended."""
    ends = [duty.ends_on for duty in book.by_post.get((subject, "grid_leader"), ()) if duty.ends_on]
    return max((day for day in ends if day <= today), default=None)


def _two_at_once(book: _Book, today: date) -> Iterable[Finding]:
    for (subject, role), duties in book.by_post.items():
        if not is_exclusive(role):
            continue
        pairs = [
            (one, other)
            for at, one in enumerate(duties)
            for other in duties[at + 1 :]
            if one.person_code != other.person_code and _meet(one, other, today)
        ]
        if pairs:
            both = {duty.code: duty for pair in pairs for duty in pair}
            yield book.found(
                TWICE,
                subject,
                role=role,
                persons=tuple(sorted({duty.person_code for duty in both.values()})),
                on=min(max(one.starts_on or date.min, other.starts_on or date.min) for one, other in pairs),
                duties=tuple(sorted(both)),
            )


def _meet(one: DutyRow, other: DutyRow, today: date) -> bool:
    """Whether two duties share a day that isn't over."""
    open_ = all(duty.ends_on is None or duty.ends_on > today for duty in (one, other))
    return open_ and overlap(one.starts_on, one.ends_on, other.starts_on, other.ends_on)


def _overloaded(book: _Book, today: date, most: Mapping[str, int]) -> Iterable[Finding]:
    grids: dict[tuple[str, str], set[Subject]] = defaultdict(set)
    for duty in book.facts.duties:
        if duty.role in most and duty.subject_kind == "grid" and in_force(duty.starts_on, today, duty.ends_on):
            grids[duty.holder_on(today)[0], duty.role].add((duty.subject_kind, duty.subject_code))
    for (person, role), held in grids.items():
        if len(held) > most[role]:
            yield _of_person(book, LOADED, person, held, role=role)


def _without_phone(book: _Book, today: date) -> Iterable[Finding]:
    held: dict[str, list[Subject]] = defaultdict(list)
    for duty in book.facts.duties:
        if in_force(duty.starts_on, today, duty.ends_on):
            held[duty.holder_on(today)[0]].append((duty.subject_kind, duty.subject_code))
    for person, subjects in held.items():
        known = book.facts.persons.get(person)
        if known is not None and not known.phone and book.there(person, today):
            yield _of_person(book, PHONE, person, subjects)


def _of_person(book: _Book, kind: str, person: str, subjects: Iterable[Subject], role: str = "") -> Finding:
    mine = list(subjects)
    homes = {home for one in mine if one in book.facts.subjects for home in book.facts.subjects[one].communities}
    known = book.facts.persons.get(person)
    name = known.name if known else person
    return Finding(kind, ("person", person), name, tuple(sorted(homes)), role, (person,), count=len(mine))


def _ending(book: _Book, today: date, days: int) -> Iterable[Finding]:
    last = today + timedelta(days=days)
    for (subject, role), duties in book.by_post.items():
        known = book.facts.subjects.get(subject)
        for duty in duties:
            ends = duty.ends_on
            if ends is None or not today < ends <= last or not in_force(duty.starts_on, ends - timedelta(days=1), ends):
                continue
            followed = any(other is not duty and book.answers(other, ends) for other in duties)
            if not followed and (known is None or known.holds(ends)):
                yield book.found(
                    ENDING, subject, role=role, persons=(duty.person_code,), on=ends, duties=(duty.code,)
                )  # fmt: skip


def _gone(book: _Book, today: date) -> Iterable[Finding]:
    for duty in book.facts.duties:
        if not in_force(duty.starts_on, today, duty.ends_on):
            continue
        subject = (duty.subject_kind, duty.subject_code)
        known = book.facts.subjects.get(subject)
        more = {"role": duty.role, "persons": (duty.person_code,), "duties": (duty.code,)}
        if known is None or not known.holds(today):
            yield book.found(LOST, subject, **more)
        if not book.there(duty.person_code, today):
            left = book.facts.persons.get(duty.person_code)
            yield book.found(LEFT, subject, on=left.ended_on if left else None, **more)


def _nobody(book: _Book, today: date) -> Iterable[Finding]:
    """Streets, waters, woods, facilities and frontages for which nobody answers; agreements that ran out."""
    for subject, known in book.facts.subjects.items():
        if not known.wanted or not known.holds(today):
            continue
        if known.kind == "street":
            roles = _WAYS[int(known.sort or _MAIN_STREET) <= _MAIN_STREET]
            if not book.held(subject, roles, today):
                yield book.found(STREET, subject, role=roles[0])
        elif known.kind == "place":
            if not book.held(subject, None, today):
                yield book.found(REACH if known.reach else PLACE, subject, role=chief_of(known))
        elif known.kind == "frontage":
            if not known.kept and not book.held(subject, ("shop_keeper",), today):
                yield book.found(SHOP, subject, role="shop_keeper")
            if known.expired:
                yield book.found(AGREEMENT, subject, on=known.expired)


def chief_of(known: Audited) -> str:
    """The role that a place lacks: the chief of its water or wood, else who answers for a facility."""
    if not known.reach:
        return "place_keeper"
    return next((role.code for role in ROLES.values() if known.sort in role.places), "river_chief")
