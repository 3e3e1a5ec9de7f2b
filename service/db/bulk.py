"""Many rows at once: arrays in, no ORM. A first load packs the R*Tree instead of running a trigger per row."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import shapely
from sqlalchemy import Table, text
from sqlalchemy.orm import Session

from service.db import gpkg, rtree
from service.db.spatial import SRID
from service.db.types import iso_ms

_AT_ONCE = 20_000
Shapes = np.ndarray


def insert_columns(
    session: Session,
    table: Table,
    columns: Mapping[str, Sequence[Any] | np.ndarray],
    geometry: Shapes | None = None,
    first_load: bool = False,
) -> int:
    """Insert n rows given as columns of length n; `geometry` (n,) shapely objects or None for column `geom`.

    datetime64 arrays are UTC times. Attributes of the table that aren't given take their model's default.
    `first_load` on the GeoPackage suspends the R*Tree triggers and packs the index: for an empty table only.
    Returns n. Must run inside a write transaction.
    """
    n = len(next(iter(columns.values())))
    if n == 0:
        return 0
    given = dict(columns)
    for column in table.columns:
        if column.name not in given and column.default is not None and column.default.is_scalar:
            given[column.name] = [column.default.arg] * n  # type: ignore[attr-defined]
    if session.get_bind().dialect.name == "postgresql":
        return _copy(session, table, given, geometry)
    driver: Any = session.connection().connection.driver_connection
    return _insert(driver, table, given, geometry, n, first_load)


def _insert(
    db: sqlite3.Connection, table: Table, columns: dict[str, Any], geometry: Shapes | None, n: int, first_load: bool
) -> int:
    name = table.name
    start = (db.execute(f'SELECT max(id) FROM "{name}"').fetchone()[0] or 0) + 1
    values = [range(start, start + n), *(_plain(column) for column in columns.values())]
    names = ["id", *columns]
    if geometry is not None:
        values.append(_blobs(geometry))
        names.append("geom")
    packing = first_load and geometry is not None
    if packing:
        rtree.drop_triggers(db.execute, name, "geom")
    marks = ",".join("?" * len(names))
    quoted = ",".join(f'"{one}"' for one in names)
    db.executemany(f'INSERT INTO "{name}" ({quoted}) VALUES ({marks})', zip(*values, strict=True))
    if packing and geometry is not None:
        _pack(db, name, start, geometry)
        rtree.create_triggers(db.execute, name, "geom")
    return n


def _pack(db: sqlite3.Connection, name: str, start: int, shapes: Shapes) -> None:
    boxes = shapely.bounds(shapes)
    here = ~np.isnan(boxes[:, 0])
    if not here.any():
        return
    ids = np.arange(start, start + len(shapes), dtype=np.int64)[here]
    west, south, east, north = boxes[here].T
    tree = f"rtree_{name}_geom"
    rtree.pack(db, tree, ids, west, east, south, north)
    if not rtree.is_sound(db, tree):
        db.execute(f'DELETE FROM "{tree}"')
        rtree.fill(db.execute, name, "geom")


def _blobs(shapes: Shapes) -> list[bytes | None]:
    """GeoPackage blobs; points go all at once."""
    kinds = shapely.get_type_id(shapes)
    if not np.isin(kinds, (-1, 0)).all() or shapely.is_empty(shapes).any():
        return [None if one is None else gpkg.encode(one, SRID) for one in shapes.tolist()]
    out: list[bytes | None] = [None] * len(shapes)
    here = np.flatnonzero(kinds == 0)
    points = shapes[here]
    for index, blob in zip(
        here.tolist(), gpkg.encode_points(shapely.get_x(points), shapely.get_y(points), SRID), strict=True
    ):
        out[index] = blob
    return out


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
    stamped = np.char.add(np.datetime_as_string(times.astype("datetime64[ms]"), unit="ms"), "Z").astype(object)
    stamped[np.isnat(times)] = None
    return stamped.tolist()  # type: ignore[no-any-return]


def _copy(session: Session, table: Table, columns: dict[str, Any], geometry: Shapes | None) -> int:
    """PostgreSQL's COPY; ids come from the sequence."""
    driver: Any = session.connection().connection.driver_connection
    names = [*columns]
    values: list[Any] = [_times(column) for column in columns.values()]
    if geometry is not None:
        names.append("geom")
        ewkb = shapely.to_wkb(shapely.set_srid(geometry, SRID), include_srid=True, hex=True)
        values.append(ewkb.tolist())
    quoted = ", ".join(f'"{one}"' for one in names)
    with driver.cursor().copy(f'COPY "{table.name}" ({quoted}) FROM STDIN') as copy:
        for block in _blocks(values):
            copy.write(block)
    return len(values[0])


def _times(column: Any) -> Sequence[Any]:
    if isinstance(column, np.ndarray) and column.dtype.kind == "M":
        return _iso(column)
    return column.tolist() if isinstance(column, np.ndarray) else column  # type: ignore[no-any-return]


def _blocks(values: list[Any]) -> Iterator[str]:
    """COPY's text format, a few thousand rows at a time."""
    cells = [[_cell(one) for one in column] for column in values]
    rows = zip(*cells, strict=True)
    block: list[str] = []
    for row in rows:
        block.append("\t".join(row))
        if len(block) >= _AT_ONCE:
            yield "\n".join(block) + "\n"
            block = []
    if block:
        yield "\n".join(block) + "\n"


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _cell(value: Any) -> str:
    if value is None:
        return "\\N"
    if type(value) is str:
        return value.translate(_ESCAPES) if not value.isalnum() else value
    if value is True or value is False:
        return "t" if value else "f"
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def refresh_statistics(session: Session, table: Table) -> None:
    """After a large load the planner should know."""
    session.execute(text(f'ANALYZE "{table.name}"'))
