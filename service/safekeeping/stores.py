"""One consistent state of a store, taken while others write, and put back into an empty one of the same kind."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection

from service.db.engine import Database
from service.db.migrate import FOLDER
from service.safekeeping.archive import Writer
from service.safekeeping.manifest import Content

DATABASE = "steward.gpkg"
TABLES = "tables/"
_OTHERS = "alembic_version"
# What the text of a value depends on: set alike when it is written and when it is read.
_PLAIN = (
    "SET LOCAL TimeZone='UTC'",
    "SET LOCAL DateStyle='ISO, YMD'",
    "SET LOCAL IntervalStyle='postgres'",
    "SET LOCAL extra_float_digits=1",
    "SET LOCAL bytea_output='hex'",
    "SET LOCAL client_encoding='UTF8'",
)
_OURS = """SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind = 'r' AND NOT EXISTS (
    SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')"""
_COLUMNS = """SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(:name) AND attnum > 0
AND NOT attisdropped AND attgenerated = '' ORDER BY attnum"""


def save(database: Database, writer: Writer, workroom: Path) -> Content:
    """Add the store's state to the archive. `workroom`: where a copy may lie meanwhile."""
    if database.path is not None:
        return _save_geopackage(database.path, writer, workroom / DATABASE)
    return _save_postgres(database, writer, workroom)


def _save_geopackage(path: Path, writer: Writer, copy: Path) -> Content:
    # All pages in one step: one read transaction, which with a write-ahead log neither waits for writers nor stops any.
    with closing(sqlite3.connect(path, timeout=60)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    writer.add_file(DATABASE, copy)
    with closing(sqlite3.connect(f"{copy.as_uri()}?mode=ro&immutable=1", uri=True)) as taken:
        names = [
            name
            for (name,) in taken.execute(
                "SELECT name FROM sqlite_master WHERE type='table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
                " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'rtree\\_%' ESCAPE '\\' ORDER BY name"
            )
        ]
        counts = {name: int(taken.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for name in names}
        revision = str(taken.execute(f"SELECT version_num FROM {_OTHERS}").fetchone()[0])
        last = _last_line(taken.execute(_HEAD).fetchone() if "audit_entries" in counts else None)
    copy.unlink()
    return Content("geopackage", revision, counts, trail=last)


_HEAD = "SELECT id, hash FROM audit_entries ORDER BY id DESC LIMIT 1"


def _last_line(row: Any) -> tuple[int, str]:
    return (int(row[0]), str(row[1])) if row else (0, "")


def _save_postgres(database: Database, writer: Writer, workroom: Path) -> Content:
    snapshot = database.engine.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with snapshot as connection, connection.begin():
        for statement in _PLAIN:
            connection.execute(text(statement))
        tables = {name: list(connection.scalars(text(_COLUMNS), {"name": f'"{name}"'})) for name in ours(connection)}
        keys = inspect(connection)
        counts = {}
        for name, columns in tables.items():
            order = keys.get_pk_constraint(name)["constrained_columns"] or columns
            with tempfile.TemporaryFile(dir=workroom) as spool:
                counts[name] = _copy_out(connection, name, columns, order, spool)
                size = spool.tell()
                spool.seek(0)
                writer.add(f"{TABLES}{name}.copy", spool, size)
        sequences = connection.execute(
            text("SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema()")
        )
        given_out = {str(name): int(value) for name, value in sorted(sequences) if value is not None}
        revision = str(connection.scalar(text(f"SELECT version_num FROM {_OTHERS}")))
        last = _last_line(connection.execute(text(_HEAD)).first() if "audit_entries" in tables else None)
    return Content("postgresql", revision, counts, tables, given_out, last)


def ours(connection: Connection) -> list[str]:
    """The tables that are ours, parents before children."""
    found = {str(name) for name in connection.scalars(text(_OURS))} - {_OTHERS}
    order = [name for name, _ in inspect(connection).get_sorted_table_and_fkc_names() if name in found]
    return order + sorted(found - set(order))


def _copy_out(connection: Connection, name: str, columns: list[str], order: list[str], out: Any) -> int:
    """Rows of a table in the order of its key, as PostgreSQL's own text; how many."""
    query = sql.SQL("COPY (SELECT {} FROM {} ORDER BY {}) TO STDOUT").format(
        _listed(columns), sql.Identifier(name), _listed(order)
    )
    rows = 0
    with _cursor(connection) as cursor, cursor.copy(query) as copy:
        for data in copy:
            rows += bytes(data).count(b"\n")
            out.write(data)
    return rows


def _listed(names: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)


def _cursor(connection: Connection) -> Any:
    driver: Any = connection.connection.driver_connection
    return driver.cursor()


def known_revisions() -> list[str]:
    """The migrations that this version knows, oldest first."""
    from alembic.script import ScriptDirectory

    return [one.revision for one in reversed(list(ScriptDirectory(str(FOLDER)).walk_revisions()))]


def put_back_postgres(database: Database, content: Content, member: Any, folder: Path = FOLDER) -> None:
    """Tables of the backup's version, their rows, then the migrations since: one transaction, all or nothing.

    `member`: opens the file of a member's name.
    """
    with database.engine.begin() as connection:
        upgrade(connection, content.revision, folder)
        for statement in _PLAIN:
            connection.execute(text(statement))
        known = ours(connection)
        for name in reversed(known):  # what a migration has put in is in the backup too
            if connection.execute(text(f'SELECT 1 FROM "{name}" LIMIT 1')).first():
                connection.execute(text(f'DELETE FROM "{name}"'))
        # Parents first, in whatever order the manifest was written.
        for name, columns in sorted(
            content.tables.items(), key=lambda one: known.index(one[0]) if one[0] in known else -1
        ):
            with member(f"{TABLES}{name}.copy") as source:
                _copy_in(connection, name, columns, source)
        for name, value in content.sequences.items():
            connection.execute(text("SELECT setval(to_regclass(:name), :value)"), {"name": f'"{name}"', "value": value})
        upgrade(connection, "head", folder)


def _copy_in(connection: Connection, name: str, columns: list[str], source: BinaryIO) -> None:
    query = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(name), _listed(columns))
    with _cursor(connection) as cursor, cursor.copy(query) as copy:
        while data := source.read(1 << 18):
            copy.write(data)


def upgrade(connection: Connection, to: str, folder: Path = FOLDER) -> None:
    """Alembic's migrations up to a version, in the connection's transaction."""
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
