"""Work on the map: filters, search, colourings, layers, the keyboard, and a page that stays fresh."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, StorageState
from sqlalchemy import select

from service.duties.models import Duty
from service.frontages.models import Frontage
from service.grids.models import Community, Grid
from service.incidents.models import Incident
from service.incidents.rules import OPEN_STATES
from service.people.models import Person
from service.records import counters
from service.records.models import AuditEntry
from tests.browser.conftest import Watched
from tests.browser.serving import DESKTOP, Town, demo_serving, demo_session, picture, rest
from tests.conftest import MONDAY_NOON
from tests.stores import Stores

pytestmark = pytest.mark.browser
GRID = "500237002003008"
BARE = "hide=ground,incidents,frontages,places"
SEVEN_DAYS = datetime(2026, 11, 16, 16, tzinfo=UTC)  # from midnight of 17 November in Shanghai

_SHOWN = """() => {
  const { incidents } = window.steward.parts;
  return [...incidents.cells.map((cell) => cell.n), ...incidents.points.map(() => 1)].reduce((a, b) => a + b, 0);
}"""
_MARKS = """() => window.steward.parts.incidents.shown.map((one) => [Math.round(one.x), Math.round(one.y), ...one.c])"""
_COLOURS = """() => {
  const { board, parts } = window.steward;
  const ctx = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  return Object.fromEntries(parts.grids.list.filter((grid) => grid.kind === 'grid').map((grid) => {
    const [x, y] = board.view.px(...grid.at).map((value) => Math.round(value * board.view.ratio));
    ctx.drawImage(board.canvas.world, x, y, 1, 1, 0, 0, 1, 1);
    return [grid.code, [...ctx.getImageData(0, 0, 1, 1).data].join()];
  }));
}"""
_VIEW = """() => {
  const { map } = window.steward.board;
  const b = map.getBounds();
  return { zoom: map.getZoom(), box: [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()] };
}"""
_FOCUSED = """() => {
  const at = document.activeElement;
  return at.closest('#answer') ? 'answer' : at.id || at.dataset.layer || at.dataset.paint || at.tagName;
}"""


@pytest.fixture(scope="module")
def town(stores: Stores, chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with demo_serving(stores, tmp_path_factory.mktemp("town")) as running:
        yield running


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, town: Town) -> StorageState:
    return demo_session(chromium, town.address)


@pytest.fixture
def desk(chromium: Browser, town: Town, signed_in: StorageState) -> Iterator[Watched]:
    """A supervisor's page, which must not have complained by the end."""
    context = chromium.new_context(
        viewport=DESKTOP, locale="zh-CN", timezone_id="Asia/Shanghai", storage_state=signed_in
    )
    watched = Watched(context.new_page())
    yield watched
    context.close()
    assert watched.complaints == []


def open_map(page: Page, town: Town, query: str = "") -> None:
    page.goto(f"{town.address}/map?{query}")
    rest(page)


def words(page: Page) -> dict[str, str]:
    """The address bar's query."""
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query).items()}


def known(town: Town) -> list[Incident]:
    """The incidents that a map can show."""
    with town.database.read() as session:
        return list(session.scalars(select(Incident).where(Incident.geom.is_not(None))))


def late(one: Incident) -> bool:
    return one.state in OPEN_STATES and one.due_at is not None and one.due_at < MONDAY_NOON


def told(page: Page) -> int:
    """How many incidents the legend tells."""
    return int(page.locator('[data-layer="incidents"] ~ [data-n="total"]').inner_text().replace(",", ""))


def seen(page: Page) -> tuple[int, int]:
    """How many incidents are drawn in the office's whole area, and how many the legend tells."""
    rest(page)
    return page.evaluate(_SHOWN), told(page)


