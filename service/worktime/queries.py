"""The office's calendar and hours, as the rules take them."""

from __future__ import annotations

from datetime import time

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.records import counters
from service.worktime.models import CalendarDay, CalendarYear, OfficeHours
from service.worktime.rules import Calendar, Hours

CALENDAR = "calendar"
"""The counter that moves with every change of the calendar or the hours."""


def calendar(session: Session) -> Calendar:
    """The office's table over the announced holidays."""
    days = {row[0]: bool(row[1]) for row in session.execute(select(CalendarDay.day, CalendarDay.works))}
    years = frozenset(session.scalars(select(CalendarYear.year)))
    return Calendar(days, years, counters.read(session, CALENDAR))


def hours(session: Session, unit: str | None = None) -> Hours:
    """A unit's hours, else the office's, else 9-12 and 14-18."""
    rows = {row.unit_code: row for row in session.scalars(select(OfficeHours))}
    row = rows.get(unit) or rows.get(None)
    if row is None:
        return Hours()
    spans = tuple((time.fromisoformat(begins), time.fromisoformat(ends)) for begins, ends in row.spans)
    return Hours(spans, row.every_day)
