"""Every role, in its own area and elsewhere, on every surface: which names, phones and incidents leave the server."""

from __future__ import annotations

import csv
import gzip
import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from service.app import create_app
from service.config import Settings
from service.db.engine import Database
from service.people.accounts import create_account
from service.people.models import Account
from service.records.models import AuditEntry
from service.web import map_data
from tests.conftest import MONDAY_NOON, PASSWORD, bearer
from tests.responsibility.town import A1, B1, EAST_HOME, WEST_HOME, at, box, bring, layer, sheet
from tests.stores import Stores, settings_of

# Hostile, and each known by its tail: what stands before it is markup, a formula, a change of direction.
LEADER = {"west": "<img src=x onerror=alert(1)>西格长", "east": "</script><b>东格长"}
COLLEAGUE = {"west": "=HYPERLINK(1)西专职", "east": "@东专职"}
UNIT_WORKER = "{{7*7}}队员"
KEEPER = {"west": '"><svg onload=x>西店长', "east": "'; DROP TABLE persons;--东店长"}
PHONES = {
    LEADER["west"]: "13811110001",
    LEADER["east"]: "13822220002",
    COLLEAGUE["west"]: "13833330003",
    COLLEAGUE["east"]: "13844440004",
    UNIT_WORKER: "13855550005",
    KEEPER["west"]: "13866660006",
    KEEPER["east"]: "13877770007",
}
SPOT = {"west": at(3, 3), "east": at(3, 8)}
ROLES = ("public", "viewer", "unit", "officer", "manager", "supervisor", "admin")
SIDES = ("west", "east")
FULL_PHONE = re.compile(r"(?<![\d.*])1[38]\d{9}(?!\d)")


