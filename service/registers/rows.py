"""One row of a register as pages and the interface read it, and how it is made of the stored one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.db.bulk import among
from service.db.spatial import raw_geometry, read_geometries
from service.duties.rules import SUBJECT_KINDS, last_day
from service.people.models import Account, Organisation, Person
from service.records.batches import visible
from service.records.register import Register
from service.registers.duty_words import subject_names
from service.registers.location import Located


@dataclass(frozen=True)
class Row:
    """`values`: as stored, by field; `names`: what its references are called; `derived`: what was worked out for the
    day, by column (grid, community, leader: {code, name …} or None; duties: a list; account: names; counts: numbers).
    Nothing is masked yet. `geometry`: lon/lat, only where it was asked for."""

    id: int
    code: str
    title: str
    values: Mapping[str, Any]
    names: Mapping[str, str]
    derived: Mapping[str, Any]
    version: int
    ended_on: date | None
    geometry: Any = None

    def ended(self, on: date) -> bool:
        """Whether it no longer holds on the day."""
        return self.ended_on is not None and self.ended_on <= on


@dataclass(frozen=True)
class Page:
    """Some rows of a list. `counts`: per state (or group), whatever state was asked for. `narrower`: of a very long
    list, what one more filter would leave: (filter, word) to the number of rows, None where that isn't counted."""

    rows: list[Row]
    total: int
    counts: Mapping[str, int] = field(default_factory=dict)
    narrower: Mapping[tuple[str, str], int | None] = field(default_factory=dict)


def read_rows(
    session: Session, register: Register, ids: Sequence[int], located: Located, shapes: bool = False
) -> list[Row]:
    """In the order of the ids."""
    model = register.model
    names = [one.name for one in register.fields]
    wanted = [model.id, *(register.column(name, located.on) for name in names)]
    kept = hasattr(model, "version") and hasattr(model, register.until)
    wanted += [model.version, getattr(model, register.until)] if kept else []
    columns = ["grid_code", "community_code"] if hasattr(model, "grid_code") else []
    wanted += [getattr(model, name) for name in columns]
    if shapes and register.geometry:
        wanted.append(raw_geometry(model.geom))
    found = {row[0]: row for row in session.execute(select(*wanted).where(model.id.in_(list(ids))))}
    rows = [found[key] for key in ids if key in found]
    values = [dict(zip(names, row[1:], strict=False)) for row in rows]
    known = _reference_names(session, register, values)
    derived = _Derived(session, register, located, values)
    geoms = read_geometries([row[-1] for row in rows]) if shapes and register.geometry else [None] * len(rows)
    out = []
    for row, one, geom in zip(rows, values, geoms, strict=True):
        rest = row[len(names) + 1 :]
        version, ended = (rest[0], rest[1]) if kept else (1, None)
        stands = tuple(rest[2 * kept : 2 * kept + 2]) if columns else None
        code = one[register.key]
        out.append(
            Row(
                row[0],
                code,
                one.get(register.title) or code,
                one,
                {name: known[name].get(one[name], "") for name in known if one[name]},
                derived.of(one, stands),
                version,
                ended,
                geom,
            )
        )
    return out


def _reference_names(
    session: Session, register: Register, rows: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, str]]:
    """Per reference field: code to name, of the codes that occur."""
    out = {}
    for one in register.fields:
        if one.reference in ("people", "organisations"):
            model = Person if one.reference == "people" else Organisation
            codes = {row[one.name] for row in rows if row[one.name]}
            found = select(model.code, model.name).where(model.code.in_(codes), visible(model))
            out[one.name] = {row[0]: row[1] for row in session.execute(found)} if codes else {}
    return out


class _Derived:
    """What a register's list adds to its stored columns, for the rows of one page."""

    def __init__(
        self, session: Session, register: Register, located: Located, rows: Sequence[Mapping[str, Any]]
    ) -> None:
        self._names = {one.name for one in register.derived}
        self._located = located
        codes = [row[register.key] for row in rows]
        self._accounts = accounts_of(session, codes) if "account" in self._names else {}
        self._subjects = subject_names(session, located.zones, _subjects(rows)) if "subject" in self._names else {}
        self._key = register.key
        self._people = _members(session, codes, located.on) if "people" in self._names else {}
        self._grids: dict[str, int] = {}
        if "grids" in self._names:
            for zone in located.zones.values():
                self._grids[zone.community] = self._grids.get(zone.community, 0) + 1

    def of(self, row: Mapping[str, Any], stands: tuple[str | None, str | None] | None) -> dict[str, Any]:
        """`stands`: the row's own columns (incidents), else the spots that were worked out."""
        code = row[self._key]
        spot = stands or next(iter(self._located.spots.get(code, ())), (None, None))
        zone = self._located.zones.get(code if code in self._located.zones else spot[0] or "")
        home = spot[1]
        everything = {
            "grid": {"code": spot[0], "short": zone.short if zone else spot[0], "name": zone.name if zone else ""}
            if spot[0]
            else None,
            "community": {"code": home, "name": self._located.communities.get(home, home)} if home else None,
            "leader": {"code": zone.leader[0], "name": zone.leader[1]} if zone and zone.leader else None,
            "duties": list(self._located.duties.get(code, ())),
            "account": self._accounts.get(code),
            "people": self._people.get(code, 0),
            "grids": self._grids.get(code, 0),
            "subject": self._subject(row),
            "last_day": last_day(row.get("ends_on")),
        }
        return {name: everything[name] for name in self._names}

    def _subject(self, row: Mapping[str, Any]) -> dict[str, str] | None:
        if not self._subjects:
            return None
        subject = (row["subject_kind"], row["subject_code"])
        kind = SUBJECT_KINDS.get(subject[0], subject[0])
        name = self._subjects.get(subject, subject[1])
        return {"kind": subject[0], "kind_name": kind, "code": subject[1], "name": name}


def _subjects(rows: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    return {(row["subject_kind"], row["subject_code"]) for row in rows}


def accounts_of(session: Session, codes: Iterable[str]) -> dict[str, str]:
    """Person's code to the name of the account that they sign in with, of active accounts."""
    found = select(Account.person_code, Account.name).where(
        among(Account.person_code, list(codes)), Account.active.is_(True)
    )
    return {person: name for person, name in session.execute(found) if person}


def _members(session: Session, codes: Iterable[str], on: date) -> dict[str, int]:
    """Organisation's code to how many persons it has on the day."""
    found = (
        select(Person.organisation_code, func.count())
        .where(among(Person.organisation_code, list(codes)), visible(Person))
        .where((Person.ended_on.is_(None)) | (Person.ended_on > on))
        .group_by(Person.organisation_code)
    )
    return {code: int(n) for code, n in session.execute(found) if code}
