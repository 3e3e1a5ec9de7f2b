"""The taxonomy of a version, and the file that the first version comes from."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.config import ROOT
from service.taxonomy.models import Category, TaxonomyVersion

REFERENCE = ROOT / "gis_data" / "reference" / "categories.csv"
EVENT = "event"


@dataclass(frozen=True)
class CategoryRow:
    """A category as plain data; the fields are models.Category's."""

    code: str
    name: str
    class_code: str
    class_name: str
    kind: str = EVENT
    name_en: str | None = None
    disorder: str | None = None
    icon: str | None = None
    hint: str | None = None
    words: str | None = None
    aliases: tuple[str, ...] = ()
    unit_code: str | None = None
    limit_amount: int | None = None
    limit_unit: str | None = None
    urgent_amount: int | None = None
    urgent_unit: str | None = None
    verify: bool = True
    public: bool = True
    local: bool = False
    active: bool = True
    position: int = 0
    standard_ref: str | None = None

    def limit(self, urgent: bool) -> tuple[int, str] | None:
        """(amount, unit) of the time that handling may take; None without a limit."""
        if urgent and self.urgent_amount and self.urgent_unit:
            return self.urgent_amount, self.urgent_unit
        return (self.limit_amount, self.limit_unit) if self.limit_amount and self.limit_unit else None


@dataclass(frozen=True)
class Taxonomy:
    """One version; 0 is the reference file, before any was published."""

    version: int
    rows: tuple[CategoryRow, ...]
    by_code: Mapping[str, CategoryRow] = field(default_factory=dict)

    @classmethod
    def of(cls, version: int, rows: tuple[CategoryRow, ...]) -> Taxonomy:
        known: dict[str, CategoryRow] = {}
        for row in rows:
            for alias in row.aliases:
                known.setdefault(alias, row)
        known |= {row.code: row for row in rows}
        return cls(version, rows, known)


def in_force(session: Session) -> Taxonomy:
    """The newest published version; before any, the reference file as version 0."""
    newest = session.scalar(select(func.max(TaxonomyVersion.id)))
    return version(session, newest) if newest else Taxonomy.of(0, reference())


def version(session: Session, number: int) -> Taxonomy:
    """One version, whole."""
    if number == 0:
        return Taxonomy.of(0, reference())
    found = session.scalars(select(Category).where(Category.version_id == number).order_by(Category.position))
    return Taxonomy.of(number, tuple(row_of(one) for one in found))


def row_of(one: Category) -> CategoryRow:
    """A stored category as plain data."""
    values: dict[str, Any] = {column.name: getattr(one, column.name) for column in fields(CategoryRow)}
    return CategoryRow(**values | {"aliases": tuple(one.aliases)})


def publish(session: Session, rows: tuple[CategoryRow, ...], by: str, now: datetime, note: str | None) -> int:
    """A new version of all categories, in force at once; its number."""
    made = TaxonomyVersion(made_at=now, made_by=by, note=note)
    session.add(made)
    session.flush()
    names = [column.name for column in fields(CategoryRow)]
    for place, row in enumerate(rows):
        values = {name: getattr(row, name) for name in names} | {"aliases": list(row.aliases), "position": place}
        session.add(Category(version_id=made.id, **values))
    session.flush()
    return made.id


@lru_cache(maxsize=1)
def reference(path: Path = REFERENCE) -> tuple[CategoryRow, ...]:
    """The categories of the replaceable list in gis_data/reference."""
    with path.open(encoding="utf-8-sig", newline="") as rows:
        return tuple(_read(row, place) for place, row in enumerate(csv.DictReader(rows)))


def _read(row: dict[str, str], place: int) -> CategoryRow:
    def amount(name: str) -> int | None:
        return int(row[name]) if row.get(name) else None

    return CategoryRow(
        code=row["code"],
        name=row["name"],
        kind=row.get("kind") or EVENT,
        name_en=row.get("name_en") or None,
        class_code=row.get("class_code") or row["code"][:2],
        class_name=row["class_name"],
        disorder=row.get("disorder") or None,
        icon=row.get("icon") or None,
        hint=row.get("hint") or None,
        words=row.get("words") or None,
        aliases=tuple((row.get("aliases") or "").split()),
        limit_amount=amount("limit_amount"),
        limit_unit=row.get("limit_unit") or None,
        urgent_amount=amount("urgent_amount"),
        urgent_unit=row.get("urgent_unit") or None,
        verify=row.get("verify", "1") != "0",
        public=row.get("public", "1") != "0",
        local=row.get("local", "0") == "1",
        position=place,
        standard_ref=row.get("standard_ref") or None,
    )
