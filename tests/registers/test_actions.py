"""Creating and changing by hand: locking, areas, validation, bulk, the trail."""

from __future__ import annotations

import threading
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from service.errors import Conflict, InvalidValues, NotAllowed, NotFound, StaleVersion
from service.people.rules import Viewer
from service.records import counters
from service.records.models import AuditEntry
from service.registers import actions
from service.registers.kinds import REGISTERS
from service.responsibility.lookup import Distances, answer
from tests.registers.conftest import (
    FAR_AWAY,
    IN_A1,
    IN_B1,
    MANAGER_EAST,
    MANAGER_WEST,
    TODAY,
    UNIT_CLEANERS,
    Town,
    by,
    point,
)
from tests.responsibility.town import A1, MICRO, WEST_HOME, at

SEEN = "<script>alert(1)</script>'; DROP TABLE frontages; --"
HOSTILE = SEEN.replace("'", "\u202e'")  # what turns the letters round is not kept


def entries(town: Town, register: str, code: str) -> list[AuditEntry]:
    with town.database.read() as session:
        found = select(AuditEntry).where(AuditEntry.subject_kind == register, AuditEntry.subject_code == code)
        return list(session.scalars(found.order_by(AuditEntry.id)))


def line(*points: tuple[float, float]) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": [list(one) for one in points]}


def faults(caught: pytest.ExceptionInfo[InvalidValues]) -> dict[str, str]:
    return dict(caught.value.errors)


def test_a_shop_is_registered_with_a_proposed_code_and_stands_in_the_trail(town: Town) -> None:
    sent = {
        "shop_name": HOSTILE,
        "state": "装修中",
        "phone": "１３８-1234 5678",
        "agreement_until": "2027年3月1日",
        "trade": "",
    }
    done = town.create("frontages", sent, line(at(1, 1), at(1.1, 1)))
    row = town.one("frontages", done.code)
    assert row.values["shop_name"] == SEEN
    assert row.values["state"] == "renovating"
    assert row.values["phone"] == "13812345678"
    assert row.values["agreement_until"] == date(2027, 3, 1)
    assert row.values["trade"] is None
    assert (row.version, row.ended_on) == (1, None)
    (entry,) = entries(town, "frontages", done.code)
    assert (entry.action, entry.actor, entry.subject_name, entry.before) == (
        "frontage.create",
        "周主管",
        SEEN,
        None,
    )
    assert entry.after is not None
    assert entry.after["geometry"]["type"] == "LineString"
    assert entry.after["agreement_until"] == "2027-03-01"


def test_a_change_moves_what_was_sent_and_nothing_else(town: Town) -> None:
    before = town.one("frontages", "F1")
    done = town.change("frontages", "F1", {"trade": "餐饮", "shop_name": "张记"}, before.version)
    after = town.one("frontages", "F1")
    assert done.changed == ("trade",)
    assert after.version == before.version + 1
    assert {**after.values, "trade": None} == dict(before.values)
    (entry,) = entries(town, "frontages", "F1")
    assert (entry.action, entry.before, entry.after) == ("frontage.change", {"trade": None}, {"trade": "餐饮"})


def test_a_change_that_changes_nothing_leaves_no_trace(town: Town) -> None:
    with town.database.read() as session:
        before = counters.read_all(session)
    done = town.change("frontages", "F1", {"shop_name": " 张记 ", "state": "operating"}, 1)
    assert (done.version, done.changed, entries(town, "frontages", "F1")) == (1, (), [])
    with town.database.read() as session:
        assert counters.read_all(session) == before


def test_a_stale_version_shows_both_sides_and_who_it_was(town: Town) -> None:
    town.change("frontages", "F1", {"trade": "餐饮"}, 1)
    with pytest.raises(StaleVersion) as caught:
        town.change("frontages", "F1", {"trade": "服装"}, 1)
    fault = caught.value
    assert (fault.stored["trade"], fault.stored_version) == ("餐饮", 2)
    assert (fault.sent, fault.sent_version) == ({"trade": "服装"}, 1)
    assert "周主管" in fault.message
    assert town.one("frontages", "F1").values["trade"] == "餐饮"


def test_a_changed_shop_answers_the_next_lookup_of_every_worker(town: Town) -> None:
    def keeper() -> Any:
        found = answer(town.keeper.on(TODAY), *at(1.05, 1), Viewer("supervisor"), Distances())
        return found["frontage"]["shop_name"], found["duties"][0]["person"]["name"]

    assert keeper() == ("张记", "郑店长")
    town.change("frontages", "F1", {"shop_name": "新张记", "person_name": "冯店长"})
    assert keeper() == ("新张记", "冯店长")


