"""Many rows at once: arrays in, no ORM. A first load packs the R*Tree instead of running a trigger per row."""

from __future__ import annotations

import gc
import json
import re
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Boolean, Table, Text, bindparam, text
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import ARRAY, TypeDecorator, TypeEngine

from service.db import gpkg, rtree
from service.db.spatial import EWKB_POINT, SRID
from service.db.types import iso_ms
from service.geo.points import Points

_AT_ONCE = 50_000
_FEW = 100
_POSTGRES_INDEXES = (
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = :name"
    " AND indexname NOT IN (SELECT conname FROM pg_constraint)",
    {"SET LOCAL maintenance_work_mem = '256MB'": "RESET maintenance_work_mem"},
)
_GEOPACKAGE_INDEXES = (
    "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = :name AND sql NOT NULL",
    {"PRAGMA cache_size = -128000": "PRAGMA cache_size = -32000"},
)
_SPECIAL = re.compile(r"[\\\t\n\r]")
Shapes = np.ndarray


@contextmanager
def uncollected() -> Iterator[None]:
    """Python's cycle collector rests: millions of new values without cycles double the time that reading them takes."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def among(attribute: Any, values: Collection[str]) -> Any:
    """A criterion: the text is one of these, however many. One bound value on both stores."""
    return _Among(attribute, bindparam(None, list(values), type_=_TextList()))


class _TextList(TypeDecorator[Any]):
    """JSON on the GeoPackage, an array on PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        # An array, not text to be cast: PostgreSQL would parse it again for every row.
        return dialect.type_descriptor(ARRAY(Text()) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return value if dialect.name == "postgresql" else json.dumps(value, ensure_ascii=False)


class _Among(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        return self


@compiles(_Among, "postgresql")
def _among_pg(element: Any, compiler: Any, **kw: Any) -> str:
    attribute, values = (compiler.process(one, **kw) for one in element.clauses)
    return f"{attribute} = ANY({values})"


@compiles(_Among)
def _among_gpkg(element: Any, compiler: Any, **kw: Any) -> str:
    attribute, values = (compiler.process(one, **kw) for one in element.clauses)
    return f"{attribute} IN (SELECT value FROM json_each({values}))"


def insert_columns(
    session: Session,
    table: Table,
    columns: Mapping[str, Sequence[Any] | np.ndarray],
    geometry: Shapes | Points | None = None,
    first_load: bool = False,
) -> int:
    """Insert n rows given as columns of length n; `geometry` (n,) shapely objects or None, or points, for `geom`.

    datetime64 arrays are UTC times. Attributes of the table that aren't given take their model's default.
    `first_load` on the GeoPackage packs the R*Tree: for an empty table only.
    Returns n. Must run inside a write transaction.
    """
    n = len(next(iter(columns.values())))
    if n == 0:
        return 0
    given = dict(columns)
    for column in table.columns:
        if column.name not in given and column.default is not None and column.default.is_scalar:
            given[column.name] = np.full(n, column.default.arg, dtype=object)  # type: ignore[attr-defined]
    driver: Any = session.connection().connection.driver_connection
    postgres = session.get_bind().dialect.name == "postgresql"
    with _indexes_afterwards(session, table.name, postgres) if first_load and n > _AT_ONCE else nullcontext():
        if postgres:
            _copy(driver, table.name, given, geometry, n)
        else:
            _insert(driver, table.name, given, geometry, n, first_load)
    return n


@contextmanager
def _indexes_afterwards(session: Session, name: str, postgres: bool) -> Iterator[None]:
    """An index made at once of a full table costs half of one kept up to date row by row."""
    query, settings = _POSTGRES_INDEXES if postgres else _GEOPACKAGE_INDEXES
    for setting in settings:
        session.execute(text(setting))
    indexes = session.execute(text(query), {"name": name}).all()
    for index, _ in indexes:
        session.execute(text(f'DROP INDEX "{index}"'))
    yield
    for _, definition in indexes:
        session.execute(text(definition))
    for setting in settings.values():
        session.execute(text(setting))


def _insert(
    db: sqlite3.Connection,
    name: str,
    columns: dict[str, Any],
    geometry: Shapes | Points | None,
    n: int,
    first_load: bool,
) -> None:
    """Many rows go past the triggers: the R*Tree gets their boxes in one statement, or packed."""
    past_triggers = geometry is not None and (first_load or n > _FEW)
    start = (db.execute(f'SELECT max(id) FROM "{name}"').fetchone()[0] or 0) + 1
    names = ["id", *columns] + (["geom"] if geometry is not None else [])
    quoted, marks = ",".join(f'"{one}"' for one in names), ",".join("?" * len(names))
    if past_triggers:
        rtree.drop_triggers(db.execute, name, "geom")
    for part in _parts(n):
        values = [range(start + part.start, start + part.stop), *(_plain(column[part]) for column in columns.values())]
        if geometry is not None:
            values.append(_blobs(geometry[part]))
        db.executemany(f'INSERT INTO "{name}" ({quoted}) VALUES ({marks})', zip(*values, strict=True))
    if past_triggers and geometry is not None:
        _index(db, name, start, geometry, first_load)
        rtree.create_triggers(db.execute, name, "geom")


def _parts(n: int) -> Iterator[slice]:
    """Slices that keep the memory of what is written small."""
    return (slice(start, min(start + _AT_ONCE, n)) for start in range(0, n, _AT_ONCE))


def _index(db: sqlite3.Connection, name: str, start: int, shapes: Shapes | Points, first_load: bool) -> None:
    """The boxes of rows numbered from `start` into the R*Tree."""
    if isinstance(shapes, Points):
        west, south, east, north = shapes.lon, shapes.lat, shapes.lon, shapes.lat
        here = ~shapes.missing
    else:
        west, south, east, north = shapely.bounds(shapes).T
        here = ~np.isnan(west)
    if not here.any():
        return
    ids = np.arange(start, start + len(shapes), dtype=np.int64)[here]
    boxes = [west[here], east[here], south[here], north[here]]
    tree = f"rtree_{name}_geom"
    if not first_load:
        rows = zip(ids.tolist(), *(bound.tolist() for bound in boxes), strict=True)
        db.executemany(f'INSERT INTO "{tree}" VALUES (?,?,?,?,?)', rows)
        return
    rtree.pack(db, tree, ids, *boxes)
    if not rtree.is_sound(db, tree):
        db.execute(f'DELETE FROM "{tree}"')
        rtree.fill(db.execute, name, "geom")


def _blobs(shapes: Shapes | Points) -> list[bytes | None]:
    """GeoPackage blobs; points go all at once."""
    if isinstance(shapes, Points):
        blobs = np.array([*gpkg.encode_points(shapes.lon, shapes.lat, SRID), None], dtype=object)[:-1]
        blobs[shapes.missing] = None
        return blobs.tolist()  # type: ignore[no-any-return]
    kinds = shapely.get_type_id(shapes)
    if np.isin(kinds, (-1, 0)).all() and not shapely.is_empty(shapes).any():
        return _blobs(Points(shapely.get_x(shapes), shapely.get_y(shapes)))
    return [None if one is None else gpkg.encode(one, SRID) for one in shapes.tolist()]


def _plain(column: Any) -> Sequence[Any]:
    """Values as sqlite3 takes them."""
    if isinstance(column, np.ndarray) and column.dtype.kind == "M":
        return _iso(column)
    values = column.tolist() if isinstance(column, np.ndarray) else column
    kinds = {type(one) for one in values}
    if not kinds & {datetime, date}:
        return values  # type: ignore[no-any-return]
    return [_text(one) for one in values]


def _text(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso_ms(value)
    return value.isoformat() if isinstance(value, date) else value


def _iso(times: np.ndarray) -> list[str | None]:
    """As UtcDateTime writes them; days and times of day repeat, so each is written once."""
    days = times.astype("datetime64[D]")
    in_day = times.astype("datetime64[ms]") - days.astype("datetime64[ms]")
    day_codes, day_values = pd.factorize(days.astype(np.int64))
    time_codes, time_values = pd.factorize(in_day.astype(np.int64))
    day_texts = np.datetime_as_string(day_values.astype("datetime64[D]")).astype(object)
    clock = np.datetime_as_string(time_values.astype("datetime64[ms]"), unit="ms").astype(object)
    clock_texts = np.array([*(one[10:] + "Z" for one in clock), None], dtype=object)[:-1]
    stamped = day_texts[day_codes] + clock_texts[time_codes]
    stamped[np.isnat(times)] = None
    return stamped.tolist()  # type: ignore[no-any-return]


def _copy(driver: Any, name: str, columns: dict[str, Any], geometry: Shapes | Points | None, n: int) -> None:
    """PostgreSQL's COPY in its text format; ids come from the sequence."""
    names = [*columns] + (["geom"] if geometry is not None else [])
    quoted = ", ".join(f'"{one}"' for one in names)
    with driver.cursor().copy(f'COPY "{name}" ({quoted}) FROM STDIN') as copy:
        for part in _parts(n):
            cells = [_cells(column[part]) for column in columns.values()]
            if geometry is not None:
                cells.append(_hex(geometry[part]))
            copy.write("\n".join(map("\t".join, zip(*cells, strict=True))) + "\n")


def _hex(shapes: Shapes | Points) -> list[str]:
    """EWKB as hexadecimal text."""
    if isinstance(shapes, Points):
        out = np.empty(len(shapes), EWKB_POINT)
        out["order"], out["kind"], out["srid"], out["x"], out["y"] = 1, 0x20000001, SRID, shapes.lon, shapes.lat
        text, size = out.tobytes().hex(), 2 * EWKB_POINT.itemsize
        missing = shapes.missing.tolist()
        return ["\\N" if missing[i] else text[size * i : size * (i + 1)] for i in range(len(shapes))]
    ewkb = shapely.to_wkb(shapely.set_srid(shapes, SRID), include_srid=True, hex=True)
    return ["\\N" if one is None else one for one in ewkb.tolist()]


def _cells(column: Any) -> list[str]:
    """A column in COPY's text format; each different value is written once."""
    if isinstance(column, np.ndarray) and column.dtype.kind == "M":
        return ["\\N" if one is None else one for one in _iso(column)]
    known: dict[Any, str] = {}
    values = column.tolist() if isinstance(column, np.ndarray) else column
    out = []
    for value in values:
        text = known.get(value)
        if text is None:
            text = known[value] = _cell(value)
        out.append(text)
    return out


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _cell(value: Any) -> str:
    if value is None:
        return "\\N"
    if type(value) is str:
        return value.translate(_ESCAPES) if _SPECIAL.search(value) else value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def refresh_statistics(session: Session, table: Table) -> None:
    """After a large load the planner should know."""
    session.execute(text(f'ANALYZE "{table.name}"'))
