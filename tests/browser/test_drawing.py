"""Drawing grids in a browser: from the draft to the day on which the map answers differently."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Watched
from tests.browser.drafts import (
    HOME,
    areas,
    begin,
    box,
    entered,
    line,
    middle,
    pixel,
    press,
    save,
    settled,
    split,
    tool,
)
from tests.browser.serving import Town, demo_serving, rest, serving
from tests.browser.test_phone import _SMALL, _WIDER, LEAST_TAP
from tests.browser.test_safety import faults, load_hostile, own_settings
from tests.conftest import MONDAY_NOON, PASSWORD
from tests.responsibility.town import load_town
from tests.stores import Stores

pytestmark = pytest.mark.browser
NEXT_MONDAY = "2026-11-30"
WIDE = "500237002002"  # 龙江社区
HOME3 = "500237002003"  # 龙水社区
SPLIT, NEW = f"{HOME}017", f"{HOME}020"
_GRID_AT = "() => document.querySelector('#panel [data-grid]')?.dataset.grid"


@pytest.fixture(scope="module")
def town(stores: Stores, chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with demo_serving(stores, tmp_path_factory.mktemp("town")) as running:
        yield running


@pytest.fixture
def desk(chromium: Browser, town: Town) -> Iterator[Watched]:
    """A supervisor's page; by its end it may have complained of refusals only."""
    with entered(chromium, town, "supervisor") as watched:
        yield watched
        assert [one for one in watched.complaints if "422" not in one and "409" not in one] == []


def asked(page: Page, town: Town, spot: tuple[float, float], on: str = "") -> str:
    """The grid that the interface names at a spot."""
    day = f"&on={on}" if on else ""
    found = page.request.get(f"{town.address}/api/v1/lookup?lon={spot[0]}&lat={spot[1]}{day}")
    code: str = found.json()["grid"]["code"]
    return code


def resume(page: Page, town: Town) -> None:
    """The draft of 龙江社区, begun unless it is."""
    page.goto(f"{town.address}/grids/editions")
    mine = page.locator(".work li").filter(has_text="龙江社区")
    if not mine.count():
        begin(page, town, WIDE)
        return
    mine.locator(".main").click()
    page.wait_for_url("**/grids/drafts/*")
    settled(page)


def test_a_manager_splits_assigns_and_publishes_and_next_monday_answers_differently(
    chromium: Browser, town: Town
) -> None:
    with entered(chromium, town, "manager") as watched:
        page = watched.page
        begin(page, town)  # the own community is the only one, and chosen
        assert page.locator("#n-grids").inner_text() == "19"
        before = areas(page)
        split(page, SPLIT)
        assert areas(page).keys() == {*before, NEW}
        assert sum(areas(page).values()) == pytest.approx(sum(before.values()), abs=0.5)
        spot = middle(page, NEW)

        page.locator("#tab-duties").click()
        assert page.locator("#page-duties").get_by_text("聚鹤社区第二十网格").first.is_visible()
        page.keyboard.press("Escape")  # the grid that was split is no longer chosen
        tool(page, "assign")
        press(page, spot)
        page.locator("#task input[type=search]").fill("钟思源")
        page.locator(".people button").first.click()
        save(page)
        assert page.locator("#page-duties .held").inner_text().startswith("020")

        page.locator("#publish").click()
        page.locator(".rows tbody tr").first.wait_for()
        assert page.locator("#on").input_value() == NEXT_MONDAY
        told = page.locator("#preview").inner_text()
        assert "聚鹤社区第二十网格" in told and "从 017 分出" in told and "钟思源" in told
        page.locator("#on").fill("")
        page.locator("#on").blur()
        assert page.locator("#go").is_disabled() and page.locator("#when").inner_text() == "先选生效的日子"
        page.locator(f'[data-on="{NEXT_MONDAY}"]').click()
        page.locator("#go:enabled").wait_for()
        page.locator("#go").click()
        page.wait_for_url("**/grids/editions?published=*")
        assert f"{NEXT_MONDAY} 周一 起生效" in page.locator(".told").inner_text()
        page.go_back()
        page.locator(".before .stop").wait_for()
        assert "已经发布" in page.locator(".before").inner_text() and page.locator("#go").is_disabled()
        page.go_forward()
        assert watched.complaints == []

        page.locator(".told a").click()
        rest(page)
        assert page.locator("#dayline").inner_text().startswith(f"看的是 {NEXT_MONDAY} 周一 的网格与责任")
        page.goto(f"{town.address}/map?p={spot[0]:.6f},{spot[1]:.6f}&at={spot[0]:.6f},{spot[1]:.6f}&z=17")
        page.locator(f'#panel [data-grid="{SPLIT}"]').wait_for()
        assert page.locator("#dayline").is_hidden()
        page.locator("#day").click()
        page.locator(f'#month [data-day="{NEXT_MONDAY}"].begins').click()
        page.locator(f'#panel [data-grid="{NEW}"]').wait_for()
        rest(page)
        assert f"on={NEXT_MONDAY}" in page.url and "钟思源" in page.locator("#panel").inner_text()
        assert page.locator("#n-grids").inner_text() == "76"
        page.locator("#dayline [data-to-today]").click()
        page.locator(f'#panel [data-grid="{SPLIT}"]').wait_for()
        rest(page)
        assert "on=" not in page.url and page.locator("#n-grids").inner_text() == "75"
        assert (asked(page, town, spot), asked(page, town, spot, NEXT_MONDAY)) == (SPLIT, NEW)

        page.goto(f"{town.address}/grids/editions")
        page.locator("[data-withdraw]").click()
        page.locator('#ask [value="yes"]').click()
        page.wait_for_url("**/grids/editions?withdrawn=1")
        assert asked(page, town, spot, NEXT_MONDAY) == SPLIT
        assert page.locator(".work li").count() == 1
        assert watched.complaints == []