@pytest.mark.parametrize(
    ("register", "sent", "field", "said"),
    [
        ("frontages", {"shop_name": "  "}, "shop_name", "必须填写"),
        ("frontages", {"state": "开着"}, "state", "可以写：经营、空置"),
        ("frontages", {"state": ""}, "state", "必须填写"),
        ("frontages", {"phone": "1381234567"}, "phone", "11 位"),
        ("frontages", {"phone": "138****5678"}, "phone", "星号"),
        ("frontages", {"agreement_until": "2026-02-30"}, "agreement_until", "责任书有效至"),
        ("frontages", {"colour": "red"}, "colour", "没有“colour”"),
        ("frontages", {"code": "F9"}, "code", "不能改"),
        ("frontages", {"shop_name": "x" * 5000}, "shop_name", "最多"),
        ("frontages", {"shop_name": "a\x00b"}, "shop_name", "控制字符"),
        ("frontages", {"shop_name": ["a"]}, "shop_name", "文字"),
        ("grids", {"households": "-3"}, "households", "0 以上"),
        ("grids", {"households": "很多"}, "households", "户数"),
        ("grids", {"households": "12.5"}, "households", "整数"),
        ("grids", {"kind": "微网格"}, "kind", "新一版界线"),
        ("grids", {"community_code": WEST_HOME + "9"}, "community_code", "不能改"),
        ("people", {"organisation_code": "没有这个单位"}, "organisation_code", "先登记"),
        ("organisations", {"head_code": "没有这个人"}, "head_code", "先登记"),
        ("streets", {"level": "9"}, "level", "主干路"),
    ],
)
def test_a_fault_names_the_field_and_says_what_to_do(
    still_town: Town, register: str, sent: dict[str, Any], field: str, said: str
) -> None:
    code = {"frontages": "F1", "grids": A1, "people": "P1", "organisations": "O1", "streets": "S1"}[register]
    with pytest.raises(InvalidValues) as caught:
        still_town.change(register, code, sent)
    assert said in faults(caught)[field]
    assert entries(still_town, register, code) == []


def test_all_faults_are_told_at_once(still_town: Town) -> None:
    with pytest.raises(InvalidValues) as caught:
        still_town.create("frontages", {"shop_name": "", "phone": "12", "state": "?"})
    assert set(faults(caught)) == {"shop_name", "phone", "state", "geometry"}


def test_a_form_accepts_what_a_file_accepts(town: Town) -> None:
    town.change("frontages", "F1", {"state": "停业", "phone": "023-57681234"})
    town.change("grids", A1, {"households": "1,234户", "kind": "专属网格"})
    town.change("people", "P1", {"organisation_code": "城管办"})
    town.change("organisations", "O2", {"head_code": "13800000000"})
    assert town.one("frontages", "F1").values["state"] == "closed"
    assert town.one("frontages", "F1").values["phone"] == "02357681234"
    assert town.one("grids", A1).values["households"] == 1234
    assert town.one("people", "P1").values["organisation_code"] == "O2"
    assert town.one("organisations", "O2").values["head_code"] == "P1"


@pytest.mark.parametrize(
    ("geometry", "said"),
    [
        (point(FAR_AWAY), "不在本街道"),
        (point((IN_A1[1], IN_A1[0])), "对调"),
        (point((0, 0)), "0"),
        ({"type": "Point", "coordinates": ["a", "b"]}, "读不懂"),
        ({"type": "Point", "coordinates": []}, "空"),
        ({"type": "LineString", "coordinates": [list(IN_A1), list(IN_A1)]}, "无效"),
        ({"type": "Circle"}, "GeoJSON"),
        ({**point(IN_A1), "crs": {"type": "name"}}, "WGS-84"),
        ("POINT(109 31)", "GeoJSON"),
        (point((float("nan"), 31.0)), "读不懂"),
    ],
)
def test_a_place_that_cannot_be_is_refused_in_words(still_town: Town, geometry: Any, said: str) -> None:
    with pytest.raises(InvalidValues) as caught:
        still_town.change("frontages", "F1", {}, geometry=geometry)
    assert said in faults(caught)["geometry"]


def test_a_shop_is_moved_and_the_old_place_stands_in_the_trail(town: Town) -> None:
    town.change("frontages", "F1", {}, geometry=point(at(8, 2)))
    row = town.one("frontages", "F1")
    assert (row.geometry.x, row.geometry.y) == pytest.approx(at(8, 2))
    (entry,) = entries(town, "frontages", "F1")
    assert entry.before is not None and entry.after is not None
    assert entry.before["geometry"]["type"] == "LineString"
    assert entry.after["geometry"] == {"type": "Point", "coordinates": [109.888, 31.072]}
    assert town.change("frontages", "F1", {}, geometry=entry.after["geometry"]).changed == ()


