"""What is removed by age, as the office has set it. The trail never is. Never commits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session

from service.clock import local_date
from service.config import Settings
from service.frontages.models import Frontage
from service.people.models import Organisation, Person
from service.records import audit, counters
from service.records.models import AuditEntry, Upload
from service.records.office import Retention, read_office

# What is personal in an ended record; name, code and history stay.
_PERSONAL: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (Person, ("phone", "notes")),
    (Organisation, ("phone", "notes")),
    (Frontage, ("phone", "person_name", "owner_name")),
)


@dataclass(frozen=True)
class Aged:
    """What is beyond its age now, and how far back the trail reaches."""

    uploads: int
    ended: int
    trail_lines: int
    trail_since: datetime | None


def aged(session: Session, retention: Retention, data_dir: Path, now: datetime) -> Aged:
    ended = 0
    if retention.ended:
        for model, names in _PERSONAL:
            beyond = _beyond(model, names, local_date(now) - timedelta(days=retention.ended))
            ended += session.scalar(select(func.count()).select_from(model).where(beyond)) or 0
    lines, since = session.execute(select(func.count(AuditEntry.id), func.min(AuditEntry.at))).one()
    return Aged(len(_old_uploads(session, retention, data_dir, now)), ended, int(lines), since)


def sweep(session: Session, settings: Settings, now: datetime) -> dict[str, int]:
    """Blank what is personal in ended records beyond their age; what was done, which is also a line of the trail.
    Called once a day by the job process, which removes old uploads itself."""
    retention = read_office(session, settings).retention
    done = {"records": 0}
    if retention.ended:
        until = local_date(now) - timedelta(days=retention.ended)
        for model, names in _PERSONAL:
            blank = update(model).where(_beyond(model, names, until)).values(dict.fromkeys(names))
            done["records"] += session.execute(blank).rowcount  # type: ignore[attr-defined]
    if any(done.values()):
        counters.move(session, counters.RESPONSIBILITY)
        audit.append(session, audit.SYSTEM, "retention.sweep", now, audit.Subject("office", "retention"), after=done)
    return done


def _beyond(model: Any, names: tuple[str, ...], until: date) -> ColumnElement[bool]:
    left: ColumnElement[bool] = or_(*(getattr(model, name).is_not(None) for name in names))
    return and_(model.ended_on <= until, left)


def _old_uploads(session: Session, retention: Retention, data_dir: Path, now: datetime) -> list[Path]:
    """Files that came through the browser and are still there; only under DATA_DIR, whatever a row says."""
    before = now - timedelta(days=retention.uploads)
    named = session.scalars(select(Upload.path).where(Upload.created_at < before))
    paths = [(data_dir / one).resolve() for one in named]
    return [path for path in paths if path.is_relative_to(data_dir.resolve()) and path.exists()]
