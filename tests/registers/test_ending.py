"""The end of validity: from its day on a row is not there, what depends on it keeps it, imports leave it ended."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from service.errors import Conflict, StaleVersion
from service.geo.values import BBox
from service.intake.kinds import KINDS
from service.intake.run import Request, run_import
from service.people.accounts import create_account
from service.people.models import Account
from service.people.rules import Viewer
from service.places.ground import Ground
from service.records import batches
from service.records.models import AuditEntry, ImportBatch
from service.responsibility.lookup import Distances, answer
from tests.conftest import MONDAY_NOON, PASSWORD
from tests.registers.conftest import (
    TODAY,
    Town,
)
from tests.responsibility.town import A1, WEST_HOME, at, sheet


def entries(town: Town, register: str, code: str) -> list[AuditEntry]:
    with town.database.read() as session:
        found = select(AuditEntry).where(AuditEntry.subject_kind == register, AuditEntry.subject_code == code)
        return list(session.scalars(found.order_by(AuditEntry.id)))


def test_an_ended_shop_leaves_map_lookup_and_list_from_its_day_on(town: Town) -> None:
    done = town.end("frontages", "F1", TODAY + timedelta(days=2))
    assert done.version == 2
    for days, there in ((0, True), (1, True), (2, False), (3, False)):
        day = TODAY + timedelta(days=days)
        found = answer(town.keeper.on(day), *at(1.05, 1), Viewer("supervisor"), Distances())
        assert (found["frontage"] is not None and found["frontage"]["code"] == "F1") is there, day
        shown = town.keeper.on(day).frontages.within(*at(0.9, 0.9), *at(1.2, 1.05), 10)
        assert [row.code for row, _ in shown] == (["F1"] if there else [])
        assert ("F1" in town.codes("frontages", on=day)) is there
    later = TODAY + timedelta(days=2)
    assert town.codes("frontages", on=later, ended="yes") == ["F1"]
    assert len(town.codes("frontages", on=later, ended="all")) == 3
    assert town.one("frontages", "F1").ended_on == later


def test_an_ended_row_is_restored_and_meanwhile_not_changed(town: Town) -> None:
    town.end("frontages", "F1")
    with pytest.raises(Conflict, match="先恢复"):
        town.change("frontages", "F1", {"trade": "餐饮"})
    with pytest.raises(Conflict, match="终止"):
        town.end("frontages", "F1")
    assert town.restore("frontages", "F1").version == 3
    with pytest.raises(Conflict, match="没有终止"):
        town.restore("frontages", "F1")
    town.change("frontages", "F1", {"trade": "餐饮"})
    assert [entry.action for entry in entries(town, "frontages", "F1")] == [
        "frontage.end",
        "frontage.restore",
        "frontage.change",
    ]


@pytest.mark.parametrize(
    ("register", "code", "said"),
    [
        ("people", "P3", "网格长"),
        ("people", "P2", "责任"),
        ("people", "P7", "一把手"),
        ("communities", WEST_HOME, "4 个网格"),
        ("grids", A1, "新一版"),
        ("incidents", "I1", "只能查看"),
    ],
)
def test_what_others_depend_on_does_not_end_and_the_reason_is_told(
    still_town: Town, register: str, code: str, said: str
) -> None:
    with pytest.raises(Conflict, match=said):
        still_town.end(register, code)


def test_an_organisation_ends_after_its_people_and_accounts(town: Town) -> None:
    town.change("people", "P1", {"organisation_code": "O2"})
    with pytest.raises(Conflict, match="1 人属于它（张三）"):
        town.end("organisations", "O2")
    with town.database.write() as session:
        create_account(session, "zhang.san", "officer", PASSWORD, MONDAY_NOON).person_code = "P1"
        create_account(session, "unit.two", "unit", PASSWORD, MONDAY_NOON, unit="O2")
    with pytest.raises(Conflict, match=r"zhang\.san"):
        town.end("people", "P1")
    with town.database.write() as session:
        for account in session.scalars(select(Account)):
            account.active = False
    town.end("people", "P1")
    town.end("organisations", "O2")
    assert town.codes("organisations") == ["O1"]


def test_a_duty_of_an_ended_person_is_vacant_from_that_day(town: Town) -> None:
    """A file may still name somebody who has left."""
    town.end("people", "P1")
    code = next(one for one in town.codes("grids") if len(one) > 15)
    duty = [{"role": "grid_leader", "subject_kind": "micro_grid", "subject_code": code, "person_code": "P1"}]
    town.bring("duties", sheet(town.folder / "late.csv", duty))

    def holders(day: date) -> set[str]:
        return {held.person.name for held in town.keeper.on(day).held("micro_grid", code, "")}

    assert "张三" in holders(TODAY - timedelta(days=1))
    assert "张三" not in holders(TODAY)


def test_an_import_bumps_the_version_and_keeps_what_has_ended(town: Town) -> None:
    town.end("frontages", "F1")
    path = town.folder / "again.csv"
    path.write_text("编码,店名,经度,纬度\nF1,张记二店,109.881,31.071\nF2,李记二店,109.881,31.0711\n", encoding="utf-8")
    done = run_import(town.database, town.settings, Request(kind="frontages", files=(path,)), MONDAY_NOON)
    assert any("已终止" in str(one) for one in done.summary["warnings"])
    row = town.one("frontages", "F1")
    assert (row.values["shop_name"], row.ended_on, row.version) == ("张记二店", TODAY, 3)
    assert town.one("frontages", "F2").version == 2
    with pytest.raises(StaleVersion):
        town.change("frontages", "F2", {"trade": "餐饮"}, 1)


def test_an_ended_place_or_street_leaves_the_drawn_ground_on_its_day(town: Town) -> None:
    ground, box = Ground(town.database), BBox(*at(0, 0), *at(12, 10))
    tomorrow = TODAY + timedelta(days=1)
    assert ground.endings(tomorrow) == 0
    for register, code in (("places", "T1"), ("places", "R1"), ("streets", "S1")):
        town.end(register, code, tomorrow)
    for day, there in ((TODAY, True), (tomorrow, False)):
        view = ground.view(box, 0.1, day)
        assert ("T1" in [one[0] for one in ground.facilities(box, day)]) is there
        assert ("南街" in [one[0] for one in view["streets"]]) is there
        assert "T2" in [one[0] for one in ground.facilities(box, day)]
    assert ground.endings(tomorrow) == 3


def test_undoing_an_import_raises_the_version_too(town: Town) -> None:
    """A form that was opened while the import stood must not bring its values back."""
    path = town.folder / "again.csv"
    path.write_text("编码,店名,经度,纬度\nF1,张记二店,109.881,31.071\n", encoding="utf-8")
    town.bring("frontages", path)
    assert town.one("frontages", "F1").version == 2
    with town.database.write() as session:
        last = session.scalars(select(ImportBatch).order_by(ImportBatch.id.desc())).first()
        assert last is not None
        batches.undo(session, last, KINDS["frontages"].tables, MONDAY_NOON)
    row = town.one("frontages", "F1")
    assert (row.values["shop_name"], row.version) == ("张记", 3)


def test_a_reservoir_is_a_lake_in_the_register_and_water_on_the_map(town: Town) -> None:
    ring = [list(at(x, y)) for x, y in ((4, 3), (4.5, 3), (4.5, 3.5), (4, 3))]
    made = town.create("places", {"name": "龙门水库", "kind": "水库"}, {"type": "Polygon", "coordinates": [ring]})
    assert town.one("places", made.code).values["kind"] == "lake"
    view = Ground(town.database).view(BBox(*at(0, 0), *at(12, 10)), 0.1, TODAY)
    assert len(view["areas"]["river"]) == 1
