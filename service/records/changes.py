"""How prepared rows get into a table: told apart as new, changed and unchanged, and written.

New rows of an unfinished import are seen nowhere: they carry the batch's id. Changed rows are written when the batch is
finished, many of them in portions (docs/decisions/011), each row whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import numpy as np
import shapely
from sqlalchemy import bindparam, func, null, select, update
from sqlalchemy.orm import Session

from service.clock import ended_by
from service.db.bulk import among
from service.db.spatial import encode, raw_geometry, read_geometries, read_points
from service.files.table import objects
from service.geo.points import Points
from service.records.batches import plain_values, visible
from service.records.importing import Column, Rows
from service.records.rowlog import RowLog

_COMPARED, _WRITTEN = 20_000, 500
_Any = TypeVar("_Any")


@dataclass
class Change:
    """Rows of one stage, told apart. `new`: indexes; `updated`: (index in rows, id in the table);
    `unchanged`: how many; `adopted`: ids of the demo's rows among both, which become this import's; `ended`: how many
    rows of both no longer hold on the day."""

    rows: Rows
    new: np.ndarray
    updated: list[tuple[int, int]] = field(default_factory=list)
    unchanged: int = 0
    empty_table: bool = False
    adopted: list[int] = field(default_factory=list)
    ended: int = 0


def classify(session: Session, rows: Rows, today: date, demo: frozenset[int] = frozenset()) -> Change:
    """Compare with what the table holds, some thousand rows at a time. `demo`: the demo's batches."""
    model: Any = rows.model
    n = len(rows)
    empty = session.scalar(select(func.count()).select_from(select(model.id).limit(1).subquery())) == 0
    if n == 0 or empty:
        return Change(rows, np.arange(n), empty_table=empty)
    change = Change(rows, np.empty(0, np.int64))
    parts = [np.arange(start, min(start + _COMPARED, n)) for start in range(0, n, _COMPARED)]
    change.new = np.concatenate([_compare(session, change, part, today, demo) for part in parts])
    return change


def _compare(session: Session, change: Change, part: np.ndarray, today: date, demo: frozenset[int]) -> np.ndarray:
    """The new ones among the rows `part`; the others go into `change`."""
    rows = change.rows
    names = [name for name in rows.columns if name not in rows.key]
    keys = [rows.columns[name][part] for name in rows.key]
    found = _existing(session, rows, names, keys)
    if not found:
        return part
    held = list(zip(*found, strict=True))
    position = {row[: len(rows.key)]: at for at, row in enumerate(found)}
    at = np.array([position.get(key, -1) for key in zip(*(one.tolist() for one in keys), strict=True)], dtype=np.int64)
    old, before = part[at >= 0], at[at >= 0]
    differs = np.zeros(len(old), dtype=bool)
    for name, values in zip(names, held[len(rows.key) :], strict=False):
        differs |= _differ(rows.columns[name][old], [values[i] for i in before.tolist()])
    ids, batches = (objects(held[-k])[before] for k in (2, 1))
    if rows.geometry is not None:
        raw = held[-4]
        differs |= ~_same_place(rows.geometry[old], [raw[i] for i in before.tolist()])
    change.updated += [(int(i), int(key)) for i, key in zip(old[differs], ids[differs], strict=True)]
    change.unchanged += int((~differs).sum())
    if hasattr(rows.model, "ended_on"):
        change.ended += sum(ended_by(today, held[-3][i]) for i in before.tolist())
    if demo:
        change.adopted += [int(key) for key in ids[np.isin(batches, list(demo))]]
    return part[at < 0]


def _existing(session: Session, rows: Rows, names: list[str], keys: list[Column]) -> list[tuple[Any, ...]]:
    """Visible rows with these keys: key columns, the others, raw geometry if any, end of validity, id, batch."""
    model: Any = rows.model
    wanted = [getattr(model, name) for name in (*rows.key, *names)]
    if rows.geometry is not None:
        wanted.append(raw_geometry(model.geom))
    wanted.append(model.ended_on if hasattr(model, "ended_on") else null())
    statement = select(*wanted, model.id, model.batch_id).where(visible(model))
    texts = [i for i, values in enumerate(keys) if all(isinstance(one, str) for one in values.tolist())]
    for i in texts:
        statement = statement.where(among(getattr(model, rows.key[i]), set(keys[i].tolist())))
    return [tuple(row) for row in session.execute(statement)]


