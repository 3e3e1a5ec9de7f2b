"""Times as texts before they are taken apart: narrow, lower case, English months as numbers."""

from __future__ import annotations

import re

_ORDINARY = re.compile(r"[^0-9 :/.+\n\-TZAPMtzapm]")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DIGIT = re.compile(r"\d")
_GAP = r"[\s\-/.,]*"
_MONTH = rf"(?<![a-z])(?P<month>{'|'.join(_MONTHS)})[a-z]*"
_YEAR = r"(?P<year>\d{4}|\d{2})(?![\d:])"
_NTH = r"(?:st|nd|rd|th)?"
# A named month leaves one meaning: of two numbers beside it the one of four digits is the year, else the later one.
_NAMED = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?P<year>\d{{4}}){_GAP}{_MONTH}{_GAP}(?P<day>\d{{1,2}}){_NTH}(?![\d:])",
        rf"(?<!\d)(?P<day>\d{{1,2}}){_NTH}{_GAP}{_MONTH}{_GAP}{_YEAR}",
        rf"{_MONTH}{_GAP}(?P<day>\d{{1,2}}){_NTH}{_GAP}{_YEAR}",
    )
)
_WIDE = {0xFF10 + i: 48 + i for i in range(10)} | {
    0xFF1A: 58,
    0xFF0F: 47,
    0xFF0D: 45,
    0xFF0E: 46,
    0x2013: 45,
    0x2212: 45,
}
CENTURY_FROM = 69  # as POSIX reads %y: 69–99 are 1969–1999, 00–68 are 2000–2068


def full_year(year: int) -> int:
    """A year of two digits with its century.

    >>> full_year(26), full_year(98)
    (2026, 1998)
    """
    return year + (1900 if year >= CENTURY_FROM else 2000)


def plain_texts(texts: list[str]) -> tuple[list[str], bool]:
    """(lower case, narrow, months as numbers; whether a year beside a named month had two digits).

    A column of digits and signs only needs no look at each cell.
    """
    together = "\n".join(texts)
    if not _ORDINARY.search(together) and together.count("\n") == len(texts) - 1:
        return together.lower().split("\n"), False
    told = [_with_month_numbers(text) for text in texts]
    return [text for text, _ in told], any(short for _, short in told)


def _with_month_numbers(text: str) -> tuple[str, bool]:
    """
    >>> _with_month_numbers("5-Nov-26"), _with_month_numbers("Nov 5, 2026 8:30"), _with_month_numbers("2026-Nov-05")
    (('2026-11-05', True), ('2026-11-05 8:30', False), ('2026-11-05', False))
    """
    text = text.strip().lower()
    if text.isascii() and not any(c in text for c in "bcegijklnoqrsuvwxy"):
        return text, False
    if not text.isascii():
        text = text.translate(_WIDE)
    for name in ("utc", "gmt"):
        text = text.replace(name, "z")
    for pattern in _NAMED:
        if match := pattern.search(text):
            short = len(match["year"]) == 2
            year = full_year(int(match["year"])) if short else int(match["year"])
            before = text[: match.start()]  # a weekday, or the time of day
            date = f"{year:04d}-{_MONTHS.index(match['month']) + 1:02d}-{int(match['day']):02d}"
            clock = f"{text[match.end() :].strip(' ,t')} {before if _DIGIT.search(before) else ''}"
            return f"{date} {clock}".strip(), short
    return text, False
