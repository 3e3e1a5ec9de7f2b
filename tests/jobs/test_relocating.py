"""An edition for a past day: the request says that the incidents are on their way, the job process brings them."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from service.config import ROOT
from service.db.engine import Database
from service.incidents.models import Incident
from service.intake.relocating import make_good
from service.jobs.doing import do_all, recover
from service.records import counters, jobs
from service.records.audit_verify import verify
from service.records.models import AuditEntry, Job
from tests.jobs.conftest import wait_for
from tests.responsibility.town import A1, WEST_HOME, at, bring
from tests.stores import Stores
from tests.web.town_service import client_of, town_service

BASE = "/api/v1/grids"
MANY, SINCE = 20_000, "2026-11-10"
NEW = "500237002001003"


@pytest.fixture
def town(stores: Stores, store_kind: str, tmp_path: Path) -> Iterator[Flask]:
    yield from town_service(stores, store_kind, tmp_path)


@pytest.fixture
def database(town: Flask) -> Database:
    """The town's, with many incidents in the half of A1 that becomes a grid of its own; every other one before that."""
    given = town.extensions["steward"]
    path = given.settings.data_dir / "incidents.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["编号", "上报时间", "类别", "描述", "经度", "纬度"])
        for n in range(MANY):
            lon, lat = at(4 + (n % 100) / 100, 1 + (n // 100 % 100) / 100)
            day = ("2026-11-15", "2026-11-05")[n % 2]
            writer.writerow([f"S{n:06d}", f"{day} 08:00", "乱堆", f"{n}", f"{lon:.6f}", f"{lat:.6f}"])
    bring(given.database, given.settings, "incidents", path)
    return given.database  # type: ignore[no-any-return]


@contextmanager
def process(town: Flask) -> Iterator[subprocess.Popen[str]]:
    """`python -m service jobs` beside the town."""
    given = town.extensions["steward"].settings
    env = os.environ | {"DATA_DIR": str(given.data_dir), "DATABASE_URL": given.store_url, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "service", "jobs"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        try:
            yield running
        finally:
            if running.poll() is None:
                os.kill(running.pid, signal.SIGKILL)


def published(head: FlaskClient) -> tuple[int, Any]:
    """A1 halved from a past day on; the draft's number and what the request answered."""
    draft = head.post(f"{BASE}/drafts", json={"communities": [WEST_HOME]}).json["id"]
    line = {"type": "LineString", "coordinates": [list(at(3, -1)), list(at(3, 6))]}
    body = {"version": 1, "step": "split", "code": A1, "line": line}
    assert head.post(f"{BASE}/drafts/{draft}/steps", json=body).status_code == 200
    order = {"version": 2, "on": SINCE, "reason": "十日会议定的"}
    answer = head.post(f"{BASE}/drafts/{draft}/publish", json=order)
    assert answer.status_code == 201, answer.text
    return draft, answer.json["relocating"]


def in_new(database: Database) -> int:
    with database.read() as session:
        query = select(func.count(Incident.id)).where(Incident.grid_code == NEW, Incident.number.startswith("S"))
        return session.scalar(query) or 0


def state_of(database: Database, job_id: int) -> str:
    with database.read() as session:
        return session.get_one(Job, job_id).state


def lines(database: Database) -> list[AuditEntry]:
    with database.read() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.action == "draft.relocate")))


def changed_in_all(database: Database) -> int:
    """Incidents of the town's own are moved too."""
    with database.read() as session:
        return session.scalar(select(func.count(Incident.id)).where(Incident.grid_code == NEW)) or 0


