"""Every incident as columns in memory, one copy per worker: clusters, counts and worst-first lists without a scan in SQL."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy.orm import Session

from service.db.engine import Database
from service.geo.clusters import ClusterColumns
from service.incidents.loading import Loaded, load_changed, load_columns
from service.records import counters

DONE = 3
_MERGE_AT = 50_000


@dataclass(frozen=True)
class Columns:
    """One consistent state. The plain arrays are aligned with each other, in order of id."""

    version: int
    index: ClusterColumns
    ids: np.ndarray
    group: np.ndarray
    due: np.ndarray
    grid: np.ndarray
    categories: list[tuple[str, str]]
    communities: list[str]
    grids: list[str]

    def open_by_grid(self, now: datetime) -> dict[str, tuple[int, int]]:
        """Per grid code: (open incidents, overdue among them)."""
        alive = (self.group < DONE) & (self.grid >= 0)
        late = alive & (self.due < int(now.timestamp()))
        n = len(self.grids)
        opened = np.bincount(self.grid[alive], minlength=n)
        overdue = np.bincount(self.grid[late], minlength=n)
        return {code: (int(opened[i]), int(overdue[i])) for i, code in enumerate(self.grids) if opened[i]}

    def in_grid(self, code: str, now: datetime) -> tuple[np.ndarray, int]:
        """(ids of the open incidents of a grid, worst first; how many there ever were)."""
        if code not in self.grids:
            return np.empty(0, np.int64), 0
        mine = self.grid == self.grids.index(code)
        alive = np.flatnonzero(mine & (self.group < DONE))
        order = np.argsort(self.due[alive], kind="stable")
        return self.ids[alive][order], int(mine.sum())

    def counts(self, now: datetime) -> dict[str, int]:
        """Open incidents by state group: late, way, chk, rep; and all of them."""
        alive = self.group < DONE
        late = alive & (self.due < int(now.timestamp()))
        calm = np.bincount(self.group[alive & ~late], minlength=4)
        return {
            "late": int(late.sum()), "rep": int(calm[0]), "way": int(calm[1]), "chk": int(calm[2]),
            "open": int(alive.sum()), "all": len(self.ids),
        }


class IncidentColumns:
    """The columns, fresh as of each call: small changes are patched in, large ones re-read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._token: object = None
        self._now: Columns | None = None
        self._loaded: Loaded | None = None

    def current(self) -> Columns:
        token = self._database.moved()
        if self._now is not None and token == self._token:
            return self._now
        with self._lock, self._database.read() as session:
            version = counters.read_all(session)[counters.INCIDENTS]
            if self._now is None or self._now.version != version:
                self._now = self._refresh(session, version)
            self._token = token
            return self._now

    def _refresh(self, session: Session, version: int) -> Columns:
        changed = None
        if self._loaded is not None and self._now is not None:
            changed = load_changed(session, self._loaded, self._now.version, _MERGE_AT)
        self._loaded = changed or load_columns(session)
        return self._loaded.columns(version)


def columns_of(loaded: Loaded, version: int) -> Columns:
    """Build the indexes over freshly read arrays."""
    return loaded.columns(version)
