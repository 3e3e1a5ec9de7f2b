"""Every incident as columns in memory, one copy per worker: clusters, counts, worst first."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from service.db.engine import Database
from service.geo.clusters import ClusterColumns, Filters, Within
from service.geo.crs import metres_per_degree
from service.incidents.loading import Arrays, load
from service.people.access import Area
from service.records import counters

DONE = 3
_LARGE = 100_000


@dataclass(frozen=True)
class Columns:
    """One consistent state. The plain arrays are aligned with each other, in order of id. `memo`: what was worked out
    of it, as long as it is kept."""

    version: int
    rows: Arrays
    index: ClusterColumns
    memo: dict[str, np.ndarray] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, rows: Arrays, version: int) -> Columns:
        index = ClusterColumns(
            rows.ids, rows.lon, rows.lat, rows.category, rows.community, rows.group, rows.reported, rows.due, rows.grid
        )
        return cls(version, rows, index)

    def open_by_grid(self, now: datetime) -> dict[str, tuple[int, int]]:
        """Per grid code: (open incidents, overdue among them)."""
        rows = self.rows
        alive = (rows.group < DONE) & (rows.grid >= 0)
        late = alive & (rows.due < int(now.timestamp()))
        n = len(rows.grids)
        opened = np.bincount(rows.grid[alive], minlength=n)
        overdue = np.bincount(rows.grid[late], minlength=n)
        return {code: (int(opened[i]), int(overdue[i])) for i, code in enumerate(rows.grids) if opened[i]}

    def in_grid(self, code: str) -> tuple[np.ndarray, int]:
        """(ids of the open incidents of a grid, worst first; how many there ever were)."""
        rows = self.rows
        if code not in rows.grids:
            return np.empty(0, np.int64), 0
        mine = rows.grid == rows.grids.index(code)
        alive = np.flatnonzero(mine & (rows.group < DONE))
        order = np.argsort(rows.due[alive], kind="stable")
        return rows.ids[alive][order], int(mine.sum())

    def within(self, ids: np.ndarray, lon: float, lat: float, metres: float) -> list[int]:
        """Those of `ids` that lie within so many metres of a point."""
        at = np.searchsorted(self.rows.ids, ids)
        kx, ky = metres_per_degree(np.asarray(lat))
        far = np.hypot((self.rows.lon[at] - lon) * kx, (self.rows.lat[at] - lat) * ky)
        return [int(key) for key in ids[far <= metres]]

    def inside(self, area: Area | None) -> np.ndarray:
        """Mask of the incidents in an area's grids and communities, or in its unit's or person's hands; None: all."""
        if area is None or area.everywhere:
            return np.ones(len(self.rows.ids), dtype=bool)
        out = self.held_by(area)
        for column, known, wanted in (
            (self.rows.community, self.rows.communities, area.communities),
            (self.rows.grid, self.rows.grids, area.grids),
        ):
            mine = np.array([code in wanted for code in known] + [False])  # the last one stands for none, -1
            out |= mine[column]
        return out

    def counts(self, now: datetime, area: Area | None = None) -> dict[str, int]:
        """Open incidents by state group: late, way, chk, rep; and all of them. `area`: only there."""
        rows = self.rows
        here = self.inside(area)
        alive = (rows.group < DONE) & here
        late = alive & (rows.due < int(now.timestamp()))
        calm = np.bincount(rows.group[alive & ~late], minlength=4)
        return {
            "late": int(late.sum()),
            "rep": int(calm[0]),
            "way": int(calm[1]),
            "chk": int(calm[2]),
            "open": int(alive.sum()),
            "all": int(here.sum()),
        }

    def category_counts(self, area: Area | None = None) -> list[dict[str, Any]]:
        """Categories with how many incidents each ever had (`area`: there), the most frequent first."""
        rows = self.rows
        counts = np.bincount(rows.category[(rows.category >= 0) & self.inside(area)], minlength=len(rows.categories))
        order = np.argsort(-counts, kind="stable")
        return [
            {"code": rows.categories[i][0], "name": rows.categories[i][1], "n": int(counts[i])} for i in order.tolist()
        ]

    def bounds(self) -> list[float] | None:
        """[west, south, east, north] of nearly all located incidents; outliers don't widen the view."""
        lon, lat = self.rows.lon, self.rows.lat
        here = ~np.isnan(lon)
        if not here.any():
            return None
        west, east = np.percentile(lon[here], [0.5, 99.5])
        south, north = np.percentile(lat[here], [0.5, 99.5])
        return [float(west), float(south), float(east), float(north)]

    def filters(
        self,
        states: Iterable[str],
        since: datetime | None = None,
        until: datetime | None = None,
        categories: Iterable[str] = (),
        communities: Iterable[str] = (),
        area: Area | None = None,
    ) -> Filters:
        """Codes of the query string as indexes; an unknown one matches nothing. `area`: only what lies in it."""
        kinds = [code for code, _ in self.rows.categories]
        return Filters(
            since=None if since is None else int(since.timestamp()),
            until=None if until is None else int(until.timestamp()),
            categories=_indexes(kinds, categories),
            communities=_indexes(self.rows.communities, communities),
            states=frozenset(states),
            within=self._within(area),
        )

    def _within(self, area: Area | None) -> Within | None:
        if area is None or area.everywhere:
            return None
        held = self.held_by(area)
        return Within(
            _indexes(self.rows.communities, area.communities) or frozenset(),
            _indexes(self.rows.grids, area.grids) or frozenset(),
            self.rows.ids[held] if held.any() else None,
        )

    def held_by(self, area: Area) -> np.ndarray:
        """Mask of the incidents that the area's person or unit has in hand, wherever they lie."""
        out = np.zeros(len(self.rows.ids), dtype=bool)
        for column, known, code in (
            (self.rows.unit, self.rows.units, area.organisation),
            (self.rows.handler, self.rows.handlers, area.person),
        ):
            if code is not None and code in known:
                out |= column == known.index(code)
        return out


def _indexes(known: list[str], asked: Iterable[str]) -> frozenset[int] | None:
    wanted = list(asked)
    return frozenset(known.index(code) for code in wanted if code in known) if wanted else None


class IncidentColumns:
    """The columns, fresh as of each call. A large set is read again in the background meanwhile."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._token: object = None
        self._now: Columns | None = None
        self._reading: threading.Thread | None = None

    def current(self) -> Columns:
        """The state to answer from."""
        token = self._database.moved()
        known = self._now
        if known is not None and token == self._token:
            return known
        with self._lock, self._database.read() as session:
            version = counters.read_all(session)[counters.INCIDENTS]
            if self._now is None or (self._now.version != version and len(self._now.rows.ids) < _LARGE):
                self._now = self._read(session)
            elif self._now.version != version:
                self._read_behind()
                return self._now
            self._token = token
            return self._now

    def _read(self, session: Session) -> Columns:
        version = counters.read_all(session)[counters.INCIDENTS]
        return Columns.of(load(session), version)

    def _read_behind(self) -> None:
        if self._reading is not None and self._reading.is_alive():
            return

        def work() -> None:
            with self._database.read() as session:
                fresh = self._read(session)
            self._now = fresh

        self._reading = threading.Thread(target=work, name="incident-columns", daemon=True)
        self._reading.start()
