"""Lists keep to the asker's area; filters, sorts, counts and pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from service.errors import InvalidValue, NotFound
from service.people.access import EVERYWHERE, Area
from service.registers import queries
from service.registers.kinds import REGISTERS, register_of
from service.registers.queries import Asked
from tests.conftest import MONDAY_NOON
from tests.registers.conftest import MANAGER_EAST, MANAGER_WEST, OFFICER_A1, TODAY, UNIT_CLEANERS, Town, by, point
from tests.responsibility.town import A1, A2, B1, EAST_HOME, MICRO, SPECIAL, WEST_HOME, at, duties

SHOP_KEEPER = Area(subjects=frozenset({("frontage", "F3")}), person="P9")


@pytest.mark.parametrize(
    ("register", "area", "held"),
    [
        ("frontages", EVERYWHERE, {"F1", "F2", "F3"}),
        ("frontages", MANAGER_WEST, {"F1", "F2", "F3"}),
        ("frontages", MANAGER_EAST, set()),
        ("frontages", OFFICER_A1, {"F1", "F2", "F3"}),
        ("frontages", SHOP_KEEPER, {"F3"}),
        ("frontages", UNIT_CLEANERS, set()),
        ("places", EVERYWHERE, {"T1", "T2", "T9", "R1", "M1"}),
        ("places", MANAGER_WEST, {"T1", "R1", "M1"}),
        ("places", MANAGER_EAST, {"T2", "R1"}),
        ("places", OFFICER_A1, {"T1", "R1", "M1"}),
        ("streets", MANAGER_EAST, {"S2"}),
        ("streets", OFFICER_A1, {"S1"}),
        ("grids", OFFICER_A1, {A1, MICRO}),
        ("grids", MANAGER_WEST, {A1, A2, SPECIAL, MICRO}),
        ("communities", MANAGER_WEST, {WEST_HOME}),
        ("communities", OFFICER_A1, {WEST_HOME}),
        ("people", EVERYWHERE, {f"P{i}" for i in range(1, 9)}),
        ("people", MANAGER_WEST, {"P2", "P3", "P4", "P5", "P6", "P8"}),
        ("people", MANAGER_EAST, set()),
        ("people", OFFICER_A1, {"P2", "P3", "P4"}),
        ("organisations", MANAGER_EAST, {"O1", "O2"}),
        ("organisations", UNIT_CLEANERS, {"O1"}),
        ("incidents", EVERYWHERE, {"I1", "I2", "I3", "I4"}),
        ("incidents", MANAGER_WEST, {"I1", "I2"}),
        ("incidents", OFFICER_A1, {"I1"}),
        ("incidents", UNIT_CLEANERS, set()),
    ],
)
def test_a_list_holds_what_lies_in_the_area(still_town: Town, register: str, area: Area, held: set[str]) -> None:
    found = still_town.page(register, area)
    assert {row.code for row in found.rows} == held
    assert found.total == len(held)
    assert sum(found.counts.values()) in (len(held), 0)


@pytest.mark.parametrize(
    ("register", "code", "area"),
    [
        ("frontages", "F1", MANAGER_EAST),
        ("places", "T9", MANAGER_WEST),
        ("people", "P1", MANAGER_WEST),
        ("organisations", "O2", UNIT_CLEANERS),
        ("incidents", "I3", OFFICER_A1),
        ("grids", B1, MANAGER_WEST),
        ("frontages", "no such", EVERYWHERE),
    ],
)
def test_a_row_outside_the_area_is_not_there(still_town: Town, register: str, code: str, area: Area) -> None:
    with pytest.raises(NotFound):
        still_town.one(register, code, area)


def test_a_person_without_a_duty_is_seen_by_those_who_reach_everywhere_and_by_themselves(town: Town) -> None:
    lonely = town.create("people", {"name": "冯十一", "phone": "13812340000"}).code
    assert lonely in town.codes("people")
    assert lonely not in town.codes("people", MANAGER_WEST)
    assert lonely in town.codes("people", replace(OFFICER_A1, person=lonely))
    assert "1381234" not in lonely


def test_colleagues_belong_to_the_unit_handlers_part(town: Town) -> None:
    mine = town.create("people", {"name": "卫清", "organisation_code": "环卫所"}).code
    assert town.codes("people", UNIT_CLEANERS) == [mine]
    assert town.one("people", mine, UNIT_CLEANERS).names == {"organisation_code": "环卫所"}


@pytest.mark.parametrize(
    ("register", "filters", "held"),
    [
        ("frontages", {"state": "vacant"}, {"F2"}),
        ("frontages", {"state": "空置|operating"}, {"F1", "F2", "F3"}),
        ("frontages", {"q": "张"}, {"F1"}),
        ("frontages", {"q": "张 记"}, {"F1"}),
        ("frontages", {"shop_name": "记"}, {"F1", "F2"}),
        ("frontages", {"q": "%"}, set()),
        ("frontages", {"missing": "person_name"}, {"F2", "F3"}),
        ("frontages", {"grid": A1}, {"F1", "F2", "F3"}),
        ("frontages", {"grid": A2}, set()),
        ("frontages", {"community": f"{EAST_HOME}|{WEST_HOME}", "state": "operating"}, {"F1", "F3"}),
        ("places", {"missing": "grid"}, {"T9"}),
        ("places", {"grid": B1}, {"T2", "R1"}),
        ("places", {"missing": "leader"}, {"T2", "T9"}),
        ("places", {"kind": "公厕"}, {"T1", "T2", "T9"}),
        ("grids", {"missing": "leader"}, {A2, B1, EAST_HOME + "002"}),
        ("grids", {"community": WEST_HOME, "kind": "grid"}, {A1, A2}),
        ("streets", {"level": "主干路|2"}, {"S1", "S2"}),
        ("people", {"missing": "duties"}, {"P1"}),
        ("people", {"account": "no", "q": "张"}, {"P1"}),
        ("organisations", {"head_code": "P7"}, {"O1"}),
        ("incidents", {"group": "way"}, {"I1"}),
        ("incidents", {"group": "open", "category": "06010"}, {"I1", "I3"}),
        ("incidents", {"community": EAST_HOME}, {"I3", "I4"}),
        ("incidents", {"reported_at": "2026-11-21..2026-11-22"}, {"I2", "I3"}),
        ("incidents", {"state": "已结案"}, {"I2"}),
        ("incidents", {"q": "i4"}, {"I4"}),
        ("incidents", {"missing": "due_at", "grid": A1}, {"I1"}),
    ],
)
def test_filters(still_town: Town, register: str, filters: dict[str, str], held: set[str]) -> None:
    found = still_town.page(register, **filters)
    assert {row.code for row in found.rows} == held
    assert found.total == len(held)


@pytest.mark.parametrize(
    ("register", "filters", "field"),
    [
        ("frontages", {"nonsense": "1"}, "nonsense"),
        ("frontages", {"phone": "139"}, "phone"),
        ("frontages", {"state": "开着"}, "state"),
        ("frontages", {"missing": "nonsense"}, "missing"),
        ("frontages", {"ended": "perhaps"}, "ended"),
        ("frontages", {"agreement_until": "soon.."}, "agreement_until"),
        ("incidents", {"group": "lost"}, "group"),
        ("incidents", {"reported_at": "2026-13-01"}, "reported_at"),
        ("incidents", {"description": "x"}, "description"),
    ],
)
def test_an_unknown_filter_is_refused_by_name(
    still_town: Town, register: str, filters: dict[str, str], field: str
) -> None:
    with pytest.raises(InvalidValue) as caught:
        still_town.page(register, **filters)
    assert caught.value.field == field


def test_counts_stay_while_a_state_is_chosen(still_town: Town) -> None:
    found = still_town.page("frontages", state="vacant")
    assert found.total == 1
    assert found.counts == {"operating": 2, "vacant": 1, "closed": 0, "renovating": 0}
    groups = still_town.page("incidents", group="done")
    assert groups.counts == {"late": 0, "way": 1, "chk": 1, "rep": 1, "done": 1}


@pytest.mark.parametrize(
    ("register", "sort", "order"),
    [
        ("frontages", "-shop_name", ["F2", "F3", "F1"]),
        ("frontages", "person_name", ["F1", "F2", "F3"]),
        ("frontages", "-person_name", ["F1", "F2", "F3"]),
        ("frontages", "-state", ["F2", "F1", "F3"]),
        ("streets", "level", ["S1", "S2"]),
        ("streets", "-level", ["S2", "S1"]),
        ("places", "grid", ["M1", "T1", "R1", "T2", "T9"]),
        ("places", "-community", ["T2", "R1", "T1", "M1", "T9"]),
        ("incidents", "", ["I3", "I2", "I1", "I4"]),
        ("incidents", "reported_at", ["I4", "I1", "I2", "I3"]),
        ("incidents", "grid", ["I1", "I2", "I4", "I3"]),
        ("incidents", "number", ["I1", "I2", "I3", "I4"]),
        ("incidents", "-number", ["I4", "I3", "I2", "I1"]),
        ("incidents", "closed_at", ["I2", "I4", "I3", "I1"]),
        ("incidents", "-closed_at", ["I2", "I4", "I3", "I1"]),
    ],
)
def test_sorts_are_the_same_on_both_stores_and_empty_values_come_last(
    still_town: Town, register: str, sort: str, order: list[str]
) -> None:
    assert still_town.codes(register, sort=sort) == order


def test_every_column_that_is_said_to_sort_does(still_town: Town) -> None:
    for name, register in REGISTERS.items():
        for column in register.sortable:
            assert set(still_town.codes(name, sort=column)) == set(still_town.codes(name, sort=f"-{column}")), (
                name,
                column,
            )
    with pytest.raises(InvalidValue):
        still_town.codes("frontages", sort="phone; DROP TABLE frontages")


def test_pages_of_a_list_hold_every_row_once(still_town: Town) -> None:
    for name in ("people", "incidents", "places"):
        register, located = REGISTERS[name], still_town.located(name)
        for sort in ("", "grid"):
            seen: list[str] = []
            for offset in range(0, 10, 2):
                asked = Asked(TODAY, MONDAY_NOON, sort=sort, limit=2, offset=offset)
                with still_town.database.read() as session:
                    seen += [row.code for row in queries.page(session, register, asked, located).rows]
            if sort in ("", *register.sortable):
                assert len(seen) == len(set(seen)) == still_town.page(name).total
            with still_town.database.read() as session:
                assert queries.keys(session, register, Asked(TODAY, MONDAY_NOON), located) == still_town.codes(name)


def test_what_is_derived_is_of_the_day(still_town: Town) -> None:
    shop = still_town.one("frontages", "F1")
    assert shop.derived["grid"]["code"] == A1
    assert shop.derived["community"]["name"] == "聚鹤社区"
    assert shop.derived["leader"] == {"code": "P3", "name": "王五"}
    early = next(row for row in still_town.page("frontages", on=date(2026, 10, 1)).rows if row.code == "F1")
    assert early.derived["leader"]["name"] == "张三"
    person = still_town.one("people", "P3")
    assert {(duty.role_name, duty.acting) for duty in person.derived["duties"]} == {
        ("网格长", True),
        ("专职网格员", False),
    }
    assert still_town.one("communities", WEST_HOME).derived["grids"] == 4
    assert still_town.page("grids", q=MICRO).rows[0].derived["leader"] == {"code": "P4", "name": "赵六"}


def test_a_duty_is_named_by_what_it_is_for(town: Town) -> None:
    rows = [("D91", "street", "S1"), ("D92", "place", "T1"), ("D93", "organisation", "O2"), ("D94", "frontage", "F1")]
    duties(
        town.database,
        town.settings,
        town.folder,
        [
            {"code": code, "role": "other", "kind": kind, "subject": subject, "person": "P6"}
            for code, kind, subject in rows
        ],
    )
    held = {(duty.kind, duty.name) for duty in town.one("people", "P6").derived["duties"]}
    assert {("street", "南街"), ("place", "南公厕"), ("organisation", "城管办"), ("frontage", "张记")} <= held
    town.change("streets", "S1", {"name": "新南街"})
    assert ("street", "新南街") in {(duty.kind, duty.name) for duty in town.one("people", "P6").derived["duties"]}


def test_a_grid_is_that_of_the_edition_in_force(still_town: Town) -> None:
    grown = still_town.one("grids", A1).geometry.bounds[2]
    assert grown == pytest.approx(at(6, 0)[0])
    assert {row.code for row in still_town.page("grids").rows} == {A1, A2, SPECIAL, MICRO, B1, EAST_HOME + "002"}


def test_a_new_row_is_found_where_it_was_placed_at_once(town: Town) -> None:
    done = town.create("frontages", {"shop_name": "新店"}, point(at(8, 2)))
    assert town.codes("frontages", MANAGER_WEST, grid=A2) == [done.code]


def test_names_are_neither_searched_nor_filtered_by_who_may_not_read_them(still_town: Town) -> None:
    register, located = REGISTERS["frontages"], still_town.located("frontages")
    with still_town.database.read() as session:
        asked = Asked(TODAY, MONDAY_NOON, {"q": ("郑店长",)}, names=False)
        assert queries.page(session, register, asked, located).total == 0
        with pytest.raises(InvalidValue):
            queries.page(session, register, replace(asked, filters={"person_name": ("郑",)}), located)


def test_every_register_is_described_whole() -> None:
    for register in REGISTERS.values():
        columns = set(register.columns)
        assert set(register.listed) <= columns
        assert register.title in columns and register.key in columns
        assert set(register.searched) <= set(register.by_name)
        assert register.order.removeprefix("-") in register.sortable
        assert all(one.computed or hasattr(register.model, one.name) for one in register.fields)
        assert register.unit in "家人个件处条栋项"
        assert register.why_not or (register.creates and register.ends)
    with pytest.raises(NotFound):
        register_of("nothing")
    assert by().today == TODAY
