"""Signed out, the public rule holds on the map, in the lookup, in search and in the API alike."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.config import load_settings
from service.people.rules import Viewer
from service.responsibility.snapshot import Snapshot

INSIDE = {"lon": "109.8782", "lat": "31.0718"}
PHONE = re.compile(r"(?<![\d.])1\d{10}(?!\d)|1\d{2}\*{4}\d{4}")


def all_names(app: Flask) -> set[str]:
    services = app.extensions["steward"]
    snapshot: Snapshot = services.responsibility.on(date(2026, 11, 23))
    return {person.name for person in snapshot.persons.values()}


@pytest.mark.parametrize(
    "path",
    [
        "/map",
        "/map/grids.geojson",
        "/map/answer?lon={lon}&lat={lat}",
        "/api/v1/lookup?lon={lon}&lat={lat}",
        "/map/search?q=网格",
        "/map/frontages?bbox=109.86,31.05,109.90,31.09",
    ],
)
def test_no_full_name_and_no_phone_leaves_the_server(demo_app: Flask, public: FlaskClient, path: str) -> None:
    answer = public.get(path.format(**INSIDE), headers={"Accept-Encoding": "identity"})
    assert answer.status_code == 200
    text = decoded(answer)
    assert not PHONE.search(text)
    shown = {name for name in all_names(demo_app) if len(name) > 1 and name in text}
    assert shown == set()


def decoded(answer: object) -> str:
    import gzip

    data: bytes = answer.data  # type: ignore[attr-defined]
    return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()


def test_the_public_sees_no_incident_but_counts(public: FlaskClient) -> None:
    assert public.get("/map/clusters?bbox=109.8,31,109.9,31.1&z=15").status_code == 401
    assert public.get("/map/faults.geojson").status_code == 401
    grids = json.loads(decoded(public.get("/map/grids.geojson")))
    counted = [one["properties"]["open"] for one in grids["features"]]
    assert sum(counted) > 0
    assert {one["properties"]["overdue"] for one in grids["features"]} == {None}


def test_persons_are_found_only_when_signed_in(public: FlaskClient, supervisor: FlaskClient, demo_app: Flask) -> None:
    name = next(iter(sorted(leaders(demo_app))))
    kinds = {one["kind"] for one in supervisor.get("/map/search", query_string={"q": name}).json["results"]}
    assert "person" in kinds
    assert "person" not in {one["kind"] for one in public.get("/map/search", query_string={"q": name}).json["results"]}


def leaders(app: Flask) -> set[str]:
    snapshot = app.extensions["steward"].responsibility.on(date(2026, 11, 23))
    found = (snapshot.leader_of(zone.code) for zone in snapshot.tiling.zones)
    return {held.person.name for held in found if held}


def test_signed_in_phones_are_masked_in_the_lookup(supervisor: FlaskClient) -> None:
    duties = supervisor.get("/api/v1/lookup", query_string=INSIDE).json["duties"]
    phones = [duty["person"]["phone"] for duty in duties if duty["person"]["phone"]]
    assert phones and all(re.fullmatch(r"\d{3}\*+\d{4}", phone) for phone in phones)


def test_rule_names_publishes_grid_leaders_only() -> None:
    asking = Viewer(None, "names")
    assert asking.name("张三丰", leader=True) == "张三丰"
    assert asking.name("张三丰") == "张*"
    assert asking.phone("13812345678") is None


def test_rule_off_asks_everyone_to_sign_in(demo_app: Flask) -> None:
    given = demo_app.extensions["steward"].settings
    closed = load_settings(
        data_dir=given.data_dir, database_url=given.database_url, secret_key="test", public_map="off"
    )
    from service.app import create_app

    app = create_app(closed)
    client = app.test_client()
    assert client.get("/map").status_code == 302
    assert client.get("/map").headers["Location"].startswith("/login")
    for path in (
        "/api/v1/lookup?lon=109.88&lat=31.07",
        "/map/grids.geojson",
        "/map/search?q=1",
        "/map/answer?lon=1&lat=1",
    ):
        assert client.get(path).status_code == 401
    assert client.get("/healthz").status_code == 200
    app.extensions["steward"].database.close()


def test_the_public_reads_a_shops_name_but_nothing_of_its_agreement(
    public: FlaskClient, supervisor: FlaskClient
) -> None:
    asked = "/map/frontages?bbox=109.86,31.05,109.90,31.09"
    shops = public.get(asked).json["frontages"]
    assert len(shops) > 100 and {standing for _, _, standing, _ in shops} == {"valid"}
    assert len({standing for _, _, standing, _ in supervisor.get(asked).json["frontages"]}) > 1
    panel = {"lon": "109.877920", "lat": "31.072490"}
    told, untold = (client.get("/map/answer", query_string=panel).text for client in (supervisor, public))
    assert "责任书" in told and "户数" in told
    assert "责任书" not in untold and "户数" not in untold
    snapshot: Snapshot = public.application.extensions["steward"].responsibility.on(date(2026, 11, 23))
    address = {"q": next(row.address for row in snapshot.frontages.rows if row.address)}
    kinds = [
        {one["kind"] for one in client.get("/map/search", query_string=address).json["results"]}
        for client in (supervisor, public)
    ]
    assert "frontage" in kinds[0] and "frontage" not in kinds[1]
