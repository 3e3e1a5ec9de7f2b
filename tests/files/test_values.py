"""Cells to values."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from service.errors import InvalidValue
from service.files.table import objects
from service.files.values import (
    parse_code,
    parse_date,
    parse_float,
    parse_int,
    parse_lonlat,
    parse_phone,
    parse_text,
    parse_time,
)

HALF_PAST_EIGHT = "2025-01-31T00:30:00.000"  # in UTC


@pytest.mark.parametrize(
    "cell",
    [
        "2025-01-31 8:30",
        "2025-01-31 08:30:00",
        "2025/1/31 8:30",
        "2025.1.31 08:30",
        "20250131083000",
        "202501310830",
        "20250131 08:30",
        "2025年1月31日 8时30分",
        "2025年1月31日8:30",
        "1/31/2025 8:30",
        "31/1/2025 08:30:00",
        "1/31/2025 08:30:00 AM",
        "1/31/25 8:30",
        "2025-01-31 上午8:30",
        "2025-01-31 星期五 08:30",
        "2025-01-31 早8点30分",
        "2025-01-31T08:30:00+08:00",
        "2025-01-31T08:30:00.000+0800",
        "2025-01-31T00:30:00Z",
        "2025-01-31 00:30:00 UTC",
        "2025-01-30 19:30:00-05:00",
        "45688.3541666667",
        45688.3541666667,
        "1738283400",
        1738283400,
        "1738283400000",
        "２０２５－０１－３１　０８：３０",
        "31 Jan 2025 08:30",
        "Fri Jan 31 2025 08:30:00 GMT+0800",
        dt.datetime(2025, 1, 31, 8, 30),  # noqa: DTZ001 - as a spreadsheet gives it
        dt.datetime(2025, 1, 31, 0, 30, tzinfo=dt.UTC),
    ],
)
def test_one_moment_in_many_notations(cell: Any) -> None:
    parsed = parse_time(objects([cell]), "上报时间")
    assert str(parsed.values[0]) == HALF_PAST_EIGHT
    assert parsed.values.dtype == "datetime64[ms]"
    assert not parsed.problems


@pytest.mark.parametrize(
    ("cell", "utc"),
    [
        ("2025-01-31 下午8:30", "2025-01-31T12:30"),
        ("2025-01-31 12:05 AM", "2025-01-30T16:05"),
        ("2025-01-31 12:05 PM", "2025-01-31T04:05"),
        ("2025-01-31 中午12:30", "2025-01-31T04:30"),
        ("2025-01-31 凌晨1:30", "2025-01-30T17:30"),
        ("2025-01-31 24:00", "2025-01-31T16:00"),
        ("2025-01-31", "2025-01-30T16:00"),
        ("2025-01-31 08:30:15.250", "2025-01-31T00:30:15.250"),
    ],
)
def test_parts_of_the_day(cell: str, utc: str) -> None:
    assert parse_time(objects([cell]), "t").values[0] == np.datetime64(utc)


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("昨天", "看不懂"),
        ("2025-1", "看不懂"),
        ("12:30", "看不懂"),
        ("2025-02-30", "没有这个日期"),
        ("2025-13-01", "没有这个日期"),
        ("2025-01-31 25:00", "没有这个日期"),
        ("1/31/0025 8:30", "没有这个日期"),
        ("x" * 200, "看不懂"),
        ("=1+1", "看不懂"),
    ],
)
def test_what_is_no_time_is_told(cell: str, says: str) -> None:
    parsed = parse_time(objects(["2025-01-31 08:30", None, cell]), "上报时间")
    assert parsed.missing.tolist() == [False, True, True]
    assert [(p.row, p.field) for p in parsed.problems] == [(2, "上报时间")]
    assert says in parsed.problems[0].reason


@pytest.mark.parametrize("cell", [None, "", "  ", "-", "/"])
def test_nothing_is_no_problem(cell: str | None) -> None:
    parsed = parse_time(objects([cell]), "t")
    assert parsed.missing.all() and not parsed.problems


@pytest.mark.parametrize(
    ("column", "days", "note"),
    [
        (["1/2/2025", "1/31/2025"], ["2025-01-02", "2025-01-31"], "月/日/年"),
        (["1/2/2025", "31/1/2025"], ["2025-02-01", "2025-01-31"], "日/月/年"),
        (["1/2/2025", "3/4/2025"], ["2025-01-02", "2025-03-04"], "分不清"),
    ],
)
def test_month_or_day_first_is_decided_for_the_column(column: list[str], days: list[str], note: str) -> None:
    parsed = parse_date(objects(column), "日期")
    assert [str(d) for d in parsed.values] == days
    assert note in parsed.notes[0]


@pytest.mark.parametrize(
    ("column", "days", "note"),
    [
        (["23-Nov-26", "5-Nov-26"], ["2026-11-23", "2026-11-05"], "月份名称"),
        (["05-Nov-2026", "5 November 2026", "Nov 5, 2026", "2026-Nov-05"], ["2026-11-05"] * 4, ""),
        (["23.11.2026", "11/24/2026 8:30 AM"], ["2026-11-23", "2026-11-24"], "月/日/年"),
        (["05.11.2026", "1.2.2026"], ["2026-11-05", "2026-02-01"], ""),
        (["1/31/25", "1/2/25"], ["2025-01-31", "2025-01-02"], "两位数的年份按“月/日/年”"),
        (["98/12/31", "26/13/31", "26/11/05"], ["1998-12-31", "NaT", "2026-11-05"], "两位数的年份按“年/月/日”"),
        (["23/11/2026", "5/11/26"], ["2026-11-23", "2026-11-05"], "日/月/年"),
        (["26/11/23", "26/11/05", "2026-11-01"], ["NaT", "NaT", "2026-11-01"], ""),
        (["26.11.23", "05-Nov-2026"], ["NaT", "2026-11-05"], ""),
        (["12:30:45"], ["NaT"], ""),
    ],
)
def test_years_of_two_digits_and_named_months(column: list[str], days: list[str], note: str) -> None:
    """One column has one order; what can be read in two ways is rejected, never guessed."""
    parsed = parse_date(objects(column), "日期")
    assert [str(d) for d in parsed.values] == days
    assert [p.row for p in parsed.problems] == [i for i, d in enumerate(days) if d == "NaT"]
    assert note in "".join(parsed.notes) and bool(note) == bool(parsed.notes)


def test_two_readings_are_told_in_words() -> None:
    reasons = {p.reason for p in parse_date(objects(["26/11/23", "26/11/05"]), "日期").problems}
    assert reasons == {"年份只写了两位数，分不清哪个是年、哪个是日，请写成 2025-01-31"}


def test_other_zones_and_their_clock_changes() -> None:
    column = objects(["2025-01-15 08:00", "2025-07-15 08:00", "2025-03-09 02:30", "2025-11-02 01:30"])
    parsed = parse_time(column, "t", "America/New_York")
    assert [str(v)[:16] for v in parsed.values] == [
        "2025-01-15T13:00",
        "2025-07-15T12:00",
        "2025-03-09T07:00",
        "2025-11-02T05:30",
    ]
    with pytest.raises(InvalidValue):
        parse_time(column, "t", "Mars/Olympus")


def test_a_date_of_a_zoned_moment_is_the_local_day() -> None:
    assert str(parse_date(objects(["2025-01-30T20:00:00Z"]), "d").values[0]) == "2025-01-31"


def test_a_million_moments_agree_with_numpy() -> None:
    rng = np.random.default_rng(7)
    moments = np.datetime64("2000-01-01T00:00:00", "s") + rng.integers(0, 10**9, 20_000).astype("timedelta64[s]")
    texts = objects([str(m).replace("T", " ") for m in moments])
    assert (parse_time(texts, "t", "UTC").values == moments).all()


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("500237002001001", "500237002001001"),
        (500237002001001, "500237002001001"),
        (500237002001001.0, "500237002001001"),
        ("5.00237002001001E+14", "500237002001001"),
        ("500237002001001.0", "500237002001001"),
        (" A-12 ", "A-12"),
        ("15E30", "15E30"),
        ("3e2", "3e2"),
        ("'0012", "0012"),
        ('="0012"', "0012"),
        ("０１２", "012"),
        (1.5, "1.5"),
        (None, None),
        ("", None),
        (True, "True"),
    ],
)
def test_codes_as_they_were_meant(cell: Any, code: str | None) -> None:
    parsed = parse_code(objects([cell]), "编码")
    assert (parsed.values[0], parsed.problems) == (code, [])


@pytest.mark.parametrize(
    "cell", ["5.00237E+14", "5.0E+14", "5.00237002001001E+17", 500237002001001001.0, 5.0023700200100101e17]
)
def test_codes_that_lost_digits_are_rejected(cell: Any) -> None:
    parsed = parse_code(objects(["1", cell]), "编码")
    assert parsed.values[1] is None
    assert "文本" in parsed.problems[0].reason


@pytest.mark.parametrize(
    ("cell", "phone"),
    [
        ("13812345678", "13812345678"),
        (13812345678, "13812345678"),
        (13812345678.0, "13812345678"),
        ("1.3812345678E+10", "13812345678"),
        ("+86 138-1234-5678", "13812345678"),
        ("138 1234 5678", "13812345678"),
        ("１３８１２３４５６７８", "13812345678"),
        ("023-57682345", "02357682345"),
        ("(023) 5768 2345", "02357682345"),
        ("57682345", "57682345"),
        ("12345", "12345"),
        ("400-123-4567", "4001234567"),
        ("13812345678/13912345678", "13812345678"),
        ("无", None),
        (None, None),
    ],
)
def test_phones(cell: Any, phone: str | None) -> None:
    parsed = parse_phone(objects([cell]), "电话")
    assert (parsed.values[0], parsed.problems) == (phone, [])


@pytest.mark.parametrize(
    ("cell", "says"), [("138****5678", "星号"), ("1381234567", "11 位"), ("找老张", "不像"), ("1.38E+10", "丢失")]
)
def test_what_is_no_phone(cell: str, says: str) -> None:
    assert says in parse_phone(objects([cell]), "电话").problems[0].reason


def test_numbers() -> None:
    column = objects(["1", " 2.5 ", "1,234", "３", "120户", 7, 8.0, None, "", "十二", "1e400"])
    floats = parse_float(column, "户数")
    assert floats.values[:7].tolist() == [1, 2.5, 1234, 3, 120, 7, 8]
    assert [p.row for p in floats.problems] == [9, 10]
    whole = parse_int(column, "户数")
    assert whole.values.tolist() == [1, None, 1234, 3, 120, 7, 8, None, None, None, None]
    assert [(p.row, p.reason) for p in whole.problems] == [(1, "应是整数"), (9, "应是数"), (10, "应是数")]
    assert parse_text(objects([" 甲 ", "", None, 5]), "t").values.tolist() == ["甲", None, None, "5"]


@pytest.mark.parametrize("parse", [parse_text, parse_code, parse_phone, parse_int, parse_float, parse_time, parse_date])
def test_an_empty_column(parse: Any) -> None:
    for column in (objects([]), objects([None, None])):
        parsed = parse(column, "x")
        assert len(parsed.values) == len(column) and parsed.missing.all() and not parsed.problems


@pytest.mark.parametrize(
    ("lon", "lat"),
    [
        ("109.88", "31.07"),
        (109.88, 31.07),
        ("109°52'48\"E", "31°4'12\"N"),
        ("109°52′48″", "31°4′12″"),
        ("东经109度52分48秒", "北纬31度4分12秒"),
        ("109,88", "31,07"),
        ("１０９．８８", "３１．０７"),
        ("109.88°", "31.07°"),
        ("109 52 48", "31 4 12"),
        ("109°52.8'", "31°4.2'"),
        ("E109.88", "N31.07"),
        (" 109.88 ", "31.07\t"),
    ],
)
def test_one_place_in_many_notations(lon: Any, lat: Any) -> None:
    parsed = parse_lonlat(objects([lon]), objects([lat]))
    assert not parsed.problems
    np.testing.assert_allclose(parsed.values, [[109.88, 31.07]], atol=1e-9)


def test_west_and_south() -> None:
    parsed = parse_lonlat(objects(["73°54'W", "-73.9"]), objects(["12.5S", "40.7"]))
    np.testing.assert_allclose(parsed.values, [[-73.9, -12.5], [-73.9, 40.7]])


@pytest.mark.parametrize(
    ("lon", "lat", "says"),
    [
        ("31.07", "109.88", "像是对调了"),
        ("0", "0", "0,0"),
        ("110", "31", "整度数"),
        ("209.88", "31.07", "超出"),
        ("393110.235", "3439274.437", "--crs"),
        ("109.88", None, "没有纬度"),
        (None, "31.07", "没有经度"),
        ("abc", "31.07", "不是坐标"),
        ("inf", "31.07", "不是坐标"),
        ("109°72'", "31.07", "不是坐标"),
    ],
)
def test_mistakes_that_show_without_a_map(lon: str | None, lat: str | None, says: str) -> None:
    parsed = parse_lonlat(objects([lon]), objects([lat]), "经度", "纬度")
    assert says in parsed.problems[0].reason
    assert parsed.missing[0] and np.isnan(parsed.values).all()


def test_rows_exchanged_among_others_are_seen_though_both_are_legal() -> None:
    lon, lat = (
        ["-73.9", "-73.95", "-73.8", "-74.0", "-73.92", "40.71"],
        ["40.7", "40.6", "40.8", "40.75", "40.65", "-73.93"],
    )
    parsed = parse_lonlat(objects(lon), objects(lat))
    assert [(p.row, "对调" in p.reason) for p in parsed.problems] == [(5, True)]


def test_projected_coordinates_are_not_judged_as_degrees() -> None:
    parsed = parse_lonlat(objects(["1017039", ""]), objects(["178484", None]), projected=True)
    assert parsed.values[0].tolist() == [1017039, 178484]
    assert parsed.missing.tolist() == [False, True] and not parsed.problems
