"""A community is drawn anew: from the grid that nobody leads to the map on the wall, as a manager does it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from service.config import ROOT
from tests.browser.drafts import HOME, areas, begin, entered, middle, press, save, split, tool
from tests.browser.serving import Town, demo_serving, rest
from tests.stores import Stores
from tests.wall.conftest import read_pdf

pytestmark = pytest.mark.browser
TODAY, NEXT_MONDAY = "2026-11-23", "2026-11-30"
VACANT, NEW, LEADER = f"{HOME}012", f"{HOME}020", "钟思源"
Spot = tuple[float, float]


@pytest.fixture(scope="module")
def town(stores: Stores, chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with demo_serving(stores, tmp_path_factory.mktemp("anew")) as running:
        yield running


def leaders(answer: dict[str, Any]) -> tuple[str, list[str]]:
    """(the grid's code, names of its leaders) of a lookup."""
    return answer["grid"]["code"], [one["person"]["name"] for one in answer["duties"] if one["role"] == "grid_leader"]


def by_interface(page: Page, town: Town, spot: Spot, on: str) -> tuple[str, list[str]]:
    answer = page.request.get(f"{town.address}/api/v1/lookup?lon={spot[0]}&lat={spot[1]}&on={on}")
    return leaders(answer.json())


def by_command(town: Town, spot: Spot, on: str) -> tuple[str, list[str]]:
    asked = [sys.executable, "-m", "service", "lookup", str(spot[0]), str(spot[1]), "--on", on]
    environment = os.environ | {"DATA_DIR": str(town.folder)}
    done = subprocess.run(asked, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return leaders(json.loads(done.stdout))


def on_the_map(page: Page, town: Town, spot: Spot, on: str, code: str) -> str:
    """The answer panel's words at a spot on a day, once it names the grid."""
    place = f"{spot[0]:.6f},{spot[1]:.6f}"
    page.goto(f"{town.address}/map?p={place}&at={place}&z=17&on={on}")
    page.locator(f'#panel [data-grid="{code}"]').wait_for()
    rest(page)
    return page.locator("#panel").inner_text()


def test_from_the_vacant_grid_to_the_map_on_the_wall(chromium: Browser, town: Town, tmp_path: Path) -> None:
    with entered(chromium, town, "manager") as watched:
        page = watched.page
        page.goto(f"{town.address}/duties/audit")
        page.get_by_role("link", name="缺网格长").first.click()
        assert VACANT in page.locator("main").inner_text()

        begin(page, town)
        address = page.url
        split(page, VACANT)
        assert {VACANT, NEW} <= areas(page).keys()
        spots = {code: middle(page, code) for code in (VACANT, NEW)}
        page.keyboard.press("Escape")
        tool(page, "assign")
        for spot in spots.values():
            press(page, spot)
        page.locator("#task input[type=search]").fill(LEADER)
        page.locator(".people button").first.click()
        save(page)
        held = page.locator("#page-duties .held").all_inner_texts()
        assert sorted(one[:3] for one in held) == ["012", "020"]
        page.locator("#publish").click()
        page.locator(".rows tbody tr").first.wait_for()
        assert page.locator("#on").input_value() == NEXT_MONDAY
        page.locator("#go").click()
        page.wait_for_url("**/grids/editions?published=*")
        assert watched.complaints == []

        spot = spots[NEW]
        assert by_interface(page, town, spot, TODAY) == by_command(town, spot, TODAY) == (VACANT, [])
        assert by_interface(page, town, spot, NEXT_MONDAY)[0] == NEW
        assert by_command(town, spot, NEXT_MONDAY) == (NEW, [LEADER])
        assert "网格长空缺" in on_the_map(page, town, spot, TODAY, VACANT)
        assert LEADER in on_the_map(page, town, spot, NEXT_MONDAY, NEW)

        page.goto(f"{town.address}/duties/wall?what=community&on={NEXT_MONDAY}")
        page.wait_for_function("document.getElementById('preview').naturalWidth > 600")
        with page.expect_download() as got:
            page.click("button[value=pdf]")
        got.value.save_as(tmp_path / "wall.pdf")
        read = read_pdf((tmp_path / "wall.pdf").read_bytes())
        assert read.says("聚鹤社区网格责任图") and read.says("020") and read.says(LEADER)

    with entered(chromium, town, "officer") as watched:
        page = watched.page
        draft = address.rsplit("/", 1)[1]
        assert page.goto(address).status in (403, 404)  # type: ignore[union-attr]
        token = {"X-CSRFToken": page.locator('input[name="csrf_token"]').first.get_attribute("value") or ""}
        at = f"{town.address}/api/v1"
        for path, body in (
            ("grids/drafts", {"communities": [HOME]}),
            (f"grids/drafts/{draft}/withdraw", {}),
            (f"grids/drafts/{draft}/steps", {"version": 1, "step": "rename", "code": NEW, "name": "x"}),
            ("duties", {"subjects": [{"kind": "grid", "code": VACANT}], "role": "grid_leader", "person": "P001"}),
        ):
            answer = page.request.post(f"{at}/{path}", data=body, headers=token)
            assert answer.status in (403, 404), (path, answer.status, answer.text())
        assert by_command(town, spots[NEW], NEXT_MONDAY) == (NEW, [LEADER])
