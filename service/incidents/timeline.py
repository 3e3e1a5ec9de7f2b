"""What happened to an incident: each step appended with actor, time, note; also in the trail."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.incidents.models import Incident, IncidentStep
from service.people.writers import By
from service.records import audit
from service.records.audit import Subject


def append(
    session: Session,
    incident: Incident,
    step: str,
    came_from: str | None,
    by: By,
    note: str | None = None,
    given: dict[str, Any] | None = None,
) -> IncidentStep:
    """One step as it was taken; the incident already stands in its new state and version."""
    made = IncidentStep(
        incident_id=incident.id,
        at=by.now,
        step=step,
        from_state=came_from,
        to_state=incident.state,
        actor=by.actor.name,
        role=by.actor.role,
        account_id=by.actor.account_id,
        note=note,
        given=given or None,
        version=incident.version,
    )
    session.add(made)
    session.flush()
    noted = Subject("incidents", incident.number, incident.category_name)
    before = None if came_from is None else {"state": came_from}
    told = {"state": incident.state} | (given or {})
    audit.append(session, by.actor, f"incident.{step}", by.now, noted, before=before, after=told, note=note)
    return made


def of(session: Session, incident_id: int) -> list[IncidentStep]:
    """All steps, the first one first."""
    wanted = select(IncidentStep).where(IncidentStep.incident_id == incident_id).order_by(IncidentStep.id)
    return list(session.scalars(wanted))
