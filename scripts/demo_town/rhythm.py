"""When things are reported: hours of the day, days of the week, seasons, and the working time of deadlines."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np

REFERENCE = date(2026, 11, 23)
"""The Monday at which offset 0 stands while the town is made; the seasons are those before this day."""
DAYS = 427
"""Fourteen months in whole weeks: the days -427 … -1."""
DAY = 24 * 60
_SPRING_FESTIVAL = date(2026, 2, 17)
_WORK = ((9 * 60, 12 * 60), (14 * 60, 18 * 60))


def _hours(*humps: tuple[float, float, float]) -> np.ndarray:
    """Shares of the 24 hours from humps (hour, width, size)."""
    hours = np.arange(24) + 0.5
    shares = sum(size * np.exp(-(((hours - at) / width) ** 2) / 2) for at, width, size in humps)
    return np.asarray(shares) / np.sum(shares)


HOURS = {
    "patrol": _hours((9.8, 1.3, 1.0), (15.6, 1.5, 0.9), (19.5, 1.5, 0.12)),
    "shops": _hours((10.5, 1.6, 0.8), (16.5, 1.7, 0.9), (19.3, 1.3, 0.5)),
    "market": _hours((7.6, 1.1, 1.3), (10.0, 1.2, 0.6), (17.2, 1.2, 0.7)),
    "school": _hours((7.8, 0.6, 0.9), (12.2, 0.6, 0.6), (16.8, 0.8, 1.3)),
    "traffic": _hours((8.2, 1.0, 1.0), (12.3, 1.3, 0.5), (17.8, 1.3, 1.0), (20.3, 1.2, 0.3)),
    "evening": _hours((12.3, 0.9, 0.5), (18.8, 1.3, 1.2)),
    "night": _hours((20.6, 1.2, 1.0), (22.4, 0.9, 0.6)),
}
WEEK = {
    "patrol": (1.12, 1.1, 1.08, 1.06, 1.04, 0.66, 0.5),
    "shops": (1.0, 1.0, 1.0, 1.0, 1.08, 1.0, 0.85),
    "market": (0.95, 0.9, 0.95, 0.95, 1.0, 1.25, 1.15),
    "school": (1.25, 1.2, 1.2, 1.2, 1.25, 0.3, 0.25),
    "traffic": (1.12, 1.05, 1.05, 1.05, 1.15, 0.85, 0.7),
    "evening": (0.9, 0.9, 0.9, 0.95, 1.15, 1.2, 1.0),
    "night": (0.75, 0.75, 0.8, 0.85, 1.35, 1.5, 1.0),
}
"""Monday to Sunday."""


def _yearly(day: date, peak: int) -> float:
    """Cosine of the distance in the year from its `peak`-th day, 1 at the peak and -1 half a year away."""
    return math.cos((day.timetuple().tm_yday - peak) / 365.25 * 2 * math.pi)


def season(kind: str, day: date) -> float:
    """Factor of a kind of season on a day; about 1 on average over the year."""
    if kind == "summer":
        return 1 + 0.8 * _yearly(day, 205)
    if kind == "mild_summer":
        return 1 + 0.3 * _yearly(day, 205)
    if kind == "winter":
        return 1 + 0.8 * _yearly(day, 10)
    feast = abs((day - _SPRING_FESTIVAL).days)
    if kind == "spring_festival":
        return 14.0 if feast <= 8 else 5.0 if feast <= 16 else 0.12
    if kind == "festival":
        national = date(day.year, 9, 27) <= day <= date(day.year, 10, 7)
        return 3.0 if feast <= 21 or national else 0.85
    return 1.0


def day_weights(rhythm: str, kind: str) -> np.ndarray:
    """Weight of each of the DAYS days, the earliest first."""
    weights = np.empty(DAYS)
    for i in range(DAYS):
        day = REFERENCE + timedelta(days=i - DAYS)
        quiet = 0.55 if abs((day - _SPRING_FESTIVAL).days) <= 4 and kind != "spring_festival" else 1.0
        weights[i] = WEEK[rhythm][day.weekday()] * season(kind, day) * quiet
    return weights


def after_working_hours(start: int, hours: float) -> int:
    """The minute (offset) at which so many working hours after `start` have passed, Monday to Friday.

    >>> after_working_hours(9 * 60, 3) == 12 * 60, after_working_hours(11 * 60, 2) == 15 * 60
    (True, True)
    >>> after_working_hours(-DAY + 600, 1) == 10 * 60  # Sunday morning: counted from Monday at nine
    True
    """
    left = hours * 60
    day = start // DAY
    while True:
        if day % 7 < 5:
            for opens, closes in _WORK:
                at = max(start, day * DAY + opens)
                end = day * DAY + closes
                if at < end:
                    if left <= end - at:
                        return round(at + left)
                    left -= end - at
        day += 1
