"""What every reader hands on: one table of raw values, whatever the file was."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.errors import UnreadableFile

Column = NDArray[np.object_]


@dataclass(frozen=True)
class ReadOptions:
    """What the user said about the file; None means: find out.

    `crs` is carried for the caller, who transforms; a reader reports what the file declares and never transforms.
    `header_row` counts as a clerk does, from 1; 0 says that there is no header. Without `shapes` a column of WKT stays
    a column.
    """

    crs: str | None = None
    layer: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    header_row: int | None = None
    shapes: bool = True


@dataclass(frozen=True)
class Reject:
    """A row that could not be read; `row` as a clerk counts it, `field` empty when the row as a whole is broken."""

    row: int
    field: str
    value: str
    reason: str


@dataclass
class SourceTable:
    """One table. Columns are object arrays of shape (n,) with str, int, float, bool, date, datetime or None.

    geometry: shape (n,), shapely objects in the file's own CRS, None where missing; None when the file has none at all.
    crs: what the file declares ("EPSG:2227" or WKT), None when it declares nothing.
    row_numbers: shape (n,), the line in the file (tables, header included) or the number of the feature, from 1.
    ragged: the cells of the rows of delimited text that have more than the header, by row number.
    """

    path: Path
    format: str
    columns: dict[str, Column]
    row_numbers: NDArray[np.int64]
    geometry: Column | None = None
    crs: str | None = None
    encoding: str | None = None
    notes: list[str] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    ragged: dict[int, list[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.row_numbers)

    def keep(self, wanted: NDArray[np.bool_]) -> None:
        """Drop the rows where `wanted` is False."""
        if wanted.all():
            return
        self.columns = {name: values[wanted] for name, values in self.columns.items()}
        self.row_numbers = self.row_numbers[wanted]
        if self.geometry is not None:
            self.geometry = self.geometry[wanted]


_TOTALS = {"合计", "总计", "小计", "共计", "total", "totals", "sum"}
_LAST_ROWS = 3


def without_totals(table: SourceTable) -> None:
    """The sum under a list is no row of it: dropped where one of the last rows begins with that word, and told."""
    if not table.columns:
        return
    keep = np.ones(len(table), dtype=bool)
    for i in range(max(len(table) - _LAST_ROWS, 0), len(table)):
        cells = [str(values[i]).strip() for values in table.columns.values() if values[i] is not None]
        first = next((cell for cell in cells if cell), "")
        keep[i] = "".join(first.split()).rstrip("：:").lower() not in _TOTALS
    if not keep.all() and keep.any():
        rows = "、".join(map(str, table.row_numbers[~keep].tolist()))
        table.notes.append(f"第 {rows} 行是合计，没有读")
        table.keep(keep)


def objects(values: Any) -> Column:
    """A sequence as an object array of shape (n,), never nested."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def present(values: Column) -> NDArray[np.bool_]:
    """Which values are not None, shape (n,)."""
    return np.asarray(values != None, dtype=bool)  # noqa: E711 - element by element


def shown(value: object, limit: int = 60) -> str:
    """A value as it may stand in a message: one line, shortened.

    >>> shown("a\\nb")
    'a b'
    """
    told = json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, (dict, list)) else str(value)
    text = " ".join(told.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def refuse(path: Path, reason: str, option: str | None = None, choices: Sequence[str] = ()) -> UnreadableFile:
    """The error for a file as a whole; the sentence begins with its name."""
    return UnreadableFile(f"“{path.name}”{reason}", option, tuple(choices))


def unique_names(names: list[str], notes: list[str]) -> list[str]:
    """Header cells as column names: blank ones numbered, repeated ones numbered too, both told in the notes."""
    taken: dict[str, int] = {}
    result = []
    for position, raw in enumerate(names, start=1):
        name = " ".join(raw.replace("\ufeff", "").split()) or f"列{position}"
        taken[name] = taken.get(name, 0) + 1
        if taken[name] > 1:
            notes.append(f"有不止一列叫“{name}”，第 {position} 列改称“{name}.{taken[name]}”")
            name = f"{name}.{taken[name]}"
        result.append(name)
    return result
