"""The form that puts a duty right: what it is for is proposed and understood by code and by name."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from service.duties.models import Duty
from service.grids.models import Grid
from service.records import counters
from tests.responsibility.town import A1, A2, B1, SPECIAL
from tests.stores import Stores
from tests.web.test_register_pages import filled, send
from tests.web.town_service import client_of, town_service

SUGGEST = "/duties/subjects/suggest"


@pytest.fixture
def app(stores: Stores, store_kind: str, tmp_path: Path) -> Iterator[Flask]:
    yield from town_service(stores, store_kind, tmp_path)


@pytest.fixture
def chief(app: Flask) -> FlaskClient:
    return client_of(app, "chief")


def proposed(client: FlaskClient, kind: str, words: str = "") -> list[str]:
    return [one["value"] for one in client.get(f"{SUGGEST}?kind={kind}&q={words}").json["results"]]


def name_of(app: Flask, code: str) -> str:
    with app.extensions["steward"].database.read() as session:
        return session.scalars(select(Grid.name).where(Grid.code == code)).first()  # type: ignore[return-value]


def subject(app: Flask, code: str) -> str:
    with app.extensions["steward"].database.read() as session:
        return session.scalars(select(Duty.subject_code).where(Duty.code == code)).one()


def test_subjects_are_proposed_by_code_and_by_name_within_the_area(app: Flask, chief: FlaskClient) -> None:
    assert set(proposed(chief, "grid")) >= {A1, A2, B1, SPECIAL}
    assert proposed(chief, "grid", A2[-9:]) == [A2]
    assert proposed(chief, "grid", name_of(app, A2)) == [A2]
    assert proposed(chief, "grid", "nowhere") == [] and proposed(chief, "community")
    west = client_of(app, "west")
    assert A1 in proposed(west, "grid") and B1 not in proposed(west, "grid")
    assert chief.get(f"{SUGGEST}?kind=moon").status_code == 422
    assert client_of(app, "looker").get(f"{SUGGEST}?kind=grid").status_code == 403


def test_the_form_lists_them_without_scripts_too_and_says_what_it_is_for_now(app: Flask, chief: FlaskClient) -> None:
    page = html.unescape(chief.get("/duties/D2/edit").text)
    assert f"现在是{name_of(app, A1)}" in page
    options = re.search(r'<datalist id="l-subject_code">(.*?)</datalist>', page, re.S)
    assert options and f'<option value="{A2}" label="{name_of(app, A2)}">' in options[1]
    assert 'list="l-person_code" data-suggest="/people/suggest"' in page


def test_a_name_is_understood_where_only_one_is_called_so(app: Flask, chief: FlaskClient) -> None:
    fields = filled(chief, "/duties/D2/edit")
    assert fields["subject_code"] == A1
    answer = send(chief, "/duties/D2/edit", **fields | {"subject_code": name_of(app, A2)})
    assert answer.status_code == 302 and subject(app, "D2") == A2

    fields = filled(chief, "/duties/D2/edit")
    answer = send(chief, "/duties/D2/edit", **fields | {"subject_code": "没有这个"})
    assert answer.status_code == 422 and "没有“没有这个”这个网格" in answer.text and 'value="没有这个"' in answer.text

    database = app.extensions["steward"].database
    with database.write() as session:
        session.execute(update(Grid).where(Grid.code.in_((A1, B1))).values(name="同名网格"))
        for name in (counters.RESPONSIBILITY, counters.GROUND):
            counters.move(session, name)
    answer = send(chief, "/duties/D2/edit", **fields | {"subject_code": "同名网格"})
    assert answer.status_code == 422 and subject(app, "D2") == A2
    said = html.unescape(answer.text)
    assert "有 2 个" in said and A1 in said and B1 in said and "写编码" in said
