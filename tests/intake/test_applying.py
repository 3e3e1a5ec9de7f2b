"""Imports into tables in use: crashes are undone, other writers get through, imports of a kind don't mix."""

from __future__ import annotations

import csv
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select, text

from service.config import ROOT, Settings
from service.db.engine import Database
from service.errors import Conflict, InvalidValue, NothingStored, UnreadableFile
from service.grids.models import Edition, Grid
from service.incidents.models import Incident
from service.intake import applying
from service.intake.applying import undo_unfinished
from service.intake.kinds import KINDS
from service.records import counters
from service.records.batches import APPLYING, DONE, undo, visible
from service.records.changes import write_updates
from service.records.models import ImportBatch, ImportRow
from service.responsibility.lookup import Distances, locate_many
from service.serving import prepare
from tests.conftest import MONDAY_NOON
from tests.intake.conftest import bring, put
from tests.responsibility.town import at, box, keeper_of, layer

SEEN_WITHIN = 60.0
LONGEST_WAIT = 8.0  # of the ten seconds after which a writer gives up; the second that is due is bench import's
HELD, MORE = 6_000, 30_000


def incidents(folder: Path, name: str, numbers: range, word: str = "垃圾") -> Path:
    """A CSV of incidents in Longmen; the same numbers give the same rows but for their description."""
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["编号", "上报时间", "类别", "描述", "经度", "纬度"])
        for n in numbers:
            when = f"2026-{n % 11 + 1:02d}-{n % 28 + 1:02d} 08:{n % 60:02d}"
            east, north = (n * 0.618034) % 1, (n * 0.754878) % 1
            writer.writerow(
                [f"S{n:06d}", when, "乱堆", f"{word}{n}", f"{109.86 + 0.04 * east:.6f}", 31.05 + 0.04 * north]
            )
    return path


@pytest.fixture
def in_use(database: Database, settings: Settings, tmp_path: Path) -> Database:
    """A store that holds incidents already."""
    assert bring(database, settings, "incidents", incidents(tmp_path, "已有.csv", range(HELD))).exit_code == 0
    return database


@contextmanager
def importing(database: Database, settings: Settings, kind: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """`manage import KIND FILE` in a process of its own."""
    env = os.environ | {"DATA_DIR": str(settings.data_dir), "DATABASE_URL": database.url, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "service", "import", kind, str(path)]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)


def under_way(database: Database) -> ImportBatch | None:
    with database.read() as session:
        found = session.scalar(select(ImportBatch).where(ImportBatch.state == APPLYING))
        if found is not None:
            session.expunge(found)
        return found


def count(database: Database, what: Any, *where: Any) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(what).where(*where)) or 0


def wait_until(process: subprocess.Popen[str], reached: Callable[[], bool]) -> None:
    """Until the importing process has come so far."""
    deadline = time.monotonic() + SEEN_WITHIN
    while not reached():
        assert process.poll() is None, f"ended too early: {process.stdout and process.stdout.read()}"
        assert time.monotonic() < deadline, "never came so far"
        time.sleep(0.002)


def halt(process: subprocess.Popen[str], database: Database) -> None:
    """Freeze the importing process at a moment when it holds no lock."""
    for _ in range(2_000):
        os.kill(process.pid, signal.SIGSTOP)
        if _idle(database):
            assert under_way(database) is not None, "finished before it could be stopped"
            return
        os.kill(process.pid, signal.SIGCONT)
        time.sleep(0.001)
    pytest.fail("never without a lock")


def _idle(database: Database) -> bool:
    """Whether nobody writes: on the GeoPackage the writers' queue is free, on PostgreSQL no transaction is open."""
    if database.path is None:
        with database.read() as session:
            busy = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL"
            )
            return session.scalar(text(busy)) == 0
    with Path(f"{database.path}.writers").open("w") as queue:
        try:
            fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def everything(database: Database) -> list[Any]:
    """Every incident as stored, unfinished ones included."""
    columns = [Incident.id, Incident.number, Incident.description, Incident.revision, Incident.batch_id]
    with database.read() as session:
        return list(session.execute(select(*columns, func.ST_AsBinary(Incident.geom)).order_by(Incident.id)).all())


def rtree_agrees(database: Database) -> bool:
    if database.path is None:
        return True
    with database.read() as session:
        indexed = session.scalar(text("SELECT count(*) FROM rtree_incidents_geom"))
        assert session.execute(text("SELECT rtreecheck('rtree_incidents_geom')")).scalar() == "ok"
    return bool(indexed == count(database, Incident))


# A crash ------------------------------------------------------------------------------------------------------------


