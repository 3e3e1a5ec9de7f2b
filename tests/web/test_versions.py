"""Every form that changes a row says which version its page showed; without one nothing is overwritten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.frontages.models import Frontage
from service.people.models import Account
from service.records.models import OfficeSetting
from tests.conftest import PASSWORD
from tests.stores import Stores
from tests.web.town_service import town_service

ODD = ["", "-1", "0", "x", "²", "１", "1.0", "1 ", "+1", "9" * 5000]


@pytest.fixture(scope="module")
def app(stores: Stores, store_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder: Path = tmp_path_factory.mktemp("versions")
    for made in town_service(stores, store_kind, folder):
        with made.extensions["steward"].database.write() as session:
            session.query(Frontage).filter_by(code="F3").one().ended_on = date(2026, 11, 1)
            session.query(Frontage).update({"version": 4})
        yield made


@pytest.fixture(scope="module")
def head(app: Flask) -> FlaskClient:
    client = app.test_client()
    form = {"name": "head", "password": PASSWORD, "csrf_token": token(client.get("/login"))}
    assert client.post("/login", data=form).status_code == 302
    return client


def token(page: TestResponse) -> str:
    return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)[1]  # type: ignore[index]


def send(client: FlaskClient, path: str, **form: Any) -> TestResponse:
    return client.post(path, data=form | {"csrf_token": token(client.get("/frontages/F1/edit"))})


def shops(app: Flask) -> list[tuple[Any, ...]]:
    with app.extensions["steward"].database.read() as session:
        return [(one.code, one.shop_name, one.state, one.ended_on, one.version) for one in session.query(Frontage)]


@pytest.mark.parametrize("version", ODD)
def test_no_form_of_a_register_overwrites_what_it_has_not_seen(app: Flask, head: FlaskClient, version: str) -> None:
    before = shops(app)
    answers = [
        send(head, "/frontages/F1/edit", shop_name="盖掉", version=version),
        send(head, "/frontages/F1/end", reason="搬走了", version=version),
        send(head, "/frontages/F3/restore", version=version),
        send(head, "/frontages/bulk", code=["F1"], was=[version], field="state", value="closed", sure="1"),
    ]
    assert [one.status_code for one in answers] == [422] * 4
    assert shops(app) == before


def test_a_bulk_change_needs_the_version_of_every_row(app: Flask, head: FlaskClient) -> None:
    before = shops(app)
    form = {"field": "state", "value": "closed", "sure": "1"}
    for was in ([], ["4"], ["4", "4", "4"]):
        assert send(head, "/frontages/bulk", code=["F1", "F2"], was=was, **form).status_code == 422
    assert shops(app) == before


@pytest.mark.parametrize("version", [one for one in ODD if one != "0"])
def test_nor_do_the_forms_of_office_and_accounts(app: Flask, head: FlaskClient, version: str) -> None:
    with app.extensions["steward"].database.read() as session:
        number = session.query(Account).filter_by(name="looker").one().id
    form = {"border_m": "11", "frontage_m": "15", "here_m": "50", "version": version}
    assert send(head, "/admin/office/distances", **form).status_code == 422
    changed = {"role": "viewer", "display_name": "别的名字", "version": version}
    assert send(head, f"/accounts/{number}", **changed).status_code == 422
    with app.extensions["steward"].database.read() as session:
        assert session.query(OfficeSetting).count() == 0
        assert session.get_one(Account, number).display_name == "looker"


def test_a_refused_account_form_keeps_the_version_that_was_seen(app: Flask, head: FlaskClient) -> None:
    """Else what somebody else saved meanwhile would be overwritten by the second try."""
    with app.extensions["steward"].database.write() as session:
        account = session.query(Account).filter_by(name="firm").one()
        account.version, number = 3, account.id
    answer = send(head, f"/accounts/{number}", role="king", version="2")
    assert answer.status_code == 422
    assert re.search(r'name="version" value="2"', answer.text)
    assert send(head, f"/accounts/{number}", role="viewer", version="2").status_code == 409
