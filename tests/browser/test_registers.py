"""Registers at work: list, chip, detail, edit, course; keys; bulk; views; a form's map; phones; without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect
from sqlalchemy import select

from service.db.spatial import decode
from service.frontages.models import Frontage
from tests.browser.conftest import Watched
from tests.browser.serving import DESKTOP, Town, demo_serving, demo_session
from tests.browser.test_safety import faults
from tests.stores import Stores

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
HURTFUL = "<img src=x onerror=window.hurt=1>"
SMALL = """() => [...document.querySelectorAll('a, button, summary, input, select')]
  .filter((one) => one.offsetParent && !one.closest('.minifig, .trace, p, td, .facts, .skip'))
  .map((one) => [one, (one.closest('label') || one).getBoundingClientRect()])
  .filter(([one, box]) => box.width && (box.height < 36 || (box.height < 44 && !one.matches('.chip, .chip *'))))
  .map(([one]) => one.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def town(stores: Stores, chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with demo_serving(stores, tmp_path_factory.mktemp("registers")) as running:
        yield running


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, town: Town) -> StorageState:
    return demo_session(chromium, town.address)


def opened(chromium: Browser, state: StorageState, **more: object) -> Watched:
    given = {"viewport": DESKTOP, "locale": "zh-CN", "timezone_id": "Asia/Shanghai", "storage_state": state, **more}
    return Watched(chromium.new_context(**given).new_page())  # type: ignore[arg-type]


@pytest.fixture
def desk(chromium: Browser, town: Town, signed_in: StorageState) -> Iterator[Watched]:
    """A supervisor's page, which must not have complained by the end."""
    watched = opened(chromium, signed_in)
    yield watched
    watched.page.context.close()
    assert [one for one in watched.complaints if "status of 4" not in one] == []


@pytest.fixture
def hand(chromium: Browser, town: Town, signed_in: StorageState) -> Iterator[Watched]:
    watched = opened(chromium, signed_in, viewport=PHONE, is_mobile=True, has_touch=True)
    yield watched
    watched.page.context.close()
    assert watched.complaints == []


def path(page: Page) -> str:
    return (
        unquote(page.url)
        .partition(
            "/",
        )[2]
        .partition("/")[2]
        .partition("/")[2]
    )


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def words(page: Page, selector: str) -> list[str]:
    """Texts without their spaces: a line of a flex box is one line or two."""
    return ["".join(text.split()) for text in page.locator(selector).all_inner_texts()]


def test_from_the_list_over_a_chip_to_a_correction_and_its_course(town: Town, desk: Watched) -> None:
    page = desk.page
    page.goto(f"{town.address}/frontages")
    page.locator(".chip.add").click()
    page.locator('#filters [name="state"]').select_option("vacant")
    page.locator('#filters [name="community"]').select_option("500237002001")
    page.locator('#filters [type="submit"]').click()
    page.wait_for_url("**/frontages?*")
    assert query(page) == {"state": ["vacant"], "community": ["500237002001"]}, "empty boxes stay out of the address"
    assert sorted(words(page, "a.chip")) == ["状态空置", "社区聚鹤社区"]
    assert set(page.locator("#rows .st").all_inner_texts()) == {"空置"}

    row = page.locator("#rows tr").nth(2)
    title = row.locator(".what a").inner_text()
    asked = len(desk.asked)
    row.locator(".gr").click()
    expect(page.locator("#detail h2")).to_have_text(title)
    code = row.get_attribute("data-code")
    assert path(page).startswith(f"frontages/{code}?")
    assert query(page) == {"state": ["vacant"], "community": ["500237002001"]}
    assert [one for one in desk.asked[asked:] if "/static/" not in one] == [page.url], "only the detail is read"
    assert page.title().startswith(title) and page.locator("#detail .minimap path").count() > 5
    page.go_back()
    expect(page.locator("#detail")).to_be_hidden()
    page.go_forward()
    expect(page.locator("#detail h2")).to_have_text(title)

    page.locator("#detail .foot .main").click()
    page.locator("#f-shop_name").fill("换了招牌")
    page.locator("#f-state").select_option("renovating")
    page.locator("#sheet .main").click()
    page.wait_for_url(f"**/frontages/{code}?*told=changed")
    assert "已保存" in page.locator("#detail .told").inner_text()
    step = page.locator(".trail li").first.inner_text()
    assert all(part in step for part in ("修改", f"{title} → 换了招牌", "空置 → 装修", "主管", "2026-11-23 12:00"))
    page.locator("a.chip", has_text="状态").click()
    assert words(page, "a.chip") == ["社区聚鹤社区"]


def test_the_keyboard_moves_opens_closes_ticks_and_travels(town: Town, desk: Watched) -> None:
    page = desk.page
    page.goto(f"{town.address}/frontages")
    codes = [one.get_attribute("data-code") for one in page.locator("#rows tr").all()[:4]]
    focused = "() => document.activeElement.dataset.code"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) == codes[1]
    page.keyboard.press("x")
    assert page.locator("#bulk-n").inner_text() == "1" and page.locator("#bulk").is_visible()
    page.keyboard.press("x")
    assert page.locator("#bulk").is_hidden()
    page.keyboard.press("Enter")
    expect(page.locator("#detail .inside")).to_have_attribute("data-code", str(codes[1]))
    page.locator("#rows tr").nth(1).focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#detail .inside")).to_have_attribute("data-code", str(codes[2]))
    page.keyboard.press("Escape")
    assert page.locator("#detail").is_hidden() and path(page) == "frontages"
    assert page.evaluate(focused) == codes[2]
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") in ("seek-input", "list-q")
    page.keyboard.type("g")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url("**/incidents")


