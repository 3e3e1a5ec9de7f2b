"""Sign-ins that hold, known by a secret that only the browser's cookie carries; here stands its digest.

Who has a copy of the cookie, or of the database and every key, has no session once it ended here. Nothing commits.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import Session

from service.people.models import Account, SignIn

SEEN_EVERY = timedelta(minutes=5)  # how exactly `seen_at` is kept (web/seen.py)
_LEEWAY = 2 * SEEN_EVERY  # the cookie itself tells idleness by the second; here it ends what no cookie ends


def begin(session: Session, account: Account, now: datetime, idle: timedelta) -> str:
    """A new one; returns its secret. What is over is cleared away: others' idle ones, and those of the account whose
    stamp it has changed since."""
    over = SignIn.seen_at < now - idle - _LEEWAY
    old = and_(SignIn.account_id == account.id, SignIn.stamp != account.session_stamp)
    session.execute(delete(SignIn).where(or_(over, old)))
    secret = secrets.token_urlsafe(32)
    session.add(
        SignIn(account_id=account.id, digest=_digest(secret), stamp=account.session_stamp, begun_at=now, seen_at=now)
    )
    session.flush()
    return secret


def holder(session: Session, secret: str, now: datetime, idle: timedelta) -> tuple[Account, SignIn] | None:
    """The account behind a secret while its sign-in holds: not signed out, here or everywhere, not idle for longer than
    `idle`, the account in use. One read by an index."""
    found = session.execute(
        select(Account, SignIn)
        .join(SignIn, SignIn.account_id == Account.id)
        .where(SignIn.digest == _digest(secret), SignIn.stamp == Account.session_stamp, Account.active.is_(True))
    ).first()
    if found is None or found.SignIn.seen_at < now - idle - _LEEWAY:
        return None
    return found.Account, found.SignIn


def end(session: Session, secret: str) -> None:
    """Signed out: no copy of the cookie opens anything any more."""
    session.execute(delete(SignIn).where(SignIn.digest == _digest(secret)))


def end_all(session: Session, but: str = "") -> None:
    """Everybody is signed out, `but` the sign-in of this secret."""
    session.execute(delete(SignIn).where(SignIn.digest != _digest(but)))


def _digest(secret: str) -> str:
    """SHA-256; a 256-bit random secret needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
