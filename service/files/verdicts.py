"""The verdict per row: who was turned away and why, and what was accepted with a remark."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.files.parsed import Problem
from service.files.table import Reject, shown

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?")
_EXAMPLES = 5


class Verdicts:
    """Collects rejected rows (the first reason per row and field) and warnings (grouped, counted)."""

    def __init__(self) -> None:
        self._rejects: dict[tuple[int, str], Reject] = {}
        self._warnings: Counter[str] = Counter()
        self._examples: dict[str, list[int]] = {}

    def reject(self, row: int, field: str, value: object, reason: str) -> None:
        """One row is turned away; `row` as a clerk counts it."""
        text = "" if value is None else shown(value, 200)
        self._rejects.setdefault((int(row), field), Reject(int(row), field, text, reason))

    def reject_all(self, rejects: Iterable[Reject]) -> None:
        """Rows that the reader could not read."""
        for r in rejects:
            self._rejects.setdefault((r.row, r.field), r)

    def reject_problems(self, problems: Iterable[Problem], row_numbers: NDArray[np.int64]) -> None:
        """Rows with values that were not understood."""
        for p in problems:
            self.reject(int(row_numbers[p.row]), p.field, p.value, p.reason)

    def warn(self, text: str, count: int = 1, rows: Iterable[int] = ()) -> None:
        """Something to know about accepted rows; the same text is told once, with its count and first rows."""
        self._warnings[text] += count
        examples = self._examples.setdefault(text, [])
        for row in rows:
            if len(examples) >= _EXAMPLES:
                break
            examples.append(int(row))

    def warn_problems(self, problems: Iterable[Problem], row_numbers: NDArray[np.int64], label: str = "") -> None:
        """Values that were not understood in rows that are accepted without them."""
        for p in problems:
            self.warn(f"{label or p.field}：{p.reason}，这一格没有采用", rows=[int(row_numbers[p.row])])

    @property
    def rejected_rows(self) -> set[int]:
        return {row for row, _ in self._rejects}

    @property
    def rejects(self) -> list[Reject]:
        """In order of the file."""
        return sorted(self._rejects.values(), key=lambda r: r.row)

    @property
    def warnings(self) -> list[str]:
        """Sentences, the most frequent first."""
        return [self._sentence(text, count) for text, count in self._warnings.most_common()]

    def accepted(self, row_numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which rows were not turned away, shape (n,)."""
        return ~np.isin(row_numbers, np.fromiter(self.rejected_rows, dtype=np.int64))

    def to_summary(self) -> dict[str, Any]:
        """`rejected` and `warnings` as CONTRACT's import prints them, and the reasons with their counts."""
        reasons = Counter(r.reason for r in self._rejects.values())
        return {
            "rejected": len(self.rejected_rows),
            "warnings": self.warnings,
            "reasons": [{"reason": reason, "count": count} for reason, count in reasons.most_common(20)],
        }

    def write_rejects(self, path: Path) -> None:
        write_rejects(path, [("", reject) for reject in self.rejects])

    def _sentence(self, text: str, count: int) -> str:
        rows = self._examples.get(text, [])
        where = f"（第 {'、'.join(map(str, rows))} 行{'等' if count > len(rows) else ''}）" if rows else ""
        return text + (f"：{count} 处" if count > 1 else "") + where


def write_rejects(path: Path, rejects: Iterable[tuple[str, Reject]]) -> None:
    """(file, reject) as a CSV that Excel opens with its Chinese intact and computes nothing in."""
    rejects = list(rejects)
    several = len({name for name, _ in rejects}) > 1
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["行号", "字段", "值", "原因", *(["文件"] if several else [])])
        for name, r in rejects:
            cells = [harmless(text) for text in (r.field, r.value, r.reason, *([name] if several else []))]
            writer.writerow([r.row, *cells])


def harmless(text: str) -> str:
    """Text that a spreadsheet will not take for a formula (OWASP "CSV injection"); plain numbers stay.

    >>> harmless("=HYPERLINK(1)"), harmless("-73.98")
    ("'=HYPERLINK(1)", '-73.98')
    """
    return "'" + text if text.lstrip(" ").startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text
