"""Who answers for the grids of a draft: leaders as they are, and as they are planned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.clock import in_force
from service.duties.planning import Roster, duties_of_grids, duty_kind
from service.duties.rules import role_name, role_rank
from service.grids.draft_rows import Drawn, Plan
from service.people.queries import PersonRow, persons
from service.people.rules import Viewer
from service.web.draft_json import Shown

LEADERS = {"grid": "grid_leader", "micro_grid": "micro_leader"}


@dataclass
class People:
    """The people of one draft as a viewer may read them."""

    roster: Roster
    plans: Mapping[str, list[Plan]]
    viewer: Viewer

    @classmethod
    def of(cls, shown: Shown, viewer: Viewer) -> People:
        today = shown.by.today
        duties = duties_of_grids(shown.session, shown.base.grids, today)
        plans: dict[str, list[Plan]] = {}
        for plan in shown.state.plans:
            plans.setdefault(plan.grid_code, []).append(plan)
        return cls(Roster(duties, persons(shown.session), today), plans, viewer)

    def of_grid(self, grid: Drawn) -> dict[str, Any]:
        """`leader`: who leads the grid from the edition's day as far as that is known; `planned`: all that is."""
        planned = sorted(self.plans.get(grid.code, ()), key=lambda plan: (role_rank(plan.role), plan.id or 0))
        return {"leader": self.leader(grid), "planned": [self._planned(plan) for plan in planned]}

    def leader(self, grid: Drawn) -> dict[str, Any] | None:
        """The planned leader, else the one who stays or moves with the grid."""
        role = LEADERS[duty_kind(grid.kind)]
        for plan in self.plans.get(grid.code, ()):
            if plan.role == role:
                return {**self.person(plan.person_code, True), "planned": True}
        for duty in self.roster.standing(grid):
            if duty.role == role:
                return {**self.person(duty.person_code, True), "planned": False}
        return None

    def leader_today(self, grid: Drawn) -> dict[str, Any] | None:
        """Who leads a grid of the base today."""
        role = LEADERS[duty_kind(grid.kind)]
        for duty in self.roster.standing(grid):
            if duty.role == role and in_force(duty.starts_on, self.roster.today, duty.ends_on):
                return self.person(duty.person_code, True)
        return None

    def person(self, code: str, leader: bool = False) -> dict[str, Any]:
        known = self.roster.people.get(code) or PersonRow(code, code, None, None, None)
        return {"code": code, "name": self.viewer.name(known.name, leader, known.organisation_code)}

    def _planned(self, plan: Plan) -> dict[str, Any]:
        return {
            "id": plan.id,
            "role": plan.role,
            "role_name": role_name(plan.role),
            "person": self.person(plan.person_code),
            "until": plan.until.isoformat() if plan.until else None,
        }
