"""A worker's next answer is fresh, whoever changed what, and nothing is read again without a change."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import date, timedelta
from pathlib import Path
from typing import IO, Any

import pytest

from service.config import ROOT, Settings
from service.db.engine import Database
from service.people.rules import Viewer
from service.responsibility.keeper import Responsibility
from service.responsibility.lookup import Distances, answer
from tests.responsibility.town import (
    A1,
    A2,
    SECOND_EDITION,
    at,
    bring,
    duties,
    first_edition,
    keeper_of,
    load_town,
    sheet,
)
from tests.stores import Filling

TODAY = date(2026, 11, 23)
IN_A2 = at(8, 2)


@pytest.fixture
def filling() -> Filling:
    return load_town


@pytest.fixture
def town(database: Database) -> Database:
    return database


def appoint(database: Database, settings: Settings, folder: Path, person: str) -> None:
    """A2's leader is this person."""
    row: dict[str, Any] = {"code": "NEW", "role": "grid_leader", "kind": "grid", "subject": A2, "person": person}
    duties(database, settings, folder, [row])


def leader(keeper: Responsibility, on: date = TODAY) -> str | None:
    found = answer(keeper.on(on), *IN_A2, Viewer("supervisor"), Distances())
    return next((duty["person"]["name"] for duty in found["duties"] if duty["role"] == "grid_leader"), None)


def test_a_changed_duty_shows_in_every_workers_next_answer(town: Database, settings: Settings, tmp_path: Path) -> None:
    other_database = Database(town.url)
    mine, other = keeper_of(town), keeper_of(other_database)
    assert (leader(mine), leader(other)) == (None, None)
    for person, name in (("P1", "张三"), ("P2", "李四"), ("P8", "吴十")):
        appoint(town, settings, tmp_path, person)
        assert (leader(other), leader(mine)) == (name, name)
    appoint(other_database, settings, tmp_path, "P4")
    assert (leader(mine), leader(other)) == ("赵六", "赵六")
    other_database.close()


_WORKER = """
import sys
from datetime import date
from service.db.engine import Database
from service.responsibility.keeper import Responsibility
keeper = Responsibility(Database(sys.argv[1]), "500237002", "")
for line in sys.stdin:
    held = keeper.on(date(2026, 11, 23)).leader_of(line.strip())
    print(held.person.code if held else "-", flush=True)
"""


def test_a_process_started_before_the_change_answers_with_it(
    town: Database, settings: Settings, tmp_path: Path
) -> None:
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", _WORKER, town.url], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as worker:
        assert _asked(worker.stdin, worker.stdout, A2) == "-"
        for person in ("P1", "P2"):
            appoint(town, settings, tmp_path, person)
            assert _asked(worker.stdin, worker.stdout, A2) == person
        worker.stdin.close()  # type: ignore[union-attr]
        assert worker.wait(20) == 0


def _asked(questions: IO[str] | None, answers: IO[str] | None, code: str) -> str:
    assert questions is not None and answers is not None
    questions.write(code + "\n")
    questions.flush()
    return answers.readline().strip()


def test_a_new_edition_and_a_renamed_person_show_too(town: Database, settings: Settings, tmp_path: Path) -> None:
    keeper = keeper_of(town)
    assert keeper.on(TODAY).persons["P1"].name == "张三"
    bring(town, settings, "people", sheet(tmp_path / "one.csv", [{"code": "P1", "name": "张三丰"}]))
    assert keeper.on(TODAY).persons["P1"].name == "张三丰"
    before = keeper.on(TODAY).tiling
    bring(town, settings, "grids", first_edition(tmp_path), edition=date(2026, 11, 1))
    after = keeper.on(TODAY).tiling
    assert after is not before
    spot = at(5.5, 2)
    assert before.zones[before.index.locate_one(*spot)].code == A1
    assert after.zones[after.index.locate_one(*spot)].code == A2


def test_without_a_change_nothing_is_built_again(town: Database, settings: Settings, tmp_path: Path) -> None:
    keeper = keeper_of(town)
    today = keeper.on(TODAY)
    assert keeper.on(TODAY) is today
    reported = [{"编号": "1", "上报时间": "2026-11-20 08:00", "经度": IN_A2[0], "纬度": IN_A2[1]}]
    version = keeper.version
    bring(town, settings, "incidents", sheet(tmp_path / "incidents.csv", reported))
    assert keeper.on(TODAY) is today, "an incident changes nobody's duty"
    assert keeper.version == version
    appoint(town, settings, tmp_path, "P1")
    assert keeper.on(TODAY) is not today
    assert keeper.version > version


def test_days_of_the_same_editions_share_the_point_index(town: Database) -> None:
    keeper = keeper_of(town)
    before, first, later = (keeper.on(SECOND_EDITION + timedelta(days=shift)) for shift in (-1, 0, 300))
    assert first.tiling is later.tiling
    assert before.tiling is not first.tiling


def test_any_number_of_days_may_be_asked(town: Database) -> None:
    keeper = keeper_of(town)
    days = [date(2026, 10, 20) + timedelta(days=shift) for shift in range(24)]
    found = [keeper.on(day).leader_of(A1) for day in [*days, *days]]
    names = [held.person.name if held else None for held in found]
    assert names == (["张三"] * 12 + ["李四"] * 12) * 2


def test_threads_asking_during_changes_end_with_the_last_one(
    town: Database, settings: Settings, tmp_path: Path
) -> None:
    keeper = keeper_of(town)
    seen: list[list[str | None]] = [[] for _ in range(4)]
    stop = threading.Event()

    def watch(mine: list[str | None]) -> None:
        while not stop.is_set():
            mine.append(leader(keeper))

    threads = [threading.Thread(target=watch, args=(mine,)) for mine in seen]
    for one in threads:
        one.start()
    names = ["张三", "李四", "王五", "赵六"]
    for serial in range(1, 5):
        appoint(town, settings, tmp_path, f"P{serial}")
        assert leader(keeper) == names[serial - 1]
    stop.set()
    for one in threads:
        one.join()
    order = {name: i for i, name in enumerate([None, *names])}
    for mine in seen:
        assert mine
        ranks = [order[name] for name in mine]
        assert ranks == sorted(ranks), "nobody sees an older leader again"
