"""Which row is the header: titles stand above it, data below."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?([eE][-+]?\d+)?%?")
_LOOK = 30


def find_header(rows: Sequence[Sequence[object]]) -> int:
    """Index of the header among the first rows; 0 when nothing speaks for another.

    The header is the first row that fills most of the table's width with different words. Titles ("XX街道网格一览表")
    fill one or two cells, notes ("填表人：…  日期：…") a few.

    >>> find_header([["一览表", "", ""], ["", "", ""], ["编码", "名称", "户数"], ["1", "甲", 3]])
    2
    """
    head = [[_text(cell) for cell in row] for row in rows[:_LOOK]]
    widths = [sum(1 for cell in row if cell) for row in head]
    width = max(widths, default=0)
    for index, row in enumerate(head):
        cells = [cell for cell in row if cell]
        if len(cells) < max(1, 0.6 * width) or (width > 1 and len(cells) < 2):
            continue
        if len(set(cells)) * 2 >= len(cells) and not any(_NUMBER.fullmatch(cell) for cell in cells):
            return index
    return next((i for i, w in enumerate(widths) if w), 0)


def looks_like_data(cells: Sequence[object]) -> bool:
    """Whether a header holds numbers, so that the file probably has none."""
    return any(_NUMBER.fullmatch(_text(cell)) for cell in cells)


def _text(cell: object) -> str:
    return "" if cell is None else str(cell).strip()
