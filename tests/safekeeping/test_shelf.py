"""The plan is kept, rotation spares what it must, age removes what the office has said and never the trail."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from service import serving
from service.clock import local_date
from service.config import Settings
from service.db.engine import Database
from service.people.models import Person
from service.records import audit
from service.records.models import AuditEntry, Job, OfficeSetting, Upload
from service.records.office import BackupPlan, read_office
from service.safekeeping import making, retention, shelf, work
from service.safekeeping.schedule import due, last_hour, surplus
from tests.conftest import MONDAY_NOON

PLAN = BackupPlan(True, 2, 7, 4, Path("/nowhere"))
TWO = datetime(2026, 11, 22, 18, tzinfo=UTC)  # 02:00 on Monday in Shanghai


@pytest.mark.parametrize(
    ("now", "last", "expected"),
    [
        (TWO - timedelta(seconds=1), TWO - timedelta(days=1), False),
        (TWO, TWO - timedelta(days=1), True),
        (TWO, TWO, False),
        (TWO + timedelta(hours=23), TWO + timedelta(minutes=1), False),
        (TWO + timedelta(hours=24), TWO + timedelta(minutes=1), True),
        (TWO + timedelta(days=9), TWO, True),
        (TWO + timedelta(hours=3), None, True),
    ],
)
def test_due_once_after_each_hour_of_the_plan(now: datetime, last: datetime | None, expected: bool) -> None:
    assert due(now, last, PLAN) is expected
    assert due(now, last, replace(PLAN, on=False)) is False
    assert now - timedelta(days=1) < last_hour(now, PLAN) <= now


@given(
    st.sets(st.integers(0, 24 * 400), max_size=200),
    st.integers(1, 30),
    st.integers(0, 20),
)
def test_rotation_keeps_the_newest_and_never_more_than_the_plan(hours: set[int], daily: int, weekly: int) -> None:
    made = {TWO + timedelta(hours=hour) for hour in hours}
    plan = replace(PLAN, daily=daily, weekly=weekly)
    kept = made - surplus(made, plan)
    assert len(kept) <= daily + weekly
    assert not made or max(made) in kept
    assert surplus(kept, plan) == set(), "rotating again drops nothing"
    days = sorted({local_date(one) for one in made}, reverse=True)[:daily]
    assert {max(one for one in made if local_date(one) == day) for day in days} <= kept


@dataclass
class Asked:
    """What the job process hands over."""

    database: Database
    settings: Settings
    given: dict[str, Any]
    now: datetime
    actor: audit.Actor = audit.SYSTEM


def planned(database: Database, settings: Settings, now: datetime) -> dict[str, Any] | None:
    with database.read() as session:
        return work.planned(session, settings, now)


def test_the_plan_makes_one_a_day_and_rotates(database: Database, settings: Settings) -> None:
    with database.write() as session:
        kept = {"on": True, "hour": 2, "daily": 2, "weekly": 0, "folder": ""}
        session.add(OfficeSetting(name="backup", value=kept))
    folder = settings.data_dir / "backups"
    for day in range(4):
        now = MONDAY_NOON + timedelta(days=day)
        given = planned(database, settings, now)
        assert given == {"scheduled": True}
        assert work.back_up(Asked(database, settings, given, now)) is not None
        assert planned(database, settings, now + timedelta(hours=13)) is None
        assert work.back_up(Asked(database, settings, given, now + timedelta(hours=13))) is None
    (folder / "steward-mine.tar.zst").write_text("x")
    there = shelf.listed(folder)
    assert [one.made_at for one in there] == [MONDAY_NOON + timedelta(days=3), MONDAY_NOON + timedelta(days=2)]
    assert all(one.checked_at and one.rows and one.by == "系统" for one in there)
    assert len(list(folder.iterdir())) == 5
    with database.read() as session:
        actions = list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
    assert actions.count("backup.make") == 4 and actions.count("backup.rotate") == 2


def test_a_failed_one_is_said_and_tried_again_after_an_hour(database: Database, settings: Settings) -> None:
    (settings.data_dir / "backups").write_text("in the way")
    given = planned(database, settings, MONDAY_NOON)
    assert given is not None
    with pytest.raises(making.BackupFailed):
        work.back_up(Asked(database, settings, given, MONDAY_NOON))
    with database.read() as session:
        tried = shelf.last_try(session)
    assert tried is not None and not tried.ok and tried.note
    assert planned(database, settings, MONDAY_NOON + timedelta(minutes=59)) is None
    assert planned(database, settings, MONDAY_NOON + timedelta(minutes=61)) is not None


def test_while_one_waits_no_other_is_asked_for(database: Database, settings: Settings) -> None:
    with database.write() as session:
        job = work.ask(session, audit.Actor("head", "admin", "::1", 7), MONDAY_NOON)
        first = job.id
        assert work.ask(session, audit.SYSTEM, MONDAY_NOON).id == first
        assert (job.kind, job.account_id) == ("backup", 7)
    assert planned(database, settings, MONDAY_NOON) is None
    with database.write() as session:
        session.get_one(Job, first).state = "done"
    assert planned(database, settings, MONDAY_NOON) is not None


def test_check_tells_how_old_the_last_backup_is(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "还没有备份过" in serving.backup_age(settings)
    assert serving.check(settings) == []
    out = settings.data_dir / "one.tar.zst"
    serving.back_up(settings, out, basemaps=False)
    monkeypatch.setenv("STEWARD_NOW", (MONDAY_NOON + timedelta(hours=5)).isoformat())
    assert "5 小时前（one.tar.zst）" in serving.backup_age(settings)
    assert serving.check(settings) == []
    monkeypatch.setenv("STEWARD_NOW", (MONDAY_NOON + timedelta(days=3)).isoformat())
    backups = [fault for fault in serving.check(settings) if fault.startswith("备份")]
    assert ["3 天前" in fault for fault in backups] == [True]


def test_age_removes_what_the_office_has_said(database: Database, settings: Settings, tmp_path: Path) -> None:
    today = local_date(MONDAY_NOON)
    uploads, outside = settings.data_dir / "uploads", tmp_path / "mine.xlsx"
    uploads.mkdir()
    old, fresh = uploads / "old.xlsx", uploads / "fresh.xlsx"
    for path in (old, fresh, outside):
        path.write_text("x")
    with database.write() as session:
        for path, days in ((old, 31), (fresh, 29), (outside, 400)):
            about = {"name": "x", "size": 1, "sha256": "0", "state": "done", "chosen": {}}
            made = MONDAY_NOON - timedelta(days=days)
            session.add(Upload(account_id=1, kind="grids", path=str(path), created_at=made, **about))
        for code, ended in (("gone", 400), ("left", 10), ("here", None)):
            until = None if ended is None else today - timedelta(days=ended)
            session.add(Person(code=code, name="某人", phone="13800000000", ended_on=until))
        audit.append(session, audit.SYSTEM, "test", MONDAY_NOON - timedelta(days=4_000))
    with database.read() as session:
        plan = read_office(session, settings).retention
        assert retention.aged(session, plan, settings.data_dir, MONDAY_NOON).uploads == 1, "not the one outside"
    with database.write() as session:
        days = {"uploads_days": 30, "ended_days": 365, "trail_days": 183}
        session.add(OfficeSetting(name="retention", value=days))
        session.flush()
        told = retention.aged(session, read_office(session, settings).retention, settings.data_dir, MONDAY_NOON)
        assert (told.uploads, told.ended) == (1, 1)
        assert retention.sweep(session, settings, MONDAY_NOON) == {"records": 1}
        assert retention.sweep(session, settings, MONDAY_NOON) == {"records": 0}
        phones = {person.code: person.phone for person in session.scalars(select(Person))}
        assert phones == {"gone": None, "left": "13800000000", "here": "13800000000"}
        actions = list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
    assert actions == ["test", "retention.sweep"]
