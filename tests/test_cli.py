"""The command line as others script against it."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service.config import ROOT
from tests.conftest import MONDAY_NOON, PASSWORD


class Terminal:
    """Runs `python -m service …` over one data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {
            "PATH": "/usr/bin:/bin",
            "DATA_DIR": str(folder),
            "STEWARD_NOW": MONDAY_NOON.isoformat(),
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "error",
        }

    def run(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "service", *words]
        return subprocess.run(command, env=self.env, cwd=self.folder, input=given, capture_output=True, text=True)


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    made = Terminal(tmp_path_factory.mktemp("data"))
    done = made.run("demo")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["grids"] == 81
    return made


def test_lookup_prints_what_the_api_answers(terminal: Terminal, supervisor: FlaskClient) -> None:
    done = terminal.run("lookup", "109.8782", "31.0718", "--on", "2026-11-23")
    assert json.loads(done.stdout) == supervisor.get("/api/v1/lookup?lon=109.8782&lat=31.0718&on=2026-11-23").json


def test_lookup_takes_western_longitudes_and_other_systems(terminal: Terminal) -> None:
    assert json.loads(terminal.run("lookup", "-73.98", "40.75").stdout)["grid"] is None
    shifted = json.loads(terminal.run("lookup", "109.884738", "31.067551", "--crs", "gcj02").stdout)
    assert shifted["point"]["lon"] == pytest.approx(109.88, abs=1e-6)


@pytest.mark.parametrize(
    ("words", "said"), [(("31.07", "109.88"), "经度在前"), (("109", "31", "--crs", "mars"), "mars")]
)
def test_a_wrong_point_is_one_line_and_exit_2(terminal: Terminal, words: tuple[str, ...], said: str) -> None:
    done = terminal.run("lookup", *words)
    assert done.returncode == 2
    assert said in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_lookup_file_keeps_rows_and_order(terminal: Terminal, tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("name,x,y\n甲,109.8782,31.0718\n乙,,\n丙,1,2\n丁,109.88,31.07\n", encoding="utf-8")
    done = terminal.run("lookup-file", str(source), str(target), "--lon", "x", "--lat", "y")
    assert done.returncode == 0, done.stderr
    with target.open(encoding="utf-8-sig", newline="") as out:
        rows = list(csv.DictReader(out))
    assert [row["name"] for row in rows] == ["甲", "乙", "丙", "丁"]
    assert [bool(row["grid_code"]) for row in rows] == [True, False, False, True]
    assert set(rows[0]) == {"name", "x", "y", "grid_code", "community_code", "near_boundary"}
    assert rows[0]["community_code"] == rows[0]["grid_code"][:12]


def test_lookup_file_names_a_missing_column(terminal: Terminal, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("a,b\n1,2\n")
    done = terminal.run("lookup-file", str(source), str(tmp_path / "o.csv"), "--lon", "x", "--lat", "b")
    assert done.returncode == 2 and "a、b" in done.stderr


def test_an_account_and_its_token(terminal: Terminal) -> None:
    done = terminal.run("user", "create", "clerk", "--role", "viewer", "--password-stdin", given=PASSWORD + "\n")
    assert done.returncode == 0, done.stderr
    again = terminal.run("user", "create", "clerk", "--role", "viewer", "--password-stdin", given=PASSWORD + "\n")
    assert again.returncode == 2 and "已经有了" in again.stderr
    weak = terminal.run("user", "create", "weak", "--role", "viewer", "--password-stdin", given="123\n")
    assert weak.returncode == 2 and "至少" in weak.stderr
    assert re.fullmatch(r"gst_[\w-]{40,}", terminal.run("user", "token", "clerk").stdout.strip())
    assert terminal.run("user", "token", "nobody").returncode == 2


def test_an_import_is_undone_by_its_number(terminal: Terminal, tmp_path: Path) -> None:
    people = tmp_path / "人员.csv"
    people.write_text("工号,姓名\nX1,新人\n", encoding="utf-8")
    assert terminal.run("import", "people", str(people)).returncode == 0
    dry = terminal.run("undo", "11", "--dry-run", "--verdicts", str(tmp_path / "rows.csv"))
    assert (dry.returncode, json.loads(dry.stdout)) == (0, {"removed": 1, "restored": 0, "kept": 0}), dry.stderr
    assert "X1" in (tmp_path / "rows.csv").read_text(encoding="utf-8-sig")
    assert json.loads(terminal.run("undo", "11").stdout) == {"removed": 1, "restored": 0, "kept": 0}
    again = terminal.run("undo", "11")
    assert again.returncode == 2 and "已经撤回过了" in again.stderr
    assert "演示数据" in terminal.run("undo", "1").stderr


def test_check_says_that_all_is_well_or_what_is_wrong(terminal: Terminal) -> None:
    assert terminal.run("check").returncode == 0
    terminal.env["PORT"] = "abc"
    done = terminal.run("check")
    del terminal.env["PORT"]
    assert done.returncode == 1 and "PORT=abc" in done.stderr
