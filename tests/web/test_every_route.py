"""Every route, asked by every role, about its own area and about another: who is let through, and who is not.

The table of calls and answers, and how to add a line for a new route: routes_table.py.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from service.app import create_app
from service.clock import local_date
from service.config import load_settings
from service.db import engine
from service.grids.drafting import Drawer, begin
from service.intake.demo_accounts import demo_roles
from service.people.access import EVERYWHERE
from service.people.accounts import create_account
from service.people.models import Account
from service.people.rules import ROLES
from service.records.audit import Actor
from service.records.models import Attachment, ImportBatch, Job, SavedView, Upload
from service.registers.kinds import REGISTERS as KNOWN
from service.responsibility.models import Proposal
from service.web.context import area_of
from service.web.identity import User
from tests.conftest import MONDAY_NOON, PASSWORD, the_demo
from tests.stores import Stores
from tests.web.routes_table import ASKERS, LISTED, OTHER, OWN, REGISTERS, ROUTES, Call, calls

DRAWER = Drawer(Actor("walk-admin", "admin"), EVERYWHERE, MONDAY_NOON, "500237002")

CASES = [
    pytest.param(endpoint, call, asker, area, id=f"{call.method} {call.path} {asker} {area}")
    for endpoint, given in ROUTES.items()
    for call in calls(given)
    for asker in ASKERS
    for area in (("own", "other") if call.other else ("own",))
]


CHANGING = [
    pytest.param(endpoint, call, id=f"{call.method} {call.path}")
    for endpoint, given in ROUTES.items()
    for call in calls(given)
    if call.method != "GET"
]


@pytest.fixture(scope="module")
def walked(stores: Stores, store_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """A demo of its own with an account of every role whose areas are those of the demo's own roles."""
    folder = tmp_path_factory.mktemp("walked")
    with stores.copied(store_kind, the_demo, folder) as url:
        app = create_app(load_settings(data_dir=folder, database_url=url, secret_key="test"))
        _register_everybody(app)
        yield app
        app.extensions["steward"].database.close()


def _register_everybody(app: Flask) -> None:
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


Words = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def words(walked: Flask) -> Iterator[Words]:
    """What the paths' {words} stand for, within the area and outside; with what the demo has none of."""
    from service.maps.script import map_script

    database, made = walked.extensions["steward"].database, []
    with database.write() as session:
        ids = dict(session.execute(select(Account.name, Account.id).where(Account.name.like("walk-%"))).all())
        view = SavedView(account_id=ids["walk-viewer"], page="frontages", name="x", query="", shared=False)
        shared = SavedView(account_id=ids["walk-supervisor"], page="frontages", name="x", query="", shared=True)
        job, importing = (
            Job(kind=kind, state="done", account_id=ids[name], given={}, created_at=MONDAY_NOON)
            for kind, name in (("backup", "walk-viewer"), ("import.look", "walk-supervisor"))
        )
        file = {"name": "x.csv", "path": "gone", "size": 1, "sha256": "0" * 64, "created_at": MONDAY_NOON}
        upload = Upload(account_id=ids["walk-supervisor"], kind="people", state="open", chosen={}, **file)
        picture = {"sha256": "0" * 64, "media_type": "image/jpeg", "size": 1, "width": 1, "height": 1}
        photos = [
            Attachment(subject_kind="frontages", subject_code=at["frontages"], made_at=MONDAY_NOON, **picture)
            for at in (OWN, OTHER)
        ]
        plans = [
            Proposal(
                name="x",
                settings={"communities": [at["communities"]], "role": "grid_officer", "weights": {"area": 1.0},
                          "since": None, "until": None},
                groups={"groups": [{"person": "R107", "grids": [at["grids"]], "load": 1.0}]},
                made_by="x", made_at=MONDAY_NOON, subdistrict="500237002", revision=0,
            )
            for at in (OWN, OTHER)
        ]  # fmt: skip
        made = [view, shared, job, importing, upload, *photos, *plans]
        session.add_all(made)
        session.flush()
        more = {
            "script": map_script().digest,
            "account": ids["walk-viewer"],
            "view_of_viewer": view.id,
            "shared_view_of_supervisor": shared.id,
            "job_of_viewer": job.id,
            "import_of_supervisor": importing.id,
            "upload": upload.id,
            "batch": session.query(ImportBatch.id).order_by(ImportBatch.id).limit(1).scalar(),
        }
        drafts = [begin(session, [at["communities"]], None, None, DRAWER) for at in (OWN, OTHER)]
        made += drafts
        own, other = (
            {"photo": photo.id, "draft": draft.id, "proposal": plan.id}
            for photo, draft, plan in zip(photos, drafts, plans, strict=True)
        )
    kept = {area: {f"{name}_kept": at[name] for name in REGISTERS} for area, at in (("own", OWN), ("other", OTHER))}
    yield {"own": kept["own"] | OWN | more | own, "other": kept["other"] | OTHER | more | other}
    with database.write() as session:
        for one in made:
            session.delete(session.merge(one))


@pytest.fixture(autouse=True)
def _patient(walked: Flask) -> None:
    """Strangers may knock more often than once a second."""
    walked.extensions["steward_refused"].storage.reset()


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
    assert answer.status_code < 500 and answer.status_code != 429, answer.text[:400]
    return "0" if answer.status_code == 404 else "+"