def test_the_request_says_that_it_is_under_way_and_the_process_does_it(town: Flask, database: Database) -> None:
    head = client_of(town, "head")
    draft, told = published(head)
    assert (told["state"], told["url"]) == ("waiting", f"/jobs/{told['job']}") and in_new(database) == 0
    assert head.get(f"{BASE}/drafts/{draft}").json["relocating"]["state"] == "waiting"
    page = head.get(f"/grids/editions?published={draft}").text
    assert "正在给以前的事项重新找网格" in page and f'data-job="/jobs/{told["job"]}"' in page
    chief, walker = client_of(town, "chief"), client_of(town, "walker")
    assert chief.get(told["url"]).json["kind"] == jobs.RELOCATE, "whoever may draw sees how far it is"
    assert "正在给以前的事项重新找网格" in chief.get("/grids/editions").text
    assert walker.get(told["url"]).status_code == 404
    with process(town) as running:
        wait_for(lambda: state_of(database, told["job"]) == jobs.DONE, running)
    assert in_new(database) == MANY // 2, "only what was reported from that day on"
    done = head.get(f"{BASE}/drafts/{draft}").json["relocating"]
    assert (done["state"], done["changed"]) == ("done", changed_in_all(database))
    page = head.get(f"/grids/editions?published={draft}").text
    assert f"{done['changed']:,} 件换了网格" in page and "data-job" not in page
    [line] = lines(database)
    assert (line.actor, line.subject_code) == ("head", str(draft))
    assert line.after == {"starts_on": SINCE, "relocated": done["changed"]}
    with database.read() as session:
        assert not counters.relocation_due(session)
        assert verify(session, []).faults == []


def test_killed_in_between_it_is_finished_by_the_next_process(town: Flask, database: Database) -> None:
    _draft, told = published(client_of(town, "head"))
    with process(town) as running:
        wait_for(lambda: in_new(database) > 0, running)
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
    assert 0 < in_new(database) < MANY // 2 and state_of(database, told["job"]) == jobs.RUNNING
    assert make_good(database) == 0 and in_new(database) < MANY // 2, "a start doesn't wait for it: the job will do it"
    with process(town) as running:
        wait_for(lambda: state_of(database, told["job"]) == jobs.DONE, running)
    assert in_new(database) == MANY // 2
    [line] = lines(database)
    assert line.after is not None and line.after["relocated"] == changed_in_all(database), "both parts are counted"


def test_given_up_after_two_breaks_it_is_made_good_at_the_start(town: Flask, database: Database) -> None:
    head, given = client_of(town, "head"), town.extensions["steward"].settings
    draft, told = published(head)
    with database.write() as session:  # as after a second process that was killed
        job = session.get_one(Job, told["job"])
        job.state, job.owner, job.attempts = jobs.RUNNING, "gone", jobs.MOST_ATTEMPTS
    assert "data-job" in head.get(f"/grids/editions?published={draft}").text
    recover(database, given)
    assert state_of(database, told["job"]) == jobs.FAILED and in_new(database) == MANY // 2
    assert "没有做完" in head.get(f"/grids/editions?published={draft}").text


def test_a_process_that_is_asked_to_end_gives_it_back(town: Flask, database: Database) -> None:
    _draft, told = published(client_of(town, "head"))
    with process(town) as running:
        wait_for(lambda: in_new(database) > 0, running)
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=30)
    assert state_of(database, told["job"]) == jobs.WAITING
    do_all(database, town.extensions["steward"].settings)
    assert state_of(database, told["job"]) == jobs.DONE
    assert in_new(database) == MANY // 2 and len(lines(database)) == 1


def test_a_coming_day_asks_for_nothing(town: Flask, database: Database) -> None:
    head = client_of(town, "head")
    draft = head.post(f"{BASE}/drafts", json={"communities": [WEST_HOME]}).json["id"]
    line = {"type": "LineString", "coordinates": [list(at(3, -1)), list(at(3, 6))]}
    head.post(f"{BASE}/drafts/{draft}/steps", json={"version": 1, "step": "split", "code": A1, "line": line})
    answer = head.post(f"{BASE}/drafts/{draft}/publish", json={"version": 2, "on": "2026-11-30"})
    assert answer.status_code == 201 and answer.json["relocating"] is None
    assert do_all(database, town.extensions["steward"].settings) == 0
