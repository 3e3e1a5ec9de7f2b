"""Longitude and latitude as people write them, and the mistakes that can be seen without a map."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from service.files.parsed import Distinct, Parsed, Problem
from service.files.table import Column, objects, present, shown

Floats = NDArray[np.float64]
_NUMBER = r"(\d+(?:[.,]\d+)?)"
_DMS = re.compile(
    rf"^(?P<before>[NSEW]|东经|西经|北纬|南纬)?\s*(?P<sign>[-+−])?\s*{_NUMBER}\s*(?:°|º|度|D|\s)\s*"
    rf"(?:{_NUMBER}\s*(?:'|′|’|‘|分|M|\s|$)\s*)?(?:{_NUMBER}\s*(?:\"|″|”|“|''|′′|’’|秒|S)?\s*)?(?P<after>[NSEW])?$"
)
_PLAIN = re.compile(rf"^(?P<before>[NSEW]|东经|西经|北纬|南纬)?\s*(?P<sign>[-+−])?\s*{_NUMBER}\s*(?P<after>[NSEW])?$")
_NEGATIVE = {"S", "W", "西经", "南纬"}
_WIDE = {0xFF10 + i: 48 + i for i in range(10)} | {0xFF0E: 46, 0xFF0C: 44, 0xFF0D: 45, 0x3000: 32, 0xA0: 32}
AT_ZERO = "坐标是 0,0，等于没有定位"
WHOLE_DEGREES = "经纬度都是整度数，像是默认值而不是实测位置"
_SWAPPED = "经纬度像是对调了（{lon:g} 在经度列，{lat:g} 在纬度列）。交换两列后重新导入"


def parse_lonlat(
    lon: Column, lat: Column, lon_field: str = "lon", lat_field: str = "lat", projected: bool = False
) -> Parsed:
    """Pairs of float64, shape (n, 2), NaN where missing. `projected`: easting and northing, any finite numbers.

    A pair with a problem has NaN; both cells empty is missing without a problem.
    """
    problems: list[Problem] = []
    x, x_given = _numbers(lon, lon_field, problems)
    y, y_given = _numbers(lat, lat_field, problems)
    reasons = objects([None] * len(x))
    reasons[x_given & ~y_given] = "有经度，没有纬度"
    reasons[~x_given & y_given] = "有纬度，没有经度"
    both = np.isfinite(x) & np.isfinite(y)
    zero = both & (x == 0) & (y == 0)
    reasons[zero] = AT_ZERO
    if not projected:
        _judge_degrees(x, y, both & ~zero, reasons)
    bad = present(reasons)
    bad_rows = np.flatnonzero(bad)
    problems += [
        Problem(row, _blamed(str(reasons[row]), lon_field, lat_field), _pair(lon[row], lat[row]), str(reasons[row]))
        for row in bad_rows.tolist()
    ]
    values = np.column_stack([x, y])
    values[bad | ~both] = np.nan
    problems.sort(key=lambda p: p.row)
    return Parsed(values, np.isnan(values[:, 0]), problems, [])


def degrees(text: str) -> float | None:
    """One coordinate; None when it is none.

    >>> degrees("109°52'48\\"E"), degrees("31,07"), degrees("南纬 12.5"), degrees("abc")
    (109.88, 31.07, -12.5, None)
    """
    text = text.translate(_WIDE).strip().upper()
    match = _PLAIN.match(text)
    if match is None and (match := _DMS.match(text)) is None:
        return None
    numbers = [float(g.replace(",", ".")) for g in match.groups() if g and g[0].isdigit()]
    if any(part >= 60 for part in numbers[1:]):
        return None
    value = float(sum(part / 60.0**i for i, part in enumerate(numbers)))
    minus = {match["before"], match["after"]} & _NEGATIVE or match["sign"] in ("-", "−")
    return round(-value if minus else value, 10)


def _numbers(column: Column, field: str, problems: list[Problem]) -> tuple[Floats, NDArray[np.bool_]]:
    """(numbers, whether something was given); plain decimals all at once, other notations one distinct text each."""
    distinct = Distinct(column)
    texts = distinct.values
    numbers = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").to_numpy(dtype=np.float64, copy=True)
    reasons = objects([None] * len(texts))
    blank = np.zeros(len(texts), dtype=bool)
    for i in np.flatnonzero(~np.isfinite(numbers)).tolist():
        text = str(texts[i]).strip()
        if text.lower() in {"", "-", "/", "—", "无", "null", "none", "n/a", "na", "nan"}:
            blank[i] = True
            continue
        value = degrees(text)
        if value is None:
            reasons[i] = "不是坐标。请写成 109.88 这样的小数，或 109°52′48″"
        else:
            numbers[i] = value
    numbers[present(reasons)] = np.nan
    problems += distinct.problems(reasons, field)
    given = distinct.spread(~blank, False)
    return distinct.spread(numbers, np.nan), given


def _judge_degrees(x: Floats, y: Floats, both: NDArray[np.bool_], reasons: Column) -> None:
    with np.errstate(invalid="ignore"):
        outside = both & ((np.abs(x) > 180) | (np.abs(y) > 90))
        swapped = outside & (np.abs(x) <= 90) & (np.abs(y) <= 180)
        whole = both & ~outside & (x == np.round(x)) & (y == np.round(y))
    swapped |= _fits_only_swapped(x, y, both & ~outside)
    reasons[outside] = "超出经纬度的范围（经度 ±180，纬度 ±90）。若是投影坐标，请用 --crs 指明"
    reasons[whole] = WHOLE_DEGREES
    for row in np.flatnonzero(swapped).tolist():
        reasons[row] = _SWAPPED.format(lon=x[row], lat=y[row])


def _fits_only_swapped(x: Floats, y: Floats, usable: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows far from all the others that fall among them once exchanged (-73.9 and 40.7 are both legal latitudes)."""
    none = np.zeros(len(x), dtype=bool)
    if usable.sum() < 5:
        return none
    mx, my = np.median(x[usable]), np.median(y[usable])
    near = 3.0  # degrees; an office's data span far less
    with np.errstate(invalid="ignore"):
        away = (np.abs(x - mx) > 2 * near) & (np.abs(y - my) > 2 * near)
        fits = (np.abs(y - mx) < near) & (np.abs(x - my) < near)
    return usable & away & fits


def _blamed(reason: str, lon_field: str, lat_field: str) -> str:
    return lon_field if reason == "有纬度，没有经度" else lat_field


def _pair(lon: object, lat: object) -> str:
    return shown(f"{'' if lon is None else lon}, {'' if lat is None else lat}")
