"""Accessibility, hostile names, an office without data, the way to own data, the headers of every page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from sqlalchemy import func, select, update

from service.config import Settings, load_settings
from service.duties.models import Duty
from service.frontages.models import Frontage
from service.grids.models import Community, Grid
from service.incidents.models import Incident
from service.people.accounts import create_account
from service.people.models import Account, Person
from service.places.models import Building, Place, Street
from service.records import counters
from service.records.models import ImportBatch
from tests.browser.conftest import Watched, enter_demo
from tests.browser.serving import Town, demo_serving, rest, serving
from tests.conftest import MONDAY_NOON, PASSWORD
from tests.responsibility.town import at, box, bring, duties, layer, sheet
from tests.stores import Stores

pytestmark = pytest.mark.browser
HOME, GRIDS = "500237002001", ("500237002001001", "500237002001002")
IMAGE = "<img src=x onerror=window.hurt=1>"
SCRIPT = "</script><script>window.hurt=1</script>"
QUOTES = "\"><svg/onload=window.hurt=1>'{{7*7}}"
BACKWARDS = "\u202e王小明"
LONG = "长" * 200  # as long as an import takes
MIDDLE, OTHER = at(2.5, 2.5), at(7.5, 2.5)
_EDGES = """(one) => [0, 1].map((i) => {
  const letter = document.createRange();
  letter.setStart(one.firstChild, i);
  letter.setEnd(one.firstChild, i + 1);
  return letter.getBoundingClientRect().left;
})"""
MODELS = (Community, Grid, Person, Duty, Frontage, Incident, Street, Building, Place)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """An office that has loaded nothing."""
    with serving(tmp_path_factory.mktemp("empty"), DEMO="0") as running:
        with running.database.write() as session:
            create_account(session, "head", "admin", PASSWORD, MONDAY_NOON)
        yield running


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """An office whose every name would be code, were it taken for code."""
    with serving(tmp_path_factory.mktemp("hostile"), DEMO="0", PUBLIC_MAP="names") as running:
        load_hostile(running)
        with running.database.write() as session:
            create_account(session, "head", "supervisor", PASSWORD, MONDAY_NOON, display_name=IMAGE)
        yield running


def own_settings(town: Town) -> Settings:
    return load_settings(data_dir=town.folder, database_url=town.database.url)


def load_hostile(town: Town) -> None:
    given, folder = own_settings(town), town.folder

    def load(kind: str, rows: Any, name: str) -> None:
        path = layer(folder / f"{name}.geojson", rows) if isinstance(rows[0], tuple) else sheet(folder / name, rows)
        bring(town.database, given, kind, path)

    load("communities", [(box(0, 0, 10, 5), {"code": HOME, "name": SCRIPT})], "communities")
    zones = zip(GRIDS, (box(0, 0, 5, 5), box(5, 0, 10, 5)), (IMAGE, LONG), strict=True)
    grids = [
        (shape, {"code": code, "name": name, "community_code": HOME, "kind": "grid"}) for code, shape, name in zones
    ]
    load("grids", grids, "grids")
    names = (("P1", IMAGE), ("P2", BACKWARDS), ("P3", LONG))
    load("people", [{"code": code, "name": name, "phone": "13800000001"} for code, name in names], "people.csv")
    held = (
        ("D1", "grid_leader", GRIDS[0], "P1"),
        ("D2", "grid_officer", GRIDS[0], "P2"),
        ("D3", "grid_leader", GRIDS[1], "P3"),
    )
    duties(
        town.database,
        given,
        folder,
        [{"code": code, "role": role, "kind": "grid", "subject": on, "person": who} for code, role, on, who in held],
    )
    x, y = MIDDLE
    shop = {"shop_name": BACKWARDS, "person_name": IMAGE, "address": SCRIPT, "phone": "13900000001"}
    wall = box(2.5, 2.49, 2.6, 2.5).exterior
    load(
        "frontages",
        [(wall, {"code": QUOTES, **shop}), (box(7, 2, 7.1, 2.1).exterior, {"code": "F2", "shop_name": LONG})],
        "shops",
    )
    incident = {"category": QUOTES, "category_name": SCRIPT, "description": IMAGE, "state": "handling"}
    rows = [
        {"number": IMAGE, **incident, "address": QUOTES, "reported_at": "2026-11-20 09:00", "lon": x, "lat": y},
        {
            "number": "N2",
            **incident,
            "address": LONG,
            "reported_at": "2026-11-20 09:00",
            "lon": OTHER[0],
            "lat": OTHER[1],
        },
    ]
    load("incidents", rows, "incidents.csv")
    with town.database.write() as session:  # as a store may hold it from before imports dropped such signs
        session.execute(update(Person).where(Person.code == "P2").values(name=BACKWARDS))
        session.execute(update(Frontage).where(Frontage.code == QUOTES).values(shop_name=BACKWARDS))
        counters.move(session, counters.RESPONSIBILITY)


def enter(page: Page, town: Town, name: str) -> None:
    page.goto(f"{town.address}/login")
    page.locator("#f-name").fill(name)
    page.locator("#f-password").fill(PASSWORD)
    page.locator('form[action="/login"] button').click()
    page.wait_for_url("**/map*")
    rest(page)


def faults(page: Page) -> list[str]:
    """What axe-core finds serious or critical."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found if one["impact"] in ("serious", "critical")
    ]


