"""The row log of an import: what it replaced and which rows it made, with a digest that the trail keeps."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from service.records.models import ImportRow

_AT_ONCE = 5_000


class RowLog:
    """Writes the log of one batch. `digest` covers every line in the order of writing."""

    def __init__(self, batch_id: int) -> None:
        self.batch_id, self.count = batch_id, 0
        self._hash = hashlib.sha256()

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    def replaced(self, session: Session, table: str, olds: Sequence[tuple[int, dict[str, Any]]]) -> None:
        """(row, its old values as plain JSON), before they are replaced."""
        self._write(session, [(table, row_id, None, old) for row_id, old in olds])

    def made(self, session: Session, table: str, ranges: Iterable[tuple[int, int]]) -> None:
        """(first, last) ids of rows that the batch made."""
        self._write(session, [(table, first, last, {}) for first, last in ranges])

    def _write(self, session: Session, lines: list[tuple[str, int, int | None, dict[str, Any]]]) -> None:
        if not lines:
            return
        for line in lines:
            self._hash.update(_told(*line))
        self.count += len(lines)
        rows = [
            {"batch_id": self.batch_id, "table_name": table, "row_id": row_id, "until_id": until, "old": old}
            for table, row_id, until, old in lines
        ]
        session.execute(insert(ImportRow), rows)


def digest_of(session: Session, batch_id: int) -> tuple[int, str]:
    """(lines, digest) of a batch's log as it stands: to be held against what the trail says."""
    hashed, count, reached = hashlib.sha256(), 0, 0
    while True:
        rows = session.execute(
            select(ImportRow.id, ImportRow.table_name, ImportRow.row_id, ImportRow.until_id, ImportRow.old)
            .where(ImportRow.batch_id == batch_id, ImportRow.id > reached)
            .order_by(ImportRow.id)
            .limit(_AT_ONCE)
        ).all()
        if not rows:
            return count, hashed.hexdigest()
        for _, *line in rows:
            hashed.update(_told(*line))
        count, reached = count + len(rows), rows[-1][0]


def made_ranges(session: Session, model: Any, batch_id: int) -> list[tuple[int, int]]:
    """Runs of the ids of a batch's rows in a table: mostly one, for a first load's million rows too."""
    mine = model.batch_id == batch_id
    first, last, count = session.execute(select(func.min(model.id), func.max(model.id), func.count()).where(mine)).one()
    if not count:
        return []
    if last - first + 1 == count:
        return [(int(first), int(last))]
    ids = np.fromiter(session.scalars(select(model.id).where(mine).order_by(model.id)), dtype=np.int64)
    cuts = np.flatnonzero(np.diff(ids) > 1)
    firsts, lasts = ids[np.r_[0, cuts + 1]], ids[np.r_[cuts, len(ids) - 1]]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def imports_of_row(session: Session, table: str, row_id: int) -> list[int]:
    """The batches that made or changed a row, the latest first."""
    return list(
        session.scalars(
            select(ImportRow.batch_id)
            .where(ImportRow.table_name == table, ImportRow.row_id <= row_id)
            .where((ImportRow.until_id >= row_id) | (ImportRow.until_id.is_(None) & (ImportRow.row_id == row_id)))
            .order_by(ImportRow.batch_id.desc())
            .distinct()
        )
    )


def _told(table: str, row_id: int, until_id: int | None, old: dict[str, Any]) -> bytes:
    return json.dumps([table, row_id, until_id, old], ensure_ascii=False, sort_keys=True).encode() + b"\n"
