"""The session cookie: left alone by requests that change nothing, ended by the account's own idleness."""

from __future__ import annotations

from datetime import datetime

from flask import Flask, Request, Response, current_app, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

SEEN = "seen"
_RENEW_EVERY = 60.0  # seconds: a cookie is signed anew at most once a minute

# What open pages ask by themselves: it isn't the person, so it doesn't keep the session awake.
UNATTENDED = {"static", "pages.changes", "pages.healthz", "pages.map_modules", "jobs.job"}


class QuietSessions(SecureCookieSessionInterface):
    """Flask's signed cookie; nothing is signed, compared or set where there is nothing to keep."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if "HTTP_COOKIE" not in request.environ:
            return SecureCookieSession()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if not session and not session.modified:
            return
        super().save_session(app, session, response)

    def get_cookie_secure(self, app: Flask) -> bool:
        """Over TLS, our own or that of the trusted proxy in front."""
        return bool(app.config["SESSION_COOKIE_SECURE"]) or request.is_secure


def begin(session: SessionMixin, now: datetime) -> None:
    """A fresh session from now on."""
    session.clear()
    session.permanent = True
    session[SEEN] = now.timestamp()


def is_idle(session: SessionMixin, now: datetime) -> bool:
    """Whether nobody did anything in this session for longer than SESSION_HOURS."""
    seen = session.get(SEEN)
    idle = current_app.permanent_session_lifetime.total_seconds()
    return not isinstance(seen, int | float) or now.timestamp() - seen > idle


def touch(session: SessionMixin, now: datetime) -> None:
    """Somebody did something just now."""
    if request.endpoint not in UNATTENDED and now.timestamp() - session.get(SEEN, 0) > _RENEW_EVERY:
        session[SEEN] = now.timestamp()