def test_a_border_moves_and_both_grids_follow(town: Town, desk: Watched) -> None:
    page, first, second = desk.page, f"{WIDE}009", f"{WIDE}010"
    resume(page, town)
    done = page.evaluate("() => window.steward.model.done.length")
    before = areas(page)
    edge = (box(page, first)[2], middle(page, first)[1])
    tool(page, "border")
    found = page.evaluate(
        "([lon, lat]) => { const { tool } = window.steward.desk; return tool.nearest({ lng: lon, lat }); }", list(edge)
    )
    press(page, edge)
    page.wait_for_function("() => window.steward.pencil.layer")
    settled(page)
    assert found and page.locator("#task-hint").inner_text().startswith("拖动")
    codes = page.evaluate("() => [...window.steward.grids.picked]")
    page.locator("#task-ends button").nth(1).click()  # another line
    drawn = page.evaluate("() => window.steward.desk.tool.found.line")
    start, end = tuple(drawn[0]), tuple(drawn[-1])
    line(page, start, ((start[0] + end[0]) / 2 + 0.0003, (start[1] + end[1]) / 2), end)
    save(page)
    after = areas(page)
    moved = {code for code in before if abs(after[code] - before[code]) > 1}
    assert moved == set(codes) and {first} < {*codes, second}
    assert sum(after.values()) == pytest.approx(sum(before.values()), abs=0.5)

    page.locator("#map_steward").focus()
    page.keyboard.press("Control+z")
    page.wait_for_function("() => window.steward.model.can.redo")
    assert areas(page) == pytest.approx(before, abs=0.2)
    page.keyboard.press("Control+Shift+z")
    page.wait_for_function("() => !window.steward.model.can.redo")
    assert areas(page) == pytest.approx(after, abs=0.2)
    page.locator("#tab-steps").click()
    assert page.locator("#page-steps li:not(.undone)").count() == done + 1


