"""Which of three numbers is the year, the month, the day: decided for the column, told, never guessed for one cell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from service.files.timewords import CENTURY_FROM

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
YEAR_FIRST, DAY_FIRST, MONTH_FIRST = 0, 1, 2
_WORDS = {YEAR_FIRST: "年/月/日", DAY_FIRST: "日/月/年", MONTH_FIRST: "月/日/年"}
# Where year, month and day stand in each order.
_PLACES = {YEAR_FIRST: (0, 1, 2), DAY_FIRST: (2, 1, 0), MONTH_FIRST: (2, 0, 1)}
_AMBIGUOUS = "“{field}”的日期分不清月和日（如 1/2/2025），按“月/日/年”理解"
_BY_EVIDENCE = "“{field}”的日期按“{order}”理解（有超过 12 的数可以判断）"
_SHORT = "“{field}”里两位数的年份按“{order}”理解（69 到 99 是 19 几几年，其余是 20 几几年）"
UNCLEAR = "年份只写了两位数，分不清哪个是年、哪个是日，请写成 2025-01-31"


def date_parts(
    v: Ints, year_last: Bools, short: Bools, dotted: Bools, field: str, notes: list[str]
) -> tuple[tuple[Ints, Ints, Ints], Bools]:
    """((year, month, day), which cells can't be told) of cells of three numbers, v: shape (3, k).

    Dots are day first by themselves (23.11.2026); strokes and hyphens follow the column's evidence.
    """
    order = np.full(v.shape[1], YEAR_FIRST)
    strokes = year_last & ~dotted
    order[year_last] = DAY_FIRST
    evident = _day_or_month(v, strokes, field, notes)
    order[strokes] = MONTH_FIRST if evident is None else evident
    unclear = np.zeros(v.shape[1], dtype=bool)
    full = np.where(v >= CENTURY_FROM, v + 1900, v + 2000)
    groups = (
        (short & dotted, (YEAR_FIRST, DAY_FIRST)),
        (short & ~dotted, (YEAR_FIRST, DAY_FIRST, MONTH_FIRST) if evident is None else (evident,)),
    )
    for cells, possible in groups:
        if not cells.any():
            continue
        chosen = _only_fitting(v[:, cells], full[:, cells], possible)
        if chosen is None:
            unclear |= cells
        else:
            order[cells] = chosen
            notes.append(_SHORT.format(field=field, order=_WORDS[chosen]))
    columns = np.arange(v.shape[1])
    at = np.array([_PLACES[one] for one in range(len(_PLACES))]).T[:, order]
    year, month, day = (v[place, columns] for place in at)
    year = np.where(short, full[at[0], columns], year)
    return (year, month, day), unclear


def _day_or_month(v: Ints, cells: Bools, field: str, notes: list[str]) -> int | None:
    """1/31/2025 or 31/1/2025: decided by the numbers beyond 12; None when nothing tells."""
    if not cells.any():
        return None
    day_first, month_first = int((cells & (v[0] > 12)).sum()), int((cells & (v[1] > 12)).sum())
    if not day_first and not month_first:
        if (cells & (v[0] != v[1])).any():
            notes.append(_AMBIGUOUS.format(field=field))
        return None
    order = DAY_FIRST if day_first > month_first else MONTH_FIRST
    notes.append(_BY_EVIDENCE.format(field=field, order=_WORDS[order]))
    return order


def _only_fitting(v: Ints, full: Ints, possible: tuple[int, ...]) -> int | None:
    """The order in which the most cells are dates; None when two read as many."""
    counts = {order: int(_are_dates(*_placed(v, full, order)).sum()) for order in possible}
    most = max(counts.values())
    best = [order for order, count in counts.items() if count == most]
    return best[0] if len(best) == 1 else None


def _placed(v: Ints, full: Ints, order: int) -> tuple[Ints, Ints, Ints]:
    year, month, day = _PLACES[order]
    return full[year], v[month], v[day]


def _are_dates(year: Ints, month: Ints, day: Ints) -> Bools:
    possible = (month >= 1) & (month <= 12) & (day >= 1)
    months = np.where(possible, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    length = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)
    return np.asarray(possible & (day <= length), dtype=bool)
