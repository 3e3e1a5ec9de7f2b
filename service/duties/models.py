"""Who answers for a subject, in which role, in which period."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Date, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.db.base import Base, Owned


class Duty(Owned, Base):
    """Half-open: holds while `starts_on <= day < ends_on`; likewise the acting person's leave period.

    `version` counts its changes (optimistic locking).
    """

    __tablename__ = "duties"
    __table_args__ = (Index("ix_duties_subject", "subject_kind", "subject_code"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    role: Mapped[str] = mapped_column(Text)
    subject_kind: Mapped[str] = mapped_column(Text)
    subject_code: Mapped[str] = mapped_column(Text)
    person_code: Mapped[str] = mapped_column(Text, index=True)
    acting_code: Mapped[str | None] = mapped_column(Text)
    acting_from: Mapped[date | None] = mapped_column(Date)
    acting_until: Mapped[date | None] = mapped_column(Date)
    starts_on: Mapped[date | None] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
