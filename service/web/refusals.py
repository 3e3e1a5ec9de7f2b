"""Refusals in the trail: what a signed-in account may not do, and what strangers tried to change."""

from __future__ import annotations

from flask import Flask, current_app, g, request
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from service.errors import NotAllowed, NotSignedIn, StewardError, TooMany
from service.records.audit import Subject, append
from service.web.context import account, actor, now, services

_READING = {"GET", "HEAD", "OPTIONS"}
_STRANGERS = parse("60/minute")


def register(app: Flask) -> None:
    app.extensions["steward_refused"] = FixedWindowRateLimiter(MemoryStorage())


def told_as(action: str, subject: Subject) -> None:
    """From here on a refusal of this request is one of that action on that subject, and no line more."""
    g.refused = (action, subject)


def write_down(error: StewardError) -> StewardError:
    """Append a refusal to the trail, in a transaction of its own: what was asked is rolled back. Returns the answer.

    A stranger who knocks more often than once a second is answered 429 instead, so that nobody fills the disk.
    """
    known = account() is not None
    if not (known and isinstance(error, NotAllowed)) and not _stranger_writes(error, known):
        return error
    if not known:
        doors: FixedWindowRateLimiter = current_app.extensions["steward_refused"]
        if not doors.hit(_STRANGERS, "refused", request.remote_addr or ""):
            return TooMany("请求太密，过一分钟再试。")
    path = request.path[:200]
    route = Subject("routes", request.endpoint, f"{request.method} {path}")
    action, subject = g.get("refused") or ("request.refuse", route)
    with services().database.write() as session:
        append(session, actor(), action, now(), subject, ok=False, note=error.message)
    return error


def _stranger_writes(error: StewardError, known: bool) -> bool:
    return not known and isinstance(error, NotSignedIn | NotAllowed) and request.method not in _READING
