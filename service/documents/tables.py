"""A table on its way into a file: columns, and rows some thousand at a time, so that a million need little memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np

from service.geo.points import Points

TEXT, NUMBER, DAY = "text", "number", "day"
# How a table's places stand in a spreadsheet: not at all, as longitude and latitude, as shapes, or as both.
NOWHERE, POINTS, SHAPES, BOTH = "nowhere", "points", "shapes", "both"
LON, LAT, SHAPE = "经度", "纬度", "图形"
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")
MARKS = frozenset((*_DANGEROUS, "'"))  # a text that begins otherwise needs no second look

Cell = str | int | float | date | None


@dataclass(frozen=True)
class Column:
    """`width`: of a spreadsheet's column, in characters."""

    header: str
    kind: str = TEXT
    width: int = 16


@dataclass(frozen=True)
class Chunk:
    """Some rows: cells in the columns' order; `on_map`: their shapes (n,) in lon/lat, None where there is none, or
    points as two arrays, of which a million stay a few megabytes."""

    rows: list[tuple[Cell, ...]]
    on_map: np.ndarray | Points | None = None

    @cached_property
    def geoms(self) -> np.ndarray | None:
        """The places as shapely objects (n,); None of a table that isn't on the map."""
        return self.on_map.shapes() if isinstance(self.on_map, Points) else self.on_map


@dataclass(frozen=True)
class Table:
    """`name`: what it is called (a sheet, a layer); `places`: how its rows lie on the map; `geometry`: GDAL's word."""

    name: str
    columns: tuple[Column, ...]
    chunks: Iterable[Chunk]
    places: str = NOWHERE
    geometry: str = "Unknown"


def is_dangerous(text: str) -> bool:
    """Whether a spreadsheet could take the text for a formula, also behind the apostrophes that guard it."""
    return text.lstrip("'").startswith(_DANGEROUS)


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula; reading a CSV takes the apostrophe away again.

    >>> guarded("=1+1"), guarded("张三"), guarded("'=1")
    ("'=1+1", '张三', "''=1")
    """
    return f"'{text}" if is_dangerous(text) else text


def plain(value: Any) -> Any:
    """A cell as JSON and GDAL take it: days as ISO text."""
    return value.isoformat() if isinstance(value, date) else value


def counted(chunks: Iterable[Chunk], seen: list[int]) -> Iterator[Chunk]:
    """The same chunks; `seen[0]` grows by their rows."""
    for chunk in chunks:
        seen[0] += len(chunk.rows)
        yield chunk