def test_what_does_not_tile_is_refused_drawn_in_red_and_kept_for_another_try(town: Town, desk: Watched) -> None:
    page = desk.page
    resume(page, town)
    code = f"{WIDE}001"
    before = page.evaluate("() => window.steward.model.version")
    for _ in range(2):
        page.locator("#z-out").click()
        settled(page)
    tool(page, "draw")
    west, south, east, north = box(page, code)
    high = north - south
    outside = [(west, north - high / 4), (west, north + high / 2), (east, north + high / 2), (east, north - high / 4)]
    for spot in outside:
        press(page, spot)
    page.locator("#task-ends .main").click()  # drawn
    page.locator("#task input[type=text]").first.fill("越过边界")
    save(page)
    bad = page.locator("#task-bad").inner_text()
    assert "平方米" in bad and "你画的还在" in bad
    red = page.evaluate("() => window.steward.desk.refused.map((one) => [one.kind, one.area_m2])")
    assert red and all(metres > 0.01 for _, metres in red)
    assert page.evaluate("() => window.steward.model.version") == before
    assert page.evaluate("() => window.steward.pencil.geometry.type") == "Polygon"
    assert page.locator("#task input[type=text]").first.input_value() == "越过边界"
    page.keyboard.press("Escape")
    assert page.locator("#task").is_hidden()
    assert page.evaluate("() => [window.steward.desk.refused.length, !!window.steward.pencil.layer]") == [0, False]


def test_the_second_of_two_editors_sees_the_first_ones_change_and_saves_after_it(
    chromium: Browser, town: Town, desk: Watched
) -> None:
    second = desk.page
    resume(second, town)
    code, other = (second.evaluate("() => window.steward.model.tiles.map((one) => one.code)")[i] for i in (4, 5))
    version = second.evaluate("() => window.steward.model.version")
    tool(second, "split")
    press(second, middle(second, code))
    lon, south, north = middle(second, code)[0], box(second, code)[1], box(second, code)[3]
    line(second, (lon, north + 0.0002), (lon, south - 0.0002))
    with entered(chromium, town, "admin") as watched:
        first = watched.page
        first.goto(second.url)
        settled(first)
        tool(first, "name")
        press(first, middle(first, other))
        first.locator("#task input").first.fill("先改的名字")
        save(first)
        assert first.evaluate("() => window.steward.model.version") == version + 1
        assert watched.complaints == []
    save(second)
    second.locator("#conflict").wait_for()
    told = second.locator("#conflict").inner_text()
    assert "先改的名字" in told and "demo-admin" in told and "你画的还在" in told
    assert second.evaluate("() => [...window.steward.grids.others]") == [other]
    assert second.evaluate("(code) => window.steward.model.grids.get(code).name", other) == "先改的名字"
    assert second.evaluate("() => window.steward.pencil.geometry.type") == "LineString"
    save(second)
    assert second.locator("#conflict").is_hidden()
    assert second.evaluate("() => window.steward.model.version") == version + 2


def test_a_colleagues_change_is_told_while_one_draws_and_loaded_without_losing_the_line(
    chromium: Browser, town: Town, desk: Watched
) -> None:
    page = desk.page
    resume(page, town)
    code, other = (page.evaluate("() => window.steward.model.tiles.map((one) => one.code)")[i] for i in (6, 7))
    version = page.evaluate("() => window.steward.model.version")
    tool(page, "split")
    press(page, middle(page, code))
    lon, south, north = middle(page, code)[0], box(page, code)[1], box(page, code)[3]
    press(page, (lon, north + 0.0002))  # a line that has only begun
    with entered(chromium, town, "admin") as watched:
        first = watched.page
        first.goto(page.url)
        settled(first)
        tool(first, "name")
        press(first, middle(first, other))
        first.locator("#task input").first.fill("<b>同事改的</b>")
        save(first)
        first.wait_for_timeout(6_000)
        assert first.locator("#newer").is_hidden(), "one's own change is no news"
    bar = page.locator("#newer")
    bar.wait_for(timeout=8_000)
    assert "demo-admin 改了这份草稿" in bar.inner_text() and "<b>同事改的</b>" in bar.inner_text()
    assert page.evaluate("() => window.steward.model.version") == version, "nothing is loaded by itself"
    assert page.evaluate("() => window.steward.pencil.drawing && window.steward.pencil.points") == 1
    asked = len([one for one in desk.asked if "/since?" in one])
    with page.expect_response(lambda one: "/since?" in one.url) as quiet:
        page.wait_for_timeout(6_000)
    assert quiet.value.status == 304 and len([one for one in desk.asked if "/since?" in one]) > asked

    bar.locator("button").click()
    page.wait_for_function("(next) => window.steward.model.version === next", arg=version + 1)
    assert bar.is_hidden()
    assert page.evaluate("(code) => window.steward.model.grids.get(code).name", other) == "<b>同事改的</b>"
    assert page.evaluate("() => [...window.steward.grids.others]") == [other]
    assert page.evaluate("() => window.steward.pencil.drawing && window.steward.pencil.points") == 1
    line(page, (lon, south - 0.0002))
    save(page)
    assert page.evaluate("() => window.steward.model.version") == version + 2, "saved at once, nothing was stale"
    assert page.locator("#conflict").is_hidden() and page.evaluate("() => window.steward.grids.others.size") == 0


