"""五长制 and the chiefs of waters and woods at a point: streets, buildings, facilities, reaches and units."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import shapely

from service.config import Settings
from service.db.engine import Database
from service.people.access import Area
from service.people.rules import Viewer
from service.responsibility.keeper import Responsibility
from service.responsibility.lookup import Distances, answer
from service.responsibility.reach import person_inside
from tests.responsibility.town import (
    A1,
    A2,
    SPECIAL,
    WEST_HOME,
    at,
    box,
    bring,
    duties,
    keeper_of,
    layer,
    load_town,
    sheet,
)
from tests.stores import Filling

TODAY = date(2026, 11, 23)
METRES_NORTH = 110.9  # of a step
STREET = shapely.LineString([at(0, 3), at(12, 3)])
RIVER = shapely.Polygon([at(0, 4.4), at(12, 4.4), at(12, 4.6), at(0, 4.6)])
OUTSIDE = shapely.LineString([at(20, 0), at(20, 5)])


def town_with_chiefs(database: Database, settings: Settings, folder: Path) -> None:
    """The small town with a street and a river through A1 and A2, a house, a market and a school."""
    load_town(database, settings, folder)
    bring(database, settings, "streets", layer(folder / "s.geojson", [
        (STREET, {"code": "S1", "name": "龙门大道", "level": 0}), (OUTSIDE, {"code": "S2", "name": "野路", "level": 2}),
        (shapely.LineString([at(0, 3.05), at(12, 3.05)]), {"code": "S3", "name": "没人管的街", "level": 2}),
    ]))  # fmt: skip
    bring(database, settings, "buildings", layer(folder / "b.geojson", [(box(3, 1, 3.3, 1.3), {"code": "H1", "address": "龙门大道8号"})]))  # fmt: skip # noqa: E501
    bring(database, settings, "places", layer(folder / "p.geojson", [
        (RIVER, {"code": "W1", "name": "龙水河", "kind": "river"}),
        (shapely.Point(at(8, 1)), {"code": "M1", "name": "便民市场", "kind": "market"}),
        (box(10.5, 1, 11.5, 2), {"code": "C1", "name": "聚鹤小学", "kind": "school"}),
    ]))  # fmt: skip
    bring(database, settings, "organisations", sheet(folder / "o.csv", [{"code": "U9", "name": "聚鹤小学"}]))
    rows: list[dict[str, Any]] = [
        {"code": "E1", "role": "street_chief", "kind": "street", "subject": "S1", "person": "P7"},
        {"code": "E2", "role": "road_chief", "kind": "street", "subject": "S1", "person": "P6", "starts": "2026-12-01"},
        {"code": "E3", "role": "road_chief", "kind": "street", "subject": "S1", "person": "P5", "ends": "2026-12-01"},
        {"code": "E4", "role": "building_chief", "kind": "building", "subject": "H1", "person": "P4"},
        {"code": "E5", "role": "river_chief", "kind": "place", "subject": "W1", "person": "P8", "acting": "P3"},
        {"code": "E6", "role": "place_keeper", "kind": "place", "subject": "M1", "person": "P2"},
        {"code": "E7", "role": "first_responsible", "kind": "organisation", "subject": "U9", "person": "P1"},
        {"code": "E8", "role": "road_chief", "kind": "street", "subject": "S2", "person": "P1"},
    ]
    duties(database, settings, folder, rows)


@pytest.fixture
def filling() -> Filling:
    return town_with_chiefs


@pytest.fixture
def town(database: Database) -> Responsibility:
    return keeper_of(database)


def found(
    town: Responsibility, spot: tuple[float, float], on: date = TODAY, **options: Any
) -> list[tuple[str, str, str]]:
    """(role, subject, person) in the answer's order, but for grid and above."""
    body = answer(town.on(on), *at(*spot), options.pop("viewer", Viewer("supervisor")), Distances(**options))
    return [
        (one["role"], one["subject"]["code"], one["person"]["name"])
        for one in body["duties"]
        if one["subject"]["kind"] in ("street", "building", "place", "organisation")
    ]


def test_on_a_street_its_chiefs_answer_above_the_grids(town: Responsibility) -> None:
    body = answer(town.on(TODAY), *at(4, 3), Viewer("supervisor"), Distances())
    assert [(one["role"], one["subject"]["kind"]) for one in body["duties"]] == [
        ("grid_leader", "grid"),
        ("grid_officer", "grid"),
        ("road_chief", "street"),
        ("street_chief", "street"),
        ("community_head", "community"),
        ("area_leader", "community"),
        ("first_responsible", "subdistrict"),
    ]
    assert body["duties"][2]["subject"] == {
        "kind": "street", "code": "S1", "name": "龙门大道", "distance_m": 0.0, "within_m": 15.0,
    }  # fmt: skip