def test_an_import_killed_while_it_adds_rows_is_undone_at_the_next_start(
    in_use: Database, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(in_use)
    path = incidents(tmp_path, "新的.csv", range(HELD, HELD + MORE))
    with importing(in_use, settings, "incidents", path) as process:
        wait_until(process, lambda: count(in_use, Incident) > HELD)
        os.kill(process.pid, signal.SIGKILL)
    left = count(in_use, Incident)
    assert HELD < left < HELD + MORE
    assert count(in_use, Incident, visible(Incident)) == HELD
    prepare(in_use, settings)
    assert f"上次没有做完的导入（新的.csv）已撤回，{left - HELD} 行。" in capsys.readouterr().out
    assert everything(in_use) == before
    assert rtree_agrees(in_use)
    assert under_way(in_use) is None
    done = bring(in_use, settings, "incidents", path)
    assert (done.exit_code, done.summary["accepted"], done.summary["updated"]) == (0, MORE, 0)
    assert count(in_use, Incident, visible(Incident)) == HELD + MORE


def test_an_import_killed_while_it_changes_rows_gives_them_their_old_values_back(
    in_use: Database, settings: Settings, tmp_path: Path
) -> None:
    """Here by the next import: nobody has to restart the service first."""
    before = everything(in_use)
    path = incidents(tmp_path, "改过.csv", range(HELD), word="改")
    with importing(in_use, settings, "incidents", path) as process:
        wait_until(process, lambda: count(in_use, ImportRow, ImportRow.until_id.is_(None)) > 0)
        os.kill(process.pid, signal.SIGKILL)
    changed = count(in_use, Incident, Incident.description.startswith("改"))
    assert 0 < changed < HELD
    with importing(in_use, settings, "people", put(tmp_path / "人员.csv", "工号,姓名\nP1,张三\n")) as process:
        said, _ = process.communicate(timeout=SEEN_WITHIN)
    assert process.returncode == 0, said
    assert f"上次没有做完的导入（改过.csv）已撤回，{changed} 行。" in said
    assert everything(in_use) == before
    assert rtree_agrees(in_use)
    assert count(in_use, ImportRow, ImportRow.until_id.is_(None)) == 0


# Side by side -------------------------------------------------------------------------------------------------------


def test_other_writers_get_their_turn_between_the_steps(in_use: Database, settings: Settings, tmp_path: Path) -> None:
    """20,000 rows, of which the table holds 6,000 with other words."""
    path = incidents(tmp_path, "两万.csv", range(20_000), "改")
    waits = []
    with importing(in_use, settings, "incidents", path) as process:
        while process.poll() is None:
            before = under_way(in_use)
            began = time.perf_counter()
            with in_use.write() as session:
                counters.move(session, counters.GROUND)
            taken = time.perf_counter() - began
            after = under_way(in_use)
            if before is not None or after is not None:
                waits.append(taken)
            time.sleep(0.01)
        assert process.returncode == 0, process.stdout and process.stdout.read()
    assert count(in_use, Incident, visible(Incident), Incident.description.startswith("改")) == 20_000
    assert len(waits) >= 5
    assert max(waits) < LONGEST_WAIT


def test_a_second_import_of_the_kind_is_refused_while_one_is_under_way(
    in_use: Database, settings: Settings, tmp_path: Path
) -> None:
    path = incidents(tmp_path, "先来的.csv", range(HELD, HELD + MORE))
    late = incidents(tmp_path, "后来的.csv", range(60_000, 60_010))
    people = put(tmp_path / "人员.csv", "工号,姓名\nP1,张三\n")
    with importing(in_use, settings, "incidents", path) as process:
        wait_until(process, lambda: under_way(in_use) is not None)
        halt(process, in_use)
        with pytest.raises(Conflict, match=r"先来的\.csv.*正在进行"):
            bring(in_use, settings, "incidents", late)
        assert undo_unfinished(in_use, MONDAY_NOON) == []
        assert bring(in_use, settings, "people", people).exit_code == 0
        os.kill(process.pid, signal.SIGCONT)
        said, _ = process.communicate(timeout=SEEN_WITHIN)
        assert process.returncode == 0, said
    assert count(in_use, Incident, visible(Incident)) == HELD + MORE
    assert bring(in_use, settings, "incidents", late).summary["accepted"] == 10


@pytest.mark.parametrize(("changed", "expected"), [(4, {0}), (13, {0, 5, 10})])
def test_changed_rows_are_seen_in_portions_and_new_ones_at_the_end(
    database: Database,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changed: int,
    expected: set[int],
) -> None:
    """Every row is its old self or its new one; no new row shows before the end (docs/decisions/011)."""
    old = "编号,上报时间,类别,描述\n" + "".join(f"A{i},2026-11-01,旧,旧\n" for i in range(20))
    rows = [f"A{i},2026-11-02,新,新\n" for i in range(changed)] + ["N1,2026-11-02,新,新\n"]
    assert bring(database, settings, "incidents", put(tmp_path / "旧.csv", old)).exit_code == 0
    monkeypatch.setattr(applying, "_AT_ONCE_UPDATES", 5)
    seen: list[list[tuple[str, ...]]] = []

    def watched(*given: Any) -> None:
        with database.read() as session:
            columns = (Incident.number, Incident.category_name, Incident.description)
            seen.append([tuple(row) for row in session.execute(select(*columns).where(visible(Incident)))])
        write_updates(*given)

    monkeypatch.setattr(applying, "write_updates", watched)
    path = put(tmp_path / "新.csv", "编号,上报时间,类别,描述\n" + "".join(rows))
    assert bring(database, settings, "incidents", path).summary["updated"] == changed
    assert {sum(row[1] == "新" for row in rows) for rows in seen} == expected
    assert all(category == words and number != "N1" for rows in seen for number, category, words in rows)


# Two files in one command -------------------------------------------------------------------------------------------


def test_two_files_are_counted_together(database: Database, settings: Settings, tmp_path: Path) -> None:
    first, second = incidents(tmp_path, "一月.csv", range(30)), incidents(tmp_path, "二月.csv", range(20, 60))
    done = bring(database, settings, "incidents", first, second)
    figures = {name: done.summary[name] for name in ("read", "accepted", "rejected", "unchanged")}
    assert figures == {"read": 70, "accepted": 70, "rejected": 0, "unchanged": 10}
    assert count(database, Incident) == 60
    assert bring(database, settings, "incidents", first, second).summary["unchanged"] == 70


def test_rejects_of_both_files_are_written(database: Database, settings: Settings, tmp_path: Path) -> None:
    first = put(tmp_path / "甲.csv", "工号,姓名\nP1,张三\nP1,李四\n")
    second = put(tmp_path / "乙.csv", "工号,姓名\nP2,王五\nP3,\n")
    out = tmp_path / "退回.csv"
    done = bring(database, settings, "people", first, second, rejects=out)
    assert (done.exit_code, done.summary["accepted"], done.summary["rejected"]) == (3, 2, 2)
    with out.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["行号"], row["文件"]) for row in rows] == [("3", "甲.csv"), ("3", "乙.csv")]


