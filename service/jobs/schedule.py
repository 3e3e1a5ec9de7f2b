"""What the clock starts. Each entry says itself when it is due, so that a night without power is made up for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from service.clock import local_date
from service.config import Settings
from service.jobs.work import Work
from service.records import jobs


@dataclass(frozen=True)
class Planned:
    """`due` is asked every minute and gives what the job is to be given, None while it is not its time."""

    kind: str
    due: Callable[[Session, Settings, datetime], dict[str, Any] | None]


def once_a_day(kind: str) -> Planned:
    """On the first minute of each Shanghai day on which the service runs."""

    def due(session: Session, _settings: Settings, now: datetime) -> dict[str, Any] | None:
        day = local_date(now).isoformat()
        last = jobs.latest(session, kind)
        return None if last is not None and last.given.get("day") == day else {"day": day}

    return Planned(kind, due)


# What belongs to every day's end or beginning: (name, what to do). Other rooms add theirs here.
DAILY: list[tuple[str, Callable[[Work], None]]] = []
PLANNED: list[Planned] = [once_a_day("daily")]


def plan(session: Session, settings: Settings, now: datetime) -> list[int]:
    """Enqueues what is due; ids of the new jobs."""
    made = []
    for one in PLANNED:
        given = one.due(session, settings, now)
        if given is not None:
            made.append(jobs.enqueue(session, one.kind, given, None, now).id)
    return made
