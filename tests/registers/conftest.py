"""The small town of tests/responsibility with a few places, streets and organisations, and somebody who writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import shapely

from service.clock import local_date
from service.config import Settings
from service.db.engine import Database
from service.incidents.columns import IncidentColumns
from service.people.access import EVERYWHERE, Area
from service.records.audit import Actor
from service.registers import actions, queries
from service.registers.actions import By, Done
from service.registers.history import Event, history
from service.registers.kinds import REGISTERS
from service.registers.location import Located, locate
from service.registers.queries import Asked, Page
from service.registers.rows import Row
from service.responsibility.keeper import Responsibility
from tests.conftest import MONDAY_NOON
from tests.responsibility.town import (
    A1,
    EAST_HOME,
    WEST_HOME,
    at,
    box,
    bring,
    keeper_of,
    layer,
    load_town,
    sheet,
)
from tests.stores import Filling, Stores, settings_of

TODAY = local_date(MONDAY_NOON)
MANAGER_WEST = Area(communities=frozenset({WEST_HOME}))
MANAGER_EAST = Area(communities=frozenset({EAST_HOME}))
OFFICER_A1 = Area(grids=frozenset({A1}), person="P2", subjects=frozenset({("grid", A1)}), homes=frozenset({WEST_HOME}))
UNIT_CLEANERS = Area(organisation="O1")
IN_A1, IN_A2, IN_B1, FAR_AWAY = at(1, 3), at(8, 2), at(2, 7), (109.0, 31.0)


@dataclass
class Town:
    """Registers as one worker sees them; every call is a request of its own."""

    database: Database
    settings: Settings
    folder: Path
    keeper: Responsibility
    columns: IncidentColumns

    def located(self, name: str, on: date = TODAY) -> Located:
        with self.database.read() as session:
            return locate(session, REGISTERS[name], self.keeper.on(on), self.columns.current())

    def page(self, name: str, area: Area = EVERYWHERE, on: date = TODAY, sort: str = "", **filters: str) -> Page:
        """Filters by keyword; several words of one stand behind each other with a |."""
        words = {key: tuple(value.split("|")) for key, value in filters.items()}
        asked = Asked(on, MONDAY_NOON, words, sort, limit=500, area=area)
        with self.database.read() as session:
            return queries.page(session, REGISTERS[name], asked, self.located(name, on))

    def codes(self, name: str, area: Area = EVERYWHERE, **more: Any) -> list[str]:
        return [row.code for row in self.page(name, area, **more).rows]

    def one(self, name: str, code: str, area: Area = EVERYWHERE) -> Row:
        with self.database.read() as session:
            return queries.one(session, REGISTERS[name], code, area, self.located(name))

    def create(self, name: str, values: dict[str, Any], geometry: Any = None, area: Area = EVERYWHERE) -> Done:
        located = self.located(name)
        with self.database.write() as session:
            return actions.create(session, REGISTERS[name], values, by(area), located, geometry)

    def change(self, name: str, code: str, values: dict[str, Any], version: int | None = None, **more: Any) -> Done:
        area, geometry = more.get("area", EVERYWHERE), more.get("geometry")
        located = self.located(name)
        with self.database.write() as session:
            return actions.change(session, REGISTERS[name], code, values, version, by(area), located, geometry)

    def end(self, name: str, code: str, on: date | None = None, area: Area = EVERYWHERE) -> Done:
        located = self.located(name)
        with self.database.write() as session:
            return actions.end(session, REGISTERS[name], code, None, by(area), located, on)

    def restore(self, name: str, code: str) -> Done:
        located = self.located(name)
        with self.database.write() as session:
            return actions.restore(session, REGISTERS[name], code, None, by(EVERYWHERE), located)

    def history(self, name: str, code: str) -> list[Event]:
        with self.database.read() as session:
            return history(session, REGISTERS[name], code, EVERYWHERE, self.located(name))

    def bring(self, kind: str, path: Path, **options: Any) -> None:
        bring(self.database, self.settings, kind, path, **options)


def by(area: Area = EVERYWHERE, name: str = "周主管") -> By:
    return By(Actor(name, "supervisor", "127.0.0.1", 1), area, MONDAY_NOON, "500237002")


def point(where: tuple[float, float]) -> dict[str, Any]:
    return {"type": "Point", "coordinates": list(where)}


_PLACES = [
    (shapely.Point(*IN_A1), {"code": "T1", "name": "南公厕", "kind": "toilet"}),
    (shapely.Point(*IN_B1), {"code": "T2", "name": "北公厕", "kind": "toilet"}),
    (shapely.LineString([at(1, 1), at(1, 9)]), {"code": "R1", "name": "小河", "kind": "river"}),
    (shapely.Point(*at(20, 20)), {"code": "T9", "name": "界外公厕", "kind": "toilet"}),
    (box(3, 1, 3.2, 1.2), {"code": "M1", "name": "农贸市场", "kind": "market"}),
]
_STREETS = [
    (shapely.LineString([at(0.5, 1), at(8, 1)]), {"code": "S1", "name": "南街", "level": "主干路"}),
    (shapely.LineString([at(1, 6), at(3, 6)]), {"code": "S2", "name": "北街", "level": "支路"}),
]
_ORGANISATIONS = [
    {"code": "O1", "name": "环卫所", "kind": "科室", "head_code": "P7"},
    {"code": "O2", "name": "城管办", "kind": "科室", "head_code": ""},
]
_INCIDENTS = [
    (
        shapely.Point(*where),
        {
            "number": number,
            "reported_at": reported,
            "state": state,
            "category": category,
            "closed_at": "2026-11-22 09:00" if state == "closed" else "",
        },
    )
    for where, number, reported, state, category in (
        (IN_A1, "I1", "2026-11-20 10:00", "handling", "06010"),
        (IN_A2, "I2", "2026-11-21 10:00", "closed", "06012"),
        (IN_B1, "I3", "2026-11-22 10:00", "unverified", "06010"),
        (IN_B1, "I4", "2026-10-01 10:00", "inspecting", "09005"),
    )
]


def whole_town(database: Database, settings: Settings, folder: Path) -> None:
    """A filling: the whole town, imported."""
    load_town(database, settings, folder)
    bring(database, settings, "places", layer(folder / "places.geojson", _PLACES))
    bring(database, settings, "streets", layer(folder / "streets.geojson", _STREETS))
    bring(database, settings, "organisations", sheet(folder / "organisations.csv", _ORGANISATIONS))
    bring(database, settings, "incidents", layer(folder / "incidents.geojson", _INCIDENTS))


def over(database: Database, settings: Settings, folder: Path) -> Town:
    return Town(database, settings, folder, keeper_of(database), IncidentColumns(database))


@pytest.fixture
def filling() -> Filling:
    return whole_town


@pytest.fixture
def town(database: Database, settings: Settings, tmp_path: Path) -> Town:
    """On either store, to be changed."""
    return over(database, settings, tmp_path)


def _still(stores: Stores, store_kind: str, folder: Path) -> Iterator[Town]:
    with stores.copied(store_kind, whole_town, folder) as url, closing(Database(url)) as database:
        yield over(database, settings_of(url, folder), folder)


@pytest.fixture
def still_town(stores: Stores, store_kind: str) -> Town:
    """The same for tests that only read."""
    return stores.kept(store_kind, _still)
