"""Drawing over REST, as a page or a program does it: shapes of the answers, refusals with faults, two editors, preview,
publishing, and the lookup before and after."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely
from flask import Flask
from flask.testing import FlaskClient

from service.config import ROOT
from tests.responsibility.town import A1, A2, B1, B2, EAST_HOME, MICRO, SPECIAL, WEST_HOME, at, box, bring, layer
from tests.stores import Stores
from tests.web.town_service import client_of, town_service

NEW = WEST_HOME + "003"
BASE = "/api/v1/grids"
DAYS = ("2026-11-23", "2026-11-30")
SPOT = at(5, 4)  # in the eastern half of A1


@pytest.fixture
def town(stores: Stores, store_kind: str, tmp_path: Path) -> Iterator[Flask]:
    """A town of its own, with two open incidents in A1 and one in B1."""
    for app in town_service(stores, store_kind, tmp_path):
        given = app.extensions["steward"]
        rows = [
            (shapely.Point(*where), {"number": number, "reported_at": "2026-11-20 10:00", "state": "handling"})
            for where, number in ((at(1, 4), "I1"), (SPOT, "I2"), (at(2, 7), "I3"))
        ]
        path = layer(tmp_path / "incidents.geojson", [(s, {**p, "category": "06010"}) for s, p in rows])
        bring(given.database, given.settings, "incidents", path)
        yield app


@pytest.fixture
def west(town: Flask) -> FlaskClient:
    return client_of(town, "west")


def line(*points: tuple[float, float]) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": [list(at(*point)) for point in points]}


def begin(client: FlaskClient, *homes: str) -> dict[str, Any]:
    answer = client.post(f"{BASE}/drafts", json={"communities": list(homes or (WEST_HOME,))})
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"{BASE}/drafts/{answer.json['id']}"
    return answer.json


def step(client: FlaskClient, draft: int, version: int, kind: str, status: int = 200, **more: Any) -> Any:
    answer = client.post(f"{BASE}/drafts/{draft}/steps", json={"version": version, "step": kind, **more})
    assert answer.status_code == status, answer.text
    return answer.json


def split(client: FlaskClient, draft: int, version: int = 1) -> Any:
    return step(client, draft, version, "split", code=A1, line=line((3, -1), (3, 6)))


def test_a_draft_tells_everything_that_an_editor_needs(west: FlaskClient) -> None:
    draft = begin(west)
    assert draft["communities"] == [
        {"code": WEST_HOME, "name": "聚鹤社区", "base_edition": "2026-07-01", "has_base": True}
    ]
    assert (draft["version"], draft["state"], draft["steps"], draft["gone"]) == (1, "open", [], [])
    assert draft["can"] == {"undo": False, "redo": False, "edit": True, "publish": True, "extent": False}
    grids = {one["properties"]["code"]: one for one in draft["grids"]["features"]}
    assert set(grids) == {A1, A2, SPECIAL, MICRO}
    told = grids[A1]["properties"]
    assert told["leader"] == {"code": "P2", "name": "李四", "planned": False} and told["status"] == "unchanged"
    assert told["area_m2"] == pytest.approx(6 * 95.4 * 5 * 110.9, rel=0.01) and told["r"] > 200
    assert shapely.from_geojson(json.dumps(grids[A1]["geometry"])).intersects(shapely.Point(told["label"]))
    assert grids[A2]["properties"]["leader"] is None and grids[MICRO]["properties"]["parent_code"] == A1
    assert {one["properties"]["code"] for one in draft["around"]["features"]} == {B1, B2}
    assert west.get(f"{BASE}/drafts/{draft['id']}").json == draft
    listed = west.get(f"{BASE}/drafts?state=open").json["drafts"]
    assert [(one["id"], one["step_count"]) for one in listed] == [(draft["id"], 0)]
    assert west.get(f"{BASE}/drafts?state=closed").status_code == 422


def test_a_step_answers_with_what_differs(west: FlaskClient) -> None:
    draft = begin(west)["id"]
    done = split(west, draft)
    assert done["version"] == 2 and done["step"]["kind"] == "split" and done["can"]["undo"]
    changed = {one["properties"]["code"]: one["properties"] for one in done["changed"]}
    assert set(changed) >= {A1, NEW} and SPECIAL not in changed and done["removed"] == []
    assert (changed[NEW]["status"], changed[A1]["status"]) == ("new", "changed")
    assert changed[NEW]["cut_from"] == [A1] and changed[NEW]["origin"] is None
    done = step(west, draft, 2, "assign", grids=[NEW], role="grid_leader", person="P7", until="2027-01-01")
    [grid] = done["changed"]
    assert grid["properties"]["leader"] == {"code": "P7", "name": "周九", "planned": True}
    [plan] = grid["properties"]["planned"]
    assert plan["role_name"] == "网格长" and plan["until"] == "2027-01-01"
    done = step(west, draft, 3, "unassign", id=plan["id"])
    assert done["changed"][0]["properties"]["planned"] == []
    undone = west.post(f"{BASE}/drafts/{draft}/undo", json={"version": 4}).json
    assert undone["can"]["redo"] and [one["undone"] for one in undone["steps"]] == [False, False, True]
    merged = step(west, draft, 5, "merge", codes=[A1, NEW], keep=A1)
    assert merged["removed"] == [NEW] and "1 项责任" in merged["warnings"][0]
    assert merged["changed"][0]["properties"]["status"] == "unchanged"


def test_what_would_not_tile_comes_back_with_the_fault(west: FlaskClient) -> None:
    draft = begin(west)["id"]
    beyond = json.loads(shapely.to_geojson(box(-1, 0, 6, 6)))
    answer = west.post(
        f"{BASE}/drafts/{draft}/steps", json={"version": 1, "step": "reshape", "code": A1, "polygon": beyond}
    )
    assert answer.status_code == 422 and answer.mimetype == "application/problem+json"
    told = answer.json
    assert told["errors"][0]["field"] == "polygon" and told["errors"][0]["message"] == told["detail"]
    assert {one["kind"] for one in told["faults"]} == {"outside", "overlap"}
    assert all(one["geometry"]["type"] in ("Polygon", "MultiPolygon") and one["area_m2"] > 1 for one in told["faults"])
    assert west.get(f"{BASE}/drafts/{draft}").json["version"] == 1


def drawn(*coordinates: Any) -> dict[str, Any]:
    return {"version": 1, "step": "split", "code": A1, "line": {"type": "LineString", "coordinates": list(coordinates)}}


BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "step"),
    ({"step": "fly", "version": 1}, "step"),
    ({"step": "split", "code": A1}, "version"),
    ({"step": "split", "version": 1, "code": A1, "line": {"type": "Point", "coordinates": [1, 2]}}, "line"),
    (drawn([1, 2], "x"), "line"),
    (drawn([31, 109], [1, 2]), "line"),
    ({"step": "split", "version": 1, "code": "x", "line": line((0, 0), (1, 1))}, "code"),
    ({"step": "rename", "version": 1, "code": A1, "name": "名" * 99}, "name"),
    ({"step": "rename", "version": 1, "code": A1, "name": "x", "colour": "red"}, "colour"),
    ({"step": "recode", "version": 1, "codes": {A1: A2}}, "new_code"),
    ({"step": "recode", "version": 1}, "codes"),
    ({"step": "attributes", "version": 1, "code": A1, "households": -4}, "households"),
    ({"step": "attributes", "version": 1, "code": A1, "households": True}, "households"),
    ({"step": "attributes", "version": 1, "code": A1, "notes": "a\x00b"}, "notes"),
    ({"step": "rename", "version": 1, "code": A1, "name": "a\x00b"}, "name"),
    ({"step": "rename", "version": 1, "code": A1, "name": " \u200b\n"}, "name"),
    ({"step": "recode", "version": 1, "code": A1, "new_code": "\u202e123"}, "new_code"),
    ({"step": "split", "version": 1, "code": A1, "line": line((3, -1), (3, 6)), "new_code": "a\x01b"}, "new_code"),
    ({"step": "attributes", "version": 1, "code": A1, "kind": "micro_grid"}, "kind"),
    ({"step": "border", "version": 1, "codes": [A1], "line": line((0, 0), (1, 1))}, "codes"),
    ({"step": "mend", "version": 1, "fault": {"kind": "gap", "codes": [], "at": list(SPOT)}}, "fault"),
    ({"step": "merge", "version": 1, "codes": [A1, A2], "keep": SPECIAL}, "keep"),
    ({"step": "draw", "version": 1, "kind": "grid", "polygon": {"type": "Polygon", "coordinates": []}}, "polygon"),
]


def test_bad_input_names_its_field(west: FlaskClient) -> None:
    draft = begin(west)["id"]
    for body, field in BAD:
        answer = west.post(f"{BASE}/drafts/{draft}/steps", json=body)
        assert answer.status_code == 422, (body, answer.text)
        assert answer.json["errors"][0]["field"] == field and answer.json["detail"], body
    assert west.get(f"{BASE}/drafts/{draft}").json["version"] == 1


def test_a_polygon_that_crosses_itself_is_refused(west: FlaskClient) -> None:
    draft = begin(west)["id"]
    bow = [[list(at(*point)) for point in ((1, 3), (4, 4), (4, 3), (1, 4), (1, 3))]]
    one, several = {"type": "Polygon", "coordinates": bow}, {"type": "MultiPolygon", "coordinates": [bow]}
    for kind, polygon in (("special", one), ("grid", several), ("micro_grid", one)):
        body = {"version": 1, "step": "draw", "kind": kind, "polygon": polygon}
        answer = west.post(f"{BASE}/drafts/{draft}/steps", json=body)
        assert answer.status_code == 422, answer.text
        assert answer.json["errors"][0]["field"] == "polygon" and "自己相交" in answer.json["detail"]


def test_the_second_of_two_editors_gets_the_firsts_change(town: Flask, west: FlaskClient) -> None:
    draft = begin(west)["id"]
    split(client_of(town, "chief"), draft)
    told = step(west, draft, 1, "rename", 409, code=A2, name="x")
    assert told["version"] == 2 and [one["actor"] for one in told["steps"]] == ["chief"]
    assert {one["properties"]["code"] for one in told["changed"]} >= {A1, NEW}
    assert "拆分" in told["detail"] and told["can"]["undo"]
    assert west.post(f"{BASE}/drafts/{draft}/undo", json={"version": 1}).status_code == 409


def test_an_outline_that_comes_back_as_it_was_sent_changes_nothing(west: FlaskClient) -> None:
    """An editor's polygon is made of the answer's numbers."""
    draft = begin(west)
    geometry = next(one for one in draft["grids"]["features"] if one["properties"]["code"] == A2)["geometry"]
    told = step(west, draft["id"], 1, "reshape", 422, code=A2, polygon=geometry)
    assert "没有改变" in told["detail"]


def test_codes_are_proposed(west: FlaskClient) -> None:
    draft = begin(west)["id"]
    told = west.get(f"{BASE}/drafts/{draft}/codes?near={SPOT[0]},{SPOT[1]}").json
    assert told["next"] == {"code": NEW, "name": "聚鹤社区第三网格"} and told["micro"] == A1 + "02"
    assert told["codes"] == {SPECIAL: NEW}
    assert west.get(f"{BASE}/drafts/{draft}/codes?near=here").status_code == 422


def test_an_open_editor_asks_cheaply_what_a_colleague_did(town: Flask, west: FlaskClient) -> None:
    draft = begin(west)["id"]
    quiet = west.get(f"{BASE}/drafts/{draft}/since?version=1")
    assert quiet.json == {"version": 1, "state": "open", "steps": []}
    tag = {"If-None-Match": quiet.headers["ETag"]}
    assert west.get(f"{BASE}/drafts/{draft}/since?version=1", headers=tag).status_code == 304
    split(client_of(town, "chief"), draft)
    told = west.get(f"{BASE}/drafts/{draft}/since?version=1", headers=tag)
    assert told.status_code == 200 and told.json["version"] == 2
    assert [(one["actor"], one["grids"]) for one in told.json["steps"]] == [("chief", [A1, NEW])]
    assert west.get(f"{BASE}/drafts/{draft}/since?version=2").json["steps"] == []
    assert west.get(f"{BASE}/drafts/{draft}/since?version=x").status_code == 422
    assert client_of(town, "east").get(f"{BASE}/drafts/{draft}/since?version=1").status_code == 404


def test_what_publishing_would_change_is_shown_first(west: FlaskClient) -> None:
    draft = begin(west)["id"]
    split(west, draft)
    step(west, draft, 2, "assign", grids=[NEW], role="grid_leader", person="P7")
    step(west, draft, 3, "merge", codes=[A2, SPECIAL], keep=A2)
    told = west.get(f"{BASE}/drafts/{draft}/preview?on=2026-11-30").json
    assert told["can_publish"] and told["hindrances"] == [] and told["proposed_on"] == "2026-11-30"
    grids = {one["code"]: one for one in told["grids"]}
    assert grids[NEW]["changes"] == ["new"] and grids[SPECIAL]["changes"] == ["gone"]
    assert "changed" in grids[A2]["changes"] and grids[A2]["leader"] is None
    assert grids[A1]["leader_before"]["code"] == grids[A1]["leader"]["code"] == "P2"
    assert grids[A1]["area_m2"] < grids[A1]["area_before_m2"]
    assert [(one["code"], one["grid"]) for one in told["duties"]["ended"]] == [("D8", SPECIAL)]
    assert told["duties"]["stay"] == 3 and [one["person"]["code"] for one in told["duties"]["planned"]] == ["P7"]
    assert [one["code"] for one in told["without_leader"]] == [A2]
    [moved] = told["incidents"]["items"]
    assert told["incidents"]["count"] == 1
    inside = {NEW: "I2", A1: "I1"}  # whichever half the new code got
    assert moved["number"] in inside.values() and moved["grid"] == NEW and moved["grid_before"] == A1
    assert (moved["leader_before"]["code"], moved["leader"]["code"]) == ("P2", "P7")
    early = west.get(f"{BASE}/drafts/{draft}/preview?on=2026-11-23").json
    assert not early["can_publish"] and early["hindrances"][0]["forbidden"]


def test_next_monday_answers_differently_in_the_interface_and_on_the_command_line(
    town: Flask, west: FlaskClient
) -> None:
    draft = begin(west)["id"]
    split(west, draft)
    step(west, draft, 2, "assign", grids=[NEW], role="grid_leader", person="P7")
    published = west.post(f"{BASE}/drafts/{draft}/publish", json={"version": 3, "on": "2026-11-30"})
    assert published.status_code == 201
    assert published.json["duties"] == {"stay": 4, "moved": 0, "ended": 0, "made": 1}
    assert [one["edition"] for one in published.json["editions"]] == ["2026-11-30"]
    leaders = {}
    for on in DAYS:
        for spot in (at(1, 4), SPOT):
            told = west.get(f"/api/v1/lookup?lon={spot[0]}&lat={spot[1]}&on={on}").json
            duty = next(one for one in told["duties"] if one["role"] == "grid_leader")
            leaders[told["grid"]["code"], on, told["edition"]] = duty["person"]["name"]
    assert leaders == {
        (A1, "2026-11-23", "2026-07-01"): "王五",
        (A1, "2026-11-30", "2026-11-30"): "李四",
        (NEW, "2026-11-30", "2026-11-30"): "周九",
    }
    row = f"{BASE}/{NEW}"
    assert (west.get(row).status_code, west.get(f"{row}?on=2026-11-30").json["code"]) == (404, NEW)
    area = {on: shapely.from_geojson(json.dumps(west.get(f"{BASE}/{A1}?on={on}").json["geometry"])).area for on in DAYS}
    assert area[DAYS[1]] == pytest.approx(area[DAYS[0]] / 2, rel=0.01)
    given = town.extensions["steward"].settings
    env = {"DATABASE_URL": given.store_url, "DATA_DIR": str(given.data_dir), "SECRET_KEY": "test"}
    codes = set()
    for spot in (at(1, 4), SPOT):
        command = [sys.executable, "-m", "service", "lookup", *map(str, spot), "--on", "2026-11-30"]
        told = subprocess.run(command, env=os.environ | env, capture_output=True, text=True, check=True, cwd=ROOT)
        codes.add(json.loads(told.stdout)["grid"]["code"])
    assert codes == {A1, NEW}
    editions = west.get(f"{BASE}/editions").json["editions"]
    assert [(one["edition"], one["state"], one["from_draft"]) for one in editions] == [
        ("2026-11-30", "future", draft),
        ("2026-07-01", "in_force", None),
        (None, "past", None),
    ]
    taken = west.post(f"{BASE}/drafts/{draft}/withdraw")
    assert taken.status_code == 200 and taken.json["state"] == "open"
    assert west.post(f"{BASE}/drafts/{draft}/drop", json={"version": taken.json["version"]}).json["state"] == "dropped"


def test_another_communitys_people_can_do_none_of_it(town: Flask, west: FlaskClient) -> None:
    draft = begin(west)["id"]
    east, walker, looker = (client_of(town, name) for name in ("east", "walker", "looker"))
    for client, status in ((east, 404), (walker, 403), (looker, 403)):
        assert client.get(f"{BASE}/drafts/{draft}").status_code == status
        body = {"version": 1, "step": "rename", "code": A1, "name": "x"}
        assert client.post(f"{BASE}/drafts/{draft}/steps", json=body).status_code == status
        assert (
            client.post(f"{BASE}/drafts/{draft}/publish", json={"version": 1, "on": "2026-11-30"}).status_code == status
        )
    assert east.post(f"{BASE}/drafts", json={"communities": [WEST_HOME]}).status_code == 403
    assert {one["community"]["code"] for one in east.get(f"{BASE}/editions").json["editions"]} == {EAST_HOME}


def test_an_imports_fault_is_told_and_mended(town: Flask) -> None:
    east = client_of(town, "east")
    draft = begin(east, EAST_HOME)
    [fault] = draft["faults"]
    assert fault["kind"] == "overlap" and fault["codes"] == [B1, B2] and fault["inherited"]
    middle = shapely.point_on_surface(shapely.from_geojson(json.dumps(fault["geometry"])))
    at_fault = {"kind": "overlap", "codes": [B1, B2], "at": [middle.x, middle.y]}
    done = step(east, draft["id"], 1, "mend", fault=at_fault, to=B2)
    assert done["faults"] == [] and {one["properties"]["code"] for one in done["changed"]} == {B1}


def test_a_community_whose_outline_moves_is_told_in_square_metres(town: Flask) -> None:
    """A supervisor may move it: an overshooting line must not pass for a border inside."""
    chief = client_of(town, "chief")
    draft = begin(chief)["id"]
    polygon = json.loads(shapely.to_geojson(box(-0.5, 0, 6, 5)))
    out = step(chief, draft, 1, "reshape", code=A1, polygon=polygon)
    [told] = out["told"]
    assert told.startswith("聚鹤社区的外边界变了：多出 264") and told.endswith("让出 0 平方米。")
    renamed = step(chief, draft, 2, "rename", code=A1, name="西一")
    assert renamed["told"] == [] and told in renamed["warnings"]
    assert told in chief.get(f"{BASE}/drafts/{draft}/preview").json["warnings"]
    for version in (3, 4):
        undone = chief.post(f"{BASE}/drafts/{draft}/undo", json={"version": version}).json
    assert undone["warnings"] == [] and undone["told"] == []


def test_who_may_not_draw_is_told_who_may(town: Flask) -> None:
    told = client_of(town, "walker").get(f"{BASE}/drafts").json["detail"]
    assert told.endswith("要由社区管理员、主管或管理员来做。")
