"""The map's modules as one script: whole, in order, and refused when one is written in another notation."""

import gzip
import re

import pytest

from service.maps import script
from service.maps.script import MODULES, START, STARTS, UnknownNotation, map_script


def parts(start: str = START) -> list[str]:
    return re.findall(r"^// ([\w.]+\.js)$", gzip.decompress(map_script(start).packed).decode(), re.MULTILINE)


def test_every_module_is_in_some_script():
    used = {name for start in STARTS for name in parts(start)}
    assert used == {path.name for path in MODULES.glob("*.js")}


@pytest.mark.parametrize("start", STARTS)
def test_every_module_is_in_it_once_and_after_what_it_needs(start):
    order = parts(start)
    assert len(order) == len(set(order)) and order[-1] == start
    for name in order:
        for needed in re.findall(r"from '\./([\w.]+)'", (MODULES / name).read_text(encoding="utf-8")):
            assert order.index(needed) < order.index(name)


def test_nothing_of_the_module_notation_is_left():
    code = gzip.decompress(map_script().packed).decode()
    assert not re.search(r"^(?:import|export)\b", code, re.MULTILINE)


@pytest.mark.parametrize(
    "line",
    ["export default 1;", "import * as all from './b.js';", "import { a } from 'elsewhere';", "export let a = 1;"],
)
def test_another_notation_is_refused(tmp_path, line):
    (tmp_path / "main.js").write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(UnknownNotation, match=re.escape("main.js")):
        script._scoped(tmp_path / "main.js")


def test_modules_that_need_each_other_are_refused(tmp_path):
    (tmp_path / "main.js").write_text("import { b } from './b.js';\n", encoding="utf-8")
    (tmp_path / "b.js").write_text("import { a } from './main.js';\n", encoding="utf-8")
    with pytest.raises(UnknownNotation, match="needed by what it needs"):
        script._in_order(tmp_path / "main.js")


def test_browsers_keep_it_under_its_own_address(public):
    answer = public.get(map_script().path)
    assert (answer.status_code, answer.mimetype) == (200, "text/javascript")
    assert "immutable" in answer.headers["Cache-Control"]
    assert gzip.decompress(answer.data) == gzip.decompress(map_script().packed)
    assert public.get("/static/js/map/all-0000000000000000.js").status_code == 404
