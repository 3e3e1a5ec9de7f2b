"""The declarative base, and what every domain row carries."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Date, Integer, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """All tables."""

    metadata = MetaData(naming_convention=NAMING)


class Owned:
    """`subdistrict` is the partition key; `batch_id` the import that made the row (None: by hand)."""

    subdistrict: Mapped[str] = mapped_column(Text, default="500237002")
    batch_id: Mapped[int | None] = mapped_column(Integer, index=True)
    revision: Mapped[int] = mapped_column(Integer, default=0)


class Kept:
    """A row of a register: `version` counts its changes (optimistic locking); it holds until `ended_on`, half-open."""

    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    ended_on: Mapped[date | None] = mapped_column(Date)
