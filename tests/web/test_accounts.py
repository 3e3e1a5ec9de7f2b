"""The administrator's accounts: made, changed, stopped, let in again; the trail's page over what was done."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from service.app import create_app
from service.config import Settings, load_settings
from service.db.engine import Database
from service.people.accounts import create_account, make_token
from service.people.models import Account, AddressFailures, Organisation, Person
from service.records.audit import Actor, Subject, append, lines
from service.records.models import AuditEntry
from tests.conftest import MONDAY_NOON, PASSWORD
from tests.responsibility.town import box, bring, layer

HOME = "500237002001"
HURT = "<script>window.hurt=1</script>"
WRONG_FORMS = [
    ({"name": "a", "role": "viewer"}, "2 至 64"),
    ({"name": "has space", "role": "viewer"}, "不能用"),
    ({"name": HURT, "role": "viewer"}, "不能用"),
    ({"name": "boss", "role": "viewer"}, "已经有了"),
    ({"name": "Boss", "role": "viewer"}, "看起来一样"),
    ({"name": "bóss", "role": "viewer"}, "看起来一样"),
    ({"name": "ｂｏｓｓ", "role": "viewer"}, "全角"),
    ({"name": "b\u043ess", "role": "viewer"}, "不同文字"),
    ({"name": "\u0430\u0441\u0435", "role": "viewer"}, "不同文字"),
    ({"name": "adm\u0131n", "role": "viewer"}, "不同文字"),
    ({"name": "系统", "role": "viewer"}, "另有所指"),
    ({"name": "new", "role": "king"}, "没有角色"),
    ({"name": "new", "role": ""}, "没有角色"),
    ({"name": "new", "role": "manager"}, "至少一个社区"),
    ({"name": "new", "role": "manager", "communities": "999"}, "没有社区"),
    ({"name": "new", "role": "unit"}, "要选一个单位"),
    ({"name": "new", "role": "unit", "unit": "月球办"}, "登记册里没有"),
    ({"name": "new", "role": "officer"}, "选是哪位人员"),
    ({"name": "new", "role": "officer", "person": "王芳"}, "R1、R2"),
    ({"name": "new", "role": "officer", "person": HURT}, "登记册里没有"),
]
ODD_ADDRESSES = [
    ("/accounts/999999", 404),
    ("/accounts?account=nobody", 404),
    ("/accounts?state=x", 422),
    ("/accounts?role=x", 422),
    ("/accounts?state=&role=viewer&q=", 302),
    ("/trail?days=x", 422),
    ("/trail?from=yesterday", 422),
    ("/trail?line=x", 422),
    ("/trail?line=99999999", 404),
    ("/trail?below=²", 422),
    ("/trail?days=all&actor=", 302),
]
# query, what the list then holds, what it doesn't
FILTERS = [
    ("", "moon.land", "导出门店"),
    ("days=all", "moon.land", "新增账号"),
    ("days=all&group=disclosure", "导出门店", "修改"),
    ("from=2026-10-01&to=2026-11-01", "导出门店", "moon.land"),
    ("group=accounts", "新增账号", "moon.land"),
    ("group=registers", "修改人员", "新增账号"),
    ("ok=no", "moon.land", "修改人员"),
    ("actor=boss", "登录", "moon.land"),
    ("kind=people&code=R1", "修改人员", "修改门店"),
    ("kind=frontages&code=F07", "店7", "店8"),
]


@pytest.fixture
def app(database: Database, settings: Settings, tmp_path: Path) -> Iterator[Flask]:
    """An office with a community, two people of one name, an organisation, and an administrator."""
    made = create_app(settings)
    home = layer(tmp_path / "homes.geojson", [(box(0, 0, 12, 5), {"code": HOME, "name": "聚鹤社区"})])
    bring(database, settings, "communities", home)
    with database.write() as session:
        create_account(session, "boss", "admin", PASSWORD, MONDAY_NOON, display_name="老板")
        session.add_all(
            [
                Person(code="R1", name="王芳"),
                Person(code="R2", name="王芳"),
                Person(code="R3", name="李雷"),
                Organisation(code="O1", name="城管办"),
            ]
        )
    yield made
    made.extensions["steward"].database.close()


@pytest.fixture
def boss(app: Flask) -> FlaskClient:
    return entered(app, "boss", PASSWORD)


def entered(app: Flask, name: str, password: str) -> FlaskClient:
    client = app.test_client()
    answer = client.post("/login", data={"name": name, "password": password, "csrf_token": csrf(client, "/login")})
    assert answer.status_code == 302, name
    return client


def csrf(client: FlaskClient, path: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(path).text)
    assert found, f"no CSRF field on {path}"
    return found[1]


def send(client: FlaskClient, path: str, **form: object) -> TestResponse:
    return client.post(path, data=form | {"csrf_token": csrf(client, "/account")})


def one_time(answer: TestResponse) -> str:
    found = re.search(r'id="secret">([^<]+)<', answer.text)
    assert found, answer.text
    return found[1]


def stored(database: Database, name: str) -> Account:
    with database.read() as session:
        return session.scalars(select(Account).where(Account.name == name)).one()


def trail(database: Database) -> list[AuditEntry]:
    with database.read() as session:
        return list(lines(session))


def test_a_new_account_gets_a_one_time_password_that_must_be_changed(
    app: Flask, boss: FlaskClient, database: Database
) -> None:
    made = send(boss, "/accounts", name="lilei", display_name="李雷", role="officer", person="李雷")
    assert made.status_code == 201
    password = one_time(made)
    assert password not in boss.get("/accounts?account=lilei").text
    lilei = entered(app, "lilei", password)
    assert lilei.get("/map").headers["Location"] == "/account/password"
    assert stored(database, "lilei").person_code == "R3"
    last = next(line for line in trail(database) if line.action == "account.create" and line.subject_code == "lilei")
    assert last.actor == "boss" and last.after == {
        "display_name": "李雷",
        "role": "officer",
        "communities": None,
        "unit": None,
        "person": "R3",
    }
    assert password not in " ".join(str(vars(line)) for line in trail(database))


def test_what_is_wrong_is_said_and_what_was_typed_is_kept(boss: FlaskClient, database: Database) -> None:
    for form, said in WRONG_FORMS:
        answer = send(boss, "/accounts", **form, display_name="新来的")
        assert answer.status_code in (409, 422), form
        assert said in answer.text and 'value="新来的"' in answer.text and HURT not in answer.text, form
    with database.read() as session:
        assert session.query(Account).count() == 1


def test_a_changed_account_counts_at_the_next_request(app: Flask, boss: FlaskClient, database: Database) -> None:
    password = one_time(send(boss, "/accounts", name="clerk", role="viewer"))
    clerk = entered(app, "clerk", password)
    form = {"old": password, "new": PASSWORD, "again": PASSWORD, "csrf_token": csrf(clerk, "/account/password")}
    clerk.post("/account/password", data=form)
    assert clerk.get("/trail").status_code == 403
    before = stored(database, "clerk")
    answer = send(boss, f"/accounts/{before.id}", version=before.version, role="supervisor", display_name="小王")
    assert answer.status_code == 302
    assert clerk.get("/trail").status_code == 200
    last = trail(database)[-1]
    assert (last.action, last.before, last.after) == (
        "account.change",
        {"role": "viewer", "display_name": "clerk"},
        {"role": "supervisor", "display_name": "小王"},
    )


def test_two_administrators_at_one_account_see_both_sides(boss: FlaskClient, database: Database) -> None:
    send(boss, "/accounts", name="clerk", role="viewer")
    one = stored(database, "clerk")
    first = {"version": one.version, "role": "manager", "communities": HOME, "display_name": "甲填的"}
    assert send(boss, f"/accounts/{one.id}", **first).status_code == 302
    stale = send(boss, f"/accounts/{one.id}", version=one.version, role="viewer", display_name="乙填的")
    assert stale.status_code == 409
    assert "甲填的" in stale.text and "乙填的" in stale.text
    assert stored(database, "clerk").display_name == "甲填的"
    version = re.search(r'name="version" value="(\d+)"', stale.text)
    assert version
    again = send(boss, f"/accounts/{one.id}", version=version[1], role="viewer", display_name="乙填的")
    assert again.status_code == 302 and stored(database, "clerk").area is None


def test_a_stopped_account_is_out_at_once_and_can_come_back(app: Flask, boss: FlaskClient, database: Database) -> None:
    with database.write() as session:
        number = create_account(session, "clerk", "viewer", PASSWORD, MONDAY_NOON).id
        token = make_token(session, "clerk", "x", MONDAY_NOON)
    clerk, program = entered(app, "clerk", PASSWORD), app.test_client()
    program.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    assert clerk.get("/account").status_code == program.get("/account").status_code == 200
    send(boss, f"/accounts/{number}/deactivate")
    assert (clerk.get("/account").status_code, program.get("/account").status_code) == (302, 401)
    assert "已停用" in boss.get("/accounts?state=off").text
    send(boss, f"/accounts/{number}/reactivate")
    assert clerk.get("/account").status_code == 302, "the old session stays ended"
    entered(app, "clerk", PASSWORD)
    assert send(boss, f"/accounts/{number}/reactivate").status_code == 409


@pytest.mark.parametrize("step", ["deactivate", "role"])
def test_the_last_administrator_stays(boss: FlaskClient, database: Database, step: str) -> None:
    one = stored(database, "boss")

    def try_it() -> TestResponse:
        if step == "role":
            return send(boss, f"/accounts/{one.id}", version=one.version, role="viewer", display_name="x")
        return send(boss, f"/accounts/{one.id}/{step}")

    with database.write() as session:  # neither a stopped one nor the demo's counts
        create_account(session, "gone", "admin", PASSWORD, MONDAY_NOON).active = False
        create_account(session, "demo-admin", "admin", None, MONDAY_NOON, demo=True)
    assert try_it().status_code == 409 and "最后一个" in try_it().text
    with database.write() as session:
        create_account(session, "second", "admin", PASSWORD, MONDAY_NOON)
    assert try_it().status_code == 302


def test_a_reset_password_ends_sessions_and_locks(app: Flask, boss: FlaskClient, database: Database) -> None:
    with database.write() as session:
        clerk = create_account(session, "clerk", "viewer", PASSWORD, MONDAY_NOON)
        clerk.locked_until = MONDAY_NOON + timedelta(minutes=9)
        number = clerk.id
    assert "已锁定" in boss.get("/accounts").text
    password = one_time(send(boss, f"/accounts/{number}/reset-password"))
    assert "待换密码" in boss.get("/accounts?account=clerk").text
    entered(app, "clerk", password)


def test_locks_are_released_by_the_administrator(app: Flask, boss: FlaskClient, database: Database) -> None:
    until = MONDAY_NOON + timedelta(minutes=9)
    with database.write() as session:
        clerk = create_account(session, "clerk", "viewer", PASSWORD, MONDAY_NOON)
        clerk.locked_until, number = until, clerk.id
        session.add(AddressFailures(address="127.0.0.1", failures=0, last_at=MONDAY_NOON, locked_until=until))
    assert "127.0.0.1" in boss.get("/accounts").text
    send(boss, f"/accounts/{number}/release")
    send(boss, "/accounts/addresses/release", address="127.0.0.1")
    entered(app, "clerk", PASSWORD)
    assert {"account.release", "address.release"} <= {line.action for line in trail(database)}


def test_an_administrator_signs_somebody_out_everywhere(app: Flask, boss: FlaskClient, database: Database) -> None:
    with database.write() as session:
        number = create_account(session, "clerk", "viewer", PASSWORD, MONDAY_NOON).id
    clerk = entered(app, "clerk", PASSWORD)
    send(boss, f"/accounts/{number}/sign-out-everywhere")
    assert clerk.get("/account").status_code == 302


def test_odd_addresses_are_answered_in_words(boss: FlaskClient) -> None:
    for path, status in ODD_ADDRESSES:
        assert boss.get(path).status_code == status, path


def test_there_is_no_other_step(boss: FlaskClient) -> None:
    assert send(boss, "/accounts/1/explode").status_code == 404


def test_the_demo_administrator_touches_the_demos_accounts_only(demo_app: Flask) -> None:
    given = demo_app.extensions["steward"].settings
    app = create_app(load_settings(data_dir=given.data_dir, database_url=given.database_url, secret_key="test"))
    services = app.extensions["steward"]
    client = app.test_client()
    client.post("/login/demo/admin", data={"csrf_token": csrf(client, "/login")})
    with services.database.read() as session:
        real = session.scalars(select(Account.id).where(Account.name == "test-admin")).one()
    assert send(client, f"/accounts/{real}/reset-password").status_code == 403
    assert send(client, f"/accounts/{real}", version=1, role="viewer").status_code == 403
    assert send(client, "/accounts", name="trial", role="viewer").status_code == 201
    with services.database.write() as session:
        made = session.scalars(select(Account).where(Account.name == "trial")).one()
        assert made.demo, "it goes with the demo, and opens nothing once the demo is shut"
        session.delete(made)
    services.database.close()


def written(database: Database) -> None:
    """A trail of every sort of line."""
    clerk = Actor("clerk", "supervisor", "10.0.0.7", 7)
    with database.write() as session:
        for i in range(60):
            append(session, clerk, "frontage.change", MONDAY_NOON, Subject("frontages", f"F{i:02}", f"店{i}"))
        append(
            session,
            clerk,
            "person.change",
            MONDAY_NOON,
            Subject("people", "R1", HURT),
            before={"phone": "13812345678", "notes": HURT},
            after={"phone": "13900001111", "notes": None},
        )
        append(session, clerk, "frontages.export", MONDAY_NOON - timedelta(days=40), Subject("frontages"), note=HURT)
        append(session, clerk, "moon.land", MONDAY_NOON, ok=False)


def test_the_trails_filters(boss: FlaskClient, database: Database) -> None:
    written(database)
    for query, there, absent in FILTERS:
        page = boss.get(f"/trail?{query}").text
        body = page[page.index('<tbody id="rows">') : page.index("</tbody>")]
        assert there in body and absent not in body, query


def test_the_trail_pages_by_number_without_a_gap(boss: FlaskClient, database: Database) -> None:
    written(database)
    seen: list[int] = []
    path: str | None = "/trail?days=all"
    while path:
        page = boss.get(path).text
        seen += [int(one) for one in re.findall(r'<a href="[^"]*[?&;]line=(\d+)"', page)]
        older = re.search(r'href="([^"]*below=\d+)"[^>]*>更早的', page)
        path = older[1].replace("&amp;", "&") if older else None
    assert seen == sorted(seen, reverse=True) and seen == list(range(len(trail(database)), 0, -1))


def test_a_line_tells_before_and_after_with_phones_masked(boss: FlaskClient, database: Database) -> None:
    written(database)
    number = next(line.id for line in trail(database) if line.action == "person.change")
    page = boss.get(f"/trail?line={number}").text
    assert "138****5678" in page and "139****1111" in page and "1381234" not in page
    assert HURT not in page and "（空）" in page


def test_a_line_leads_to_its_account(boss: FlaskClient, database: Database) -> None:
    number = next(line.id for line in trail(database) if line.action == "account.create")
    page = boss.get(f"/trail?kind=accounts&code=boss&line={number}").text
    assert 'href="/accounts?account=boss"' in page
