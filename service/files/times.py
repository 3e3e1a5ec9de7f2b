"""Dates and times in the notations that offices, hotlines and spreadsheets use, a whole column at once.

A cell is taken apart into its runs of digits (year, month, day, hour, minute, second, fraction) and the marks between
them; which run is which follows from their lengths. So one pass reads every notation, mixed columns too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from service.errors import InvalidValue
from service.files.dateorder import UNCLEAR, date_parts
from service.files.parsed import Distinct, Parsed
from service.files.table import Column, objects
from service.files.timewords import plain_texts

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
_WIDEST = 48
_RUNS = 10
_EXCEL_EPOCH = np.datetime64("1899-12-30", "ms")
_EPOCH = np.datetime64("1970-01-01", "ms")
_DAY_MS = 86_400_000
_UNREADABLE = "看不懂这个时间，请写成 2025-01-31 08:30"
_UNREADABLE_DAY = "看不懂这个日期，请写成 2025-01-31"
_IMPOSSIBLE = "没有这个日期或时间"
_SHORT_YEARS = "“{field}”里写了月份名称的日期，两位数的年份在最后，按 20 几几年理解（69 到 99 是 19 几几年）"


def parse_time(column: Column, field: str, zone: str | tzinfo = "Asia/Shanghai") -> Parsed:
    """Moments as datetime64[ms] in UTC, shape (n,), NaT where missing. A time that names no zone is taken in `zone`."""
    read = _read(column, field)
    local = np.where(read.good & ~read.fixed, read.moment, np.datetime64("NaT", "ms"))
    moment = np.where(read.fixed, read.moment, to_utc(local, zone))
    return _finish(read, moment.astype("datetime64[ms]"), field)


def parse_date(column: Column, field: str, zone: str | tzinfo = "Asia/Shanghai") -> Parsed:
    """Days as datetime64[D], shape (n,), NaT where missing; one that names its zone falls on its day in `zone`."""
    read = _read(column, field)
    there = pd.DatetimeIndex(np.where(read.fixed, read.moment, np.datetime64("NaT", "ms")), tz="UTC")
    local = there.tz_convert(_zone(zone)).tz_localize(None).to_numpy()
    days = np.where(read.fixed, local.astype("datetime64[ms]"), read.moment)
    read.reasons[read.reasons == _UNREADABLE] = _UNREADABLE_DAY
    return _finish(read, days.astype("datetime64[D]"), field)


def parse_wall_clock(column: Column, field: str) -> Parsed:
    """What the cells say, whatever zone they name: datetime64[ms] in nobody's zone, shape (n,), NaT where missing."""
    read = _read(column, field)
    return _finish(read, read.moment.astype("datetime64[ms]"), field)


@dataclass
class _Read:
    """Per distinct value (k,): the moment (UTC where `fixed`, else local), whether it holds, the reason if not."""

    distinct: Distinct
    moment: NDArray[np.datetime64]
    fixed: Bools
    good: Bools
    reasons: Column
    notes: list[str]


def _read(column: Column, field: str) -> _Read:
    distinct = Distinct(column)
    texts = distinct.values
    runs = _take_apart(texts)
    notes: list[str] = []
    moment, good = _calendar(runs, field, notes)
    blank = (runs.count == 0) & ~runs.strange  # spaces, or the "-" and "/" that forms put for nothing
    fixed = runs.zoned.copy()
    moment = moment - np.where(runs.zoned, runs.offset_ms, 0).astype("timedelta64[ms]")
    serial, is_serial = _excel_serial(texts, runs)
    moment[is_serial], good[is_serial], fixed[is_serial] = serial[is_serial], True, False
    epoch, is_epoch = _epoch(texts, runs)
    moment[is_epoch], good[is_epoch], fixed[is_epoch] = epoch[is_epoch], True, True
    reasons = objects([None] * len(texts))
    reasons[~good & ~blank] = _UNREADABLE
    reasons[runs.impossible & ~good & ~blank] = _IMPOSSIBLE
    reasons[runs.unclear & ~good] = UNCLEAR
    if runs.short_years:
        notes.append(_SHORT_YEARS.format(field=field))
    moment[~good] = np.datetime64("NaT")
    return _Read(distinct, moment, fixed & good, good, reasons, notes)


def _finish(read: _Read, values: NDArray[Any], field: str) -> Parsed:
    spread = read.distinct.spread(values, np.datetime64("NaT"))
    return Parsed(spread, np.isnat(spread), read.distinct.problems(read.reasons, field), read.notes)


def _zone(zone: str | tzinfo) -> tzinfo:
    if not isinstance(zone, str):
        return zone
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidValue("time_zone", f"没有“{zone}”这个时区，例如 Asia/Shanghai、America/New_York。") from error


def to_utc(local: NDArray[np.datetime64], zone: str | tzinfo) -> NDArray[np.datetime64]:
    """Wall clocks in a zone as UTC.

    The hour that happens twice is taken as its first, the one that never happens as the moment the clock jumps.
    """
    index = pd.DatetimeIndex(local)
    first = np.ones(len(index), dtype=bool)
    aware = index.tz_localize(_zone(zone), ambiguous=first, nonexistent="shift_forward")
    return aware.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[ms]")


