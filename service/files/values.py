"""Cells to values, a whole column at once. Every parser takes (column, field name) and returns Parsed."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from service.files.lonlat import parse_lonlat
from service.files.parsed import Distinct, Parsed, Problem, each
from service.files.table import Column, objects, present
from service.files.times import parse_date, parse_time

__all__ = [
    "Parsed", "Problem", "parse_code", "parse_date", "parse_float", "parse_int", "parse_lonlat", "parse_phone",
    "parse_text", "parse_time",
]  # fmt: skip

_NOTHING = {"", "-", "/", "—", "－", "无", "null", "none", "n/a", "na", "nan"}
# Only as Excel writes it: one digit before the point, a sign, two digits of exponent. A beat may be called 15E30.
_SCIENTIFIC = re.compile(r"\d(\.\d+)?E\+\d{2,3}", re.IGNORECASE)
_WHOLE_WITH_POINT = re.compile(r"(\d+)\.0+")
_QUOTED_FORMULA = re.compile(r'="(.*)"')
_UNIT = re.compile(r"^([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*(?:㎡|m2|m²|平方米|米|m|公里|km|户|人|个|元|%|岁|分)?$")
_THOUSANDS = re.compile(r"^[-+]?\d{1,3}(,\d{3})+(\.\d+)?")
# They turn or hide what stands beside them: a name read backwards, two names that look alike (UAX #9, UTS #39).
_UNSEEN = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_UNUSUAL = re.compile(r"[^0-9A-Za-z_-]")
_LOST = "表格软件把编码变成了数，末尾的数字已丢失。请在原表把这一列设为“文本”再导出"
_MOBILE = re.compile(r"1[3-9]\d{9}")
_OTHER_PHONE = re.compile(r"(0\d{2,3})?[2-9]\d{6,7}(转?\d{1,6})?|[48]00\d{7}|1[12]\d|1[0-2]\d{3}|9\d{4}")


def parse_text(column: Column, field: str, longest: int | None = None) -> Parsed:
    """Trimmed text or None, shape (n,) of objects; a text of more than `longest` characters is a problem."""
    distinct = Distinct(column)
    trimmed = objects([without_unseen(text).strip() or None for text in distinct.values.tolist()])
    values = distinct.spread(trimmed, None)
    return Parsed(values, ~present(values), distinct.problems(too_long(trimmed, longest), field), [])


def parse_float(column: Column, field: str) -> Parsed:
    """float64, shape (n,), NaN where missing. Full-width digits, thousands' commas and usual units are understood."""
    distinct = Distinct(column)
    numbers, reasons = _numbers(distinct.values)
    values = distinct.spread(numbers, np.nan)
    return Parsed(values, np.isnan(values), distinct.problems(reasons, field), [])


def parse_int(column: Column, field: str) -> Parsed:
    """int or None, shape (n,) of objects; a fraction is a problem."""
    distinct = Distinct(column)
    numbers, reasons = _numbers(distinct.values)
    with np.errstate(invalid="ignore"):
        broken = np.isfinite(numbers) & ((numbers != np.round(numbers)) | (np.abs(numbers) >= 2**53))
    reasons[broken] = "应是整数"
    whole = objects([None if n != n or b else int(n) for n, b in zip(numbers.tolist(), broken.tolist(), strict=True)])
    values = distinct.spread(whole, None)
    return Parsed(values, ~present(values), distinct.problems(reasons, field), [])


def without_unseen(text: str) -> str:
    """The text without the invisible signs that change how its neighbours read.

    >>> without_unseen("a\u202eb")
    'ab'
    """
    return text if text.isascii() else _UNSEEN.sub("", text)


def too_long(texts: Column, longest: int | None) -> Column:
    """Reasons for those of distinct texts that have more characters than a field takes, None for the others."""
    reasons = objects([None] * len(texts))
    if longest is not None:
        for i, text in enumerate(texts.tolist()):
            if text is not None and len(text) > longest:
                reasons[i] = f"太长：有 {len(text)} 个字，最多 {longest} 个。多半是分列错了；确实这么长就缩短再导入"
    return reasons


