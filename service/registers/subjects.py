"""What duties may be for, on which days it exists, and whether a writer's area holds it: judged here alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.clock import ended_by
from service.duties.ledger import Facts, PersonFact, Span, SubjectFact
from service.duties.queries import Subject
from service.duties.rules import SUBJECT_KINDS
from service.errors import InvalidValue
from service.grids.models import Edition, Grid
from service.grids.rules import edition_in_force
from service.people.access import Area
from service.records import counters
from service.records.batches import visible
from service.records.register import BY_PLACE
from service.registers.kinds import REGISTERS
from service.registers.location import locate
from service.registers.rules import Spot, holds_all
from service.responsibility.snapshot import Snapshot

_TOLD = 6  # codes that a message names
_OF_KIND = {one.subject: one for one in REGISTERS.values() if one.subject and one.subject != "grid"}


@dataclass(frozen=True)
class Known:
    """A subject as far as nobody asks; `spots`: the (grid, community) pairs that it lies in."""

    fact: SubjectFact
    spots: tuple[Spot, ...]


@dataclass(frozen=True)
class Seen(Mapping[Subject, SubjectFact]):
    """The same as one writer sees it."""

    known: Mapping[Subject, Known]
    area: Area

    def __getitem__(self, subject: Subject) -> SubjectFact:
        found = self.known[subject]
        return replace(found.fact, mine=holds_all(self.area, found.spots))

    def __iter__(self) -> Iterator[Subject]:
        return iter(self.known)

    def __len__(self) -> int:
        return len(self.known)


def facts_for(session: Session, snapshot: Snapshot, area: Area) -> Facts:
    """All that steps on duties are judged by. `snapshot`: of today; `area`: how far the writer's say reaches."""
    people = {code: PersonFact(code, person.name, person.ended_on) for code, person in snapshot.persons.items()}
    return Facts(snapshot.on, Seen(subject_book(session, snapshot), area), people, area.everywhere)


def subject_book(session: Session, snapshot: Snapshot) -> Mapping[Subject, Known]:
    """Every subject of every kind, ended ones and those of editions to come too; kept as long as the snapshot and the
    ground hold."""
    version = counters.read_all(session)[counters.GROUND]
    key = ("subjects", version)
    kept = snapshot.memo.get(key)
    if kept is None:
        kept = snapshot.memo[key] = _book(session, snapshot)
    return kept  # type: ignore[return-value]


def named(book: Mapping[Subject, Known], area: Area, kind: str, words: str, on: date, most: int) -> list[SubjectFact]:
    """Subjects of a kind in the area that still are there on the day, whose code or name has the words in it: those
    that begin with them first."""
    asked = words.strip().casefold()
    found = []
    for (one, code), known in book.items():
        fact = known.fact
        at = min((text.casefold().find(asked) for text in (code, fact.name) if asked in text.casefold()), default=-1)
        if one == kind and at >= 0 and any(not ended_by(on, until) for _, until in fact.spans):
            found.append((at > 0, fact.code, known))
    found.sort(key=lambda one: one[:2])
    mine = (known.fact for _, _, known in found if holds_all(area, known.spots))
    return list(islice(mine, most))


def code_of(book: Mapping[Subject, Known], area: Area, kind: str, word: str) -> str:
    """The code that a code or the name of only one stands for; the word itself where it is neither. Raises InvalidValue
    naming the codes where several are called so."""
    text = word.strip()
    if (kind, text) in book:
        return text
    called = [
        code
        for (one, code), known in book.items()
        if one == kind and known.fact.name == text and holds_all(area, known.spots)
    ]
    if len(called) > 1:
        told = "、".join(sorted(called)[:_TOLD])
        raise InvalidValue(
            "subject_code", f"叫“{text[:40]}”的{SUBJECT_KINDS[kind]}有 {len(called)} 个：{told}。写编码。"
        )
    return called[0] if called else text


def _book(session: Session, snapshot: Snapshot) -> dict[Subject, Known]:
    office = ("subdistrict", snapshot.office_code)
    book = {office: Known(SubjectFact(*office, snapshot.office_name), ())}
    book |= _grids(session, snapshot.on)
    for kind, register in _OF_KIND.items():
        model: Any = register.model
        columns = [getattr(model, register.key), getattr(model, register.title), model.ended_on]
        columns += [model.kind] if kind == "place" else []
        spots = locate(session, register, snapshot).spots if register.area == BY_PLACE else {}
        for row in session.execute(select(*columns).where(visible(model))):
            code, name, ended = row[:3]
            sort = row[3] if kind == "place" else None
            stands: tuple[Spot, ...] = ((None, code),) if kind == "community" else spots.get(code, ())
            fact = SubjectFact(str(kind), code, name or code, ((None, ended),), sort=sort)
            book[fact.kind, code] = Known(fact, stands)
    return book


def _grids(session: Session, on: date) -> dict[Subject, Known]:
    """Grids of all editions: each holds while one of its community's editions has it."""
    editions: dict[str, list[tuple[date | None, int]]] = defaultdict(list)
    for key, community, starts in session.execute(
        select(Edition.id, Edition.community_code, Edition.starts_on).where(
            Edition.state == "published", visible(Edition)
        )
    ):
        editions[community].append((starts, key))
    periods: dict[int, Span] = {}
    current: set[int | None] = set()
    for held in editions.values():
        held.sort(key=lambda one: one[0] or date.min)
        follow = [*(starts for starts, _ in held[1:]), None]
        periods |= {key: (starts, until) for (starts, key), until in zip(held, follow, strict=True)}
        current.add(edition_in_force(((key, starts) for starts, key in held), on))
    spans: dict[Subject, list[Span]] = defaultdict(list)
    told: dict[Subject, tuple[int, str, tuple[Spot, ...]]] = {}
    columns = (Grid.code, Grid.name, Grid.kind, Grid.community_code, Grid.parent_code, Grid.edition_id, Grid.ended_on)
    for code, name, kind, community, parent, edition, ended in session.execute(
        select(*columns).where(visible(Grid), Grid.edition_id.in_(periods)).order_by(Grid.edition_id)
    ):
        subject = ("micro_grid" if kind == "micro_grid" else "grid", code)
        starts, until = periods[edition]
        spans[subject].append((starts, min(until or date.max, ended) if ended else until))
        if edition in current or subject not in told or told[subject][0] not in current:
            told[subject] = (edition, name, ((parent or code, community),))
    return {
        subject: Known(SubjectFact(*subject, name, joined(spans[subject])), stands)
        for subject, (_, name, stands) in told.items()
    }


def joined(spans: list[Span]) -> tuple[Span, ...]:
    """Periods that follow each other as one, in order.

    >>> joined([(date(2026, 7, 1), None), (None, date(2026, 7, 1))])
    ((None, None),)
    """
    out: list[Span] = []
    for starts, until in sorted(spans, key=lambda one: one[0] or date.min):
        if out and (out[-1][1] is None or (starts is not None and out[-1][1] >= starts) or starts is None):
            ends = None if out[-1][1] is None or until is None else max(out[-1][1], until)
            out[-1] = (out[-1][0], ends)
        else:
            out.append((starts, until))
    return tuple(out)
