"""The command line as others script against it."""

from __future__ import annotations

import csv
import json
import re
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader

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


TWO_GRIDS = (
    "编号,经度,纬度,grid_code\n"
    "1,109.8782,31.0718,旧\n"
    "2,109.8782,31.0718,旧,多出来,的\n"
    '3,"109,8782","31,0718",\n'
    "4,109°52′41.52″,31°4′18.48″,\n"
    "5,不详,31.07,\n"
    "6,,,\n"
    "7,1.5,2.5,\n"
)


def test_lookup_file_loses_no_row_and_no_column(terminal: Terminal, tmp_path: Path) -> None:
    """A row that can't be cut into columns and coordinates that are none keep their place, with empty results."""
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(TWO_GRIDS, encoding="utf-8")
    done = terminal.run("lookup-file", str(source), str(target), "--lon", "经度", "--lat", "纬度")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"read": 7, "found": 3, "outside": 1, "unreadable": 3}
    with target.open(encoding="utf-8-sig", newline="") as out:
        header, *rows = csv.reader(out)
    given = ["编号", "经度", "纬度", "grid_code.given"]
    assert header == [*given, "grid_code", "community_code", "near_boundary"]
    assert [row[0] for row in rows] == list("1234567") and {len(row) for row in rows} == {7}
    grid = rows[0][4]
    assert len(grid) == 15 and [row[4] for row in rows] == [grid, "", grid, grid, "", "", ""]
    assert [row[6] for row in rows] == [rows[0][6], "", rows[0][6], rows[0][6], "", "", "0"]
    assert (rows[0][3], rows[1][3]) == ("旧", "旧,多出来,的")
    assert "第 3 行：这一行有 6 列" in done.stderr and "第 6 行：不是坐标" in done.stderr
    assert "“grid_code”改称“grid_code.given”" in done.stderr


