"""The registers over REST: areas, masking, versions, errors as problem+json, hostile text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.config import Settings
from service.db.engine import Database
from service.people.accounts import create_account
from service.people.models import Account
from service.people.sign_ins import begin
from service.records.models import AuditEntry
from service.web.access import ROUTES
from tests.conftest import MONDAY_NOON, bearer
from tests.registers.conftest import FAR_AWAY, IN_A1, IN_B1, point, whole_town
from tests.responsibility.town import A1, EAST_HOME, WEST_HOME
from tests.stores import Filling, Stores, settings_of

PHONE = "139****0001"
SEEN = '<img src=x onerror="alert(1)">'
HOSTILE = f"{SEEN}\u202e"  # what turns the letters round is not kept


@dataclass
class Api:
    """One client for each role: manager of the west, officer of A1, handler of the cleaners' unit."""

    app: Flask
    clients: dict[str, FlaskClient]

    def __getitem__(self, role: str) -> FlaskClient:
        return self.clients[role]


def town_with_roles(database: Database, settings: Settings, folder: Path) -> None:
    """The small town and an account of each role."""
    whole_town(database, settings, folder)
    with database.write() as session:
        for role in ("admin", "supervisor", "viewer", "manager", "officer", "unit"):
            made = create_account(session, role, role, None, MONDAY_NOON)
            made.area = WEST_HOME if role == "manager" else None
            made.unit = "O1" if role == "unit" else None
            made.person_code = "P2" if role == "officer" else None


def served(settings: Settings) -> Iterator[Api]:
    app = create_app(settings)
    names = ("admin", "supervisor", "viewer", "manager", "officer", "unit")
    yield Api(app, {role: bearer(app, role) for role in names} | {"public": app.test_client()})
    app.extensions["steward"].database.close()


def _still(stores: Stores, store_kind: str, folder: Path) -> Iterator[Api]:
    with stores.copied(store_kind, town_with_roles, folder) as url:
        yield from served(settings_of(url, folder / "data"))


@pytest.fixture
def still_api(stores: Stores, store_kind: str) -> Api:
    """For tests that change nothing."""
    return stores.kept(store_kind, _still)


@pytest.fixture
def filling() -> Filling:
    return town_with_roles


@pytest.fixture
def api(settings: Settings) -> Iterator[Api]:
    yield from served(settings)


def items(client: FlaskClient, path: str) -> list[dict[str, Any]]:
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    return list(answer.json["items"])


def codes(client: FlaskClient, path: str) -> list[str]:
    return [one.get("code", one.get("number")) for one in items(client, path)]


def test_every_role_reads_its_own_part(still_api: Api) -> None:
    parts = {
        "admin": ["F1", "F3", "F2"],
        "supervisor": ["F1", "F3", "F2"],
        "viewer": ["F1", "F3", "F2"],
        "manager": ["F1", "F3", "F2"],
        "officer": ["F1", "F3", "F2"],
        "unit": [],
    }
    for role, held in parts.items():
        assert sorted(codes(still_api[role], "frontages")) == sorted(held), role
    assert set(codes(still_api["manager"], "places")) == {"T1", "R1", "M1"}
    assert codes(still_api["unit"], "organisations") == ["O1"]
    assert codes(still_api["officer"], "incidents") == ["I1"]
    assert codes(still_api["manager"], "incidents") == ["I2", "I1"]
    for path in ("frontages", "frontages/F1", "frontages/F1/history", "people", "incidents", "incidents/I1"):
        answer = still_api["public"].get(f"/api/v1/{path}")
        assert answer.status_code == 401
        assert answer.mimetype == "application/problem+json"
    assert still_api["manager"].get("/api/v1/places/T2").status_code == 404
    assert still_api["officer"].get("/api/v1/incidents/I3").status_code == 404


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("admin", 201),
        ("supervisor", 201),
        ("manager", 201),
        ("officer", 403),
        ("unit", 403),
        ("viewer", 403),
        ("public", 401),
    ],
)
def test_who_may_write(api: Api, role: str, status: int) -> None:
    answer = api[role].post("/api/v1/frontages", json={"shop_name": "新店", "geometry": point(IN_A1)})
    if role == "public":
        answer = api[role].post("/api/v1/frontages", json={}, headers={"Authorization": "Bearer nothing"})
    assert answer.status_code == status, answer.text


