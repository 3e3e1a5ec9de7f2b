"""What all tests share: a fresh store of either kind, the service with the demo, the shared data sets."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from service.app import create_app
from service.config import ROOT, Settings, load_settings
from service.db.engine import Database
from service.db.migrate import migrate
from service.intake.demo import load_demo
from service.people.accounts import create_account, make_token

MONDAY_NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
POSTGRES = os.environ.get("STEWARD_TEST_POSTGRES", "")
NO_POSTGRES = "no PostGIS: set STEWARD_TEST_POSTGRES to the URL of a server where databases may be made"
PASSWORD = "Correct-horse-9"


def no_postgres() -> None:
    """A skip that says why; in CI a failure."""
    if os.environ.get("CI"):
        pytest.fail(NO_POSTGRES)
    pytest.skip(NO_POSTGRES)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real data sets; skips where they are absent."""
    folder = Path(os.environ.get("STEWARD_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no data sets at {folder.name}: set STEWARD_TEST_DATA")
    return folder


@pytest.fixture(autouse=True)
def _fixed_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test happens on Monday noon in Shanghai."""
    monkeypatch.setenv("STEWARD_NOW", MONDAY_NOON.isoformat())


def fresh_postgres(copied: str | None = None) -> Iterator[str]:
    """A database of its own on the test server, dropped afterwards; `copied`: the name of one to begin as."""
    name = f"steward_test_{secrets.token_hex(6)}"
    server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{copied}"' if copied else "")))
    yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    server.dispose()


@pytest.fixture(scope="session", params=["gpkg", "postgis"])
def store_kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    if kind == "postgis" and not POSTGRES:
        no_postgres()
    return kind


@pytest.fixture
def store_url(store_kind: str, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty store."""
    if store_kind == "gpkg":
        yield f"gpkg:///{tmp_path / 'steward.gpkg'}"
    else:
        yield from fresh_postgres()


@pytest.fixture
def database(store_url: str, tmp_path: Path) -> Iterator[Database]:
    """An empty, migrated store."""
    migrate(store_url, tmp_path / "backups", MONDAY_NOON)
    made = Database(store_url)
    yield made
    made.close()


@pytest.fixture
def settings(store_url: str, tmp_path: Path) -> Settings:
    """Settings of a service over the test's store."""
    return load_settings(data_dir=tmp_path / "data", database_url=store_url, secret_key="test", host="127.0.0.1")


@pytest.fixture(scope="session")
def demo_app(store_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The service with the demo; shared, so tests don't change its data."""
    folder = tmp_path_factory.mktemp("demo")
    urls = iter([f"gpkg:///{folder / 'steward.gpkg'}"]) if store_kind == "gpkg" else fresh_postgres()
    url = next(urls)
    given = load_settings(data_dir=folder, database_url=url, secret_key="test", host="127.0.0.1")
    migrate(url, folder, MONDAY_NOON)
    database = Database(url)
    load_demo(database, given, MONDAY_NOON)
    with database.write() as session:
        for role in ("admin", "supervisor", "viewer"):
            create_account(session, f"test-{role}", role, PASSWORD, MONDAY_NOON)
    app = create_app(given)
    yield app
    database.close()
    app.extensions["steward"].database.close()
    next(urls, None)


@pytest.fixture
def public(demo_app: Flask) -> FlaskClient:
    """Somebody who isn't signed in."""
    return demo_app.test_client()


@pytest.fixture
def supervisor(demo_app: Flask) -> FlaskClient:
    """A client that carries a supervisor's token."""
    return bearer(demo_app, "test-supervisor")


def bearer(app: Flask, account: str) -> FlaskClient:
    """A client with a fresh token of an account."""
    with app.extensions["steward"].database.write() as session:
        token = make_token(session, account, "test", MONDAY_NOON)
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client