def test_axe_finds_a_fault_that_was_planted(service: str, desktop: Watched) -> None:
    desktop.page.goto(f"{service}/login")
    desktop.page.locator('label[for="f-name"]').evaluate("(one) => one.remove()")
    assert [one.split(":")[0] for one in faults(desktop.page)] == ["label"]


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_axe_finds_no_serious_fault(service: str, device: str, request: pytest.FixtureRequest) -> None:
    watched: Watched = request.getfixturevalue(device)
    page = watched.page
    page.goto(f"{service}/login")
    assert faults(page) == [], "sign-in"
    page.goto(f"{service}/map")
    rest(page)
    assert faults(page) == [], "public map"
    enter_demo(watched, service)
    rest(page)
    assert faults(page) == [], "map"
    page.locator("#seek-input").fill("龙门大道")
    page.locator("#hits [role=option]").first.wait_for()
    assert faults(page) == [], "search results"
    page.keyboard.press("Escape")
    page.locator("#pick").click()
    assert faults(page) == [], "filters"
    page.locator('#filters [type="submit"]').click()
    if device == "phone":
        page.locator("#fold").click()
        assert faults(page) == [], "layers"
        page.locator("#fold").click()
    page.goto(f"{service}/map?p=109.8719,31.071&z=18")
    page.locator("#panel [data-grid]").wait_for()
    rest(page)
    assert faults(page) == [], "answer"
    page.goto(f"{service}/account/password")
    assert faults(page) == [], "password"


def test_hostile_names_are_text(hostile: Town, desktop: Watched) -> None:
    page = desktop.page
    page.on("dialog", lambda one: pytest.fail(one.message))
    enter(page, hostile, "head")
    panel = page.locator("#panel")
    for (lon, lat), expected in (
        (MIDDLE, (IMAGE, SCRIPT, BACKWARDS, QUOTES, "没有登记责任书")),
        (OTHER, (LONG, SCRIPT)),
    ):
        page.goto(f"{hostile.address}/map?p={lon:.6f},{lat:.6f}&at={lon:.6f},{lat:.6f}&z=19")
        panel.locator("[data-grid]").wait_for()
        rest(page)
        said = panel.inner_text()
        assert [text for text in expected if text not in said] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert panel.locator(".scroll.asked").evaluate("(one) => one.scrollWidth <= one.clientWidth")
    assert SCRIPT in page.locator("#key-com").inner_text()
    page.locator("#pick").click()
    assert SCRIPT in page.locator("#by-category").inner_text() and SCRIPT in page.locator("#by-community").inner_text()
    page.keyboard.press("Escape")
    for asked in ("<img", "</script", "王小明", "长长"):
        page.locator("#seek-input").fill(asked)
        page.locator("#hits b").get_by_text(asked).first.wait_for(timeout=5000)
    page.locator("#seek-input").fill("<img src=x onerror=window.hurt=2>")
    page.locator("#hits").get_by_text("没有找到“<img src=x onerror=window.hurt=2>”").wait_for()
    unhurt(desktop)


