"""The session cookie: left alone by requests that change nothing, ended by the account's own idleness."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from flask import Flask, Request, Response, current_app, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

SEEN = "seen"
_RENEW_EVERY = 60.0  # seconds: a cookie is signed anew at most once a minute

# What open pages ask by themselves: it isn't the person, so it doesn't keep the session awake.
UNATTENDED = {
    *("static", "pages.changes", "pages.healthz", "pages.map_modules"),
    *("jobs.job", "office.backup_state", "drafts_api.since"),
}


class QuietSessions(SecureCookieSessionInterface):
    """Flask's signed cookie; nothing is signed, compared or set where there is nothing to keep.

    `key_file`: where the key lies that signs it, None when it is given from outside. A renewed one is taken up at once.
    """

    def __init__(self, key_file: Path | None = None) -> None:
        self._key_file = key_file
        self._known = self._stamp()

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if "HTTP_COOKIE" not in request.environ:
            return SecureCookieSession()
        self._take_up_key(app)
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if not session and not session.modified:
            return
        self._take_up_key(app)
        super().save_session(app, session, response)

    def get_cookie_secure(self, app: Flask) -> bool:
        """Over TLS, our own or that of the trusted proxy in front."""
        return bool(app.config["SESSION_COOKIE_SECURE"]) or request.is_secure

    def _take_up_key(self, app: Flask) -> None:
        """The file's key, when another has taken its place (config.renew_session_secret)."""
        stamp = self._stamp()
        if self._key_file is None or stamp is None or stamp == self._known:
            return
        app.secret_key = self._key_file.read_text().strip()
        self._known = stamp

    def _stamp(self) -> tuple[int, int] | None:
        """What tells one file from the one that takes its place; None where there is none."""
        try:
            found = self._key_file.stat() if self._key_file is not None else None
        except FileNotFoundError:
            return None
        return (found.st_ino, found.st_mtime_ns) if found is not None else None


def begin(session: SessionMixin, now: datetime) -> None:
    """A fresh session from now on."""
    session.clear()
    session.permanent = True
    session[SEEN] = now.timestamp()


def is_idle(session: SessionMixin, now: datetime) -> bool:
    """Whether nobody did anything in this session for longer than SESSION_HOURS."""
    seen = session.get(SEEN)
    return not isinstance(seen, int | float) or now.timestamp() - seen > idle_after().total_seconds()


def secret_of(session: SessionMixin) -> str:
    """The secret of the sign-in behind the cookie, whether it holds or not; "" where there is none."""
    return str(session.get("_user_id", ""))


def idle_after() -> timedelta:
    """SESSION_HOURS."""
    return current_app.permanent_session_lifetime


def touch(session: SessionMixin, now: datetime) -> None:
    """Somebody did something just now."""
    if request.endpoint not in UNATTENDED and now.timestamp() - session.get(SEEN, 0) > _RENEW_EVERY:
        session[SEEN] = now.timestamp()
