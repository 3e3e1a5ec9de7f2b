"""Working time: holidays, make-up days, the office's table, pauses. Days of 2026 by the State Council's arrangement."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.clock import SHANGHAI
from service.worktime.rules import ANNOUNCED, OFFICE, WEEKDAY, Calendar, Hours, add_work, deadline, resumed, worked

OFFICE_HOURS = Hours()  # 9-12 and 14-18: seven hours


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("start", "amount", "unit", "end"),
    [
        ("2026-11-23 10:00", 4, "working_hours", "2026-11-23 16:00"),  # over the lunch break
        ("2026-11-23 07:00", 1, "working_hours", "2026-11-23 10:00"),  # before the office opens
        ("2026-11-23 18:00", 1, "working_hours", "2026-11-24 10:00"),  # at its closing
        ("2026-11-27 17:00", 2, "working_hours", "2026-11-30 10:00"),  # over a weekend
        ("2026-09-30 17:00", 2, "working_hours", "2026-10-08 10:00"),  # over the National Day holiday
        ("2026-10-09 17:00", 2, "working_hours", "2026-10-10 10:00"),  # the Saturday makes up for it
        ("2026-11-23 10:00", 2, "working_days", "2026-11-25 18:00"),
        ("2026-11-28 10:00", 1, "working_days", "2026-11-30 18:00"),  # reported on a Saturday
        ("2026-11-28 10:00", 3, "hours", "2026-11-28 13:00"),
        ("2026-11-28 10:00", 3, "days", "2026-12-01 10:00"),
    ],
)
def test_deadlines(start: str, amount: int, unit: str, end: str) -> None:
    found = deadline(at(start), amount, unit, Calendar(), OFFICE_HOURS)
    assert (found.at, found.unconfirmed) == (at(end), ())


def test_who_says_whether_a_day_works() -> None:
    table = Calendar({date(2026, 11, 23): False, date(2026, 10, 1): True})
    assert table.told(date(2026, 11, 23)) == (False, OFFICE)
    assert table.told(date(2026, 10, 1)) == (True, OFFICE)
    assert table.told(date(2026, 10, 10)) == (True, ANNOUNCED)
    assert table.told(date(2099, 1, 1)) == (True, WEEKDAY)
    assert Calendar(confirmed=frozenset({2026})).told(date(2026, 10, 1)) == (True, WEEKDAY)


def test_a_year_that_is_not_announced_is_marked() -> None:
    late = at("2098-12-30 10:00")
    assert deadline(late, 5, "working_days", Calendar(), OFFICE_HOURS).unconfirmed == (2098, 2099)
    known = Calendar(confirmed=frozenset({2098, 2099}))
    assert deadline(late, 5, "working_days", known, OFFICE_HOURS).unconfirmed == ()
    assert deadline(late, 5, "days", Calendar(), OFFICE_HOURS).unconfirmed == ()
    watch = Hours(((time(0), time(23, 59)),), every_day=True)
    assert deadline(late, 5, "working_hours", Calendar(), watch).unconfirmed == ()


def test_a_pause_leaves_as_much_as_there_was() -> None:
    due, paused, again = at("2026-11-24 10:00"), at("2026-11-23 17:00"), at("2026-11-30 09:30")
    assert resumed(due, paused, again, "working_hours", Calendar(), OFFICE_HOURS).at == at("2026-11-30 11:30")
    days = at("2026-11-25 18:00")
    assert resumed(days, paused, again, "working_days", Calendar(), OFFICE_HOURS).at == at("2026-12-02 18:00")
    assert resumed(days, paused, again, "hours", Calendar(), OFFICE_HOURS).at == days + (again - paused)
    assert resumed(paused, due, again, "working_hours", Calendar(), OFFICE_HOURS).at == paused  # late before already


@given(st.integers(0, 60 * 24 * 400), st.integers(1, 60 * 200))
def test_added_work_is_worked(offset: int, minutes: int) -> None:
    """What is added to a moment is exactly the working time between it and the result."""
    start = at("2025-06-01 00:00") + timedelta(minutes=offset)
    span = timedelta(minutes=minutes)
    assert worked(start, add_work(start, span, Calendar(), OFFICE_HOURS), Calendar(), OFFICE_HOURS) == span