def test_each_filter_shows_what_the_database_holds(town: Town, desk: Watched) -> None:
    page, rows = desk.page, known(town)
    opened = [one for one in rows if one.state in OPEN_STATES]
    category = Counter(one.category for one in opened).most_common(1)[0][0]
    community = Counter(one.community_code for one in opened).most_common(1)[0][0]
    recent = [one for one in opened if one.reported_at >= SEVEN_DAYS]
    open_map(page, town)
    assert seen(page) == (len(opened), len(opened))
    before = picture(page)
    page.locator("#pick").click()

    page.locator('[data-period="7"]').click()
    assert seen(page) == (len(recent),) * 2 and 0 < len(recent) < len(opened)
    assert words(page)["period"] == "7" and page.locator("#pick-text").inner_text() == "近7天"
    page.locator('[data-period=""]').click()

    page.locator("#by-category").select_option(category)
    mine = sum(one.category == category for one in opened)
    assert seen(page) == (mine, mine) and words(page)["category"] == category
    page.locator("#by-category").select_option("")

    for state in ("way", "chk", "rep"):
        page.locator(f'[name="status"][value="{state}"]').uncheck()
    overdue = sum(map(late, rows))
    assert seen(page) == (overdue, overdue) and words(page)["status"] == "late" and overdue
    page.locator('[name="status"][value="done"]').check()
    closed = len(rows) - len(opened)
    assert seen(page) == (overdue + closed,) * 2
    page.locator('#filters [type="reset"]').click()

    page.locator("#by-community").select_option(community)
    there = sum(one.community_code == community for one in opened)
    assert seen(page) == (there, there) and words(page)["community"] == community and there < len(opened)
    assert page.locator("#pick-n").inner_text() == "1"
    page.locator('#filters [type="reset"]').click()
    assert seen(page) == (len(opened), len(opened))
    page.keyboard.press("Escape")
    assert not {"period", "category", "status", "community"} & words(page).keys()
    assert picture(page) == before


def test_a_filtered_view_opens_again_from_its_link(
    chromium: Browser, town: Town, signed_in: StorageState, desk: Watched
) -> None:
    page, rows = desk.page, known(town)
    open_map(page, town)
    page.locator("#pick").click()
    page.locator('[data-period="year"]').click()
    page.locator('[name="status"][value="done"]').check()
    page.locator("#by-community").select_option(index=2)
    page.locator("#by-category").select_option(index=1)
    page.keyboard.press("Escape")
    page.locator('[data-paint="leader"]').click()
    page.locator('[data-layer="places"]').uncheck()
    page.locator("#z-in").click()
    rest(page)
    page.mouse.click(560, 390)
    page.locator("#panel [data-grid]").wait_for()
    rest(page)
    marks, leader, link = page.evaluate(_MARKS), page.locator("#panel .name").first.inner_text(), words(page)
    chosen = [
        one
        for one in rows
        if one.reported_at.year >= 2026
        and one.category == link["category"]
        and one.community_code == link["community"]
        and (one.state not in OPEN_STATES or link["status"].startswith("late,"))
    ]
    assert {"at", "z", "p", "paint", "hide", "period", "status", "category", "community"} <= link.keys()
    assert told(page) == len(chosen) > 0

    context = chromium.new_context(
        viewport=DESKTOP, locale="zh-CN", timezone_id="Asia/Shanghai", storage_state=signed_in
    )
    fresh = context.new_page()
    fresh.goto(page.url)
    rest(fresh)
    assert words(fresh) == link and told(fresh) == len(chosen)
    assert fresh.evaluate(_MARKS) == [pytest.approx(mark, abs=2) for mark in marks] and len(marks) > 3
    assert fresh.locator("#panel .name").first.inner_text() == leader
    assert fresh.locator('[data-paint="leader"][aria-pressed="true"]').is_visible()
    assert not fresh.locator('[data-layer="places"]').is_checked()
    context.close()


def test_search_finds_it_and_goes_there(town: Town, desk: Watched) -> None:
    page = desk.page
    with town.database.read() as session:
        grid = session.scalars(select(Grid).where(Grid.code == GRID)).one()
        held = select(Duty).where(Duty.subject_code == GRID, Duty.role == "grid_leader", Duty.ends_on.is_(None))
        person = session.scalars(select(Person).where(Person.code == session.scalars(held).one().person_code)).one()
        shop = session.scalars(select(Frontage).where(Frontage.code == "F0001")).one()
    in_grid, at_shop = f'#panel [data-grid="{GRID}"]', f'#panel .shop :text-is("{shop.shop_name}")'
    table = (
        (GRID, f"008 {grid.name}", in_grid),
        (grid.name, f"008 {grid.name}", in_grid),
        (person.name, f"{person.name}　网格长", in_grid),
        (shop.shop_name, shop.shop_name, at_shop),
        (shop.address, shop.shop_name, at_shop),
        ("109.8719,31.0700", "109.8719, 31.07", '#panel [data-lon="109.8719"][data-lat="31.07"]'),
        ("龙门大道", "龙门大道", "#panel [data-grid]"),
    )
    open_map(page, town)
    for asked, title, answered in table:
        page.locator("#z-fit").click()
        rest(page)
        whole = page.evaluate(_VIEW)
        page.locator("#seek-input").fill(asked)
        best = page.locator("#hits [role=option]").first
        best.filter(has=page.locator("b").get_by_text(title, exact=True)).wait_for(timeout=5000)
        best.click()
        page.locator(answered).wait_for(timeout=5000)
        rest(page)
        now, point = page.evaluate(_VIEW), [float(part) for part in words(page)["p"].split(",")]
        west, south, east, north = now["box"]
        assert west < point[0] < east and south < point[1] < north, asked
        assert now["zoom"] > whole["zoom"] + 1 or asked == "龙门大道", asked
        page.keyboard.press("Escape")
        assert page.locator("#idle").is_visible()


