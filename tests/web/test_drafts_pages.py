"""The pages of editions, of two editions beside each other and of drafts, on both stores."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.grids.editions import edition_rows
from tests.responsibility.town import A1, A2, B1, EAST_HOME, SECOND_EDITION, SPECIAL, WEST_HOME
from tests.stores import Stores
from tests.web.town_service import client_of, town_service

TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def town_app(stores: Stores, store_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    yield from town_service(stores, store_kind, tmp_path_factory.mktemp("town"))


@pytest.fixture
def asker(town_app: Flask) -> FlaskClient:
    """A supervisor."""
    return client_of(town_app, "chief")


def test_editions_are_periods_the_latest_first(town_app: Flask) -> None:
    with town_app.extensions["steward"].database.read() as session:
        rows = edition_rows(session, TODAY)
        before = edition_rows(session, date(2026, 6, 30), WEST_HOME)
    west = [row for row in rows if row.community_code == WEST_HOME]
    assert [(row.starts_on, row.ends_on, row.state) for row in west] == [
        (SECOND_EDITION, None, "in_force"),
        (None, SECOND_EDITION, "past"),
    ]
    assert [row.state for row in before] == ["future", "in_force"]
    assert [row.shown_on(TODAY) for row in west] == [TODAY, date(2026, 6, 30)]
    assert west[0].grids == 3 and west[0].area_m2 == pytest.approx(west[1].area_m2, abs=1)
    assert [row.faults for row in rows if row.community_code == EAST_HOME] == [1]


def test_the_page_of_editions_tells_each_period(asker: FlaskClient) -> None:
    page = asker.get("/grids/editions").get_data(as_text=True)
    assert "2026-07-01 周三起" in page and "最初至 2026-06-30" in page
    assert "1 处界线问题" in page and "画新一版" in page


def test_comparing_outlines_what_moved_and_nothing_else(asker: FlaskClient) -> None:
    found = asker.get(f"/grids/compare.json?community={WEST_HOME}").get_json()
    assert {one["right_code"]: one["look"] for one in found["changes"]} == {A1: "reshaped", A2: "reshaped"}
    for side in ("left", "right"):
        codes = [one["properties"]["code"] for one in found[side]["features"]]
        assert {A1, A2, SPECIAL} <= set(codes)
    page = asker.get(f"/grids/compare?community={WEST_HOME}").get_data(as_text=True)
    assert page.count('class="mark reshaped"') == 2
    config = json.loads(re.search(r'id="steward-config"[^>]*>(.*?)</script>', page)[1])
    assert config["data"].endswith("left=first&right=2026-07-01")


def test_one_edition_beside_itself_says_so(asker: FlaskClient) -> None:
    page = asker.get(f"/grids/compare?community={EAST_HOME}").get_data(as_text=True)
    assert "左右是同一版" in page


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("community=404", 404),
        (f"community={WEST_HOME}&left=2026-02-30", 422),
        (f"community={WEST_HOME}&right=draft-99", 404),
        (f"community={WEST_HOME}&right=draft-x", 422),
    ],
)
def test_what_is_not_there_is_refused(asker: FlaskClient, query: str, status: int) -> None:
    assert asker.get(f"/grids/compare.json?{query}").status_code == status


def test_a_draft_is_compared_with_what_it_began_from(asker: FlaskClient) -> None:
    made = asker.post("/api/v1/grids/drafts", json={"communities": [EAST_HOME]}).get_json()
    url = f"/api/v1/grids/drafts/{made['id']}/steps"
    step = {"version": made["version"], "step": "rename", "code": B1, "name": "新名"}
    assert asker.post(url, json=step).status_code == 200
    page = asker.get(f"/grids/compare?community={EAST_HOME}&right=draft-{made['id']}").get_data(as_text=True)
    assert page.count('class="mark words"') == 1 and "改名" in page and "新名" in page
    assert "新名" not in asker.get(f"/grids/compare?community={EAST_HOME}").get_data(as_text=True).split("<table")[-1]
    for path in ("", "/publish"):
        answer = asker.get(f"/grids/drafts/{made['id']}{path}")
        assert answer.status_code == 200 and made["name"] in answer.get_data(as_text=True)


def test_the_grids_of_a_day_tell_the_days_on_which_boundaries_begin(asker: FlaskClient) -> None:
    found = json.loads(gzip.decompress(asker.get("/map/grids.geojson?on=2026-06-30").data))
    assert found["editions"] == [{"on": "2026-07-01", "communities": ["聚鹤社区"]}]
