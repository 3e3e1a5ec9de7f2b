"""An order tells as much as a look: no list is sorted by what the asker reads masked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.people.models import Organisation, Person
from service.records.masking import is_masked
from service.records.register import LONG, PERSON, PHONE
from service.registers.kinds import REGISTERS
from tests.stores import Stores
from tests.web.town_service import ACCOUNTS, client_of, town_service

KEPT = [name for name, one in REGISTERS.items() if name != "buildings"]


@pytest.fixture(scope="module")
def app(stores: Stores, store_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder: Path = tmp_path_factory.mktemp("sorting")
    for made in town_service(stores, store_kind, folder):
        with made.extensions["steward"].database.write() as session:
            session.add(Organisation(code="U1", name="环卫一队", head_code="P7"))
            for code in ("P4", "P5", "P7"):  # 赵六、钱七、周九 work in the unit, nobody leads a grid
                session.query(Person).filter_by(code=code).one().organisation_code = "U1"
        yield made


@pytest.fixture(scope="module")
def clients(app: Flask) -> dict[str, FlaskClient]:
    return {name: client_of(app, name) for name in ACCOUNTS}


def items(client: FlaskClient, path: str) -> list[dict[str, Any]] | None:
    """None: the sort is refused."""
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code in (200, 422), (path, answer.status_code)
    return list(answer.json["items"]) if answer.status_code == 200 else None


@pytest.mark.parametrize("asker", ACCOUNTS)
@pytest.mark.parametrize("name", KEPT)
def test_no_order_tells_what_is_masked(clients: dict[str, FlaskClient], asker: str, name: str) -> None:
    """Every register, role and field, both ways and unasked: rows whose value is masked stand by their key."""
    register, client = REGISTERS[name], clients[asker]
    for column in ("", *register.columns):
        described = register.by_name.get(column or register.order.removeprefix("-"))
        for sort in (column, f"-{column}") if column else ("",):
            rows = items(client, f"{name}?sort={sort}")
            if described is None or described.kind not in (PHONE, LONG, PERSON):
                continue
            if described.kind in (PHONE, LONG):
                assert rows is None, f"{name} was sorted by {sort} for {asker}"
                continue
            values = [row[described.name] for row in rows or ()]
            hidden = [is_masked(value) for value in values]
            keys = [row[register.key] for row in rows or ()]
            if keys != sorted(keys):  # then those that are masked stand behind the others, by key
                assert hidden == sorted(hidden), (sort, values)
                assert keys[hidden.count(False) :] == sorted(keys[hidden.count(False) :]), (sort, values)


@pytest.mark.parametrize("asker", ACCOUNTS)
@pytest.mark.parametrize("name", KEPT)
def test_a_page_offers_the_sorts_that_the_interface_grants(
    clients: dict[str, FlaskClient], asker: str, name: str
) -> None:
    client = clients[asker]
    every = ",".join(REGISTERS[name].columns)
    page = client.get(f"/{name}?columns={every}", headers={"Accept": "text/html"})
    assert page.status_code == 200
    heads = re.findall(r"<th [^>]*>.*?</th>", page.text)
    if not heads:  # nothing in the area
        return
    for column in REGISTERS[name].columns:
        granted = items(client, f"{name}?sort={column}") is not None
        offered = any(re.search(rf"sort=-?{column}\b", head) for head in heads)
        assert offered == granted, column


def test_an_address_with_a_sort_that_is_not_ones_own_is_read_without_it(clients: dict[str, FlaskClient]) -> None:
    def rows(path: str) -> list[int]:
        page = clients["looker"].get(path, headers={"Accept": "text/html"})
        assert page.status_code == 200
        return [page.text.index(f'href="/people/P{i}') for i in range(1, 9)]

    assert rows("/people") == sorted(rows("/people"))
    assert rows("/people?sort=-name") == sorted(rows("/people?sort=-name"))
    assert clients["looker"].get("/people/export?format=csv&sort=name").status_code == 422
    assert clients["chief"].get("/frontages/export?format=csv&sort=phone").status_code == 422
    assert clients["chief"].get("/people/export?format=csv&sort=name").status_code == 200


def test_a_units_handler_finds_and_sorts_the_own_colleagues(clients: dict[str, FlaskClient]) -> None:
    firm = clients["firm"]
    assert [row["name"] for row in items(firm, "people") or ()] == ["周九", "赵六", "钱七"]
    assert [row["name"] for row in items(firm, "people?sort=-name") or ()] == ["钱七", "赵六", "周九"]
    assert [row["code"] for row in items(firm, "people?q=赵") or ()] == ["P4"]
    assert items(clients["looker"], "people?q=赵") == []


def test_a_units_handler_reads_the_name_of_the_own_head(clients: dict[str, FlaskClient]) -> None:
    firm, looker = clients["firm"], clients["looker"]
    for path in ("/organisations", "/organisations/U1"):
        assert "周九" in firm.get(path).text and "周*" not in firm.get(path).text, path
    assert [row["names"]["head_code"] for row in items(firm, "organisations") or ()] == ["周九"]
    assert "周九" not in looker.get("/organisations").text
    assert [row["names"]["head_code"] for row in items(looker, "organisations") or ()] == ["周*"]
