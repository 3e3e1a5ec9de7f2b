"""The search box: what it finds for whom, and how the result is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import shapely
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from service.db.spatial import encode
from service.frontages.models import Frontage
from service.incidents.models import Incident
from service.people.models import Organisation, Person
from service.places.models import Building, Place, Street
from service.records import counters
from service.registers import search as keeper
from tests.conftest import MONDAY_NOON
from tests.responsibility.town import A1, A2, EAST_HOME, WEST_HOME, at, box
from tests.stores import Stores
from tests.web.town_service import ACCOUNTS, client_of, town_service

YESTERDAY = date(2026, 11, 22)
EVERYONE = [None, *ACCOUNTS]


@pytest.fixture(scope="module")
def app(stores: Stores, store_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    made = town_service(stores, store_kind, tmp_path_factory.mktemp("search"))
    app = next(made)
    with app.extensions["steward"].database.write() as session:
        line = encode(shapely.MultiLineString([[at(0, 1), at(5, 1)]]))
        rest = encode(shapely.MultiLineString([[at(5, 1), at(9, 1)]]))
        house = encode(shapely.MultiPolygon([box(3, 3, 3.2, 3.2)]))
        session.add_all(
            [
                Street(code="S1", name="平湖路", geom=line),
                Street(code="S2", name="平湖路", geom=rest),
                Building(code="B1", name=None, address="平湖路12号", geom=house),
                Place(code="W1", name="平湖农贸市场", kind="market", geom=encode(shapely.Point(at(2, 2)))),
                Organisation(code="U1", name="平湖城管队", phone="023-57680001"),
                Person(code="P99", name="平湖生", phone="13700007777", organisation_code="U1"),
                Frontage(code="F9", shop_name="旧店", ended_on=YESTERDAY, geom=encode(shapely.Point(at(1, 1)))),
                Frontage(code="F8", shop_name="新店", ended_on=date(2027, 1, 1), geom=encode(shapely.Point(at(11, 8)))),
                Person(code="P98", name="旧人", ended_on=YESTERDAY),
            ]
        )
        for number, grid, home, spot in (
            ("2026-1119-0417", A1, WEST_HOME, at(1, 1)),
            ("2026-1119-0418", EAST_HOME + "001", EAST_HOME, at(1, 6)),
        ):
            session.add(
                Incident(number=number, category_name="店外经营", state="handling", reported_at=MONDAY_NOON,
                         grid_code=grid, community_code=home, geom=encode(shapely.Point(spot)))
            )  # fmt: skip
        for name in counters.NAMES:
            counters.move(session, name)
    yield app
    next(made, None)


def ask(client: FlaskClient, q: str, **more: str) -> list[dict[str, Any]]:
    answer = client.get("/map/search", query_string={"q": q, **more})
    assert answer.status_code == 200
    return answer.json["results"]


def found(app: Flask, name: str | None, q: str) -> set[tuple[str, str]]:
    return {(one["kind"], one["code"]) for one in ask(client_of(app, name), q)}


@pytest.mark.parametrize(
    ("q", "kind", "code"),
    [
        (A1, "grid", A1), ("聚鹤", "community", WEST_HOME), ("juhe", "community", WEST_HOME),
        ("jhsq", "community", WEST_HOME),
        ("张记", "frontage", "F1"), ("zhangji", "frontage", "F1"), ("zj", "frontage", "F1"), ("f1", "frontage", "F1"),
        ("平湖路", "street", "S1"), ("phnmsc", "place", "W1"), ("平湖路12", "building", "B1"),
        ("王五", "person", "P3"), ("wangwu", "person", "P3"), ("ww", "person", "P3"),
        ("0001", "frontage", "F1"), ("13900000001", "frontage", "F1"), ("0002", "person", "P3"),
        ("2026-1119-04", "incident", "2026-1119-0417"),
    ],
)  # fmt: skip
def test_a_supervisor_finds_everything(app: Flask, q: str, kind: str, code: str) -> None:
    assert (kind, code) in found(app, "chief", q)


@pytest.mark.parametrize(
    ("q", "one", "by"),
    [
        ("张记", ("frontage", "F1"), set(EVERYONE)),
        ("聚鹤", ("community", WEST_HOME), set(EVERYONE)),
        ("平湖路", ("street", "S1"), set(EVERYONE)),
        ("phnmsc", ("place", "W1"), set(EVERYONE)),
        ("平湖路12号", ("building", "B1"), set(ACCOUNTS)),
        ("王五", ("person", "P3"), {"head", "chief", "looker", "west", "walker"}),
        ("吴十", ("person", "P8"), {"head", "chief", "looker", "west"}),
        ("0002", ("person", "P3"), {"head", "chief", "west", "walker"}),
        ("0001", ("frontage", "F1"), {"head", "chief", "west", "walker"}),
        ("2026-1119-0417", ("incident", "2026-1119-0417"), {"head", "chief", "looker", "west", "walker"}),
        ("2026-1119-0418", ("incident", "2026-1119-0418"), {"head", "chief", "looker", "east"}),
        ("旧店", ("frontage", "F9"), set()),
        ("旧人", ("person", "P98"), set()),
        ("新店", ("frontage", "F8"), set(EVERYONE)),
    ],
)
def test_who_finds_what(app: Flask, q: str, one: tuple[str, str], by: set[str | None]) -> None:
    assert {name for name in EVERYONE if one in found(app, name, q)} == by


def test_a_phone_that_was_found_is_told_masked(app: Flask) -> None:
    (one,) = [hit for hit in ask(client_of(app, "walker"), "0002") if hit["kind"] == "person"]
    assert one["title"] == "王五　网格长" and "138****0002" in one["subtitle"]
    for name in EVERYONE:
        for hit in ask(client_of(app, name), "1380000"):
            assert "1380000" not in hit["subtitle"]


def test_results_tell_where_and_lead_somewhere(app: Flask) -> None:
    chief = client_of(app, "chief")
    (street,) = [one for one in ask(chief, "平湖路") if one["kind"] == "street"]
    assert street["bbox"] == pytest.approx([*at(0, 1), *at(9, 1)], abs=1e-6), "one street, both pieces"
    (person,) = [one for one in ask(chief, "王五") if one["kind"] == "person"]
    assert shapely.covers(box(0, 0, 6, 5), shapely.Point(person["lon"], person["lat"]))
    assert person["url"] == "/people/P3"
    (home,) = [one for one in ask(chief, "聚鹤社区") if one["kind"] == "community"]
    assert home["subtitle"] == "3 个网格" and "p=" not in home["url"]
    (grid,) = [one for one in ask(chief, A2, on="2026-11-20") if one["kind"] == "grid"]
    assert grid["url"] == f"/grids/{A2}"
    assert all(one["url"] for q in ("平湖", "2026", "社区", "张") for one in ask(chief, q))


def test_coordinates_either_way_round(app: Flask) -> None:
    for q in ("109.88,31.07", "31.07，109.88", "109.88 31.07"):
        (one,) = ask(client_of(app, None), q)
        assert (one["kind"], one["lon"], one["lat"]) == ("coordinates", 109.88, 31.07)
    assert ask(client_of(app, None), "200,200") == []


@pytest.mark.parametrize("q", ["", " ", "%", "_", "'", '"', "\\", "<script>", "2026%", "20__", "a" * 500, "\x00", "🙂"])
def test_odd_words_are_only_words(app: Flask, q: str) -> None:
    assert ask(client_of(app, "chief"), q) == []


def test_a_change_is_found_at_once_and_readings_are_kept(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    chief, database = client_of(app, "chief"), app.extensions["steward"].database
    assert found(app, "chief", "改名后") == set()
    with database.write() as session:
        shop = session.scalars(select(Frontage).where(Frontage.code == "F3")).one()
        shop.shop_name = "改名后的店"
        counters.move(session, counters.RESPONSIBILITY)
    assert [one["code"] for one in ask(chief, "gmhdd")] == ["F3"]
    monkeypatch.setattr(keeper, "_LARGE", 0)  # from here on it is read behind, and the state before answers meanwhile
    with database.write() as session:
        session.scalars(select(Frontage).where(Frontage.code == "F3")).one().shop_name = "再改的店"
        counters.move(session, counters.RESPONSIBILITY)
    ask(chief, "再改")
    reading = app.extensions["steward"].search._reading
    assert reading is not None
    reading.join(10)
    assert [one["code"] for one in ask(chief, "再改")] == ["F3"]


def test_records_with_a_page_lead_to_it_within_the_area(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as a register has pages, results lead there; outside one's area to the map."""
    pages = {"frontage": "/frontages/F1", "organisation": "/organisations/U1"}
    monkeypatch.setattr("service.web.search_results.page", lambda kind, code: pages.get(kind))
    monkeypatch.setattr("service.web.search.page", lambda kind, code: pages.get(kind))
    url = {name: ask(client_of(app, name), "张记")[0]["url"] for name in ("chief", "west", "walker", "east")}
    assert url["chief"] == url["west"] == url["walker"] == "/frontages/F1"
    assert url["east"].startswith("/map?p=")
    (unit,) = [one for one in ask(client_of(app, "chief"), "phcgd") if one["kind"] == "organisation"]
    assert (unit["url"], unit["lon"], unit["title"]) == ("/organisations/U1", None, "平湖城管队")
    assert {name for name in ACCOUNTS if ("organisation", "U1") in found(app, name, "城管队")} == {
        "head", "chief", "looker", "firm",
    }  # fmt: skip


def test_every_page_has_the_box(app: Flask) -> None:
    public = client_of(app, None)
    for path in ("/login", "/map", "/nothing-here"):
        assert public.get(path, headers={"Accept": "text/html"}).text.count('id="seek-input"') == 1, path