@pytest.mark.parametrize(("metres", "here"), [(14.5, True), (15.5, False)])
def test_a_street_is_here_within_the_stated_distance(town: Responsibility, metres: float, here: bool) -> None:
    assert bool(found(town, (4, 3 - metres / METRES_NORTH))) is here
    assert found(town, (4, 3 - metres / METRES_NORTH), street=metres - 1) == []


def test_each_day_has_its_own_chief(town: Responsibility) -> None:
    assert ("road_chief", "S1", "钱七") in found(town, (4, 3), date(2026, 11, 30))
    assert ("road_chief", "S1", "孙八") in found(town, (4, 3), date(2026, 12, 1))


def test_in_a_house_its_chief_comes_before_the_grid(town: Responsibility) -> None:
    body = answer(town.on(TODAY), *at(3.1, 1.1), Viewer("supervisor"), Distances())
    assert [one["role"] for one in body["duties"]][:2] == ["building_chief", "grid_leader"]
    assert body["duties"][0]["subject"] == {"kind": "building", "code": "H1", "name": "龙门大道8号", "distance_m": 0.0}
    assert found(town, (3.31, 1.1)) == [], "beside the house is not in it"


@pytest.mark.parametrize(("x", "grid"), [(2, A1), (7, A2), (11, SPECIAL)])
def test_a_river_across_grids_answers_in_each_with_the_grids_own(town: Responsibility, x: float, grid: str) -> None:
    body = answer(town.on(TODAY), *at(x, 4.5), Viewer("supervisor"), Distances())
    assert body["grid"]["code"] == grid
    chief = next(one for one in body["duties"] if one["role"] == "river_chief")
    assert (chief["person"]["name"], chief["acting_for"]) == ("王五", "吴十")
    kinds = [one["subject"]["kind"] for one in body["duties"]]
    assert kinds.index("place") < kinds.index("community")
    if grid != A2:
        assert kinds.index("grid") < kinds.index("place")


def test_beside_the_river_counts_within_the_stated_distance(town: Responsibility) -> None:
    near, far = 4.4 - 19 / METRES_NORTH, 4.4 - 21 / METRES_NORTH
    assert found(town, (2, near)) == [("river_chief", "W1", "王五")] and found(town, (2, far)) == []


def test_at_a_facility_its_holder_answers(town: Responsibility) -> None:
    assert found(town, (8, 1.1)) == [("place_keeper", "M1", "李四")]


def test_a_place_called_like_a_unit_answers_with_the_units_first_person(town: Responsibility) -> None:
    assert found(town, (11, 1.5)) == [("first_responsible", "U9", "张三")]


def test_outside_of_all_grids_the_street_still_answers(town: Responsibility) -> None:
    body = answer(town.on(TODAY), *at(20, 2), Viewer("supervisor"), Distances())
    assert body["grid"] is None and [one["role"] for one in body["duties"]] == ["road_chief"]


def test_the_public_reads_masked_names_and_no_phone(town: Responsibility) -> None:
    body = answer(town.on(TODAY), *at(4, 3), Viewer(), Distances())
    chiefs = [one["person"] for one in body["duties"] if one["subject"]["kind"] == "street"]
    assert chiefs == [{"name": "钱*", "phone": None}, {"name": "周*", "phone": None}]


def test_whose_number_may_be_asked_for_follows_the_panel(town: Responsibility) -> None:
    """The school's head answers at the school, the wild road's only outside the community."""
    snapshot = town.on(TODAY)
    west = Area(communities=frozenset({WEST_HOME}))
    assert person_inside(snapshot, "P8", west) and person_inside(snapshot, "P4", west)
    only = Area(grids=frozenset({A2}))
    assert person_inside(snapshot, "P2", only), "the market stands in A2"
    assert not person_inside(snapshot, "P4", only), "the house doesn't"


def test_an_ended_street_and_a_gone_person_no_longer_answer(
    town: Responsibility, database: Database, settings: Settings, tmp_path: Path
) -> None:
    assert found(town, (8, 1))
    bring(database, settings, "places", layer(tmp_path / "p2.geojson", [
        (shapely.Point(at(5, 1)), {"code": "M1", "name": "便民市场", "kind": "market"})
    ]))  # fmt: skip
    assert found(town, (8, 1)) == [] and found(town, (5, 1)), "a worker sees that the ground moved"
