"""Every route, asked by every role, about its own area and about another: who is let through, and who is not.

A new route needs one line in ROUTES. `Call("GET", "/path", WHO)`: WHO has a letter for each of public, viewer, unit,
officer, manager, supervisor, admin:

    +  let through (any answer but those below; a form may still be refused as incomplete: 400, 409, 422)
    ?  asked to sign in (401, or sent to /login)
    -  refused (403)
    0  not found, because it lies outside the area (404)

`other`: the letters for something outside the area of unit, officer and manager; the path's {words} are then filled
from OTHER instead of OWN. Whatever a call changes is rolled back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.app import create_app
from service.clock import local_date
from service.config import load_settings
from service.db import engine
from service.intake.demo_accounts import demo_roles
from service.people.accounts import create_account
from service.people.models import Account
from service.people.rules import ROLES
from service.web.context import area_of
from service.web.identity import User
from tests.conftest import MONDAY_NOON, PASSWORD

ASKERS = ("public", "viewer", "unit", "officer", "manager", "supervisor", "admin")
#          p v u o m s a
OPEN = "+++++++"
LOOK = OPEN
SIGNED = "?++++++"
READ, READ_OTHER = "?++++++", "?+000++"  # registers.read: unit, officer and manager within their area
WRITE, WRITE_OTHER = "?---+++", "?---0++"  # registers.write: the manager within the own communities
EXPORT = "?+--+++"
REVEAL, REVEAL_OTHER = "?-+++++", "?-000++"
SUPERVISORS = "?----++"
ADMINS = "?-----+"
# Something of each kind in the demo: within the demo officer's, manager's or unit's area, and outside of all of them.
OWN = {"community": "500237002001", "grid": "500237002001001", "lon": "109.8782", "lat": "31.0718"}
OTHER = OWN | {"community": "500237002202", "grid": "500237002202001"}


@dataclass(frozen=True)
class Call:
    """How to ask a route, and what each role gets."""

    method: str
    path: str
    who: str
    other: str | None = None
    form: dict[str, Any] = field(default_factory=dict)
    json: Any = None
    absent: bool = False  # the demo has none of it, so that 404 is what those who may ask get


ROUTES: dict[str, Call | tuple[Call, ...]] = {
    # the frame
    "static": Call("GET", "/static/css/tokens.css", OPEN),
    "pages.map_modules": Call("GET", "/static/js/map/all-{script}.js", OPEN),
    "pages.healthz": Call("GET", "/healthz", OPEN),
    "basemap_files.pmtiles": Call("GET", "/map/base.pmtiles", OPEN, absent=True),
    "basemap_files.tile": Call("GET", "/map/base/1/1/1", OPEN, absent=True),
    # signing in and the own account
    "sign_in.login": Call("GET", "/login", OPEN),
    "sign_in.login_post": Call("POST", "/login", OPEN, form={"name": "walk-viewer", "password": PASSWORD}),
    "sign_in.demo_entry": (Call("POST", "/login/demo", OPEN), Call("POST", "/login/demo/viewer", OPEN)),
    "sign_in.logout": Call("POST", "/logout", OPEN),
    "sign_in.password": Call("GET", "/account/password", SIGNED),
    "sign_in.password_post": Call("POST", "/account/password", SIGNED),
    "own_account.index": Call("GET", "/account", SIGNED),
    "own_account.end_sessions": Call("POST", "/account/sign-out-everywhere", SIGNED),
    "own_account.create_token": Call("POST", "/account/tokens", SIGNED, form={"label": "x", "days": "9"}),
    "own_account.end_token": Call("POST", "/account/tokens/987654/revoke", SIGNED, absent=True),
    # accounts and the trail
    "accounts.index": Call("GET", "/accounts", ADMINS),
    "accounts.new": Call("GET", "/accounts/new", ADMINS),
    "accounts.create": Call("POST", "/accounts", ADMINS),
    "accounts.edit": Call("GET", "/accounts/{account}", ADMINS),
    "accounts.change": Call("POST", "/accounts/{account}", ADMINS, form={"version": "1", "role": "viewer"}),
    "accounts.step": Call("POST", "/accounts/{account}/reset-password", ADMINS),
    "accounts.release_address_lock": Call("POST", "/accounts/addresses/release", ADMINS, form={"address": "10.0.0.9"}),
    "trail.index": Call("GET", "/trail", SUPERVISORS),
    # the map and its questions
    "pages.home": Call("GET", "/", OPEN),
    "pages.map_page": Call("GET", "/map", LOOK),
    "pages.changes": Call("GET", "/changes", LOOK),
    "map_data.grids": Call("GET", "/map/grids.geojson", LOOK),
    "map_data.faults": Call("GET", "/map/faults.geojson", SIGNED),
    "map_data.ground": Call("GET", "/map/ground", LOOK),
    "map_data.places": Call("GET", "/map/places", LOOK),
    "map_data.frontages": Call("GET", "/map/frontages?bbox=109.86,31.05,109.90,31.09", LOOK),
    "map_data.clusters": Call("GET", "/map/clusters?bbox=109.8,31,109.9,31.1&z=15", SIGNED),
    "answer.answer_fragment": Call("GET", "/map/answer?lon={lon}&lat={lat}", LOOK),
    "search.search": Call("GET", "/map/search?q=1", LOOK),
    "api.lookup": Call("GET", "/api/v1/lookup?lon={lon}&lat={lat}", LOOK),
    "api.lookup_batch": Call("POST", "/api/v1/lookup", LOOK, json={"points": [[109.88, 31.07]]}),
    # from the demo to the office's own data
    "pages.own_data": Call("GET", "/admin/demo", ADMINS),
    "pages.remove_demo": Call("POST", "/admin/demo/remove", ADMINS),
}


def calls(of: Call | tuple[Call, ...]) -> tuple[Call, ...]:
    return of if isinstance(of, tuple) else (of,)


CASES = [
    pytest.param(endpoint, call, asker, area, id=f"{endpoint}-{call.method}-{asker}-{area}")
    for endpoint, given in ROUTES.items()
    for call in calls(given)
    for asker in ASKERS
    for area in (("own", "other") if call.other else ("own",))
]


@pytest.fixture(scope="module")
def walked(demo_app: Flask) -> Iterator[Flask]:
    """The demo with an account of every role whose areas are those of the demo's own roles."""
    given = demo_app.extensions["steward"].settings
    app = create_app(load_settings(data_dir=given.data_dir, database_url=given.database_url, secret_key="test"))
    with app.extensions["steward"].database.write() as session:
        ways = {way.role: way for way in demo_roles(session, local_date(MONDAY_NOON))}
        for role in ROLES:
            way = ways[role]
            create_account(
                session,
                f"walk-{role}",
                role,
                PASSWORD,
                MONDAY_NOON,
                area=way.community,
                unit=way.unit,
                person=way.person,
            )
    yield app
    with app.extensions["steward"].database.write() as session:
        session.query(Account).filter(Account.name.like("walk-%")).delete(synchronize_session=False)
    app.extensions["steward"].database.close()