@dataclass
class _Runs:
    """What a column's cells consist of. values, lengths: (runs, k); -1 and 0 where a run is absent.

    mark: the character behind the first run; short_years: whether a named month has a year of two digits.
    """

    values: Ints
    lengths: Ints
    count: Ints
    afternoon: Bools
    morning: Bools
    zoned: Bools
    offset_ms: Ints
    strange: Bools
    colon: Bools
    mark: Ints
    short_years: bool
    impossible: Bools
    unclear: Bools


def _take_apart(texts: Column) -> _Runs:
    """Runs of digits and marks, character column by character column."""
    k = len(texts)
    lowered, short_years = plain_texts(texts.tolist())
    letters = np.array(
        lowered or [""], dtype=f"U{_WIDEST + 1}" if lowered and len(max(lowered, key=len)) > _WIDEST else str
    )[:k]
    width = max(letters.dtype.itemsize // 4, 1)
    codes = letters.view(np.uint32).reshape(k, width) if k else np.zeros((0, 1), dtype=np.uint32)
    values, lengths = np.full((_RUNS, k), -1, dtype=np.int64), np.zeros((_RUNS, k), dtype=np.int64)
    current = np.full(k, -1, dtype=np.int64)
    before = np.zeros(k, dtype=bool)
    marks = {name: np.zeros(k, dtype=bool) for name in ("a", "p", "z", "plus", "minus", "strange", "colon")}
    sign_at = np.full(k, _RUNS, dtype=np.int64)
    mark = np.zeros(k, dtype=np.int64)
    rows = np.arange(k)
    for j in range(width):
        c = codes[:, j]
        digit = (c >= 48) & (c <= 57)
        if j and (ended := before & ~digit & (current == 0)).any():
            mark[ended] = c[ended]
        current = np.minimum(current + (digit & ~before), _RUNS - 1)
        _append_digits(values, lengths, current, digit, c)
        _note_marks(c, digit, current, marks, sign_at)
        before = digit
    too_long = codes[:, _WIDEST] != 0 if width > _WIDEST else np.zeros(k, dtype=bool)
    signed = marks["plus"] | marks["minus"]
    zoned = marks["z"] | signed
    offset = np.zeros(k, dtype=np.int64)
    first = np.where(signed, sign_at, 0)
    hours, minutes = values[first, rows], values[np.minimum(first + 1, _RUNS - 1), rows]
    packed = lengths[first, rows] == 4  # +0800
    hours, minutes = np.where(packed, hours // 100, hours), np.where(packed, hours % 100, np.maximum(minutes, 0))
    offset = np.where(signed, (hours * 60 + minutes) * 60_000, 0) * np.where(marks["minus"], -1, 1)
    count = np.where(signed, sign_at, current + 1)
    bad = marks["strange"] | too_long | (signed & ((hours < 0) | (hours > 14) | (minutes > 59)))
    impossible, unclear = np.zeros((2, k), dtype=bool)
    return _Runs(
        values, lengths, count, marks["p"], marks["a"], zoned, offset, bad, marks["colon"], mark, short_years,
        impossible, unclear,
    )  # fmt: skip


def _append_digits(values: Ints, lengths: Ints, run: Ints, digit: Bools, c: NDArray[np.uint32]) -> None:
    """One more digit to each cell's run; whole rows at once where all cells agree, as in one notation they do."""
    if digit.all() and len(run) and (run == run[0]).all():
        at = int(run[0])
        values[at] = np.maximum(values[at], 0) * 10 + c - 48
        lengths[at] += 1
    elif digit.any():
        cells = np.flatnonzero(digit)
        values[run[cells], cells] = np.maximum(values[run[cells], cells], 0) * 10 + c[cells] - 48
        lengths[run[cells], cells] += 1


def _note_marks(c: NDArray[np.uint32], digit: Bools, run: Ints, marks: dict[str, Bools], sign_at: Ints) -> None:
    """Remember what the characters between the digits say."""
    if digit.all() or (len(c) and chr(c[0]) in " ./" and (c == c[0]).all()):
        return
    other = ~digit & (c != 0)
    for char in np.flatnonzero(np.bincount(c[other])).tolist():
        here = other & (c == char)
        letter = chr(char)
        if letter == ":":
            marks["colon"] |= here
        elif letter in "ap上下午晚中早凌晨":
            for name, letters in (("a", "a上早凌晨"), ("p", "p下晚中")):
                if letter in letters:
                    marks[name] |= here & ~marks["z"]
        elif letter == "z":
            marks["z"] |= here
        elif letter in "+-":
            late = here & (run >= 3) & (sign_at == _RUNS) & (marks["colon"] | (letter == "+"))
            marks["plus" if letter == "+" else "minus"] |= late
            sign_at[late] = run[late] + 1
            if letter == "+":
                marks["strange"] |= here & ~late
        elif letter not in " ./年月日时時分秒点號号t,m星期周礼拜一二三四五六天()\u3000gnuteowdhrisyf":
            marks["strange"] |= here


def _calendar(runs: _Runs, field: str, notes: list[str]) -> tuple[NDArray[np.datetime64], Bools]:
    """(local moment, holds) from the runs."""
    v, n = runs.values, runs.lengths
    whole = ~runs.strange & (runs.count > 0)
    compact = whole & (n[0] >= 8) & (n[0] % 2 == 0) & (n[0] <= 14)
    stamp = np.where(compact, v[0] * 10 ** np.clip(14 - n[0], 0, 6), 0)
    year_first = whole & (n[0] == 4) & (runs.count >= 3)
    three = whole & (n[0] <= 2) & (n[1] <= 2) & (runs.count >= 3) & (runs.mark != ord(":"))
    year_last, short = three & (n[2] == 4), three & (n[2] == 2)
    (year, month, day), runs.unclear = date_parts(v[:3], year_last, short, runs.mark == ord("."), field, notes)
    year = np.where(compact, stamp // 10**10, year)
    month = np.where(compact, stamp // 10**8 % 100, month)
    day = np.where(compact, stamp // 10**6 % 100, day)
    inner = compact & (n[0] > 8)
    start = np.where(compact, 1, 3)
    rows = np.arange(v.shape[1])
    clock = [np.where(start + i < runs.count, v[np.minimum(start + i, _RUNS - 1), rows], 0) for i in range(4)]
    hour = np.where(inner, stamp // 10**4 % 100, clock[0])
    minute = np.where(inner, stamp // 100 % 100, clock[1])
    second = np.where(inner, stamp % 100, clock[2])
    digits = np.where(start + 3 < runs.count, n[np.minimum(start + 3, _RUNS - 1), rows], 0)
    fraction = np.where(digits > 0, clock[3] * 1000 // 10 ** np.clip(digits, 0, 17), 0)
    hour = np.where(runs.afternoon & (hour < 12), hour + 12, hour)
    hour = np.where(runs.morning & ~runs.afternoon & (hour == 12), 0, hour)
    shaped = (compact | year_first | year_last | short) & ~runs.unclear & (runs.count <= start + 4)
    moment, exists = _moment(year, month, day, hour, minute, second, fraction)
    runs.impossible = shaped & ~exists
    return moment, shaped & exists


def _moment(
    year: Ints, month: Ints, day: Ints, hour: Ints, minute: Ints, second: Ints, fraction: Ints
) -> tuple[NDArray[np.datetime64], Bools]:
    exists = (year >= 1900) & (year <= 2200) & (month >= 1) & (month <= 12) & (day >= 1)
    months = np.where(exists, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    first = months.astype("datetime64[D]")
    length = ((months + 1).astype("datetime64[D]") - first).astype(np.int64)
    midnight = (hour == 24) & (minute == 0) & (second == 0)
    exists &= (day <= length) & ((hour <= 23) | midnight) & (minute <= 59) & (second <= 59)
    within = ((hour * 60 + minute) * 60 + second) * 1000 + fraction
    total = np.where(exists, (day - 1) * _DAY_MS + within, 0)
    return first.astype("datetime64[ms]") + total.astype("timedelta64[ms]"), exists


def _excel_serial(texts: Column, runs: _Runs) -> tuple[NDArray[np.datetime64], Bools]:
    """Days since 1899-12-30, as Excel stores a date: 45688.354 is 2025-01-31 08:30 (years 1927 to 2173)."""
    plain = ~runs.strange & ~runs.colon & ~runs.zoned & (runs.lengths[0] == 5) & (runs.count <= 2)
    days = _numbers(texts, plain)
    plain &= (days >= 10_000) & (days < 100_000)
    milliseconds = np.round(np.where(plain, days, 0) * 86_400) * 1000
    return _EXCEL_EPOCH + milliseconds.astype(np.int64).astype("timedelta64[ms]"), plain


def _epoch(texts: Column, runs: _Runs) -> tuple[NDArray[np.datetime64], Bools]:
    """Seconds (10 digits) or milliseconds (13) since 1970, 2001 to 2100."""
    length = runs.lengths[0]
    plain = ~runs.strange & ~runs.colon & ~runs.zoned & ((length == 10) | (length == 13)) & (runs.count <= 2)
    numbers = _numbers(texts, plain)
    milliseconds = np.where(length == 10, numbers * 1000, numbers)
    plain &= (milliseconds >= 1e12) & (milliseconds < 4.1e12)
    return _EPOCH + np.where(plain, milliseconds, 0).astype(np.int64).astype("timedelta64[ms]"), plain


def _numbers(texts: Column, wanted: Bools) -> NDArray[np.float64]:
    """The texts as numbers where wanted, NaN elsewhere."""
    out = np.full(len(texts), np.nan)
    if wanted.any():
        out[wanted] = pd.to_numeric(pd.Series(texts[wanted], dtype=object), errors="coerce").to_numpy(dtype=np.float64)
    return out
