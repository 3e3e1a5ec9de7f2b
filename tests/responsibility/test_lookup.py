"""Who is responsible at a point on a day: every level, every date, borders and what lies outside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from typing import Any

import numpy as np
import pytest
import shapely
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from service.db.engine import Database
from service.geo.crs import MetricFrame
from service.grids.queries import ZoneSet, zones_on
from service.grids.rules import TILING_KINDS
from service.people.rules import Viewer
from service.responsibility.keeper import Responsibility
from service.responsibility.lookup import Distances, answer, find, locate_many
from service.responsibility.snapshot import Snapshot
from tests.responsibility.town import (
    A1,
    A2,
    B1,
    B2,
    EAST_HOME,
    HANDOVER,
    LEAVE,
    MICRO,
    OFFICE,
    SECOND_EDITION,
    SPECIAL,
    WEST_HOME,
    at,
    keeper_of,
    load_town,
)
from tests.stores import Stores

TODAY = date(2026, 11, 23)
SUPERVISOR, PUBLIC = Viewer("supervisor"), Viewer()
IN_A1, IN_MICRO, IN_A2, IN_B1, IN_SPECIAL = (4, 4), (1.5, 0.5), (8, 2), (4, 8), (11, 2)
AT_THE_SHOP = (1.05, 0.95)


@pytest.fixture(scope="module")
def town(stores: Stores, store_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Responsibility]:
    """The small town, read only."""
    folder = tmp_path_factory.mktemp("town")
    with stores.copied(store_kind, load_town, folder) as url, closing(Database(url)) as database:
        yield keeper_of(database)


def ask(
    town: Responsibility,
    spot: tuple[float, float],
    on: date = TODAY,
    viewer: Viewer = SUPERVISOR,
    distances: Distances | None = None,
) -> dict[str, Any]:
    return answer(town.on(on), *at(*spot), viewer, distances or Distances())


def leaders(found: dict[str, Any]) -> list[str]:
    return [duty["person"]["name"] for duty in found["duties"] if duty["role"] == "grid_leader"]


# On any date --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "code", "edition"),
    [
        (date(1990, 1, 1), A2, None),
        (date(2026, 6, 30), A2, None),
        (SECOND_EDITION, A1, "2026-07-01"),
        (date(2090, 1, 1), A1, "2026-07-01"),
    ],
)
def test_a_point_belongs_to_the_grid_of_the_edition_in_force(
    town: Responsibility, on: date, code: str, edition: str | None
) -> None:
    found = ask(town, (5.5, 2), on)
    assert (found["grid"]["code"], found["edition"], found["on"]) == (code, edition, on.isoformat())
    north = ask(town, IN_B1, on)
    assert (north["grid"]["code"], north["edition"]) == (B1, None), "the other community kept its first edition"


@pytest.mark.parametrize(
    ("on", "name"),
    [
        (date(1990, 1, 1), "张三"),
        (date(2026, 10, 31), "张三"),
        (HANDOVER, "李四"),
        (date(2026, 11, 19), "李四"),
        (date(2090, 1, 1), "李四"),
    ],
)
def test_a_duty_no_longer_holds_on_its_last_date(town: Responsibility, on: date, name: str) -> None:
    assert leaders(ask(town, IN_A1, on)) == [name]


def test_the_duty_says_from_when_until_when(town: Responsibility) -> None:
    before, after = (ask(town, IN_A1, on)["duties"][0] for on in (date(2026, 10, 31), HANDOVER))
    assert (before["from"], before["until"]) == (None, "2026-11-01")
    assert (after["from"], after["until"]) == ("2026-11-01", None)


@pytest.mark.parametrize(
    ("on", "name", "acting_for"),
    [
        (date(2026, 11, 19), "李四", None),
        (LEAVE[0], "王五", "李四"),
        (date(2026, 11, 24), "王五", "李四"),
        (LEAVE[1], "李四", None),
    ],
)
def test_during_leave_the_acting_person_answers(
    town: Responsibility, on: date, name: str, acting_for: str | None
) -> None:
    leader = ask(town, IN_A1, on)["duties"][0]
    assert leader["role"] == "grid_leader"
    assert (leader["person"]["name"], leader["acting_for"]) == (name, acting_for)
    phone = {"李四": "138****0001", "王五": "138****0002"}[name]
    assert leader["person"]["phone"] == phone, "the number to call is that of who answers"


def test_a_leader_is_found_for_the_map_too(town: Responsibility) -> None:
    today = town.on(TODAY)
    leader = today.leader_of(A1)
    assert leader is not None and leader.person.name == "王五"
    special = today.leader_of(SPECIAL, kind="special")
    assert special is not None and special.person.name == "吴十"
    assert today.leader_of(A2) is None
    micro = today.leader_of(MICRO, kind="micro_grid")
    assert micro is not None and micro.role == "micro_leader"


# Every level --------------------------------------------------------------------------------------------------------


def test_duties_run_from_the_nearest_subject_upward(town: Responsibility) -> None:
    found = ask(town, AT_THE_SHOP)
    assert [(duty["subject"]["kind"], duty["subject"]["code"], duty["role"]) for duty in found["duties"]] == [
        ("frontage", "F1", "shop_keeper"),
        ("micro_grid", MICRO, "micro_leader"),
        ("grid", A1, "grid_leader"),
        ("grid", A1, "grid_officer"),
        ("community", WEST_HOME, "community_head"),
        ("community", WEST_HOME, "area_leader"),
        ("subdistrict", OFFICE, "first_responsible"),
    ]
    assert [duty["role_name"] for duty in found["duties"][:3]] == ["店长", "微网格长", "网格长"]
    assert found["duties"][-1]["subject"]["name"] == "龙门街道"
    assert found["grid"]["micro_grid"] == {"code": MICRO, "name": MICRO}
    assert found["community"] == {"code": WEST_HOME, "name": "聚鹤社区"}


@pytest.mark.parametrize(
    ("spot", "code", "kind", "roles"),
    [
        (IN_A1, A1, "grid", ["grid_leader", "grid_officer", "community_head", "area_leader", "first_responsible"]),
        (IN_A2, A2, "grid", ["community_head", "area_leader", "first_responsible"]),
        (IN_SPECIAL, SPECIAL, "special", ["grid_leader", "community_head", "area_leader", "first_responsible"]),
        (IN_B1, B1, "grid", ["first_responsible"]),
    ],
)
def test_each_grid_has_its_own_people(
    town: Responsibility, spot: tuple[float, float], code: str, kind: str, roles: list[str]
) -> None:
    found = ask(town, spot)
    assert (found["grid"]["code"], found["grid"]["kind"], found["grid"]["micro_grid"]) == (code, kind, None)
    assert [duty["role"] for duty in found["duties"]] == roles


def test_outside_readers_see_masked_names_and_no_phone(town: Responsibility) -> None:
    people = [duty["person"] for duty in ask(town, AT_THE_SHOP, viewer=PUBLIC)["duties"]]
    assert [person["name"] for person in people] == ["郑*", "赵*", "王*", "王*", "钱*", "孙*", "周*"]
    assert {person["phone"] for person in people} == {None}
    named = ask(town, IN_A1, viewer=Viewer(public_rule="names"))["duties"]
    assert [duty["person"]["name"] for duty in named] == ["王五", "王*", "钱*", "孙*", "周*"]
    assert named[0]["acting_for"] == "李四"
    assert ask(town, IN_A1)["duties"][0]["person"]["name"] == "王五", "an answer to one reader is none to another"


# Frontages ----------------------------------------------------------------------------------------------------------


def test_the_nearest_frontage_within_reach(town: Responsibility) -> None:
    """Half a tenth of a step from north to south is 5.54 m (110.87 km a degree at 31°)."""
    shop = ask(town, AT_THE_SHOP)["frontage"]
    assert (shop["code"], shop["shop_name"], shop["within_m"]) == ("F1", "张记", 15)
    assert shop["distance_m"] == pytest.approx(5.5, abs=0.1)
    assert ask(town, (1.05, 1.04))["frontage"]["code"] == "F1"
    assert ask(town, (1.05, 1.06))["frontage"]["code"] == "F2"
    assert ask(town, (1.05, 1.0))["frontage"]["distance_m"] == 0.0
    assert ask(town, (1.2, 1.0))["frontage"]["distance_m"] == pytest.approx(9.5, abs=0.1)


@pytest.mark.parametrize(("y", "within", "found"), [(0.87, 15, True), (0.86, 15, False), (0.86, 16, True)])
def test_beyond_the_stated_distance_there_is_none(town: Responsibility, y: float, within: float, found: bool) -> None:
    """0.13 steps are 14.4 m, 0.14 are 15.5 m."""
    body = ask(town, (1.05, y), distances=Distances(frontage=within))
    assert (body["frontage"] is not None) == found
    assert ("shop_keeper" in {duty["role"] for duty in body["duties"]}) == found


def test_a_vacant_shop_falls_to_its_owner(town: Responsibility) -> None:
    duty = ask(town, (1.05, 1.1))["duties"][0]
    assert (duty["role"], duty["role_name"], duty["person"]) == ("owner", "业主", {"name": "房东", "phone": None})


def test_a_shop_without_anybody_on_record_is_shown_without_a_person(town: Responsibility) -> None:
    found = ask(town, (3.05, 3))
    assert found["frontage"]["code"] == "F3"
    assert found["duties"][0]["role"] == "grid_leader"


# Borders (DOMAIN §1: the lowest code, and the neighbours within a stated distance) ------------------------------


@pytest.mark.parametrize(
    ("spot", "code", "others"),
    [
        ((6, 2), A1, {A2}),  # on a border
        ((10, 2), A2, {SPECIAL}),
        ((3, 5), A1, {B1}),  # between two communities
        ((6, 5), A1, {A2, B1}),  # where three meet
        ((8.5, 7), B1, {B2}),  # in an overlap
        ((9, 5), A2, {B1, B2}),  # on the corner of an overlap
        ((0, 0), A1, set()),  # a corner of the town
        ((12, 7), B2, set()),  # on its edge
    ],
)
def test_a_point_on_a_border_belongs_to_the_lowest_code(
    town: Responsibility, spot: tuple[float, float], code: str, others: set[str]
) -> None:
    found = ask(town, spot)
    assert found["grid"]["code"] == code
    assert {near["code"] for near in found["neighbours"]} == others
    assert found["near_boundary"] == bool(others)
    assert {near["distance_m"] for near in found["neighbours"]} <= {0.0}


@pytest.mark.parametrize(
    ("x", "within", "metres"),
    [(5.91, 10, 8.6), (5.89, 10, None), (5.89, 11, 10.5), (6.09, 10, 8.6), (6.11, 10, None), (5.5, 60, 47.7)],
)
def test_neighbours_within_the_stated_distance(
    town: Responsibility, x: float, within: float, metres: float | None
) -> None:
    """A hundredth of a step from west to east is 0.954 m."""
    found = ask(town, (x, 2), distances=Distances(border=within))
    other = A2 if x < 6 else A1
    assert found["near_boundary_m"] == within
    assert found["near_boundary"] == (metres is not None)
    assert [near["code"] for near in found["neighbours"]] == ([other] if metres is not None else [])
    if metres is not None:
        assert found["neighbours"][0]["distance_m"] == pytest.approx(metres, abs=0.15)


def test_neighbours_come_nearest_first(town: Responsibility) -> None:
    found = ask(town, (5.95, 4.93))
    assert [near["code"] for near in found["neighbours"]] == [A2, B1]
    assert [near["distance_m"] for near in found["neighbours"]] == pytest.approx([4.8, 7.8], abs=0.1)


@pytest.mark.parametrize(
    ("spot", "code", "metres", "near"),
    [
        ((-0.05, 2), A1, 4.8, True),
        ((-1, 2), A1, 95.4, False),
        ((12.5, 7), B2, 47.7, False),
        ((11, -9), SPECIAL, 998, False),
    ],
)
def test_outside_every_grid_the_nearest_is_named(
    town: Responsibility, spot: tuple[float, float], code: str, metres: float, near: bool
) -> None:
    found = ask(town, spot)
    assert (found["grid"], found["community"], found["edition"], found["duties"]) == (None, None, None, [])
    assert found["nearest"]["code"] == code
    assert found["nearest"]["distance_m"] == pytest.approx(metres, rel=0.01)
    assert found["near_boundary"] == near


def test_a_batch_answers_as_single_points_do(town: Responsibility) -> None:
    spots = [IN_A1, (6, 5), (5.95, 2), (-0.05, 2), (50, 50), IN_MICRO]
    lon, lat = np.array([at(*spot) for spot in spots]).T
    grids, homes, near = locate_many(town.on(TODAY), np.append(lon, np.nan), np.append(lat, 31.0), Distances())
    singles = [ask(town, spot) for spot in spots]
    assert grids == [*(one["grid"]["code"] if one["grid"] else None for one in singles), None]
    assert homes == [*(one["community"]["code"] if one["community"] else None for one in singles), None]
    assert near == [*(one["near_boundary"] for one in singles), False]
    assert EAST_HOME not in homes


def test_before_anything_is_imported_nobody_answers(database: Database) -> None:
    found = answer(keeper_of(database).on(TODAY), *at(1, 1), SUPERVISOR, Distances())
    assert (found["grid"], found["duties"], found["frontage"], found["near_boundary"]) == (None, [], None, False)
    assert "nearest" not in found
    assert locate_many(keeper_of(database).on(TODAY), *np.array([[109.88], [31.07]]), Distances()) == (
        [None],
        [None],
        [False],
    )


# Against shapely, over the grids as they are stored ----------------------------------------------------------------


@pytest.fixture(scope="module")
def stored(demo_app: Flask) -> tuple[Snapshot, ZoneSet]:
    database: Database = demo_app.extensions["steward"].database
    with database.read() as session:
        return Responsibility(database, OFFICE, "").on(TODAY), zones_on(session, TODAY)


def _pairs() -> st.SearchStrategy[tuple[str, int, float, float]]:
    """Where a point is: anywhere, on a corner, along an edge, or a hair beside one."""
    part = st.floats(0, 1)
    return st.tuples(st.sampled_from(["anywhere", "corner", "edge", "beside"]), st.integers(0, 10**6), part, part)


def _point(drawn: tuple[str, int, float, float], corners: np.ndarray) -> tuple[float, float]:
    where, which, along, off = drawn
    low, high = corners.min(axis=0), corners.max(axis=0)
    if where == "anywhere":
        lon, lat = low + (high - low) * (np.array([along, off]) * 1.2 - 0.1)
        return float(lon), float(lat)
    first, second = corners[which % len(corners)], corners[(which + 1) % len(corners)]
    if where == "corner":
        lon, lat = first
    else:
        lon, lat = first + (second - first) * along
    return (float(lon), float(lat)) if where != "beside" else (float(lon) + (off - 0.5) * 2e-4, float(lat))


@settings(deadline=None, max_examples=25)
@given(drawn=st.lists(_pairs(), min_size=1, max_size=12))
def test_every_answer_is_that_of_shapely_over_the_stored_grids(
    stored: tuple[Snapshot, ZoneSet], drawn: list[tuple[str, int, float, float]]
) -> None:
    snapshot, zones = stored
    corners = shapely.get_coordinates(zones.geoms)
    points = [_point(one, corners) for one in drawn]
    tiles = [i for i, zone in enumerate(zones.zones) if zone.kind in TILING_KINDS]  # zones_on gives them by code
    micros = [i for i, zone in enumerate(zones.zones) if zone.kind == "micro_grid"]
    frame = MetricFrame(*corners.mean(axis=0).tolist())
    metric = frame.geometries(zones.geoms[tiles])
    lon, lat = np.array(points).T
    grids, homes, near = locate_many(snapshot, lon, lat, Distances())
    for i, (x, y) in enumerate(points):
        found = find(snapshot, x, y, Distances())
        spot, there = shapely.Point(x, y), shapely.Point(*frame.forward(x, y))
        holding = [zones.zones[j] for j in tiles if shapely.intersects(zones.geoms[j], spot)]
        own = holding[0] if holding else None
        assert found.zone == own
        assert (grids[i], homes[i]) == ((own.code, own.community_code) if own else (None, None))
        inner = [zones.zones[j].code for j in micros if shapely.intersects(zones.geoms[j], spot)]
        assert (found.micro.code if found.micro else None) == (inner[0] if inner and own else None)
        away = {zones.zones[j].code: shapely.distance(metric[k], there) for k, j in enumerate(tiles)}
        if own is None:
            assert found.nearest is not None
            assert found.nearest[1] == pytest.approx(min(away.values()), abs=1e-4)
        else:
            away.pop(own.code)
        if any(abs(metres - 10) < 1e-4 for metres in away.values()):
            continue
        beside = {code: metres for code, metres in away.items() if metres <= 10}
        assert {zone.code: metres for zone, metres in found.neighbours} == pytest.approx(beside, abs=1e-4)
        assert near[i] == bool(beside)