@pytest.mark.parametrize("broken", ["工号\nP9\n", ""], ids=["without names", "empty"])
def test_a_refused_second_file_leaves_nothing_of_the_first(
    database: Database, settings: Settings, tmp_path: Path, broken: str
) -> None:
    good = put(tmp_path / "甲.csv", "工号,姓名\nP1,张三\n")
    bad = put(tmp_path / "乙.csv", broken)
    with pytest.raises((UnreadableFile, InvalidValue), match=r"乙|姓名"):
        bring(database, settings, "people", good, bad)
    assert count(database, ImportBatch) == 0


def test_strict_refuses_both_for_one_reject(database: Database, settings: Settings, tmp_path: Path) -> None:
    good = put(tmp_path / "甲.csv", "工号,姓名\nP1,张三\n")
    bad = put(tmp_path / "乙.csv", "工号,姓名\nP2,王五\nP2,赵六\n")
    with pytest.raises(NothingStored, match="1 行被拒收"):
        bring(database, settings, "people", good, bad, strict=True)
    assert count(database, ImportBatch) == 0


# Editions -----------------------------------------------------------------------------------------------------------

SOUTH, NORTH = "500237002001", "500237002002"
JULY = date(2026, 7, 1)
BEFORE, AFTER = date(2026, 6, 30), JULY


def grids(folder: Path, name: str, border: float) -> Path:
    """Two grids of the southern community that meet at `border`."""
    return layer(
        folder / name,
        [
            (box(0, 0, border, 5), {"code": SOUTH + "001", "community_code": SOUTH}),
            (box(border, 0, 10, 5), {"code": SOUTH + "002", "community_code": SOUTH}),
        ],
    )


