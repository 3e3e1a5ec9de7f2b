"""A clerk's files in a real browser: from the upload to the map, and back by undoing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
import shapely
from playwright.sync_api import Browser, Page
from sqlalchemy import func, select

from service.config import ROOT
from service.frontages.models import Frontage
from service.geo.crs import wgs84_to_gcj02
from service.people.accounts import create_account
from service.people.models import Person
from tests.browser.conftest import Watched
from tests.browser.serving import Town, demo_serving
from tests.conftest import MONDAY_NOON, PASSWORD
from tests.stores import Stores

pytestmark = pytest.mark.browser
LEAST_TOUCH = 44.0
HOSTILE = "<img src=x onerror=alert(1)>"
_TOO_SMALL = """(least) => [...document.querySelectorAll('main a, main button, main label, main select, main summary')]
  .filter((el) => el.checkVisibility({ visibilityProperty: true }) && !el.closest('.sr, p, .mapping .f'))
  .map((el) => [el.textContent.trim().slice(0, 20), Math.round(el.getBoundingClientRect().height)])
  .filter(([, height]) => height > 0 && height < least - 1)"""


@pytest.fixture(scope="module")
def town(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """With the demo's grids to draw on, and an account of the office's own."""
    with demo_serving(stores, tmp_path_factory.mktemp("imports")) as running:
        with running.database.write() as session:
            create_account(session, "clerk", "supervisor", PASSWORD, MONDAY_NOON)
        yield running


@pytest.fixture(scope="module")
def amap_shops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shops of the demo under other names, as they would come out of Amap: GCJ-02, GB18030."""
    demo = json.loads((ROOT / "gis_data" / "demo" / "frontages.geojson").read_text(encoding="utf-8"))["features"]
    lines = ["门店名称,经营类别,联系电话,经度,纬度"]
    starts = [feature["geometry"]["coordinates"] for feature in demo]
    spots = sorted((spot[0] if isinstance(spot[0], list) else spot) for spot in starts)[-300::10]
    for i, (lon, lat) in enumerate(spots):  # in the east, where the shift leads out of the area
        (x,), (y,) = wgs84_to_gcj02([lon], [lat])  # type: ignore[arg-type]
        lines.append(f"{HOSTILE if i == 2 else f'新店{i}'},餐饮,1380000{i:04d},{x:.6f},{y:.6f}")
    path = tmp_path_factory.mktemp("files") / "门店_高德.csv"
    path.write_bytes("\n".join(lines).encode("gb18030"))
    return path