def test_two_editions_move_together_and_the_table_leads_to_the_grid(town: Town, desk: Watched) -> None:
    page = desk.page
    resume(page, town)
    if not page.evaluate("() => window.steward.model.can.undo"):
        split(page, f"{WIDE}002")
    page.locator('.draftline a[href*="/grids/compare"]').click()
    page.locator(".rows tbody tr").first.wait_for()
    page.wait_for_function("() => window.steward.sides?.every((side) => side.grids.answers)")
    views = "() => window.steward.sides.map(({ map }) => [map.getZoom(), map.getCenter().lng, map.getCenter().lat])"
    page.mouse.move(300, 400)
    page.mouse.down()
    page.mouse.move(380, 350, steps=4)
    page.mouse.up()
    page.wait_for_timeout(300)
    left, right = page.evaluate(views)
    assert left == pytest.approx(right, abs=5e-5)  # a pixel's part
    row = page.locator("tr:has(.mark.new)").first
    row.locator(".go").click()
    page.wait_for_timeout(300)
    assert row.get_attribute("data-chosen") is not None
    new = row.get_attribute("data-right")
    assert page.evaluate("() => window.steward.sides.map((side) => side.state.grid)") == [new, new]
    assert page.evaluate(views)[0][0] > left[0]
    drawn = page.evaluate("() => window.steward.sides.map(({ looks }) => Object.fromEntries(looks))")
    assert drawn[1][new] == "new" and new not in drawn[0]


def test_on_a_phone_steps_are_read_work_is_assigned_and_a_line_is_drawn(chromium: Browser, town: Town) -> None:
    small = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    with entered(chromium, town, "supervisor", **small) as watched:
        page = watched.page

        def fits(state: str) -> None:
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), state
            assert page.evaluate(_WIDER) == [], state
            assert page.evaluate(_SMALL, LEAST_TAP) == [], state

        resume(page, town)
        page.goto(f"{town.address}/grids/editions")
        fits("editions")
        page.locator(".work .main").first.tap()
        page.wait_for_url("**/grids/drafts/*")
        settled(page)
        fits("editor")
        code = page.evaluate("() => window.steward.model.tiles[9].code")
        page.locator("#fold").tap()
        fits("tools")
        page.locator('[data-tool="split"]').tap()
        page.touchscreen.tap(*pixel(page, middle(page, code)))
        lon, south, north = middle(page, code)[0], box(page, code)[1], box(page, code)[3]
        for spot in ((lon, north + 0.0002), (lon, south - 0.0002)):
            page.touchscreen.tap(*pixel(page, spot))
        fits("drawing")
        page.locator("#task-ends .main").tap()  # drawn
        page.locator("#task fieldset").wait_for()
        fits("drawn")
        count = page.evaluate("() => window.steward.model.tiles.length")
        with page.expect_response("**/steps"):
            page.locator("#task-ends .main").tap()
        settled(page)
        assert page.evaluate("() => window.steward.model.tiles.length") == count + 1
        page.locator("#tab-steps").tap()
        fits("steps")
        page.locator("#tab-duties").tap()
        page.locator("#page-duties .quick button").first.tap()
        fits("assigning")
        page.locator("#task-off").tap()
        page.locator("#publish").tap()
        page.locator(".rows tbody tr").first.wait_for()
        fits("publishing")
        page.goto(f"{town.address}/grids/editions")
        page.locator("#new summary").tap()
        page.locator(f'#begin input[value="{HOME3}"]').check()
        page.locator('#begin [name="name"]').fill("名称很长、一行放不下的草稿" * 4)
        page.locator('#begin [type="submit"]').tap()
        page.wait_for_url("**/grids/drafts/*")
        settled(page)
        fits("a long name")
        page.goto(f"{town.address}/grids/compare?community={HOME3}&right=draft-{page.url.rsplit('/', 1)[1]}")
        page.locator(".pair").wait_for()
        fits("comparing")
        page.goto(f"{town.address}/grids/editions")
        page.locator(".work li").filter(has_text="名称很长").locator("[data-drop]").tap()
        page.locator('#ask [value="yes"]').tap()
        page.wait_for_url("**/grids/editions?dropped=1")
        assert [one for one in watched.complaints if "favicon" not in one] == []


