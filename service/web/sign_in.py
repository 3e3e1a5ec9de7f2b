"""Signing in: a thin adapter over Flask-Login; its commits are the documented exception to one commit a request."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Request, current_app, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import LoginManager, UserMixin, login_user, logout_user
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from service.errors import InvalidValue, NotAllowed, NotSignedIn, TooMany
from service.people.accounts import account_of_token, change_password, demo_supervisor, sign_in, token_digest
from service.people.models import Account
from service.records.batches import only_demo
from service.web.context import SignedIn, account, now, require_account, services

bp = Blueprint("sign_in", __name__)
_TRIES = parse("20/minute")
_MAY_WAIT = {"sign_in.password", "sign_in.password_post", "sign_in.logout", "static", "pages.healthz"}


class User(UserMixin):
    """What Flask-Login carries: the account's id with the stamp that a password change renews."""

    def __init__(self, found: Account) -> None:
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
        self.stamp = found.session_stamp

    def get_id(self) -> str:
        return f"{self.account.id}:{self.stamp}"


class Tokens:
    """Verified tokens, kept until the database changes: a program asks many times with one token."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._moved: object = None
        self._known: dict[str, User] = {}

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
            return known
        with database.read() as found:
            owner = account_of_token(found, secret, now())
            user = User(owner) if owner else None
        if user is not None and len(self._known) < 1000:
            with self._lock:
                self._known[digest] = user
        return user


def register(app: Flask) -> None:
    manager = LoginManager()
    manager.init_app(app)
    manager.session_protection = None  # type: ignore[assignment]
    tokens = Tokens()
    app.extensions["steward_tries"] = FixedWindowRateLimiter(MemoryStorage())

    @manager.user_loader
    def by_cookie(key: str) -> User | None:
        number, _sep, stamp = key.partition(":")
        with services().database.read() as found:
            owner = found.get(Account, int(number)) if number.isdecimal() and number.isascii() else None
            if owner is None or not owner.active or owner.session_stamp != stamp:
                return None
            if owner.demo and not _demo_open(found):
                return None
            return User(owner)

    @manager.request_loader
    def by_token(asked: Request) -> User | None:
        """Whoever shows a token means to be somebody: an unknown one is refused, not taken for the public."""
        given = asked.headers.get("Authorization", "")
        if not given:
            return None
        kind, _sep, secret = given.partition(" ")
        user = tokens.user(secret.strip()) if kind.lower() == "bearer" and secret else None
        if user is None:
            raise NotSignedIn("令牌不对、已过期或已撤销。请管理员重新发一个，写成 Authorization: Bearer 令牌。")
        return user

    @app.before_request
    def one_time_password_first() -> Response | None:
        who = account()
        if who is not None and who.must_change and request.endpoint not in _MAY_WAIT:
            if request.path.startswith("/api/"):
                raise NotAllowed("先在网页上换掉一次性密码，再使用接口。")
            return redirect(url_for("sign_in.password"))
        return None

    app.register_blueprint(bp)


@bp.get("/login")
def login() -> Response | str:
    if account() is not None:
        return redirect(url_for("pages.map_page"))
    return _login_page()


@bp.post("/login")
def login_post() -> Response | tuple[str, int]:
    tries: FixedWindowRateLimiter = current_app.extensions["steward_tries"]
    if not tries.hit(_TRIES, "login", request.remote_addr or ""):
        raise TooMany("登录试得太密，过一分钟再试。")
    name, password = request.form.get("name", "").strip(), request.form.get("password", "")
    with services().database.write() as found:
        owner = sign_in(found, name, password, now())
        user = User(owner) if owner else None
    if user is None:
        return _login_page(name=name, error=_("账号或密码不对。连续输错五次会锁定十五分钟；忘了密码找管理员。")), 401
    return _enter(user)


@bp.post("/login/demo")
def demo_entry() -> Response:
    """One click into the demo, only on loopback and only while nothing but the demo is there."""
    with services().database.write() as found:
        if not _demo_open(found):
            raise NotAllowed("演示入口只在本机、且只有演示数据时可用。请用账号登录。")
        user = User(demo_supervisor(found, now()))
    return _enter(user)


@bp.post("/logout")
def logout() -> Response:
    logout_user()
    session.clear()
    return redirect(url_for("pages.map_page"))


@bp.get("/account/password")
def password() -> str:
    require_account()
    return render_template("sign_in/change_password.html", errors={})


@bp.post("/account/password", endpoint="password_post")
def password_post() -> Response | tuple[str, int]:
    who = require_account()
    old, new, again = (request.form.get(name, "") for name in ("old", "new", "again"))
    if new != again:
        return render_template("sign_in/change_password.html", errors={"again": _("两次输入的新密码不一样。")}), 422
    try:
        with services().database.write() as found:
            owner = found.get_one(Account, who.id)
            change_password(found, owner, old, new)
            user = User(owner)
    except InvalidValue as fault:
        return render_template("sign_in/change_password.html", errors={fault.field: fault.message}), 422
    return _enter(user)


def _login_page(**given: Any) -> str:
    with services().database.read() as found:
        entry = _demo_open(found)
    return render_template(
        "sign_in/login.html",
        demo_entry=entry,
        next=request.values.get("next", ""),
        **({"error": None, "name": ""} | given),
    )


def _demo_open(found: Session) -> bool:
    settings = services().settings
    return settings.on_loopback and not settings.production and only_demo(found)


def _enter(user: User) -> Response:
    session.clear()
    session.permanent = True
    login_user(user)
    if user.account.must_change:
        return redirect(url_for("sign_in.password"))
    return redirect(_local(request.values.get("next", "")) or url_for("pages.map_page"))


def _local(target: str) -> str:
    """A path of this service, never another host's address."""
    parts = urlsplit(target)
    plain = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return target if plain and current_app else ""
