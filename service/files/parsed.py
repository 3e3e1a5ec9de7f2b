"""The one shape that every parser returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from service.files.table import Column, objects, present, shown


class Problem(NamedTuple):
    """A value that could not be understood. `row` is the index into the arrays, not the line of the file."""

    row: int
    field: str
    value: str
    reason: str


class Parsed(NamedTuple):
    """values: shape (n,), or (n, 2) for coordinates; missing: shape (n,), True where there is no value, given or
    understood; problems: the values given and not understood; notes: what was assumed for the column as a whole."""

    values: NDArray[Any]
    missing: NDArray[np.bool_]
    problems: list[Problem]
    notes: list[str]


class Distinct:
    """The different values of a column, each looked at once: real columns repeat themselves.

    `values`: shape (k,), without None; `codes`: shape (n,), index into values, -1 for None.
    """

    def __init__(self, column: Column) -> None:
        # Excel gives 1, 1.0 and True as different things, a hash table takes them for one.
        if pd.api.types.infer_dtype(column, skipna=True) not in {"string", "empty"}:
            column = objects([v if v is None or isinstance(v, str) else _as_text(v) for v in column.tolist()])
        codes, values = pd.factorize(column, use_na_sentinel=True)
        self.codes: NDArray[np.int64] = codes.astype(np.int64)
        self.values: Column = np.asarray(values, dtype=object)

    def spread(self, results: NDArray[Any], empty: Any) -> NDArray[Any]:
        """One result per distinct value back to one per row."""
        if not len(self.values):
            return np.full((len(self.codes), *results.shape[1:]), empty, dtype=results.dtype)
        out: NDArray[Any] = results[self.codes]
        out[self.codes < 0] = empty
        return out

    def problems(self, reasons: Column, field: str) -> list[Problem]:
        """reasons: shape (k,), None where all is well."""
        if not len(self.values) or not present(reasons).any():
            return []
        bad = present(reasons)
        rows = np.flatnonzero((self.codes >= 0) & bad[self.codes])
        return [
            Problem(row, field, shown(self.values[code]), str(reasons[code]))
            for row, code in zip(rows.tolist(), self.codes[rows].tolist(), strict=True)
        ]


def _as_text(value: Any) -> str | None:
    """A number, date or time as it would stand in a CSV; NaN is no value."""
    if isinstance(value, (float, np.floating)):
        if value != value:
            return None
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
    isoformat = getattr(value, "isoformat", None)
    return isoformat() if callable(isoformat) else str(value)


def each(column: Column, field: str, understand: Callable[[str], tuple[Any, str | None]]) -> Parsed:
    """A parser from a function of one text to (value, reason); a None value without reason is an empty cell."""
    distinct = Distinct(column)
    results = [understand(text) for text in distinct.values.tolist()]
    values = distinct.spread(objects([value for value, _ in results]), None)
    problems = distinct.problems(objects([reason for _, reason in results]), field)
    return Parsed(values, ~present(values), problems, [])
