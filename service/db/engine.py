"""Engine and sessions over one store: write-ahead log, durable commits, writers that wait for each other."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geoalchemy2  # noqa: F401 registers the dialect gpkg
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from service.db import gpkg
from service.errors import BadSetting

_BUSY_SECONDS = 60.0


class Database:
    """One store. `read()` and `write()` give sessions; `moved()` tells cheaply whether anybody committed."""

    def __init__(self, url: str) -> None:
        self.url = url
        parsed = make_url(url)
        self.dialect = "postgresql" if parsed.get_backend_name() == "postgresql" else "geopackage"
        self.path = Path(str(parsed.database)) if self.dialect == "geopackage" else None
        self.engine = _postgres(url) if self.path is None else _geopackage(self.path)
        self._reading = self.engine.execution_options(readonly=True)
        self._watch: sqlite3.Connection | None = None
        self._counting: Connection | None = None
        self._watching = threading.Lock()
        self._queue = f"{self.path}.writers" if self.path else None

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session over one consistent state; nothing it does is kept."""
        session = Session(self._reading)
        try:
            yield session
        finally:
            session.close()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose transaction is committed at the end, rolled back on an error. Writers wait in turn."""
        with self._turn():
            session = Session(self.engine)
            try:
                yield session
                session.commit()
            except BaseException:
                session.rollback()
                raise
            finally:
                session.close()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """On the GeoPackage writers queue on a lock file: SQLite's own waiting is by sleep and starves some."""
        if self._queue is None:
            yield
            return
        handle = os.open(self._queue, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def moved(self) -> object:
        """A token that differs once anybody has committed since: 5 µs on the GeoPackage, a query on PostgreSQL."""
        if self.path is None:
            return self._counters()
        with self._watching:
            if self._watch is None:
                self._watch = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, check_same_thread=False)
            return self._watch.execute("PRAGMA data_version").fetchone()[0]

    def _counters(self) -> object:
        with self._watching:
            if self._counting is None:
                self._counting = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            try:
                return tuple(self._counting.execute(_COUNTERS))
            except OperationalError:
                self._counting.invalidate()
                self._counting = None
                raise

    def close(self) -> None:
        """Give every connection back."""
        with self._watching:
            for watch in (self._watch, self._counting):
                if watch is not None:
                    watch.close()
            self._watch = self._counting = None
        self.engine.dispose()


_COUNTERS = text("SELECT name, value FROM counters ORDER BY name")


def _geopackage(path: Path) -> Engine:
    engine = create_engine(f"gpkg:///{path}", connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def connected(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None  # we emit BEGIN ourselves
        gpkg.register(dbapi)
        if dbapi.execute("PRAGMA application_id").fetchone()[0] != gpkg.APPLICATION_ID:
            _first_open(dbapi, path)
        dbapi.execute("PRAGMA synchronous=FULL")
        dbapi.execute("PRAGMA foreign_keys=ON")
        dbapi.execute("PRAGMA cache_size=-32000")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        reading = connection.get_execution_options().get("readonly")
        # A read that becomes a write fails at once whatever the timeout: it decides before its first statement.
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _first_open(dbapi: sqlite3.Connection, path: Path) -> None:
    """Make the file a GeoPackage: one process does it, the others wait."""
    with Path(f"{path}.init").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if dbapi.execute("PRAGMA application_id").fetchone()[0] == gpkg.APPLICATION_ID:
            return
        path.chmod(0o600)
        dbapi.execute("PRAGMA journal_mode=WAL")
        dbapi.execute("BEGIN IMMEDIATE")
        for statement in gpkg.BASE_TABLES:
            dbapi.execute(statement)
        dbapi.execute(f"PRAGMA user_version={gpkg.VERSION}")
        dbapi.execute(f"PRAGMA application_id={gpkg.APPLICATION_ID}")
        dbapi.execute("COMMIT")
        dbapi.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _postgres(url: str) -> Engine:
    engine = create_engine(url, pool_pre_ping=True, pool_size=8, max_overflow=8)
    try:
        with engine.connect() as connection:
            known = connection.scalar(text("SELECT 1 FROM pg_extension WHERE extname = 'postgis'"))
            if not known:
                connection.execute(text("CREATE EXTENSION IF NOT EXISTS postgis"))
                connection.commit()
    except OperationalError as fault:
        raise BadSetting(
            f"DATABASE_URL：连不上 PostgreSQL（{str(fault.orig).splitlines()[0]}）。检查主机、库名和密码。"
        ) from None
    return engine
