"""Duties at work: vacant grids boxed and assigned, a hand-over, leave, an officer's phone, an appeal, two at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, StorageState, expect
from sqlalchemy import select

from service.duties.models import Duty
from service.records.models import AuditEntry
from tests.browser.desk import Desk, entered, open_desk
from tests.browser.serving import Town, demo_serving, rest
from tests.stores import Stores

pytestmark = pytest.mark.browser
VACANT = "500237002001012"
_LOADED = "() => window.steward?.parts?.subjects?.answers && !window.steward.board.soon && window.steward.board.drawn"
# Where a grid's middle is on the page.
_AT = """(code) => {
  const { board, parts } = window.steward;
  const one = parts.subjects.byCode.get(`grid:${code}`);
  const at = board.map.latLngToContainerPoint([board.frame.lat(one.y), board.frame.lon(one.x)]);
  const box = board.map.getContainer().getBoundingClientRect();
  return [box.x + at.x, box.y + at.y];
}"""
_CHOSEN = "() => [...window.steward.parts.subjects.chosen].sort()"


@pytest.fixture(scope="module")
def town(stores: Stores, chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with demo_serving(stores, tmp_path_factory.mktemp("duties")) as running:
        yield running


@pytest.fixture(scope="module")
def roles(chromium: Browser, town: Town) -> dict[str, StorageState]:
    return {role: entered(chromium, town.address, role) for role in ("supervisor", "manager", "officer", "viewer")}


@pytest.fixture
def desk(chromium: Browser, roles: dict[str, StorageState]) -> Iterator[Desk]:
    with open_desk(chromium, roles) as made:
        yield made


def test_a_manager_boxes_vacant_grids_and_assigns_them(town: Town, desk: Desk) -> None:
    page = desk.page("manager")
    page.goto(f"{town.address}/my")
    page.locator(".gaps .late-ink").first.click()
    page.wait_for_url("**/duties/assign?*")
    page.wait_for_function(_LOADED)
    assert page.evaluate(_CHOSEN) == [f"grid:{VACANT}"], "the gap leads to the grid that has it"
    assert page.locator("#n-others").inner_text() == "56", "grids of other communities are seen, not assigned"

    page.locator("#z-fit").click()
    page.wait_for_timeout(600)
    x, y = page.evaluate(_AT, "500237002001013")
    page.mouse.click(x, y)
    assert page.evaluate(_CHOSEN) == [f"grid:{VACANT}", "grid:500237002001013"]
    assert page.locator("#chosen-n").inner_text() == "2"
    foreign = page.evaluate(_AT, "500237002002009")
    page.mouse.click(*foreign)
    expect(page.locator("#say")).to_contain_text("由主管来指派")
    assert len(page.evaluate(_CHOSEN)) == 2
    page.locator("#chosen-off").click()
    page.locator("#box-tool").click()
    page.mouse.move(x - 95, y - 35)
    page.mouse.down()
    page.mouse.move(x + 30, y + 35, steps=4)
    page.mouse.up()
    assert page.evaluate(_CHOSEN) == [f"grid:{VACANT}", "grid:500237002001013"], (
        "a box takes those whose middle it holds"
    )

    page.locator("#f-person").fill("R028")
    page.locator("#f-from").fill("2026-11-30")
    page.wait_for_url("**from=2026-11-30**")
    assert page.locator("#f-person").input_value() in ("R028", "梁正华"), "what was typed is still there"
    page.wait_for_function(_LOADED)
    page.locator("#f-note").fill("换届")
    page.locator(".foot .main").click()
    lines = page.locator(".verdicts tbody tr")
    expect(lines).to_have_count(2)
    assert "不能" in lines.nth(0).inner_text() and "网格长已有" in lines.nth(0).inner_text()
    assert "可以" in lines.nth(1).inner_text()
    with town.database.read() as session:
        assert session.scalar(select(Duty.id).where(Duty.subject_code == VACANT, Duty.role == "grid_leader")) is None
    page.locator(".ends .main").click()
    expect(page.locator("h1")).to_contain_text("1 项已做")
    for on, said in (("2026-11-29", False), ("2026-11-30", True)):
        found = page.request.get(f"{town.address}/map/grids.geojson?on={on}").json()["features"]
        led = next(one["properties"]["leader"] for one in found if one["properties"]["code"] == VACANT)
        assert bool(led) == said
    with town.database.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "duty.create")).one()
        assert (entry.actor, entry.note) == ("demo-manager", "换届")


def test_replacing_a_leader_from_the_answer_panel(town: Town, desk: Desk) -> None:
    page = desk.page("supervisor")
    page.goto(f"{town.address}/map?p=109.8701,31.0762")
    rest(page)
    before = page.locator("#answer h2.name").inner_text()
    page.locator("#answer .foot .main", has_text="换网格长").click()
    page.wait_for_url("**/duties/assign?*replace=1*")
    page.wait_for_function(_LOADED)
    page.locator("#f-person").fill("R033")
    page.locator(".foot .main").click()
    assert f"{before}到 2026-11-22 为止" in page.locator(".verdicts tbody").inner_text()
    page.locator(".ends .main").click()
    page.goto(f"{town.address}/map?p=109.8701,31.0762")
    rest(page)
    after = page.locator("#answer h2.name").inner_text()
    assert after != before
    page.locator("#answer .foot a", has_text="责任沿革").click()
    lines = page.locator("#course li").all_inner_texts()
    assert after in lines[0] and before in lines[1] and "2026-11-22" in lines[1]
    page.locator("#course a", has_text="某一天谁负责").click()
    page.locator('[name="on"]').fill("2026-11-20")
    page.locator(".ask-day .main").click()
    expect(page.locator(".facts-sheet .big")).to_contain_text(before)
    assert "事后登记" in page.locator(".proof").first.inner_text(), "the end was written after that day"


def test_a_person_hands_over_and_goes_on_leave(town: Town, desk: Desk) -> None:
    page = desk.page("supervisor")
    page.goto(f"{town.address}/people/R045")
    page.locator("#detail .foot a", has_text="请假代理").click()
    page.locator("#f-acting").fill("R045")
    page.locator(".ends .main").click()
    assert "不能是本人" in page.locator(".verdicts tbody").inner_text()
    page.locator(".ends .main").click()
    page.locator("#f-acting").fill("R046")
    page.locator("#f-from").fill("2026-12-01")
    page.locator("#f-until").fill("2026-12-10")
    page.locator(".ends .main").click()
    page.locator(".ends .main").click()
    page.locator(".ends .main").click()
    assert "代理 2026-12-01 至 2026-12-10" in page.locator("#course").inner_text()

    page.locator("#detail .foot a", has_text="交接").click()
    page.locator("#f-to").fill("没有这个人")
    page.locator(".ends .main").click()
    assert "没有“没有这个人”" in page.locator("#faults").inner_text()
    assert page.locator("#f-to").input_value() == "没有这个人" and page.locator(".subjects :checked").count() == 1
    page.locator("#f-to").fill("R047")
    page.locator("#f-on").fill("2027-01-01")
    page.locator(".ends .main").click()
    page.locator(".ends .main").click()
    expect(page.locator("h1")).to_contain_text("1 项已做")
    page.goto(f"{town.address}/duties?person_code=R045")
    assert page.locator("#rows tr").count() == 1 and "2026-12-31" in page.locator("#rows tr").inner_text()


def test_the_list_ends_several_with_a_verdict_each(town: Town, desk: Desk) -> None:
    page = desk.page("supervisor")
    page.goto(f"{town.address}/duties?role=grid_guide&community=500237002202&state=held")
    boxes = page.locator("#rows .tick")
    boxes.nth(0).check()
    boxes.nth(2).click(modifiers=["Shift"])
    expect(page.locator("#bulk-n")).to_have_text("3")
    page.locator('#bulk [name="field"]').select_option("end")
    page.locator("#bulk .main").click()
    page.wait_for_url("**/duties/end?*")
    page.locator("#f-until").fill("2026-12-31")
    page.locator(".ends .main").click()
    assert page.locator(".verdicts tbody tr").count() == 3
    page.locator(".ends .main").click()
    expect(page.locator("h1")).to_contain_text("3 项已做")
    page.goto(f"{town.address}/duties?ends_on=2027-01-01")
    assert page.locator("#rows tr").count() >= 3


def test_two_correct_one_duty_at_once(town: Town, desk: Desk) -> None:
    first, second = desk.page("supervisor"), desk.page("supervisor")
    for page in (first, second):
        page.goto(f"{town.address}/duties/D0150/edit")
    first.locator("#f-starts_on").fill("2026-01-01")
    first.locator("#sheet .main").click()
    first.wait_for_url("**told=changed")
    second.locator("#f-ends_on").fill("2026-12-31")
    second.locator("#sheet .main").click()
    expect(second.locator("h1")).to_contain_text("别人先保存了")
    told = second.locator(".versus").inner_text()
    assert "2026-01-01" in told and "最后一天" in told and "2026-12-31" in told and "2027-01-01" not in told
    second.locator(".ends .main").click()
    second.wait_for_url("**told=changed")
    facts = second.locator("#detail .facts").inner_text()
    assert "2026-01-01" in facts and "2026-12-31" in facts


def test_an_appeal_asks_by_the_grid(town: Town, desk: Desk) -> None:
    page = desk.page("supervisor")
    page.goto(f"{town.address}/duties/answered")
    page.locator('[name="grid"]').fill("聚鹤社区第一网格")
    page.locator('[name="on"]').fill("2026-11-01")
    page.locator(".ask-day .main").click()
    expect(page.locator("h1")).to_have_text("2026-11-01 谁负责")
    assert "500237002001001" in page.locator(".facts-sheet").inner_text()
    page.locator('[name="on"]').fill("2026-10-01")
    page.locator(".ask-day .main").click()
    expect(page.locator("h1")).to_have_text("2026-10-01 谁负责")
    assert "500237002001001" in page.locator(".facts-sheet").inner_text(), "another day of the same grid"
    answer = page.goto(f"{town.address}/duties/answered?grid=没有这个网格")
    assert answer is not None and answer.status == 404 and "15 位编码" in page.inner_text("main")


def test_what_a_duty_is_for_is_found_by_name_with_the_keyboard(town: Town, desk: Desk) -> None:
    page = desk.page("supervisor")
    page.goto(f"{town.address}/duties/D0133/edit")
    field = page.locator("#f-subject_code")
    was = field.input_value()
    with page.expect_response(lambda one: "/duties/subjects/suggest" in one.url and "q=%E8" in one.url):
        field.focus()
        page.keyboard.press("Control+A")
        page.keyboard.type("聚鹤社区第十二")
    page.wait_for_function("() => document.getElementById('l-subject_code').options.length === 1")
    assert page.locator("#l-subject_code option").get_attribute("value") == VACANT
    assert page.locator("#l-subject_code option").get_attribute("label") == "聚鹤社区第十二网格"
    with page.expect_response(lambda one: "/duties/subjects/suggest" in one.url and "kind=community" in one.url):
        page.locator("#f-subject_kind").select_option("community")
    assert field.input_value() == "", "another kind has other subjects"
    page.locator("#f-subject_kind").select_option("grid")
    field.fill("聚鹤社区第十二网格")
    with page.expect_response(lambda one: "/people/suggest" in one.url):
        page.locator("#f-acting_code").focus()
    page.locator("#sheet .main").click()
    page.wait_for_url("**told=changed")
    with town.database.read() as session:
        assert session.scalars(select(Duty.subject_code).where(Duty.code == "D0133")).one() == VACANT != was


def test_an_officer_on_a_phone(town: Town, desk: Desk) -> None:
    page = desk.page("officer", phone=True)
    page.goto(f"{town.address}/map")
    page.locator(".dock > a", has_text="我的").click()
    page.wait_for_url("**/my")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator(".four b").first.inner_text() == str(page.locator("#grids li").count())
    assert page.locator("#grids .minimap .m-own").count() == page.locator("#grids li").count()
    late = [bool(text) for text in page.locator(".todo .late-ink").all_inner_texts()]
    order = page.eval_on_selector_all(".todo .d", "all => all.map((one) => one.classList.contains('late-ink'))")
    assert order == sorted(order, reverse=True) and len(late) == sum(order), "worst first"
    call = page.locator("#neighbours form").first
    assert "****" in page.locator("#neighbours").inner_text()
    page.evaluate("() => { window.matchMedia = () => ({ matches: false }); }")
    call.locator("button").click()
    expect(page.locator("#neighbours a.call")).to_have_attribute(
        "href", "tel:" + page.locator("#neighbours a.call").inner_text()
    )
    with town.database.read() as session:
        seen = session.scalars(select(AuditEntry).where(AuditEntry.action == "people.reveal_phone")).all()
        assert [one.actor for one in seen] == ["demo-officer"]
    small = page.evaluate(
        """() => [...document.querySelectorAll('.mine a, .mine button')]
          .filter((one) => one.offsetParent && one.getBoundingClientRect().height < 44 && !one.closest('p'))
          .map((one) => one.outerHTML.slice(0, 90))"""
    )
    assert small == []


def test_an_officer_and_a_viewer_change_nothing(town: Town, desk: Desk) -> None:
    for role in ("officer", "viewer"):
        page = desk.page(role)
        answer = page.goto(f"{town.address}/duties/assign")
        assert answer is not None and answer.status == 403
        page.goto(f"{town.address}/grids/{VACANT}" if role == "viewer" else f"{town.address}/grids/500237002001001")
        assert page.locator("#course").count() == 1
        assert page.locator(".foot a", has_text="指派").count() == 0
        assert page.goto(f"{town.address}/duties/answered?subject=grid:{VACANT}").status == 200  # type: ignore[union-attr]


def test_assigning_without_scripts(town: Town, desk: Desk) -> None:
    page = desk.page("supervisor", scripts=False)
    page.goto(f"{town.address}/duties/assign?role=volunteer")
    page.locator('input[name="subject"]').first.check()
    page.locator("#f-person").fill("R050")
    page.locator(".foot .main").click()
    page.locator(".ends .main").click()
    assert "1 项已做" in page.locator("h1").inner_text()


def test_a_role_that_nothing_is_registered_for_says_so(town: Town, desk: Desk) -> None:
    page = desk.page("supervisor")
    page.goto(f"{town.address}/duties/assign?role=lake_chief")
    page.wait_for_function(_LOADED)
    assert "还没有登记这类对象" in page.locator("#subjects").inner_text()
    page.wait_for_function("() => window.steward.parts.grids.list.length > 0")  # the map is there all the same
    page.locator("#f-q").fill("湖")
    page.locator("#f-vacant").check()
    page.locator("#subjects").hover()
    page.locator("#f-role").select_option("river_chief")
    page.wait_for_url("**role=river_chief**")


def test_subjects_of_one_name_are_told_apart(town: Town, desk: Desk) -> None:
    page = desk.page("supervisor")
    page.goto(f"{town.address}/duties/assign?role=river_chief")
    page.wait_for_function(_LOADED)
    banks = page.locator("#subjects li", has_text="龙水河岸")
    codes = banks.locator(".alike").all_inner_texts()
    assert banks.count() > 2 and len(set(codes)) == banks.count() and all(codes)
    banks.nth(1).hover()
    assert page.evaluate("() => window.steward.parts.subjects.pointed.code") == f"place:{codes[1]}"
    page.locator("h1").hover()
    assert page.evaluate("() => window.steward.parts.subjects.pointed") is None


def test_a_building_beyond_the_list_is_found_and_assigned(town: Town, desk: Desk) -> None:
    page = desk.page("supervisor")
    page.goto(f"{town.address}/duties/assign?role=building_chief")
    page.wait_for_function(_LOADED)
    there = set(page.eval_on_selector_all('#subjects input[name="subject"]', "all => all.map((one) => one.value)"))
    code = page.evaluate(
        "(there) => window.steward.parts.subjects.list.filter((one) => !there.includes(one.code)).at(-1).code",
        sorted(there),
    )
    page.locator("#f-q").fill(code.removeprefix("building:"))
    line = page.locator(f'#subjects li:has(input[value="{code}"])')
    expect(line).to_be_visible()
    assert not line.locator("input").is_checked()
    line.locator("input").check()
    page.locator("#f-person").fill("R050")
    page.locator(".foot .main").click()
    expect(page.locator("h1")).to_contain_text("1 项可以")