def test_a_row_goes_round(api: Api) -> None:
    made = api["supervisor"].post(
        "/api/v1/frontages",
        json={"shop_name": HOSTILE, "phone": "13812345678", "person_name": "钱店长", "geometry": point(IN_A1)},
    )
    assert made.status_code == 201
    row = api["supervisor"].get(made.headers["Location"]).json
    assert (row["shop_name"], row["phone"], row["version"], row["grid"]["code"]) == (SEEN, "138****5678", 1, A1)
    assert row["geometry"] == {"type": "Point", "coordinates": list(IN_A1)}
    changed = api["supervisor"].put(made.headers["Location"], json=row | {"trade": "餐饮"})
    assert changed.status_code == 200, changed.text
    assert (changed.json["trade"], changed.json["version"], changed.json["shop_name"]) == ("餐饮", 2, SEEN)
    stale = api["supervisor"].put(made.headers["Location"], json={"trade": "服装", "version": 1})
    assert stale.status_code == 409
    assert stale.mimetype == "application/problem+json"
    assert (stale.json["stored"]["trade"], stale.json["stored"]["version"]) == ("餐饮", 2)
    assert stale.json["stored"]["phone"] == "138****5678"
    assert stale.json["sent"] == {"trade": "服装", "version": 1}
    ended = api["supervisor"].delete(f"{made.headers['Location']}?version=2")
    assert (ended.status_code, ended.json["ended_on"]) == (200, "2026-11-23")
    assert made.json["code"] not in codes(api["supervisor"], "frontages")
    assert codes(api["supervisor"], "frontages?ended=yes") == [made.json["code"]]
    again = api["supervisor"].post(f"{made.headers['Location']}/restore", json={"version": 3})
    assert (again.status_code, again.json["ended_on"], again.json["version"]) == (200, None, 4)
    events = items(api["supervisor"], f"frontages/{made.json['code']}/history")
    assert [one["verb"] for one in events] == ["restore", "end", "change", "create"]
    phone = next(one for one in events[-1]["changes"] if one["field"] == "phone")
    assert phone["after"] == "138****5678"
    assert "13812345678" not in api["supervisor"].get(f"{made.headers['Location']}/history").text


def test_phones_are_masked_for_every_role_and_nowhere_whole(still_api: Api) -> None:
    for role in ("admin", "supervisor", "manager", "officer", "viewer"):
        for path in ("frontages/F1", "frontages?q=张", "people", "organisations"):
            assert "13900000001" not in still_api[role].get(f"/api/v1/{path}").text
            assert "1380000" not in still_api[role].get(f"/api/v1/{path}").text
        assert still_api[role].get("/api/v1/frontages/F1").json["phone"] == PHONE


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("POST", "frontages", {"shop_name": "", "phone": "12", "geometry": point(FAR_AWAY)}, 422, "shop_name"),
        ("POST", "frontages", [1], 422, "body"),
        ("POST", "frontages", "not json", 422, "body"),
        ("PUT", "frontages/F1", {"trade": "x"}, 422, "version"),
        ("PUT", "frontages/F1", {"trade": "x", "version": "1"}, 422, "version"),
        ("PUT", "frontages/F1", {"colour": "x", "version": 1}, 422, "colour"),
        ("DELETE", "frontages/F1", None, 422, "version"),
        ("GET", "frontages?limit=501", None, 422, "limit"),
        ("GET", "frontages?cursor=-1", None, 422, "cursor"),
        ("GET", "frontages?sort=phone%27", None, 422, "sort"),
        ("GET", "frontages?state=x", None, 422, "state"),
        ("GET", "frontages?on=x", None, 422, "on"),
        ("GET", "incidents?group=x", None, 422, "group"),
        ("GET", "frontages/nothing", None, 404, None),
        ("PUT", "frontages/nothing", {"version": 1}, 404, None),
        ("GET", "nothing", None, 404, None),
        ("GET", "frontages?q=%00", None, 422, "q"),
        ("GET", "incidents?address=%00", None, 422, "address"),
        ("GET", "frontages/a%00b", None, 404, None),
        ("POST", "incidents", {}, 405, None),
        ("POST", "grids", {"name": "x"}, 409, None),
        ("DELETE", "people/P3?version=1", None, 409, None),
    ],
)
def test_errors_are_problems_that_name_the_field(
    still_api: Api, method: str, path: str, body: Any, status: int, field: str | None
) -> None:
    given: dict[str, Any] = {"data": body} if isinstance(body, str) else {"json": body} if body is not None else {}
    answer = still_api["supervisor"].open(f"/api/v1/{path}", method=method, **given)
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    assert answer.json["status"] == status and answer.json["detail"]
    if field is not None:
        assert field in [one["field"] for one in answer.json["errors"]]
        assert all(one["message"] for one in answer.json["errors"])


def test_every_fault_of_a_body_is_told(still_api: Api) -> None:
    answer = still_api["supervisor"].post("/api/v1/frontages", json={"shop_name": "", "phone": "12"})
    assert {one["field"] for one in answer.json["errors"]} == {"shop_name", "phone", "geometry"}


