"""The audit on the demo: what was planted is found, as many as another reckoning says; by area, role, page and file."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from datetime import date, timedelta

import openpyxl
import pandas as pd
import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.config import ROOT
from service.people.accounts import create_account
from tests.conftest import MONDAY_NOON, PASSWORD, bearer

DEMO = ROOT / "gis_data" / "demo"
TODAY = date(2026, 11, 23)
TRUTH = (DEMO / "TRUTH.md").read_text(encoding="utf-8")
WEST = "500237002001"


@pytest.fixture(scope="module")
def manager(demo_app: Flask) -> FlaskClient:
    """The first community's own."""
    with demo_app.extensions["steward"].database.write() as session:
        create_account(session, "audit-manager", "manager", PASSWORD, MONDAY_NOON, area=WEST)
    return bearer(demo_app, "audit-manager")


def by_pandas() -> dict[str, set[str]]:
    """Codes per kind, reckoned from the demo's files without any of the service's code."""
    duties = pd.read_csv(DEMO / "duties.csv", dtype=str)
    starts = pd.to_numeric(duties["starts_offset"]).fillna(-(10**6))
    ends = pd.to_numeric(duties["ends_offset"]).fillna(10**6)
    now = duties[(starts <= 0) & (ends > 0)]
    grids = pd.json_normalize(pd.read_json(DEMO / "grids.geojson")["features"].tolist())
    tiles = set(grids.loc[grids["properties.kind"] != "micro_grid", "properties.code"])
    led = now[now["role"] == "grid_leader"]
    later = duties[(duties["role"] == "grid_leader") & (ends > 30) & (starts <= 30)]
    ending = duties[(starts <= 0) & (ends > 0) & (ends <= 30)]
    one_by_one = {"grid_leader", "road_chief", "street_chief", "lane_chief", "river_chief", "forest_chief"}
    counts = now[now["role"].isin(one_by_one)].groupby(["role", "subject_code"])["person_code"].nunique()
    hands = (
        now[now["role"].isin(["grid_leader", "grid_officer"])]
        .groupby(["role", "person_code"])["subject_code"]
        .nunique()
    )
    streets = pd.json_normalize(pd.read_json(DEMO / "streets.geojson")["features"].tolist())
    held = set(now.loc[now["role"].isin(["road_chief", "lane_chief"]), "subject_code"])
    places = pd.json_normalize(pd.read_json(DEMO / "places.geojson")["features"].tolist())
    answered = set(now.loc[now["subject_kind"] == "place", "subject_code"])
    nature = places["properties.kind"].isin(["river", "lake", "wood", "dense_wood"])
    open_ = ~places["properties.code"].isin(answered)
    shops = pd.json_normalize(pd.read_json(DEMO / "frontages.geojson")["features"].tolist())
    vacant = shops["properties.state"] == "vacant"
    nobody = (vacant & shops["properties.owner_name"].isna()) | (
        ~vacant & shops["properties.person_name"].isna() & shops["properties.owner_name"].isna()
    )
    over = (shops["properties.agreement_until_offset"] < 0) & ~vacant
    return {
        "vacant": tiles - set(led["subject_code"]),
        "vacant_soon": set(led["subject_code"]) & tiles - set(later["subject_code"]),
        "overlap": set(counts[counts > 1].index.get_level_values("subject_code")),
        "overloaded": set(hands[hands > hands.index.get_level_values("role").map({"grid_leader": 2, "grid_officer": 8})]
                          .index.get_level_values("person_code")),
        "ending": set(ending["subject_code"]),
        "street": set(streets.loc[~streets["properties.code"].isin(held), "properties.code"]),
        "reach": set(places.loc[nature & open_, "properties.code"]),
        "place": set(places.loc[~nature & (places["properties.kind"] != "bank") & open_, "properties.code"]),
        "frontage": set(shops.loc[nobody, "properties.code"]),
        "agreement": set(shops.loc[over, "properties.code"]),
        "no_phone": set(), "person_gone": set(), "subject_gone": set(),
    }  # fmt: skip


def test_the_planted_gaps_are_found_and_nothing_else(supervisor: FlaskClient) -> None:
    body = supervisor.get("/api/v1/duties/audit").json
    found: dict[str, set[str]] = {kind: set() for kind in body["counts"]}
    for one in body["findings"]:
        found[one["kind"]].add(one["subject"]["code"])
    expected = by_pandas()
    assert found == expected
    assert body["counts"] == {kind: len(codes) for kind, codes in expected.items()}
    gaps = re.search(r"- no 网格长: ([\d, ]+)", TRUTH)
    assert gaps and found["vacant"] == {code.strip() for code in gaps[1].split(",")}
    double = re.search(r"- two 网格长 at once: (\d+)", TRUTH)
    assert double and found["overlap"] == {double[1]}
    soon = re.search(r"- ends in (\d+) days without a successor: (\d+)", TRUTH)
    assert soon and found["vacant_soon"] == found["ending"] == {soon[2]}
    told = next(one for one in body["findings"] if one["kind"] == "vacant_soon")
    assert told["on"] == (TODAY + timedelta(days=int(soon[1]))).isoformat()
    assert len(found["overloaded"]) == 1 and "half of the community" in TRUTH


