"""The one place where time is read, and the one helper for periods."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
_WEEKDAYS = "一二三四五六日"


def utcnow() -> datetime:
    """Now, aware, UTC. `STEWARD_NOW` (ISO 8601) sets another day for tests; production refuses it (config.py)."""
    fixed = os.environ.get("STEWARD_NOW")
    if fixed:
        return datetime.fromisoformat(fixed).astimezone(UTC)
    return datetime.now(UTC)


def local_date(moment: datetime) -> date:
    """The Shanghai date of an aware moment."""
    return moment.astimezone(SHANGHAI).date()


def in_force(starts: date | None, on: date, ends: date | None) -> bool:
    """Half-open: `starts <= on < ends`; None is open.

    >>> in_force(date(2026, 1, 1), date(2026, 1, 1), date(2026, 2, 1))
    True
    >>> in_force(date(2026, 1, 1), date(2026, 2, 1), date(2026, 2, 1))
    False
    """
    return (starts is None or starts <= on) and (ends is None or on < ends)


def ended_by(on: date, ends: date | None) -> bool:
    """Whether a record that holds until `ends`, half-open, is over on the day.

    >>> ended_by(date(2026, 2, 1), date(2026, 2, 1)), ended_by(date(2026, 1, 31), date(2026, 2, 1))
    (True, False)
    """
    return not in_force(None, on, ends)


def overlap(starts: date | None, ends: date | None, others: date | None, other_ends: date | None) -> bool:
    """Whether two half-open periods share a day; None is open, an empty period (withdrawn before it began) has none.

    >>> overlap(date(2026, 1, 1), date(2026, 2, 1), date(2026, 2, 1), None)
    False
    >>> overlap(date(2026, 1, 1), None, None, date(2026, 1, 2))
    True
    >>> overlap(date(2026, 1, 5), date(2026, 1, 5), date(2026, 1, 1), None)
    False
    """
    if is_empty(starts, ends) or is_empty(others, other_ends):
        return False
    return (starts is None or other_ends is None or starts < other_ends) and (
        others is None or ends is None or others < ends
    )


def is_empty(starts: date | None, ends: date | None) -> bool:
    """Whether a half-open period holds no day: it was withdrawn before it began."""
    return starts is not None and ends is not None and ends <= starts


def spoken(moment: datetime) -> str:
    """As the office writes it: 2026-11-23 周一 09:30."""
    there = moment.astimezone(SHANGHAI)
    return f"{there:%Y-%m-%d} 周{_WEEKDAYS[there.weekday()]} {there:%H:%M}"
