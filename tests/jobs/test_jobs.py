"""Jobs one by one: claimed once, failing in words, and a first look at every awkward file that never breaks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from service.files.reader import ReadOptions
from service.intake.looking import look, sample_of
from service.jobs import handlers, schedule
from service.jobs.doing import do
from service.jobs.work import Work
from service.records import jobs
from tests.conftest import MONDAY_NOON
from tests.jobs.conftest import Desk

NOT_DATA = {".md", ".py", ".txt", ".html"}


def ask(desk: Desk, kind: str) -> int:
    with desk.database.write() as session:
        return jobs.enqueue(session, kind, {}, desk.clerk.account_id, MONDAY_NOON).id


def test_a_job_is_claimed_once(desk: Desk) -> None:
    job = ask(desk, "daily")
    with desk.database.write() as session:
        assert jobs.claim(session, job, "one:1:", MONDAY_NOON) is not None
    with desk.database.write() as session:
        assert jobs.claim(session, job, "two:2:", MONDAY_NOON) is None
    assert do(desk.database, desk.settings, job) is False


def test_a_fault_of_the_service_is_told_by_a_number_only(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(_work: Work) -> None:
        raise RuntimeError("secret /path")

    monkeypatch.setitem(handlers.HANDLERS, "test", break_down)
    job = ask(desk, "test")
    desk.work()
    failed = desk.job(job)
    assert failed.state == jobs.FAILED and failed.message is not None
    assert "编号" in failed.message and "secret" not in failed.message


def test_the_days_work_goes_on_when_a_part_of_it_fails(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from service.errors import Conflict

    done = []

    def refuse(_work: Work) -> None:
        raise Conflict("磁盘满了。")

    monkeypatch.setattr(schedule, "PLANNED", [schedule.once_a_day("daily")])  # without the planned backup
    monkeypatch.setattr(handlers, "DAILY", [("heads", refuse), ("tidy", lambda work: done.append(work.kind))])
    with desk.database.write() as session:
        (job,) = schedule.plan(session, desk.settings, MONDAY_NOON)
        assert schedule.plan(session, desk.settings, MONDAY_NOON) == []
    desk.work()
    assert desk.job(job).result == {"day": "2026-11-23", "faults": {"heads": "磁盘满了。"}} and done == ["daily"]


def test_a_first_look_at_every_awkward_file_ends_in_columns_choices_or_words(shared_data: Path, tmp_path: Path) -> None:
    paths = [path for path in sorted((shared_data / "awkward").rglob("*")) if path.is_file()]
    looked = 0
    for path in paths:
        if path.suffix in NOT_DATA and path.suffix != ".txt":
            continue
        seen = look(path, ReadOptions(), tmp_path)
        json.dumps(seen)
        assert seen.get("columns") or seen.get("geometry") or seen.get("choices") or seen.get("refused"), path.name
        assert "--" not in str(seen.get("refused") or ""), path.name
        if "columns" in seen:
            assert len(sample_of(tmp_path, path.name)) == min(2_000, seen["rows"]) or seen["rows"] >= 0
            looked += 1
    assert looked > 20
