"""The keyboard's help and its ways from page to page."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Watched
from tests.browser.test_accounts import enter_as
from tests.browser.test_safety import faults

pytestmark = pytest.mark.browser


def test_the_keyboard_is_told_on_every_page_and_leads_to_every_page(service: str, desktop: Watched) -> None:
    """? opens a dialog that holds the focus; Esc closes it and nothing else; g and a letter lead where one may go."""
    page = desktop.page
    enter_as(page, service, "admin")
    for path in ("/map", "/frontages", "/accounts", "/trail", "/imports", "/admin", "/account", "/people/new"):
        page.goto(f"{service}{path}")
        page.locator("body").press("?")
        keys = page.locator("dialog#keys")
        keys.wait_for()
        for _ in range(20):
            page.keyboard.press("Tab")
            assert page.evaluate(
                "document.activeElement === document.body || !!document.activeElement.closest('#keys')"
            )
        assert faults(page) == [], path
        page.keyboard.press("Escape")
        keys.wait_for(state="hidden")
    page.goto(f"{service}/grids/500237002001001")
    page.locator("details.menu summary").first.click()
    page.locator(".bar [data-keys]").click()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    page.locator("dialog#keys").wait_for(state="hidden")
    assert page.locator("aside.detail").is_visible() and page.url.endswith("001001"), "the page below had no part in it"
    for letter, path in (("t", "/trail"), ("f", "/frontages"), ("u", "/accounts"), ("m", "/map")):
        page.keyboard.press("g")
        page.keyboard.press(letter)
        page.wait_for_url(f"**{path}*")
    page.locator("#seek-input").click()
    page.keyboard.type("?g")
    assert not page.locator("dialog#keys").is_visible(), "typed, not asked"
    enter_as(page, service, "officer")
    page.locator("body").press("?")
    letters = page.locator("#keys a[data-letter]").evaluate_all("all => all.map((one) => one.dataset.letter)")
    assert "t" not in letters and "a" not in letters and "f" in letters
    assert desktop.complaints == []
