"""Until when an incident is to be handled, and until when each state is to be left. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from service.taxonomy.queries import CategoryRow
from service.worktime.rules import Calendar, Deadline, Hours, deadline, resumed

STAGE_HOURS: Mapping[str, int] = {"unverified": 8, "unfiled": 4, "undispatched": 4, "unaccepted": 4, "inspecting": 16}
"""Working hours in which a state is to be left, until the office says otherwise."""


@dataclass(frozen=True)
class Clock:
    """What deadlines are counted with."""

    calendar: Calendar = field(default_factory=Calendar)
    hours: Hours = field(default_factory=Hours)
    stages: Mapping[str, int] = field(default_factory=lambda: STAGE_HOURS)

    def stage(self, state: str, now: datetime) -> datetime | None:
        """Until when the state is to be left; None for states that have the incident's own deadline, or none."""
        amount = self.stages.get(state)
        return deadline(now, amount, "working_hours", self.calendar, self.hours).at if amount else None


@dataclass(frozen=True)
class Frozen:
    """The deadline as it is kept: `rule` is what it was counted by."""

    at: datetime
    rule: dict[str, Any]
    unconfirmed: bool


def freeze(category: CategoryRow | None, urgent: bool, version: int, start: datetime, clock: Clock) -> Frozen | None:
    """The deadline of a category from a moment on; None when it has no limit."""
    limit = category.limit(urgent) if category else None
    if limit is None:
        return None
    amount, unit = limit
    found = deadline(start, amount, unit, clock.calendar, clock.hours)
    rule = {
        "amount": amount,
        "unit": unit,
        "urgent": urgent,
        "taxonomy": version,
        "calendar": clock.calendar.revision,
        "from": start.isoformat(),
        "unconfirmed": list(found.unconfirmed),
    }
    return Frozen(found.at, rule, bool(found.unconfirmed))


def after_pause(due: datetime, rule: Mapping[str, Any], paused: datetime, again: datetime, clock: Clock) -> Deadline:
    """The deadline once it runs again."""
    return resumed(due, paused, again, str(rule.get("unit", "hours")), clock.calendar, clock.hours)
