"""What each step writes beside the state; each returns what the timeline keeps of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.errors import Conflict, InvalidValue
from service.incidents import deadlines
from service.incidents.facts import Facts
from service.incidents.models import Incident
from service.incidents.rules import OPEN_STATES, STATES
from service.incidents.standing import one
from service.people.writers import By


@dataclass(frozen=True)
class Given:
    """What comes with a step. `unit`, `person`: to whom; `why`: by which rule; `photos`: ids of attachments;
    `version`: the one that the asker looked at, None to take whatever it is."""

    note: str | None = None
    unit: str | None = None
    person: str | None = None
    why: str | None = None
    photos: tuple[int, ...] = ()
    until: datetime | None = None
    parent: str | None = None
    version: int | None = None


Effect = Callable[[Session, Incident, Given, Facts, By], dict[str, Any]]


def _verify(_session: Session, incident: Incident, _given: Given, _facts: Facts, by: By) -> dict[str, Any]:
    incident.verified_at = by.now
    return {}


def _file(session: Session, incident: Incident, _given: Given, facts: Facts, by: By) -> dict[str, Any]:
    """The limit is frozen here, with the version of the rule and of the calendar."""
    incident.filed_at = by.now
    category = facts.taxonomy.by_code.get(incident.category) if incident.category else None
    unit = category.unit_code if category else None
    incident.taxonomy_version = facts.taxonomy.version
    return _set_deadline(
        incident,
        deadlines.freeze(category, incident.urgent, facts.taxonomy.version, by.now, facts.clock_of(session, unit)),
    )


def _set_deadline(incident: Incident, frozen: deadlines.Frozen | None) -> dict[str, Any]:
    if frozen is None:
        return {}
    incident.due_at, incident.deadline, incident.due_unconfirmed = frozen.at, frozen.rule, frozen.unconfirmed
    return {"due_at": frozen.at.isoformat(), "limit": f"{frozen.rule['amount']} {frozen.rule['unit']}"}


def _hand(_session: Session, incident: Incident, given: Given, _facts: Facts, by: By) -> dict[str, Any]:
    """To a unit, a person, or a person of a unit."""
    before = {"unit": incident.unit_code, "person": incident.handler_code}
    incident.unit_code, incident.handler_code, incident.dispatch_why = given.unit, given.person, given.why
    incident.dispatched_at, incident.accepted_at = by.now, None
    told = {"unit": given.unit, "person": given.person, "why": given.why}
    return {name: value for name, value in told.items() if value} | ({"before": before} if any(before.values()) else {})


def _accept(_session: Session, incident: Incident, _given: Given, _facts: Facts, by: By) -> dict[str, Any]:
    incident.accepted_at = by.now
    return {}


def _give_back(_session: Session, incident: Incident, _given: Given, _facts: Facts, _by: By) -> dict[str, Any]:
    before = {"unit": incident.unit_code, "person": incident.handler_code}
    incident.unit_code = incident.handler_code = incident.dispatch_why = None
    return {"before": before}


def _handle(_session: Session, incident: Incident, _given: Given, _facts: Facts, by: By) -> dict[str, Any]:
    incident.handled_at = by.now
    return {}


def _close(_session: Session, incident: Incident, _given: Given, _facts: Facts, by: By) -> dict[str, Any]:
    incident.closed_at = by.now
    return {}


def _rework(_session: Session, incident: Incident, _given: Given, _facts: Facts, _by: By) -> dict[str, Any]:
    incident.reworks += 1
    incident.handled_at = None
    return {}


def _ask(_session: Session, incident: Incident, given: Given, _facts: Facts, by: By) -> dict[str, Any]:
    assert given.until is not None  # judged in _need
    incident.extension = {
        "until": given.until.isoformat(),
        "note": (given.note or "").strip(),
        "by": by.actor.name,
        "at": by.now.isoformat(),
    }
    return {"until": given.until.isoformat()}


def _grant(_session: Session, incident: Incident, _given: Given, _facts: Facts, _by: By) -> dict[str, Any]:
    asked = incident.extension or {}
    before = incident.due_at
    incident.due_at = datetime.fromisoformat(asked["until"])
    incident.extension, incident.extensions = None, incident.extensions + 1
    return {"due_at": asked["until"], "due_before": before.isoformat() if before else None}


def _refuse(_session: Session, incident: Incident, _given: Given, _facts: Facts, _by: By) -> dict[str, Any]:
    incident.extension = None
    return {}


def _postpone(_session: Session, incident: Incident, _given: Given, _facts: Facts, by: By) -> dict[str, Any]:
    incident.postponed_at, incident.state_before = by.now, incident.state
    return {}


def _resume(session: Session, incident: Incident, _given: Given, facts: Facts, by: By) -> dict[str, Any]:
    """The clock stood still meanwhile."""
    paused, due = incident.postponed_at, incident.due_at
    incident.postponed_at = None
    if paused is None or due is None:
        return {}
    clock = facts.clock_of(session, incident.unit_code)
    again = deadlines.after_pause(due, incident.deadline or {}, paused, by.now, clock)
    incident.due_at = again.at
    incident.due_unconfirmed = bool(again.unconfirmed)
    return {"due_at": again.at.isoformat(), "due_before": due.isoformat()}


def _reopen(session: Session, incident: Incident, _given: Given, facts: Facts, by: By) -> dict[str, Any]:
    """Counted as rework, with the category's limit once more from now on."""
    incident.closed_at = incident.handled_at = None
    incident.reworks += 1
    category = facts.taxonomy.by_code.get(incident.category) if incident.category else None
    clock = facts.clock_of(session, incident.unit_code)
    return _set_deadline(incident, deadlines.freeze(category, incident.urgent, facts.taxonomy.version, by.now, clock))


def _merge(session: Session, incident: Incident, given: Given, _facts: Facts, by: By) -> dict[str, Any]:
    parent = one(session, given.parent or "", by)
    if parent.id == incident.id:
        raise InvalidValue("parent", "不能并入它自己。")
    if parent.state not in OPEN_STATES:
        raise Conflict(f"“{parent.number}”现在是“{STATES[parent.state]}”，只能并入还没有办完的事项。")
    if session.scalar(select(Incident.id).where(Incident.parent_number == incident.number).limit(1)) is not None:
        raise Conflict("已有别的事项并入了这一件。先撤销它们的并案，或者反过来并。")
    incident.parent_number, incident.state_before = parent.number, incident.state
    return {"parent": parent.number}


def _unmerge(_session: Session, incident: Incident, _given: Given, _facts: Facts, _by: By) -> dict[str, Any]:
    parent, incident.parent_number = incident.parent_number, None
    return {"parent": parent}


EFFECTS: dict[str, Effect] = {
    "verify": _verify,
    "file": _file,
    "dispatch": _hand,
    "accept": _accept,
    "return": _give_back,
    "transfer": _hand,
    "handle": _handle,
    "inspect_pass": _close,
    "inspect_fail": _rework,
    "ask_extension": _ask,
    "grant_extension": _grant,
    "refuse_extension": _refuse,
    "postpone": _postpone,
    "resume": _resume,
    "reopen": _reopen,
    "merge": _merge,
    "unmerge": _unmerge,
}
