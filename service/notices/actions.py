"""Notices written; sending them is the job process's. None commits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.notices.models import Notice
from service.people.models import Account


@dataclass(frozen=True)
class Message:
    """What is to be known. `reason`: an incident's step, or a word of another room."""

    reason: str
    subject_kind: str
    subject_code: str
    title: str
    words: str | None = None


def accounts_of(
    session: Session, people: Iterable[str] = (), units: Iterable[str] = (), communities: Iterable[str] = ()
) -> list[int]:
    """Ids of the accounts behind persons, of units' handlers, and of the managers of communities."""
    persons, orgs, homes = set(people), set(units), set(communities)
    rows = session.execute(
        select(Account.id, Account.role, Account.person_code, Account.unit, Account.area).where(Account.active)
    )
    return [
        key
        for key, role, person, unit, area in rows
        if person in persons
        or (role == "unit" and unit in orgs)
        or (role == "manager" and homes & set((area or "").split()))
    ]


def tell(session: Session, accounts: Iterable[int], message: Message, now: datetime) -> list[Notice]:
    """One notice for each account."""
    made = [
        Notice(
            account_id=key,
            reason=message.reason,
            subject_kind=message.subject_kind,
            subject_code=message.subject_code,
            title=message.title,
            words=message.words,
            made_at=now,
        )
        for key in dict.fromkeys(accounts)
    ]
    session.add_all(made)
    session.flush()
    return made