def _differ(new: Column, old: Sequence[Any]) -> np.ndarray:
    """Row by row, whatever store the old values come from; times to the millisecond."""
    if new.dtype.kind == "M":
        stored = np.array([None if one is None else round(one.timestamp() * 1000) for one in old], "datetime64[ms]")
        return np.asarray((new != stored) & ~(np.isnat(new) & np.isnat(stored)), dtype=bool)
    return np.asarray(objects(new) != objects(old), dtype=bool)


def _same_place(new: Column | Points, raw: Sequence[Any]) -> np.ndarray:
    if isinstance(new, Points):
        return new.same(Points(*read_points(raw)))
    stored = read_geometries(raw)
    return np.asarray(
        shapely.equals_exact(new, stored, 0.0) | (shapely.is_missing(new) & shapely.is_missing(stored)), dtype=bool
    )


def write_updates(session: Session, change: Change, log: RowLog, revision: int) -> None:
    """Changed rows, their old values kept."""
    rows, model = change.rows, change.rows.model
    names = [name for name in rows.columns if name not in rows.key]
    table: Any = model.__table__
    for pairs in _portions(change.updated):
        kept = (*names, *(name for name in ("revision", "version") if name in table.c))
        columns = [table.c[name] for name in kept]
        statement = select(table.c.id, *columns)
        if rows.geometry is not None:
            statement = statement.add_columns(raw_geometry(model.geom))  # type: ignore[attr-defined]
        before = {row[0]: row for row in session.execute(statement.where(table.c.id.in_([key for _, key in pairs])))}
        shapes = _shapes(rows, [index for index, _ in pairs])
        olds, news = [], []
        for place, (index, key) in enumerate(pairs):
            row = before[key]
            old = dict(zip(kept, row[1 : len(kept) + 1], strict=True))
            values: dict[str, Any] = {name: _plain(rows.columns[name][index]) for name in names}
            if shapes is not None:
                geom = read_geometries([row[-1]])[0]
                old["geom"] = None if geom is None else shapely.to_wkb(geom)
                values["geom"] = None if shapes[place] is None else encode(shapes[place])
            values |= {"revision": revision, "id": key}
            if "version" in old:
                values["version"] = old["version"] + 1
            olds.append((key, plain_values(old)))
            news.append(values)
        log.replaced(session, table.name, olds)
        written: dict[str, Any] = {
            name: bindparam(f"new_{name}", type_=table.c[name].type) for name in news[0] if name != "id"
        }
        one = update(table).where(table.c.id == bindparam("of_id")).values(written)
        session.execute(
            one, [{"of_id" if name == "id" else f"new_{name}": values[name] for name in values} for values in news]
        )


def adopt(session: Session, change: Change, log: RowLog) -> None:
    """The demo's rows that an office's own file names are its own from now on. Only where the batch is finished:
    rows of an unfinished one are seen nowhere."""
    table: Any = change.rows.model.__table__
    for keys in _portions(change.adopted):
        before = session.execute(select(table.c.id, table.c.batch_id).where(table.c.id.in_(keys))).all()
        log.replaced(session, table.name, [(key, {"batch_id": old}) for key, old in before])
        session.execute(update(table).where(table.c.id.in_(keys)).values(batch_id=log.batch_id))


def _shapes(rows: Rows, indexes: list[int]) -> Column | None:
    if rows.geometry is None:
        return None
    some = rows.geometry[np.array(indexes, dtype=np.int64)]
    return some.shapes() if isinstance(some, Points) else some


def _portions(everything: list[_Any]) -> Iterator[list[_Any]]:
    for start in range(0, len(everything), _WRITTEN):
        yield everything[start : start + _WRITTEN]


def _plain(value: Any) -> Any:
    """A numpy value as the ORM takes it."""
    if isinstance(value, np.datetime64):
        moment = value.astype("datetime64[ms]").astype(datetime)
        return None if moment is None else moment.replace(tzinfo=UTC)
    return value.item() if isinstance(value, np.generic) else value
