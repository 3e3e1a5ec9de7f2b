"""The office's own calendar and hours, over the announced holidays."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Boolean, Date, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.db.base import Base
from service.db.types import JsonText


class CalendarDay(Base):
    """A day on which the office's table says whether it works; it goes over every other source."""

    __tablename__ = "calendar_days"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    works: Mapped[bool] = mapped_column(Boolean)
    name: Mapped[str | None] = mapped_column(Text)


class CalendarYear(Base):
    """A year whose arrangement the office confirmed: the days that its table doesn't name are as weekdays go."""

    __tablename__ = "calendar_years"

    year: Mapped[int] = mapped_column(Integer, primary_key=True)
    source: Mapped[str | None] = mapped_column(Text)


class OfficeHours(Base):
    """Hours of a unit; the row without a unit is the office's. `spans`: [["09:00", "12:00"], …] of a working day."""

    __tablename__ = "office_hours"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    unit_code: Mapped[str | None] = mapped_column(Text, unique=True)
    spans: Mapped[list[Any]] = mapped_column(JsonText)
    every_day: Mapped[bool] = mapped_column(Boolean, default=False)
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
