"""Deadlines in working time: which days work, at which hours, and when a span of them is over. Pure.

Which day works: the office's own table, over the announced holidays and make-up days, over the days of the week.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import chinese_calendar

from service.clock import SHANGHAI, local_date

UNITS = {"working_hours": "工作时", "working_days": "工作日", "hours": "小时", "days": "天"}
OFFICE, ANNOUNCED, WEEKDAY = "office", "announced", "weekday"
_MOST_DAYS = 4000


@dataclass(frozen=True)
class Calendar:
    """`table`: the office's own days; `confirmed`: years whose arrangement it confirmed; `revision` counts changes."""

    table: Mapping[date, bool] = field(default_factory=dict)
    confirmed: frozenset[int] = frozenset()
    revision: int = 0

    def works(self, day: date) -> bool:
        """
        >>> Calendar().works(date(2026, 10, 1)), Calendar().works(date(2026, 10, 10))
        (False, True)
        """
        return self.told(day)[0]

    def told(self, day: date) -> tuple[bool, str]:
        """Whether a day works, and who says so: office, announced or weekday."""
        known = self.table.get(day)
        if known is not None:
            return known, OFFICE
        if day.year not in self.confirmed:
            announced = announced_works(day)
            if announced is not None:
                return announced, ANNOUNCED
        return day.weekday() < 5, WEEKDAY

    def is_confirmed(self, year: int) -> bool:
        """Whether a year's holidays and make-up days are known."""
        return year in self.confirmed or announced_works(date(year, 1, 1)) is not None


def announced_works(day: date) -> bool | None:
    """What the State Council's arrangement says of a day; None where the year's isn't known here."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return None


@dataclass(frozen=True)
class Hours:
    """The hours of a working day, in order, not touching; `every_day`: whatever the calendar says (a night shift)."""

    spans: tuple[tuple[time, time], ...] = ((time(9), time(12)), (time(14), time(18)))
    every_day: bool = False

    @property
    def ends(self) -> time:
        return self.spans[-1][1]


@dataclass(frozen=True)
class Deadline:
    """`unconfirmed`: years that it runs through whose holidays are not announced yet."""

    at: datetime
    unconfirmed: tuple[int, ...] = ()


def deadline(start: datetime, amount: int, unit: str, calendar: Calendar, hours: Hours) -> Deadline:
    """When `amount` of `unit` from `start` (aware) is over. Working days end with the office's hours of the last one,
    the day of the start not counted.

    >>> from datetime import UTC
    >>> friday = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)  # 17:30 in Shanghai
    >>> str(deadline(friday, 2, "working_hours", Calendar(), Hours()).at)
    '2026-11-30 02:30:00+00:00'
    >>> str(deadline(friday, 2, "working_days", Calendar(), Hours()).at)
    '2026-12-01 10:00:00+00:00'
    """
    if unit == "working_hours":
        at = add_work(start, timedelta(hours=amount), calendar, hours)
    elif unit == "working_days":
        at = _end_of_day(start, amount, calendar, hours)
    elif unit in ("hours", "days"):
        at = start + (timedelta(hours=amount) if unit == "hours" else timedelta(days=amount))
    else:
        raise ValueError(f"unknown unit {unit!r}")
    counted = unit.startswith("working") and not hours.every_day
    years = range(local_date(start).year, local_date(at).year + 1) if counted else ()
    return Deadline(at.astimezone(UTC), tuple(year for year in years if not calendar.is_confirmed(year)))


def add_work(start: datetime, span: timedelta, calendar: Calendar, hours: Hours) -> datetime:
    """The moment at which so much working time has passed since `start`."""
    left = span
    for begins, ends in _spans(start, calendar, hours):
        if ends - begins >= left:
            return (begins + left).astimezone(UTC)
        left -= ends - begins
    raise ValueError("no working time within ten years")


def worked(start: datetime, end: datetime, calendar: Calendar, hours: Hours) -> timedelta:
    """Working time between two moments; nothing when `end` is not after `start`."""
    total = timedelta()
    if end <= start:
        return total
    for begins, ends in _spans(start, calendar, hours):
        if begins >= end:
            break
        total += min(ends, end) - begins
    return total


def resumed(due: datetime, paused: datetime, again: datetime, unit: str, calendar: Calendar, hours: Hours) -> Deadline:
    """The deadline after a pause: as much of the unit is left as when it was paused. What was overdue stays so."""
    if due <= paused:
        return Deadline(due)
    if unit == "working_hours":
        at = add_work(again, worked(paused, due, calendar, hours), calendar, hours)
    elif unit == "working_days":
        first, last = local_date(paused), local_date(due)
        left = sum(_works(calendar, hours, first + timedelta(n)) for n in range(1, (last - first).days + 1))
        at = _end_of_day(again, left, calendar, hours)
    else:
        at = due + (again - paused)
    counted = unit.startswith("working") and not hours.every_day
    years = range(local_date(again).year, local_date(at).year + 1) if counted else ()
    return Deadline(at.astimezone(UTC), tuple(year for year in years if not calendar.is_confirmed(year)))


def _works(calendar: Calendar, hours: Hours, day: date) -> bool:
    return hours.every_day or calendar.works(day)


def _spans(start: datetime, calendar: Calendar, hours: Hours) -> Iterator[tuple[datetime, datetime]]:
    """Working spans from `start` on, as aware moments; the first may begin in the middle."""
    first = local_date(start)
    for n in range(_MOST_DAYS):
        day = first + timedelta(n)
        if not _works(calendar, hours, day):
            continue
        for opens, closes in hours.spans:
            begins, ends = (datetime.combine(day, one, SHANGHAI) for one in (opens, closes))
            if ends > start:
                yield max(begins, start), ends


def _end_of_day(start: datetime, amount: int, calendar: Calendar, hours: Hours) -> datetime:
    day, left = local_date(start), amount
    for _ in range(_MOST_DAYS):
        if left == 0:
            return datetime.combine(day, hours.ends, SHANGHAI)
        day += timedelta(1)
        left -= _works(calendar, hours, day)
    raise ValueError("no working days within ten years")
