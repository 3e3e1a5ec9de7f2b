"""Putting a backup back into an empty folder and an empty database: all of it, or nothing."""

from __future__ import annotations

import re
import shutil
import sqlite3
import tempfile
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from service.config import Settings
from service.db.engine import Database
from service.db.migrate import migrate
from service.errors import StewardError
from service.people.sign_ins import end_all
from service.records import audit, audit_heads
from service.records.office import BASEMAP_FOLDER
from service.safekeeping.archive import extract, verify
from service.safekeeping.making import FOLDERS
from service.safekeeping.manifest import STORES, Manifest
from service.safekeeping.stores import DATABASE, TABLES, known_revisions, ours, put_back_postgres

_KEY = re.compile(r"[a-z0-9_]*_key")


class RestoreRefused(StewardError):
    """Nothing was written."""


def restore(settings: Settings, source: Path, now: datetime) -> Manifest:
    """Put a backup back. Every digest is checked before the first byte is written.

    Raises RestoreRefused or UnreadableFile; then folder and database are as they were.
    """
    if not source.is_file():
        raise RestoreRefused(f"没有文件 {source}。")
    manifest = verify(source)
    _fitting(settings, manifest)
    _empty_folder(settings.data_dir, source)
    database = _empty_database(settings)
    with tempfile.TemporaryDirectory(prefix=".restoring-", dir=settings.data_dir) as name:
        staged = Path(name)
        if extract(source, lambda member: _open(staged, member)) != manifest:
            raise RestoreRefused("备份在读的时候变了。什么也没有写，换一份没有人在写的备份。")
        if database is None:
            _put_back_file(settings, staged, now)
        else:
            _put_back_rows(database, staged, manifest)
        _settle(staged, settings.data_dir)
    return manifest


def record(session: Session, source: Path, manifest: Manifest, now: datetime) -> None:
    """The restored trail goes on with the line that says so, and nobody is signed in whose sign-in was in the backup.
    Once it is committed, the caller writes the trail's head."""
    after = {
        "file": source.name,
        "made_at": manifest.made_at.isoformat(),
        "version": manifest.version,
        "rows": manifest.rows,
        "photos": manifest.photos,
    }
    subject = audit.Subject("backup", source.name)
    audit.append(session, audit.COMMAND_LINE, "backup.restore", now, subject, after=after)
    end_all(session)


def _fitting(settings: Settings, manifest: Manifest) -> None:
    """The same kind of store, and a version that this one knows."""
    here = "postgresql" if settings.store_url.startswith("postgresql") else "geopackage"
    content = manifest.content
    if content.store != here:
        raise RestoreRefused(
            f"这份备份来自 {STORES.get(content.store, content.store)}，现在设置的是 {STORES[here]}。"
            "备份只能恢复到同一种数据库：改 DATABASE_URL 再恢复。"
        )
    if content.revision not in known_revisions():
        raise RestoreRefused(
            f"备份的数据库是更新的版本（{content.revision}，网格管家 {manifest.version}）。先升级网格管家，再恢复。"
        )
    strangers = [name for name in manifest.members if not _ours(name, here)]
    if strangers:
        raise RestoreRefused(f"备份里有不认识的文件“{strangers[0]}”。什么也没有写。")


def _ours(name: str, store: str) -> bool:
    first, _, rest = name.partition("/")
    if rest:
        return first in (*FOLDERS, BASEMAP_FOLDER) or (store == "postgresql" and f"{first}/" == TABLES)
    return name == audit_heads.NAME or bool(_KEY.fullmatch(name)) or (store == "geopackage" and name == DATABASE)


def _empty_folder(folder: Path, source: Path) -> None:
    there = sorted(one.name for one in folder.iterdir() if one != source.resolve() and one != source)
    if there:
        raise RestoreRefused(
            f"{folder} 不是空的（有 {'、'.join(there[:3])}）。恢复只写进空文件夹：把 DATA_DIR 设成一个新文件夹。"
        )


def _empty_database(settings: Settings) -> Database | None:
    """The empty PostgreSQL database; None for a GeoPackage, which is a file that must not be there."""
    if not settings.store_url.startswith("postgresql"):
        path = _file_of(settings)
        if path.exists():
            raise RestoreRefused(f"{path} 已经有了。恢复只写进空的位置：改 DATABASE_URL，或把旧文件移走。")
        return None
    database = Database(settings.store_url)
    with database.engine.connect() as connection:
        there = ours(connection)
    if there:
        database.close()
        some = "、".join(sorted(there)[:3])
        raise RestoreRefused(f"数据库里已经有表（{some} 等 {len(there)} 张）。恢复只写进空数据库：新建一个再恢复。")
    return database


def _file_of(settings: Settings) -> Path:
    return Path(settings.store_url.removeprefix("gpkg:///"))


def _open(folder: Path, member: str) -> BinaryIO:
    """A new file under `folder`; the name was judged when it was read (archive.check_name)."""
    path = folder / member
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    out = path.open("xb")
    path.chmod(0o600)
    return out


def _put_back_file(settings: Settings, staged: Path, now: datetime) -> None:
    copy = staged / DATABASE
    with closing(sqlite3.connect(copy)) as db:
        fault = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if fault != "ok":
        raise RestoreRefused(f"备份里的数据库自己就坏了（{fault}）。换一份更早的备份。")
    migrate(f"gpkg:///{copy}", staged / ".before", now)
    with closing(sqlite3.connect(copy)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    target = _file_of(settings)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.move(copy, target)


def _put_back_rows(database: Database, staged: Path, manifest: Manifest) -> None:
    try:
        put_back_postgres(database, manifest.content, lambda name: (staged / name).open("rb"))
    except SQLAlchemyError as fault:
        reason = str(getattr(fault, "orig", fault)).splitlines()[0]
        raise RestoreRefused(f"数据库没有接受备份里的数据（{reason}）。什么也没有写。") from fault
    finally:
        database.close()
    shutil.rmtree(staged / TABLES)


def _settle(staged: Path, folder: Path) -> None:
    """What was checked takes its place; what the work left behind does not."""
    for path in sorted(staged.iterdir()):
        if path.name in FOLDERS or path.name in (BASEMAP_FOLDER, audit_heads.NAME) or _KEY.fullmatch(path.name):
            path.rename(folder / path.name)