def test_lookup_file_reads_two_hundred_rows_of_which_one_is_ragged(terminal: Terminal, tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    rows = [f"{i},{109.87 + i / 1e5:.5f},31.07{',多' * (i == 100)}" for i in range(200)]
    source.write_text("\n".join(["n,x,y", *rows]), encoding="gbk")
    done = json.loads(terminal.run("lookup-file", str(source), str(target), "--lon", "x", "--lat", "y").stdout)
    assert (done["read"], done["unreadable"]) == (200, 1)
    with target.open(encoding="utf-8-sig", newline="") as out:
        assert [row["n"] for row in csv.DictReader(out)] == [str(i) for i in range(200)]


def test_lookup_file_names_a_missing_column(terminal: Terminal, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("a,b\n1,2\n")
    done = terminal.run("lookup-file", str(source), str(tmp_path / "o.csv"), "--lon", "x", "--lat", "b")
    assert done.returncode == 2 and "a、b" in done.stderr


@pytest.mark.parametrize("option", ["--rejects", "--faults"])
@pytest.mark.parametrize(("where", "says"), [("没有/退回.csv", "没有“"), ("", "是文件夹")])
def test_a_report_that_cannot_be_written_stops_the_import_before_it_stores(
    terminal: Terminal, tmp_path: Path, option: str, where: str, says: str
) -> None:
    source = tmp_path / "人员.csv"
    source.write_text(f"工号,姓名\nX{option}{where},新来的\n", encoding="utf-8")
    done = terminal.run("import", "people", str(source), option, str(tmp_path / where))
    assert done.returncode == 2 and done.stdout == ""
    assert says in done.stderr and len(done.stderr.strip().splitlines()) == 1
    again = json.loads(terminal.run("import", "people", str(source)).stdout)
    assert (again["accepted"], again["unchanged"]) == (1, 0), "nothing was stored the first time"


def test_a_full_disk_under_the_report_is_a_warning(terminal: Terminal, tmp_path: Path) -> None:
    source = tmp_path / "人员.csv"
    source.write_text("工号,姓名\nX2,新来的\nX2,又一个\n", encoding="utf-8")
    done = terminal.run("import", "people", str(source), "--rejects", "/dev/full")
    summary = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, summary["accepted"]) == (3, 1)
    assert any("报告没有写成" in line for line in summary["warnings"])


def test_lookup_file_into_no_folder(terminal: Terminal, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("x,y\n109.88,31.07\n")
    for target in (tmp_path / "nowhere" / "out.csv", Path("/dev/full")):
        done = terminal.run("lookup-file", str(source), str(target), "--lon", "x", "--lat", "y")
        assert done.returncode == 2
        assert "Traceback" not in done.stderr and len(done.stderr.strip().splitlines()) == 1


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
    with closing(sqlite3.connect(terminal.folder / "steward.gpkg")) as store:
        number = str(store.execute("SELECT max(id) FROM import_batches").fetchone()[0])
    dry = terminal.run("undo", number, "--dry-run", "--verdicts", str(tmp_path / "rows.csv"))
    assert (dry.returncode, json.loads(dry.stdout)) == (0, {"removed": 1, "restored": 0, "kept": 0}), dry.stderr
    assert "X1" in (tmp_path / "rows.csv").read_text(encoding="utf-8-sig")
    assert json.loads(terminal.run("undo", number).stdout) == {"removed": 1, "restored": 0, "kept": 0}
    again = terminal.run("undo", number)
    assert again.returncode == 2 and "已经撤回过了" in again.stderr
    assert "演示数据" in terminal.run("undo", "1").stderr


@pytest.mark.parametrize("form", ["xlsx", "csv", "geojson", "gpkg", "shp.zip"])
def test_export_writes_a_file_that_import_takes_back(terminal: Terminal, form: str) -> None:
    done = terminal.run("export", "frontages", f"out.{form}", "--where", "state=vacant")
    told = json.loads(done.stdout)
    assert told["kind"] == "frontages" and told["rows"] > 50
    if form != "shp.zip":  # a shapefile cuts headers and numbers alike
        back = json.loads(terminal.run("import", "frontages", f"out.{form}").stdout)
        assert (back["read"], back["unchanged"]) == (told["rows"], told["rows"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("frontages", "out.doc"), ".xlsx"),
        (("frontages", "out.csv", "--where", "colour=red"), "colour"),
        (("duties", "out.csv", "--where", "colour=red"), "colour"),
        (("frontages", "nowhere/out.csv"), "nowhere"),
    ],
)
def test_a_wrong_export_is_one_line_and_exit_2(terminal: Terminal, words: tuple[str, ...], said: str) -> None:
    done = terminal.run("export", *words)
    assert done.returncode == 2 and said in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (terminal.folder / words[1]).exists() or words[1] == "out.csv"


def test_a_template_is_written(terminal: Terminal) -> None:
    assert terminal.run("template", "people", "people.xlsx").returncode == 0
    assert (terminal.folder / "people.xlsx").read_bytes()[:2] == b"PK"


def test_check_says_that_all_is_well_or_what_is_wrong(terminal: Terminal) -> None:
    assert terminal.run("check").returncode == 0
    terminal.env["PORT"] = "abc"
    done = terminal.run("check")
    del terminal.env["PORT"]
    assert done.returncode == 1 and "PORT=abc" in done.stderr


def test_what_a_machine_lacks_is_one_line(tmp_path: Path) -> None:
    """No table yet, no database at all, no folder, no such address, a port in use: words and exit 1 or 2, no trace."""
    broken = tmp_path / "坏的"
    broken.mkdir()
    (broken / "steward.gpkg").write_text("这不是数据库，只是一段文字，长到足够让它看起来像个文件。" * 40)
    taken = socket.create_server(("127.0.0.1", 0))
    port = str(taken.getsockname()[1])
    cases: list[tuple[list[str], dict[str, str], str]] = [
        (["check"], {}, "还没有建表"),
        (["lookup", "109.8", "31"], {}, "还没有建表"),
        (["user", "token", "admin"], {}, "还没有建表"),
        (["serve"], {"DATA_DIR": str(broken), "PORT": "0"}, "不是网格管家的数据库"),
        (["check"], {"DATABASE_URL": "gpkg:////nowhere/at/all.gpkg"}, "打不开"),
        (["serve"], {"HOST": "999.1.1.1"}, "HOST=999.1.1.1"),
        (["serve"], {"PORT": port}, f"PORT={port}：已被别的程序占用"),
    ]
    for number, (words, more, told) in enumerate(cases):
        terminal = Terminal(tmp_path / str(number))
        terminal.folder.mkdir()
        terminal.env |= more
        done = terminal.run(*words)
        assert done.returncode in (1, 2), words
        assert told in done.stderr and "Traceback" not in done.stderr, (words, done.stderr)
    taken.close()


def test_wall_prints_a_responsibility_map(terminal: Terminal) -> None:
    target = terminal.folder / "map.pdf"
    done = terminal.run("wall", "community", "500237002003", str(target), "--paper", "a4", "--names", "phones")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["title"] == "龙水社区网格责任图" and told["sheets"] == 1 and told["whole_numbers"] > 10
    assert len(PdfReader(target).pages) >= 1
    page = terminal.folder / "map.html"
    done = terminal.run("wall", "grid", "all", str(page), "--html", "--names", "roles", "--on", "2027-01-01")
    assert json.loads(done.stdout)["sheets"] == 75 and page.stat().st_size < 3 * 1024 * 1024
    with closing(sqlite3.connect(terminal.folder / "steward.gpkg")) as store:
        lines = store.execute("SELECT actor, after FROM audit_entries WHERE action = 'wall.export'").fetchall()
    assert [actor for actor, _ in lines] == ["命令行", "命令行"] and "154" not in lines[0][1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("grid", "9", "x.pdf"), "没有划定"),
        (("grid", "500237002003001", "x.png"), "要以 .pdf 结尾"),
        (("grid", "500237002003001", "nowhere/x.pdf"), "没有"),
    ],
)
def test_wall_says_what_is_wrong(terminal: Terminal, words: tuple[str, ...], said: str) -> None:
    done = terminal.run("wall", *words)
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1
    assert not (terminal.folder / "x.pdf").exists()
