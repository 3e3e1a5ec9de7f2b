"""REST of duties: lists by day, assigning, handing over, leave, corrections; refused ones name what is in the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from service.records.models import AuditEntry
from tests.responsibility.town import A1, A2, B1, EAST_HOME, SPECIAL
from tests.stores import Stores
from tests.web.town_service import client_of, town_service

URL = "/api/v1/duties"


@pytest.fixture
def app(stores: Stores, store_kind: str, tmp_path: Path) -> Iterator[Flask]:
    yield from town_service(stores, store_kind, tmp_path)


@pytest.fixture
def chief(app: Flask) -> FlaskClient:
    return client_of(app, "chief")


def leader(client: FlaskClient, on: str, x: float = 109.8885, y: float = 31.0715) -> str | None:
    found = client.get(f"/api/v1/lookup?lon={x}&lat={y}&on={on}").json
    return next((one["person"]["name"] for one in found["duties"] if one["role"] == "grid_leader"), None)


def assign(client: FlaskClient, *subjects: str, **more: Any) -> Any:
    body = {"role": "grid_leader", "person_code": "P1", "subjects": [f"grid:{one}" for one in subjects], **more}
    return client.post(URL, json=body)


def test_assigning_several_answers_with_a_verdict_each(chief: FlaskClient) -> None:
    answer = assign(chief, A2, A1, "none", starts_on="2026-11-30", note="新到岗")
    assert answer.status_code == 201
    ok, held, unknown = answer.json["results"]
    assert ok["ok"] and ok["duties"][0]["starts_on"] == "2026-11-30"
    assert not held["ok"] and held["clash"]["code"] == "D2" and "李四（2026-11-01 起，没有截止）" in held["message"]
    assert not unknown["ok"] and "没有“none”这个网格" in unknown["message"]
    assert (leader(chief, "2026-11-29"), leader(chief, "2026-11-30")) == (None, "张三")
    row = chief.get(f"{URL}/{ok['code']}").json
    assert row["names"]["person_code"] == "张三" and row["state"] == "coming" and row["version"] == 1
    assert chief.get(f"{URL}/{ok['code']}/history").json["items"][0]["note"] == "新到岗"


def test_nothing_done_is_refused_with_every_reason(chief: FlaskClient) -> None:
    answer = assign(chief, A1, SPECIAL)
    assert answer.status_code == 409 and [one["ok"] for one in answer.json["results"]] == [False, False]
    assert answer.json["title"] == "有冲突" and "网格长已有" in answer.json["detail"]
    assert assign(chief, A2, dry_run=True).json == {**assign(chief, A2, dry_run=True).json, "dry_run": True}
    assert chief.get(f"{URL}?subject_code={A2}").json["total"] == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"role": "king"}, "role"),
        ({"person_code": "无名氏"}, "person_code"),
        ({"starts_on": "morgen"}, "starts_on"),
        ({"starts_on": "2026-12-02", "ends_on": "2026-12-01"}, "ends_on"),
        ({"subjects": "grid:1"}, "subjects"),
        ({"subjects": ["moon:1"]}, "subjects"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_understood_is_named(chief: FlaskClient, body: dict[str, Any], field: str) -> None:
    answer = assign(chief, A2, **body)
    assert answer.status_code in (400, 422), answer.json
    named = answer.json.get("field") or answer.json.get("errors", [{}])[0].get("field")
    assert named in (field, None) and answer.json["detail"]


def test_handing_over_and_the_list_of_a_day(chief: FlaskClient) -> None:
    done = chief.post(f"{URL}/D2/hand-over", json={"to": "赵六", "on": "2026-11-30", "codes": ["D3"]})
    assert done.status_code == 200 and [one["ok"] for one in done.json["results"]] == [True, True]

    def held(on: str) -> list[str]:
        found = chief.get(f"{URL}?on={on}&subject_code={A1}&role=grid_leader&state=held,acting").json
        return [one["names"]["person_code"] for one in found["items"]]

    assert [held(on) for on in ("2026-10-01", "2026-11-29", "2026-11-30")] == [["张三"], ["李四"], ["赵六"]]
    assert chief.get(f"{URL}?on=2026-11-30").json["counts"] == {"held": 7, "acting": 0, "coming": 0, "over": 3}


def test_leave_return_and_end(chief: FlaskClient) -> None:
    away = {"acting_code": "P5", "acting_from": "2026-12-01", "acting_until": "2026-12-11"}
    assert chief.post(f"{URL}/D8/acting", json=away).json["results"][0]["ok"]
    again = chief.post(f"{URL}/D8/acting", json={**away, "acting_code": "P6"})
    assert again.status_code == 409 and "已安排钱七代理" in again.json["detail"]
    assert [leader(chief, on, 109.891) for on in ("2026-11-30", "2026-12-05")] == ["吴十", "钱七"]
    assert chief.post(f"{URL}/D8/return", json={"on": "2026-12-04"}).json["results"][0]["ok"]
    assert leader(chief, "2026-12-05", 109.891) == "吴十"
    assert chief.post(f"{URL}/D8/end", json={"on": "2026-12-31"}).status_code == 200
    assert chief.get(f"{URL}/D8").json["ends_on"] == "2026-12-31"
    assert chief.post(f"{URL}/D99/end", json={}).status_code == 404


def test_correcting_needs_the_version_that_was_read(chief: FlaskClient) -> None:
    row = chief.get(f"{URL}/D4").json
    done = chief.put(f"{URL}/D4", json={**row, "person_code": "P6"})
    assert done.status_code == 200 and (done.json["person_code"], done.json["version"]) == ("P6", 2)
    stale = chief.put(f"{URL}/D4", json={**row, "person_code": "P7"})
    assert stale.status_code == 409
    assert (stale.json["stored"]["person_code"], stale.json["sent"]["person_code"]) == ("P6", "P7")
    assert chief.put(f"{URL}/D4", json={"person_code": "P7"}).status_code in (400, 422)
    clash = chief.put(f"{URL}/D1", json={"version": 1, "ends_on": "2026-11-05"})
    assert clash.status_code == 409 and "网格长已有李四" in clash.json["detail"]
    wrong = chief.put(f"{URL}/D4", json={"version": 2, "role": "road_chief", "person_code": "P99"})
    assert wrong.status_code == 422 and "errors" in wrong.json


def test_copying(chief: FlaskClient) -> None:
    body = {"of": f"grid:{A1}", "to": [f"grid:{A2}"], "on": "2026-11-30", "roles": ["网格长"]}
    answer = chief.post(f"{URL}/copy", json=body)
    assert answer.status_code == 201 and [one["ok"] for one in answer.json["results"]] == [True]
    assert leader(chief, "2026-11-30") == "李四"


def test_a_manager_assigns_in_the_own_community_only(app: Flask) -> None:
    east = client_of(app, "east")
    assert assign(east, B1).status_code == 201
    answer = assign(east, A2)
    assert answer.status_code == 403 and "不全在你的社区里" in answer.json["detail"]
    mixed = assign(east, A2, EAST_HOME + "002")
    assert mixed.status_code == 201 and [one["ok"] for one in mixed.json["results"]] == [False, True]
    assert east.post(f"{URL}/D8/end", json={}).status_code == 404, "what isn't read isn't there"
    assert client_of(app, "walker").post(URL, json={}).status_code == 403
    with app.extensions["steward"].database.read() as session:
        found = session.scalars(select(AuditEntry).where(AuditEntry.ok.is_(False), AuditEntry.actor == "east"))
        notes = [one.note for one in found]
    assert f"1 项不在范围内：{A2}" in notes


def test_names_are_masked_by_role(app: Flask, chief: FlaskClient) -> None:
    looker = client_of(app, "looker")
    named = {client.get(f"{URL}/D5").json["names"]["person_code"] for client in (looker,)}
    assert named == {"钱*"} and chief.get(f"{URL}/D5").json["names"]["person_code"] == "钱七"
    assert looker.get(f"{URL}?q=钱七").json["total"] == 0 and chief.get(f"{URL}?q=钱七").json["total"] == 1
    assert chief.get(f"{URL}?q=网格长&state=held,acting").json["total"] == 3
    firm = client_of(app, "firm")
    assert firm.get(URL).json["total"] == 0


def test_export_goes_back_in_unchanged(app: Flask, chief: FlaskClient, tmp_path: Path) -> None:
    from service.intake.run import Request, run_import
    from tests.conftest import MONDAY_NOON

    given = app.extensions["steward"]
    for form in ("xlsx", "csv"):
        answer = chief.get(f"/duties/export?format={form}&role=grid_leader")
        assert answer.status_code == 200
        path = tmp_path / f"out.{form}"
        path.write_bytes(answer.data)
        done = run_import(given.database, given.settings, Request(kind="duties", files=(path,)), MONDAY_NOON)
        assert (done.summary["read"], done.summary["unchanged"], done.summary["rejected"]) == (3, 3, 0)
    shapes = chief.get("/duties/export?format=geojson&role=grid_leader&state=acting").json["features"]
    assert [one["geometry"]["type"] for one in shapes] == ["MultiPolygon"]
    assert shapes[0]["properties"]["责任人是谁"] == "李四" and shapes[0]["properties"]["当日状态"] == "代理中"
    assert chief.get("/duties/export?format=gpkg").data[:6] == b"SQLite"
