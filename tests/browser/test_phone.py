"""A phone of 390×844: the sheet and its heights, a tap that answers, room for a thumb, nothing too wide."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, CDPSession, Page, StorageState

from tests.browser.conftest import Watched
from tests.browser.serving import demo_session, rest

pytestmark = pytest.mark.browser
LEAST_TAP = 40
STAGE = 844 - 52 - 56  # without the top bar and the dock

# What can be tapped, with the area that answers: the element's own and its ::after, or its label's.
_SMALL = """(least) => {
  const shown = (el) => el.checkVisibility({ visibilityProperty: true }) && el.getClientRects().length;
  const area = (el) => {
    const r = (el.closest('label') ?? el).getBoundingClientRect();
    const more = getComputedStyle(el, '::after');
    const grow = more.content === 'none' || more.position !== 'absolute' ? 0 : -2 * parseFloat(more.top);
    return [r.width, r.height + Math.max(0, grow || 0)];
  };
  const inText = (el) => getComputedStyle(el).display === 'inline';
  return [...document.querySelectorAll('a, button, input, select, summary')]
    .filter((el) => shown(el) && el.type !== 'hidden' && !el.matches('.skip') && !inText(el))
    .map((el) => [el.id || el.textContent.trim() || el.name || el.outerHTML, ...area(el)])
    .filter(([, wide, high]) => wide < least || high < least);
}"""
_POINT = """() => {
  const [lon, lat] = new URLSearchParams(location.search).get('p').split(',').map(Number);
  const { x, y } = window.steward.board.map.latLngToContainerPoint([lat, lon]);
  return [x, y];
}"""
_WIDER = """() => [...document.querySelectorAll('body *')]
  .filter((el) => !el.closest('.board, .sr, svg, option') && el.checkVisibility() && !el.closest('[hidden]'))
  .map((el) => [el.id || el.className || el.tagName, Math.round(el.getBoundingClientRect().right)])
  .filter(([, right]) => right > innerWidth)"""


_CALL = "#answer [data-call]"


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, service: str) -> StorageState:
    return demo_session(chromium, service)


@pytest.fixture
def hand(chromium: Browser, service: str, signed_in: StorageState) -> Iterator[Page]:
    """The map on a supervisor's phone, which must not have complained by the end."""
    context = chromium.new_context(
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        storage_state=signed_in,
    )
    watched = Watched(context.new_page())
    watched.page.goto(f"{service}/map")
    rest(watched.page)
    yield watched.page
    context.close()
    assert watched.complaints == []


def height(page: Page) -> float:
    """The sheet's height once it has come to rest."""
    page.wait_for_function("document.getElementById('panel').getAnimations().length === 0")
    box = page.locator("#panel").bounding_box()
    assert box is not None and box["x"] == 0 and box["width"] == 390
    assert box["y"] + box["height"] == pytest.approx(844 - 56, abs=1), "it stands on the dock"
    return box["height"]


def drag(page: Page, touch: CDPSession, to: float) -> None:
    """A finger takes the grip to a height on the screen."""
    box = page.locator("#grip").bounding_box()
    assert box is not None
    start = box["y"] + box["height"] / 2
    point = {"x": 195.0, "y": start}
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    for step in range(1, 6):
        point = {"x": 195.0, "y": start + (to - start) * step / 5}
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_tap_answers_above_the_sheet(hand: Page) -> None:
    assert height(hand) == 132
    hand.touchscreen.tap(200, 330)
    hand.locator("#panel [data-grid]").wait_for()
    rest(hand)
    assert hand.locator("#panel").get_attribute("data-height") == "half"
    assert height(hand) == pytest.approx(0.56 * STAGE, abs=1)
    assert "网格长" in hand.locator("#panel .lead").inner_text()
    lead, sheet = hand.locator("#panel .lead").bounding_box(), hand.locator("#panel").bounding_box()
    assert lead and sheet and sheet["y"] < lead["y"] < sheet["y"] + 60, "the leader comes first"
    x, y = hand.evaluate(_POINT)
    top = hand.locator(".board").bounding_box()
    assert top and 0 < x < 390 and 52 < y + top["y"] < sheet["y"], "the tapped point stays in sight"


def test_the_grip_goes_through_three_heights(hand: Page) -> None:
    assert height(hand) == 132
    for name, share in (("half", 0.56), ("full", 1.0)):
        hand.locator("#grip").tap()
        assert hand.locator("#panel").get_attribute("data-height") == name
        assert height(hand) == pytest.approx(share * STAGE, abs=1)
        assert hand.locator("#grip").get_attribute("aria-expanded") == "true"
    hand.locator("#grip").tap()
    assert height(hand) == 132
    assert hand.locator("#grip").get_attribute("aria-expanded") == "false"


def test_a_finger_draws_the_sheet_up_and_down(hand: Page) -> None:
    touch = hand.context.new_cdp_session(hand)
    for to, name, share in ((420.0, "half", 0.56), (90.0, "full", 1.0), (460.0, "half", 0.56)):
        drag(hand, touch, to)
        assert hand.locator("#panel").get_attribute("data-height") == name
        assert height(hand) == pytest.approx(share * STAGE, abs=1)
    drag(hand, touch, 760.0)
    assert hand.locator("#panel").get_attribute("data-height") == "peek"
    assert height(hand) == 132


def test_a_long_answer_scrolls_inside_the_sheet(hand: Page) -> None:
    hand.touchscreen.tap(200, 330)
    answer = hand.locator("#panel .scroll.asked")
    answer.wait_for()
    rest(hand)
    height(hand)
    last = hand.locator("#panel [data-copy]")
    assert not last.evaluate("(one) => one.getBoundingClientRect().bottom <= innerHeight - 56")
    answer.evaluate("(one) => one.scrollTo(0, one.scrollHeight)")
    assert last.evaluate("(one) => one.getBoundingClientRect().bottom <= innerHeight - 56")
    hand.locator("#panel .shut").tap()
    assert hand.locator("#answer").is_hidden() and height(hand) == 132


def test_nothing_is_wider_than_the_screen_nor_too_small_for_a_thumb(hand: Page, service: str) -> None:
    def fits(state: str) -> None:
        assert hand.evaluate("document.documentElement.scrollWidth <= innerWidth"), state
        assert hand.evaluate(_WIDER) == [], state
        assert hand.evaluate(_SMALL, LEAST_TAP) == [], state

    hand.set_viewport_size({"width": 360, "height": 740})
    fits("narrow map")
    hand.set_viewport_size({"width": 390, "height": 844})
    fits("map")
    hand.locator("#fold").tap()
    fits("layers")
    hand.locator("#fold").tap()
    hand.locator("#pick").tap()
    fits("filters")
    hand.locator('#filters [type="submit"]').tap()
    hand.touchscreen.tap(200, 330)
    hand.locator("#panel [data-grid]").wait_for()
    hand.locator("#grip").tap()
    height(hand)
    fits("answer")
    hand.locator(".dock summary").tap()
    fits("account")
    hand.goto(f"{service}/account/password")
    fits("password")
    hand.context.clear_cookies()
    hand.goto(f"{service}/login")
    fits("sign-in")


def test_a_call_button_dials(hand: Page, service: str) -> None:
    hand.goto(f"{service}/map?p=109.8782,31.0718")
    rest(hand)
    hand.locator(_CALL).first.click()
    link = hand.locator("#answer a.call[href^='tel:1']")
    link.wait_for()
    assert link.get_attribute("href") == f"tel:{(link.get_attribute('aria-label') or '').split()[-1]}"
