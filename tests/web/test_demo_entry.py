"""What the demo's one-click accounts can't reach, how the entry is shut, and that nothing of it lasts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.app import create_app
from service.config import Settings, load_settings
from service.db.engine import Database
from service.intake.demo import remove_demo
from service.people.accounts import create_account, make_token
from service.records.models import AuditEntry, ImportBatch
from tests.conftest import MONDAY_NOON, PASSWORD
from tests.responsibility.town import load_town
from tests.stores import Filling

NOT_ASKED = [
    {"X-Forwarded-For": "203.0.113.9"},
    {"X-Forwarded-Proto": "https"},
    {"X-Forwarded-Host": "grids.example.org"},
    {"X-Real-IP": "203.0.113.9"},
    {"Forwarded": "for=203.0.113.9"},
    {"Via": "1.1 front"},
]


@pytest.fixture
def filling() -> Filling:
    return load_town


@pytest.fixture
def kept(store_url: str, tmp_path: Path) -> Settings:
    """Settings whose key is the one that is made and kept."""
    return load_settings(data_dir=tmp_path / "data", database_url=store_url, secret_key="", host="127.0.0.1")


@pytest.fixture
def app(database: Database, kept: Settings) -> Iterator[Flask]:
    """A small town as if it were the demo, with an administrator of one's own."""
    with database.write() as session:
        session.query(ImportBatch).update({"demo": True})
        create_account(session, "own", "admin", PASSWORD, MONDAY_NOON)
    made = create_app(kept)
    yield made
    made.extensions["steward"].database.close()


def token(page: TestResponse) -> str:
    return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)[1]  # type: ignore[index]


def in_the_demo(app: Flask, role: str = "admin") -> FlaskClient:
    client = app.test_client()
    form = {"csrf_token": token(client.get("/login"))}
    assert client.post(f"/login/demo/{role}", data=form, follow_redirects=True).status_code == 200
    return client


def signed_in(app: Flask) -> FlaskClient:
    client = app.test_client()
    form = {"name": "own", "password": PASSWORD, "csrf_token": token(client.get("/login"))}
    assert client.post("/login", data=form).status_code == 302
    return client


def test_the_demos_administrator_gets_no_backup(app: Flask, database: Database) -> None:
    """Neither made, seen, taken away nor put elsewhere: it holds the keys of the installation."""
    client = in_the_demo(app)
    page = client.get("/admin")
    assert page.status_code == 200 and "演示账号不能做备份" in page.text and "/admin/backups" not in page.text
    form = {"csrf_token": token(page)}
    settings = {"version": "0", "hour": "2", "daily": "7", "weekly": "4", "folder": "/tmp"}
    answers = [
        client.get("/admin/backups/steward-20261123-120000.tar.zst"),
        client.get("/admin/backups/state"),
        client.post("/admin/backups", data=form),
        client.post("/admin/backups/steward-20261123-120000.tar.zst/check", data=form),
        client.post("/admin/office/backup", data=form | settings),
    ]
    assert [one.status_code for one in answers] == [403] * 5
    with database.read() as session:
        refused = session.query(AuditEntry).filter_by(action="request.refuse").all()
    assert [(one.actor, one.ok) for one in refused] == [("demo-admin", False)] * 5
    own = signed_in(app)
    assert "现在备份" in own.get("/admin").text
    assert own.get("/admin/backups/state").status_code == 200
    assert client.post("/admin/office/identity", data=form | {"version": "0", "name": "试试"}).status_code == 302


@pytest.mark.parametrize("passed_on", NOT_ASKED)
def test_a_proxy_that_nobody_told_us_of_shuts_the_demo(app: Flask, passed_on: dict[str, str]) -> None:
    client = app.test_client()
    page = client.get("/login", headers=passed_on)
    assert page.status_code == 200 and "/login/demo" not in page.text
    form = {"csrf_token": token(page)}
    assert client.post("/login/demo/admin", data=form, headers=passed_on).status_code == 403
    inside = in_the_demo(app)
    assert inside.get("/accounts").status_code == 200
    assert inside.get("/accounts", headers=passed_on).status_code == 302, "one that was entered here is shut too"


