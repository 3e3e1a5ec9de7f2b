"""From report to closing: what each step asks for, who may take it, what it writes; on both stores."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from service.errors import Conflict, InvalidValue, InvalidValues, NoSuchRow, NotAllowed, StaleVersion
from service.incidents.dispatching import Case, Rule, propose
from service.incidents.lifecycle import AGAIN, BEFORE, SAME, STEPS
from service.incidents.placing import Placed
from service.incidents.rules import STATES
from service.people.access import EVERYWHERE
from service.taxonomy.queries import publish
from tests.conftest import MONDAY_NOON
from tests.incidents.conftest import (
    CLEANERS,
    LITTER,
    MANAGER,
    NOISE,
    OFFICER,
    OTHER_MANAGER,
    PUBLIC,
    SUPERVISOR,
    VIEWER,
    Desk,
)
from tests.registers.conftest import FAR_AWAY, IN_B1
from tests.responsibility.town import A1, WEST_HOME, sheet


def test_the_table_names_only_states_that_there_are() -> None:
    for step in STEPS.values():
        assert set(step.sources) <= set(STATES), step.code
        assert step.target in STATES or step.target in (SAME, BEFORE, AGAIN), step.code
    words = """verify reject file dispatch accept return transfer handle inspect_pass inspect_fail ask_extension
        grant_extension refuse_extension postpone resume reopen merge unmerge void"""
    assert set(STEPS) == set(words.split())


def test_a_citizens_report_goes_the_whole_way(desk: Desk) -> None:
    made = desk.report(description="垃圾没人收", contact=None)
    number = made.incident.number
    assert (number, made.incident.state) == ("261123-0001", "unverified")
    assert (made.incident.grid_code, made.incident.community_code) == (A1, WEST_HOME)
    assert made.incident.taxonomy_version == 3 and len(made.key) >= 22
    desk.take(number, "verify", OFFICER)
    desk.take(number, "file", MANAGER)
    filed = desk.one(number)
    # Monday noon in Shanghai is the end of the morning: 4 working hours are the whole afternoon.
    assert filed.due_at == datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    assert filed.deadline is not None and filed.deadline["taxonomy"] == 3
    desk.take(number, "dispatch", MANAGER, unit="O1", why="环卫")
    desk.take(number, "accept", CLEANERS)
    desk.take(number, "handle", CLEANERS, photos=(desk.photo(number),))
    desk.take(number, "inspect_fail", OFFICER, note="墙角还有")
    assert desk.one(number).state == "rework" and desk.one(number).reworks == 1
    desk.take(number, "handle", CLEANERS, hours=1, photos=(desk.photo(number),))
    desk.take(number, "inspect_pass", OFFICER, hours=2)
    closed = desk.one(number)
    assert (closed.state, closed.closed_at) == ("closed", MONDAY_NOON + timedelta(hours=2))
    assert [one.step for one in desk.steps(number)] == [
        "report",
        "verify",
        "file",
        "dispatch",
        "accept",
        "handle",
        "inspect_fail",
        "handle",
        "inspect_pass",
    ]
    assert [one.version for one in desk.steps(number)] == list(range(1, 10))


def test_another_communitys_manager_does_not_even_see_it(desk: Desk) -> None:
    number = desk.to("unfiled")
    with pytest.raises(NoSuchRow):
        desk.take(number, "file", OTHER_MANAGER)
    with pytest.raises(NoSuchRow):
        desk.take(number, "file", PUBLIC)
    with pytest.raises(NotAllowed, match="社区管理员"):
        desk.take(number, "file", VIEWER)
    with pytest.raises(NotAllowed):
        desk.take(number, "file", OFFICER)
    assert desk.one(number).state == "unfiled"


def test_nobody_inspects_what_they_handled(desk: Desk) -> None:
    number = desk.to("handling")
    desk.take(number, "handle", SUPERVISOR, photos=(desk.photo(number),))
    with pytest.raises(NotAllowed, match="另一个人"):
        desk.take(number, "inspect_pass", SUPERVISOR)
    assert desk.take(number, "inspect_pass", OFFICER).state == "closed"


def test_a_step_out_of_its_time_or_on_a_stale_version_is_a_conflict(desk: Desk) -> None:
    number = desk.to("unfiled")
    with pytest.raises(Conflict, match="只能在待派遣时做"):
        desk.take(number, "dispatch", unit="O1")
    with pytest.raises(StaleVersion) as caught:
        desk.take(number, "file", version=1)
    assert (caught.value.stored["state"], caught.value.stored_version) == ("unfiled", 2)
    with pytest.raises(InvalidValue, match="没有“fly”这一步"):
        desk.take(number, "fly")


@pytest.mark.parametrize(
    ("state", "step", "given", "field"),
    [
        ("unverified", "reject", {}, "note"),
        ("undispatched", "dispatch", {}, "holder"),
        ("undispatched", "dispatch", {"person": "P999"}, "person"),
        ("undispatched", "dispatch", {"unit": "O999"}, "unit"),
        ("handling", "handle", {}, "photos"),
        ("handling", "handle", {"photos": (999,)}, "photos"),
        ("handling", "return", {"note": "  "}, "note"),
        ("handling", "ask_extension", {"note": "等料"}, "until"),
        ("handling", "ask_extension", {"note": "等料", "until": MONDAY_NOON}, "until"),
        ("inspecting", "inspect_fail", {}, "note"),
        ("unfiled", "merge", {}, "parent"),
        ("unfiled", "void", {"note": "字" * 1001}, "note"),
    ],
)
def test_what_a_step_lacks_is_named(desk: Desk, state: str, step: str, given: dict[str, object], field: str) -> None:
    number = desk.to(state)
    with pytest.raises(InvalidValues) as caught:
        desk.take(number, step, **given)
    assert [name for name, _ in caught.value.errors] == [field]
    assert desk.one(number).state == state


def test_an_extension_is_asked_for_and_answered_by_somebody_else(desk: Desk) -> None:
    number = desk.to("handling")
    until = MONDAY_NOON + timedelta(days=3)
    desk.take(number, "ask_extension", CLEANERS, note="等料", until=until)
    with pytest.raises(Conflict, match="在等答复"):
        desk.take(number, "ask_extension", CLEANERS, note="等料", until=until)
    with pytest.raises(NotAllowed):
        desk.take(number, "grant_extension", CLEANERS)
    desk.take(number, "grant_extension", MANAGER)
    granted = desk.one(number)
    assert (granted.due_at, granted.extensions, granted.extension) == (until, 1, None)
    with pytest.raises(Conflict, match="没有待答复"):
        desk.take(number, "refuse_extension", MANAGER, note="不行")


def test_the_clock_stands_still_while_postponed(desk: Desk) -> None:
    number = desk.to("handling")  # due at the end of Monday's hours: four working hours left
    desk.take(number, "postpone", MANAGER, hours=3, note="等审批")  # 15:00, three hours left
    desk.take(number, "resume", MANAGER, hours=24 * 7)  # a week later, noon: the afternoon from 14 to 17
    again = desk.one(number)
    assert (again.state, again.due_at) == ("handling", datetime(2026, 11, 30, 9, 0, tzinfo=UTC))


def test_a_merged_one_comes_back_where_it_was(desk: Desk) -> None:
    parent, child = desk.to("handling"), desk.to("unfiled")
    desk.take(child, "merge", MANAGER, parent=parent)
    assert (desk.one(child).state, desk.one(child).parent_number) == ("merged", parent)
    with pytest.raises(Conflict, match="已有别的事项并入"):
        desk.take(parent, "merge", MANAGER, parent=desk.to("unfiled"))
    with pytest.raises(Conflict, match="只能并入还没有办完"):
        desk.take(desk.to("unfiled"), "merge", MANAGER, parent=child)
    desk.take(child, "unmerge", MANAGER, note="不是同一处")
    assert (desk.one(child).state, desk.one(child).parent_number) == ("unfiled", None)
    with pytest.raises(InvalidValue, match="它自己"):
        desk.take(child, "merge", MANAGER, parent=child)


def test_a_closed_one_is_reopened_within_fifteen_days(desk: Desk) -> None:
    number = desk.to("closed")
    with pytest.raises(Conflict, match="超过 15 天"):
        desk.take(number, "reopen", MANAGER, hours=24 * 15 + 1, note="还在")
    desk.take(number, "reopen", MANAGER, hours=24, note="还在")
    again = desk.one(number)
    assert (again.state, again.closed_at, again.reworks) == ("rework", None, 1)
    assert again.due_at == datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


def test_a_patrols_find_is_filed_at_once(desk: Desk) -> None:
    made = desk.report(OFFICER, filed=True, source="patrol").incident
    assert (made.state, made.filed_at) == ("undispatched", MONDAY_NOON)
    assert desk.report(source="citizen", category="06028").incident.state == "unfiled"  # needs no look on the spot


def test_what_came_back_is_linked(desk: Desk) -> None:
    first = desk.to("closed")
    again = desk.report(OFFICER, source="patrol").incident
    assert again.recurs_number == first
    late = replace(PUBLIC, now=MONDAY_NOON + timedelta(days=31))
    assert desk.report(late).incident.recurs_number is None


def test_outside_every_grid_it_is_kept_for_the_supervisor(desk: Desk) -> None:
    made = desk.report(lon=FAR_AWAY[0], lat=FAR_AWAY[1]).incident
    assert (made.grid_code, made.state) == (None, "unverified")
    with pytest.raises(NoSuchRow):
        desk.take(made.number, "verify", MANAGER)
    assert desk.take(made.number, "verify", SUPERVISOR).state == "unfiled"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"category": "99999"}, "category"),
        ({"category": "06099"}, "category"),
        ({"category": None}, "description"),
        ({"description": "字" * 2001}, "description"),
        ({"lon": None}, "lon"),
        ({"lon": None, "lat": None}, "lon"),
        ({"lon": 181.0}, "lon"),
        ({"lat": float("nan")}, "lat"),
        ({"source": "rumour"}, "source"),
        ({"at": MONDAY_NOON + timedelta(hours=1)}, "reported_at"),
    ],
)
def test_a_report_that_cannot_be_is_refused_whole(desk: Desk, given: dict[str, object], field: str) -> None:
    before = desk.count()
    with pytest.raises(InvalidValues) as caught:
        desk.report(**given)
    assert field in [name for name, _ in caught.value.errors]
    assert desk.count() == before


def test_an_older_code_is_taken_for_the_one_in_force(desk: Desk) -> None:
    assert desk.report(category="0105").incident.category == "06010"


def test_the_unit_sees_what_it_has_in_hand_and_nothing_else(desk: Desk) -> None:
    mine, other = desk.to("unaccepted"), desk.to("unfiled", lon=IN_B1[0], lat=IN_B1[1])
    assert desk.take(mine, "accept", CLEANERS).state == "handling"
    with pytest.raises(NoSuchRow):
        desk.take(other, "void", CLEANERS, note="x")
    columns = desk.town.columns.current()
    held = columns.inside(CLEANERS.area)
    assert columns.rows.ids[held].tolist() == [desk.one(mine).id]
    assert columns.inside(EVERYWHERE).all()


def test_an_import_takes_the_older_code_and_the_name_for_the_one_in_force(desk: Desk) -> None:
    with desk.town.database.write() as session:
        publish(session, (LITTER, NOISE), "周主管", MONDAY_NOON, None)
    told = [{"number": "H1", "category": "0105"}, {"number": "H2", "category": "88888"}]
    rows = [{**one, "reported_at": "2026-11-20 10:00"} for one in told]
    desk.town.bring("incidents", sheet(desk.town.folder / "codes.csv", rows))
    assert (desk.one("H1").category, desk.one("H1").category_name) == ("06010", "暴露垃圾")
    assert (desk.one("H2").category, desk.one("H2").category_name) == ("88888", "88888")


def test_nothing_is_given_to_somebody_who_is_gone(desk: Desk) -> None:
    number = desk.to("undispatched")
    desk.town.create("people", {"code": "P77", "name": "孙走了"})
    desk.town.end("people", "P77", on=MONDAY_NOON.date())
    with pytest.raises(InvalidValues, match="终止登记"):
        desk.take(number, "dispatch", person="P77")
    rule = Rule(1, "夜里", {}, {"kind": "person", "code": "P77"})
    case = Case(LITTER, Placed(), False, MONDAY_NOON)
    assert propose(desk.facts().today, case, (rule,)) is None
