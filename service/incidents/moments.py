"""When an incident was reported: among a file's columns of days, of times of day, and of both, which are meant."""

from __future__ import annotations

import numpy as np

from service.files.clocks import parse_clock
from service.files.mapping import plain_header
from service.files.table import SourceTable
from service.files.times import parse_wall_clock

# What a register calls it, the surest first.
REPORTED_WORDS = (
    "上报时间",
    "发现时间",
    "受理时间",
    "创建时间",
    "上报日期",
    "发现日期",
    "受理日期",
    "登记时间",
    "登记日期",
    "立案时间",
    "发生时间",
    "发生日期",
    "案发时间",
    "案发日期",
    "举报时间",
    "投诉时间",
    "来电时间",
    "采集时间",
    "时间",
    "日期",
    "created date",
    "created",
    "date",
    "time",
    "datetime",
    "date time",
    "reported",
    "reported date",
    "report date",
    "opened",
    "opened date",
    "requested datetime",
    "occurred",
    "occurred on date",
    "occurrence date",
)
_CLOCK_WORDS = ("钟点", "时刻", "小时", "几点", "时", "hour", "hour of day", "time of day", "clock", "occurrence time")
_LOOKED_AT = 2_000
_MOSTLY, _SAME_DAYS = 0.5, 0.95


def choose_moment(table: SourceTable) -> dict[str, str]:
    """{reported_at: column} and, where that holds days only, {reported_clock: column}; {} where no content speaks.

    Of columns that tell the same days the one with the time of day is taken; one that tells other days (a time kept in
    UTC beside the local day) is not.
    """
    named = _named(table, REPORTED_WORDS)
    moments = {column: _moments(table, column) for column in named}
    days = [column for column in named if _readable(table, column, ~np.isnat(moments[column]))]
    if not days:
        return {}
    first = days[0]
    if _with_clock(moments[first]):
        return {"reported_at": first}
    for other in days[1:]:
        if _with_clock(moments[other]) and _same_days(moments[first], moments[other]):
            return {"reported_at": other}
    for column in [*_named(table, _CLOCK_WORDS), *named]:
        if column not in days and _is_clock(table, column):
            return {"reported_at": first, "reported_clock": column}
    return {"reported_at": first}


def _named(table: SourceTable, words: tuple[str, ...]) -> list[str]:
    """Columns under one of these headers, in the order of the words."""
    found = []
    for brackets in (True, False):
        by_word = {plain_header(column, brackets): column for column in reversed(table.columns)}
        found += [by_word[word] for word in map(plain_header, words) if word in by_word]
    return list(dict.fromkeys(found))


def _moments(table: SourceTable, column: str) -> np.ndarray:
    return parse_wall_clock(table.columns[column][:_LOOKED_AT], "").values


def _readable(table: SourceTable, column: str, read: np.ndarray) -> bool:
    """Whether most of the cells that hold something were understood."""
    given = sum(value is not None for value in table.columns[column][:_LOOKED_AT].tolist())
    return given > 0 and int(read.sum()) >= _MOSTLY * given


def _is_clock(table: SourceTable, column: str) -> bool:
    """Whether it tells times of day; all midnight says no more than the day (San Francisco's `Time` lost its hours)."""
    clock = parse_clock(table.columns[column][:_LOOKED_AT], "")
    return _readable(table, column, ~clock.missing) and bool((clock.values > 0).any())


def _with_clock(moments: np.ndarray) -> bool:
    told = moments[~np.isnat(moments)]
    return bool((told != told.astype("datetime64[D]")).any())


def _same_days(some: np.ndarray, others: np.ndarray) -> bool:
    both = ~np.isnat(some) & ~np.isnat(others)
    same = some[both].astype("datetime64[D]") == others[both].astype("datetime64[D]")
    return bool(both.any()) and float(same.mean()) >= _SAME_DAYS
