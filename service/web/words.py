"""Small sayings that several pages share."""

from __future__ import annotations

from datetime import date, datetime

from service.clock import SHANGHAI, spoken

_WEEKDAYS = "一二三四五六日"


def spoken_or_dash(moment: datetime | None) -> str:
    """As the office writes it; a dash for never."""
    return spoken(moment) if moment else "—"


def spoken_day(day: date) -> str:
    """A day as the office writes it.

    >>> spoken_day(date(2026, 11, 30))
    '2026-11-30 周一'
    """
    return f"{day.isoformat()} 周{_WEEKDAYS[day.weekday()]}"


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago, as one says it.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
    >>> ago(datetime(2026, 11, 23, 3, 20, tzinfo=UTC), noon), ago(datetime(2026, 11, 20, 4, 0, tzinfo=UTC), noon)
    ('40 分钟前', '11-20 12:00')
    >>> ago(None, noon)
    '从未'
    """
    if moment is None:
        return "从未"
    minutes = int((now - moment).total_seconds() // 60)
    if minutes < 1:
        return "刚刚"
    if minutes < 60:
        return f"{minutes} 分钟前"
    if minutes < 24 * 60:
        return f"{minutes // 60} 小时前"
    there = moment.astimezone(SHANGHAI)
    return f"{there:%m-%d %H:%M}" if there.year == now.astimezone(SHANGHAI).year else f"{there:%Y-%m-%d}"
