"""README says what is: its settings, links and commands exist, in both languages."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from flask.testing import FlaskClient

from service.cli import cli
from service.config import ROOT, Settings
from service.intake.kinds import KINDS

ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"
READMES = pytest.mark.parametrize("path", [ENGLISH, CHINESE], ids=lambda path: path.name)
PAGES = sorted([ENGLISH, CHINESE, ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])


def settings_table(path: Path) -> dict[str, str]:
    """Variable to default, as the table has them; two variables of one row share its default."""
    out: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 3:
            names = re.findall(r"`([A-Z_]+)`", cells[0])
            assert names and not out.keys() & set(names), line
            out |= dict.fromkeys(names, cells[1])
    return out


def spoken_commands(path: Path) -> list[list[str]]:
    """The words of every `./scripts/…` line and inline command, without the comment behind it."""
    text = path.read_text(encoding="utf-8")
    fenced = "\n".join(re.findall(r"^```\n(.*?)^```", text, re.S | re.M)).splitlines()
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```\n.*?^```", "", text, flags=re.S | re.M))
    return [shlex.split(one, comments=True) for one in (*fenced, *inline) if one.startswith("./scripts/")]


@READMES
def test_the_table_lists_exactly_the_settings(path: Path) -> None:
    assert list(settings_table(path)) == [name.upper() for name in Settings.model_fields], "in the code's order"


@READMES
def test_the_defaults_are_those_of_the_code(path: Path) -> None:
    table = settings_table(path)
    for name, field in Settings.model_fields.items():
        default = field.default
        if isinstance(default, Path):
            default = f"./{default.relative_to(ROOT)}"
        elif isinstance(default, bool | int | float):
            default = f"{float(default):g}"
        elif not default:
            assert table[name.upper()] not in {"", "0"}, f"{name}: say what stands in for it, or –"
            continue
        assert table[name.upper()] == default, name


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_and_images_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    missing = [
        target
        for target in targets
        if not re.match(r"[a-z]+:|#", target) and not (path.parent / target.partition("#")[0]).exists()
    ]
    assert missing == []
    if path in (ENGLISH, CHINESE):
        assert any(target.endswith((".png", ".jpg", ".webp")) for target in targets), "a picture of the map"


def test_the_two_languages_point_at_each_other() -> None:
    assert "(README.zh-CN.md)" in ENGLISH.read_text(encoding="utf-8")
    assert "(README.md)" in CHINESE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def helped() -> set[str]:
    """The commands that `python -m service --help` lists."""
    done = subprocess.run(
        [sys.executable, "-m", "service", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(re.findall(r"^  ([a-z-]+)  ", done.stdout.partition("Commands:")[2], re.M))


@READMES
def test_every_named_command_exists(path: Path, helped: set[str]) -> None:
    commands = spoken_commands(path)
    assert {words[0] for words in commands} >= {"./scripts/serve", "./scripts/test", "./scripts/manage"}
    managed = [words for words in commands if words[0] == "./scripts/manage"]
    assert len(managed) >= 7
    for words in commands:
        assert os.access(ROOT / words[0], os.X_OK), words[0]
    for words in managed:
        assert words[1] in helped, words


@READMES
def test_every_named_option_and_kind_exists(path: Path) -> None:
    for _, name, *rest in [words for words in spoken_commands(path) if words[0] == "./scripts/manage"]:
        command: click.Command = cli.commands[name]
        if isinstance(command, click.Group):
            assert rest[0] in command.commands, (name, rest)
            command = command.commands[rest[0]]
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= known, (name, rest)
        if name == "import":
            assert rest[0] in KINDS


@READMES
def test_the_ten_kinds_are_named(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    line = "communities grids people organisations duties frontages incidents streets buildings places"
    assert line in text
    assert set(line.split()) == set(KINDS)


def test_both_languages_name_the_same_commands() -> None:
    """File names differ; what is done with them doesn't."""
    assert {tuple(words[:3]) for words in spoken_commands(CHINESE)} == {
        tuple(words[:3]) for words in spoken_commands(ENGLISH)
    }


def test_the_example_of_the_tour_finds_somebody(supervisor: FlaskClient) -> None:
    """The command line's point and the API's are the same, and lie in a grid."""
    text = ENGLISH.read_text(encoding="utf-8")
    address = re.search(r"GET (/api/v1/lookup\?[^`]+)`", text)
    assert address is not None
    body = supervisor.get(address[1]).json
    words = next(words for words in spoken_commands(ENGLISH) if words[1:2] == ["lookup"])
    assert [body["point"]["lon"], body["point"]["lat"]] == [float(words[2]), float(words[3])]
    assert body["grid"] is not None and body["duties"]