def test_the_page_counts_lead_to_the_list_and_the_list_to_the_fix(supervisor: FlaskClient) -> None:
    page = supervisor.get("/duties/audit").text
    assert re.search(r'href="/duties/audit\?kind=vacant"[^>]*><span>缺网格长</span><b class="late-ink">3</b>', page)
    listed = supervisor.get("/duties/audit?kind=vacant").text
    assert listed.count("没有登记网格长") == 2 and "2026-11-02 起没有网格长" in listed
    assert "/duties/assign?subjects=grid:500237002001012&amp;role=grid_leader" in listed
    loaded = supervisor.get("/duties/audit?kind=overloaded").text
    assert (
        "/duties/balance?community=500237002002&amp;role=grid_officer" in loaded and "管 10 个网格，上限 8 个" in loaded
    )
    assert "/frontages/F0012/edit" in supervisor.get("/duties/audit?kind=agreement").text
    assert "没有" in supervisor.get("/duties/audit?kind=no_phone").text


def test_a_manager_sees_the_own_community_alone(manager: FlaskClient, supervisor: FlaskClient) -> None:
    mine = manager.get("/api/v1/duties/audit").json["findings"]
    everything = supervisor.get("/api/v1/duties/audit").json["findings"]
    assert mine and all(WEST in one["communities"] for one in mine)
    assert mine == [one for one in everything if WEST in one["communities"]]
    assert mine == supervisor.get(f"/api/v1/duties/audit?community={WEST}").json["findings"]
    drawn = manager.get("/map/audit").json
    assert set(drawn["grids"]) == {"500237002001012"}


def test_a_viewer_reads_masked_names_and_no_way_to_change(demo_app: Flask, supervisor: FlaskClient) -> None:
    viewer = bearer(demo_app, "test-viewer")
    one = next(f for f in viewer.get("/api/v1/duties/audit").json["findings"] if f["kind"] == "overloaded")
    whole = next(f for f in supervisor.get("/api/v1/duties/audit").json["findings"] if f["kind"] == "overloaded")
    assert one["people"][0]["name"] == whole["people"][0]["name"][0] + "*" == one["subject"]["name"]
    assert "/duties/assign" not in viewer.get("/duties/audit").text
    assert "/edit" not in viewer.get("/duties/audit?kind=agreement").text


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_list_as_a_file(supervisor: FlaskClient, form: str) -> None:
    answer = supervisor.get(f"/duties/audit/export?format={form}&kind=street")
    if form == "csv":
        rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
        assert sheet is not None
        rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    assert rows[0][:4] == ["问题", "对象类型", "编码", "名称"]
    assert {row[2] for row in rows[1:]} == by_pandas()["street"]
    assert supervisor.get("/duties/audit/export?format=pdf").status_code == 422


@pytest.mark.parametrize("query", ["kind=colour", "community=999"])
def test_what_there_is_not_is_said(supervisor: FlaskClient, query: str) -> None:
    assert supervisor.get(f"/api/v1/duties/audit?{query}").status_code == 422


def test_the_map_shows_grids_and_marks(supervisor: FlaskClient) -> None:
    drawn = supervisor.get("/map/audit").json
    expected = by_pandas()
    assert {code for code, kind in drawn["grids"].items() if kind == "vacant"} == expected["vacant"]
    kinds = Counter(kind for kind, *_ in drawn["marks"])
    assert kinds == {kind: len(expected[kind]) for kind in ("street", "place", "reach")}


def test_the_layers_of_chiefs_tell_held_from_open(supervisor: FlaskClient, public: FlaskClient) -> None:
    box = "bbox=109.8,31.0,109.95,31.1"
    streets = supervisor.get(f"/map/chiefs?of=street&{box}").json["items"]
    assert {code for code, _, _, people, _ in streets if not people} == by_pandas()["street"]
    river = next(item for item in supervisor.get(f"/map/chiefs?of=reach&{box}").json["items"] if item[0] == "P001")
    assert river[3][0][0] == "河长" and "areas" in river[4]
    masked = public.get(f"/map/chiefs?of=street&{box}").json["items"]
    assert all(who.endswith("*") for _, _, _, people, _ in masked for _, who, *_ in people)
    houses = public.get(f"/map/chiefs?of=building&{box}").json["items"]
    assert len(houses) == 54 and all(people[0][0] == "楼长" for _, _, _, people, _ in houses)
    assert public.get(f"/map/chiefs?of=moon&{box}").status_code == 422