def two_sides(database: Database, settings: Settings, folder: Path) -> None:
    """A filling: a western and an eastern community with hostile names, and an account of every role."""
    homes = [
        (box(0, 0, 12, 5), {"code": WEST_HOME, "name": "西社区"}),
        (box(0, 5, 12, 10), {"code": EAST_HOME, "name": "东社区"}),
    ]
    bring(database, settings, "communities", layer(folder / "communities.geojson", homes))
    grids = [
        (box(0, 0, 12, 5), {"code": A1, "community_code": WEST_HOME, "notes": "有事找13811110001"}),
        (box(0, 5, 12, 10), {"code": B1, "community_code": EAST_HOME, "notes": ""}),
    ]
    bring(database, settings, "grids", layer(folder / "grids.geojson", grids))
    names = {
        "LW": LEADER["west"],
        "LE": LEADER["east"],
        "CW": COLLEAGUE["west"],
        "CE": COLLEAGUE["east"],
        "UW": UNIT_WORKER,
    }
    people = [
        {"code": code, "name": name, "phone": PHONES[name], "organisation_code": "U1" if code == "UW" else ""}
        for code, name in names.items()
    ]
    bring(database, settings, "people", sheet(folder / "people.csv", people))
    units = [
        {"code": "U1", "name": "环卫一队", "phone": "13899990009"},
        {"code": "U2", "name": "环卫二队", "phone": "13899990010"},
    ]
    bring(database, settings, "organisations", sheet(folder / "units.csv", units))
    duties = [
        {"role": role, "subject_kind": "grid", "subject_code": grid, "person_code": person}
        for role, grid, person in (
            ("grid_leader", A1, "LW"),
            ("grid_leader", B1, "LE"),
            ("grid_officer", A1, "CW"),
            ("grid_officer", B1, "CE"),
            ("part_time_officer", A1, "UW"),
        )
    ]
    bring(database, settings, "duties", sheet(folder / "duties.csv", duties))
    shops = [
        (
            _line(*spot),
            {"code": f"F-{side}", "shop_name": f"{side}铺", "person_name": KEEPER[side], "phone": PHONES[KEEPER[side]]},
        )
        for side, spot in (("west", (3, 3)), ("east", (3, 8)))
    ]
    bring(database, settings, "frontages", layer(folder / "frontages.geojson", shops))
    rows = [
        {"编号": f"{side}-{n}", "上报时间": "2026-11-20", "截止时间": "2026-11-21", "经度": x + n * 1e-5, "纬度": y}
        for side, (x, y) in SPOT.items()
        for n in range(3 if side == "west" else 5)
    ]
    with (folder / "incidents.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    bring(database, settings, "incidents", folder / "incidents.csv")
    with database.write() as session:
        for role in ROLES[1:]:
            area = WEST_HOME if role == "manager" else None
            create_account(
                session, f"m-{role}", role, PASSWORD, MONDAY_NOON, area=area, unit="U1" if role == "unit" else None
            )
        officer = session.scalar(select(Account).where(Account.name == "m-officer"))
        assert officer is not None
        officer.person_code = "LW"


def _line(x: float, y: float) -> Any:
    import shapely

    return shapely.LineString([at(x, y), at(x + 0.1, y)])


@pytest.fixture(scope="module")
def app(stores: Stores, store_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("masking")
    with stores.copied(store_kind, two_sides, folder) as url:
        made = create_app(settings_of(url, folder))
        yield made
        made.extensions["steward"].database.close()


@pytest.fixture(scope="module")
def clients(app: Flask) -> dict[str, FlaskClient]:
    return {role: app.test_client() if role == "public" else bearer(app, f"m-{role}") for role in ROLES}


def told(client: FlaskClient, path: str, **given: Any) -> str:
    """The answer as a reader gets it: unpacked, JSON and HTML escapes undone."""
    answer = client.open(path, **given)
    assert answer.status_code == 200, (path, answer.status_code)
    data = gzip.decompress(answer.data) if answer.data[:2] == b"\x1f\x8b" else answer.data
    text = data.decode()
    return json.dumps(json.loads(text), ensure_ascii=False) if "json" in answer.mimetype else html.unescape(text)


def holds(text: str, name: str) -> bool:
    return name[-3:] in text


@dataclass(frozen=True)
class Sees:
    """Which names are whole for a role: leaders, colleagues, shop keepers; the latter and single incidents by side."""

    leaders: bool
    colleagues: bool
    keepers: tuple[str, ...]
    incidents: tuple[str, ...]
    reveals: tuple[str, ...]


EXPECTED = {
    "public": Sees(False, False, (), (), ()),
    "viewer": Sees(True, False, (), SIDES, ()),
    "unit": Sees(True, False, (), (), ()),
    "officer": Sees(True, True, ("west",), ("west",), ("west",)),
    "manager": Sees(True, True, ("west",), ("west",), ("west",)),
    "supervisor": Sees(True, True, SIDES, SIDES, SIDES),
    "admin": Sees(True, True, SIDES, SIDES, SIDES),
}
BOX = f"{at(-1, -1)[0]},{at(-1, -1)[1]},{at(13, 11)[0]},{at(13, 11)[1]}"


def surfaces(side: str) -> dict[str, str]:
    lon, lat = SPOT[side]
    return {
        "map page": "/map",
        "grids": "/map/grids.geojson",
        "panel": f"/map/answer?lon={lon}&lat={lat}",
        "frontages": f"/map/frontages?bbox={BOX}",
        "places": f"/map/places?bbox={BOX}",
        "lookup": f"/api/v1/lookup?lon={lon}&lat={lat}",
        "search by grid": "/map/search?q=5002",
        "search leader": f"/map/search?q={LEADER[side][-3:]}",
        "search colleague": f"/map/search?q={COLLEAGUE[side][-3:]}",
        "search keeper": f"/map/search?q={KEEPER[side][-3:]}",
    }


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("role", ROLES)
def test_no_surface_tells_more_than_the_role_may_read(clients: dict[str, FlaskClient], role: str, side: str) -> None:
    sees = EXPECTED[role]
    for surface, path in surfaces(side).items():
        text = told(clients[role], path)
        assert not FULL_PHONE.search(text), (surface, FULL_PHONE.search(text))
        assert "tel:1" not in text, surface
        for where in SIDES:
            if not sees.leaders:
                assert not holds(text, LEADER[where]), surface
            if not sees.colleagues:
                assert not holds(text, COLLEAGUE[where]), surface
            if where not in sees.keepers:
                assert not holds(text, KEEPER[where]), surface
        if role == "public":
            assert "****" not in text, surface


REGISTERS = (
    "/people",
    "/people/{leader}",
    "/people/{colleague}",
    "/people?q=专职",
    "/people/suggest?q=专职",
    "/frontages",
    "/frontages/F-{side}",
    "/frontages?q=店长",
    "/organisations",
    "/grids",
    "/grids/{grid}",
    "/incidents",
    "/api/v1/people",
    "/api/v1/people/{colleague}",
    "/api/v1/people/{colleague}/history",
    "/api/v1/frontages",
    "/api/v1/frontages/F-{side}",
    "/api/v1/frontages/F-{side}/history",
    "/api/v1/grids/{grid}",
    "/api/v1/incidents",
)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("role", ROLES[1:])
def test_no_register_tells_more_either(clients: dict[str, FlaskClient], role: str, side: str) -> None:
    """Lists, details, histories and their interface; rows outside the area are not there (404)."""
    sees, codes = EXPECTED[role], {"west": ("LW", "CW", A1), "east": ("LE", "CE", B1)}[side]
    seen = 0
    for pattern in REGISTERS:
        path = pattern.format(side=side, leader=codes[0], colleague=codes[1], grid=codes[2])
        answer = clients[role].get(path, headers={"Accept": "text/html"})
        assert answer.status_code in (200, 404), (path, answer.status_code)
        seen += answer.status_code == 200
        text = answer.get_data(as_text=True)
        text = json.dumps(json.loads(text), ensure_ascii=False) if "json" in answer.mimetype else html.unescape(text)
        assert not FULL_PHONE.search(text), (path, FULL_PHONE.search(text))
        assert "tel:1" not in text, path
        asked = path.partition("q=")[2]
        for where in SIDES:
            if not sees.colleagues:
                assert not holds(text, COLLEAGUE[where]) or COLLEAGUE[where][-3:] in asked, path
            if where not in sees.keepers:
                assert not holds(text, KEEPER[where]), path
            if where not in sees.incidents:
                assert f"{where}-0" not in text, path
    assert seen >= (8 if role != "unit" else 4)


def test_a_register_shows_the_names_that_the_role_may_read(clients: dict[str, FlaskClient]) -> None:
    for role in ("manager", "officer", "supervisor", "admin"):
        for path in ("/frontages", "/frontages/F-west", "/api/v1/frontages/F-west"):
            text = clients[role].get(path).get_data(as_text=True)
            assert holds(json.dumps(json.loads(text), ensure_ascii=False) if "api" in path else text, KEEPER["west"])
    assert holds(clients["viewer"].get("/people").get_data(as_text=True), LEADER["east"])
    assert "data-reveal" in clients["manager"].get("/frontages/F-west").get_data(as_text=True)
    assert "data-reveal" not in clients["viewer"].get("/frontages/F-west").get_data(as_text=True)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("role", ROLES)
def test_what_the_role_may_read_is_there(clients: dict[str, FlaskClient], role: str, side: str) -> None:
    sees, client, paths = EXPECTED[role], clients[role], surfaces(side)
    for surface in ("grids", "panel", "lookup", "search by grid"):
        assert holds(told(client, paths[surface]), LEADER[side]) == sees.leaders, surface
    for surface in ("panel", "lookup"):
        text = told(client, paths[surface])
        assert holds(text, COLLEAGUE[side]) == sees.colleagues, surface
        assert holds(text, KEEPER[side]) == (side in sees.keepers), surface
        assert ("138****" in text) == (role != "public"), surface
    # Persons are found within the area; grids, with their leader's name, everywhere.
    within = role in ("viewer", "supervisor", "admin") or (role in ("manager", "officer") and side == "west")
    assert holds(told(client, paths["search leader"]), LEADER[side]) == within
    assert holds(told(client, paths["search colleague"]), COLLEAGUE[side]) == (within and sees.colleagues)


def test_a_units_handler_reads_the_names_of_the_own_unit(clients: dict[str, FlaskClient]) -> None:
    text = told(clients["unit"], surfaces("west")["panel"])
    assert holds(text, UNIT_WORKER) and not holds(text, COLLEAGUE["west"])
    assert not holds(told(clients["viewer"], surfaces("west")["panel"]), UNIT_WORKER)


@pytest.mark.parametrize("role", ROLES)
def test_the_batch_names_nobody(clients: dict[str, FlaskClient], role: str) -> None:
    text = told(clients[role], "/api/v1/lookup", method="POST", json={"points": list(SPOT.values())})
    assert A1 in text and not re.search(r"格长|专职|店长|\*", text)


@pytest.mark.parametrize("zoom", [12, 17])
@pytest.mark.parametrize("role", ROLES[1:])
def test_single_incidents_are_shown_within_the_area_only(clients: dict[str, FlaskClient], role: str, zoom: int) -> None:
    sees = EXPECTED[role]
    body = json.loads(told(clients[role], f"/map/clusters?bbox={BOX}&z={zoom}"))
    assert body["total"] == sum({"west": 3, "east": 5}[side] for side in sees.incidents)
    numbers = {point[3].partition("-")[0] for point in body["points"] or ()}
    assert numbers == (set(sees.incidents) if zoom == 17 else set())


def test_a_view_with_more_than_is_drawn_says_so(
    clients: dict[str, FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"frontages": f"/map/frontages?bbox={BOX}", "points": f"/map/clusters?bbox={BOX}&z=18&status=all"}
    for name, path in asked.items():
        body = json.loads(told(clients["supervisor"], path))
        assert body["more"] is False and len(body[name]) > 1
        monkeypatch.setattr(map_data, f"MOST_{name.upper()}", 1)
        body = json.loads(told(clients["supervisor"], path))
        assert body["more"] is True and len(body[name]) == 1


def test_the_public_gets_no_clusters(clients: dict[str, FlaskClient]) -> None:
    assert clients["public"].get(f"/map/clusters?bbox={BOX}&z=12").status_code == 401


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("role", ROLES)
def test_the_panel_lists_incidents_of_the_area_and_counts_elsewhere(
    clients: dict[str, FlaskClient], role: str, side: str
) -> None:
    text = told(clients[role], surfaces(side)["panel"])
    assert (f"{side}-0" in text) == (side in EXPECTED[role].incidents)
    assert f"<b>{3 if side == 'west' else 5} 件</b>" in text


@pytest.mark.parametrize("role", ROLES)
def test_the_grids_tell_overdue_within_the_area_only(clients: dict[str, FlaskClient], role: str) -> None:
    """Twice, as the answer is kept: what one role was told must not be another's."""
    for _ in range(2):
        grids = {
            one["properties"]["code"]: one["properties"]
            for one in json.loads(told(clients[role], "/map/grids.geojson"))["features"]
        }
        assert [grids[A1]["open"], grids[B1]["open"]] == [3, 5]
        expected = EXPECTED[role].incidents
        assert [grids[A1]["overdue"], grids[B1]["overdue"]] == [
            3 if "west" in expected else None,
            5 if "east" in expected else None,
        ]


@pytest.mark.parametrize("role", ROLES[1:])
def test_the_legend_counts_what_the_map_shows(clients: dict[str, FlaskClient], role: str) -> None:
    page = told(clients[role], "/map")
    shown = sum({"west": 3, "east": 5}[side] for side in EXPECTED[role].incidents)
    assert f'data-n="total">{shown}<' in page and f'data-n="late">{shown}<' in page


# whose number is asked for: (kind, code, name, side)
OWNERS = [
    *(("people", code, LEADER[side], side) for code, side in (("LW", "west"), ("LE", "east"))),
    *(("people", code, COLLEAGUE[side], side) for code, side in (("CW", "west"), ("CE", "east"))),
    *(("frontages", f"F-{side}", f"{side}铺", side) for side in SIDES),
]
PHONES |= {f"{side}铺": PHONES[KEEPER[side]] for side in SIDES}


@pytest.mark.parametrize(("kind", "code", "name", "side"), OWNERS)
@pytest.mark.parametrize("role", ROLES)
def test_a_number_is_given_within_the_area_and_written_down(
    app: Flask, clients: dict[str, FlaskClient], role: str, kind: str, code: str, name: str, side: str
) -> None:
    before = trail(app)
    answer = clients[role].post("/phones/reveal", json={"kind": kind, "code": code})
    lines = [line for line in trail(app) if line not in before and line[0] == "people.reveal_phone"]
    if side in EXPECTED[role].reveals or is_neighbour(role, code):
        assert answer.status_code == 200 and answer.json == {"phone": PHONES[name]}
        assert answer.headers["Cache-Control"] == "no-store"
        assert [line[1:5] for line in lines] == [(True, kind, code, name)]
    else:
        assert answer.status_code == (401 if role == "public" else 403)
        assert PHONES[name] not in answer.text
        assert not [line for line in lines if line[1]]
    assert not [line for line in trail(app) if PHONES[name] in str(line)]


def is_neighbour(role: str, code: str) -> bool:
    """The grid of the east touches that of the west: its leader, and nobody else there, is called over the border."""
    return role in ("officer", "manager") and code == "LE"


def trail(app: Flask) -> list[tuple[Any, ...]]:
    with app.extensions["steward"].database.read() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        return [
            (
                one.action,
                one.ok,
                one.subject_kind,
                one.subject_code,
                one.subject_name,
                one.id,
                one.note,
                one.after,
                one.before,
            )
            for one in entries
        ]


def test_refusals_say_who_can_and_are_written_down(app: Flask, clients: dict[str, FlaskClient]) -> None:
    before = trail(app)
    answer = clients["officer"].post("/phones/reveal", json={"kind": "frontages", "code": "F-east"})
    assert "主管" in answer.json["detail"]
    told = [line[:4] for line in trail(app)[len(before) :]]
    assert told == [("people.reveal_phone", False, "frontages", "F-east")], "one line, not one of the route as well"
    clients["viewer"].post("/phones/reveal", json={"kind": "frontages", "code": "F-east"})
    assert [line[0] for line in trail(app)[len(before) + 1 :]] == ["request.refuse"], "no such right at all"


@pytest.mark.parametrize(
    ("role", "unit", "status"),
    [("unit", "U1", 200), ("unit", "U2", 403), ("manager", "U2", 200), ("viewer", "U1", 403)],
)
def test_numbers_of_organisations(clients: dict[str, FlaskClient], role: str, unit: str, status: int) -> None:
    assert clients[role].post("/phones/reveal", json={"kind": "organisations", "code": unit}).status_code == status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"kind": "people"}, 422),
        ({"kind": "secrets", "code": "x"}, 422),
        ({"kind": "people", "code": "none"}, 404),
        ({"kind": "people", "code": ["LW"]}, 422),
    ],
)
def test_a_bad_request_is_a_problem(clients: dict[str, FlaskClient], body: dict[str, Any], status: int) -> None:
    answer = clients["admin"].post("/phones/reveal", json=body, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")


def test_a_cookie_needs_the_token_of_the_form(app: Flask) -> None:
    client = app.test_client()
    page = client.get("/login").text
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    signed = client.post("/login", data={"csrf_token": found[1], "name": "m-admin", "password": PASSWORD})
    assert signed.status_code in (302, 303)
    asked = {"kind": "people", "code": "LW"}
    assert client.post("/phones/reveal", json=asked).status_code == 400
    panel = client.get(surfaces("west")["panel"]).text
    token = re.search(r'data-csrf="([^"]+)"', panel)
    assert token
    answer = client.post("/phones/reveal", json=asked, headers={"X-CSRFToken": token[1]})
    assert answer.json == {"phone": PHONES[LEADER["west"]]}


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("role", ROLES)
def test_call_buttons_stand_where_the_number_would_be_given(
    clients: dict[str, FlaskClient], role: str, side: str
) -> None:
    text = clients[role].get(surfaces(side)["panel"]).text
    called = re.findall(r'data-call="people" data-code="(\w+)"', text)
    if side == "east" and side not in EXPECTED[role].reveals:
        assert called == ["LE"] * is_neighbour(role, "LE")
    else:
        assert ("data-call=" in text) == (side in EXPECTED[role].reveals or (role == "unit" and side == "west"))
    assert "<img" not in text and "<svg onload" not in text and "</script>" not in text
