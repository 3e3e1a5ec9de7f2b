"""Persons and organisations by code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.people.models import Organisation, Person
from service.records.batches import visible


@dataclass(frozen=True)
class PersonRow:
    code: str
    name: str
    phone: str | None
    organisation_code: str | None
    title: str | None
    ended_on: date | None = None


def persons(session: Session) -> dict[str, PersonRow]:
    """Every person by code, ended ones too."""
    columns = [getattr(Person, name) for name in PersonRow.__dataclass_fields__]
    rows = session.execute(select(*columns).where(visible(Person)))
    return {row[0]: PersonRow(*row) for row in rows}


def organisation_names(session: Session) -> dict[str, str]:
    """Every organisation's name by code."""
    rows = session.execute(select(Organisation.code, Organisation.name).where(visible(Organisation)))
    return {row.code: row.name for row in rows}
