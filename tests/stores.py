"""Stores for tests. Migrating and filling one takes seconds, copying one a moment: what tests begin with is made once
per process and kind of store, as a pattern, and every test gets a copy of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.engine import make_url

from service.config import Settings, load_settings
from service.db.engine import Database
from service.db.migrate import migrate

MONDAY_NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
POSTGRES = os.environ.get("STEWARD_TEST_POSTGRES", "")

Filling = Callable[[Database, Settings, Path], Any]
"""Puts into a migrated, empty store what tests begin with; the folder is for the files that it imports."""


T = TypeVar("T")
Making = Callable[["Stores", str, Path], Iterator[T]]
"""A generator over (stores, kind of store, folder) that yields once."""


def nothing(_database: Database, _settings: Settings, _folder: Path) -> None:
    """The filling of a migrated store without rows."""


def settings_of(url: str, data_dir: Path) -> Settings:
    """Settings of a service over a test's store."""
    return load_settings(data_dir=data_dir, database_url=url, secret_key="test", host="127.0.0.1")


class Stores:
    """The stores of one test process. kind: gpkg or postgis."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._patterns: dict[tuple[str, Filling], _Pattern] = {}
        self._kept: dict[tuple[str, Any], Any] = {}
        self._until_the_end = ExitStack()

    @contextmanager
    def blank(self, kind: str, folder: Path) -> Iterator[str]:
        """The URL of a store that nobody has migrated."""
        with _store(kind, folder, None) as url:
            yield url

    @contextmanager
    def copied(self, kind: str, filling: Filling, folder: Path) -> Iterator[str]:
        """The URL of a store as the filling leaves it, to be changed at will; what the filling keeps in its data folder
        is copied to `data` in the given one."""
        pattern = self._pattern(kind, filling)
        if pattern.data_dir.is_dir():
            shutil.copytree(pattern.data_dir, folder / "data", dirs_exist_ok=True)
        with _store(kind, folder, pattern.url) as url:
            yield url

    def kept(self, kind: str, make: Making[T]) -> T:
        """What `make` yields: made when it is first asked for, undone when the process ends. (A session's fixture that
        depends on the kind of store is made anew whenever the kind changes from one test to the next.)"""
        if (kind, make) not in self._kept:
            making = contextmanager(make)(self, kind, self._new_folder())
            self._kept[kind, make] = self._until_the_end.enter_context(making)
        made: T = self._kept[kind, make]
        return made

    def close(self) -> None:
        """Undo what was kept, drop the patterns."""
        self._until_the_end.close()

    def _pattern(self, kind: str, filling: Filling) -> _Pattern:
        if (kind, filling) not in self._patterns:
            self._patterns[kind, filling] = self._new_pattern(kind, filling)
        return self._patterns[kind, filling]

    def _new_pattern(self, kind: str, filling: Filling) -> _Pattern:
        """An empty one is migrated; a filled one begins as a copy of the empty one."""
        folder = self._new_folder()
        base = None if filling is nothing else self._pattern(kind, nothing).url
        url = self._until_the_end.enter_context(_store(kind, folder, base))
        if base is None:
            migrate(url, folder, MONDAY_NOON)
        settings = settings_of(url, folder / "data")
        with closing(Database(url)) as database:
            filling(database, settings, folder)
        if kind == "gpkg":  # a copy is of one file
            with closing(sqlite3.connect(folder / "steward.gpkg")) as file:
                file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return _Pattern(url, settings.data_dir)

    def _new_folder(self) -> Path:
        folder = self._folder / str(sum(1 for _ in self._folder.iterdir()))
        folder.mkdir()
        return folder


@dataclass(frozen=True)
class _Pattern:
    url: str
    data_dir: Path


@contextmanager
def _store(kind: str, folder: Path, pattern: str | None) -> Iterator[str]:
    """A new store, empty or a copy; a database is dropped afterwards, a file stays with its folder."""
    if kind == "gpkg":
        path = folder / "steward.gpkg"
        if pattern is not None:
            shutil.copyfile(str(make_url(pattern).database), path)
            path.chmod(0o600)
        yield f"gpkg:///{path}"
        return
    name = f"steward_test_{secrets.token_hex(6)}"
    _on_server(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{make_url(pattern).database}"' if pattern else ""))
    try:
        yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    finally:
        _on_server(f'DROP DATABASE "{name}" WITH (FORCE)')


def _on_server(statement: str) -> None:
    server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with server.connect() as connection:
        connection.execute(text(statement))
