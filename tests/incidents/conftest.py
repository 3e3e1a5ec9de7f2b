"""The town of tests/registers, where incidents are reported and handled: each call is a request of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from service.clock import local_date
from service.incidents import stepping, timeline
from service.incidents.deadlines import Clock
from service.incidents.dispatching import Rule
from service.incidents.effects import Given
from service.incidents.facts import Facts, read_facts
from service.incidents.models import Incident, IncidentContact, IncidentStep
from service.incidents.reporting import Report, Reported, report, report_and_file
from service.people.access import EVERYWHERE, NOWHERE, Area
from service.people.writers import By
from service.records.audit import Actor
from service.records.models import Attachment
from service.responsibility.lookup import Distances
from service.taxonomy.queries import CategoryRow, Taxonomy
from tests.conftest import MONDAY_NOON
from tests.registers.conftest import IN_A1, MANAGER_EAST, MANAGER_WEST, OFFICER_A1, UNIT_CLEANERS, Town
from tests.registers.conftest import filling as filling
from tests.registers.conftest import town as town

LITTER = CategoryRow(
    "06010", "暴露垃圾", "06", "市容环境", limit_amount=4, limit_unit="working_hours", aliases=("0105",)
)
SHED = CategoryRow("06001", "私搭乱建", "06", "市容环境", limit_amount=20, limit_unit="working_days", unit_code="O2")
NOISE = CategoryRow("06028", "噪声扰民", "06", "市容环境", verify=False)
GONE = CategoryRow("06099", "旧类别", "06", "市容环境", active=False)
TAXONOMY = Taxonomy.of(3, (LITTER, SHED, NOISE, GONE))


def who(name: str, role: str | None, key: int | None, area: Area, now: datetime = MONDAY_NOON) -> By:
    return By(Actor(name, role, "127.0.0.1", key), area, now, "500237002")


SUPERVISOR = who("周主管", "supervisor", 1, EVERYWHERE)
MANAGER = who("吴社区", "manager", 2, MANAGER_WEST)
OTHER_MANAGER = who("郑社区", "manager", 3, MANAGER_EAST)
OFFICER = who("李网格", "officer", 4, OFFICER_A1)
CLEANERS = who("环卫所", "unit", 5, UNIT_CLEANERS)
VIEWER = who("王查看", "viewer", 6, EVERYWHERE)
PUBLIC = who("公众", None, None, NOWHERE)


@dataclass
class Desk:
    """Incidents as one worker handles them."""

    town: Town
    taxonomy: Taxonomy = TAXONOMY
    rules: tuple[Rule, ...] = ()
    clock: Clock | None = None

    def facts(self, now: datetime = MONDAY_NOON) -> Facts:
        with self.town.database.read() as session:
            read = read_facts(session, self.town.keeper.on, local_date(now), Distances())
        return replace(read, taxonomy=self.taxonomy, rules=self.rules, clock=self.clock or read.clock)

    def report(self, by: By = PUBLIC, filed: bool = False, **given: Any) -> Reported:
        told = Report(**{"category": "06010", "lon": IN_A1[0], "lat": IN_A1[1]} | given)
        facts = self.facts(by.now)
        with self.town.database.write() as session:
            made = (report_and_file if filed else report)(session, told, facts, by)
            number = made.incident.number
        return replace(made, incident=self.one(number))

    def take(self, number: str, step: str, by: By = SUPERVISOR, hours: float = 0, **given: Any) -> Incident:
        asker = replace(by, now=by.now + timedelta(hours=hours))
        facts = self.facts(asker.now)
        with self.town.database.write() as session:
            stepping.take(session, number, step, Given(**given), facts, asker)
        return self.one(number)

    def to(self, state: str, by: By = SUPERVISOR, **given: Any) -> str:
        """The number of a new incident that was brought to a state on the straight way."""
        number = self.report(**given).incident.number
        way = [
            ("unfiled", "verify", {}),
            ("undispatched", "file", {}),
            ("unaccepted", "dispatch", {"unit": "O1"}),
            ("handling", "accept", {}),
            ("inspecting", "handle", {}),
            ("closed", "inspect_pass", {}),
        ]
        if state == "unverified":
            return number
        for reached, step, more in way:
            if step == "handle":
                more = {"photos": (self.photo(number),)}
            self.take(number, step, replace(MANAGER, area=EVERYWHERE) if step == "handle" else by, **more)
            if reached == state:
                return number
        raise AssertionError(state)

    def photo(self, number: str, phase: str = "after", at: datetime = MONDAY_NOON) -> int:
        """A photo's row; its file isn't asked for here."""
        with self.town.database.write() as session:
            made = Attachment(
                subject_kind=stepping.SUBJECT,
                subject_code=number,
                sha256=f"{number}{at}",
                media_type="image/jpeg",
                size=1,
                width=20,
                height=20,
                phase=phase,
                made_at=at,
            )
            session.add(made)
            session.flush()
            return made.id

    def one(self, number: str) -> Incident:
        with self.town.database.read() as session:
            return session.scalars(select(Incident).where(Incident.number == number)).one()

    def steps(self, number: str) -> list[IncidentStep]:
        with self.town.database.read() as session:
            return timeline.of(session, self.one(number).id)

    def contacts(self, number: str) -> list[IncidentContact]:
        with self.town.database.read() as session:
            return list(
                session.scalars(select(IncidentContact).where(IncidentContact.incident_id == self.one(number).id))
            )

    def count(self) -> int:
        with self.town.database.read() as session:
            return len(session.scalars(select(Incident.id)).all())


@pytest.fixture
def desk(town: Town) -> Desk:
    return Desk(town)


def day(text: str) -> date:
    return date.fromisoformat(text)
