"""Bringing a store to this version's tables: one process at a time, with a backup before anything is at risk."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import geoalchemy2.alembic_helpers  # noqa: F401 registers GeoAlchemy2's operations
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from geoalchemy2 import Geometry
from sqlalchemy import text
from sqlalchemy.engine import Connection, make_url

from service.db import rtree
from service.db.engine import Database
from service.errors import StewardError

FOLDER = Path(__file__).parent / "migrations"
_LOCK = 7_302_116_201  # one number of ours among PostgreSQL's advisory locks


class MigrationFailed(StewardError):
    """The store is as it was before."""


@dataclass(frozen=True)
class MigrationReport:
    """What was done: from which version to which, and where the backup lies."""

    before: str | None
    after: str
    backup: Path | None = None

    def __str__(self) -> str:
        if self.before == self.after:
            return f"数据库已是最新（{self.after}）。"
        kept = f"，升级前的备份：{self.backup}" if self.backup else ""
        return f"数据库已升级：{self.before or '空'} → {self.after}{kept}。"


def migrate(url: str, backups: Path, now: datetime, folder: Path = FOLDER) -> MigrationReport:
    """Upgrade to the newest migration. Raises MigrationFailed; then the store is as it was."""
    database = Database(url)
    try:
        with _alone(database), database.engine.connect() as probe:
            before = MigrationContext.configure(probe).get_current_revision()
            filled = before is not None and _holds_rows(probe)
            probe.rollback()
            newest = ScriptDirectory(str(folder)).get_current_head() or ""
            if before == newest:
                return MigrationReport(before, newest)
            backup = _back_up(database, backups, now) if filled else None
            probe.close()
            try:
                _upgrade(database, folder)
            except Exception as fault:  # whatever a migration trips over, the store goes back to what it was
                if backup is not None and database.path is not None:
                    database.close()
                    _restore(database.path, backup)
                raise MigrationFailed(
                    f"升级没有成功，数据库仍是原样（{before or '空'}）。原因：{type(fault).__name__}。"
                ) from fault
            return MigrationReport(before, newest, backup)
    finally:
        database.close()


def _upgrade(database: Database, folder: Path) -> None:
    """All due migrations in one transaction; on the GeoPackage with foreign keys off until the check at the end."""
    config = Config()
    config.set_main_option("script_location", str(folder))
    with database.engine.connect() as connection:
        embedded = database.dialect == "geopackage"
        if embedded:  # with foreign keys on, rebuilding a parent silently deletes its ON DELETE CASCADE children
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA foreign_keys=OFF")
            driver.execute("PRAGMA legacy_alter_table=ON")  # else a view over a rebuilt table stops its renaming
        try:
            with connection.begin():
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all() if embedded else []
                if broken:
                    raise MigrationFailed(f"升级后有 {len(broken)} 行指向不存在的行。")
        finally:
            if embedded:
                driver.execute("PRAGMA legacy_alter_table=OFF")
                driver.execute("PRAGMA foreign_keys=ON")


@contextmanager
def _alone(database: Database) -> Iterator[None]:
    """One migration at a time: eight starters don't collide."""
    if database.path is not None:
        database.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(f"{database.path}.migrate", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
        return
    with database.engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:n)"), {"n": _LOCK})
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:n)"), {"n": _LOCK})


def _holds_rows(connection: Connection) -> bool:
    """Whether there is anything to lose."""
    from sqlalchemy import inspect

    names = set(inspect(connection).get_table_names())
    for name in ("import_batches", "accounts", "grids", "incidents"):
        if name in names and connection.exec_driver_sql(f"SELECT 1 FROM {name} LIMIT 1").first():
            return True
    return False


def _back_up(database: Database, backups: Path, now: datetime) -> Path:
    """A complete copy before the migration."""
    backups.mkdir(mode=0o700, parents=True, exist_ok=True)
    stamp = now.strftime("%Y%m%d-%H%M%S")
    if database.path is not None:
        target = backups / f"before-migration-{stamp}.gpkg"
        with sqlite3.connect(database.path) as source, sqlite3.connect(target) as copy:
            source.backup(copy)
        copy.close()
        source.close()
        target.chmod(0o600)
        return target
    target = backups / f"before-migration-{stamp}.dump"
    program = shutil.which("pg_dump")
    if program is None:
        raise MigrationFailed("要升级的数据库里有数据，但找不到 pg_dump 来备份。装上 PostgreSQL 客户端，再启动一次。")
    address = make_url(database.url).set(drivername="postgresql").render_as_string(hide_password=False)
    done = subprocess.run(
        [program, "--format=custom", f"--file={target}", address], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise MigrationFailed(f"升级前的备份没有成功：{done.stderr.strip().splitlines()[-1:]}。数据库没有动过。")
    target.chmod(0o600)
    return target


def _restore(path: Path, backup: Path) -> None:
    """Put the copy back. (PostgreSQL needs nothing: its migrations are one transaction.)"""
    with sqlite3.connect(backup) as source, sqlite3.connect(path, timeout=60) as target:
        source.backup(target)
    source.close()
    target.close()


@contextmanager
def gpkg_ddl(op: Any, table: str, column: str = "geom", key: str = "id") -> Iterator[None]:
    """Wrap a batch rebuild of a geometry table: metadata, triggers and R*Tree survive it. Nothing to do on PostGIS."""
    connection = op.get_bind()
    if connection.dialect.name != "geopackage":
        yield
        return
    run = connection.exec_driver_sql
    listed = ("gpkg_contents", "gpkg_geometry_columns")
    kept = {name: run(f"SELECT * FROM {name} WHERE table_name=?", (table,)).all() for name in listed}
    rtree.drop(run, table, column)
    yield
    for name in (f"_alembic_tmp_{table}", table):
        rtree.drop(run, name, column)
        for listing in reversed(listed):
            run(f"DELETE FROM {listing} WHERE table_name=?", (name,))
    left = run(
        "SELECT name FROM sqlite_master WHERE type='trigger' AND tbl_name=? AND name LIKE 'rtree\\_%' ESCAPE '\\'",
        (table,),
    )
    for (name,) in left.all():
        run(f'DROP TRIGGER "{name}"')
    for listing, rows in kept.items():
        for row in rows:
            run(f"INSERT INTO {listing} VALUES ({','.join('?' * len(row))})", tuple(row))
    rtree.create(run, table, column, key)


def include_object(item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """What autogenerate looks at: not the GeoPackage's own tables, not the spatial indexes."""
    if kind == "table" and reflected and compare_to is None:
        return not (name or "").startswith(("gpkg_", "rtree_", "sqlite_", "spatial_ref_sys"))
    if kind == "index" and (name or "").startswith("idx_"):
        return not any(isinstance(column.type, Geometry) for column in item.columns)
    return True
