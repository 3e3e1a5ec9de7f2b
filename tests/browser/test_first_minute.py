"""The first minute of a newcomer: one click, a map, a click, who is responsible here."""

from __future__ import annotations

import json
import urllib.request
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.conftest import Watched, enter_demo

pytestmark = pytest.mark.browser


def asked_point(watched: Watched) -> tuple[str, str]:
    """The point that the address bar holds after a click."""
    watched.page.wait_for_url("**p=*", timeout=5000)
    words = parse_qs(urlsplit(watched.page.url).query)
    lon, lat = words["p"][0].split(",")
    return lon, lat


def lookup(service: str, lon: str, lat: str) -> dict[str, object]:
    with urllib.request.urlopen(f"{service}/api/v1/lookup?lon={lon}&lat={lat}") as answer:
        body: dict[str, object] = json.load(answer)
    return body


def test_a_click_names_grid_community_and_leader(service: str, desktop: Watched) -> None:
    enter_demo(desktop, service)
    desktop.page.wait_for_timeout(1500)
    desktop.page.mouse.click(560, 390)
    panel = desktop.page.locator("#panel")
    panel.locator("[data-grid]").wait_for(timeout=5000)
    lon, lat = asked_point(desktop)
    known = lookup(service, lon, lat)
    shown = panel.inner_text()
    assert known["grid"]["code"] in shown.replace("\n", "")  # type: ignore[index]
    assert known["community"]["name"] in shown  # type: ignore[index]
    leader = next(one for one in known["duties"] if one["role"] == "grid_leader")  # type: ignore[attr-defined]
    name = panel.locator(".name").first.inner_text()
    assert "网格长" in shown and name[0] == leader["person"]["name"][0] and len(name) > 1
    assert desktop.complaints == []
    assert all(url.startswith((service, "data:", "blob:")) for url in desktop.asked)


def test_a_link_reproduces_what_was_seen(service: str, desktop: Watched) -> None:
    enter_demo(desktop, service)
    desktop.page.wait_for_timeout(1500)
    desktop.page.mouse.click(560, 390)
    desktop.page.locator("#panel [data-grid]").wait_for(timeout=5000)
    desktop.page.wait_for_timeout(800)
    address, before = desktop.page.url, desktop.page.locator("#panel .name").first.inner_text()
    desktop.page.goto(f"{service}/login")
    desktop.page.goto(address)
    desktop.page.locator("#panel [data-grid]").wait_for(timeout=5000)
    assert desktop.page.locator("#panel .name").first.inner_text() == before


def test_a_tap_on_a_phone_raises_the_sheet(service: str, phone: Watched) -> None:
    enter_demo(phone, service)
    phone.page.wait_for_timeout(1500)
    phone.page.touchscreen.tap(150, 300)
    phone.page.locator("#panel [data-grid]").wait_for(timeout=5000)
    assert phone.page.locator("#panel").get_attribute("data-height") == "half"
    assert phone.complaints == []


def test_search_finds_a_grid_by_its_code(service: str, desktop: Watched) -> None:
    enter_demo(desktop, service)
    desktop.page.wait_for_timeout(1000)
    desktop.page.keyboard.press("/")
    desktop.page.keyboard.type("500237002003008")
    desktop.page.locator("#hits [role=option]").first.wait_for(timeout=5000)
    desktop.page.keyboard.press("ArrowDown")
    desktop.page.keyboard.press("Enter")
    desktop.page.locator('#panel [data-grid="500237002003008"]').wait_for(timeout=5000)


def test_the_public_sees_counts_and_no_phone(service: str, desktop: Watched) -> None:
    desktop.page.goto(f"{service}/map")
    desktop.page.wait_for_timeout(1500)
    desktop.page.mouse.click(560, 390)
    desktop.page.locator("#panel [data-grid]").wait_for(timeout=5000)
    shown = desktop.page.locator("#panel").inner_text()
    assert "*" in shown and "拨打" not in shown
    assert not any("/map/clusters" in url for url in desktop.asked)
    assert desktop.complaints == []


def test_the_page_is_light(service: str, desktop: Watched) -> None:
    answer = desktop.page.goto(f"{service}/map")
    assert answer is not None
    assert len(answer.body()) < 30_000
