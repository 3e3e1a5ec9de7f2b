"""Signing in: one-time passwords, locks, idleness, signing out, the demo's entries, cookies; all in the trail."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from service.app import create_app
from service.config import Settings
from service.db.engine import Database
from service.intake.demo_accounts import NAMES
from service.people.accounts import create_account, ensure_administrator, release
from service.people.models import Account, AddressFailures, SignIn
from service.people.rules import ROLES
from service.records.audit import COMMAND_LINE, lines
from service.records.models import AuditEntry
from service.web.account_words import MAY
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


def settle(database: Database) -> None:
    """Every account has changed its one-time password."""
    with database.write() as session:
        session.query(Account).update({"must_change": False})


def later(monkeypatch: pytest.MonkeyPatch, **passed: float) -> None:
    """So much later than Monday noon."""
    monkeypatch.setenv("STEWARD_NOW", (MONDAY_NOON + timedelta(**passed)).isoformat())


def trail(database: Database) -> list[AuditEntry]:
    with database.read() as session:
        return list(lines(session))


def csrf(client: FlaskClient, path: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(path).text)
    assert found, f"no CSRF field on {path}"
    return found[1]


def enter(client: FlaskClient, name: str, password: str) -> TestResponse:
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


def test_five_failures_from_one_address_lock_the_address(app: Flask, one_time: str, database: Database) -> None:
    client = app.test_client()
    for i in range(5):
        answer = enter(client, f"nobody{i}", "wrong")
    assert "这个网络地址" in answer.text
    assert enter(client, "admin", one_time).status_code == 401, "right, but from a locked address"
    other = {"environ_overrides": {"REMOTE_ADDR": "10.0.0.8"}}
    form = {"name": "admin", "password": one_time, "csrf_token": csrf(client, "/login")}
    assert client.post("/login", data=form, **other).status_code == 302
    assert [line.action for line in trail(database) if line.action.endswith(".lock")] == ["address.lock"]


def test_own_slips_are_taken_back_by_getting_in_but_not_those_under_other_names(
    app: Flask, one_time: str, database: Database
) -> None:
    client = app.test_client()
    for name in ("nobody", "nobody", "admin", "admin"):
        enter(client, name, "wrong")
    assert enter(client, "admin", one_time).status_code == 302
    with database.read() as session:
        assert session.query(AddressFailures).one().failures == 2


def test_a_lock_ends_with_time(app: Flask, one_time: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = app.test_client()
    for _ in range(5):
        enter(client, "admin", "wrong")
    later(monkeypatch, minutes=14)
    assert enter(client, "admin", one_time).status_code == 401
    later(monkeypatch, minutes=15)
    assert enter(client, "admin", one_time).status_code == 302


def test_the_answer_never_tells_whether_the_account_exists(app: Flask, one_time: str) -> None:
    """Word for word the same, from the first try to the lock and behind it."""
    clients = {"admin": app.test_client(), "nobody": app.test_client()}
    for i, client in enumerate(clients.values()):
        client.environ_base["REMOTE_ADDR"] = f"10.0.0.{i}"
    for tries in range(1, 7):
        pages = [
            re.sub(r'nonce="[^"]*"|value="[^"]*"', "", enter(client, name, "wrong").text)
            for name, client in clients.items()
        ]
        assert pages[0] == pages[1], tries


def test_a_password_in_the_name_field_does_not_reach_the_trail(app: Flask, database: Database) -> None:
    enter(app.test_client(), "Secret-pass-9", "x")
    last = trail(database)[-1]
    assert (last.action, last.ok, last.subject_name) == ("sign_in", False, "S*")


def test_every_step_of_signing_in_stands_in_the_trail(app: Flask, one_time: str, database: Database) -> None:
    client = app.test_client()
    for _ in range(5):
        enter(client, "admin", "wrong")
    with database.write() as session:
        session.query(AddressFailures).delete()
        release(session, session.query(Account).one(), COMMAND_LINE, MONDAY_NOON)
    enter(client, "admin", one_time)
    form = {"old": "wrong", "new": PASSWORD, "again": PASSWORD, "csrf_token": csrf(client, "/account/password")}
    client.post("/account/password", data=form)
    client.post("/account/password", data=form | {"old": one_time})
    client.post("/logout", data={"csrf_token": csrf(client, "/account/password")})
    told = [(line.action, line.ok) for line in trail(database)]
    assert told == [
        ("account.create", True),
        *[("sign_in", False)] * 5,
        ("account.lock", True),
        ("address.lock", True),
        ("account.release", True),
        ("sign_in", True),
        ("account.password", False),
        ("account.password", True),
        ("sign_out", True),
    ]
    written = " ".join(str(vars(line)) for line in trail(database))
    assert one_time not in written and PASSWORD not in written


def test_refusals_stand_in_the_trail(app: Flask, database: Database) -> None:
    with database.write() as session:
        create_account(session, "eye", "viewer", PASSWORD, MONDAY_NOON)
    client, stranger = app.test_client(), app.test_client()
    enter(client, "eye", PASSWORD)
    assert client.get("/accounts").status_code == 403
    assert stranger.post("/accounts", data={"csrf_token": csrf(stranger, "/login")}).status_code == 302
    stranger.get("/accounts")
    refused = [line for line in trail(database) if line.action == "request.refuse"]
    assert [(one.actor, one.subject_name, one.ok) for one in refused] == [
        ("eye", "GET /accounts", False),
        ("公众", "POST /accounts", False),
    ]


def refusals(database: Database) -> list[tuple[str, str | None]]:
    return [(one.actor, one.subject_name) for one in trail(database) if one.action == "request.refuse"]


def test_a_form_from_elsewhere_stands_in_the_trail(app: Flask, database: Database) -> None:
    with database.write() as session:
        create_account(session, "eye", "supervisor", PASSWORD, MONDAY_NOON)
    client, stranger = app.test_client(), app.test_client()
    enter(client, "eye", PASSWORD)
    answers = [
        client.post("/logout"),
        client.put("/api/v1/frontages/F1", json={"version": 1}),
        client.post("/api/v1/lookup", json={"points": []}),
        client.post("/phones/reveal", json={"kind": "people", "code": "x"}),
        client.post("/imports/upload", data={"files": (io.BytesIO(b"x"), "x.csv")}),
        stranger.post("/login", data={"name": "eye", "password": PASSWORD}),
    ]
    assert [one.status_code for one in answers] == [400] * 6
    assert refusals(database) == [
        ("eye", "POST /logout"),
        ("eye", "PUT /api/v1/frontages/F1"),
        ("eye", "POST /api/v1/lookup"),
        ("eye", "POST /phones/reveal"),
        ("eye", "POST /imports/upload"),
        ("公众", "POST /login"),
    ]


def test_a_token_that_is_none_stands_in_the_trail(app: Flask, database: Database) -> None:
    """Also where it only reads. A program that goes on with one is slowed down instead of filling the disk."""
    wrong, client = {"Authorization": "Bearer gst_wrong"}, app.test_client()
    for path in ("/api/v1/frontages", "/map/clusters?bbox=1,1,2,2&z=3", "/accounts"):
        assert client.get(path, headers=wrong).status_code == 401
    assert client.get("/api/v1/frontages").status_code == 401, "nobody's question, without a token, isn't one"
    assert [name for _actor, name in refusals(database)] == [
        "GET /api/v1/frontages",
        "GET /map/clusters",
        "GET /accounts",
    ]
    answers = [client.get("/api/v1/frontages", headers=wrong).status_code for _ in range(60)]
    assert answers == [401] * 57 + [429] * 3
    assert len(refusals(database)) == 60


def test_a_stranger_cannot_fill_the_trail(app: Flask, database: Database) -> None:
    client = app.test_client()
    token = csrf(client, "/login")
    answers = [client.post("/accounts", data={"csrf_token": token}).status_code for _ in range(63)]
    assert answers[:60] == [302] * 60 and answers[60:] == [429] * 3
    assert len(trail(database)) == 60


def test_a_session_ends_when_nobody_does_anything(
    app: Flask, one_time: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(database)
    client = app.test_client()
    enter(client, "admin", one_time)
    for hours in (7, 14, 21):  # each within eight hours of the one before: it slides
        later(monkeypatch, hours=hours)
        assert client.get("/account").status_code == 200
        app.extensions["steward_seen"].settle()
    for hours in (22, 25, 28):  # an open page's own questions aren't somebody doing something
        later(monkeypatch, hours=hours)
        for path in ("/changes", "/admin/backups/state"):
            assert client.get(path).status_code == 200
    later(monkeypatch, hours=29.1)
    assert client.get("/account").status_code == 302


def test_an_old_cookie_is_no_way_round_idleness(
    app: Flask, one_time: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(database)
    client = app.test_client()
    enter(client, "admin", one_time)
    old = client.get_cookie("steward")
    later(monkeypatch, hours=7)
    client.get("/account")
    app.extensions["steward_seen"].settle()
    later(monkeypatch, hours=9)
    assert client.get("/account").status_code == 200
    assert old is not None
    client.set_cookie("steward", old.value)
    assert client.get("/account").status_code == 302


def test_signing_out_everywhere_leaves_this_device(app: Flask, one_time: str, database: Database) -> None:
    settle(database)
    here, there = app.test_client(), app.test_client()
    enter(here, "admin", one_time)
    enter(there, "admin", one_time)
    here.post("/account/sign-out-everywhere", data={"csrf_token": csrf(here, "/account")})
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 302


def copied(app: Flask, client: FlaskClient) -> FlaskClient:
    """Another browser with a copy of the client's cookie."""
    made, cookie = app.test_client(), client.get_cookie("steward")
    assert cookie is not None
    made.set_cookie("steward", cookie.value)
    return made