@pytest.fixture(scope="module")
def roll(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a clerk makes it: a title and a line of who filled it in above the header; one row without a name."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["龙门街道网格员花名册"])
    sheet.append(["填表人：王某", None, None, None, "2026-11-01"])
    sheet.append(["序号", "姓名", "手机号码", "所属单位", "职务"])
    for i in range(12):
        sheet.append([i + 1, None if i == 5 else f"新人{i}", 13900000000 + i, None, "专职网格员"])
    path = tmp_path_factory.mktemp("files") / "网格员花名册.xlsx"
    book.save(path)
    return path


def sign_in(page: Page, address: str) -> None:
    page.goto(f"{address}/login")
    page.fill("[name=name]", "clerk")
    page.fill("[name=password]", PASSWORD)
    page.locator("form[action$='/login'] button[type=submit]").first.click()
    page.wait_for_url("**/map*")


def upload(page: Page, address: str, path: Path) -> None:
    page.goto(f"{address}/imports")
    page.set_input_files("input[type=file]", path)
    page.locator("text=读到的内容").wait_for(timeout=20_000)


def tally(page: Page) -> list[str]:
    return page.locator(".tally .n").all_inner_texts()


def number_of(town: Town, model: type[Frontage] | type[Person]) -> int:
    with town.database.read() as session:
        return session.scalar(select(func.count(model.id))) or 0


def test_a_gcj_file_goes_to_the_map_and_back(town: Town, amap_shops: Path, desktop: Watched) -> None:
    page, before = desktop.page, number_of(town, Frontage)
    sign_in(page, town.address)
    upload(page, town.address, amap_shops)
    assert page.locator("input[name=kind]:checked").get_attribute("value") == "frontages"
    page.get_by_role("button", name="下一步：对应列").click()
    page.wait_for_load_state()
    shop = page.locator("tr[data-field]:has(#map-shop_name)")
    shop.locator("select").select_option("经营类别")
    assert shop.locator(".ex i").all_inner_texts() == ["餐饮"]
    shop.locator("select").select_option("门店名称")
    assert HOSTILE in shop.locator(".ex").inner_text()
    page.get_by_role("button", name="下一步：坐标").click()
    page.locator("text=这些点如果是 GCJ-02").wait_for()
    shown = page.locator("svg.map g[data-crs]:not([hidden])")
    assert shown.get_attribute("data-crs") == "gcj02" and shown.locator(".out").get_attribute("d") == ""
    page.locator("input[value='EPSG:4326']").check()
    assert shown.get_attribute("data-crs") == "EPSG:4326"
    page.locator("input[value='gcj02']").check()
    page.get_by_role("button", name="下一步：核对").click()
    page.get_by_role("button", name="开始核对").click()
    page.get_by_role("button", name="存入 30 行").wait_for(timeout=20_000)
    assert tally(page) == ["30", "30", "0", "0", "0"] and number_of(town, Frontage) == before
    page.get_by_role("button", name="存入 30 行").click()
    page.goto(f"{town.address}/imports")  # left, and found again
    page.get_by_role("link", name="门店_高德.csv").first.click()
    page.wait_for_url("**/imports/batches/*", timeout=20_000)
    assert number_of(town, Frontage) == before + 30
    place = page.evaluate("fetch('/map/search?q=' + encodeURIComponent('新店7')).then((answer) => answer.text())")
    assert "新店7" in place
    page.get_by_role("button", name="撤回整次导入…").click()
    page.get_by_role("button", name="撤回 30 行").click(timeout=20_000)
    page.locator("text=撤回了：删去 30 行").wait_for(timeout=20_000)
    assert number_of(town, Frontage) == before
    assert desktop.complaints == []
    assert all(url.startswith((town.address, "data:", "blob:")) for url in desktop.asked)


def test_a_roll_with_a_title_is_stored_on_a_phone_and_undone(town: Town, roll: Path, phone: Watched) -> None:
    page, before = phone.page, number_of(town, Person)
    sign_in(page, town.address)
    upload(page, town.address, roll)
    assert "表头在第 3 行" in page.locator(".notes").inner_text()
    for step, name in (("file", "下一步：对应列"), ("columns", "下一步：核对"), ("verdict", "开始核对")):
        page.wait_for_url(f"**/{step}")
        assert page.evaluate(_TOO_SMALL, LEAST_TOUCH) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.get_by_role("button", name=name).click()
    page.get_by_role("button", name="存入 11 行").wait_for(timeout=20_000)
    assert tally(page) == ["12", "11", "0", "0", "1"]
    page.get_by_role("button", name="存入 11 行").click()
    page.wait_for_url("**/imports/batches/*", timeout=20_000)
    assert number_of(town, Person) == before + 11
    page.get_by_role("button", name="撤回整次导入…").click()
    page.get_by_role("button", name="撤回 11 行").click(timeout=20_000)
    page.locator("text=撤回了：删去 11 行").wait_for(timeout=20_000)
    assert number_of(town, Person) == before and phone.complaints == []


def test_the_upload_says_what_is_wrong_without_losing_the_page(
    town: Town, chromium: Browser, desktop: Watched, tmp_path: Path
) -> None:
    page = desktop.page
    sign_in(page, town.address)
    page.goto(f"{town.address}/imports")
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("x")
    page.set_input_files("input[type=file]", [tmp_path / "a.csv", tmp_path / "b.csv"])
    page.locator("[data-fault]:not([hidden])", has_text="一次上传一份").wait_for(timeout=10_000)
    assert page.locator(".drop-zone").is_visible()


@pytest.fixture(scope="module")
def untidy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's grids, one drawn 15 m too large, one 10 m too small, one by the width of a hand."""
    demo = json.loads((ROOT / "gis_data" / "demo" / "grids.geojson").read_text(encoding="utf-8"))
    rows = [one for one in demo["features"] if one["properties"]["kind"] != "micro_grid"]
    for i, degrees in ((3, 0.00015), (20, -0.0001), (60, 0.000001)):
        drawn = shapely.geometry.shape(rows[i]["geometry"]).buffer(degrees)
        rows[i]["geometry"] = shapely.geometry.mapping(drawn)
    path = tmp_path_factory.mktemp("files") / "网格_没对齐.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows}), encoding="utf-8")
    return path


_SEEN = """(n) => {
  const svg = document.querySelector('[data-faults] svg.map').getBoundingClientRect();
  const spot = document.querySelector(`[data-faults] g[data-n="${n}"] .spot`).getBoundingClientRect();
  return { inside: spot.left >= svg.left - 2 && spot.right <= svg.right + 2 && spot.top >= svg.top - 2
    && spot.bottom <= svg.bottom + 2, share: Math.max(spot.width / svg.width, spot.height / svg.height) };
}"""


def test_where_grids_do_not_tile_is_drawn_and_a_row_leads_there(town: Town, untidy: Path, desktop: Watched) -> None:
    page = desktop.page
    sign_in(page, town.address)
    upload(page, town.address, untidy)
    for name in ("下一步：对应列", "下一步：坐标", "下一步：核对", "开始核对"):
        page.get_by_role("button", name=name).click()
    rows = page.locator(".spots button")
    rows.first.wait_for(timeout=60_000)
    spots = page.locator("[data-faults] g.at")
    assert rows.count() == spots.count() > 5 and "m²" in rows.first.inner_text()
    whole = page.locator("[data-faults] svg.map").get_attribute("viewBox")
    for row in (rows.first, rows.last):
        row.click()
        seen = page.evaluate(_SEEN, row.get_attribute("data-n"))
        assert seen["inside"] and seen["share"] > 0.3, seen
        assert row.get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="看全部").click()
    assert page.locator("[data-faults] svg.map").get_attribute("viewBox") == whole
    assert page.locator(".spots button[aria-pressed=true]").count() == 0
    page.locator("[data-faults] g[data-n='2'] .spot").dispatch_event("click")
    assert page.locator(".spots button[data-n='2']").get_attribute("aria-pressed") == "true"
    page.keyboard.press("Tab")
    with page.expect_download() as told:
        page.get_by_role("link", name="下载界线问题").click()
    assert len(json.loads(Path(told.value.path()).read_text(encoding="utf-8"))["features"]) == rows.count()
    assert desktop.complaints == []