def test_a_bulk_change_shows_what_it_touches_and_each_verdict(town: Town, desk: Watched) -> None:
    page = desk.page
    page.goto(f"{town.address}/frontages?state=closed")
    boxes = page.locator("#rows .tick")
    boxes.nth(0).click()
    boxes.nth(2).click(modifiers=["Shift"])
    assert page.locator("#bulk-n").inner_text() == "3"
    page.locator('#bulk [type="submit"]').click()
    assert path(page) == "frontages?state=closed", "a field must be chosen first"
    page.keyboard.press("Escape")
    page.locator('#bulk [name="field"]').select_option("state")
    page.locator('#bulk [type="submit"]').click()
    assert words(page, ".held-now li") == ["停业3家"]
    page.locator("#f-value").select_option("vacant")
    page.locator('[name="sure"]').click()
    assert page.locator("h1").inner_text() == "3 家已改"
    assert page.locator(".versus tbody .state").all_inner_texts() == ["已改"] * 3
    page.locator(".ends .main").click()
    page.wait_for_url("**/frontages?state=closed")
    assert page.locator("#rows tr").count() == 4


def test_a_view_is_saved_with_its_columns_and_found_again(town: Town, desk: Watched) -> None:
    page = desk.page
    page.goto(f"{town.address}/frontages?state=vacant")
    page.locator('summary[aria-label="选择列"]').click()
    for name in ("leader", "trade"):
        page.locator(f'#columns [value="{name}"]').uncheck()
    page.locator('#columns [type="submit"]').click()
    page.locator("th a", has_text="网格").click()
    page.locator("summary", has_text="存为视图").click()
    page.locator('.drawer [name="name"]').fill("空置门面")
    page.locator('.drawer [name="name"]').press("Enter")
    page.wait_for_url("**/frontages?state=vacant&sort=grid&columns=*")
    view = page.locator("nav.views a", has_text="空置门面")
    assert view.get_attribute("aria-current") == "true"
    assert "网格长" not in page.locator("thead").inner_text()
    page.goto(f"{town.address}/frontages")
    view.click()
    assert page.locator("thead th[aria-sort]").inner_text().startswith("网格")
    page.locator("summary", has_text="存为视图").click()
    page.locator(".drop-view button").click()
    expect(view).to_have_count(0)


