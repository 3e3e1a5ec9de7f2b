"""Signing in: the one-time password, the demo's entry, wrong passwords, signing out."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.config import Settings
from service.db.engine import Database
from service.people.accounts import ensure_administrator
from tests.conftest import MONDAY_NOON, PASSWORD


@pytest.fixture
def app(database: Database, settings: Settings) -> Iterator[Flask]:
    made = create_app(settings)
    yield made
    made.extensions["steward"].database.close()


@pytest.fixture
def one_time(database: Database) -> str:
    with database.write() as session:
        password = ensure_administrator(session, MONDAY_NOON)
    assert password
    return password


def csrf(client: FlaskClient, path: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(path).text)
    assert found, f"no CSRF field on {path}"
    return found[1]


def enter(client: FlaskClient, name: str, password: str) -> object:
    return client.post("/login", data={"name": name, "password": password, "csrf_token": csrf(client, "/login")})


def test_a_form_without_its_token_is_refused(app: Flask, one_time: str) -> None:
    answer = app.test_client().post("/login", data={"name": "admin", "password": one_time})
    assert answer.status_code == 400


def test_the_one_time_password_must_be_changed_before_anything_else(app: Flask, one_time: str) -> None:
    client = app.test_client()
    assert enter(client, "admin", one_time).headers["Location"] == "/account/password"
    assert client.get("/map").headers["Location"] == "/account/password"
    form = {"old": one_time, "new": PASSWORD, "again": PASSWORD, "csrf_token": csrf(client, "/account/password")}
    assert client.post("/account/password", data=form).headers["Location"] == "/map"
    assert client.get("/map").status_code == 200
    assert "系统管理员" in client.get("/map").text


@pytest.mark.parametrize(
    ("new", "again", "said"),
    [
        ("short", "short", "至少"),
        ("onlysmallletters", "onlysmallletters", "三种"),
        (PASSWORD, "x", "不一样"),
        ("Admin-12345", "Admin-12345", "账号名"),
    ],
)
def test_a_weak_password_is_refused_in_words(app: Flask, one_time: str, new: str, again: str, said: str) -> None:
    client = app.test_client()
    enter(client, "admin", one_time)
    form = {"old": one_time, "new": new, "again": again, "csrf_token": csrf(client, "/account/password")}
    answer = client.post("/account/password", data=form)
    assert answer.status_code == 422
    assert said in answer.text


def test_a_wrong_password_keeps_the_name_and_says_what_to_do(app: Flask, one_time: str) -> None:
    client = app.test_client()
    answer = enter(client, "admin", "wrong")
    assert answer.status_code == 401
    assert 'value="admin"' in answer.text and "密码不对" in answer.text
    assert client.get("/map/clusters?bbox=1,1,2,2&z=3").status_code == 401


def test_five_wrong_passwords_lock_the_account(app: Flask, one_time: str) -> None:
    client = app.test_client()
    for _ in range(5):
        enter(client, "admin", "wrong")
    assert enter(client, "admin", one_time).status_code == 401


def test_signing_out_ends_it(app: Flask, one_time: str) -> None:
    client = app.test_client()
    enter(client, "admin", one_time)
    client.post("/logout", data={"csrf_token": csrf(client, "/account/password")})
    assert client.get("/map/clusters?bbox=1,1,2,2&z=3").status_code == 401


def test_after_signing_in_no_other_host_is_gone_to(app: Flask, one_time: str, database: Database) -> None:
    from service.people.models import Account

    with database.write() as session:
        session.query(Account).update({"must_change": False})
    for target in ("//evil.example/", "https://evil.example/", "/\\evil.example"):
        client = app.test_client()
        token = csrf(client, "/login")
        answer = client.post(
            "/login", data={"name": "admin", "password": one_time, "next": target, "csrf_token": token}
        )
        assert answer.headers["Location"] == "/map"


def test_no_demo_entry_without_the_demo(app: Flask) -> None:
    client = app.test_client()
    page = client.get("/login").text
    assert "/login/demo" not in page
    assert client.post("/login/demo", data={"csrf_token": csrf(client, "/login")}).status_code == 403


def test_one_click_enters_the_demo(demo_app: Flask) -> None:
    client = demo_app.test_client()
    token = csrf(client, "/login")
    assert client.post("/login/demo", data={"csrf_token": token}).status_code == 302
    assert "演示主管" in client.get("/map").text


def test_every_page_has_a_strict_policy(demo_app: Flask) -> None:
    for path in ("/map", "/login"):
        policy = demo_app.test_client().get(path).headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy
