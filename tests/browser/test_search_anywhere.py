"""The search box on pages other than the map: by keyboard and by thumb, in and out of an account; and photos."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Watched, enter_demo
from tests.browser.serving import Town, demo_serving, rest
from tests.browser.test_safety import faults
from tests.documents.test_photos import from_a_phone
from tests.stores import Stores

SELECTED = "#hits [aria-selected='true'] b"


@pytest.fixture(scope="module")
def town(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with demo_serving(stores, tmp_path_factory.mktemp("anywhere")) as running:
        yield running


def test_the_keyboard_is_enough(town: Town, desktop: Watched) -> None:
    page = desktop.page
    enter_demo(desktop, town.address)
    page.goto(f"{town.address}/account/password")
    page.locator("h1").click()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "seek-input"
    page.keyboard.type("longmen")
    page.locator("#hits [role=option]").first.wait_for()
    assert page.locator(SELECTED).inner_text() == "龙门大道"
    assert page.locator("#seek-input").get_attribute("aria-activedescendant") == "hit-0"
    groups = page.locator("#hits [role=group]")
    assert groups.count() >= 2 and groups.first.get_attribute("aria-label") == "街路"
    count = page.locator("#hits [role=option]").count()
    page.keyboard.press("ArrowUp")
    assert page.locator("#seek-input").get_attribute("aria-activedescendant") == f"hit-{count - 1}"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    second = page.locator(SELECTED).inner_text()
    page.keyboard.press("Escape")
    assert page.locator("#hits").is_hidden() and page.evaluate("document.activeElement.id") == "seek-input"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    assert page.locator(SELECTED).inner_text() == second
    page.keyboard.press("Enter")
    page.wait_for_url("**/places/*")  # a record has a page of its own
    assert page.locator("#detail h2").inner_text() == second.split("\n")[0]
    assert desktop.complaints == []


def test_a_slash_in_a_field_is_a_slash(town: Town, desktop: Watched) -> None:
    page = desktop.page
    page.goto(f"{town.address}/login")
    page.locator("#f-name").press("/")
    assert page.locator("#f-name").input_value() == "/" and page.evaluate("document.activeElement.id") == "f-name"


def test_nothing_found_says_what_can_be_searched(town: Town, desktop: Watched) -> None:
    page = desktop.page
    page.goto(f"{town.address}/login")
    page.locator("#seek-input").fill("查无此处")
    page.locator("#hits").get_by_text("没有找到“查无此处”").wait_for()
    said = page.locator("#hits").inner_text()
    assert "门店" in said and "拼音" in said and "人员" not in said, "the public is promised no persons"
    page.keyboard.press("Enter")
    assert page.url.endswith("/login")
    enter_demo(desktop, town.address)
    rest(page)
    page.locator("#seek-input").fill("查无此处")
    page.locator("#hits").get_by_text("没有找到“查无此处”").wait_for()
    assert "电话后四位" in page.locator("#hits").inner_text()


def test_a_lost_network_is_told_in_the_box(town: Town, desktop: Watched) -> None:
    page = desktop.page
    page.goto(f"{town.address}/login")
    page.route("**/map/search*", lambda route: route.abort())
    page.locator("#seek-input").fill("龙门")
    page.locator("#hits").get_by_text("网络断了").wait_for()


def test_by_thumb(town: Town, phone: Watched) -> None:
    page = phone.page
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{town.address}/login")
    box = page.locator("#seek-input")
    assert box.bounding_box()["height"] >= 44 and box.bounding_box()["width"] > 180
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box.fill("lmdd")
    first = page.locator("#hits [role=option]").first
    first.wait_for()
    assert first.bounding_box()["height"] >= 40
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert faults(page) == []
    first.tap()
    page.wait_for_url("**/map?p=*")
    page.locator("#panel [data-lon]").wait_for()


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_photos_without_leaving_the_page(
    town: Town, device: str, tmp_path: Path, chromium: Browser, request: pytest.FixtureRequest
) -> None:
    watched: Watched = request.getfixturevalue(device)
    page, shop = watched.page, "F0010" if device == "desktop" else "F0011"
    enter_demo(watched, town.address)
    page.goto(f"{town.address}/photos/frontages/{shop}")
    assert faults(page) == []
    good, bad = tmp_path / "门头.jpg", tmp_path / "page.jpg"
    good.write_bytes(from_a_phone(6))
    bad.write_bytes(b"<html>")
    file = page.locator('input[type="file"]:not([capture])')
    file.set_input_files(bad)
    page.locator("#photo-caption").fill("门头正面")
    page.get_by_role("button", name="上传").click()
    page.locator("#photo-help.bad").get_by_text("不是 JPEG").wait_for()
    assert page.locator("#photo-caption").input_value() == "门头正面"
    assert faults(page) == [], "refused"
    file.set_input_files(good)
    page.locator(".chosen img").wait_for()
    page.get_by_role("button", name="上传").click()
    shown = page.locator(".shots img")
    shown.wait_for()
    assert page.locator(".shots").get_by_text("门头正面").is_visible()
    assert shown.evaluate("(one) => one.decode().then(() => one.naturalHeight)") == 360, "upright"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert faults(page) == [], "with a photo"
    assert page.locator("label.act", has_text="拍照").is_visible() == (device == "phone")
    page.locator(".shots summary").click()
    page.get_by_role("button", name="确定移除").click()
    page.get_by_text("还没有照片").wait_for()
    assert [one for one in watched.complaints if "422" not in one] == []
