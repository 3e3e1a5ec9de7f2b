"""Signing in and out: failures counted by account and by address, every try in the trail. Never commits."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, bindparam, delete, select, text
from sqlalchemy.orm import Session

from service.db.types import UtcDateTime
from service.errors import InvalidValue
from service.people import passwords
from service.people.accounts import new_stamp, subject_of
from service.people.models import Account, AddressFailures
from service.people.rules import mask_name
from service.records import counters
from service.records.audit import Actor, Subject, append

LOCK_AFTER = 5
LOCK_FOR = timedelta(minutes=15)
_FORGET_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class Outcome:
    """What became of a try. `address_locked_until` says nothing about the account, so it may be told."""

    account: Account | None = None
    address_locked_until: datetime | None = None


def address_key(address: str | None) -> str:
    """Under which name an address is counted: an IPv6 network of one customer (/64) counts as one.

    >>> address_key("10.0.0.7"), address_key("::ffff:10.0.0.7"), address_key("2001:db8:1:2:3:4:5:6"), address_key(None)
    ('10.0.0.7', '10.0.0.7', '2001:db8:1:2::/64', '?')
    """
    try:
        known = ipaddress.ip_address(address or "")
    except ValueError:
        return (address or "?")[:64]
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((known, 64), strict=False))


def sign_in(session: Session, name: str, password: str, now: datetime, address: str | None = None) -> Outcome:
    """The account when the password fits. Five failures in a row lock the account, five from one address the address,
    each for fifteen minutes. The answer for a wrong, a locked and an unknown account is the same, in the same time."""
    tried = _tried(session, address)
    if tried is not None and _locked(tried.locked_until, now):
        _failed(session, None, name, address, now, "这个网络地址已锁定")
        return Outcome(address_locked_until=tried.locked_until)
    account = session.scalar(select(Account).where(Account.name == name, Account.active.is_(True)).with_for_update())
    right = passwords.fits(account.password_hash if account else None, password)
    if account is None or not right or _locked(account.locked_until, now):
        return _refused(session, account, right, name, address, now)
    if tried is not None:  # the person's own slips are taken back; those under other names stay
        tried.failures = max(0, tried.failures - account.failures)
    account.failures, account.locked_until, account.last_seen_at = 0, None, now
    if account.password_hash and passwords.is_outdated(account.password_hash):
        account.password_hash = passwords.hashed(password)
    append(session, actor_of(account, address), "sign_in", now, subject_of(account))
    return Outcome(account)


def enter(session: Session, account: Account, now: datetime, address: str | None) -> None:
    """Signed in without a password: the demo's one click."""
    account.last_seen_at = now
    append(session, actor_of(account, address), "sign_in", now, subject_of(account), note="演示入口")


def change_password(session: Session, account: Account, old: str, new: str, by: Actor, now: datetime) -> None:
    """Replaces the password and ends the other sessions. Raises InvalidValue naming `old` or `new`."""
    if not passwords.fits(account.password_hash, old):
        raise InvalidValue("old", "原密码不对。")
    if new == old:
        raise InvalidValue("new", "新密码要和原密码不同。")
    account.password_hash = passwords.hashed_new(new, account.name)
    account.must_change = False
    account.session_stamp = new_stamp()
    counters.move(session, counters.ACCOUNTS)
    append(session, by, "account.password", now, subject_of(account))


def release_address(session: Session, address: str, by: Actor, now: datetime) -> None:
    """Lets an address try again before its time is up."""
    session.execute(delete(AddressFailures).where(AddressFailures.address == address))
    append(session, by, "address.release", now, Subject("addresses", address))


def locked_addresses(session: Session, now: datetime) -> list[AddressFailures]:
    """The addresses that may not try just now, the longest-locked first."""
    found = select(AddressFailures).where(AddressFailures.locked_until > now).order_by(AddressFailures.locked_until)
    return list(session.scalars(found))


def actor_of(account: Account, address: str | None) -> Actor:
    return Actor(account.name, account.role, address, account.id)


def _locked(until: datetime | None, now: datetime) -> bool:
    return until is not None and now < until


def _tried(session: Session, address: str | None) -> AddressFailures | None:
    return session.scalars(_row_of(address)).one_or_none()


def _row_of(address: str | None) -> Select[AddressFailures]:
    return select(AddressFailures).where(AddressFailures.address == address_key(address)).with_for_update()


def _refused(
    session: Session, account: Account | None, right: bool, name: str, address: str | None, now: datetime
) -> Outcome:
    """Count a failure and write it down; the fifth locks."""
    locked = account is not None and _locked(account.locked_until, now)
    _failed(session, account, name, address, now, "账号已锁定" if locked else "密码不对" if account else "没有这个账号")
    until = now + LOCK_FOR
    if account is not None and not locked and not right:
        account.failures += 1
        if account.failures >= LOCK_AFTER:
            account.locked_until, account.failures = until, 0
            append(session, Actor("系统", None, address), "account.lock", now, subject_of(account), note=_TELLS)
    tried = _counted(session, address, now)
    if tried.failures >= LOCK_AFTER:
        tried.locked_until, tried.failures = until, 0
        append(session, Actor("系统", None, address), "address.lock", now, Subject("addresses", tried.address))
        return Outcome(address_locked_until=until)
    return Outcome()


_TELLS = "连续输错五次，锁定十五分钟"


def _failed(session: Session, account: Account | None, name: str, address: str | None, now: datetime, why: str) -> None:
    """One failed try. An unknown name is masked: somebody may have typed the password there."""
    subject = subject_of(account) if account else Subject("accounts", None, mask_name(name[:64]))
    append(session, Actor("公众", None, address), "sign_in", now, subject, ok=False, note=why)


def _counted(session: Session, address: str | None, now: datetime) -> AddressFailures:
    """The address with one failure more. Failures count together while fifteen minutes haven't gone by since the last;
    two first failures at the same moment make one row."""
    session.execute(delete(AddressFailures).where(AddressFailures.last_at < now - _FORGET_AFTER))
    session.execute(_NEW_ADDRESS, {"address": address_key(address), "now": now})
    tried = session.scalars(_row_of(address)).one()
    fresh = now - tried.last_at < LOCK_FOR
    tried.failures, tried.last_at = (tried.failures + 1 if fresh else 1), now
    session.flush()
    return tried


_NEW_ADDRESS = text(
    "INSERT INTO address_failures (address, failures, last_at) VALUES (:address, 0, :now)"
    " ON CONFLICT (address) DO NOTHING"
).bindparams(bindparam("now", type_=UtcDateTime()))
