"""What is shown while an answer takes longer than a moment, and when a filter leaves nothing."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.sync_api import Route

from tests.browser.conftest import Watched, enter_demo
from tests.browser.serving import rest

pytestmark = pytest.mark.browser


def test_a_detail_the_search_and_the_answer_show_that_they_are_read(service: str, desktop: Watched) -> None:
    page = desktop.page
    held: list[Route] = []

    def hold(pattern: str) -> None:
        page.route(pattern, lambda route: held.append(route))

    def let_go() -> None:
        while held:
            held.pop().continue_()

    enter_demo(desktop, service)
    rest(page)
    page.locator(".leaflet-container").first.click(position={"x": 500, "y": 400})
    page.locator("#answer .lead").first.wait_for()
    hold("**/map/answer*")
    page.locator(".leaflet-container").first.click(position={"x": 620, "y": 330})
    page.locator("#answer .bones").wait_for()
    assert page.locator("#answer .lead").count() == 0, "not the person of the place before"
    let_go()
    page.locator("#answer .lead").first.wait_for()
    assert page.locator("#answer .bones").count() == 0
    page.goto(f"{service}/grids")
    hold("**/map/search*")
    page.locator("#seek-input").fill("聚鹤")
    page.locator("#hits .bones").wait_for()
    let_go()
    page.locator("#hits [data-i]").first.wait_for()
    assert page.locator("#hits .bones").count() == 0
    page.keyboard.press("Escape")
    hold("**/grids/*")
    page.locator("#rows tr").nth(1).click()
    page.locator("#detail .bones").wait_for()
    let_go()
    page.locator("#detail .inside").wait_for()
    assert page.locator("#detail .bones").count() == 0 and desktop.complaints == []


def test_a_fast_answer_shows_no_grey_lines(service: str, desktop: Watched) -> None:
    page = desktop.page
    enter_demo(desktop, service)
    page.goto(f"{service}/grids")
    page.evaluate("""() => {
      window.seen = 0;
      new MutationObserver(() => { window.seen += document.querySelectorAll('.bones').length; })
        .observe(document.body, { childList: true, subtree: true });
    }""")
    page.locator("#rows tr").nth(1).click()
    page.locator("#detail .inside").wait_for()
    assert page.evaluate("window.seen") == 0


def test_a_filter_that_leaves_nothing_says_so_until_it_is_cleared(service: str, desktop: Watched) -> None:
    page = desktop.page
    enter_demo(desktop, service)
    page.goto(f"{service}/map?from=2001-01-01&to=2001-01-02&community={quote('500237002001')}")
    told = page.locator("#say")
    told.get_by_text("没有符合筛选的事项").wait_for()
    page.wait_for_timeout(5_500)
    assert told.is_visible(), "it stays"
    told.get_by_role("button", name="清除筛选").click()
    told.wait_for(state="hidden")
    rest(page)
    assert "from=" not in page.url and desktop.complaints == []


def test_the_legend_leaves_a_small_map_free(service: str, desktop: Watched) -> None:
    page = desktop.page
    page.set_viewport_size({"width": 768, "height": 1024})
    enter_demo(desktop, service)
    rest(page)
    assert not page.locator("#legend-body").is_visible()
    page.get_by_role("button", name="展开图层与图例").click()
    assert page.locator("#legend-body").is_visible()
    for path in ("/incidents", "/places", "/trail", "/accounts", "/imports"):
        page.goto(service + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
