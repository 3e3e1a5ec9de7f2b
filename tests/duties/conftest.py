"""The town of tests/registers, with duties that are changed by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from service.duties import actions
from service.duties.ledger import Verdict
from service.duties.models import Duty
from service.duties.queries import DutyRow, all_duties
from service.duties.steps import Step
from service.people.access import EVERYWHERE, Area
from service.records.models import AuditEntry
from service.registers.subjects import facts_for
from tests.registers.conftest import TODAY, Town, by
from tests.registers.conftest import filling as filling
from tests.registers.conftest import town as town


@dataclass
class Office:
    """Duties as one worker sees them; every call is a request of its own."""

    town: Town

    def do(self, step: Step, area: Area = EVERYWHERE, note: str | None = None) -> list[Verdict]:
        facts = self.facts(area)
        with self.town.database.write() as session:
            return actions.carry_out(session, step, facts, by(area), note)

    def look(self, step: Step, area: Area = EVERYWHERE) -> list[Verdict]:
        facts = self.facts(area)
        with self.town.database.read() as session:
            return actions.judge(session, step, facts)

    def correct(
        self, code: str, values: dict[str, Any], version: int | None = None, area: Area = EVERYWHERE
    ) -> Verdict:
        facts = self.facts(area)
        with self.town.database.write() as session:
            return actions.correct(session, code, values, version, facts, by(area))

    def facts(self, area: Area = EVERYWHERE) -> Any:
        with self.town.database.read() as session:
            return facts_for(session, self.town.keeper.on(TODAY), area)

    def rows(self) -> dict[str, DutyRow]:
        with self.town.database.read() as session:
            return {one.code: one for one in all_duties(session)}

    def version(self, code: str) -> int:
        with self.town.database.read() as session:
            return session.scalars(select(Duty.version).where(Duty.code == code)).one()

    def trail(self, code: str) -> list[tuple[str, Any, Any]]:
        with self.town.database.read() as session:
            found = session.scalars(
                select(AuditEntry)
                .where(AuditEntry.subject_kind == "duties", AuditEntry.subject_code == code)
                .order_by(AuditEntry.id)
            )
            return [(one.action, one.before, one.after) for one in found]

    def leader(self, grid: str, on: date) -> str | None:
        held = self.town.keeper.on(on).leader_of(grid)
        return held.person.code if held else None


@pytest.fixture
def office(town: Town) -> Office:
    return Office(town)
