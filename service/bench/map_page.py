"""The map as a signed-in supervisor's browser sees it, with up to a million incidents; and its clusters over HTTP."""

from __future__ import annotations

import http.client
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from service.bench.figures import ROUNDS, Context, Figure, figure
from service.bench.servers import service_server
from service.bench.town import filled_town
from service.errors import Unavailable

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_SIZES = (10_000, 100_000, 1_000_000)
_VIEWS = 40
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
_DRAWN = """async ([names, after]) => {
  const last = (name) => performance.getEntriesByName(name).map((e) => e.startTime).filter((t) => t > after).pop();
  while (names.some((name) => last(name) === undefined)) await new Promise((done) => setTimeout(done, 4));
  return Object.fromEntries(names.map((name) => [name, last(name)]));
}"""
_PAN = """(share) => {
  const map = window.steward.board.map;
  const from = performance.now();
  map.panBy([Math.round(map.getSize().x * share), 0], { animate: false });
  return from;
}"""


def measure(context: Context) -> list[Figure]:
    """Each size in a service of its own. Raises Unavailable without Playwright or a browser."""
    figures: list[Figure] = []
    with _browser() as browser:
        for size in _SIZES:
            count = context.count(size)
            with ExitStack() as running:
                place = Path(running.enter_context(tempfile.TemporaryDirectory()))
                bounds = filled_town(place, count, context)
                port = running.enter_context(service_server(place))
                figures += _on_the_page(browser, port, count, last=size == _SIZES[-1])
                if size == _SIZES[-1]:
                    figures += _over_http(browser, port, bounds, context)
    return figures


@contextmanager
def _browser() -> Iterator[Browser]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise Unavailable("没有安装 Playwright：pip install -r requirements-test.txt。") from None
    program = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    if program is None:
        raise Unavailable("这台机器上没有 Chromium：apt install chromium。")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=_ARGUMENTS)
        yield browser
        browser.close()


def _signed_in(browser: Browser, port: int) -> Any:
    """The cookies of the demo's supervisor."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{port}/login")
    page.locator('form[action$="/login/demo"] button').click()
    page.wait_for_url("**/map*")
    _drawn(page, 0)
    cookies = context.cookies()
    context.close()
    return {"cookies": cookies, "origins": []}


def _drawn(page: Page, after: float, *names: str) -> dict[str, float]:
    """When the named layers stood on the screen, in ms since navigation began."""
    given: dict[str, float] = page.evaluate(_DRAWN, [list(names) or ["grids-drawn", "clusters-drawn"], after])
    return given


def _on_the_page(browser: Browser, port: int, count: int, last: bool) -> list[Figure]:
    """Navigation to grids and clusters drawn, with nothing cached; memory; a pan to new ground."""
    cookies = _signed_in(browser, port)
    opening, panning, heap = [], [], []
    for _ in range(ROUNDS):
        context = browser.new_context(storage_state=cookies, viewport={"width": 1400, "height": 900})
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{port}/map", wait_until="domcontentloaded")
        opening.append(max(_drawn(page, 0).values()))
        page.wait_for_load_state("networkidle")
        for share in (0.3, -0.3):
            begun: float = page.evaluate(_PAN, share)
            panning.append(_drawn(page, begun, "clusters-drawn")["clusters-drawn"] - begun)
        heap.append(_heap(page))
        context.close()
    label = f"{count:,} 件"
    note = f"{ROUNDS} 次，每次新的浏览器会话"
    return [
        figure(
            f"{label}：打开到网格和聚合画出", statistics.median(opening), "ms", most=1_000 if last else None, note=note
        ),
        figure(f"{label}：平移到聚合画出", statistics.median(panning), "ms", most=300 if last else None),
        figure(f"{label}：页面内存", statistics.median(heap), "MB", most=30 if last else None, note="回收之后"),
    ]


def _heap(page: Page) -> float:
    """MB that the page's scripts hold."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used: float = session.send("Runtime.getHeapUsage")["usedSize"]
    return used / 1e6


def _over_http(
    browser: Browser, port: int, bounds: tuple[float, float, float, float], context: Context
) -> list[Figure]:
    """/map/clusters on one connection: the 95th percentile over random views."""
    cookies = "; ".join(f"{one['name']}={one['value']}" for one in _signed_in(browser, port)["cookies"])
    views = _views(context.rng(), bounds)
    asked = {
        "不筛选": ("", 50),
        "一个类别": ("&category=09006&status=all", 150),
        "一个社区": ("&community=500237002001&status=all", 150),
        "一段时间": ("&from=2025-12-01&to=2026-10-31&status=all", 150),
        "只看超期": ("&status=late", 150),
        "四项一起": (
            "&category=09006&community=500237002001&from=2025-12-01&to=2026-10-31&status=late",
            150,
        ),
    }
    connection = http.client.HTTPConnection("127.0.0.1", port)
    out = []
    for label, (query, most) in asked.items():
        taken = [_ask(connection, view + query, cookies) for _ in range(ROUNDS) for view in views]
        note = f"{_VIEWS} 个随机视图 × {ROUNDS} 轮"
        out.append(
            figure(f"聚合接口：{label}，第 95 百分位", float(np.percentile(taken, 95)), "ms", most=most, note=note)
        )
    connection.close()
    return out


def _ask(connection: http.client.HTTPConnection, path: str, cookies: str) -> float:
    begun = time.perf_counter()
    connection.request("GET", path, headers={"Cookie": cookies})
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status}")
    return (time.perf_counter() - begun) * 1e3


def _views(rng: np.random.Generator, bounds: tuple[float, float, float, float]) -> list[str]:
    """Paths for random places at the zooms of clusters, each the size of a screen and its margin."""
    west, south, east, north = bounds
    out = []
    for _ in range(_VIEWS):
        zoom = int(rng.integers(12, 17))
        degrees = 360 / 256 / 2**zoom
        wide, high = 2_000 * degrees / 2, 1_300 * degrees / 2 * 0.856
        lon, lat = rng.uniform(west, east), rng.uniform(south, north)
        out.append(
            f"/map/clusters?bbox={lon - wide:.6f},{lat - high:.6f},{lon + wide:.6f},{lat + high:.6f}&z={zoom}&cell=64"
        )
    return out