def test_a_managers_shop_cannot_be_moved_abroad(still_api: Api) -> None:
    answer = still_api["manager"].put("/api/v1/frontages/F1", json={"version": 1, "geometry": point(IN_B1)})
    assert answer.status_code == 403
    assert "社区" in answer.json["detail"]


def test_pages_follow_the_cursor(still_api: Api) -> None:
    seen: list[str] = []
    cursor: str | None = "0"
    while cursor is not None:
        body = still_api["supervisor"].get(f"/api/v1/people?limit=3&cursor={cursor}").json
        seen += [one["code"] for one in body["items"]]
        cursor = body["next"]
        assert body["total"] == 8
    assert sorted(seen) == [f"P{i}" for i in range(1, 9)]


def test_filters_take_several_words_with_commas(still_api: Api) -> None:
    assert set(codes(still_api["admin"], "frontages?state=vacant,operating")) == {"F1", "F2", "F3"}
    assert codes(still_api["admin"], f"incidents?community={EAST_HOME}&group=rep,chk&sort=-reported_at") == ["I3", "I4"]
    assert codes(still_api["admin"], "frontages?q=a,b") == []


def test_a_browsers_cookie_alone_changes_nothing(still_api: Api) -> None:
    """Without the page's token a change that another site made the browser send is refused."""
    client = still_api.app.test_client()
    with client.session_transaction() as kept, still_api.app.extensions["steward"].database.write() as session:
        account = session.query(Account).filter_by(name="supervisor").one()
        kept["_user_id"] = begin(session, account, MONDAY_NOON, timedelta(hours=8))
        kept["_fresh"] = True
        kept["seen"] = MONDAY_NOON.timestamp()
    assert client.get("/api/v1/frontages").status_code == 200
    answer = client.put("/api/v1/frontages/F1", json={"version": 1, "trade": "餐饮"})
    assert answer.status_code == 400
    assert still_api["supervisor"].get("/api/v1/frontages/F1").json["trade"] is None


def test_every_route_of_the_interface_stands_in_the_table(still_api: Api) -> None:
    mine = {rule.endpoint for rule in still_api.app.url_map.iter_rules() if rule.endpoint.startswith("register_api.")}
    assert mine == {name for name in ROUTES if name.startswith("register_api.")}


def test_an_answer_can_be_sent_back_as_it_is(api: Api) -> None:
    paths = [
        "frontages/F1",
        f"grids/{A1}",
        f"communities/{WEST_HOME}",
        "people/P2",
        "organisations/O1",
        "places/R1",
        "streets/S1",
    ]
    for path in paths:
        row = api["admin"].get(f"/api/v1/{path}").json
        answer = api["admin"].put(f"/api/v1/{path}", json=row)
        assert (answer.status_code, answer.json) == (200, row), answer.text


@pytest.mark.parametrize(
    "path",
    [
        "incidents?closed_at=1000-01-01..9999-12-30",
        "incidents?reported_at=0001-01-01..9999-12-30",
        "frontages?agreement_until=0001-01-01..9999-12-30",
        "frontages?q=%25_%5C%27%22%3C&missing=grid,leader,phone",
        "frontages?cursor=999999999",
        "people?account=yes&q=%E5%BC%A0",
    ],
)
def test_unusual_questions_are_answered(still_api: Api, path: str) -> None:
    assert still_api["admin"].get(f"/api/v1/{path}").status_code == 200


def bulk(client: FlaskClient, kind: str, **body: Any) -> Any:
    return client.post(f"/api/v1/{kind}/bulk", json=body)


def test_a_bulk_change_answers_each_row(api: Api) -> None:
    boss = api["supervisor"]
    rows = [{"code": "F1", "version": 1}, "F2", {"code": "F3", "version": 9}, "F9"]
    answer = bulk(boss, "frontages", rows=rows, changes={"state": "空置", "trade": HOSTILE})
    assert answer.status_code == 200
    told = answer.json
    assert (told["changed"], told["unchanged"], told["refused"]) == (2, 0, 2)
    first, second, stale, absent = told["items"]
    assert first == {"code": "F1", "verdict": "changed", "version": 2} and second["version"] == 2
    assert (stale["verdict"], stale["status"]) == ("refused", 409) and "被改过" in stale["detail"]
    assert (absent["status"], absent["errors"]) == (404, [])
    row = boss.get("/api/v1/frontages/F1").json
    assert (row["state"], row["trade"], row["version"]) == ("vacant", SEEN, 2)
    again = bulk(boss, "frontages", rows=["F1"], changes={"state": "vacant"}).json
    assert again["items"] == [{"code": "F1", "verdict": "unchanged", "version": 2}]
    ended = bulk(boss, "frontages", rows=["F1", "F1x"], end={"on": "2026-11-30", "reason": "已搬走"}).json
    assert [one["verdict"] for one in ended["items"]] == ["changed", "refused"]
    assert boss.get("/api/v1/frontages/F1").json["ended_on"] == "2026-11-30"


