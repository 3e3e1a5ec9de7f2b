"""What the actions on incidents are told of the world: who answers, the categories, working time, distances."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.incidents.deadlines import STAGE_HOURS, Clock
from service.incidents.dispatching import Rule
from service.incidents.models import DispatchRule
from service.incidents.nearby import DUPLICATE_M
from service.responsibility.lookup import Distances
from service.responsibility.snapshot import Snapshot
from service.taxonomy.queries import Taxonomy, in_force
from service.worktime.queries import calendar, hours


@dataclass(frozen=True)
class Facts:
    """`on`: the snapshot of a day (responsibility.keeper's); `today`: today's."""

    on: Callable[[date], Snapshot]
    today: Snapshot
    taxonomy: Taxonomy
    clock: Clock
    rules: tuple[Rule, ...] = ()
    distances: Distances = field(default_factory=Distances)
    duplicate_m: float = DUPLICATE_M

    def clock_of(self, session: Session, unit: str | None) -> Clock:
        """Working time of a unit, which may keep other hours than the office."""
        if unit is None:
            return self.clock
        return Clock(self.clock.calendar, hours(session, unit), self.clock.stages)


def read_facts(
    session: Session,
    on: Callable[[date], Snapshot],
    today: date,
    distances: Distances,
    stages: Mapping[str, int] = STAGE_HOURS,
) -> Facts:
    """The facts as they are stored now."""
    return Facts(
        on,
        on(today),
        in_force(session),
        Clock(calendar(session), hours(session), stages),
        tuple(dispatch_rules(session)),
        distances,
    )


def dispatch_rules(session: Session) -> list[Rule]:
    """Those in use, in the order in which they are asked."""
    found = select(DispatchRule).where(DispatchRule.active).order_by(DispatchRule.position, DispatchRule.id)
    return [Rule(row.id, row.name, row.conditions, row.target) for row in session.scalars(found)]
