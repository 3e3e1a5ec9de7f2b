"""The job process killed outright and asked to end: what it did is finished or undone, never half there."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from sqlalchemy import select, text

from service.intake import uploads
from service.jobs import alive
from service.records import batches, jobs
from service.records.audit import Subject
from service.records.models import AuditEntry, ImportBatch, Job
from service.serving import check
from tests.conftest import MONDAY_NOON
from tests.jobs.conftest import Desk, incident_file, wait_for

HELD, MORE = 2_000, 40_000


def in_use(desk: Desk, folder: Path) -> int:
    """Incidents that are there already, and the upload of many more, judged."""
    first = desk.judged("已有.csv", incident_file(folder, range(HELD)), "incidents")
    desk.ask_to_store(first)
    desk.work()
    return desk.judged("新的.csv", incident_file(folder, range(HELD, HELD + MORE)), "incidents")


def stored_entries(desk: Desk) -> int:
    with desk.database.read() as session:
        return len(session.scalars(select(AuditEntry.id).where(AuditEntry.action == "import.store")).all())


def test_a_job_killed_while_it_stores_is_undone_and_done_again(desk: Desk, tmp_path: Path) -> None:
    upload = in_use(desk, tmp_path)
    job = desk.ask_to_store(upload)
    with desk.process() as process:
        wait_for(lambda: desk.incidents(seen=False) > HELD, process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert HELD < desk.incidents(seen=False) < HELD + MORE and desk.incidents() == HELD
    assert desk.job(job).state == jobs.RUNNING
    with desk.process() as process:
        wait_for(lambda: desk.job(job).state == jobs.DONE, process)
    done = desk.record(upload)
    assert (desk.job(job).attempts, done.state) == (2, uploads.STORED)
    assert desk.incidents(seen=False) == desk.incidents() == HELD + MORE
    with desk.database.read() as session:
        states = session.execute(select(ImportBatch.id, ImportBatch.state).order_by(ImportBatch.id)).all()
    assert [state for _, state in states] == [batches.DONE, batches.UNDONE, batches.DONE]
    assert done.batch_id == states[-1][0] and stored_entries(desk) == 2


def test_a_job_killed_twice_has_failed_in_words_and_left_nothing(desk: Desk, tmp_path: Path) -> None:
    upload = in_use(desk, tmp_path)
    job = desk.ask_to_store(upload)
    for attempt in (1, 2):
        with desk.process() as process:
            wait_for(lambda attempt=attempt: desk.job(job).attempts == attempt, process)  # type: ignore[misc]
            wait_for(lambda: desk.incidents(seen=False) > HELD, process)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
    with desk.process() as process:
        wait_for(lambda: desk.job(job).state == jobs.FAILED, process)
    assert "两次中断" in (desk.job(job).message or "")
    assert desk.incidents(seen=False) == HELD
    assert desk.record(upload).state == uploads.JUDGED  # to be tried again
    assert stored_entries(desk) == 1


def test_a_process_that_is_asked_to_end_gives_its_job_back(desk: Desk, tmp_path: Path) -> None:
    upload = in_use(desk, tmp_path)
    job = desk.ask_to_store(upload)
    with desk.process() as process:
        wait_for(lambda: desk.incidents(seen=False) > HELD, process)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert (desk.job(job).state, desk.job(job).attempts) == (jobs.WAITING, 0)
    assert desk.incidents(seen=False) == HELD
    desk.work()
    assert desk.job(job).state == jobs.DONE and desk.incidents() == HELD + MORE


def test_an_undoing_that_is_killed_is_finished_by_the_next_process(desk: Desk, tmp_path: Path) -> None:
    upload = in_use(desk, tmp_path)
    desk.ask_to_store(upload)
    desk.work()
    batch = desk.record(upload).batch_id
    with desk.database.write() as session:
        job = jobs.enqueue(session, "import.undo", {"batch": batch}, desk.clerk.account_id, MONDAY_NOON).id
    with desk.process() as process:
        wait_for(lambda: desk.incidents() < HELD + MORE, process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert HELD < desk.incidents() < HELD + MORE
    with desk.process() as process:
        wait_for(lambda: desk.job(job).state == jobs.DONE, process)
    assert desk.incidents(seen=False) == HELD
    with desk.database.read() as session:
        assert batch is not None and session.get_one(ImportBatch, batch).state == batches.UNDONE
        undone = AuditEntry.action == "import.undo"
        assert len(session.scalars(select(AuditEntry.id).where(undone)).all()) == 1
        assert session.scalar(select(AuditEntry.subject_kind).where(undone)) == Subject("imports").kind
        assert (session.scalar(select(AuditEntry.after).where(undone)) or {})["removed"] == MORE


def test_waiting_jobs_survive_the_loss_of_the_queue_and_one_process_serves_a_folder(desk: Desk) -> None:
    upload = desk.upload("人员.csv", "工号,姓名\nP1,张三\n".encode())
    job = desk.record(upload).job_id
    assert job is not None
    assert check(desk.settings) == ["有 1 项任务在等，任务进程没有运行。启动 serve，它会接着做。"]
    with desk.process() as process:
        wait_for(lambda: desk.job(job).state == jobs.DONE, process)
        assert alive.state(desk.settings.data_dir) == "running" and check(desk.settings) == []
        with desk.process() as second:
            said, _ = second.communicate(timeout=60)
        assert second.returncode == 2 and "已经在运行" in said
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    (desk.settings.data_dir / "jobs.db").unlink()
    with desk.database.write() as session:
        uploads.look_again(session, uploads.one(session, upload), desk.clerk, MONDAY_NOON)
    again = desk.record(upload).job_id
    assert again is not None
    with desk.process() as process:
        wait_for(lambda: desk.job(again).state == jobs.DONE, process)
    assert desk.record(upload).kind == "people"


def test_a_days_work_is_done_once_a_day(desk: Desk) -> None:
    with desk.process() as process:
        wait_for(lambda: _daily(desk) == [jobs.DONE], process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    with desk.process() as process:
        wait_for(lambda: alive.state(desk.settings.data_dir) == "running", process)
        with desk.database.write() as session:
            session.execute(text("SELECT 1"))
    assert _daily(desk) == [jobs.DONE]


def _daily(desk: Desk) -> list[str]:
    with desk.database.read() as session:
        return list(session.scalars(select(Job.state).where(Job.kind == "daily")))