def test_a_shop_is_drawn_on_the_map_and_stands_there(town: Town, desk: Watched) -> None:
    page = desk.page
    page.goto(f"{town.address}/frontages/new")
    page.locator("#f-shop_name").fill("画出来的店")
    board = page.locator("#place-map")
    for x, y in ((300, 150), (316, 152), (330, 190)):
        board.click(position={"x": x, "y": y})
        page.wait_for_timeout(350)  # two clicks in haste are a double click, which zooms
    page.locator("#place-undo").click()
    expect(page.locator("#falls")).to_contain_text("网格长")
    typed = page.locator("#f-points").input_value()
    assert len(typed.split("\n")) == 2
    page.locator("#sheet .main").click()
    page.wait_for_url("**told=created")
    with town.database.read() as session:
        row = session.scalars(select(Frontage).where(Frontage.shop_name == "画出来的店")).one()
        line = decode(row.geom)
    assert line.geom_type == "LineString"
    assert [f"{x:.6f}, {y:.6f}" for x, y in line.coords] == typed.split("\n")
    assert page.locator("#detail .m-mine").count() == 1

    page.locator("#detail .foot .main").click()
    page.locator(".vertex").first.wait_for()
    assert page.locator(".vertex").count() == 2
    page.locator(".vertex").first.drag_to(board, target_position={"x": 40, "y": 40})
    moved = page.locator("#f-points").input_value()
    assert moved != typed
    page.locator("#place-back").click()
    assert page.locator("#f-points").input_value().startswith(typed[:10])
    page.locator("summary", has_text="手工填坐标").click()
    page.locator("#f-points").fill("109.0, 31.0")
    expect(page.locator("#falls")).to_contain_text("不在任何网格里")
    page.locator("#sheet .main").click()
    assert "不在本街道的任何网格里" in page.locator("#faults").inner_text()
    assert page.locator("#f-points").input_value() == "109.0, 31.0"


def test_two_at_once_choose_field_by_field(town: Town, desk: Watched) -> None:
    page = desk.page
    page.goto(f"{town.address}/frontages/F0007/edit")
    other = page.context.new_page()
    other.goto(f"{town.address}/frontages/F0007/edit")
    other.locator("#f-trade").fill("茶馆")
    other.locator("#sheet .main").click()
    other.wait_for_url("**told=changed")
    page.locator("#f-grade").fill("七星")
    page.locator("#sheet .main").click()
    assert sorted(words(page, "tr.differs th")) == ["等级不一样", "行业不一样"]
    assert faults(page) == []
    page.locator(".ends .main").click()
    page.wait_for_url("**told=changed")
    said = page.locator("#detail .facts").inner_text()
    assert "茶馆" in said and "七星" in said


def test_on_a_phone_views_are_saved_and_opened_too(town: Town, hand: Watched) -> None:
    page = hand.page
    page.goto(f"{town.address}/frontages?state=closed")
    page.locator("summary", has_text="视图").tap()
    assert page.evaluate(SMALL) == []
    page.locator('.drawer.views [name="name"]').fill("停业的")
    page.locator(".drawer.views .main").tap()
    expect(page.locator(".pick-view a", has_text="停业的")).to_have_count(1)
    page.goto(f"{town.address}/frontages")
    page.locator("summary", has_text="视图").tap()
    page.locator(".pick-view a", has_text="停业的").tap()
    page.wait_for_url("**/frontages?state=closed")
    page.locator("summary", has_text="视图").tap()
    assert page.locator(".pick-view [aria-current]").inner_text() == "停业的"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth") and page.evaluate(SMALL) == []
    page.locator(".drop-view button").tap()
    expect(page.locator(".pick-view a", has_text="停业的")).to_have_count(0)


