"""Accounts and tokens: made, changed, stopped, let in again. Each step stands in the trail; nothing here commits."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.errors import Conflict, InvalidValue, NotFound
from service.people import passwords
from service.people.account_names import name_fault, name_key
from service.people.models import Account, Organisation, Person, Token
from service.people.rules import ROLES
from service.records import counters
from service.records.audit import SYSTEM, Actor, Subject, append, differences
from service.records.batches import visible

MOST_LABEL = 60
MOST_DAYS = 3650


@dataclass(frozen=True)
class Placing:
    """What an account is and where it reaches: `communities` of a manager, `unit` of a handler, `person` behind it."""

    role: str
    display_name: str = ""
    communities: tuple[str, ...] = ()
    unit: str | None = None
    person: str | None = None


class StaleAccount(Conflict):
    """Somebody else changed the account meanwhile; `account` is how it stands now."""

    def __init__(self, account: Account) -> None:
        super().__init__(f"账号“{account.name}”刚被别人改过。看过两边的内容，再决定存哪一份。")
        self.account = account


def create_account(
    session: Session,
    name: str,
    role: str,
    password: str | None,
    now: datetime,
    *,
    display_name: str | None = None,
    area: str | None = None,
    unit: str | None = None,
    person: str | None = None,
    must_change: bool = False,
    demo: bool = False,
    by: Actor = SYSTEM,
) -> Account:
    """A new account. Raises InvalidValue (name, role, password) or Conflict when the name is taken."""
    fault = name_fault(name)
    if fault is not None:
        raise InvalidValue("name", fault)
    if role not in ROLES:
        raise InvalidValue("role", f"没有角色“{role[:40]}”。可用：{'、'.join(ROLES)}。")
    alike = next((one for one in session.scalars(select(Account.name)) if name_key(one) == name_key(name)), None)
    if alike is not None:
        more = "" if alike == name else "，看起来一样（大小写和重音不算不同）"
        raise Conflict(f"账号“{alike}”已经有了{more}。换一个名字。")
    account = Account(
        name=name,
        display_name=display_name or name,
        role=role,
        area=area,
        unit=unit,
        person_code=person,
        must_change=must_change,
        demo=demo,
        password_hash=passwords.hashed_new(password, name) if password is not None else None,
        session_stamp=new_stamp(),
        created_at=now,
    )
    session.add(account)
    session.flush()
    append(session, by, "account.create", now, subject_of(account), after=told(account))
    return account


def ensure_administrator(session: Session, now: datetime) -> str | None:
    """The first administrator with a one-time password, which is returned; None when there is one already."""
    if session.scalar(select(func.count()).select_from(Account).where(Account.demo.is_(False))):
        return None
    password = passwords.one_time_password()
    create_account(session, "admin", "admin", password, now, display_name="系统管理员", must_change=True)
    return password


def check_placing(session: Session, placing: Placing, communities: Collection[str]) -> None:
    """Raise InvalidValue when a role lacks what its area is made of, or names what isn't there."""
    if placing.role not in ROLES:
        raise InvalidValue("role", f"没有角色“{placing.role[:40]}”。可用：{'、'.join(ROLES)}。")
    missing = [code for code in placing.communities if code not in communities]
    if missing:
        raise InvalidValue("communities", f"没有社区“{'、'.join(missing)[:80]}”。在社区登记册里核对编码。")
    if placing.role == "manager" and not placing.communities:
        raise InvalidValue("communities", "社区管理员要有至少一个社区。")
    if placing.unit is not None and _lacks(session, Organisation, placing.unit):
        raise InvalidValue("unit", f"没有单位“{placing.unit[:80]}”。填单位登记册里的编码。")
    if placing.role == "unit" and placing.unit is None:
        raise InvalidValue("unit", "处置单位的账号要选一个单位。")
    if placing.person is not None and _lacks(session, Person, placing.person):
        raise InvalidValue("person", f"没有工号“{placing.person[:80]}”。填人员登记册里的工号。")
    if placing.role == "officer" and placing.person is None:
        raise InvalidValue("person", "网格员的账号要选是哪位人员：他担任或代理的责任决定他看到什么。")


def change_account(
    session: Session, account: Account, placing: Placing, version: int, by: Actor, now: datetime
) -> None:
    """Another role, name, area, unit or person. Raises StaleAccount, or Conflict for the last administrator."""
    if account.version != version:
        raise StaleAccount(account)
    if placing.role != "admin":
        _keep_an_administrator(session, account)
    before = told(account)
    account.role, account.display_name = placing.role, placing.display_name or account.name
    account.area = " ".join(placing.communities) if placing.role == "manager" else None
    account.unit = placing.unit if placing.role == "unit" else None
    account.person_code = placing.person
    old, new = differences(before, told(account))
    if not new:
        return
    _step(session, account, "account.change", by, now, before=old, after=new)


def deactivate(session: Session, account: Account, by: Actor, now: datetime) -> None:
    """No signing in, no tokens, at once; everything that the account did stays. Conflict for the last administrator."""
    if not account.active:
        raise Conflict(f"账号“{account.name}”已经停用了。")
    _keep_an_administrator(session, account)
    account.active = False
    account.session_stamp = new_stamp()
    _step(session, account, "account.deactivate", by, now)