def filled(given: Any, words: dict[str, Any]) -> Any:
    """A path, form or JSON with the words in place of {their names}."""
    if isinstance(given, dict):
        return {name: filled(one, words) for name, one in given.items()}
    if isinstance(given, list):
        return [filled(one, words) for one in given]
    if not isinstance(given, str):
        return given
    if given[1:-1] in words and given == f"{{{given[1:-1]}}}":
        return words[given[1:-1]]
    for name, word in words.items():
        given = given.replace(f"{{{name}}}", str(word))
    return given


def ask(client: FlaskClient, token: str, call: Call, words: dict[str, Any], **headers: str) -> TestResponse:
    if call.json is not None:
        body = {"json": filled(call.json, words)}
    else:
        form = filled(call.form, words)
        if call.file is not None:
            name, shown, content = call.file
            form[name] = (io.BytesIO(content), shown)
        body = {"data": form}
    given: dict[str, Any] = body if call.method != "GET" else {}
    sent = ({"X-CSRFToken": token} if token else {}) | headers
    return client.open(filled(call.path, words), method=call.method, headers=sent, **given)


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


def test_every_line_asks_its_own_route(demo_app: Flask, words: Words) -> None:
    """And every address of a route is asked: one view may stand behind several."""
    adapter = demo_app.url_map.bind("localhost")
    asked = set()
    for endpoint, given in ROUTES.items():
        for call in calls(given):
            rule, _ = adapter.match(filled(call.path, words["own"]).split("?")[0], method=call.method, return_rule=True)
            assert rule.endpoint == endpoint, call
            assert len(call.who) == len(ASKERS) == len(call.other or call.who), call
            asked.add(rule.rule)
    left = [rule.rule for rule in demo_app.url_map.iter_rules() if rule.rule not in asked]
    assert not left, f"no call in ROUTES for {left}"


def test_every_register_has_its_letters() -> None:
    assert set(LISTED) == set(KNOWN)
    assert set(REGISTERS) == {name for name, register in KNOWN.items() if register.by_forms}


@pytest.mark.parametrize(("endpoint", "call", "asker", "area"), CASES)
def test_each_role_gets_what_the_table_says(
    clients: dict[str, tuple[FlaskClient, str]],
    words: Words,
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


@pytest.mark.parametrize(("endpoint", "call"), CHANGING)
def test_no_form_goes_through_without_its_token(
    clients: dict[str, tuple[FlaskClient, str]], words: Words, endpoint: str, call: Call
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
        held += [area.holds_community(place["communities"]), area.holds_grid(place["grids"], place["communities"])]
    assert tuple(held) == AREAS[role]
    assert area.organisation == ("O02" if role == "unit" else None)


@pytest.mark.parametrize("asker", ASKERS[1:])
@pytest.mark.parametrize("name", LISTED)
def test_lists_hold_what_the_area_holds(
    clients: dict[str, tuple[FlaskClient, str]], words: Words, name: str, asker: str
) -> None:
    """The list, its interface, what a form proposes, and the export: a row is in them when it can be opened."""
    client, _ = clients[asker]
    for letters, at in zip(LISTED[name], (OWN, OTHER), strict=True):
        code, seen = at[name], letters[ASKERS.index(asker)] == "+"
        found = client.get(f"/api/v1/{name}?q={code}").json
        assert [one.get("code", one.get("number")) for one in found["items"]] == [code] * seen
        assert found["total"] == seen
        if name != "buildings":
            page = client.get(f"/{name}?q={code}")
            assert page.status_code == 200 and (f'href="/{name}/{code}' in page.text) == seen
        if name not in ("buildings", "incidents"):
            assert len(client.get(f"/{name}/suggest?q={code}").json["results"]) == seen
        export = client.get(f"/{name}/export?format=csv&q={code}")
        assert (export.status_code == 200 and code in export.text) == (seen and asker not in ("unit", "officer"))


@pytest.mark.parametrize("name", ["frontages", "places", "streets"])
def test_a_change_in_bulk_stays_in_the_area(
    clients: dict[str, tuple[FlaskClient, str]], words: Words, rolled_back: None, name: str
) -> None:
    client, token = clients["manager"]
    fields = {"frontages": ("state", "closed"), "places": ("kind", "park"), "streets": ("level", "3")}
    field, value = fields[name]
    form = {
        "code": [OWN[name], OTHER[name]],
        "was": ["1", "1"],
        "field": field,
        "value": value,
        "sure": "1",
        "csrf_token": token,
    }
    told = client.post(f"/{name}/bulk", data=form)
    assert told.status_code == 200
    assert f"/{name}/{OWN[name]}" in told.text and f"/{name}/{OTHER[name]}" not in told.text


@pytest.mark.parametrize(("endpoint", "call"), CHANGING)
def test_an_unknown_token_is_nobody(
    clients: dict[str, tuple[FlaskClient, str]], words: Words, endpoint: str, call: Call
) -> None:
    """Not taken for the public, and not for a fault of the service."""
    client, token = clients["public"]
    assert outcome(ask(client, token, call, words["own"], Authorization="Bearer nothing")) == "?"
    assert ask(client, "", call, words["own"], Authorization="Bearer nothing").status_code in (400, 401, 302)