def test_managers_write_inside_their_communities_only(town: Town) -> None:
    made = town.create("frontages", {"shop_name": "西边店"}, point(IN_A1), area=MANAGER_WEST)
    town.change("frontages", made.code, {"trade": "餐饮"}, area=MANAGER_WEST)
    town.change("grids", A1, {"households": "9"}, area=MANAGER_WEST)
    with pytest.raises(NotFound):
        town.change("frontages", made.code, {"trade": "服装"}, area=MANAGER_EAST)
    with pytest.raises(NotAllowed, match="不在你的社区"):
        town.create("frontages", {"shop_name": "西边店"}, point(IN_A1), area=MANAGER_EAST)
    with pytest.raises(NotAllowed, match="不在你的社区"):
        town.change("frontages", made.code, {}, geometry=point(IN_B1), area=MANAGER_WEST)
    with pytest.raises(NotAllowed, match="由主管"):
        town.change("places", "R1", {"name": "大河"}, area=MANAGER_WEST)
    with pytest.raises(NotAllowed, match="由主管"):
        town.change("organisations", "O1", {"name": "所"}, area=MANAGER_WEST)
    with pytest.raises(NotAllowed):
        town.change("organisations", "O1", {"name": "所"}, area=UNIT_CLEANERS)
    with pytest.raises(NotAllowed):
        town.create("people", {"name": "新人"}, area=MANAGER_WEST)
    with pytest.raises(NotAllowed):
        town.end("communities", WEST_HOME, area=MANAGER_WEST)
    town.end("frontages", made.code, area=MANAGER_WEST)


def test_codes_are_proposed_and_never_used_twice(town: Town) -> None:
    first = town.create("people", {"name": "冯十一"}).code
    second = town.create("people", {"name": "冯十一"}).code
    assert first != second and "冯" not in first + second
    with pytest.raises(Conflict, match="P1"):
        town.create("people", {"name": "某人", "code": "P1"})
    town.end("frontages", "F3")
    with pytest.raises(Conflict, match="恢复"):
        town.create("frontages", {"shop_name": "某店", "code": "F3"}, point(IN_A1))
    with pytest.raises(InvalidValues) as caught:
        town.create("people", {"name": "某人", "code": "a/b c"})
    assert "code" in faults(caught)
    with pytest.raises(InvalidValues):
        town.create("communities", {"name": "新社区", "kind": "社区"})
    town.create("communities", {"code": "500237002009", "name": "新社区", "kind": "社区"})


def test_a_file_finds_the_shop_that_was_registered_by_hand(town: Town) -> None:
    made = town.create("frontages", {"shop_name": "新店"}, line(at(1, 1), at(1.1, 1)))
    path = town.folder / "again.csv"
    wkt = "LINESTRING (109.881 31.071, 109.8811 31.071)"
    path.write_text(f'店名,WKT\n新店,"{wkt}"\n', encoding="utf-8")
    town.bring("frontages", path)
    assert [row.code for row in town.page("frontages", q="新店").rows] == [made.code]


def test_nothing_is_written_when_the_route_does_not_commit(town: Town) -> None:
    located = town.located("frontages")
    with pytest.raises(RuntimeError), town.database.write() as session:
        actions.change(session, REGISTERS["frontages"], "F1", {"trade": "餐饮"}, None, by(), located)
        raise RuntimeError
    assert town.one("frontages", "F1").values["trade"] is None
    assert entries(town, "frontages", "F1") == []


def test_attributes_of_a_grid_are_those_of_the_edition_in_force(town: Town) -> None:
    town.change("grids", A1, {"households": "500", "notes": HOSTILE})
    zone = next(one for one in town.keeper.on(TODAY).tiling.zones if one.code == A1)
    early = next(one for one in town.keeper.on(date(2026, 1, 1)).tiling.zones if one.code == A1)
    assert (zone.households, zone.notes, early.households) == (500, SEEN, None)
    assert town.change("grids", MICRO, {"population": "20"}).changed == ("population",)


def test_of_two_who_change_the_same_version_one_learns_of_the_other(town: Town) -> None:
    located, told = town.located("frontages"), []

    def work(trade: str) -> None:
        try:
            with town.database.write() as session:
                actions.change(session, REGISTERS["frontages"], "F1", {"trade": trade}, 1, by(), located)
            told.append("stored")
        except StaleVersion as fault:
            told.append(fault.stored["trade"])

    threads = [threading.Thread(target=work, args=(trade,)) for trade in ("餐饮", "服装")]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    row = town.one("frontages", "F1")
    assert row.version == 2
    assert sorted(told) == sorted(["stored", row.values["trade"]])
