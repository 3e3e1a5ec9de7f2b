"""What an account is to an incident, and how the incident stands."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.errors import NoSuchRow
from service.incidents.lifecycle import HANDLER, MANAGER, OFFICER, SUPERVISOR, Standing
from service.incidents.models import Incident, IncidentStep
from service.people.writers import By
from service.records.batches import visible


def asks_as(incident: Incident, by: By) -> frozenset[str]:
    """The parts of lifecycle.WHO that the account has for this incident. Who may manage it may act for its handler."""
    role, area = by.actor.role, by.area
    inside = area.holds_grid(incident.grid_code, incident.community_code)
    out: set[str] = set()
    if role in ("admin", "supervisor"):
        out |= {SUPERVISOR, MANAGER, OFFICER, HANDLER}
    elif role == "manager" and inside:
        out |= {MANAGER, OFFICER, HANDLER}
    elif role == "officer" and inside:
        out.add(OFFICER)
    if role is not None and area.person is not None and area.person == incident.handler_code:
        out.add(HANDLER)
    if role == "unit" and area.organisation is not None and area.organisation == incident.unit_code:
        out.add(HANDLER)
    return frozenset(out)


def may_read(incident: Incident, by: By) -> bool:
    """Whether the account reads the incident whole: in its area, handled by it or its unit, or reported by it."""
    if by.actor.role is None:
        return False
    if by.actor.role == "viewer" or by.area.holds_grid(incident.grid_code, incident.community_code):
        return True
    return bool(asks_as(incident, by)) or (
        incident.account_id is not None and incident.account_id == by.actor.account_id
    )


def one(session: Session, number: str, by: By) -> Incident:
    """An incident that the account may read, as it is stored now. Raises NoSuchRow."""
    found = session.scalars(
        select(Incident).where(Incident.number == number, visible(Incident)).execution_options(populate_existing=True)
    ).first()
    if found is None or not may_read(found, by):
        raise NoSuchRow(f"没有编号是“{number[:40]}”的事项，或者不在你的范围里。", "incidents", number[:80])
    return found


def standing_of(session: Session, incident: Incident) -> Standing:
    """What decides which steps are open."""
    taken = session.execute(
        select(IncidentStep.step, IncidentStep.account_id)
        .where(IncidentStep.incident_id == incident.id)
        .order_by(IncidentStep.id)
    )
    last_by = {row[0]: row[1] for row in taken}
    return Standing(
        incident.state,
        incident.extension is not None,
        incident.closed_at,
        bool(incident.unit_code or incident.handler_code),
        last_by,
    )
