"""The small town of tests/responsibility, and people who draw its grids anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import shapely
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.config import Settings
from service.db.engine import Database
from service.duties import planning
from service.duties.models import Duty
from service.duties.planning import Roster, duties_of_grids
from service.geo.tiling import area_of
from service.grids import draft_queries as q
from service.grids import drafting, drawing
from service.grids.draft_models import Draft
from service.grids.draft_rows import State
from service.grids.drafting import Drawer, Saved
from service.grids.drawing import Desk
from service.people.access import EVERYWHERE, Area
from service.people.queries import persons
from service.records.audit import Actor
from service.responsibility import publishing
from service.responsibility.keeper import Responsibility
from service.responsibility.publishing import Done, Order
from tests.conftest import MONDAY_NOON
from tests.responsibility.town import EAST_HOME, OFFICE, WEST_HOME, at, bring, keeper_of, load_town
from tests.stores import Filling

TODAY, TOMORROW, NEXT_MONDAY = date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 30)


def drawer(name: str, role: str, area: Area) -> Drawer:
    return Drawer(Actor(name, role), area, MONDAY_NOON, OFFICE)


WEST_MANAGER = drawer("west", "manager", Area(communities=frozenset({WEST_HOME})))
EAST_MANAGER = drawer("east", "manager", Area(communities=frozenset({EAST_HOME})))
CHIEF = drawer("chief", "supervisor", EVERYWHERE)
HEAD = drawer("head", "admin", EVERYWHERE)


def line(*points: tuple[float, float]) -> Any:
    return shapely.LineString([at(*point) for point in points])


@dataclass
class Bench:
    """Drafts over one store; every call is a transaction of its own."""

    database: Database
    settings: Settings
    folder: Path
    keeper: Responsibility
    by: Drawer = field(default=WEST_MANAGER)

    def begin(
        self, *communities: str, by: Drawer | None = None, name: str | None = None, on: date | None = None
    ) -> int:
        with self.database.write() as session:
            return drafting.begin(session, communities or (WEST_HOME,), name, on, by or self.by).id

    def draft(self, draft_id: int) -> Draft:
        with self.database.read() as session:
            found = session.get_one(Draft, draft_id)
            session.expunge(found)
            return found

    def state(self, draft_id: int) -> State:
        with self.database.read() as session:
            return q.state_of(session, draft_id)

    def _desk(self, session: Session, draft: Draft, state: State, by: Drawer) -> Desk:
        return Desk(
            q.base_of(session, draft.id),
            q.communities_by_code(session, list(draft.communities), TODAY),
            lambda home: q.codes_used(session, home),
            lambda home: q.codes_of_editions(session, home),
            lambda codes: q.codes_taken(session, codes, draft),
            {row.code: row.geom for row in q.around_of(session, draft.communities, state)},
            by.supervises,
        )

    def step(
        self, draft_id: int, what: str, *given: Any, version: int | None = None, by: Drawer | None = None, **more: Any
    ) -> Saved:
        """One of drawing's or planning's steps, on the version that the draft has unless another is named."""
        who = by or self.by
        with self.database.write() as session:
            draft = session.get_one(Draft, draft_id)

            def take(state: State) -> Any:
                if hasattr(planning, what):
                    base = q.base_of(session, draft_id)
                    roster = Roster(duties_of_grids(session, base.grids, TODAY), persons(session), TODAY)
                    return getattr(planning, what)(roster, state, *given, **more)
                return getattr(drawing, what)(self._desk(session, draft, state, who), state, *given, **more)

            return drafting.take_step(session, draft_id, version or draft.version, what, take, who)

    def split(self, draft_id: int, code: str, *points: tuple[float, float], **more: Any) -> Saved:
        return self.step(draft_id, "split", code, line(*points), "larger", None, None, **more)

    def undo(self, draft_id: int) -> Saved:
        with self.database.write() as session:
            return drafting.undo(session, draft_id, session.get_one(Draft, draft_id).version, self.by)

    def redo(self, draft_id: int) -> Saved:
        with self.database.write() as session:
            return drafting.redo(session, draft_id, session.get_one(Draft, draft_id).version, self.by)

    def publish(self, draft_id: int, on: date = NEXT_MONDAY, by: Drawer | None = None, **more: Any) -> Done:
        with self.database.write() as session:
            version = session.get_one(Draft, draft_id).version
            return publishing.publish(session, draft_id, version, Order(on, **more), by or self.by)

    def withdraw(self, draft_id: int, by: Drawer | None = None) -> Done:
        with self.database.write() as session:
            return publishing.withdraw(session, draft_id, by or self.by)

    def duties(self) -> dict[str, tuple[Any, ...]]:
        """Every duty: role, subject, person, acting person, days."""
        names = ("role", "subject_kind", "subject_code", "person_code", "acting_code", "acting_until")
        with self.database.read() as session:
            return {
                row.code: tuple(getattr(row, name) for name in (*names, "starts_on", "ends_on"))
                for row in session.scalars(select(Duty))
            }

    def leader(self, code: str, on: date) -> str | None:
        held = self.keeper.on(on).leader_of(code)
        return held.person.code if held else None

    def grid_at(self, x: float, y: float, on: date) -> str | None:
        tiling = self.keeper.on(on).tiling
        found = tiling.index.locate_one(*at(x, y))
        return tiling.zones[found].code if found >= 0 else None

    def bring(self, kind: str, path: Path, **options: Any) -> None:
        bring(self.database, self.settings, kind, path, **options)


def same(one: Any, other: Any) -> bool:
    return area_of(shapely.symmetric_difference(one, other)) < 0.01


@pytest.fixture
def filling() -> Filling:
    return load_town


@pytest.fixture
def bench(database: Database, settings: Settings, tmp_path: Path) -> Bench:
    """On either store."""
    return Bench(database, settings, tmp_path, keeper_of(database))
