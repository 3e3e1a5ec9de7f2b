"""Whom a step concerns, and what they are told."""

from __future__ import annotations

from sqlalchemy.orm import Session

from service.incidents.facts import Facts
from service.incidents.lifecycle import step_name
from service.incidents.models import Incident
from service.notices.actions import Message, accounts_of
from service.notices.actions import tell as notify
from service.people.writers import By

TO_HANDLER = frozenset(
    {"dispatch", "transfer", "inspect_fail", "grant_extension", "refuse_extension", "resume", "reopen"}
)
TO_MANAGER = frozenset({"report", "verify", "return", "handle", "ask_extension", "reopen"})


def tell(session: Session, incident: Incident, step: str, _facts: Facts, by: By) -> None:
    """A notice to whoever has to act next; never to the one who took the step."""
    people = [incident.handler_code] if step in TO_HANDLER and incident.handler_code else []
    units = [incident.unit_code] if step in TO_HANDLER and incident.unit_code else []
    homes = [incident.community_code] if step in TO_MANAGER and incident.community_code else []
    if not (people or units or homes):
        return
    accounts = [key for key in accounts_of(session, people, units, homes) if key != by.actor.account_id]
    title = f"{incident.number} {incident.category_name or '未分类'}：{step_name(step)}"
    notify(session, accounts, Message(step, "incidents", incident.number, title, incident.address), by.now)
