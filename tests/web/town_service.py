"""The small town behind the whole service, with an account of every role."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.config import Settings
from service.db.engine import Database
from service.people.accounts import create_account
from service.people.models import Account
from tests.conftest import MONDAY_NOON, PASSWORD, bearer
from tests.responsibility.town import EAST_HOME, WEST_HOME, load_town
from tests.stores import Stores, settings_of

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


def accounts(database: Database, _settings: Settings, _folder: Path) -> None:
    """A filling: an office without data."""
    with database.write() as session:
        for name, (role, area, unit, person) in ACCOUNTS.items():
            made: Account = create_account(session, name, role, PASSWORD, MONDAY_NOON, area=area, unit=unit)
            made.person_code = person


def town_with_accounts(database: Database, settings: Settings, folder: Path) -> None:
    """A filling."""
    load_town(database, settings, folder)
    accounts(database, settings, folder)


def town_service(stores: Stores, store_kind: str, folder: Path, load: bool = True) -> Iterator[Flask]:
    """For a fixture: yields the application over a town of its own, then takes it down. load: with the town; else an
    office without data."""
    with stores.copied(store_kind, town_with_accounts if load else accounts, folder) as url:
        app = create_app(settings_of(url, folder / "data"))
        yield app
        app.extensions["steward"].database.close()


def client_of(app: Flask, name: str | None) -> FlaskClient:
    """A client of an account; None: the public."""
    return app.test_client() if name is None else bearer(app, name)
