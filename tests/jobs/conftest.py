"""An office with uploads, and the job process as a real process."""

from __future__ import annotations

import csv
import hashlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from service.config import ROOT, Settings
from service.db.engine import Database
from service.incidents.models import Incident
from service.intake import uploads
from service.jobs.doing import do_all
from service.people.accounts import create_account
from service.records.audit import Actor
from service.records.batches import visible
from service.records.models import Job, Upload
from tests.conftest import MONDAY_NOON, PASSWORD

WITHIN = 90.0


@dataclass
class Desk:
    """A clerk with a database and a folder of uploads."""

    database: Database
    settings: Settings
    clerk: Actor

    def upload(self, name: str, content: bytes, kind: str | None = None) -> int:
        """As the page leaves a file behind: stored, and a first look asked for."""
        token = secrets.token_hex(6)
        folder = self.settings.data_dir / "uploads" / token / uploads.TOGETHER
        folder.mkdir(parents=True)
        (folder / name).write_bytes(content)
        given = uploads.Received(token, name, len(content), hashlib.sha256(content).hexdigest())
        with self.database.write() as session:
            return uploads.receive(session, given, self.clerk, MONDAY_NOON, kind).id

    def judged(self, name: str, content: bytes, kind: str) -> int:
        """Looked at, confirmed and judged, here and now."""
        upload_id = self.upload(name, content, kind)
        self.work()
        with self.database.write() as session:
            upload = uploads.one(session, upload_id)
            for step in uploads.STEPS[:3]:
                uploads.choose(session, upload, step)
            uploads.judge(session, upload, self.clerk, MONDAY_NOON)
        self.work()
        return upload_id

    def ask_to_store(self, upload_id: int) -> int:
        """The job's id."""
        with self.database.write() as session:
            upload = uploads.one(session, upload_id)
            uploads.store(session, upload, self.clerk, MONDAY_NOON)
            assert upload.job_id is not None
            return upload.job_id

    def work(self) -> int:
        return do_all(self.database, self.settings)

    def job(self, job_id: int) -> Job:
        with self.database.read() as session:
            found = session.get_one(Job, job_id)
            session.expunge(found)
            return found

    def record(self, upload_id: int) -> Upload:
        with self.database.read() as session:
            found = session.get_one(Upload, upload_id)
            session.expunge(found)
            return found

    def incidents(self, seen: bool = True) -> int:
        with self.database.read() as session:
            criterion = [visible(Incident)] if seen else []
            return session.scalar(select(func.count(Incident.id)).where(*criterion)) or 0

    @contextmanager
    def process(self) -> Iterator[subprocess.Popen[str]]:
        """`python -m service jobs`."""
        env = os.environ | {
            "DATA_DIR": str(self.settings.data_dir),
            "DATABASE_URL": self.database.url,
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", "service", "jobs"]
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
            try:
                yield running
            finally:
                if running.poll() is None:
                    os.kill(running.pid, signal.SIGKILL)


def wait_for(reached: Callable[[], Any], process: subprocess.Popen[str] | None = None) -> None:
    deadline = time.monotonic() + WITHIN
    while not reached():
        if process is not None and process.poll() is not None:
            pytest.fail(f"ended too early: {process.stdout and process.stdout.read()}")
        assert time.monotonic() < deadline, "never came so far"
        time.sleep(0.01)


def incident_file(folder: Path, numbers: range, word: str = "垃圾") -> bytes:
    path = folder / f"{numbers.start}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["编号", "上报时间", "类别", "描述", "经度", "纬度"])
        for n in numbers:
            east, north = (n * 0.618034) % 1, (n * 0.754878) % 1
            where = (f"{109.86 + 0.04 * east:.6f}", f"{31.05 + 0.04 * north:.6f}")
            writer.writerow([f"S{n:06d}", "2026-10-01 08:00", "乱堆", f"{word}{n}", *where])
    return path.read_bytes()


@pytest.fixture
def desk(database: Database, settings: Settings) -> Desk:
    settings.data_dir.mkdir(exist_ok=True)
    with database.write() as session:
        number = create_account(session, "clerk", "supervisor", PASSWORD, MONDAY_NOON).id
    return Desk(database, settings, Actor("clerk", "supervisor", "127.0.0.1", number))
