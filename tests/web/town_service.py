"""The small town behind the whole service, with an account of every role."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.config import load_settings
from service.db.engine import Database
from service.db.migrate import migrate
from service.people.accounts import create_account
from service.people.models import Account
from tests.conftest import MONDAY_NOON, PASSWORD, bearer, fresh_postgres
from tests.responsibility.town import EAST_HOME, WEST_HOME, load_town

# name: (role, area, unit, person); the acting leader of A1 today is P3.
ACCOUNTS = {
    "head": ("admin", None, None, None),
    "chief": ("supervisor", None, None, None),
    "west": ("manager", WEST_HOME, None, None),
    "east": ("manager", EAST_HOME, None, None),
    "walker": ("officer", None, None, "P3"),
    "idle": ("officer", None, None, None),
    "firm": ("unit", None, "U1", None),
    "looker": ("viewer", None, None, None),
}


def town_service(store_kind: str, folder: Path, load: bool = True) -> Iterator[Flask]:
    """For a fixture: yields the application, then takes it down. load: with the town; else an office without data."""
    urls = iter([f"gpkg:///{folder / 'steward.gpkg'}"]) if store_kind == "gpkg" else fresh_postgres()
    url = next(urls)
    given = load_settings(data_dir=folder / "data", database_url=url, secret_key="test", host="127.0.0.1")
    migrate(url, folder, MONDAY_NOON)
    database = Database(url)
    if load:
        load_town(database, given, folder)
    with database.write() as session:
        for name, (role, area, unit, person) in ACCOUNTS.items():
            made: Account = create_account(session, name, role, PASSWORD, MONDAY_NOON, area=area, unit=unit)
            made.person_code = person
    database.close()
    app = create_app(given)
    yield app
    app.extensions["steward"].database.close()
    next(urls, None)


def client_of(app: Flask, name: str | None) -> FlaskClient:
    """A client of an account; None: the public."""
    return app.test_client() if name is None else bearer(app, name)