def test_signing_out_ends_every_copy_of_the_cookie(app: Flask, one_time: str, database: Database) -> None:
    settle(database)
    client, other = app.test_client(), app.test_client()
    for one in (client, other):
        enter(one, "admin", one_time)
    thief = copied(app, client)
    assert thief.get("/accounts").status_code == 200
    client.post("/logout", data={"csrf_token": csrf(client, "/account")})
    for path in ("/accounts", "/account", "/api/v1/people"):
        assert thief.get(path).status_code in (302, 401), path
    assert other.get("/accounts").status_code == 200, "another device stays"
    with database.read() as session:
        assert session.query(SignIn).count() == 1


def test_a_cookie_that_signing_out_everywhere_ended_opens_nothing(
    app: Flask, one_time: str, database: Database
) -> None:
    settle(database)
    client = app.test_client()
    enter(client, "admin", one_time)
    thief = copied(app, client)
    client.post("/account/sign-out-everywhere", data={"csrf_token": csrf(client, "/account")})
    assert thief.get("/account").status_code == 302
    assert client.get("/account").status_code == 200
    with database.read() as session:
        assert session.query(SignIn).count() == 1, "the ended ones are cleared away"


def test_a_sign_in_that_nobody_uses_is_over(
    app: Flask, one_time: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the server too: not only where the cookie says so."""
    settle(database)
    client = app.test_client()
    enter(client, "admin", one_time)
    later(monkeypatch, hours=8, minutes=11)
    with client.session_transaction() as kept:
        kept["seen"] = (MONDAY_NOON + timedelta(hours=8, minutes=10)).timestamp()
    assert client.get("/account").status_code == 302
    enter(app.test_client(), "admin", one_time)
    with database.read() as session:
        assert session.query(SignIn).count() == 1, "the next one clears it away"


def test_a_sign_in_in_use_holds(app: Flask, one_time: str, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(database)
    client = app.test_client()
    enter(client, "admin", one_time)
    for hour in range(1, 30, 7):
        later(monkeypatch, hours=hour)
        assert client.get("/account").status_code == 200, hour
        app.extensions["steward_seen"].settle()


def test_the_database_and_the_key_make_no_session(app: Flask, one_time: str, database: Database) -> None:
    """What a backup holds: the digest of a sign-in, the account's stamp and the key that signs cookies."""
    settle(database)
    enter(app.test_client(), "admin", one_time)
    with database.read() as session:
        account, sign_in = session.query(Account).one(), session.query(SignIn).one()
    for forged in (sign_in.digest, account.session_stamp, f"{account.id}:{account.session_stamp}", str(sign_in.id), ""):
        client = app.test_client()
        with client.session_transaction() as kept:
            kept.update({"_user_id": forged, "_fresh": True, "seen": MONDAY_NOON.timestamp()})
        assert client.get("/account").status_code == 302, forged


def test_a_signed_in_page_reads_its_sign_in_once_and_writes_nothing(
    app: Flask, one_time: str, database: Database
) -> None:
    settle(database)
    client = app.test_client()
    enter(client, "admin", one_time)
    client.get("/account")
    said: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        said.append(statement)

    engine = app.extensions["steward"].database.engine
    event.listen(engine, "before_cursor_execute", hear)
    assert client.get("/changes").status_code == 200
    event.remove(engine, "before_cursor_execute", hear)
    assert sum("sign_ins" in one for one in said) == 1
    assert not any(one.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")) for one in said)


def test_when_an_account_was_last_seen(
    app: Flask, one_time: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written at most every five minutes, beside the requests."""
    settle(database)
    client = app.test_client()
    enter(client, "admin", one_time)
    for minutes, seen in ((4, 0), (6, 6), (8, 6), (12, 12)):
        later(monkeypatch, minutes=minutes)
        client.get("/account")
        app.extensions["steward_seen"].settle()
        with database.read() as session:
            assert session.query(Account).one().last_seen_at == MONDAY_NOON + timedelta(minutes=seen)


@pytest.mark.parametrize(("proxies", "told"), [(0, "10.0.0.1"), (1, "203.0.113.9"), (2, "198.51.100.7")])
def test_only_a_trusted_proxy_tells_the_address(
    settings: Settings, database: Database, proxies: int, told: str
) -> None:
    """One proxy in front: the last address that it wrote; two: the one before."""
    made = create_app(settings.model_copy(update={"trusted_proxies": proxies}))
    client = made.test_client()
    client.environ_base["REMOTE_ADDR"] = "10.0.0.1"
    form = {"name": "x", "password": "y", "csrf_token": csrf(client, "/login")}
    client.post("/login", data=form, headers={"X-Forwarded-For": "198.51.100.7, 203.0.113.9"})
    made.extensions["steward"].database.close()
    assert trail(database)[-1].address == told


@pytest.mark.parametrize(("proxies", "safe"), [(0, False), (1, True)])
def test_behind_a_trusted_tls_proxy_the_cookie_is_for_tls_only(
    settings: Settings, database: Database, proxies: int, safe: bool
) -> None:
    made = create_app(settings.model_copy(update={"trusted_proxies": proxies}))
    answer = made.test_client().get("/login", headers={"X-Forwarded-Proto": "https"})
    made.extensions["steward"].database.close()
    cookie = answer.headers["Set-Cookie"]
    assert ("Secure" in cookie) is safe and ("Strict-Transport-Security" in answer.headers) is safe
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie


def test_signing_out_ends_it(app: Flask, one_time: str) -> None:
    client = app.test_client()
    enter(client, "admin", one_time)
    client.post("/logout", data={"csrf_token": csrf(client, "/account/password")})
    assert client.get("/map/clusters?bbox=1,1,2,2&z=3").status_code == 401


def test_after_signing_in_no_other_host_is_gone_to(app: Flask, one_time: str, database: Database) -> None:
    settle(database)
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


@pytest.mark.parametrize("role", ROLES)
def test_one_click_enters_the_demo_as_each_role(demo_app: Flask, role: str) -> None:
    client = demo_app.test_client()
    token = csrf(client, "/login")
    assert client.post(f"/login/demo/{role}", data={"csrf_token": token}, follow_redirects=True).status_code == 200
    own = client.get("/account").text
    assert NAMES[role].removeprefix("演示") in own and ROLES[role] in own
    reach = {"manager": "聚鹤社区", "officer": "聚鹤社区第一网格", "unit": "城市管理办公室"}.get(role, "全街道")
    assert reach in own
    assert client.get("/accounts").status_code == (200 if role == "admin" else 403)


def test_the_sign_in_page_shows_each_role_with_what_it_may_do(demo_app: Flask) -> None:
    page = demo_app.test_client().get("/login").text
    for role, word in ROLES.items():
        assert word in page and MAY[role] in page
    assert page.count("/login/demo") == len(ROLES)


@pytest.mark.parametrize("role", ["nobody", "root"])
def test_there_is_no_other_role(demo_app: Flask, role: str) -> None:
    client = demo_app.test_client()
    assert client.post(f"/login/demo/{role}", data={"csrf_token": csrf(client, "/login")}).status_code == 422


@pytest.mark.parametrize(
    ("host", "address"), [("map.example.org", "127.0.0.1"), ("localhost", "203.0.113.7"), ("10.0.0.1", "127.0.0.1")]
)
def test_the_demo_opens_on_this_machine_only(demo_app: Flask, host: str, address: str) -> None:
    """A proxy that publishes the service, or a page whose name was pointed at this machine, finds no way in."""
    client = demo_app.test_client()
    from_there = {"base_url": f"http://{host}", "environ_overrides": {"REMOTE_ADDR": address}}
    page = client.get("/login", **from_there).text
    assert "/login/demo" not in page
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token
    assert client.post("/login/demo", data={"csrf_token": token[1]}, **from_there).status_code == 403


def test_a_demo_account_made_elsewhere_stays_shut(demo_app: Flask) -> None:
    client = demo_app.test_client()
    client.post("/login/demo", data={"csrf_token": csrf(client, "/login")})
    assert client.get("/account").status_code == 200
    assert client.get("/account", environ_overrides={"REMOTE_ADDR": "203.0.113.7"}).status_code == 302


def test_every_page_has_a_strict_policy(demo_app: Flask) -> None:
    for path in ("/map", "/login"):
        policy = demo_app.test_client().get(path).headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy
