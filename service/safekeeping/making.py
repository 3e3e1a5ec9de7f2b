"""Making a backup while the service runs: the store's state, the photos, the keys; read again before it counts."""

from __future__ import annotations

import hashlib
import io
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from io import BufferedWriter
from pathlib import Path

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.config import ROOT, Settings
from service.db.engine import Database
from service.errors import StewardError
from service.records import audit, audit_heads
from service.records.models import Attachment
from service.records.office import BASEMAP_FOLDER, LOGO_FOLDER, read_office
from service.safekeeping.archive import SUFFIX, Writer, verify, writing
from service.safekeeping.manifest import Manifest
from service.safekeeping.stores import save

PHOTOS = "photos"
FOLDERS = (PHOTOS, LOGO_FOLDER)
KEYS = "*_key"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SPARE = 50 * 1024 * 1024


class BackupFailed(StewardError):
    """No backup was made; nothing of it is left."""


@dataclass(frozen=True)
class Made:
    """A backup that was written, read again and put in its place."""

    path: Path
    size: int
    sha256: str
    manifest: Manifest


def make(database: Database, settings: Settings, out: Path, now: datetime, basemaps: bool = False) -> Made:
    """Write `out`, readable by the owner only. Raises BackupFailed; then nothing of it is left.

    `basemaps`: the files of DATA_DIR/basemaps too; they can be large and come from elsewhere.
    """
    _ready(database, out)
    part = out.with_name(f".{out.name}.{secrets.token_hex(4)}.part")
    try:
        with _workroom(out.parent) as workroom, _private(part) as raw:
            with writing(raw) as writer:
                manifest = _fill(database, settings, writer, workroom, now, basemaps)
            raw.flush()
            os.fsync(raw.fileno())
        manifest = verify(part)
        made = Made(out, part.stat().st_size, file_digest(part), manifest)
        _settle(part, out)
        return made
    except FileExistsError:
        raise BackupFailed(f"{out} 已经有了，不覆盖。换一个文件名。") from None
    except OSError as fault:
        reason = fault.strerror or str(fault)
        raise BackupFailed(f"备份没有做成：{reason}（{out.parent}）。清理空间或换个位置再试。") from fault
    finally:
        part.unlink(missing_ok=True)


def record(session: Session, made: Made, actor: audit.Actor, now: datetime) -> None:
    """The backup's line in the trail. Once it is committed, the caller writes the trail's head outside the database."""
    after = {
        "file": made.path.name,
        "size": made.size,
        "sha256": made.sha256,
        "rows": made.manifest.rows,
        "photos": made.manifest.photos,
    }
    audit.append(session, actor, "backup.make", now, audit.Subject("backup", made.path.name), after=after)


def record_failure(session: Session, actor: audit.Actor, now: datetime, reason: str) -> None:
    audit.append(session, actor, "backup.make", now, audit.Subject("backup"), ok=False, note=reason)


def _ready(database: Database, out: Path) -> None:
    """What can be said before anything is written."""
    if not out.name.endswith(SUFFIX):
        raise BackupFailed(f"备份文件要以 {SUFFIX} 结尾，例如 steward{SUFFIX}。")
    if not out.parent.is_dir():
        raise BackupFailed(f"没有文件夹 {out.parent}。先建好，再备份。")
    if out.exists():
        raise BackupFailed(f"{out} 已经有了，不覆盖。换一个文件名。")
    if not os.access(out.parent, os.W_OK | os.X_OK):
        raise BackupFailed(f"{out.parent} 不能写。换一个位置，或让服务的用户能写这个文件夹。")
    free, needed = shutil.disk_usage(out.parent).free, store_bytes(database) + _SPARE
    if free < needed:
        raise BackupFailed(
            f"{out.parent} 只剩 {free / 1e6:.0f} MB，备份时要有 {needed / 1e6:.0f} MB。清理空间或换个位置再试。"
        )


def store_bytes(database: Database) -> int:
    """How large the database is on its disk."""
    if database.path is not None:
        names = (database.path, Path(f"{database.path}-wal"))
        return sum(one.stat().st_size for one in names if one.exists())
    with database.read() as session:
        return int(session.scalar(text("SELECT pg_database_size(current_database())")) or 0)


def _fill(
    database: Database, settings: Settings, writer: Writer, workroom: Path, now: datetime, basemaps: bool
) -> Manifest:
    """The store first: a photo that comes after it is one too many, never one too few."""
    content = save(database, writer, workroom)
    with database.read() as session:
        named = set(session.scalars(select(Attachment.sha256).where(Attachment.removed_at.is_(None))))
        office = read_office(session, settings).name
    for path in kept_files(settings.data_dir, basemaps):
        try:
            writer.add_file(path.relative_to(settings.data_dir).as_posix(), path)
        except FileNotFoundError:
            continue  # removed since it was listed; if the database names it, it is told as missing
    told = audit_heads.heads_up_to(settings.data_dir / audit_heads.NAME, content.trail[0])
    if told:
        writer.add(audit_heads.NAME, io.BytesIO(told), len(told))
    there = {found for name in writer.members if name.startswith(f"{PHOTOS}/") for found in _SHA256.findall(name)}
    manifest = Manifest(service_version(), now, office, content, writer.members, sorted(named - there))
    writer.finish(manifest)
    return manifest


def kept_files(data_dir: Path, basemaps: bool) -> Iterator[Path]:
    """Everything of DATA_DIR that a restored service needs, in one order."""
    folders = (*FOLDERS, BASEMAP_FOLDER) if basemaps else FOLDERS
    for folder in folders:
        for path in sorted((data_dir / folder).rglob("*")):
            if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
                yield path
    for path in sorted(data_dir.glob(KEYS)):
        if path.is_file() and not path.is_symlink():
            yield path


def service_version() -> str:
    """This service's version, as the project states it."""
    try:
        return version("grid-steward")
    except PackageNotFoundError:  # not installed as a package: the usual way to run it
        found = re.search(r'^version = "([^"]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)
        return found[1] if found else "0"


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _workroom(folder: Path) -> Iterator[Path]:
    """A folder of our own beside the backup, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=".steward-", dir=folder) as name:
        yield Path(name)


@contextmanager
def _private(path: Path) -> Iterator[BufferedWriter]:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
        yield out


def _settle(part: Path, out: Path) -> None:
    """The whole file under its name, never in another file's place; the name survives a power cut too."""
    try:
        os.link(part, out)
    except FileExistsError:
        raise
    except OSError:  # a stick with FAT knows no second name for a file
        part.rename(out)
    handle = os.open(out.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