@pytest.fixture
def two_editions(database: Database, settings: Settings, tmp_path: Path) -> Database:
    homes = [
        (box(0, 0, 10, 5), {"code": SOUTH, "name": "南社区"}),
        (box(0, 5, 10, 10), {"code": NORTH, "name": "北社区"}),
    ]
    assert bring(database, settings, "communities", layer(tmp_path / "社区.geojson", homes)).exit_code == 0
    north = [(box(0, 5, 10, 10), {"code": NORTH + "001", "community_code": NORTH})]
    both = layer(tmp_path / "北.geojson", north)
    assert bring(database, settings, "grids", grids(tmp_path, "南.geojson", 5), both).exit_code == 0
    assert bring(database, settings, "grids", grids(tmp_path, "七月.geojson", 6), edition=JULY).exit_code == 0
    return database


def answers(database: Database, day: date) -> list[str | None]:
    """The grid west of both borders, between them, east of both, and in the north: the ends of their codes."""
    lon, lat = np.array([at(2, 2), at(5.5, 2), at(8, 2), at(5, 8)]).T
    codes, _, _ = locate_many(keeper_of(database).on(day), lon, lat, Distances())
    return [code and code[-4:] for code in codes]


FIRST, SECOND = ["1001", "1002", "1002", "2001"], ["1001", "1001", "1002", "2001"]


def test_a_second_edition_keeps_the_old_one_answering_before_its_day(
    two_editions: Database, settings: Settings, tmp_path: Path
) -> None:
    """The community that the file doesn't name keeps its first edition."""
    for day, expected in ((date(1990, 1, 1), FIRST), (BEFORE, FIRST), (AFTER, SECOND), (date(2090, 1, 1), SECOND)):
        assert answers(two_editions, day) == expected
    path = put(tmp_path / "事项.csv", "编号,上报时间,经度,纬度\n" + "".join(
        f"{number},{when},{at(5.5, 2)[0]:.6f},{at(5.5, 2)[1]:.6f}\n"
        for number, when in (("S1", "2026-06-30 23:59"), ("S2", "2026-07-01 00:00"))
    ))  # fmt: skip
    assert bring(two_editions, settings, "incidents", path).exit_code == 0
    with two_editions.read() as session:
        located = dict(session.execute(select(Incident.number, Incident.grid_code)).all())
    assert located == {"S1": SOUTH + "002", "S2": SOUTH + "001"}


def test_an_edition_with_only_part_of_a_community_names_what_it_leaves_out(
    two_editions: Database, settings: Settings, tmp_path: Path
) -> None:
    def told(path: Path, day: date | None) -> list[str]:
        done = bring(two_editions, settings, "grids", path, edition=day)
        return [line for line in done.summary["warnings"] if "少了上一版" in line]

    part = [(box(0, 0, 6, 5), {"code": SOUTH + "001", "community_code": SOUTH})]
    path = layer(tmp_path / "一个.geojson", part)
    (line,) = told(path, date(2027, 1, 1))
    assert line.startswith(f"南社区 2027-01-01 起的这一版少了上一版的 1 个网格：{SOUTH}002。")
    rest = [(box(6, 0, 10, 5), {"code": SOUTH + "002", "community_code": SOUTH})]
    assert told(layer(tmp_path / "另一个.geojson", rest), date(2027, 1, 1)) == []
    assert told(path, None) == [], "a correction leaves the others as they are"
    assert told(grids(tmp_path, "更早.geojson", 5), date(2020, 1, 1)) == []


def test_an_edition_imported_again_changes_nothing(two_editions: Database, settings: Settings, tmp_path: Path) -> None:
    again = bring(two_editions, settings, "grids", grids(tmp_path, "七月.geojson", 6), edition=JULY)
    assert (again.summary["unchanged"], again.summary["updated"], again.summary["edition"]) == (2, 0, "2026-07-01")
    assert count(two_editions, Edition) == 3 and count(two_editions, Grid) == 5


def test_a_correction_without_a_date_goes_to_the_latest_edition(
    two_editions: Database, settings: Settings, tmp_path: Path
) -> None:
    done = bring(two_editions, settings, "grids", grids(tmp_path, "改正.geojson", 5.2))
    assert done.summary["updated"] == 2
    assert (answers(two_editions, BEFORE), answers(two_editions, AFTER)) == (FIRST, FIRST)
    assert count(two_editions, Grid) == 5


def test_an_edition_that_is_undone_leaves_the_one_before(two_editions: Database) -> None:
    """Its borders, and the faults of its tiling, go with it."""
    with two_editions.write() as session:
        last = session.scalars(select(ImportBatch).order_by(ImportBatch.id.desc())).first()
        assert last is not None and last.state == DONE
        undo(session, last, KINDS["grids"].tables, MONDAY_NOON)
        counters.move(session, counters.RESPONSIBILITY)
    assert answers(two_editions, AFTER) == FIRST
    assert count(two_editions, Edition) == 2 and count(two_editions, Grid) == 3
