"""A town with rows in every table, photos and keys; where it is put back; and what is compared."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import shapely
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.config import Settings, load_settings
from service.db.base import Base
from service.db.engine import Database
from service.db.migrate import migrate
from service.db.spatial import encode
from service.grids.draft_models import Draft, DraftGrid, DraftStep, PlannedDuty
from service.incidents.models import DispatchRule, Incident, IncidentContact, IncidentStep
from service.notices.models import Channel, Delivery, Notice
from service.patrols.models import Patrol, PatrolGrid
from service.people.accounts import create_account, make_token
from service.people.models import Account, AddressFailures
from service.people.sign_ins import begin
from service.records import audit
from service.records.models import Attachment, ImportRow, Job, OfficeSetting, RequestKey, SavedView, Upload
from service.responsibility.models import Proposal
from service.safekeeping import making
from service.taxonomy.models import Category, TaxonomyVersion
from service.worktime.models import CalendarDay, CalendarYear, OfficeHours
from tests.conftest import MONDAY_NOON, PASSWORD, the_demo
from tests.stores import Stores

HOSTILE = "制表\t换行\n反斜\\N 引号'\" \u202e <b>"


def _backup(stores: Stores, store_kind: str, folder: Path) -> Iterator[Path]:
    with stores.copied(store_kind, every_table, folder) as url:
        given = load_settings(data_dir=folder / "data", database_url=url)
        out = folder / "kept.tar.zst"
        with closing(Database(url)) as made:
            making.make(made, given, out, MONDAY_NOON)
        yield out


@pytest.fixture
def kept(stores: Stores, store_kind: str, tmp_path: Path) -> Path:
    """A backup of a town with rows in every table, for a test to spoil."""
    return Path(shutil.copy(stores.kept(store_kind, _backup), tmp_path / "kept.tar.zst"))


def every_table(database: Database, settings: Settings, folder: Path) -> None:
    """A filling: the demo, and at least one row in every table that the demo leaves empty."""
    the_demo(database, settings, folder)
    with database.write() as session:
        head = create_account(session, "head", "admin", PASSWORD, MONDAY_NOON, display_name=HOSTILE)
        begin(session, head, MONDAY_NOON, timedelta(hours=8))
        make_token(session, "head", "t", MONDAY_NOON)
        for i in range(3):
            audit.append(session, audit.SYSTEM, "test", MONDAY_NOON, before={"n": i}, note=HOSTILE)
        session.add(OfficeSetting(name="identity", value={"name": HOSTILE, "hotline": "12345", "logo": None}))
        session.add(Job(kind="x", state="done", given={"a": [1, None]}, created_at=MONDAY_NOON))
        session.add(SavedView(account_id=1, page="grids", name=HOSTILE, query="a=b"))
        session.add(AddressFailures(address="::1", failures=2, last_at=MONDAY_NOON))
        session.add(ImportRow(batch_id=1, table_name="grids", row_id=1, old={"name": HOSTILE}))
        _add_upload(session)
        _add_drawn(session)
        _add_casework(session)
        _add_photos(session, settings.data_dir)
    (settings.data_dir / "secret_key").write_text("a key")


def _add_upload(session: Session) -> None:
    about = {"name": "x", "path": "x", "size": 1, "sha256": "0", "state": "new", "chosen": {}}
    session.add(Upload(account_id=1, kind="grids", created_at=MONDAY_NOON, **about))


def _add_drawn(session: Session) -> None:
    """A draft with a step and a planned duty, and a balanced proposal."""
    moments = {"made_by": "head", "made_at": MONDAY_NOON}
    draft = Draft(name=HOSTILE, communities={"A": None}, changed_by="head", changed_at=MONDAY_NOON, **moments)
    session.add(draft)
    session.flush()
    square = encode(shapely.multipolygons([shapely.box(109.88, 31.07, 109.881, 31.071)]))
    session.add(DraftGrid(draft_id=draft.id, code="A1", name=HOSTILE, community_code="A", geom=square))
    step = {"kind": "rename", "words": HOSTILE, "actor": "head", "at": MONDAY_NOON, "before": [], "after": [{"a": 1}]}
    session.add(DraftStep(draft_id=draft.id, number=1, **step))
    session.add(PlannedDuty(draft_id=draft.id, grid_code="A1", role="grid_leader", person_code="P1"))
    session.add(Proposal(name=HOSTILE, settings={"k": 2}, groups={"A1": "P1"}, **moments))


def _add_casework(session: Session) -> None:
    """A row in every table of incidents' handling, and what follows from it."""
    kept = {"number": "261123-0001", "state": "unverified", "reported_at": MONDAY_NOON, "category_name": HOSTILE}
    incident = Incident(**kept, deadline={"amount": 4, "unit": "working_hours"})
    version = TaxonomyVersion(made_at=MONDAY_NOON, made_by="head", note=HOSTILE)
    patrol = Patrol(code="W1", person_code="P1", started_at=MONDAY_NOON, note=HOSTILE)
    account = session.scalars(select(Account.id).limit(1)).one()
    notice = Notice(
        account_id=account, reason="report", subject_kind="incident", subject_code="x", title="x", made_at=MONDAY_NOON
    )
    session.add_all([incident, version, patrol, notice])
    session.flush()
    moment = {"made_at": MONDAY_NOON, "next_at": MONDAY_NOON}
    session.add_all(
        [
            IncidentStep(
                incident_id=incident.id, at=MONDAY_NOON, step="report", to_state="unverified", actor="head", version=1
            ),
            IncidentContact(incident_id=incident.id, key="k" * 22, name=HOSTILE, made_at=MONDAY_NOON),
            DispatchRule(position=1, name=HOSTILE, conditions={}, target={"kind": "unit", "code": "O1"}),
            Category(
                version_id=version.id, code="06010", name=HOSTILE, class_code="06", class_name="x", aliases=["0105"]
            ),
            PatrolGrid(patrol_id=patrol.id, grid_code="A1"),
            Delivery(notice_id=notice.id, channel="mail", target="x", title="x", state="waiting", **moment),
            Channel(channel="wecom", name=HOSTILE, address="x"),
            CalendarDay(day=MONDAY_NOON.date(), works=False, name=HOSTILE),
            CalendarYear(year=2027),
            OfficeHours(spans=[["09:00", "17:00"]], every_day=False),
            RequestKey(account_id=0, key="k", digest="0", status=201, answer={}, made_at=MONDAY_NOON),
        ]
    )


