"""The demo town: its files are those that the generator writes, and what TRUTH.md says holds in them."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from scripts.demo_town.incidents import make_incidents
from scripts.demo_town.places import plan_facilities
from scripts.demo_town.projection import METRES_PER_DEGREE, ORIGIN
from scripts.demo_town.sites import make_sites
from scripts.demo_town.terrain import make_ground
from scripts.demo_town.town import make_town
from service.config import ROOT
from service.duties.queries import DutyRow, by_subject
from service.geo.coverage import find_faults

FOLDER = ROOT / "gis_data" / "demo"
TRUTH = (FOLDER / "TRUTH.md").read_text(encoding="utf-8")
DAY = 24 * 60
MONDAY = date(2026, 11, 23)
REAL_COMMUNITIES = {
    "500237002001": "聚鹤社区",
    "500237002002": "龙江社区",
    "500237002003": "龙水社区",
    "500237002202": "梨早村",
}


@dataclass(frozen=True)
class Layer:
    rows: list[dict[str, Any]]
    geoms: np.ndarray

    def where(self, **wanted: object) -> Layer:
        at = [i for i, row in enumerate(self.rows) if all(row[name] == value for name, value in wanted.items())]
        return Layer([self.rows[i] for i in at], self.geoms[at])


def layer(name: str) -> Layer:
    """A layer in metres of the generator's plane."""
    features = json.loads((FOLDER / f"{name}.geojson").read_text(encoding="utf-8"))["features"]
    shapes = shapely.from_geojson([json.dumps(one["geometry"]) for one in features])
    return Layer([one["properties"] for one in features], shapely.transform(shapes, plane))


def plane(positions: Any) -> np.ndarray:
    return (np.asarray(positions, dtype=float) - ORIGIN) * METRES_PER_DEGREE


def table(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as rows:
        return list(csv.DictReader(rows))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """The generator at work, with another order of its sets than Python would choose by itself."""
    folder = tmp_path_factory.mktemp("town")
    command = [sys.executable, str(ROOT / "scripts" / "make_demo"), str(folder)]
    env = os.environ | {"PYTHONHASHSEED": "7"}
    with subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.DEVNULL) as worker:
        yield folder, worker