def test_search_without_a_hit_says_so(town: Town, desk: Watched) -> None:
    open_map(desk.page, town)
    desk.page.locator("#seek-input").fill("查无此处")
    desk.page.locator("#hits").get_by_text("没有找到“查无此处”").wait_for()


def test_colours_tell_community_leader_and_open_incidents(town: Town, desk: Watched) -> None:
    page = desk.page
    open_map(page, town, BARE)
    with town.database.read() as session:
        place = {one.code: one.community_code for one in session.scalars(select(Grid).where(Grid.kind == "grid"))}
        names = list(session.scalars(select(Community.name)))
    facts = page.evaluate("fetch('/map/grids.geojson').then((answer) => answer.json())")["features"]
    leader = {one["properties"]["code"]: one["properties"]["leader"] for one in facts}
    opened = {one["properties"]["code"]: one["properties"]["open"] for one in facts}

    colours = page.evaluate(_COLOURS)
    pairs = {(place[code], colour) for code, colour in colours.items()}
    assert len(colours) == len(place) and len(pairs) == len(set(place.values())) == len({one for _, one in pairs})
    assert all(name in page.locator("#key-com").inner_text() for name in names)

    page.locator('[data-paint="leader"]').click()
    rest(page)
    colours = page.evaluate(_COLOURS)
    led = {(leader[code], colour) for code, colour in colours.items() if leader[code]}
    assert len(led) == len({name for name, _ in led}), "one leader, one colour"
    assert len({colour for _, colour in led}) > 4 and words(page)["paint"] == "leader"
    vacant = sum(one["properties"]["vacant"] for one in facts)
    assert page.locator('[data-paint-key="leader"] [data-n="vacant"]').inner_text() == str(vacant)

    page.locator('[data-paint="rate"]').click()
    rest(page)
    colours = page.evaluate(_COLOURS)
    calm = {colour for code, colour in colours.items() if not opened[code]}
    busy = {colour for code, colour in colours.items() if opened[code]}
    assert len(calm) == 1 and 3 <= len(busy) <= 5 and not calm & busy
    assert "未结事项，件／公顷" in page.locator("#key-rate").inner_text()
    assert page.locator("#key-com").is_hidden() and words(page)["paint"] == "rate"


def test_layers_go_and_come_back(town: Town, desk: Watched) -> None:
    page = desk.page
    open_map(page, town, "at=109.8719,31.0710&z=17.5")
    first = picture(page)
    assert picture(page) == first, "a map at rest stays as it is"
    for layer in ("grids", "incidents", "frontages", "places", "ground"):
        box = page.locator(f'input[data-layer="{layer}"]')
        box.uncheck()
        without = picture(page)
        assert words(page)["hide"] == layer
        box.check()
        assert picture(page) == first != without, layer
        assert "hide" not in words(page)


def test_density_is_a_picture_and_says_so(town: Town, desk: Watched) -> None:
    page = desk.page
    open_map(page, town)
    note = page.get_by_text("密度示意，不是统计结论")
    plain = picture(page)
    assert note.is_hidden()
    page.locator('input[data-layer="density"]').check()
    hot = picture(page)
    assert note.is_visible() and words(page)["show"] == "density" and hot != plain
    cells = page.evaluate("window.steward.parts.density.cells.map((cell) => cell[2])")
    assert sum(cells) == sum(one.state in OPEN_STATES for one in known(town))
    page.locator('input[data-layer="density"]').uncheck()
    assert picture(page) == plain