def parse_code(column: Column, field: str, longest: int | None = None) -> Parsed:
    """Codes as text or None, shape (n,) of objects. What a spreadsheet did to them is undone, or told where lost."""
    distinct = Distinct(column)
    long = too_long(distinct.values, longest)
    if present(long).any():
        parsed = parse_code(column, field)
        return parsed._replace(problems=[*distinct.problems(long, field), *parsed.problems])
    if _UNUSUAL.search("".join(distinct.values.tolist())) is None and not (distinct.values == "").any():
        values = distinct.spread(distinct.values, None)
        return Parsed(values, ~present(values), [], [])
    return each(column, field, _code)


def parse_phone(column: Column, field: str) -> Parsed:
    """Phone numbers as text or None, shape (n,) of objects: mobile, landline with area code, 400 numbers, hotlines."""
    return each(column, field, _phone)


def _numbers(texts: Column) -> tuple[NDArray[np.float64], Column]:
    """(numbers, reasons) of distinct texts; the plain ones all at once."""
    numbers = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").to_numpy(dtype=np.float64, copy=True)
    reasons = objects([None] * len(texts))
    for i in np.flatnonzero(~np.isfinite(numbers)).tolist():
        numbers[i] = np.nan
        text = unicodedata.normalize("NFKC", str(texts[i])).strip()
        if text.lower() in _NOTHING:
            continue
        if _THOUSANDS.match(text):
            text = text.replace(",", "")
        match = _UNIT.match(text)
        try:
            numbers[i] = float(match[1]) if match else np.nan
        except ValueError:
            numbers[i] = np.nan
        if not np.isfinite(numbers[i]):
            numbers[i], reasons[i] = np.nan, "应是数"
    return numbers, reasons


def _code(text: str) -> tuple[Any, str | None]:
    """
    >>> _code("5.00237002001001E+14"), _code("15E30")
    (('500237002001001', None), ('15E30', None))
    """
    text = text.strip() if text.isascii() else unicodedata.normalize("NFKC", without_unseen(text)).strip()
    if match := _QUOTED_FORMULA.fullmatch(text):
        text = match[1].strip()
    text = text.removeprefix("'").strip()
    if not text:
        return None, None
    if _SCIENTIFIC.fullmatch(text):
        return _unscientific(text)
    if match := _WHOLE_WITH_POINT.fullmatch(text):
        text = match[1]
        return (None, _LOST) if len(text) > 15 else (text, None)
    if "\ufffd" in text:
        return None, "编码里有乱码"
    return text, None


def _unscientific(text: str) -> tuple[Any, str | None]:
    """Exact only when every digit of the whole number is written out in the mantissa, and Excel kept them all (15)."""
    try:
        mantissa, exponent = text.upper().split("E+")
        written, wanted = len(mantissa.replace(".", "")), int(exponent) + 1
        if written < wanted or wanted > 15:
            return None, _LOST
        number = Decimal(mantissa).scaleb(int(exponent))
    except (InvalidOperation, ValueError):
        return None, _LOST
    return (str(int(number)), None) if number == number.to_integral_value() else (None, _LOST)


def _phone(text: str) -> tuple[Any, str | None]:
    text = unicodedata.normalize("NFKC", text).strip().removeprefix("'")
    if text.lower() in _NOTHING:
        return None, None
    if match := _WHOLE_WITH_POINT.fullmatch(text):
        text = match[1]
    if _SCIENTIFIC.fullmatch(text):
        text, reason = _unscientific(text)
        if reason:
            return None, "表格软件把号码变成了数，末尾的数字已丢失。请在原表把这一列设为“文本”再导出"
    if "*" in text:
        return None, "号码中间是星号，不是完整的号码"
    first = re.split(r"[/、,;，；]|\s{2,}|(?<=\d{7})\s(?=1[3-9]\d)", text)[0]
    digits = re.sub(r"[\s()\-–—.]", "", first)
    digits = re.sub(r"^(\+|00)86", "", digits)
    digits = re.sub(r"^86(?=1[3-9]\d{9}$)", "", digits)
    if _MOBILE.fullmatch(digits) or _OTHER_PHONE.fullmatch(digits):
        return digits, None
    if re.fullmatch(r"\+\d{7,15}", digits):
        return digits, None
    if re.fullmatch(r"1\d+", digits):
        return None, f"手机号应是 11 位，这里是 {len(digits)} 位"
    return None, "不像电话号码"
