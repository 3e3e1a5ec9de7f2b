"""Accounts and tokens: making, checking, changing. Never commits."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.errors import Conflict, InvalidValue, NotFound
from service.people.models import Account, Token
from service.people.rules import ROLES, password_faults

_HASHER = PasswordHasher()
_NAME = re.compile(r"^[\w.\-@]{2,64}$")
LOCK_AFTER = 5
LOCK_FOR = timedelta(minutes=15)
DEMO_SUPERVISOR = "demo-supervisor"


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
    must_change: bool = False,
    demo: bool = False,
) -> Account:
    """A new account. Raises InvalidValue (name, role, password) or Conflict when the name is taken."""
    if not _NAME.match(name):
        raise InvalidValue("name", f"账号名“{name}”不能用：2 至 64 个字母、汉字、数字或 . - _ @。")
    if role not in ROLES:
        raise InvalidValue("role", f"没有角色“{role}”。可用：{'、'.join(ROLES)}。")
    if session.scalar(select(Account.id).where(Account.name == name)) is not None:
        raise Conflict(f"账号“{name}”已经有了。换一个名字。")
    if password is not None:
        _check_new(password, name)
    account = Account(
        name=name,
        display_name=display_name or name,
        role=role,
        area=area,
        unit=unit,
        must_change=must_change,
        demo=demo,
        password_hash=_HASHER.hash(password) if password is not None else None,
        session_stamp=secrets.token_hex(8),
        created_at=now,
    )
    session.add(account)
    session.flush()
    return account


def one_time_password() -> str:
    """A random first password: readable, 80 bits, passes the rules."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(4)) + "-A7"


def ensure_administrator(session: Session, now: datetime) -> str | None:
    """The first administrator with a one-time password, which is returned; None when there is one already."""
    if session.scalar(select(func.count()).select_from(Account).where(Account.demo.is_(False))):
        return None
    password = one_time_password()
    create_account(session, "admin", "admin", password, now, display_name="系统管理员", must_change=True)
    return password


def sign_in(session: Session, name: str, password: str, now: datetime) -> Account | None:
    """The account when the password fits. Counts failures; five lock it for fifteen minutes."""
    account = session.scalar(select(Account).where(Account.name == name, Account.active.is_(True)))
    if account is None or account.password_hash is None:
        _burn(password)
        return None
    if account.locked_until is not None and now < account.locked_until:
        return None
    if not _fits(account.password_hash, password):
        account.failures += 1
        if account.failures >= LOCK_AFTER:
            account.locked_until, account.failures = now + LOCK_FOR, 0
        return None
    account.failures, account.locked_until = 0, None
    if _HASHER.check_needs_rehash(account.password_hash):
        account.password_hash = _HASHER.hash(password)
    return account


def change_password(session: Session, account: Account, old: str, new: str) -> None:
    """Replaces the password and ends the other sessions. Raises InvalidValue naming `old` or `new`."""
    if account.password_hash is None or not _fits(account.password_hash, old):
        raise InvalidValue("old", "原密码不对。")
    if new == old:
        raise InvalidValue("new", "新密码要和原密码不同。")
    _check_new(new, account.name)
    account.password_hash = _HASHER.hash(new)
    account.must_change = False
    account.session_stamp = secrets.token_hex(8)


def demo_supervisor(session: Session, now: datetime) -> Account:
    """The account behind the demo's one-click entry; it has no password."""
    found = session.scalar(select(Account).where(Account.name == DEMO_SUPERVISOR))
    return found or create_account(
        session, DEMO_SUPERVISOR, "supervisor", None, now, display_name="演示主管", demo=True
    )


def make_token(session: Session, account_name: str, label: str, now: datetime, days: int = 365) -> str:
    """A new API token, told once: only its digest is kept. Raises NotFound for an unknown account."""
    account = session.scalar(select(Account).where(Account.name == account_name, Account.active.is_(True)))
    if account is None:
        raise NotFound(f"没有账号“{account_name}”。先用 user create 建。")
    secret = "gst_" + secrets.token_urlsafe(32)
    session.add(
        Token(
            account_id=account.id,
            name=label,
            digest=token_digest(secret),
            created_at=now,
            expires_at=now + timedelta(days=days),
        )
    )
    return secret


def token_digest(secret: str) -> str:
    """SHA-256; a 256-bit random secret needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def account_of_token(session: Session, secret: str, now: datetime) -> Account | None:
    """The account of a valid token, else None."""
    row = session.execute(
        select(Token, Account)
        .join(Account, Account.id == Token.account_id)
        .where(Token.digest == token_digest(secret), Token.revoked_at.is_(None), Account.active.is_(True))
    ).first()
    if row is None or (row.Token.expires_at is not None and row.Token.expires_at <= now):
        return None
    account: Account = row.Account
    return account


def _check_new(password: str, name: str) -> None:
    faults = password_faults(password, name)
    if faults:
        raise InvalidValue("new", "密码要改：" + "；".join(faults) + "。")


def _fits(digest: str, password: str) -> bool:
    try:
        return _HASHER.verify(digest, password)
    except (VerificationError, InvalidHashError):
        return False


def _burn(password: str) -> None:
    """Spend the time of a check, so that an unknown name answers as slowly as a wrong password."""
    _fits("$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$" + "A" * 43, password)