def test_the_keyboard_reaches_everything_and_escape_closes(town: Town, desk: Watched) -> None:
    page = desk.page
    open_map(page, town)
    passed: list[str] = []
    for _ in range(45):
        page.keyboard.press("Tab")
        passed.append(page.evaluate(_FOCUSED))
        if passed[-1] == "idle":
            break
    order = [passed.index(name) for name in ("seek-input", "pick", "map_steward", "fold", "rate", "density", "idle")]
    assert order == sorted(order)

    page.locator("#map_steward").focus()
    page.keyboard.press("Enter")
    page.locator("#panel [data-grid]").wait_for()
    assert page.evaluate(_FOCUSED) == "answer"
    page.keyboard.press("Tab")
    assert page.evaluate(_FOCUSED) == "answer"
    before = page.evaluate(_VIEW)["box"]
    page.keyboard.press("Escape")
    assert page.locator("#answer").is_hidden() and page.locator("#idle").is_visible()
    assert page.evaluate(_FOCUSED) == "map_steward"
    page.keyboard.press("ArrowRight")
    rest(page)
    assert page.evaluate(_VIEW)["box"][0] > before[0] and "p" not in words(page)

    page.locator("#pick").press("Enter")
    assert page.locator("#filters").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#filters").is_hidden() and page.evaluate(_FOCUSED) == "pick"
    page.locator('[data-paint="rate"]').press("Space")
    rest(page)
    assert words(page)["paint"] == "rate"


def test_a_change_in_the_database_reaches_the_open_page(town: Town, desk: Watched) -> None:
    page = desk.page
    page.set_viewport_size({"width": 1200, "height": 300})  # the answer is longer than its panel
    open_map(page, town)
    page.locator("#seek-input").fill(GRID)
    page.locator("#hits [role=option]").filter(has_text="008").first.click()
    page.locator(f'#panel [data-grid="{GRID}"]').wait_for()
    rest(page)
    page.evaluate("window.unloaded = false")
    total = told(page)
    page.wait_for_timeout(1200)  # the page's first poll has told it where the counters stand
    page.locator("#panel .scroll.asked").evaluate("(one) => { one.scrollTop = 60; one.focus(); }")
    with town.database.write() as session:
        duty = session.scalars(
            select(Duty).where(Duty.subject_code == GRID, Duty.role == "grid_leader", Duty.ends_on.is_(None))
        ).one()
        other = session.scalars(select(Person).where(Person.code != duty.person_code).limit(1)).one()
        open_there = select(Incident).where(Incident.grid_code == GRID, Incident.state.in_(OPEN_STATES))
        standing = list(session.scalars(open_there))
        name, number = other.name, standing[0].number
        assert page.locator("#panel .name").first.inner_text() != name
        assert page.locator(f'#panel [data-number="{number}"]').count() == 1
        duty.person_code, duty.revision = other.code, counters.move(session, counters.RESPONSIBILITY)
        standing[0].state, standing[0].closed_at = "closed", MONDAY_NOON
        standing[0].revision = counters.move(session, counters.INCIDENTS)
    page.locator("#panel .name").filter(has_text=name).first.wait_for(timeout=9000)
    page.locator(f'#panel [data-number="{number}"]').wait_for(state="detached")
    rest(page)
    assert told(page) == total - 1
    assert page.evaluate("window.unloaded") is False, "without a reload"
    assert page.locator("#panel .scroll.asked").evaluate("(one) => one.scrollTop") == 60, (
        "and the reader's place is kept"
    )
    assert page.evaluate(_FOCUSED) == "answer"


def test_a_whole_number_is_asked_for_and_can_be_copied(town: Town, desk: Watched) -> None:
    """The panel holds the masked number only; the button brings the whole one, and the trail knows."""
    page = desk.page
    open_map(page, town, "p=109.8782,31.0718")
    panel = page.locator("#answer")
    assert not re.search(r"1\d{10}", panel.inner_html()) and "tel:" not in panel.inner_html()
    page.locator("#answer .lead [data-call]").click()
    number = page.locator("#answer .told b").inner_text()
    assert re.fullmatch(r"1\d{10}", number)
    page.locator("#answer .told button").click()
    page.locator("#say:not([hidden])").wait_for()
    with town.database.read() as session:
        line = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert line is not None and line.action == "people.reveal_phone" and number not in str(vars(line))
