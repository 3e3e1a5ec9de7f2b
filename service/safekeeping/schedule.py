"""When a backup is due and which ones stay. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from service.clock import SHANGHAI
from service.records.office import BackupPlan


def due(now: datetime, last: datetime | None, plan: BackupPlan) -> bool:
    """Whether the plan's last hour has passed without a backup since. A service that slept makes up for it.

    >>> from pathlib import Path
    >>> plan = BackupPlan(True, 2, 7, 4, Path("backups"))
    >>> noon = datetime(2026, 11, 23, 4, tzinfo=UTC)  # 12:00 in Shanghai
    >>> due(noon, noon - timedelta(hours=11), plan), due(noon, noon - timedelta(hours=9), plan), due(noon, None, plan)
    (True, False, True)
    """
    return plan.on and (last is None or last < last_hour(now, plan))


def last_hour(now: datetime, plan: BackupPlan) -> datetime:
    """The plan's most recent moment, not after now."""
    there = now.astimezone(SHANGHAI)
    hour = there.replace(hour=plan.hour, minute=0, second=0, microsecond=0)
    return (hour if hour <= there else hour - timedelta(days=1)).astimezone(UTC)


def surplus(made: Iterable[datetime], plan: BackupPlan) -> set[datetime]:
    """The backups that rotation drops: all but the newest of each of the last `daily` days and `weekly` weeks that
    have any. The newest of all always stays.

    >>> from pathlib import Path
    >>> days = [datetime(2026, 11, day, 18, tzinfo=UTC) for day in range(1, 16)]
    >>> dropped = surplus(days, BackupPlan(True, 2, 3, 3, Path("backups")))
    >>> sorted(day.day for day in set(days) - dropped)
    [7, 13, 14, 15]
    """
    newest_first = sorted(made, reverse=True)
    kept: set[datetime] = set(newest_first[:1])
    for most, part in ((plan.daily, _day), (plan.weekly, _week)):
        newest: dict[tuple[int, ...], datetime] = {}
        for moment in newest_first:
            newest.setdefault(part(moment), moment)
        kept.update(list(newest.values())[:most])
    return set(newest_first) - kept


def _day(moment: datetime) -> tuple[int, ...]:
    there = moment.astimezone(SHANGHAI)
    return there.year, there.month, there.day


def _week(moment: datetime) -> tuple[int, ...]:
    return tuple(moment.astimezone(SHANGHAI).isocalendar()[:2])
