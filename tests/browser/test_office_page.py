"""/admin in the browser, desktop and phone: nothing complains, effects follow the typing, an error is seen at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from service.people.accounts import create_account
from tests.browser.conftest import Watched
from tests.browser.serving import Town, demo_serving
from tests.conftest import MONDAY_NOON, PASSWORD
from tests.stores import Stores

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def town(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with demo_serving(stores, tmp_path_factory.mktemp("office")) as running:
        with running.database.write() as session:
            create_account(session, "head", "admin", PASSWORD, MONDAY_NOON)
        yield running


def enter(watched: Watched, town: Town) -> Page:
    page = watched.page
    page.goto(f"{town.address}/login?next=/admin")
    page.fill("#f-name", "head")
    page.fill("#f-password", PASSWORD)
    page.click('form[action$="/login"] button')
    page.wait_for_url("**/admin")
    page.locator("#view-map canvas").wait_for()
    return page


def test_what_a_field_does_is_seen_before_it_is_saved(town: Town, desktop: Watched) -> None:
    page = enter(desktop, town)
    before = int(page.inner_text('[data-effect="near"]'))
    page.fill("#f-border_m", "60")
    page.wait_for_function(f"() => Number(document.querySelector('[data-effect=near]').textContent) > {before + 20}")
    page.fill("#identity #f-name", "<i>新街道</i>")
    assert page.inner_text('[data-live="name"]') == "<i>新街道</i>"
    shown = page.locator(".asif:visible")
    for rule, word in (("off", "请先登录"), ("basic", "*"), ("names", "网格长")):
        page.check(f'#public [value="{rule}"]')
        assert shown.count() == 1 and word in shown.inner_text()
    assert "*" not in page.locator('.asif[data-rule="names"] h2.name').inner_text()
    assert desktop.complaints == []
    assert all(url.startswith(town.address) for url in desktop.asked if not url.startswith(("data:", "blob:")))


def test_the_first_view_is_what_the_small_map_shows(town: Town, desktop: Watched) -> None:
    page = enter(desktop, town)
    west = float(page.input_value("#f-west"))
    box = page.locator("#view-map")
    box.scroll_into_view_if_needed()
    box.hover()
    page.mouse.wheel(0, -120)
    page.wait_for_function(f"() => Number(document.getElementById('f-west').value) > {west}")
    assert page.is_checked('[name="frame"][value="box"]')
    chosen = float(page.input_value("#f-west"))
    page.click("#view button[type=submit]")
    page.wait_for_url("**saved=view**")
    page.goto(f"{town.address}/map")
    page.wait_for_function("() => window.steward?.board?.drawn")
    assert page.evaluate("() => window.steward.board.map.getBounds().getWest()") <= chosen
    assert page.evaluate("() => window.steward.board.bounds[0]") == pytest.approx(chosen, abs=1e-5)
    assert desktop.complaints == []


def test_an_error_is_where_the_eye_is(town: Town, desktop: Watched) -> None:
    page = enter(desktop, town)
    page.fill("#f-uploads_days", "0")
    page.click("#retention button[type=submit]")
    wrong = page.locator("#retention .field.wrong .bad")
    wrong.wait_for()
    expect(wrong).to_be_in_viewport()
    assert page.input_value("#f-uploads_days") == "0"


@pytest.mark.parametrize("screen", ["desktop", "phone"])
def test_it_can_be_read_and_used_by_all(town: Town, screen: str, request: pytest.FixtureRequest) -> None:
    watched: Watched = request.getfixturevalue(screen)
    page = enter(watched, town)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    if screen == "phone":
        small = page.evaluate(
            "() => [...document.querySelectorAll('main .act, main .rooms a, main .ways label')]"
            ".filter((one) => one.offsetHeight && one.offsetHeight < 44).map((one) => one.textContent.trim())"
        )
        assert small == []
