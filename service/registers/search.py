"""Keeps each worker's search index fresh: made anew when a counter in the database moves."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import date

from service.db.engine import Database
from service.records import counters
from service.registers.search_loading import SearchIndex, load
from service.responsibility.keeper import Responsibility

_KEEP = 3
_LARGE = 20_000


class Search:
    """Indexes by day. A large one is made anew in the background while the one before still answers."""

    def __init__(self, database: Database, responsibility: Responsibility) -> None:
        self._database = database
        self._responsibility = responsibility
        self._lock = threading.Lock()
        self._days: OrderedDict[date, SearchIndex] = OrderedDict()
        self._tokens: dict[date, object] = {}
        self._reading: threading.Thread | None = None

    def on(self, day: date) -> SearchIndex:
        """The index of a day."""
        token = self._database.moved()
        known = self._days.get(day)
        if known is not None and token == self._tokens.get(day):
            return known
        with self._lock:
            known = self._days.get(day)
            if known is None or (known.version != self._version() and len(known) < _LARGE):
                known = self._keep(day, self._read(day))
            elif known.version != self._version():
                self._read_behind(day)
                return known
            self._tokens[day] = token
            return known

    def _version(self) -> tuple[int, int]:
        with self._database.read() as session:
            now = counters.read_all(session)
        return now[counters.RESPONSIBILITY], now[counters.GROUND]

    def _read(self, day: date) -> SearchIndex:
        version = self._version()
        snapshot = self._responsibility.on(day)
        before = self._days.get(day) or next(iter(self._days.values()), None)
        with self._database.read() as session:
            return load(session, snapshot, version, before)

    def _keep(self, day: date, fresh: SearchIndex) -> SearchIndex:
        self._days[day] = fresh
        self._days.move_to_end(day)
        while len(self._days) > _KEEP:
            self._tokens.pop(self._days.popitem(last=False)[0], None)
        return fresh

    def _read_behind(self, day: date) -> None:
        if self._reading is not None and self._reading.is_alive():
            return

        def work() -> None:
            fresh = self._read(day)
            with self._lock:
                self._keep(day, fresh)

        self._reading = threading.Thread(target=work, name="search-index", daemon=True)
        self._reading.start()