@pytest.fixture(scope="module")
def clients(walked: Flask) -> dict[str, tuple[FlaskClient, str]]:
    """Each asker's client, signed in by the form, with the token that forms carry."""
    out = {}
    for asker in ASKERS:
        client = walked.test_client()
        if asker != "public":
            form = {"name": f"walk-{asker}", "password": PASSWORD, "csrf_token": csrf(client, "/login")}
            assert client.post("/login", data=form).status_code == 302
        out[asker] = (client, csrf(client, "/login" if asker == "public" else "/account/password"))
    return out


@pytest.fixture(scope="module")
def words(walked: Flask) -> dict[str, dict[str, str]]:
    """What the paths' {words} stand for, within the area and outside."""
    from service.maps.script import map_script

    with walked.extensions["steward"].database.read() as session:
        number = session.query(Account.id).filter(Account.name == "walk-viewer").scalar()
    more = {"script": map_script().digest, "account": str(number)}
    return {"own": OWN | more, "other": OTHER | more}


@pytest.fixture
def rolled_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that a request does is kept."""

    class Forgetful(engine.Session):
        def commit(self) -> None:
            self.flush()
            self.rollback()

    monkeypatch.setattr(engine, "Session", Forgetful)


def csrf(client: FlaskClient, path: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(path).text)
    assert found, f"no CSRF field on {path}"
    return found[1]


def outcome(answer: TestResponse) -> str:
    """The answer as one letter."""
    if answer.status_code == 401 or (
        answer.status_code in (302, 303) and answer.headers["Location"].startswith("/login")
    ):
        return "?"
    if answer.status_code == 403:
        return "-"
    assert answer.status_code < 500, answer.text[:400]
    return "0" if answer.status_code == 404 else "+"


def ask(client: FlaskClient, token: str, call: Call, words: dict[str, str], **headers: str) -> TestResponse:
    path = call.path
    for name, word in words.items():
        path = path.replace(f"{{{name}}}", word)
    body: dict[str, Any] = {"json": call.json} if call.json is not None else {"data": call.form}
    given = body if call.method != "GET" else {}
    sent = ({"X-CSRFToken": token} if token else {}) | headers
    return client.open(path, method=call.method, headers=sent, **given)


def test_every_route_has_a_line(demo_app: Flask) -> None:
    """A route that isn't in the table is one whose permission nobody thought about."""
    served = {
        (rule.endpoint, method)
        for rule in demo_app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    listed = {(endpoint, call.method) for endpoint, given in ROUTES.items() for call in calls(given)}
    missing, gone = served - listed, listed - served
    assert not missing, f"no line in ROUTES for {sorted(missing)}: add one and say what each role gets"
    assert not gone, f"ROUTES has lines for what isn't served: {sorted(gone)}"


def test_every_line_asks_its_own_route(demo_app: Flask, words: dict[str, dict[str, str]]) -> None:
    adapter = demo_app.url_map.bind("localhost")
    for endpoint, given in ROUTES.items():
        for call in calls(given):
            path = call.path.split("?")[0]
            for name, word in words["own"].items():
                path = path.replace(f"{{{name}}}", word)
            assert adapter.match(path, method=call.method)[0] == endpoint, call
            assert len(call.who) == len(ASKERS) == len(call.other or call.who), call


@pytest.mark.parametrize(("endpoint", "call", "asker", "area"), CASES)
def test_each_role_gets_what_the_table_says(
    clients: dict[str, tuple[FlaskClient, str]],
    words: dict[str, dict[str, str]],
    rolled_back: None,
    endpoint: str,
    call: Call,
    asker: str,
    area: str,
) -> None:
    client, token = clients[asker]
    client = client if call.path not in ENDING else copied(client)
    expected = (call.who if area == "own" else call.other or call.who)[ASKERS.index(asker)]
    answer = ask(client, token, call, words[area])
    if call.absent and expected == "+":
        expected = "0"
    found = outcome(answer)
    answer.close()
    assert found == expected, f"{asker} on {call.method} {call.path} ({area}): {answer.status_code}"


# Calls that change or end the asker's own session; they are made by a copy of the client.
ENDING = {"/login", "/logout", "/login/demo", "/login/demo/viewer", "/account/sign-out-everywhere"}


def copied(client: FlaskClient) -> FlaskClient:
    """Another client with the same cookies."""
    twin = client.application.test_client()
    cookie = client.get_cookie("steward")
    assert cookie is not None
    twin.set_cookie("steward", cookie.value)
    return twin


@pytest.mark.parametrize(
    ("endpoint", "call"),
    [(name, call) for name, given in ROUTES.items() for call in calls(given) if call.method != "GET"],
)
def test_no_form_goes_through_without_its_token(
    clients: dict[str, tuple[FlaskClient, str]], words: dict[str, dict[str, str]], endpoint: str, call: Call
) -> None:
    """Whoever comes with a cookie is a browser; a page of somebody else's can't know the token."""
    client, _token = clients["admin"]
    assert ask(client, "", call, words["own"]).status_code == 400
    assert ask(client, "wrong", call, words["own"]).status_code == 400


# role: what of (own community, own grid, another community, another grid) lies in its area on the demo
AREAS = {
    "admin": (True, True, True, True),
    "supervisor": (True, True, True, True),
    "viewer": (True, True, True, True),
    "manager": (True, True, False, False),
    "officer": (False, True, False, False),
    "unit": (False, False, False, False),
}


@pytest.mark.parametrize("role", ROLES)
def test_the_area_of_each_role(walked: Flask, role: str) -> None:
    services = walked.extensions["steward"]
    with services.database.read() as session:
        who = User(session.query(Account).filter(Account.name == f"walk-{role}").one()).account
    area = area_of(services.responsibility.on(local_date(MONDAY_NOON)), who)
    held = []
    for place in (OWN, OTHER):
        held += [area.holds_community(place["community"]), area.holds_grid(place["grid"], place["community"])]
    assert tuple(held) == AREAS[role]
    assert area.organisation == ("O02" if role == "unit" else None)
