"""A cookie needs the page's token whatever else stands in the request; only an API token of one's own does without."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.frontages.models import Frontage
from service.records.models import AuditEntry
from tests.conftest import PASSWORD, bearer
from tests.stores import Stores
from tests.web.town_service import town_service

ODD = ["", "Basic eA==", "Bearer", "Bearer ", "Bearer nothing", "Digest username=x", "Negotiate", "x"]
CHANGING = [
    ("PUT", "/api/v1/frontages/F1", {"version": 1, "trade": "餐饮"}),
    ("POST", "/api/v1/frontages", {"shop_name": "新店"}),
    ("DELETE", "/api/v1/frontages/F3?version=1", None),
    ("POST", "/api/v1/frontages/F1/restore", {"version": 1}),
    ("POST", "/phones/reveal", {"kind": "frontages", "code": "F1"}),
]


@pytest.fixture(scope="module")
def app(stores: Stores, store_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder: Path = tmp_path_factory.mktemp("cookies")
    yield from town_service(stores, store_kind, folder)


@pytest.fixture(scope="module")
def chief(app: Flask) -> FlaskClient:
    """A browser in which the supervisor is signed in."""
    client = app.test_client()
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/login").text)
    assert found
    form = {"name": "chief", "password": PASSWORD, "csrf_token": found[1]}
    assert client.post("/login", data=form).status_code == 302
    return client


def told(app: Flask) -> tuple[list[tuple[str, int]], int]:
    """The shops with their versions, and how many numbers were given away."""
    with app.extensions["steward"].database.read() as session:
        shops = [(one.code, one.version) for one in session.query(Frontage).order_by(Frontage.code)]
        return shops, session.query(AuditEntry).filter_by(action="people.reveal_phone", ok=True).count()


@pytest.fixture(autouse=True)
def doors(app: Flask) -> None:
    """Each test knocks as the first one: strangers are counted by the minute."""
    app.extensions["steward_refused"].storage.reset()


@pytest.mark.parametrize("given", ODD)
@pytest.mark.parametrize(("method", "path", "body"), CHANGING)
def test_no_authorization_takes_the_place_of_the_pages_token(
    app: Flask, chief: FlaskClient, method: str, path: str, body: object, given: str
) -> None:
    before = told(app)
    answer = chief.open(path, method=method, json=body, headers={"Authorization": given})
    assert answer.status_code == 401
    assert "13900000001" not in answer.text
    assert told(app) == before


@pytest.mark.parametrize("given", ODD)
@pytest.mark.parametrize("path", ["/api/v1/frontages", "/frontages", "/map", "/login"])
def test_whoever_shows_something_else_is_nobody_even_with_a_cookie(chief: FlaskClient, path: str, given: str) -> None:
    """A page says so instead of leading to the sign-in page, which would lead to itself."""
    answer = chief.get(path, headers={"Authorization": given, "Accept": "text/html"})
    assert answer.status_code == 401
    assert "Bearer" in answer.text
    assert chief.get(path, headers={"Accept": "text/html"}).status_code in (200, 302)


def test_a_token_beside_a_cookie_is_who_asks(app: Flask, chief: FlaskClient) -> None:
    token = bearer(app, "looker").environ_base["HTTP_AUTHORIZATION"]
    body = {"version": 1, "trade": "餐饮"}
    assert chief.put("/api/v1/frontages/F1", json=body, headers={"Authorization": token}).status_code == 403
    own = bearer(app, "chief").environ_base["HTTP_AUTHORIZATION"]
    assert chief.put("/api/v1/frontages/F1", json=body, headers={"Authorization": own}).status_code == 200


def test_without_authorization_the_pages_token_is_needed_as_ever(app: Flask, chief: FlaskClient) -> None:
    page = chief.get("/frontages/F2/edit").text
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found
    body = {"version": 1, "trade": "服装"}
    assert chief.put("/api/v1/frontages/F2", json=body).status_code == 400
    assert chief.put("/api/v1/frontages/F2", json=body, headers={"X-CSRFToken": found[1]}).status_code == 200