def test_on_a_phone_rows_have_two_lines_and_the_detail_stands_alone(town: Town, hand: Watched) -> None:
    page = hand.page
    page.goto(f"{town.address}/frontages?sort=-agreement_until")
    row = page.locator("#rows tr").first
    assert row.evaluate("(one) => one.offsetHeight") < 90
    wide = "document.documentElement.scrollWidth <= innerWidth"
    assert page.evaluate(wide) and page.evaluate(SMALL) == []
    row.click()
    detail = page.locator("#detail")
    expect(detail.locator("h2")).to_be_visible()
    assert detail.bounding_box() == {"x": 0, "y": 0, **PHONE}
    assert page.evaluate(wide) and page.evaluate(SMALL) == []
    page.locator("[data-close]").click()
    expect(detail).to_be_hidden()
    page.locator(".chip.add").click()
    assert page.locator("#filters").bounding_box()["y"] > 100  # type: ignore[index]
    assert page.evaluate(wide)
    for address in (
        "/frontages/F0002/edit",
        "/frontages/F0002/end",
        "/frontages/F0002",
        "/people",
        "/incidents",
        "/grids",
    ):
        page.goto(town.address + address)
        assert page.evaluate(wide), address
    page.goto(f"{town.address}/frontages/F0002")
    assert detail.bounding_box() == {"x": 0, "y": 0, **PHONE}


def test_everything_is_there_without_scripts(chromium: Browser, town: Town, signed_in: StorageState) -> None:
    watched = opened(chromium, signed_in, java_script_enabled=False)
    page = watched.page
    page.goto(f"{town.address}/frontages")
    page.locator(".chip.add").click()
    page.locator('#filters [name="state"]').select_option("closed")
    page.locator('#filters [type="submit"]').click()
    page.locator("#rows .what a").first.click()
    assert page.locator("#detail h2").is_visible()
    page.locator("#detail .foot .main").click()
    page.locator("#f-trade").fill("无脚本")
    page.locator("#sheet .main").click()
    assert "无脚本" in page.locator("#detail .facts").inner_text()
    page.goto(f"{town.address}/frontages/new")
    page.locator("#f-shop_name").fill("手填的店")
    page.locator("summary", has_text="手工填坐标").click()
    page.locator("#f-points").fill("109.8779, 31.0724")
    page.locator("#sheet .main").click()
    assert page.locator("#detail h2").inner_text() == "手填的店"
    page.context.close()


@pytest.mark.parametrize("device", ["desk", "hand"])
def test_axe_finds_no_serious_fault(town: Town, device: str, request: pytest.FixtureRequest) -> None:
    watched: Watched = request.getfixturevalue(device)
    page = watched.page
    pages = ("frontages?state=vacant", "frontages/F0001", "people", "incidents", "grids", "frontages/F0001/edit")
    for address in (*pages, "places/new", "frontages/F0001/end", "frontages?q=zzz"):
        page.goto(f"{town.address}/{address}")
        page.wait_for_timeout(300)
        assert faults(page) == [], address
    page.goto(f"{town.address}/frontages")
    page.locator(".chip.add").click()
    assert faults(page) == [], "filters"


def test_hostile_and_endless_words_stay_words_in_their_place(town: Town, desk: Watched) -> None:
    with town.database.write() as session:
        row = session.scalars(select(Frontage).where(Frontage.code == "F0009")).one()
        row.shop_name, row.trade, row.address, row.grade = HURTFUL, "长" * 600, "W" * 300, "\u202e反"
        row.version += 1
    page = desk.page
    page.on("dialog", lambda one: pytest.fail(one.message))
    for address in ("/frontages/F0009", "/frontages?q=onerror", "/frontages/F0009/edit", "/frontages/F0009/end"):
        page.goto(town.address + address)
        assert page.evaluate("window.hurt") is None
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
        if "edit" not in address:
            assert HURTFUL in page.locator("body").inner_text()
    page.goto(f"{town.address}/frontages?q=onerror")
    page.locator("#rows tr").first.click()
    expect(page.locator("#detail h2")).to_have_text(HURTFUL)
    assert page.locator("#detail .scroll").evaluate("(one) => one.scrollWidth <= one.clientWidth")
    assert page.evaluate("window.hurt") is None