@pytest.fixture(scope="module")
def background(written: object) -> tuple[np.ndarray, np.ndarray]:
    """The same town had nothing been planted: (n, 2) metres and the day of each report. Made beside the script."""
    town = make_town()
    area = plan_facilities(make_ground(), town.streets, town.grids).area
    sites = make_sites(area, town.streets, town.frontages, town.buildings, town.places)
    found, planted = make_incidents(sites, [])
    assert not planted
    return np.array([(one.x, one.y) for one in found]), np.array([one.reported // DAY for one in found])


@pytest.fixture(scope="module")
def incidents() -> tuple[np.ndarray, np.ndarray]:
    """The located ones of the file: (n, 2) metres and the day of each report."""
    rows = [row for row in table("incidents") if row["lon"]]
    days = np.array([int(row["reported_offset_minutes"]) // DAY for row in rows])
    return plane([(row["lon"], row["lat"]) for row in rows]), days


# The files ----------------------------------------------------------------------------------------------------------


def test_there_is_as_much_of_everything_as_the_register_of_a_real_office_would_have() -> None:
    grids, places = layer("grids"), layer("places")
    assert {row["code"]: row["name"] for row in layer("communities").rows} == REAL_COMMUNITIES
    tiles = [row for row in grids.rows if row["kind"] != "micro_grid"]
    assert 60 <= len(tiles) <= 90 and 60 <= len(grids.rows) <= 90
    assert len(grids.where(kind="special").rows) >= 2
    assert 100 <= len(table("persons")) <= 140
    assert 1100 <= len(layer("frontages").rows) <= 1300
    assert 8500 <= len(table("incidents")) <= 9500
    kinds = Counter(row["kind"] for row in places.rows)
    assert {"river", "market", "refuse_station", "toilet", "park", "school"} <= set(kinds)
    assert kinds["refuse_station"] >= 3 and kinds["toilet"] >= 3
    assert len(layer("streets").rows) > 50 and len(layer("buildings").rows) > 1000


def test_the_manifest_counts_what_is_there() -> None:
    counts = json.loads((FOLDER / "demo.json").read_text(encoding="utf-8"))["counts"]
    for name, count in counts.items():
        path = FOLDER / f"{name}.csv"
        assert len(table(name) if path.exists() else layer(name).rows) == count, name


@pytest.mark.parametrize("name", ["communities", "grids", "streets", "buildings", "places", "frontages"])
def test_codes_are_unique_and_geometry_is_valid(name: str) -> None:
    found = layer(name)
    assert len({row["code"] for row in found.rows}) == len(found.rows)
    assert shapely.is_valid(found.geoms).all() and not shapely.is_empty(found.geoms).any()


# Grids --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("home", REAL_COMMUNITIES)
def test_grids_tile_their_community_without_gap_or_overlap(home: str) -> None:
    grids = layer("grids").where(community_code=home)
    tiles = [i for i, row in enumerate(grids.rows) if row["kind"] != "micro_grid"]
    shapes = grids.geoms[tiles]
    outline = layer("communities").where(code=home).geoms[0]
    assert shapely.coverage_is_valid(shapes), "neighbours share every vertex of their border"
    assert shapely.equals(shapely.coverage_union_all(shapes), outline)
    degrees = shapely.transform(np.append(shapes, outline), lambda xy: xy / METRES_PER_DEGREE + ORIGIN)
    assert find_faults(degrees[:-1], [grids.rows[i]["code"] for i in tiles], degrees[-1]) == []
    assert all(row["code"].startswith(home) for row in grids.rows)


def test_communities_touch_without_overlap() -> None:
    assert shapely.coverage_is_valid(layer("communities").geoms)


def test_micro_grids_tile_their_parents() -> None:
    grids = layer("grids")
    parents = {row["parent_code"] for row in grids.rows} - {None}
    assert len(parents) == 2
    for code in parents:
        parts = grids.where(parent_code=code).geoms
        assert len(parts) == 3 and shapely.coverage_is_valid(parts)
        assert shapely.equals(shapely.coverage_union_all(parts), grids.where(code=code).geoms[0])


def test_borders_are_curved() -> None:
    """A block has four corners; seen to the metre, the median grid has twice as many."""
    assert np.median([shapely.get_num_coordinates(outline.simplify(1.0)) - 1 for outline in layer("grids").geoms]) >= 8


def test_frontages_face_the_street_of_their_address() -> None:
    """No front is farther from its street than half a road and a wide pavement."""
    streets, fronts = layer("streets"), layer("frontages")
    line = {row["name"]: geom for row, geom in zip(streets.rows, streets.geoms, strict=True)}
    facing = [line[re.sub(r"\d+号$", "", row["address"])] for row in fronts.rows]
    assert shapely.distance(facing, fronts.geoms).max() < 25


# Incidents ----------------------------------------------------------------------------------------------------------


def test_incidents_fill_fourteen_months_up_to_the_loading_day(incidents: tuple[np.ndarray, np.ndarray]) -> None:
    _, days = incidents
    assert (days.min(), days.max()) == (-427, -1)
    assert np.bincount((days + 427) // 7).min() > 60, "no empty week"


def test_weeks_and_seasons_have_their_rhythm() -> None:
    rows = table("incidents")
    week = Counter(int(row["reported_offset_minutes"]) // DAY % 7 for row in rows)
    assert week[6] < week[5] < min(week[day] for day in range(5)), "Sundays are quietest"
    months: dict[str, Counter[int]] = defaultdict(Counter)
    for row in rows:
        day = MONDAY + timedelta(days=int(row["reported_offset_minutes"]) // DAY)
        months[row["category"]][day.month] += 1
    barbecue = months["06029"]
    assert sum(barbecue[m] for m in (6, 7, 8)) > 4 * sum(barbecue[m] for m in (12, 1, 2))


def test_what_truth_says_of_the_incidents() -> None:
    rows = table("incidents")
    total, open_count, states = told(r"- (\d+) in all, (\d+) open: (.*)")
    stated = {state: int(count) for state, count in (part.split() for part in states.split(", "))}
    waiting = [row for row in rows if not row["closed_offset_minutes"]]
    assert (len(rows), len(waiting)) == (int(total), int(open_count))
    assert Counter(row["state"] for row in waiting) == stated
    overdue, planned, today = told(r"- (\d+) of the open ones are overdue .*\((\d+) planned\), (\d+) more fall due")
    due = [int(row["due_offset_minutes"]) for row in waiting]
    assert sum(minute < 0 for minute in due) == int(overdue) == int(planned)
    assert sum(0 <= minute < DAY for minute in due) == int(today)
    assert sum(not row["lon"] for row in rows) == int(told(r"- (\d+) have no point")[0])
    closed = [row for row in rows if row["closed_offset_minutes"]]
    assert all(int(row["reported_offset_minutes"]) < int(row["closed_offset_minutes"]) < 0 for row in closed)


def told(pattern: str) -> tuple[str, ...]:
    found = re.search(pattern, TRUTH)
    assert found, pattern
    return found.groups()


# Hotspots -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Spot:
    name: str
    x: float
    y: float
    radius: float
    grids: list[str]
    first: int
    until: int
    planned: float
    found: int


def spots() -> list[Spot]:
    """The rows of TRUTH.md's table."""
    out = []
    for line in TRUTH.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 10 and cells[2].endswith(" m"):
            x, y = plane([cells[1].split(", ")])[0].tolist()
            first, until = (int(day) for day in cells[4].split(" … "))
            radius = float(cells[2].removesuffix(" m"))
            out.append(Spot(cells[0], x, y, radius, cells[3].split(), first, until, float(cells[5]), int(cells[6])))
    return out


SPOTS = spots()


def inside(spot: Spot, where: np.ndarray) -> np.ndarray:
    return ((where - (spot.x, spot.y)) ** 2).sum(axis=1) < spot.radius**2


def during(spot: Spot, where: np.ndarray, days: np.ndarray) -> int:
    return int((inside(spot, where) & (days >= spot.first) & (days < spot.until)).sum())


def test_persistent_new_cured_and_seasonal_ones_are_planted() -> None:
    names = " ".join(spot.name for spot in SPOTS)
    assert len(SPOTS) == 7
    assert all(word in names for word in ("持续", "新增", "已治愈", "季节性"))


@pytest.mark.parametrize("spot", SPOTS, ids=lambda spot: spot.name)
def test_a_hotspot_is_two_to_three_times_what_would_be_there_without_it(
    spot: Spot, incidents: tuple[np.ndarray, np.ndarray], background: tuple[np.ndarray, np.ndarray]
) -> None:
    there, without = during(spot, *incidents), during(spot, *background)
    assert 0 <= spot.found - there <= 4, "as many as stated, but for a few without a point"
    assert 2 <= there / without <= 3.1
    assert there / without == pytest.approx(spot.planned, rel=0.2)


@pytest.mark.parametrize("spot", [spot for spot in SPOTS if spot.until - spot.first < 427], ids=lambda spot: spot.name)
def test_a_hotspot_that_begins_or_ends_shows_in_time(spot: Spot, incidents: tuple[np.ndarray, np.ndarray]) -> None:
    where, days = incidents
    then = during(spot, where, days)
    other = int(inside(spot, where).sum()) - then
    span = spot.until - spot.first
    assert 2 <= (then / span) / (other / (427 - span)) <= 3.4


@pytest.mark.parametrize("spot", SPOTS, ids=lambda spot: spot.name)
def test_the_grids_named_are_those_that_the_hotspot_covers(spot: Spot) -> None:
    grids = layer("grids")
    disk = shapely.Point(spot.x, spot.y).buffer(spot.radius)
    share = {
        row["code"]: shapely.intersection(geom, disk).area / disk.area
        for row, geom in zip(grids.rows, grids.geoms, strict=True)
        if row["kind"] != "micro_grid"
    }
    assert spot.grids == sorted((code for code in share if share[code] > 0.08), key=lambda code: -share[code])


# Duties -------------------------------------------------------------------------------------------------------------


def offset(text: str) -> date | None:
    return MONDAY + timedelta(days=int(text)) if text else None


@pytest.fixture(scope="module")
def duties() -> list[DutyRow]:
    """As if loaded on the Monday."""
    return [
        DutyRow(
            row["code"],
            row["role"],
            row["subject_kind"],
            row["subject_code"],
            row["person_code"],
            row["acting_code"] or None,
            offset(row["acting_from_offset"]),
            offset(row["acting_until_offset"]),
            offset(row["starts_offset"]),
            offset(row["ends_offset"]),
        )
        for row in table("duties")
    ]


def leaders(duties: list[DutyRow], on: date) -> dict[str, list[DutyRow]]:
    """The 网格长 of every grid on a day, without those that stand in."""
    held = by_subject(duties, on)
    tiles = [row["code"] for row in layer("grids").rows if row["kind"] != "micro_grid"]
    return {code: [duty for duty in held.get(("grid", code), []) if duty.role == "grid_leader"] for code in tiles}


def test_the_gaps_and_the_overlap_are_those_of_the_truth_and_no_others(duties: list[DutyRow]) -> None:
    today = leaders(duties, MONDAY)
    gaps = told(r"- no 网格长: (.*) \(the last one until 21 days ago\)")[0].split(", ")
    assert [code for code, held in today.items() if not held] == gaps
    assert len(leaders(duties, MONDAY - timedelta(days=22))[gaps[-1]]) == 1
    assert not leaders(duties, MONDAY - timedelta(days=21))[gaps[-1]]
    code, first, since, second, later = told(r"- two 网格长 at once: (\d+) \((R\d+) from (-\d+); (R\d+) from (-\d+)\)")
    assert [code for code, held in today.items() if len(held) > 1] == [code]
    assert [(duty.person_code, duty.starts_on) for duty in today[code]] == [
        (first, offset(since)),
        (second, offset(later)),
    ]


def test_the_acting_person_is_that_of_the_truth(duties: list[DutyRow]) -> None:
    code, acting, absent, first, until = told(r"- on leave: (\d+), (R\d+) acts for (R\d+) from (-?\d+) until (\d+)")
    stood_in = [(duty.subject_code, *duty.holder_on(MONDAY)) for duty in duties if duty.holder_on(MONDAY)[1]]
    assert stood_in == [(code, acting, absent)]
    (leader,) = leaders(duties, MONDAY)[code]
    assert (leader.acting_from, leader.acting_until) == (offset(first), offset(until))
    days = [MONDAY + timedelta(days=shift) for shift in (int(first) - 1, int(first), int(until) - 1, int(until))]
    assert [leader.holder_on(day)[0] for day in days] == [absent, acting, acting, absent]


def test_one_leader_leaves_without_a_successor(duties: list[DutyRow]) -> None:
    days, code = told(r"- ends in (\d+) days without a successor: (\d+)")
    last = MONDAY + timedelta(days=int(days))
    assert len(leaders(duties, last - timedelta(days=1))[code]) == 1
    assert not leaders(duties, last)[code]
    ending = {duty.subject_code for duty in duties if duty.ends_on is not None and duty.ends_on > MONDAY}
    assert ending == {code}


def test_one_officer_has_half_of_a_community(duties: list[DutyRow]) -> None:
    assert "龙江社区 answers for half" in TRUTH
    load: dict[str, Counter[str]] = defaultdict(Counter)
    for duty in duties:
        if duty.role == "grid_officer":
            load[duty.subject_code[:12]][duty.person_code] += 1
    shares = {home: [count / counts.total() for _, count in counts.most_common()] for home, counts in load.items()}
    assert len(shares["500237002002"]) == 4 and shares["500237002002"][0] >= 0.5
    assert all(shares[home][0] < 0.4 for home in REAL_COMMUNITIES if home != "500237002002")


def test_streets_woods_and_facilities_without_anybody_are_those_of_the_truth(duties: list[DutyRow]) -> None:
    held = {(kind, code) for kind, code in by_subject(duties, MONDAY)}
    village = line_of("- no 巷长").split("lanes of ")[1].split(";")[0]
    grids, streets, places = layer("grids"), layer("streets"), layer("places")
    there = shapely.union_all(grids.where(community_code=village).geoms)
    for row, shape in zip(streets.rows, streets.geoms, strict=True):
        mostly = shapely.length(shapely.intersection(shape, there)) > 0.5 * shapely.length(shape)
        assert (("street", row["code"]) in held) == (row["level"] < 3 or not mostly), row
    woods = [row["code"] for row in places.rows if "wood" in row["kind"]]
    assert [code for code in woods if ("place", code) not in held] == woods[-3:]
    facilities = [row for row in places.rows if row["kind"] not in ("wood", "dense_wood", "bank", "river")]
    named = line_of("- 楼长").split("nobody for ")[1].split(", ")
    assert [row["name"] for row in facilities if ("place", row["code"]) not in held] == sorted(
        named, key=[row["name"] for row in facilities].index
    )


def line_of(start: str) -> str:
    return next(line for line in TRUTH.splitlines() if line.startswith(start))


def test_everybody_and_everything_named_in_a_duty_exists(duties: list[DutyRow]) -> None:
    people = {row["code"] for row in table("persons")}
    assert {duty.person_code for duty in duties} | {duty.acting_code for duty in duties} - {None} <= people
    known = {
        "grid": {row["code"] for row in layer("grids").rows if row["kind"] != "micro_grid"},
        "micro_grid": {row["code"] for row in layer("grids").rows if row["kind"] == "micro_grid"},
        "community": set(REAL_COMMUNITIES),
        "subdistrict": {"500237002"},
        "street": {row["code"] for row in layer("streets").rows},
        "building": {row["code"] for row in layer("buildings").rows},
        "place": {row["code"] for row in layer("places").rows},
        "organisation": {row["code"] for row in table("organisations")},
    }
    strange = [duty.code for duty in duties if duty.subject_code not in known[duty.subject_kind]]
    assert strange == []


def test_vacant_frontages_and_expired_agreements() -> None:
    rows = layer("frontages").rows
    vacant, expired = told(r"- (\d+) frontages are vacant, (\d+) agreements have run out")
    assert sum(row["state"] == "vacant" for row in rows) == int(vacant)
    ends = [row["agreement_until_offset"] for row in rows if row["agreement_until_offset"] is not None]
    assert sum(end < 0 for end in ends) == int(expired)


# The generator ------------------------------------------------------------------------------------------------------


def test_the_generator_writes_the_committed_files_byte_for_byte(
    background: object, written: tuple[Path, subprocess.Popen[bytes]]
) -> None:
    folder, worker = written
    assert worker.wait(120) == 0
    mine, committed = ({path.name: path.read_bytes() for path in where.iterdir()} for where in (folder, FOLDER))
    assert mine.keys() == committed.keys()
    assert [name for name in mine if mine[name] != committed[name]] == []
