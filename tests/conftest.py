"""What all tests share: stores of either kind, the service with the demo, the shared data sets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import jinja2
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket

from service.app import create_app
from service.config import ROOT, Settings
from service.db.engine import Database
from service.intake.demo import load_demo
from service.people import passwords
from service.people.accounts import create_account, make_token
from tests.stores import MONDAY_NOON, POSTGRES, Filling, Stores, nothing, settings_of

__all__ = ["MONDAY_NOON", "PASSWORD", "POSTGRES", "bearer", "no_postgres"]

NO_POSTGRES = "no PostGIS: set STEWARD_TEST_POSTGRES to the URL of a server where databases may be made"
PASSWORD = "Correct-horse-9"
OWN_HASHER, OWN_NOBODYS = passwords._HASHER, passwords._NOBODYS


def no_postgres() -> None:
    """A skip that says why; in CI a failure."""
    if os.environ.get("CI"):
        pytest.fail(NO_POSTGRES)
    pytest.skip(NO_POSTGRES)


class _Compiled(jinja2.BytecodeCache):
    """Templates compiled once per process rather than once per application."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key, bucket.checksum] = bucket.code


@pytest.fixture(scope="session", autouse=True)
def _light() -> Iterator[None]:
    """What costs by intention or by repetition: passwords are hashed lightly (tests/people/test_passwords.py looks at
    the service's own hashes), templates are compiled once. It is Monday noon between the tests as well."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        patch.setattr(passwords, "_NOBODYS", OWN_NOBODYS.replace("m=65536,t=3,p=4", "m=8,t=1,p=1"))
        patch.setattr(Flask, "jinja_options", Flask.jinja_options | {"bytecode_cache": _Compiled()})
        patch.setenv("STEWARD_NOW", MONDAY_NOON.isoformat())
        yield


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


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """Where every store of a test comes from."""
    made = Stores(tmp_path_factory.mktemp("stores"))
    yield made
    made.close()


@pytest.fixture(scope="session", params=["gpkg", "postgis"])
def store_kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    if kind == "postgis" and not POSTGRES:
        no_postgres()
    return kind


@pytest.fixture
def filling() -> Filling:
    """What `database` holds when a test begins: nothing. A module or a folder of tests overrides it with its own."""
    return nothing


@pytest.fixture
def blank_url(stores: Stores, store_kind: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a store that isn't migrated yet."""
    folder = tmp_path / "blank"
    folder.mkdir()
    with stores.blank(store_kind, folder) as url:
        yield url


@pytest.fixture
def store_url(stores: Stores, store_kind: str, filling: Filling, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated store with the filling, the test's own."""
    with stores.copied(store_kind, filling, tmp_path) as url:
        yield url


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    """The same, opened."""
    made = Database(store_url)
    yield made
    made.close()


@pytest.fixture
def settings(store_url: str, tmp_path: Path) -> Settings:
    """Settings of a service over the test's store."""
    return settings_of(store_url, tmp_path / "data")


def the_demo(database: Database, settings: Settings, _folder: Path) -> None:
    """A filling: the demo."""
    load_demo(database, settings, MONDAY_NOON)


def _demo_service(stores: Stores, store_kind: str, folder: Path) -> Iterator[Flask]:
    with stores.copied(store_kind, the_demo, folder) as url:
        app = create_app(settings_of(url, folder))
        with app.extensions["steward"].database.write() as session:
            for role in ("admin", "supervisor", "viewer"):
                create_account(session, f"test-{role}", role, PASSWORD, MONDAY_NOON)
        yield app
        app.extensions["steward"].database.close()


@pytest.fixture(scope="session")
def demo_app(stores: Stores, store_kind: str) -> Flask:
    """The service with the demo; shared, so tests don't change its data."""
    return stores.kept(store_kind, _demo_service)


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