def reactivate(session: Session, account: Account, by: Actor, now: datetime) -> None:
    if account.active:
        raise Conflict(f"账号“{account.name}”没有停用。")
    account.active, account.failures, account.locked_until = True, 0, None
    _step(session, account, "account.reactivate", by, now)


def reset_password(session: Session, account: Account, by: Actor, now: datetime) -> str:
    """A new one-time password, told once; the account's sessions end and a lock is released."""
    password = passwords.one_time_password()
    account.password_hash = passwords.hashed(password)
    account.must_change, account.failures, account.locked_until = True, 0, None
    account.session_stamp = new_stamp()
    _step(session, account, "account.reset_password", by, now)
    return password


def release(session: Session, account: Account, by: Actor, now: datetime) -> None:
    """Lets a locked account try again before its time is up."""
    account.failures, account.locked_until = 0, None
    _step(session, account, "account.release", by, now)


def sign_out_everywhere(session: Session, account: Account, by: Actor, now: datetime) -> None:
    """Ends every session of the account, on every device. Tokens are revoked one by one."""
    account.session_stamp = new_stamp()
    _step(session, account, "account.sign_out_everywhere", by, now)


def make_token(
    session: Session, account_name: str, label: str, now: datetime, days: int = 365, by: Actor = SYSTEM
) -> str:
    """A new API token, told once: only its digest is kept. Raises NotFound for an unknown account, InvalidValue."""
    account = session.scalar(select(Account).where(Account.name == account_name, Account.active.is_(True)))
    if account is None:
        raise NotFound(f"没有账号“{account_name}”。先用 user create 建。")
    label = label.strip()
    if not 0 < len(label) <= MOST_LABEL:
        raise InvalidValue("label", f"给令牌起个名字，1 至 {MOST_LABEL} 个字，写明谁用、用来做什么。")
    if not 1 <= days <= MOST_DAYS:
        raise InvalidValue("days", f"有效天数填 1 至 {MOST_DAYS}。")
    secret = "gst_" + secrets.token_urlsafe(32)
    until = now + timedelta(days=days)
    made = Token(account_id=account.id, name=label, digest=token_digest(secret), created_at=now, expires_at=until)
    session.add(made)
    session.flush()
    after = {"name": label, "expires_at": until.isoformat()}
    append(session, by, "token.create", now, _token_subject(account, made), after=after)
    return secret


def revoke_token(session: Session, account: Account, number: int, by: Actor, now: datetime) -> None:
    """The token stops working at once. Raises NotFound for another account's."""
    token = session.scalar(select(Token).where(Token.id == number, Token.account_id == account.id))
    if token is None:
        raise NotFound("没有这个令牌。")
    if token.revoked_at is not None:
        raise Conflict(f"令牌“{token.name}”已经作废了。")
    token.revoked_at = now
    counters.move(session, counters.ACCOUNTS)
    append(session, by, "token.revoke", now, _token_subject(account, token))


def tokens_of(session: Session, account_id: int) -> list[Token]:
    """The account's tokens, the newest first."""
    return list(session.scalars(select(Token).where(Token.account_id == account_id).order_by(Token.id.desc())))


def token_digest(secret: str) -> str:
    """SHA-256; a 256-bit random secret needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def account_of_token(session: Session, secret: str, now: datetime) -> tuple[Account, datetime | None] | None:
    """The account of a valid token with the moment at which the token expires, else None."""
    row = session.execute(
        select(Token, Account)
        .join(Account, Account.id == Token.account_id)
        .where(Token.digest == token_digest(secret), Token.revoked_at.is_(None), Account.active.is_(True))
    ).first()
    if row is None or (row.Token.expires_at is not None and row.Token.expires_at <= now):
        return None
    return row.Account, row.Token.expires_at


def new_stamp() -> str:
    """What a session carries; a new one ends the sessions with the old."""
    return secrets.token_hex(8)


def subject_of(account: Account) -> Subject:
    return Subject("accounts", account.name, account.display_name)


def told(account: Account) -> dict[str, Any]:
    """The account as the trail tells it: never a hash or a stamp."""
    return {
        "display_name": account.display_name,
        "role": account.role,
        "communities": (account.area or "").split() or None,
        "unit": account.unit,
        "person": account.person_code,
    }


def _step(session: Session, account: Account, action: str, by: Actor, now: datetime, **given: Any) -> None:
    account.version += 1
    counters.move(session, counters.ACCOUNTS)
    append(session, by, action, now, subject_of(account), **given)


def _keep_an_administrator(session: Session, account: Account) -> None:
    """Conflict when the account is the last one that may let others in. The rows are held until the commit."""
    if account.role != "admin" or not account.active or account.demo:
        return
    found = session.scalars(
        select(Account.id)
        .where(Account.role == "admin", Account.active.is_(True), Account.demo.is_(False))
        .with_for_update()
    )
    if set(found) <= {account.id}:
        raise Conflict("这是最后一个能用的管理员账号，不能停用或改成别的角色。先再设一个管理员。")


def _token_subject(account: Account, token: Token) -> Subject:
    return Subject("tokens", str(token.id), f"{account.name}：{token.name}")


def _lacks(session: Session, model: type[Person] | type[Organisation], code: str) -> bool:
    criteria = (model.code == code, model.ended_on.is_(None), visible(model))
    return session.scalar(select(model.id).where(*criteria)) is None