def test_a_fault_that_an_import_brought_is_listed_shown_and_mended(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory, desktop: Watched
) -> None:
    from service.people.accounts import create_account

    with serving(tmp_path_factory.mktemp("overlap"), DEMO="0") as running:
        load_town(running.database, own_settings(running), running.folder)
        with running.database.write() as session:
            create_account(session, "head", "supervisor", PASSWORD, MONDAY_NOON)
        page = desktop.page
        sign_in(page, running)
        begin(page, running, "500237002002")
        assert page.locator("#n-faults").inner_text() == "1"
        tool(page, "mend")
        assert "重叠" in page.locator("#page-faults").inner_text()
        page.locator("#page-faults button").first.click()
        settled(page)
        page.locator("#page-faults .main").click()
        page.wait_for_function("() => window.steward.model.faults.length === 0")
        assert "没有界线问题" in page.locator("#page-faults").inner_text()
        page.goto(f"{running.address}/grids/compare?community=500237002001")
        page.locator(".rows tbody tr").first.wait_for()
        assert page.locator(".rows tbody tr").count() == 2  # the border of the two ordinary grids moved in July
        assert page.locator(".mark.reshaped").count() == 2
        assert desktop.complaints == []


def sign_in(page: Page, town: Town) -> None:
    page.goto(f"{town.address}/login")
    page.locator("#f-name").fill("head")
    page.locator("#f-password").fill(PASSWORD)
    page.locator('form[action="/login"] button').click()
    page.wait_for_url("**/map*")


def test_hostile_names_are_text_in_the_editor(tmp_path_factory: pytest.TempPathFactory, desktop: Watched) -> None:
    from service.people.accounts import create_account

    page = desktop.page
    page.on("dialog", lambda one: pytest.fail(one.message))
    with serving(tmp_path_factory.mktemp("hostile"), DEMO="0") as running:
        load_hostile(running)
        with running.database.write() as session:
            create_account(session, "head", "supervisor", PASSWORD, MONDAY_NOON)
        sign_in(page, running)
        begin(page, running, "500237002001")
        page.locator(".list2 .row").nth(1).click()
        tool(page, "merge")
        for i in (0, 1):
            page.locator(".list2 .pick2").nth(i).check()
        assert "<img src=x" in page.locator("#task").inner_text()
        save(page)
        page.locator("#tab-steps").click()
        assert "<img src=x" in page.locator("#panel").inner_text()
        page.locator("#publish").click()
        page.locator(".rows tbody tr").first.wait_for()
        page.goto(f"{running.address}/grids/compare?community=500237002001&right=draft-1")
        page.locator(".rows tbody tr").first.wait_for()
        assert page.evaluate("() => window.hurt") is None
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert desktop.complaints == []


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_axe_finds_no_serious_fault(chromium: Browser, town: Town, device: str, request: pytest.FixtureRequest) -> None:
    watched: Watched = request.getfixturevalue(device)
    page = watched.page
    page.goto(f"{town.address}/login")
    page.locator('form[action$="/login/demo"] button').click()
    page.wait_for_url("**/map*")
    rest(page)
    page.locator("#day").click()
    assert faults(page) == [], "days"
    resume(page, town)
    page.goto(f"{town.address}/grids/editions")
    assert faults(page) == [], "editions"
    page.locator("#new summary").click()
    assert faults(page) == [], "new"
    page.keyboard.press("Escape")
    page.locator(".work .main").first.click()
    settled(page)
    assert faults(page) == [], "editor"
    if device == "phone":
        page.locator("#fold").click()
    tool(page, "assign")
    assert faults(page) == [], "assign"
    page.locator("#publish").click()
    page.locator(".rows tbody tr").first.wait_for()
    assert faults(page) == [], "publish"
    page.goto(f"{town.address}/grids/compare?community={HOME}")
    assert faults(page) == [], "compare"