def test_a_field_of_one_row_is_refused_by_name(api: Api) -> None:
    told = bulk(api["supervisor"], "grids", rows=[A1], changes={"kind": "micro_grid"}).json["items"][0]
    assert told["status"] == 422 and [one["field"] for one in told["errors"]] == ["kind"]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"rows": ["F1"], "changes": {"nonsense": 1, "state": "?"}}, 422, "nonsense"),
        ({"rows": ["F1"], "changes": {"phone": PHONE}}, 422, "phone"),
        ({"rows": ["F1"], "changes": {}}, 422, "changes"),
        ({"rows": ["F1"]}, 422, "changes"),
        ({"rows": ["F1"], "changes": {"state": "closed"}, "end": {}}, 422, "changes"),
        ({"rows": ["F1"], "changes": [1]}, 422, "changes"),
        ({"rows": ["F1"], "end": {"on": "gestern"}}, 422, "on"),
        ({"rows": ["F1"], "end": {"when": "2026-11-30"}}, 422, "end"),
        ({"rows": ["F1"], "end": {"on": 1}}, 422, "end"),
        ({"rows": [], "changes": {"state": "closed"}}, 422, "rows"),
        ({"rows": "F1", "changes": {"state": "closed"}}, 422, "rows"),
        ({"rows": [1], "changes": {"state": "closed"}}, 422, "rows[0]"),
        ({"rows": ["F1", {"code": "F2", "version": "1"}], "changes": {"state": "closed"}}, 422, "rows[1]"),
        ({"rows": ["F1", "F1"], "changes": {"state": "closed"}}, 422, "rows[1]"),
        ({"codes": ["F1"], "changes": {"state": "closed"}}, 422, "body"),
        ([1], 422, "body"),
        ({"rows": [f"F{i}" for i in range(501)], "changes": {"state": "closed"}}, 429, None),
    ],
)
def test_a_bulk_change_that_nobody_could_follow(still_api: Api, body: Any, status: int, field: str | None) -> None:
    answer = still_api["supervisor"].post("/api/v1/frontages/bulk", json=body)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    if field:
        assert answer.json["errors"][0]["field"] == field


def test_a_bulk_change_has_the_rights_of_single_ones(api: Api) -> None:
    for role, status in (("public", 401), ("viewer", 403), ("officer", 403), ("unit", 403)):
        assert bulk(api[role], "frontages", rows=["F1"], changes={"state": "closed"}).status_code == status, role
    manager = api["manager"]
    told = bulk(manager, "places", rows=["T1", "T2", "T9"], changes={"kind": "park"}).json["items"]
    assert [(one["verdict"], one.get("status")) for one in told] == [
        ("changed", None),
        ("refused", 404),
        ("refused", 404),
    ]
    assert bulk(manager, "organisations", rows=["O1"], changes={"kind": "x"}).status_code == 403
    assert bulk(manager, "people", rows=["P2"], end={}).status_code == 403
    assert bulk(api["supervisor"], "grids", rows=[A1], end={}).status_code == 409
    assert api["supervisor"].post("/api/v1/incidents/bulk", json={}).status_code in (404, 405)


def test_what_lies_outside_the_area_is_a_refusal_and_what_is_nowhere_is_none(api: Api) -> None:
    asked = [
        ("manager", "GET", "/api/v1/places/T2"),
        ("manager", "GET", "/places/T2"),
        ("manager", "GET", "/api/v1/places/T2/history"),
        ("manager", "PUT", "/api/v1/places/T2"),
        ("manager", "DELETE", "/api/v1/places/T2?version=1"),
        ("officer", "GET", "/api/v1/incidents/I3"),
        ("unit", "GET", "/api/v1/frontages/F1"),
    ]
    nowhere = [("manager", "/api/v1/places/nothing"), ("supervisor", "/api/v1/places/nothing")]
    for role, method, path in asked:
        body = {"json": {"version": 1, "name": "x"}} if method == "PUT" else {}
        assert api[role].open(path, method=method, **body).status_code == 404, path
    for role, path in nowhere:
        assert api[role].get(path).status_code == 404
    with api.app.extensions["steward"].database.read() as session:
        lines = session.query(AuditEntry).filter_by(action="request.refuse").order_by(AuditEntry.id).all()
    assert [(one.actor, one.subject_name) for one in lines] == [
        (role, f"{method} {path.partition('?')[0]}") for role, method, path in asked
    ]
