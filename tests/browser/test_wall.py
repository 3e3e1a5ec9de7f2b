"""Printing responsibility maps as a person does it, and the file that opens without a network."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect

from service.clock import local_date
from tests.browser.conftest import Watched, enter_demo
from tests.browser.test_safety import faults
from tests.conftest import MONDAY_NOON
from tests.responsibility.town import EAST_HOME, WEST_HOME
from tests.wall.conftest import read_pdf
from tests.wall.test_offline import page as offline
from tests.web.test_masking import LEADER, app

__all__ = ["app"]  # a fixture


def test_choosing_looking_and_printing(desktop: Watched, service: str, tmp_path: Path) -> None:
    page = desktop.page
    enter_demo(desktop, service)
    page.goto(f"{service}/duties/wall")
    assert faults(page) == []
    picture = page.locator("#preview")
    page.wait_for_function("document.getElementById('preview').naturalWidth > 600")
    expect(page.locator("#count")).to_have_text("1")
    with page.expect_response(lambda answer: "preview.png" in answer.url and "paper=a4" in answer.url):
        page.check("input[name=paper][value=a4]")
    page.wait_for_function("document.getElementById('busy').hidden")
    with page.expect_download() as got:
        page.click("button[value=pdf]")
    target = tmp_path / "one.pdf"
    got.value.save_as(target)
    read = read_pdf(target.read_bytes())
    assert read.says("聚鹤社区网格责任图") and sorted(read.sizes[0]) == [210, 297]
    assert got.value.suggested_filename.startswith("聚鹤社区网格责任图-")

    page.click("nav.kin a:nth-child(2)")
    page.wait_for_url("**/duties/wall?what=grid*")
    page.wait_for_function("document.getElementById('preview').naturalWidth > 600")
    page.fill("#narrow", "鹤鸣坪")
    page.locator(".names label:visible input").first.check()
    page.fill("#narrow", "")
    expect(page.locator("#count")).to_have_text("2")
    page.click("button[value=pdf]")
    page.locator(".made a[download]").first.wait_for(timeout=60_000)
    with page.expect_download() as got:
        page.locator(".made a[download]").first.click()
    got.value.save_as(target)
    assert len(read_pdf(target.read_bytes()).pages) == 2
    assert picture.get_attribute("alt") and desktop.complaints == []
    assert all(one.startswith(service) for one in desktop.asked if not one.startswith(("data:", "blob:")))


def test_the_page_on_a_phone(phone: Watched, service: str) -> None:
    page = phone.page
    enter_demo(phone, service)
    page.goto(f"{service}/duties/wall?what=officer")
    page.wait_for_function("document.getElementById('preview').naturalWidth > 600")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert faults(page) == []
    box = page.locator(".names label").first.bounding_box()
    assert box is not None and box["height"] >= 44
    assert phone.complaints == []


@pytest.mark.parametrize("width", [1400, 390])
def test_the_file_opens_without_a_network(demo_app: Flask, chromium: Browser, tmp_path: Path, width: int) -> None:
    target = tmp_path / "责任图.html"
    target.write_text(offline(demo_app, "community", ["500237002001", "500237002003"]), encoding="utf-8")
    context = chromium.new_context(viewport={"width": width, "height": 844}, offline=True)
    watched = Watched(context.new_page())
    page = watched.page
    page.goto(target.as_uri())
    snapshot = demo_app.extensions["steward"].responsibility.on(local_date(MONDAY_NOON))
    leader = snapshot.leader_of("500237002001001")
    assert leader is not None
    page.fill("#find", leader.person.name)
    page.press("#find", "Enter")
    expect(page.locator("#answer")).to_contain_text(leader.person.name)
    expect(page.locator("#answer a").first).to_have_attribute("href", f"tel:{leader.person.phone}")
    page.fill("#find", "未落实")
    expect(page.locator("#list button")).to_have_count(2)
    page.fill("#find", "没有这个人")
    expect(page.locator("#list")).to_contain_text("没有找到")
    assert page.locator(".leaflet-grids-pane path").count() >= 36
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [one for one in watched.asked if not one.startswith("file:")] == [] and len(watched.asked) == 1
    assert watched.complaints == []
    context.close()


def test_hostile_names_do_nothing_in_the_file(app: Flask, chromium: Browser, tmp_path: Path) -> None:
    target = tmp_path / "x.html"
    target.write_text(offline(app, "community", [WEST_HOME, EAST_HOME], title="<img src=x onerror=alert(1)>"))
    context = chromium.new_context(offline=True)
    watched = Watched(context.new_page())
    watched.page.on("dialog", lambda _: watched.complaints.append("a dialog"))
    watched.page.goto(target.as_uri())
    for i, name in enumerate(LEADER.values()):
        watched.page.locator("#list button").nth(i).click()
        expect(watched.page.locator("#answer dd b").first).to_have_text(name)
    assert watched.page.locator("img, svg image, iframe").count() == 0
    assert watched.complaints == [] and len(watched.asked) == 1
    context.close()
