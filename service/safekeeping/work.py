"""Backups as work of the job process: asked for on the page, or due by the plan."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.config import Settings
from service.records import audit
from service.records.jobs import Work
from service.records.models import Job
from service.records.office import read_office
from service.safekeeping import retention, shelf
from service.safekeeping.schedule import due

KIND = "backup"
_OPEN = ("waiting", "running")


def back_up(work: Work) -> dict[str, Any] | None:
    """The handler of the kind `backup`. `given`: {"scheduled": true} for the plan's own, else somebody asked for one.
    Run twice it makes one more backup, or none when the plan's is there already."""
    if work.given.get("scheduled"):
        made = shelf.make_scheduled(work.database, work.settings, work.now)
    else:
        with work.database.read() as session:
            plan = read_office(session, work.settings).backup
        made = shelf.make_one(work.database, work.settings, plan, work.actor, work.now)
    return None if made is None else {"name": made.path.name, "size": made.size}


def sweep(work: Work) -> None:
    """Once a day: what is beyond its age."""
    with work.database.write() as session:
        retention.sweep(session, work.settings, work.now)


def planned(session: Session, settings: Settings, now: datetime) -> dict[str, Any] | None:
    """What a job of the plan is to be given when one is due now, else None; asked every minute."""
    plan = read_office(session, settings).backup
    there = shelf.listed(plan.folder)
    if not due(now, there[0].made_at if there else None, plan) or under_way(session) is not None:
        return None
    tried = shelf.last_try(session)
    waits = tried is not None and not tried.ok and now - tried.at < shelf.AGAIN
    return None if waits else {"scheduled": True}


def ask(session: Session, actor: audit.Actor, now: datetime) -> Job:
    """A backup for somebody who asked; the one that waits or runs already, if there is one."""
    found = under_way(session)
    if found is not None:
        return found
    given = {"actor": {"name": actor.name, "role": actor.role, "address": actor.address}}
    job = Job(kind=KIND, state="waiting", given=given, account_id=actor.account_id, created_at=now)
    session.add(job)
    session.flush()
    return job


def under_way(session: Session) -> Job | None:
    """The backup that waits or is being made."""
    query = select(Job).where(Job.kind == KIND, Job.state.in_(_OPEN)).order_by(Job.id.desc()).limit(1)
    return session.scalar(query)
