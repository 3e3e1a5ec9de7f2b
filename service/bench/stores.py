"""Empty stores to measure on: a GeoPackage, and PostgreSQL where a server is named."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.orm import Session

from service.db.engine import Database


class Timed(Database):
    """A database that remembers how long its longest write transaction was open."""

    longest = 0.0

    @contextmanager
    def write(self) -> Iterator[Session]:
        with super().write() as session:
            began = time.perf_counter()
            yield session
        self.longest = max(self.longest, time.perf_counter() - began)


def stores(place: Path) -> Iterator[tuple[str, str]]:
    """(name, URL) of the GeoPackage in a folder, and of the server in STEWARD_BENCH_POSTGRES."""
    yield "GeoPackage", f"gpkg:///{place / 'steward.gpkg'}"
    server = os.environ.get("STEWARD_BENCH_POSTGRES") or os.environ.get("STEWARD_TEST_POSTGRES")
    if server:
        yield "PostGIS", server


@contextmanager
def empty_store(url: str) -> Iterator[str]:
    """The URL of an empty store; on PostgreSQL a database of its own, dropped afterwards."""
    from sqlalchemy import create_engine, text
    from sqlalchemy.engine import make_url

    if url.startswith("gpkg"):
        yield url
        return
    server = create_engine(url, isolation_level="AUTOCOMMIT")
    name = f"steward_bench_{os.getpid()}"
    with server.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    try:
        yield make_url(url).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        server.dispose()
