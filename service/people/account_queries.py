"""Accounts as the administrator's list shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from service.errors import NotFound
from service.people.models import Account, Organisation, Person
from service.records.batches import visible

STATES = {"active": "在用", "pending": "待换密码", "locked": "已锁定", "off": "已停用"}
MOST = 500


@dataclass(frozen=True)
class AccountRow:
    """One line of the list. `communities`: codes."""

    id: int
    name: str
    display_name: str
    role: str
    communities: tuple[str, ...]
    unit: str | None
    person_code: str | None
    state: str
    locked_until: datetime | None
    last_seen_at: datetime | None
    created_at: datetime
    demo: bool
    version: int


def account_rows(session: Session, now: datetime) -> list[AccountRow]:
    """Every account, by role and name."""
    rows = [row_of(account, now) for account in session.scalars(select(Account))]
    order = {role: i for i, role in enumerate(("admin", "supervisor", "manager", "officer", "unit", "viewer"))}
    return sorted(rows, key=lambda row: (row.state == "off", order.get(row.role, 9), row.name))


def row_of(account: Account, now: datetime) -> AccountRow:
    return AccountRow(
        account.id,
        account.name,
        account.display_name,
        account.role,
        tuple((account.area or "").split()),
        account.unit,
        account.person_code,
        state_of(account, now),
        account.locked_until,
        account.last_seen_at,
        account.created_at,
        account.demo,
        account.version,
    )


def state_of(account: Account, now: datetime) -> str:
    """What matters first: stopped, then locked, then a one-time password not yet changed."""
    if not account.active:
        return "off"
    if account.locked_until is not None and now < account.locked_until:
        return "locked"
    return "pending" if account.must_change else "active"


def account_numbered(session: Session, number: int) -> Account:
    """The account, held for a change. Raises NotFound."""
    account = session.get(Account, number, with_for_update=True)
    if account is None:
        raise NotFound("没有这个账号。")
    return account


def account_named(session: Session, name: str) -> Account:
    """The account, held for a change. Raises NotFound."""
    account = session.scalar(select(Account).where(Account.name == name).with_for_update())
    if account is None:
        raise NotFound(f"没有账号“{name[:80]}”。")
    return account


def person_named(session: Session, asked: str) -> list[tuple[str, str]]:
    """(code, name) of the persons whom a code or a full name means, at most ten."""
    means = or_(Person.code == asked, Person.name == asked)
    return _some(session, Person, means)


def organisation_named(session: Session, asked: str) -> list[tuple[str, str]]:
    """(code, name) of the organisations that a code or a full name means, at most ten."""
    return _some(session, Organisation, or_(Organisation.code == asked, Organisation.name == asked))


def suggestions(session: Session, model: type[Person] | type[Organisation], most: int = 300) -> list[tuple[str, str]]:
    """(code, name) to offer while typing; none when there are more than that: then the code is typed."""
    found = _some(session, model, model.ended_on.is_(None), most + 1)
    return found if len(found) <= most else []


def names_of(session: Session, model: type[Person] | type[Organisation], codes: set[str]) -> dict[str, str]:
    """Names by code, for those that are still there."""
    rows = session.execute(select(model.code, model.name).where(model.code.in_(codes), visible(model)))
    return {str(code): str(name) for code, name in rows}


def _some(
    session: Session, model: type[Person] | type[Organisation], which: object, most: int = 10
) -> list[tuple[str, str]]:
    rows = session.execute(
        select(model.code, model.name)
        .where(which, model.ended_on.is_(None), visible(model))  # type: ignore[arg-type]
        .order_by(model.code)
        .limit(most)
    )
    return [(str(code), str(name)) for code, name in rows]