@pytest.mark.parametrize(
    "path",
    [
        "/map?category={0}&community={0}&base={0}&paint={0}&hide={0}&show={0}&p={0}&at={0}",
        "/login?next={0}",
        "/map?on={0}",
        "/{0}",
    ],
)
def test_hostile_addresses_are_text(hostile: Town, desktop: Watched, path: str) -> None:
    for text in (IMAGE, SCRIPT, QUOTES):
        desktop.page.goto(hostile.address + path.format(text.replace("#", "%23").replace("?", "%3F")))
        desktop.page.wait_for_timeout(100)
        unhurt(desktop, statuses=True)


def unhurt(watched: Watched, statuses: bool = False) -> None:
    """No script of a name ran, none of its elements was made, and the page has nothing to complain of."""
    assert watched.page.evaluate("window.hurt") is None
    assert watched.page.locator("img, svg[onload], [onerror]").count() == 0
    plain = [one for one in watched.complaints if not (statuses and "the server responded with a status of" in one)]
    assert plain == []


def test_a_name_written_backwards_turns_nothing_else_around(hostile: Town, desktop: Watched) -> None:
    enter(desktop.page, hostile, "head")
    desktop.page.goto(f"{hostile.address}/map?p={MIDDLE[0]:.6f},{MIDDLE[1]:.6f}")
    shop = desktop.page.locator("#panel .shop")
    shop.wait_for()
    assert BACKWARDS in shop.inner_text()
    edges = shop.locator(".gap:not(.num)").evaluate(_EDGES)
    assert edges[0] < edges[1]


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_an_empty_office_opens_with_what_to_do(empty: Town, device: str, request: pytest.FixtureRequest) -> None:
    watched: Watched = request.getfixturevalue(device)
    page = watched.page
    page.goto(f"{empty.address}/map")
    rest(page)
    assert "还没有网格" in page.locator("#panel").inner_text()
    assert "./scripts/manage" not in page.content()
    enter(page, empty, "head")
    page.locator("#panel").get_by_role("link", name="导入社区和网格").wait_for()
    middle = page.locator(".board").bounding_box()
    assert middle
    page.mouse.click(middle["x"] + middle["width"] / 2, middle["y"] + 200)
    page.get_by_text("这一天还没有划定网格").wait_for()
    assert faults(page) == [] and watched.complaints == []


