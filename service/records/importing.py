"""How rows from a file get into a table: told apart as new, changed and unchanged, applied in short transactions.

A room describes its kind (fields, how to prepare); this module applies. Rows of an unfinished import are seen nowhere:
new rows carry the batch's id, changed rows are written in the transaction that finishes the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import shapely
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from service.db.base import Base
from service.db.spatial import encode, raw_geometry, read_geometries
from service.files.mapping import Field
from service.files.verdicts import Verdicts
from service.records.batches import plain_values, visible
from service.records.models import ImportRow

Column = np.ndarray
_CHUNK = 4_000


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
    """What a kind prepares from: values per field (n,), geometry (n,) in lon/lat or None, the rows' numbers."""

    values: dict[str, Column]
    geometry: Column | None
    rows: np.ndarray
    verdicts: Verdicts
    asked: Asked
    alive: np.ndarray

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
    geometry: Column | None = None
    source: bool = True
    keep_missing: bool = True

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
    """One kind of CONTRACT's import. `tables`: name to model, children first, for undoing."""

    name: str
    label: str
    fields: Sequence[Field]
    geometry: str
    prepare: Callable[[Session, Intake], Prepared]
    tables: dict[str, type[Base]]
    counters: tuple[str, ...]
    points_from: tuple[str, str] | None = None
    geometry_needed: bool = False


@dataclass
class Change:
    """Rows of one stage, told apart. `updated` pairs (index in rows, id in the table)."""

    rows: Rows
    new: np.ndarray
    updated: list[tuple[int, int]]
    unchanged: int
    empty_table: bool


def classify(session: Session, rows: Rows) -> Change:
    """Compare with what the table holds."""
    n = len(rows)
    table_empty = session.scalar(select(func.count()).select_from(select(rows.model).limit(1).subquery())) == 0
    if n == 0 or table_empty:
        return Change(rows, np.arange(n), [], 0, table_empty)
    known = _existing(session, rows)
    keys = list(zip(*(rows.columns[name].tolist() for name in rows.key), strict=True))
    at = [known.position.get(key, -1) for key in keys]
    positions = np.array(at, dtype=np.int64)
    new = np.flatnonzero(positions < 0)
    old = np.flatnonzero(positions >= 0)
    differs = np.zeros(len(old), dtype=bool)
    for name, values in rows.columns.items():
        if name in rows.key:
            continue
        before = known.columns[name]
        differs |= np.array([_plain(values[i]) != _plain(before[positions[i]]) for i in old.tolist()], dtype=bool)
    if rows.geometry is not None and known.geometry is not None and len(old):
        same = shapely.equals_exact(rows.geometry[old], known.geometry[positions[old]], 0.0)
        both_missing = shapely.is_missing(rows.geometry[old]) & shapely.is_missing(known.geometry[positions[old]])
        differs |= ~(same | both_missing)
    updated = [(int(i), int(known.ids[positions[i]])) for i in old[differs].tolist()]
    return Change(rows, new, updated, int((~differs).sum()), False)


@dataclass
class _Existing:
    position: dict[tuple[Any, ...], int]
    ids: list[int]
    columns: dict[str, list[Any]]
    geometry: np.ndarray | None


def _existing(session: Session, rows: Rows) -> _Existing:
    model: Any = rows.model
    names = list(rows.columns)
    statement = select(model.id, *(getattr(model, name) for name in names))
    if rows.geometry is not None:
        statement = statement.add_columns(raw_geometry(model.geom))
    statement = statement.where(visible(model))
    first = rows.columns[rows.key[0]]
    found: list[Any] = []
    if len(rows) <= 20_000:
        wanted = list(set(first.tolist()))
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            found += session.execute(statement.where(getattr(model, rows.key[0]).in_(part))).all()
    else:
        found = list(session.execute(statement).all())
    columns = list(zip(*found, strict=True)) if found else [()] * (len(names) + 2)
    held = {name: list(columns[i + 1]) for i, name in enumerate(names)}
    position = {key: i for i, key in enumerate(zip(*(held[name] for name in rows.key), strict=True))}
    geometry = read_geometries(list(columns[len(names) + 1])) if rows.geometry is not None else None
    return _Existing(position, list(columns[0]), held, geometry)


def _plain(value: Any) -> Any:
    """Comparable whatever store it comes from."""
    if isinstance(value, np.datetime64):
        moment = value.astype("datetime64[ms]").astype(datetime)
        return None if moment is None else moment.replace(tzinfo=UTC)
    if isinstance(value, datetime):
        return value.replace(microsecond=value.microsecond // 1000 * 1000)
    if isinstance(value, np.generic):
        return value.item()
    return value


def chunks(total: int, size: int = _CHUNK) -> Iterator[slice]:
    for start in range(0, total, size):
        yield slice(start, min(start + size, total))


def write_updates(session: Session, change: Change, batch_id: int, revision: int, take_over: set[int]) -> None:
    """Changed rows, their old values kept. `take_over`: ids of demo batches, whose rows become this import's."""
    rows, model = change.rows, change.rows.model
    names = [name for name in rows.columns if name not in rows.key]
    table: Any = model.__table__
    for part in chunks(len(change.updated), 500):
        pairs = change.updated[part]
        columns = [table.c[name] for name in (*names, "batch_id", "revision")]
        statement = select(table.c.id, *columns)
        if rows.geometry is not None:
            statement = statement.add_columns(raw_geometry(model.geom))  # type: ignore[attr-defined]
        before = {row[0]: row for row in session.execute(statement.where(table.c.id.in_([key for _, key in pairs])))}
        olds, news = [], []
        for index, key in pairs:
            row = before[key]
            old = dict(zip((*names, "batch_id", "revision"), row[1 : len(names) + 3], strict=True))
            values: dict[str, Any] = {name: _plain(rows.columns[name][index]) for name in names}
            if rows.geometry is not None:
                geom = read_geometries([row[-1]])[0]
                old["geom"] = None if geom is None else shapely.to_wkb(geom)
                values["geom"] = None if rows.geometry[index] is None else encode(rows.geometry[index])
            values["revision"] = revision
            values["batch_id"] = batch_id if old["batch_id"] in take_over else old["batch_id"]
            olds.append({"batch_id": batch_id, "table_name": table.name, "row_id": key, "old": plain_values(old)})
            news.append((key, values))
        session.execute(insert(ImportRow), olds)
        for key, values in news:
            session.execute(update(model).where(table.c.id == key).values(**values))
