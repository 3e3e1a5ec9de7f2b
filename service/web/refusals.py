"""Refusals in the trail: what a signed-in account may not do or see, what strangers tried to change, tokens that are
none, forms that didn't come from our pages."""

from __future__ import annotations

from flask import Flask, current_app, g, request
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from service.errors import NoSuchRow, NotAllowed, NotSignedIn, StewardError, TooMany
from service.records.audit import Subject, append
from service.registers.kinds import REGISTERS
from service.registers.queries import is_somewhere
from service.web.context import account, actor, area, now, services

_READING = {"GET", "HEAD", "OPTIONS"}
_STRANGERS = parse("60/minute")
_ACCOUNTS = parse("1000/minute")
_FOREIGN_FORM = "表单不是从本系统的页面来的，或者页面开得太久"


def register(app: Flask) -> None:
    app.extensions["steward_refused"] = FixedWindowRateLimiter(MemoryStorage())


def told_as(action: str, subject: Subject) -> None:
    """From here on a refusal of this request is one of that action on that subject, and no line more."""
    g.refused = (action, subject)


def write_down(error: StewardError) -> StewardError:
    """Append a refusal to the trail, in a transaction of its own: what was asked is rolled back. Returns the answer."""
    if not _is_refusal(error):
        return error
    return _append(error.message) or error


def foreign_form() -> StewardError | None:
    """A form without the page's token: into the trail. Returns another answer when there are too many."""
    return _append(_FOREIGN_FORM)


def _append(note: str) -> StewardError | None:
    """One line. A stranger who knocks more often than once a second is answered 429 instead, and so is an account's
    program that runs wild: nobody fills the disk."""
    who = account()
    doors: FixedWindowRateLimiter = current_app.extensions["steward_refused"]
    limit, whose = (_STRANGERS, request.remote_addr or "") if who is None else (_ACCOUNTS, str(who.id))
    if not doors.hit(limit, "refused", whose):
        return TooMany("请求太密，过一分钟再试。")
    route = Subject("routes", request.endpoint, f"{request.method} {request.path[:200]}")
    action, subject = g.get("refused") or ("request.refuse", route)
    with services().database.write() as session:
        append(session, actor(), action, now(), subject, ok=False, note=note)
    return None


def _is_refusal(error: StewardError) -> bool:
    if account() is not None:
        return isinstance(error, NotAllowed) or (isinstance(error, NoSuchRow) and _lies_elsewhere(error))
    if not isinstance(error, NotSignedIn | NotAllowed):
        return False
    return request.method not in _READING or bool(g.get("token_unknown"))


def _lies_elsewhere(error: NoSuchRow) -> bool:
    """Whether the row is there, outside the asker's area."""
    asked = REGISTERS[error.register]
    if area(asked.read_right).everywhere:
        return False
    with services().database.read() as session:
        return is_somewhere(session, asked, error.code)
