"""A draft in a browser: signs in by role, begins one, and draws on its map as a hand would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page

from tests.browser.conftest import Watched
from tests.browser.serving import DESKTOP, Town

HOME = "500237002001"
Spot = tuple[float, float]

_SPOT = """([lon, lat]) => {
  const { map } = window.steward.desk;
  const { left, top } = map.getContainer().getBoundingClientRect();
  const { x, y } = map.latLngToContainerPoint([lat, lon]);
  return [x + left, y + top];
}"""
_BOX = """(code) => {
  const { board, grids } = window.steward;
  const [x0, y0, x1, y1] = grids.find(code).box;
  return [board.frame.lon(x0), board.frame.lat(y0), board.frame.lon(x1), board.frame.lat(y1)];
}"""
_RESTS = """() => {
  const { board, desk, model } = window.steward ?? {};
  return !!board?.drawn && model?.version > 0 && !desk.saving && !board.soon
    && !board.map._animatingZoom && !board.map._panAnim?._inProgress;
}"""


@contextmanager
def entered(chromium: Browser, town: Town, role: str, **context: object) -> Iterator[Watched]:
    """A page of a demo role, on the map."""
    given = {"viewport": DESKTOP, "locale": "zh-CN", "timezone_id": "Asia/Shanghai", **context}
    opened = chromium.new_context(**given)  # type: ignore[arg-type]
    watched = Watched(opened.new_page())
    watched.page.goto(f"{town.address}/login")
    watched.page.locator(f'form[action$="/login/demo{"" if role == "supervisor" else "/" + role}"] button').click()
    watched.page.wait_for_url("**/map*")
    yield watched
    opened.close()


def begin(page: Page, town: Town, *homes: str) -> None:
    """A new draft of the communities, from the page of editions; ends in its editor."""
    page.goto(f"{town.address}/grids/editions")
    page.locator("#new summary").click()
    for home in homes:
        page.locator(f'#begin input[value="{home}"]').check()
    page.locator('#begin [type="submit"]').click()
    page.wait_for_url("**/grids/drafts/*")
    settled(page)


def settled(page: Page) -> None:
    """Waits until the draft has been read, saved and drawn."""
    page.wait_for_timeout(120)
    page.wait_for_function(_RESTS, timeout=10_000)


def box(page: Page, code: str) -> tuple[float, float, float, float]:
    """West, south, east, north of a grid as drawn."""
    west, south, east, north = page.evaluate(_BOX, code)
    return west, south, east, north


def middle(page: Page, code: str) -> Spot:
    west, south, east, north = box(page, code)
    return (west + east) / 2, (south + north) / 2


def pixel(page: Page, spot: Spot) -> tuple[float, float]:
    x, y = page.evaluate(_SPOT, list(spot))
    return x, y


def press(page: Page, spot: Spot) -> None:
    """A click at a longitude and latitude."""
    at = pixel(page, spot)
    page.mouse.move(*at)
    page.mouse.click(*at)


def line(page: Page, *spots: Spot) -> None:
    """A line point by point; the last one is double-clicked."""
    for spot in spots[:-1]:
        press(page, spot)
    at = pixel(page, spots[-1])
    page.mouse.move(*at)
    page.mouse.dblclick(*at)
    page.wait_for_function("() => !window.steward.pencil.drawing")


def tool(page: Page, name: str) -> None:
    page.locator(f'[data-tool="{name}"]').click()


def save(page: Page) -> None:
    """The tool's button, and what comes of it."""
    with page.expect_response(lambda one: "/api/v1/grids/drafts/" in one.url and one.request.method == "POST"):
        page.locator("#task-ends .main").click()
    settled(page)


def split(page: Page, code: str) -> None:
    """A grid from north to south, half and half."""
    tool(page, "split")
    press(page, middle(page, code))
    lon, south, north = middle(page, code)[0], box(page, code)[1], box(page, code)[3]
    line(page, (lon, north + 0.0002), (lon, south - 0.0002))
    save(page)


def areas(page: Page) -> dict[str, float]:
    """m² of each tiling grid."""
    found: dict[str, float] = page.evaluate(
        "() => Object.fromEntries(window.steward.model.tiles.map((one) => [one.code, one.area_m2]))"
    )
    return found
