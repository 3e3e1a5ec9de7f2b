"""The folder of the backups that the service makes: listing, checking, making one, rotating, saying how old."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.clock import SHANGHAI
from service.config import Settings
from service.db.engine import Database
from service.errors import NotFound, StewardError
from service.records import audit, audit_heads
from service.records.audit_heads import write_head
from service.records.models import AuditEntry
from service.records.office import BackupPlan, read_office
from service.safekeeping import making
from service.safekeeping.archive import verify
from service.safekeeping.schedule import due, surplus

_NAME = re.compile(r"steward-(\d{8}-\d{6})\.tar\.zst")
AGAIN = timedelta(hours=1)
STALE = timedelta(hours=48)


@dataclass(frozen=True)
class Kept:
    """A backup on the shelf. `checked_at`: when its digests were last compared, None when never as it lies there."""

    path: Path
    made_at: datetime
    size: int
    checked_at: datetime | None
    rows: int | None
    photos: int | None
    by: str | None

    @property
    def name(self) -> str:
        return self.path.name


def listed(folder: Path) -> list[Kept]:
    """The backups of a folder, newest first."""
    found = []
    for path in folder.iterdir() if folder.is_dir() else ():
        match = _NAME.fullmatch(path.name)
        if match and path.is_file() and not path.is_symlink():
            found.append(_kept(path, datetime.strptime(match[1], "%Y%m%d-%H%M%S").replace(tzinfo=SHANGHAI)))
    return sorted(found, key=lambda one: one.made_at, reverse=True)


def one(folder: Path, name: str) -> Kept:
    """The backup of a name. Raises NotFound: a name is never made into a path."""
    found = next((each for each in listed(folder) if each.name == name), None)
    if found is None:
        raise NotFound(f"没有备份“{name[:60]}”。回到管理页看现有的备份。")
    return found


def make_one(
    database: Database, settings: Settings, plan: BackupPlan, actor: audit.Actor, now: datetime
) -> making.Made:
    """A backup on the shelf, checked and in the trail; a failure is in the trail too, and raised."""
    try:
        _ready(plan, settings)
        name = f"steward-{now.astimezone(SHANGHAI):%Y%m%d-%H%M%S}.tar.zst"
        made = making.make(database, settings, plan.folder / name, now)
    except StewardError as fault:
        with database.write() as session:
            making.record_failure(session, actor, now, fault.message)
        raise
    _tell(made.path, made.manifest.made_at, made.sha256, made.manifest, actor.name)
    with database.write() as session:
        making.record(session, made, actor, now)
    write_head(database, settings.data_dir / audit_heads.NAME, now)
    return made


def _ready(plan: BackupPlan, settings: Settings) -> None:
    """The folder in DATA_DIR is made when it is needed; one elsewhere must be there: a disk may not be mounted."""
    if plan.folder != settings.data_dir / "backups":
        return
    try:
        plan.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        raise making.BackupFailed(f"建不了文件夹 {plan.folder}（{fault.strerror}）。") from fault


def check(kept: Kept, now: datetime) -> Kept:
    """Read a backup again and compare every digest. Raises UnreadableFile when it is damaged."""
    _beside(kept.path).unlink(missing_ok=True)
    _tell(kept.path, now, making.file_digest(kept.path), verify(kept.path), kept.by or "")
    return one(kept.path.parent, kept.name)


def make_scheduled(database: Database, settings: Settings, now: datetime) -> making.Made | None:
    """What the job process calls every few minutes: a backup when one is due, then rotation; None when none is due.

    After a failure it is tried again an hour later, not every time.
    """
    with database.read() as session:
        plan = read_office(session, settings).backup
        tried = _last(session)
    there = listed(plan.folder)
    newest = there[0].made_at if there else None
    if not due(now, newest, plan) or (tried is not None and not tried.ok and now - tried.at < AGAIN):
        return None
    made = make_one(database, settings, plan, audit.SYSTEM, now)
    rotate(database, plan, now)
    return made


def rotate(database: Database, plan: BackupPlan, now: datetime) -> list[str]:
    """Remove what the plan doesn't keep, in the trail. Only files with our own names are touched."""
    there = listed(plan.folder)
    dropped = surplus([each.made_at for each in there], plan)
    gone = [each for each in there if each.made_at in dropped]
    for each in gone:
        each.path.unlink(missing_ok=True)
        _beside(each.path).unlink(missing_ok=True)
    names = [each.name for each in gone]
    if names:
        with database.write() as session:
            audit.append(session, audit.SYSTEM, "backup.rotate", now, audit.Subject("backup"), before={"files": names})
    return names


@dataclass(frozen=True)
class Tried:
    """The trail's last word about a backup."""

    at: datetime
    ok: bool
    name: str | None
    note: str | None


def _last(session: Session, only_good: bool = False) -> Tried | None:
    query = select(AuditEntry).where(AuditEntry.action == "backup.make").order_by(AuditEntry.id.desc()).limit(1)
    entry = session.scalar(query.where(AuditEntry.ok.is_(True)) if only_good else query)
    return Tried(entry.at, entry.ok, entry.subject_code, entry.note) if entry else None


def last_try(session: Session) -> Tried | None:
    """The last backup that was tried, good or not."""
    return _last(session)


def last_good(session: Session) -> Tried | None:
    """The last backup that was made, wherever it went."""
    return _last(session, only_good=True)


def age_text(then: datetime, now: datetime) -> str:
    """
    >>> age_text(datetime(2026, 11, 23, 1, tzinfo=UTC), datetime(2026, 11, 23, 4, tzinfo=UTC))
    '3 小时前'
    """
    minutes = max(0, int((now - then).total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} 分钟前" if minutes else "刚刚"
    return f"{minutes // 60} 小时前" if minutes < 48 * 60 else f"{minutes // 1440} 天前"


def _kept(path: Path, made_at: datetime) -> Kept:
    size, told = path.stat().st_size, _told(path)
    fits = told.get("size") == size
    return Kept(
        path,
        made_at.astimezone(UTC),
        size,
        datetime.fromisoformat(told["checked_at"]) if fits else None,
        told.get("rows") if fits else None,
        told.get("photos") if fits else None,
        told.get("by"),
    )


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _told(path: Path) -> dict[str, Any]:
    """What was written beside a backup when it was checked; empty when nothing readable."""
    try:
        told = json.loads(_beside(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) and isinstance(told.get("checked_at"), str) else {}


def _tell(path: Path, checked_at: datetime, sha256: str, manifest: Any, by: str) -> None:
    told = {
        "size": path.stat().st_size,
        "sha256": sha256,
        "checked_at": checked_at.isoformat(),
        "rows": manifest.rows,
        "photos": manifest.photos,
        "version": manifest.version,
        "store": manifest.content.store,
        "by": by,
    }
    beside = _beside(path)
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as out:
        json.dump(told, out, ensure_ascii=False)