@pytest.mark.parametrize(
    "given",
    [
        {"environ_overrides": {"SERVER_PROTOCOL": "HTTP/1.0"}},
        {"environ_overrides": {"SERVER_PROTOCOL": "HTTP/1"}},
        {"headers": {"Origin": "https://grids.example.org"}},
        {"headers": {"Origin": "null"}},
    ],
)
def test_a_silent_proxy_is_told_by_what_it_speaks_or_the_browser_says(app: Flask, given: dict[str, Any]) -> None:
    """nginx's `proxy_pass` alone: the host is 127.0.0.1, no header tells of it."""
    client = app.test_client()
    form = {"csrf_token": token(client.get("/login"))}
    assert client.post("/login/demo/admin", data=form, **given).status_code == 403
    ours = {"Origin": "http://127.0.0.1:8000"}
    assert client.post("/login/demo/admin", data=form, headers=ours).status_code == 302


def test_a_demo_token_is_shut_beyond_a_proxy_also_when_it_is_known(app: Flask, database: Database) -> None:
    in_the_demo(app, "supervisor")
    with database.write() as session:
        secret = make_token(session, "demo-supervisor", "t", MONDAY_NOON)
    client, own = app.test_client(), {"Authorization": f"Bearer {secret}"}
    for _ in range(2):
        assert client.get("/api/v1/frontages", headers=own).status_code == 200
        assert client.get("/api/v1/frontages", headers=own | {"X-Forwarded-For": "203.0.113.9"}).status_code == 401


def test_behind_a_trusted_proxy_the_client_is_who_counts(database: Database, kept: Settings, app: Flask) -> None:
    trusting = create_app(kept.model_copy(update={"trusted_proxies": 1}))
    client = trusting.test_client()
    assert "/login/demo" not in client.get("/login", headers={"X-Forwarded-For": "203.0.113.9"}).text
    assert "/login/demo" in client.get("/login", headers={"X-Forwarded-For": "127.0.0.1"}).text
    trusting.extensions["steward"].database.close()


def test_with_the_demo_go_its_sessions_and_the_key(app: Flask, kept: Settings) -> None:
    """Whoever learned the key or kept a cookie while everybody at this machine could be administrator has nothing."""
    other_worker = create_app(kept)
    demo, own, away = in_the_demo(app), signed_in(app), signed_in(app)
    before = kept.secret_file.read_text()
    page = own.get("/admin/demo")
    assert own.post("/admin/demo/remove", data={"csrf_token": token(page)}).status_code == 302
    assert kept.secret_file.read_text() != before
    assert kept.secret_file.stat().st_mode & 0o777 == 0o600
    assert own.get("/accounts").status_code == 200, "who removed it goes on working"
    for one in (demo, away):
        assert one.get("/accounts").status_code == 302
    cookie = own.get_cookie("steward")
    assert cookie is not None
    there = other_worker.test_client()
    there.set_cookie("steward", cookie.value)
    assert there.get("/accounts").status_code == 200, "the other worker takes the new key up"
    assert token(there.get("/account")), "and forms work"
    with own.session_transaction() as held:
        mine = dict(held)
    old = Flask("old")
    old.secret_key = before
    signing = SecureCookieSessionInterface().get_signing_serializer(old)
    assert signing is not None
    there.set_cookie("steward", signing.dumps(mine))
    assert there.get("/accounts").status_code == 302
    other_worker.extensions["steward"].database.close()


def test_on_the_command_line_everybody_signs_in_anew(app: Flask, database: Database, kept: Settings) -> None:
    own, before = signed_in(app), kept.secret_file.read_text()
    remove_demo(database, MONDAY_NOON, renew=kept.renew_session_secret)
    assert own.get("/accounts").status_code == 302
    assert kept.secret_file.read_text() != before
    assert signed_in(app).get("/accounts").status_code == 200


def test_a_key_from_outside_is_left_alone(settings: Settings) -> None:
    assert settings.renew_session_secret() is False
    assert not settings.secret_file.exists() and settings.session_secret == "test"
