"""Registers as tables for files: the columns that the import knows, masked for whoever asked, a portion at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

import numpy as np
from sqlalchemy import Date, Integer, inspect, select, text
from sqlalchemy.orm import Session

from service.clock import SHANGHAI
from service.db.spatial import raw_geometry, read_geometries, read_points
from service.db.types import UtcDateTime, raw_moment, read_moments
from service.documents.tables import BOTH, DAY, NOWHERE, NUMBER, POINTS, SHAPES, TEXT, Cell, Chunk, Column, Table
from service.duties.rules import ROLES, SUBJECT_KINDS
from service.geo.points import Points
from service.incidents.importing import SOURCE_WORDS
from service.intake.kinds import KINDS
from service.records.importing import Kind
from service.records.register import CHOICE, LONG, PERSON, PHONE, RegisterField
from service.registers.duty_export import STANDS, DutyStands
from service.registers.kinds import REGISTERS
from service.registers.location import Located
from service.responsibility.showing import Showing

_AT_ONCE = 10_000
_EIGHT_HOURS_SINCE = np.datetime64("1992-01-01", "ms")  # before, China had summer times and local ones
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
    moments: bool = False

    @property
    def column(self) -> Column:
        return Column(self.header, self.kind, _WIDTHS.get(self.name, 14))

    def plain(self, values: Sequence[Any]) -> Sequence[Cell]:
        """Stored values as cells that the import understands."""
        if self.words:
            known = self.words
            return [None if value is None else known.get(str(value), str(value)) for value in values]
        return moments(values) if self.moments else values


def model_of(kind: str) -> Any:
    """The table whose rows a kind's files hold."""
    return REGISTERS[kind].model


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
        out.append(Exported(one.name, one.label or one.name, shape, words, described, isinstance(sort, UtcDateTime)))
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
    if located is not None:
        columns += _STANDS if name in _STANDING else STANDS if name == "duties" else ()
    chunks = _chunks(session, kind, ids, showing, located)
    return Table(kind.label, columns, chunks, places_of(kind), _GEOMETRY.get(kind.geometry, "Unknown"))


def _chunks(
    session: Session, kind: Kind, ids: np.ndarray, showing: Showing, located: Located | None
) -> Iterator[Chunk]:
    model = model_of(kind.name)
    fields = exported(kind)
    shows = [_shown(kind.name, one, showing) for one in fields]
    stands = _standing(kind.name, located)
    duties = DutyStands(session, located, showing) if kind.name == "duties" and located is not None else None
    key = REGISTERS[kind.name].key if kind.name in REGISTERS else "code"
    more = ["organisation_code"] if kind.name == "people" else ["grid_code", "community_code"]
    more = [one for one in more if hasattr(model, one) and one not in {field.name for field in fields}]
    names = [one.name for one in fields]
    at = {name: i for i, name in enumerate(["id", key, *names, *more])}
    stored = [raw_moment(getattr(model, one.name)) if one.moments else getattr(model, one.name) for one in fields]
    wanted = [model.id, getattr(model, key), *stored, *(getattr(model, one) for one in more)]
    if kind.geometry != "none":
        wanted.append(raw_geometry(model.geom))
    for start in range(0, len(ids), _AT_ONCE):
        part = ids[start : start + _AT_ONCE].tolist()
        # Whole numbers of our own, written out: binding thousands of values costs more than finding the rows.
        these = text(f"{model.__table__.name}.id IN ({','.join(map(str, part))})")
        found = {row[0]: row for row in session.connection().execute(select(*wanted).where(these)).all()}
        columns = list(zip(*(found[one] for one in part if one in found), strict=True))
        if not columns:
            continue
        read = Read(columns, at)
        cells = [show(columns[i], read) for i, show in enumerate(shows, start=2)]
        rows = list(zip(*cells, *(duties.told(read) if duties else stands(read)), strict=True))
        yield Chunk(rows, duties.shapes(read) if duties else _on_map(kind, columns[-1]))


def _on_map(kind: Kind, raw: Sequence[Any]) -> np.ndarray | Points | None:
    if kind.geometry == "none":
        return None
    return Points(*read_points(raw)) if kind.geometry == "point" else read_geometries(raw)


@dataclass(frozen=True)
class Read:
    """Some rows as columns: the id, the key, then the fields and what else is needed, by place."""

    columns: Sequence[Sequence[Any]]
    at: Mapping[str, int]

    @property
    def codes(self) -> Sequence[str]:
        return self.columns[1]

    def column(self, name: str) -> Sequence[Any]:
        return self.columns[self.at[name]]


Show = Callable[[Sequence[Any], Read], Sequence[Cell]]
Stand = Callable[[Read], Sequence[Sequence[Cell]]]


def _shown(kind: str, one: Exported, showing: Showing) -> Show:
    """How one field is shown: by whom it is about."""
    about = one.described.kind if one.described is not None else ""
    if about == PHONE:
        return lambda values, read: [showing.phone(kind, *pair) for pair in zip(read.codes, values, strict=True)]
    if about == PERSON and kind == "people":
        return lambda values, read: [
            showing.person(*three) for three in zip(read.codes, values, read.column("organisation_code"), strict=True)
        ]
    if about == PERSON:
        return lambda values, read: [showing.citizen(*pair) for pair in zip(read.codes, values, strict=True)]
    if about == LONG:
        return lambda values, read: [showing.words(value) for value in values]
    return lambda values, read: one.plain(values)


def _standing(kind: str, located: Located | None) -> Stand:
    """The names of the grid and the community in which each row stands."""
    if kind not in _STANDING or located is None:
        return lambda read: ()
    zones, homes, spots = located.zones, located.communities, located.spots

    def told(read: Read) -> Sequence[Sequence[Cell]]:
        if kind == "incidents":
            stands = list(zip(read.column("grid_code"), read.column("community_code"), strict=True))
        else:
            stands = [next(iter(spots.get(code, ())), (None, None)) for code in read.codes]
        return (
            [zones[grid].name if grid in zones else grid for grid, _ in stands],
            [homes.get(home, home) if home else None for _, home in stands],
        )

    return told


def moments(raw: Sequence[Any]) -> list[str | None]:
    """Raw moments in Shanghai's time, with milliseconds only where there are any.

    >>> moments(["2026-11-23T01:30:00.000Z", "2026-11-23T01:30:00.250Z", None, "1988-07-01T00:00:00.000Z"])
    ['2026-11-23 09:30:00', '2026-11-23 09:30:00.250', None, '1988-07-01 09:00:00']
    """
    times = read_moments(raw)
    early = np.flatnonzero(times < _EIGHT_HOURS_SINCE).tolist()
    there = times + np.timedelta64(8, "h")
    for i in early:
        moment = times[i].item().replace(tzinfo=UTC)
        there[i] = np.datetime64(moment.astimezone(SHANGHAI).replace(tzinfo=None), "ms")
    told: list[str] = np.datetime_as_string(there.astype("datetime64[ms]")).tolist()
    texts = [one[:10] + " " + (one[11:19] if one[20:] == "000" else one[11:]) for one in told]
    return [None if nothing else text for text, nothing in zip(texts, np.isnat(times).tolist(), strict=True)]
