"""A day in one column and the time of day in another, as police registers and Chinese forms keep them."""

from __future__ import annotations

import re
from datetime import tzinfo

import numpy as np

from service.files.parsed import Distinct, Parsed
from service.files.table import Column, objects
from service.files.times import parse_time, parse_wall_clock, to_utc

_HOUR = re.compile(r"(\d{1,2})(?:\.0+)?(?:时|点|h)?")
_PACKED = re.compile(r"(\d{1,2})(\d{2})")
_FRACTION = re.compile(r"0?\.\d+")
# Excel's times of day come with its day zero, others' with the day itself.
_DAY = re.compile(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}(?:[T ]|$)")
_NEVER = "看不懂这个钟点，请写成 08:30"


def parse_clock(column: Column, field: str) -> Parsed:
    """Times of day as milliseconds since midnight, int64, shape (n,), -1 where missing.

    8, 0830, 8:30, 8:30 AM, 下午3:05, 15时5分, Excel's fraction of a day.
    """
    distinct = Distinct(column)
    told = parse_time(objects([f"2000-01-01 {_written(text)}" for text in distinct.values.tolist()]), field, "UTC")
    blank = np.array([text.strip() in {"", "-", "/"} for text in distinct.values.tolist()], dtype=bool)
    read = ~told.missing & ~blank
    since = np.where(read, told.values - np.datetime64("2000-01-01", "ms"), np.timedelta64(-1, "ms")).astype(np.int64)
    reasons = objects([None] * len(distinct.values))
    reasons[~read & ~blank] = _NEVER
    values = distinct.spread(since, -1)
    return Parsed(values, values < 0, distinct.problems(reasons, field), [])


def parse_day_and_clock(
    days: Column, clocks: Column, field: str, clock_field: str, zone: str | tzinfo = "Asia/Shanghai"
) -> Parsed:
    """Moments as parse_time gives them, of a day's column and a clock's; an empty clock leaves the day's own time."""
    day = parse_wall_clock(days, field)
    clock = parse_clock(clocks, clock_field)
    told = ~day.missing & ~clock.missing
    since = np.where(told, clock.values, 0).astype("timedelta64[ms]")
    local = np.where(told, day.values.astype("datetime64[D]").astype("datetime64[ms]") + since, day.values)
    moments = to_utc(local, zone)
    return Parsed(moments, np.isnat(moments), [*day.problems, *clock.problems], day.notes)


def _written(text: str) -> str:
    """
    >>> _written("8"), _written("0830"), _written("0.5"), _written("1899-12-30T08:30:00"), _written("1899-12-30")
    ('8:00', '08:30', '12:00:00', '08:30:00', '0:00')
    """
    text = _DAY.sub("", text.strip(), count=1) or "0"
    if match := _HOUR.fullmatch(text):
        return f"{match[1]}:00"
    if match := _PACKED.fullmatch(text):
        return f"{match[1]}:{match[2]}"
    if _FRACTION.fullmatch(text):
        minutes, seconds = divmod(round(float(text) * 86_400), 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
    return text
