"""Who asks: the account behind a cookie or an API token. A thin adapter over Flask-Login."""

from __future__ import annotations

import ipaddress
import threading
from datetime import datetime
from urllib.parse import urlsplit

from flask import Flask, Request, g, request, session, url_for
from flask import redirect as redirect_to
from flask_login import LoginManager, UserMixin
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from service.errors import NotAllowed, NotSignedIn
from service.people import sign_ins
from service.people.accounts import account_of_token, token_digest
from service.people.models import Account
from service.records.batches import only_demo
from service.web import sessions
from service.web.context import SignedIn, account, by_token, now, services
from service.web.seen import LastSeen

_MAY_WAIT = {"sign_in.password", "sign_in.password_post", "sign_in.logout", "static", "pages.healthz"}
_MOST_KNOWN = 1000
_NOT_KNOWN = "令牌不对、已过期或已撤销。请管理员重新发一个，写成 Authorization: Bearer 令牌。"
_NOT_BEARER = "这里只认 Authorization: Bearer 令牌。前面的代理自己要密码的，让它不要把 Authorization 传过来。"
_PROXY_HEADERS = {
    "HTTP_FORWARDED",
    "HTTP_VIA",
    "HTTP_X_REAL_IP",
    "HTTP_X_CLIENT_IP",
    "HTTP_TRUE_CLIENT_IP",
    "HTTP_CF_CONNECTING_IP",
    "HTTP_X_ORIGINAL_FORWARDED_FOR",
}


class User(UserMixin):
    """What Flask-Login carries: the account as plain data, and the secret of its sign-in ("" behind an API token)."""

    def __init__(self, found: Account, secret: str = "") -> None:
        self.account = SignedIn(
            found.id,
            found.name,
            found.display_name,
            found.role,
            found.area,
            found.unit,
            found.person_code,
            found.must_change,
            found.demo,
        )
        self.secret = secret

    def get_id(self) -> str:
        return self.secret

    @property
    def by_token(self) -> bool:
        return not self.secret


class Tokens:
    """Verified tokens, kept until accounts or tokens change or they expire: a program asks many times with one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._moved: object = None
        self._known: dict[str, tuple[User, datetime | None]] = {}

    def user(self, secret: str) -> User | None:
        database = services().database
        moved = database.moved()
        digest = token_digest(secret)
        with self._lock:
            if moved != self._moved:
                self._known.clear()
                self._moved = moved
            known = self._known.get(digest)
        if known is not None:
            user, until = known
            here = not user.account.demo or _from_here()
            return user if here and (until is None or now() < until) else None
        with database.read() as found:
            held = account_of_token(found, secret, now())
            if held is None or (held[0].demo and not demo_open(found)):
                return None
            user = User(held[0])
        with self._lock:
            if moved == self._moved and len(self._known) < _MOST_KNOWN:
                self._known[digest] = (user, held[1])
        return user


def register(app: Flask) -> None:
    manager = LoginManager()
    manager.init_app(app)
    manager.session_protection = None  # type: ignore[assignment]
    tokens = Tokens()
    last_seen = LastSeen(app.extensions["steward"].database)
    app.extensions["steward_seen"] = last_seen

    @manager.user_loader
    def from_cookie(secret: str) -> User | None:
        if "HTTP_AUTHORIZATION" in request.environ or sessions.is_idle(session, now()):
            return None  # who shows a token is whom the token names
        with services().database.read() as found:
            held = sign_ins.holder(found, secret, now(), sessions.idle_after())
            if held is None or (held[0].demo and not demo_open(found)):
                return None
            owner, sign_in = held
            sessions.touch(session, now())
            if request.endpoint not in sessions.UNATTENDED:
                last_seen.note(sign_in, now())
            return User(owner, secret)

    @manager.request_loader
    def from_token(asked: Request) -> User | None:
        """An unknown token is nobody's, and so is another kind of Authorization; `unknown_token_refused` answers it.
        Not raised here, as error pages and the trail look up who is asking too."""
        given = asked.headers.get("Authorization")
        if given is None:
            return None
        kind, _sep, secret = given.partition(" ")
        user = tokens.user(secret.strip()) if kind.lower() == "bearer" and secret else None
        g.token_unknown = user is None
        return user

    @app.before_request
    def unknown_token_refused() -> None:
        """Whoever shows a token means to be somebody, and isn't taken for the public."""
        if account() is None and g.get("token_unknown"):
            raise NotSignedIn(_NOT_BEARER if _other_kind() else _NOT_KNOWN)

    @app.before_request
    def forms_for_cookies() -> None:
        """The API takes no form's token, but whoever comes with a cookie is a browser and needs one."""
        if request.path.startswith("/api/") and "HTTP_COOKIE" in request.environ and account() is not None:
            protection: CSRFProtect = app.extensions["csrf"]
            if app.config["WTF_CSRF_ENABLED"] and not by_token():
                protection.protect()

    @app.before_request
    def one_time_password_first() -> Response | None:
        who = account()
        if who is not None and who.must_change and request.endpoint not in _MAY_WAIT:
            if request.path.startswith("/api/"):
                raise NotAllowed("先在网页上换掉一次性密码，再使用接口。")
            return redirect_to(url_for("sign_in.password"))
        return None


def _other_kind() -> bool:
    return request.headers.get("Authorization", "").partition(" ")[0].lower() != "bearer"


def demo_open(found: Session) -> bool:
    """Whether the demo may be entered without a password: from this machine, while nothing but the demo is there."""
    return _from_here() and only_demo(found)


def _from_here() -> bool:
    """Asked by this machine under a name of its own: not through a proxy that publishes the service, nor by a page
    whose host name was pointed here."""
    settings = services().settings
    if not settings.on_loopback or settings.production or (not settings.trusted_proxies and _passed_on()):
        return False
    host = urlsplit(f"//{request.host}").hostname or ""
    return _is_loopback(host) and _is_loopback(request.remote_addr or "")


def _passed_on() -> bool:
    """Whether a proxy that nobody told us of stands between: it may say so in a header, or speak HTTP/1.0, which no
    browser does (nginx unless it is told otherwise); and a page that was opened under another name says that."""
    asked = request.environ
    if any(name.startswith("HTTP_X_FORWARDED") or name in _PROXY_HEADERS for name in asked):
        return True
    if asked.get("SERVER_PROTOCOL") in ("HTTP/1.0", "HTTP/1"):  # the latter is granian's word for it
        return True
    origin = asked.get("HTTP_ORIGIN")
    return origin is not None and not _is_loopback(urlsplit(origin).hostname or "")


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