def _add_photos(session: Session, data_dir: Path) -> None:
    for i in range(5):
        picture = secrets.token_bytes(1000 + i)
        digest = hashlib.sha256(picture).hexdigest()
        folder = data_dir / "photos" / digest[:2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{digest}.jpg").write_bytes(picture)
        session.add(
            Attachment(
                subject_kind="frontages",
                subject_code=f"{i}",
                sha256=digest,
                media_type="image/jpeg",
                size=len(picture),
                width=1,
                height=1,
                made_at=MONDAY_NOON + timedelta(milliseconds=1),
            )
        )


@pytest.fixture
def other(stores: Stores, store_kind: str, tmp_path: Path) -> Iterator[Settings]:
    """Settings of another machine: an empty folder, an empty store of the same kind."""
    folder = tmp_path / "elsewhere"
    if store_kind == "gpkg":
        yield load_settings(data_dir=folder, database_url="")
        return
    with stores.blank(store_kind, folder) as url:
        yield load_settings(data_dir=folder, database_url=url)


@pytest.fixture
def third(stores: Stores, store_kind: str, tmp_path: Path) -> Iterator[Settings]:
    """One machine more."""
    folder = tmp_path / "third"
    if store_kind == "gpkg":
        yield load_settings(data_dir=folder, database_url="")
        return
    with stores.blank(store_kind, folder) as url:
        yield load_settings(data_dir=folder, database_url=url)


def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, as the driver gives it."""
    out = {}
    with database.read() as session:
        for table in Base.metadata.sorted_tables:
            columns = ", ".join(f'"{column.name}"' for column in table.columns)
            rows = session.execute(text(f'SELECT {columns} FROM "{table.name}"')).all()
            out[table.name] = sorted((tuple(row) for row in rows), key=repr)
    return out


def files(folder: Path) -> dict[str, bytes]:
    """Every photo, logo and key of a data folder."""
    paths = [*folder.glob("photos/**/*"), *folder.glob("office/*"), *folder.glob("*_key")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths if path.is_file()}


def trail_actions(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(audit.AuditEntry.action).order_by(audit.AuditEntry.id)))


def opened(settings: Settings) -> Database:
    migrate(settings.store_url, settings.data_dir / "backups", MONDAY_NOON)
    return Database(settings.store_url)
