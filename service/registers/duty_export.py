"""What a file of duties tells beside the stored codes: who that is, where, in which state; and the subjects' shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from sqlalchemy.orm import Session

from service.documents.tables import Cell, Column
from service.duties.queries import Subject
from service.duties.rules import STATES, state_on
from service.registers.duty_words import subject_names, subject_shapes
from service.registers.location import Located
from service.responsibility.showing import Showing

# The import knows none of these headers, so that a file comes back in unchanged.
STANDS = (
    Column("责任人是谁", width=14),
    Column("对象叫什么", width=26),
    Column("在哪个社区", width=16),
    Column("当日状态", width=10),
)


class Read(Protocol):
    """Some rows as columns by name."""

    @property
    def codes(self) -> Sequence[str]: ...

    def column(self, name: str) -> Sequence[object]: ...


class DutyStands:
    """For one export; names by the asker's right."""

    def __init__(self, session: Session, located: Located, showing: Showing) -> None:
        self._session, self._located, self._showing = session, located, showing

    def told(self, read: Read) -> Sequence[Sequence[Cell]]:
        """One column of cells for each of STANDS."""
        located, persons = self._located, self._showing.snapshot.persons
        people = [persons.get(str(code)) for code in read.column("person_code")]
        names = subject_names(self._session, located.zones, set(_subjects(read)))
        homes = [next(iter(located.spots.get(code, ())), (None, None))[1] for code in read.codes]
        dates = [read.column(one) for one in ("starts_on", "ends_on", "acting_code", "acting_from", "acting_until")]
        return (
            [self._showing.person(one.code, one.name, one.organisation_code) if one else None for one in people],
            [names.get(subject) for subject in _subjects(read)],
            [located.communities.get(home, home) if home else None for home in homes],
            [
                STATES[state_on(starts, ends, located.on, acting, since, until)]
                for starts, ends, acting, since, until in zip(*dates, strict=True)
            ],
        )

    def shapes(self, read: Read) -> np.ndarray:
        """Where the subjects lie (n,), for maps; None where they lie nowhere."""
        subjects = _subjects(read)
        found = subject_shapes(self._session, self._located.on, set(subjects))
        out = np.empty(len(subjects), dtype=object)
        for at, subject in enumerate(subjects):
            out[at] = found.get(subject)
        return out


def _subjects(read: Read) -> list[Subject]:
    return [(str(a), str(b)) for a, b in zip(read.column("subject_kind"), read.column("subject_code"), strict=True)]
