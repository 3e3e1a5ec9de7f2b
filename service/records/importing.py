"""What a room says of a kind that can be imported: its fields, how its rows are prepared, which tables they go to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from service.db.base import Base
from service.files.mapping import Field
from service.files.table import SourceTable
from service.files.verdicts import Verdicts
from service.geo.points import Points

Column = np.ndarray


@dataclass(frozen=True)
class Asked:
    """What the person who imports said, as far as a kind needs it. `explicit`: fields named by --map or --set."""

    subdistrict: str
    now: datetime
    today: date
    edition: date | None = None
    number_duplicates: bool = False
    time_zone: str = "Asia/Shanghai"
    explicit: frozenset[str] = frozenset()


@dataclass
class Intake:
    """What a kind prepares from: values per field (n,), geometry (n,) in lon/lat or None, the rows' numbers.

    `points` instead of `geometry` where the file has two columns of coordinates. `masked`: per field the cells (by
    index) that hide a value, as exports show them (unmasking.py). `headers`: field to column.
    """

    values: dict[str, Column]
    geometry: Column | None
    rows: np.ndarray
    verdicts: Verdicts
    asked: Asked
    alive: np.ndarray
    points: Points | None = None
    masked: dict[str, dict[int, str]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def reject(self, index: int, name: str, value: object, reason: str) -> None:
        """One row out, with the reason; the first reason of a row counts."""
        if self.alive[index]:
            self.alive[index] = False
            self.verdicts.reject(int(self.rows[index]), name, value, reason)

    def reject_where(self, bad: np.ndarray, name: str, values: Column, reason: str) -> None:
        for index in np.flatnonzero(bad & self.alive).tolist():
            self.reject(index, name, values[index], reason)

    def has(self, name: str) -> bool:
        return name in self.values

    def column(self, name: str) -> Column:
        """The field's values, all None when the file doesn't have it."""
        if name in self.values:
            return self.values[name]
        return np.full(len(self.rows), None, dtype=object)


@dataclass
class Rows:
    """One table's share: `columns` hold what is written and compared; `key` says which row is meant.

    `source` marks rows that stand for rows of the file (they are counted); helper rows (editions) don't.
    """

    model: type[Base]
    key: tuple[str, ...]
    columns: dict[str, Column]
    geometry: Column | Points | None = None
    source: bool = True

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


Stage = Callable[[Session], Rows]


@dataclass
class Prepared:
    """What an import will do. Stages run in order, each seeing what the ones before it wrote; `at_finish` runs in the
    transaction that makes the import visible, with the batch's id."""

    stages: list[Stage]
    at_finish: list[Callable[[Session, int], None]] = field(default_factory=list)
    faults: list[Any] = field(default_factory=list)
    edition: str | None = None


@dataclass(frozen=True)
class Kind:
    """One kind of CONTRACT's import. `tables`: name to model, children first, for undoing. `relocates`: what lies in
    its shapes has to be located again. `choose` names columns by what is in them (field to column), where headers
    alone would mislead.
    """

    name: str
    label: str
    fields: Sequence[Field]
    geometry: str
    prepare: Callable[[Session, Intake], Prepared]
    tables: dict[str, type[Base]]
    counters: tuple[str, ...]
    points_from: tuple[str, str] | None = None
    geometry_needed: bool = False
    relocates: bool = False
    choose: Callable[[SourceTable], dict[str, str]] | None = None
