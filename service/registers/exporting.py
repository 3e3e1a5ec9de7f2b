"""Registers as tables for files: the columns that the import knows, masked for whoever asked, a portion at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
from sqlalchemy import Date, Integer, inspect, select
from sqlalchemy.orm import Session

from service.clock import SHANGHAI
from service.db.spatial import raw_geometry, read_geometries
from service.documents.tables import BOTH, DAY, NOWHERE, NUMBER, POINTS, SHAPES, TEXT, Cell, Chunk, Column, Table
from service.duties.models import Duty
from service.duties.rules import ROLES, SUBJECT_KINDS
from service.incidents.importing import SOURCE_WORDS
from service.intake.kinds import KINDS
from service.records.importing import Kind
from service.records.register import CHOICE, LONG, PERSON, PHONE, RegisterField
from service.registers.kinds import REGISTERS
from service.registers.location import Located
from service.responsibility.showing import Showing

_AT_ONCE = 5_000
_GEOMETRY = {"polygon": "MultiPolygon", "line": "MultiLineString", "point": "Point"}
_WIDTHS = {"code": 20, "name": 18, "shop_name": 24, "address": 30, "notes": 36, "description": 40, "phone": 16}
_WORDS: dict[tuple[str, str], Mapping[str, str]] = {
    ("duties", "role"): {code: role.name for code, role in ROLES.items()},
    ("duties", "subject_kind"): SUBJECT_KINDS,
    ("incidents", "source"): {code: word for word, code in reversed(SOURCE_WORDS.items()) if word != code},
}
# What the list shows beside the row's own fields; the import leaves these columns alone.
_STANDS = (Column("所在网格", width=20), Column("所在社区", width=16))
_STANDING = ("frontages", "places", "incidents")


@dataclass(frozen=True)
class Exported:
    """One column of a kind: the stored field, its header, its words for stored values, and who it is about."""

    name: str
    header: str
    kind: str = TEXT
    words: Mapping[str, str] = field(default_factory=dict)
    described: RegisterField | None = None
    needed: bool = False

    @property
    def column(self) -> Column:
        return Column(self.header, self.kind, _WIDTHS.get(self.name, 14))

    def plain(self, value: Any) -> Cell:
        """A stored value as a cell that the import understands."""
        if value is None or value == "":
            return None
        if isinstance(value, datetime):
            return moment(value)
        if self.words:
            return self.words.get(str(value), str(value))
        return value if isinstance(value, int | date) else str(value)


def model_of(kind: str) -> Any:
    """The table whose rows a kind's files hold."""
    return Duty if kind == "duties" else REGISTERS[kind].model


def exported(kind: Kind) -> tuple[Exported, ...]:
    """The stored fields of a kind under the import's own names, in its order."""
    register = REGISTERS.get(kind.name)
    stored = inspect(model_of(kind.name)).columns
    out = []
    for one in kind.fields:
        if one.name not in stored or one.name in (kind.points_from or ()):
            continue
        described = register.by_name.get(one.name) if register else None
        choices = described.choices if described is not None and described.kind == CHOICE else {}
        words = _WORDS.get((kind.name, one.name), choices)
        sort = stored[one.name].type
        shape = DAY if isinstance(sort, Date) else NUMBER if isinstance(sort, Integer) and not words else TEXT
        out.append(Exported(one.name, one.label or one.name, shape, words, described, one.required))
    return tuple(out)


def places_of(kind: Kind) -> str:
    """How a kind's rows lie on the map."""
    if kind.geometry == "none":
        return NOWHERE
    if kind.points_from is None:
        return SHAPES
    return POINTS if kind.geometry == "point" else BOTH


def table_of(session: Session, name: str, ids: np.ndarray, showing: Showing, located: Located | None) -> Table:
    """The rows `ids` (n,) of a kind in their order, read as the file is written."""
    kind = KINDS[name]
    columns = tuple(one.column for one in exported(kind))
    if name in _STANDING and located is not None:
        columns += _STANDS
    chunks = _chunks(session, kind, ids, showing, located)
    return Table(kind.label, columns, chunks, places_of(kind), _GEOMETRY.get(kind.geometry, "Unknown"))


def _chunks(
    session: Session, kind: Kind, ids: np.ndarray, showing: Showing, located: Located | None
) -> Iterator[Chunk]:
    model = model_of(kind.name)
    fields = exported(kind)
    shows = [_shown(kind.name, one, showing) for one in fields]
    stands = _standing(kind.name, located)
    key = REGISTERS[kind.name].key if kind.name in REGISTERS else "code"
    wanted = [model.id, getattr(model, key), *(getattr(model, one.name) for one in fields)]
    more = ["organisation_code"] if kind.name == "people" else ["grid_code", "community_code"]
    more = [one for one in more if hasattr(model, one) and one not in {field.name for field in fields}]
    wanted += [getattr(model, one) for one in more]
    at = {column.key: i for i, column in enumerate(wanted)}
    placed = kind.geometry != "none"
    if placed:
        wanted.append(raw_geometry(model.geom))
    for start in range(0, len(ids), _AT_ONCE):
        part = ids[start : start + _AT_ONCE].tolist()
        found = {row[0]: row for row in session.execute(select(*wanted).where(model.id.in_(part)))}
        rows = [found[one] for one in part if one in found]
        cells = [
            (*(show(row[i], row, at) for i, show in enumerate(shows, start=2)), *stands(row[1], row, at))
            for row in rows
        ]
        yield Chunk(cells, read_geometries([row[-1] for row in rows]) if placed else None)


Show = Callable[[Any, Sequence[Any], Mapping[str, int]], Cell]
Stand = Callable[[str, Sequence[Any], Mapping[str, int]], tuple[Cell, ...]]


def _shown(kind: str, one: Exported, showing: Showing) -> Show:
    """How one field is shown: by whom it is about."""
    about = one.described.kind if one.described is not None else ""
    if about == PHONE:
        return lambda value, row, at: showing.phone(kind, row[1], value)
    if about == PERSON and kind == "people":
        return lambda value, row, at: showing.person(row[1], value, row[at["organisation_code"]])
    if about == PERSON:
        return lambda value, row, at: showing.citizen(row[1], value)
    if about == LONG:
        return lambda value, row, at: showing.words(value)
    return lambda value, row, at: one.plain(value)


def _standing(kind: str, located: Located | None) -> Stand:
    """The names of the grid and the community in which a row stands."""
    if kind not in _STANDING or located is None:
        return lambda code, row, at: ()
    zones, homes, spots = located.zones, located.communities, located.spots

    def told(code: str, row: Sequence[Any], at: Mapping[str, int]) -> tuple[Cell, ...]:
        if kind == "incidents":
            grid, home = row[at["grid_code"]], row[at["community_code"]]
        else:
            grid, home = next(iter(spots.get(code, ())), (None, None))
        zone = zones.get(grid) if grid else None
        return (zone.name if zone else grid, homes.get(home, home) if home else None)

    return told


def moment(value: datetime) -> str:
    """In Shanghai, with milliseconds only where there are any.

    >>> from datetime import UTC
    >>> moment(datetime(2026, 11, 23, 1, 30, tzinfo=UTC))
    '2026-11-23 09:30:00'
    """
    local = value.astimezone(SHANGHAI)
    return f"{local:%Y-%m-%d %H:%M:%S}" + (f".{local.microsecond // 1000:03d}" if local.microsecond else "")
