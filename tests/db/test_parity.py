"""The same questions to a GeoPackage and to PostGIS that hold the same demo: the same answers."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from service.people.accounts import create_account
from tests.conftest import MONDAY_NOON, PASSWORD, POSTGRES, bearer, no_postgres, the_demo
from tests.stores import Stores, settings_of

QUESTIONS = [
    "/map/grids.geojson",
    "/map/grids.geojson?on=2020-01-01",
    "/map/ground?bbox=109.85,31.05,109.90,31.09&z=16",
    "/map/frontages?bbox=109.87,31.065,109.885,31.075",
    "/map/places?bbox=109.85,31.05,109.90,31.09",
    "/map/faults.geojson",
    "/map/clusters?bbox=109.85,31.05,109.90,31.09&z=15",
    "/map/clusters?bbox=109.85,31.05,109.90,31.09&z=14&status=all&from=2026-09-01&to=2026-10-31",
    "/map/clusters?bbox=109.85,31.05,109.90,31.09&z=15&status=late",
    "/map/clusters?bbox=109.85,31.05,109.90,31.09&z=15&category=09009&community=500237002001&status=all",
    "/map/clusters?bbox=109.875,31.068,109.882,31.074&z=18&status=all",
    "/map/search?q=网格",
    "/map/search?q=龙门大道",
    "/map/search?q=500237002002009",
]


@contextmanager
def asker(stores: Stores, kind: str, folder: Path) -> Iterator[FlaskClient]:
    with stores.copied(kind, the_demo, folder) as url:
        app = create_app(settings_of(url, folder))
        with app.extensions["steward"].database.write() as session:
            create_account(session, "asker", "supervisor", PASSWORD, MONDAY_NOON)
        yield bearer(app, "asker")
        app.extensions["steward"].database.close()


@pytest.fixture(scope="module")
def both(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FlaskClient, FlaskClient]]:
    """(a client of the GeoPackage's service, a client of the PostGIS one's)."""
    if not POSTGRES:
        no_postgres()
    folder = tmp_path_factory.mktemp("parity")
    with asker(stores, "gpkg", folder) as first, asker(stores, "postgis", folder) as second:
        yield first, second


def asked(client: FlaskClient, path: str) -> object:
    answer = client.get(path)
    assert answer.status_code == 200
    data = gzip.decompress(answer.data) if answer.data[:2] == b"\x1f\x8b" else answer.data
    return json.loads(data)


@pytest.mark.parametrize("path", QUESTIONS)
def test_the_map_is_told_the_same(both: tuple[FlaskClient, FlaskClient], path: str) -> None:
    first, second = (asked(client, path) for client in both)
    assert first == second


def test_the_lookup_answers_the_same_at_five_hundred_points(both: tuple[FlaskClient, FlaskClient]) -> None:
    chance = random.Random(5)
    for _ in range(500):
        where = f"lon={chance.uniform(109.864, 109.896):.6f}&lat={chance.uniform(31.058, 31.082):.6f}"
        day = chance.choice(["", "&on=2025-06-01", "&on=2027-01-01"])
        first, second = (asked(client, f"/api/v1/lookup?{where}{day}") for client in both)
        assert first == second


def test_the_panel_reads_the_same(both: tuple[FlaskClient, FlaskClient]) -> None:
    pages = [client.get("/map/answer?lon=109.8782&lat=31.0718").text for client in both]
    pages = [re.sub(r'data-csrf="[^"]*"', "", page) for page in pages]  # each session's own
    assert pages[0] == pages[1]
