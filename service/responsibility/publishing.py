"""Publishing a draft: its editions, and the duties that stay, move, end or are made with them, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from service.clock import ended_by
from service.duties.carrying import Carried, carry, carry_out, clashes, take_back
from service.duties.planning import duties_of_grids
from service.errors import Conflict, NotAllowed
from service.grids import publishing
from service.grids.draft_models import Draft
from service.grids.draft_queries import OPEN, PUBLISHED, base_of, draft_of, may_edit, state_of
from service.grids.draft_rows import Base, State
from service.grids.drafting import Drawer, moved_on, opened
from service.grids.publishing import FAULTS, NEWER, REASON, Hindrance, faults_left, hindrances
from service.people.queries import persons
from service.records import counters, jobs

_MOST_REASON = 500


@dataclass(frozen=True)
class Order:
    """What is asked: from which day, why, and which hindrances are known."""

    on: date
    reason: str | None = None
    accept_faults: bool = False
    over_newer: bool = False

    @property
    def given(self) -> dict[str, Any]:
        return {REASON: (self.reason or "").strip(), FAULTS: self.accept_faults, NEWER: self.over_newer}


@dataclass(frozen=True)
class Done:
    """The draft after publishing, its editions by community, how many duties went which way; for a past day the
    job that finds the grids of the incidents again."""

    draft: Draft
    editions: dict[str, int]
    duties: dict[str, int]
    relocating: int | None = None


def standing(session: Session, draft: Draft, state: State, base: Base, order: Order, by: Drawer) -> list[Hindrance]:
    """Everything in the way of publishing, the duties' too."""
    people = persons(session)
    what = carried(session, state, base, order.on)
    told = clashes(what, {code: person.name for code, person in people.items()})
    gone = {code for code, person in people.items() if ended_by(order.on, person.ended_on)}
    told += [
        f"网格 {duty.subject_code} 计划的{people[duty.person_code].name}到那天已经不在册"
        for duty in what.planned
        if duty.person_code in gone
    ]
    found = hindrances(session, draft, state, base, order.on, by)
    return found + ([Hindrance("duties", "；".join(told[:6]) + "。")] if told else [])


def carried(session: Session, state: State, base: Base, on: date) -> Carried:
    """What becomes of the duties of the base's grids on the day."""
    return carry(duties_of_grids(session, base.grids, date.min), base.grids, state, on)


def publish(session: Session, draft_id: int, version: int, order: Order, by: Drawer) -> Done:
    """The draft's editions from the day on. Raises what stands in the way: InvalidValue, NotAllowed, Conflict,
    StaleDraft."""
    revision = counters.move(session, counters.RESPONSIBILITY)  # writers wait here for each other
    draft = opened(session, draft_id, version, by)
    state, base = state_of(session, draft_id), base_of(session, draft_id)
    publishing.refuse(standing(session, draft, state, base, order, by), order.given)
    job = _relocate(session, draft, order.on, by) if order.on <= by.today else None
    left = faults_left(session, draft, state, base)
    editions = publishing.write_editions(session, draft, state, left, order.on, revision)
    what = carried(session, state, base, order.on)
    owner = {"subdistrict": draft.subdistrict, "batch_id": draft.batch_id}
    outcome = carry_out(session, what, by.actor, by.now, revision, owner)
    draft.state, draft.starts_on = PUBLISHED, order.on
    draft.reason = (order.reason or "").strip()[:_MOST_REASON] or None
    draft.published_by, draft.published_at = by.actor.name, by.now
    draft.outcome = {"editions": editions, **outcome}
    counts = {
        "stay": len(what.stays),
        "moved": len(what.moves),
        "ended": len(what.ends),
        "made": len(what.planned),
    }
    told = f"从 {order.on} 起" + (f"：{draft.reason}" if draft.reason else "")
    more = {"starts_on": order.on.isoformat(), "communities": sorted(editions), "duties": counts, "faults": len(left)}
    moved_on(session, draft, "draft.publish", told, [], by, more)
    return Done(draft, editions, counts, job)


def _relocate(session: Session, draft: Draft, on: date, by: Drawer) -> int:
    """Written down before the trail is: the job takes its locks in the same order."""
    counters.ask_relocation(session)
    who = {"name": by.actor.name, "role": by.actor.role, "address": by.actor.address}
    given = {"draft": draft.id, "name": draft.name, "on": on.isoformat(), "actor": who}
    return jobs.enqueue(session, jobs.RELOCATE, given, by.actor.account_id, by.now).id


def withdraw(session: Session, draft_id: int, by: Drawer) -> Done:
    """A published draft taken back before its day: its editions go, the duties are as before, the draft is open again.
    Raises Conflict naming what was changed since."""
    revision = counters.move(session, counters.RESPONSIBILITY)
    draft = draft_of(session, draft_id, by.area, lock=True)
    if not may_edit(draft, by.area):
        raise NotAllowed("这份草稿里有不归你管的社区，由主管来撤回。")
    publishing.refuse_taking_back(session, draft, by)
    if draft.starts_on is None or draft.outcome is None:
        raise Conflict(f"草稿“{draft.name}”没有发布，不用撤回。")
    counts = take_back(session, draft.outcome, draft.starts_on, by.actor, by.now, revision)
    publishing.remove_editions(session, draft)
    told = f"撤回从 {draft.starts_on} 起的版本"
    editions = dict(draft.outcome["editions"])
    draft.state, draft.starts_on, draft.reason, draft.outcome = OPEN, None, None, None
    draft.published_by = draft.published_at = None
    moved_on(session, draft, "draft.withdraw", told, [], by, {"communities": sorted(editions), "duties": counts})
    return Done(draft, editions, counts)
