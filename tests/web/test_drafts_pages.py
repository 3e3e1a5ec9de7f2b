"""The pages of editions, of two editions beside each other and of drafts, on both stores."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import shapely
from flask import Flask
from flask.testing import FlaskClient

from service.config import ROOT
from service.geo.retiling import _WORDS
from service.grids.editions import day_of_grid, edition_rows
from tests.responsibility.town import A1, A2, B1, B2, EAST_HOME, SECOND_EDITION, SPECIAL, WEST_HOME, at
from tests.stores import Stores
from tests.web.town_service import client_of, town_service

TODAY = date(2026, 11, 23)
FRESH = EAST_HOME + "020"


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


@pytest.fixture
def own(stores: Stores, store_kind: str, tmp_path: Path) -> Iterator[Flask]:
    """A town of one test's own."""
    yield from town_service(stores, store_kind, tmp_path)


def test_a_grid_of_another_day_has_its_page(own: Flask) -> None:
    """A link from the map of a day to come, or to a grid that was merged away, leads to what was there then."""
    asker = client_of(own, "chief")
    begun = asker.post("/api/v1/grids/drafts", json={"communities": [EAST_HOME]}).get_json()
    steps = f"/api/v1/grids/drafts/{begun['id']}"
    merged = {"step": "merge", "version": 1, "codes": [B1, B2], "keep": B1}
    assert asker.post(f"{steps}/steps", json=merged).status_code == 200
    line = {"type": "LineString", "coordinates": [at(4, 4), at(4, 11)]}
    new = {"step": "split", "version": 2, "code": B1, "line": line, "new_code": FRESH}
    assert asker.post(f"{steps}/steps", json=new).status_code == 200
    assert asker.post(f"{steps}/publish", json={"version": 3, "on": "2026-11-30"}).status_code == 201

    def page(address: str) -> str:
        answer = asker.get(address)
        assert answer.status_code == 200, answer.text
        return answer.get_data(as_text=True)

    fresh = page(f"/grids/{FRESH}")
    assert "按 2026-11-30 周一 那天显示" in fresh and "from=2026-11-30" in fresh and f"/grids/{FRESH}/edit" not in fresh
    today = page(f"/grids/{B2}")
    assert "那天显示" not in today and f"/grids/{B2}/edit" in today
    assert asker.get(f"/grids/{B2}?on=2026-11-30").status_code == 404
    assert "<b>发布新界线</b>" in fresh and "2026-11-30 起" in fresh and "<b>导入</b>" not in fresh
    assert "<b>发布新界线</b>" not in today and "<b>导入</b>" in today
    assert asker.get("/grids/never").status_code == 404 and asker.get(f"/grids/{B2}?on=soon").status_code == 422
    with own.extensions["steward"].database.read() as session:
        days = [day_of_grid(session, code, on) for code in (B1, B2, FRESH) for on in (TODAY, date(2026, 12, 5))]
    assert days == [TODAY, date(2026, 12, 5), TODAY, date(2026, 11, 29), date(2026, 11, 30), date(2026, 12, 5)]


def test_every_reason_of_a_refusal_has_its_word_on_the_map() -> None:
    words = (ROOT / "service/static/js/draft/words.js").read_text()
    sources = "".join(path.read_text() for path in (ROOT / "service/geo").glob("*.py"))
    kinds = {*re.findall(r'Fault\(\s*"(\w+)"', sources), *_WORDS, "overhang"}
    assert {"apart", "covered", "piece", "gap"} <= kinds
    assert [kind for kind in sorted(kinds) if len(re.findall(rf"\b{kind}: '", words)) != 2] == []


def test_a_draft_that_is_published_says_so_and_is_not_published_again(own: Flask) -> None:
    asker = client_of(own, "chief")
    begun = asker.post("/api/v1/grids/drafts", json={"communities": [WEST_HOME]}).get_json()
    draft = f"/api/v1/grids/drafts/{begun['id']}"
    assert (
        asker.post(f"{draft}/steps", json={"step": "rename", "version": 1, "code": A1, "name": "西一"}).status_code
        == 200
    )
    shown = asker.get(f"{draft}/preview")
    assert shown.get_json()["can_publish"] and shown.headers["Cache-Control"] == "private, no-store"
    assert asker.post(f"{draft}/publish", json={"version": 2, "on": "2026-12-07"}).status_code == 201
    after = asker.get(f"{draft}/preview").get_json()
    assert not after["can_publish"]
    assert [one["message"] for one in after["hindrances"]] == ["这份草稿已经发布，从 2026-12-07 起生效。"]


def test_an_imports_faults_can_be_switched_on_from_every_day(own: Flask) -> None:
    """The page is opened once and goes from day to day."""
    asker = client_of(own, "chief")
    begun = asker.post("/api/v1/grids/drafts", json={"communities": [EAST_HOME]}).get_json()
    [fault] = begun["faults"]
    middle = shapely.point_on_surface(shapely.from_geojson(json.dumps(fault["geometry"])))
    mend = {"step": "mend", "version": 1, "to": B1}
    mend["fault"] = {"kind": "overlap", "codes": fault["codes"], "at": [middle.x, middle.y]}
    draft = f"/api/v1/grids/drafts/{begun['id']}"
    assert asker.post(f"{draft}/steps", json=mend).status_code == 200
    assert asker.post(f"{draft}/publish", json={"version": 2, "on": "2026-11-30"}).status_code == 201
    for on, count in (("2026-11-23", 1), ("2026-11-30", 0)):
        assert 'data-layer="faults"' in asker.get(f"/map?on={on}").get_data(as_text=True)
        assert len(asker.get(f"/map/faults.geojson?on={on}").get_json()["features"]) == count


def test_an_office_without_communities_is_told_where_to_begin(stores: Stores, store_kind: str, tmp_path: Path) -> None:
    for app in town_service(stores, store_kind, tmp_path, load=False):
        asker = client_of(app, "chief")
        page = asker.get("/grids/editions").get_data(as_text=True)
        assert "先导入社区和网格" in page and 'href="/imports"' in page and "按“画新一版”开始" not in page
        answer = asker.get("/grids/compare")
        assert answer.status_code == 404 and "还没有社区和网格" in answer.get_data(as_text=True)