def test_the_administrator_starts_with_own_data(
    stores: Stores, chromium: Browser, desktop: Watched, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with demo_serving(stores, tmp_path_factory.mktemp("own")) as town:
        enter_demo(desktop, town.address)
        rest(desktop.page)
        assert desktop.page.locator('a[href="/admin/demo"]').count() == 0, "not for supervisors"
        refused = desktop.page.request.get(f"{town.address}/admin/demo")
        assert refused.status == 403
        desktop.page.context.clear_cookies()
        load_own(town)
        with town.database.write() as session:
            create_account(session, "head", "admin", PASSWORD, MONDAY_NOON)
            session.flush()
            demo = list(session.scalars(select(ImportBatch.id).where(ImportBatch.demo.is_(True))))
        before = kept(town, demo)
        assert all(before[model][1] > 0 for model in MODELS), "the demo fills every table"
        page = desktop.page
        enter(page, town, "head")
        page.locator(".strip .own").click()
        page.get_by_role("button", name="删除演示数据").click()
        page.wait_for_url("**/map*")
        rest(page)
        after = kept(town, demo)
        assert {model: rows for model, (rows, _) in after.items()} == {
            model: rows for model, (rows, _) in before.items()
        }
        assert all(count == 0 for _, count in after.values())
        with town.database.read() as session:
            accounts = set(session.scalars(select(Account.name)))
        assert accounts == {"admin", "head"}
        assert page.locator(".strip .demo").count() == 0 and page.locator('a[href="/admin/demo"]').count() == 0
        assert page.locator("#n-grids").inner_text() == "1"
        page.locator("#seek-input").fill("自己的网格")
        page.locator("#hits [role=option]").first.click()
        page.locator("#panel [data-grid]").get_by_text("自己人").wait_for()
        assert desktop.complaints == []
        page.context.clear_cookies()
        page.goto(f"{town.address}/login")
        assert page.locator('form[action$="/login/demo"]').count() == 0


def load_own(town: Town) -> None:
    """A community, a grid, its leader, a shop and an incident of the office's own."""
    given, folder, home = own_settings(town), town.folder, "500237002777"
    shape = box(40, 0, 50, 5)
    bring(
        town.database, given, "communities", layer(folder / "c.geojson", [(shape, {"code": home, "name": "自己社区"})])
    )
    grid = {"code": home + "001", "name": "自己的网格", "community_code": home, "kind": "grid"}
    bring(town.database, given, "grids", layer(folder / "g.geojson", [(shape, grid)]))
    bring(town.database, given, "people", sheet(folder / "p.csv", [{"code": "OWN", "name": "自己人"}]))
    held = {"code": "OWN", "role": "grid_leader", "kind": "grid", "subject": home + "001", "person": "OWN"}
    duties(town.database, given, folder, [held])
    front = (box(42, 2, 43, 3).exterior, {"code": "OWN", "shop_name": "自己的店"})
    bring(town.database, given, "frontages", layer(folder / "f.geojson", [front]))
    lon, lat = at(45, 2)
    row = {
        "number": "OWN",
        "category": "1",
        "state": "handling",
        "reported_at": "2026-11-20 09:00",
        "lon": lon,
        "lat": lat,
    }
    bring(town.database, given, "incidents", sheet(folder / "i.csv", [row]))


def kept(town: Town, demo: list[int]) -> dict[Any, tuple[list[Any], int]]:
    """Per table: the codes of the office's own rows, and how many are the demo's."""
    out = {}
    with town.database.read() as session:
        for model in MODELS:
            mine = select(model.id).where(model.batch_id.not_in(demo)).order_by(model.id)
            theirs = select(func.count()).select_from(model).where(model.batch_id.in_(demo))
            out[model] = (list(session.scalars(mine)), int(session.scalar(theirs) or 0))
    return out


@pytest.mark.parametrize("who", ["public", "administrator"])
def test_every_page_carries_its_policy_and_asks_nobody_else(empty: Town, desktop: Watched, who: str) -> None:
    page = desktop.page
    if who == "administrator":
        enter(page, empty, "head")
    seen = set()
    for path in ("/login", "/map", "/account/password", "/admin/demo", "/no-such-page"):
        answer = page.goto(empty.address + path)
        assert answer is not None
        header = answer.headers["content-security-policy"]
        nonce = re.search(r"script-src 'self' 'nonce-([\w-]{20,})'", header)
        assert nonce, path
        assert "default-src 'self'" in header and "object-src 'none'" in header and "base-uri 'none'" in header
        assert "unsafe" not in header and "http" not in header and "*" not in header
        assert answer.headers["x-content-type-options"] == "nosniff"
        text = answer.text()
        assert set(re.findall(r'nonce="([^"]*)"', text)) <= {nonce[1]}
        assert not re.search(r"<script(?![^>]*(nonce|src)=)|\son\w+=|\sstyle=|javascript:", text), path
        assert len(answer.body()) < 30_000
        seen.add(nonce[1])
        page.wait_for_timeout(300)
    assert len(seen) == 5, "a nonce is used once"
    assert all(url.startswith((empty.address, "data:", "blob:")) for url in desktop.asked)
    assert [one for one in desktop.complaints if "the server responded with a status of" not in one] == []


def test_the_demo_map_signed_in_is_light_quiet_and_at_home(service: str, desktop: Watched) -> None:
    enter_demo(desktop, service)
    answer = desktop.page.goto(f"{service}/map?z=18&at=109.8719,31.071&p=109.8719,31.071&show=density")
    assert answer is not None and len(answer.body()) < 30_000
    desktop.page.locator("#panel [data-grid]").wait_for()
    rest(desktop.page)
    desktop.page.locator("#z-out").click()
    rest(desktop.page)
    assert desktop.complaints == []
    assert all(url.startswith((service, "data:", "blob:")) for url in desktop.asked)
