"""API tokens: told once, kept as digests, ended at once by revoking, time, or their account."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from service.app import create_app
from service.config import Settings
from service.db.engine import Database
from service.people.accounts import Placing, change_account, create_account, deactivate, make_token
from service.people.models import Account, Token
from service.records.audit import COMMAND_LINE
from tests.conftest import MONDAY_NOON, PASSWORD
from tests.web.test_sign_in import csrf, enter, later, trail


@pytest.fixture
def app(database: Database, settings: Settings) -> Iterator[Flask]:
    """The service with an administrator."""
    with database.write() as session:
        create_account(session, "admin", "admin", PASSWORD, MONDAY_NOON)
    made = create_app(settings)
    yield made
    made.extensions["steward"].database.close()


def test_a_token_is_told_once_and_ends_at_once(app: Flask, database: Database) -> None:
    client, program = app.test_client(), app.test_client()
    enter(client, "admin", PASSWORD)
    form = {"label": "大屏", "days": "9", "csrf_token": csrf(client, "/account")}
    made = client.post("/account/tokens", data=form)
    assert made.status_code == 201
    secret = re.search(r"gst_[\w-]{40,}", made.text)
    assert secret and secret[0] not in client.get("/account").text
    program.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {secret[0]}"
    asked = "/map/clusters?bbox=109.8,31,109.9,31.1&z=15"
    assert program.get(asked).status_code == program.get(asked).status_code == 200
    with database.read() as session:
        digest = session.query(Token.digest).scalar()
        number = session.query(Token.id).scalar()
    assert secret[0] not in digest
    client.post(f"/account/tokens/{number}/revoke", data={"csrf_token": csrf(client, "/account")})
    assert program.get(asked).status_code == 401
    assert "已作废" in client.get("/account").text
    assert {"token.create", "token.revoke"} <= {line.action for line in trail(database)}
    assert secret[0] not in " ".join(str(vars(line)) for line in trail(database))


def test_a_token_ends_on_its_day_without_anything_else_moving(
    app: Flask, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.write() as session:
        create_account(session, "eye", "viewer", PASSWORD, MONDAY_NOON)
        secret = make_token(session, "eye", "x", MONDAY_NOON, days=2)
    program = app.test_client()
    program.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
    asked = "/map/clusters?bbox=109.8,31,109.9,31.1&z=15"
    later(monkeypatch, hours=47.9)
    assert program.get(asked).status_code == 200
    later(monkeypatch, hours=48)
    assert program.get(asked).status_code == 401


def test_a_token_ends_with_its_account_and_takes_its_new_role(app: Flask, database: Database) -> None:
    with database.write() as session:
        create_account(session, "boss", "admin", PASSWORD, MONDAY_NOON)
        eye = create_account(session, "eye", "admin", PASSWORD, MONDAY_NOON)
        number, secret = eye.id, make_token(session, "eye", "x", MONDAY_NOON)
    program = app.test_client()
    program.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
    assert program.get("/accounts").status_code == 200
    with database.write() as session:
        change_account(session, session.get_one(Account, number), Placing("viewer"), 1, COMMAND_LINE, MONDAY_NOON)
    assert program.get("/accounts").status_code == 403
    with database.write() as session:
        deactivate(session, session.get_one(Account, number), COMMAND_LINE, MONDAY_NOON)
    assert program.get("/account").status_code == 401


def test_a_token_needs_a_name_and_an_end(app: Flask) -> None:
    client = app.test_client()
    enter(client, "admin", PASSWORD)
    token = csrf(client, "/account")
    for label, days in (("", "9"), ("x", "0"), ("x", "-1"), ("x", "9999"), ("x", "²"), ("x" * 61, "9")):
        form = {"label": label, "days": days, "csrf_token": token}
        assert client.post("/account/tokens", data=form).status_code == 422, (label, days)


def test_a_browser_at_the_api_needs_a_form_token_too(app: Flask, database: Database) -> None:
    client = app.test_client()
    enter(client, "admin", PASSWORD)
    body = {"points": [[109.88, 31.07]]}
    assert client.post("/api/v1/lookup", json=body).status_code == 400
    token = csrf(client, "/account")
    assert client.post("/api/v1/lookup", json=body, headers={"X-CSRFToken": token}).status_code == 200
    assert app.test_client().post("/api/v1/lookup", json=body).status_code == 200
