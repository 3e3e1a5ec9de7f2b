"""Signing in and out, the one-time password, the demo's entries; their commits are by route as everywhere."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, current_app, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import login_user, logout_user
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from service.clock import SHANGHAI, local_date
from service.errors import InvalidValue, NotAllowed, TooMany
from service.intake.demo_accounts import DemoRole, demo_account, demo_roles
from service.people import sign_ins
from service.people.accounts import subject_of
from service.people.models import Account
from service.people.rules import ROLES
from service.people.signing import change_password, enter, sign_in
from service.records.audit import Subject, append
from service.records.batches import holds_demo, only_demo
from service.web import identity, sessions
from service.web.account_words import MAY
from service.web.context import account, actor, now, require_account, services
from service.web.identity import User, demo_open

bp = Blueprint("sign_in", __name__)
_TRIES = parse("20/minute")
_PASSWORDS = parse("10/minute")


def register(app: Flask) -> None:
    app.extensions["steward_tries"] = FixedWindowRateLimiter(MemoryStorage())
    identity.register(app)
    app.register_blueprint(bp)


@bp.get("/login")
def login() -> Response | str:
    if account() is not None:
        return redirect(url_for("pages.map_page"))
    return _login_page()


@bp.post("/login")
def login_post() -> Response | tuple[str, int]:
    _hit(_TRIES, "login", request.remote_addr, "登录试得太密，过一分钟再试。")
    name, password = request.form.get("name", "").strip(), request.form.get("password", "")
    with services().database.write() as found:
        outcome = sign_in(found, name, password, now(), request.remote_addr)
        owner = outcome.account
        user = begun(found, owner) if owner and (not owner.demo or demo_open(found)) else None
    if user is not None:
        return enter_as(user)
    if outcome.address_locked_until is not None:
        until = f"{outcome.address_locked_until.astimezone(SHANGHAI):%H:%M}"
        told = _("这个网络地址输错太多次，锁定到 %(until)s。到时再试，或请管理员解除。", until=until)
    else:
        told = _("账号或密码不对。连续输错五次会锁定十五分钟；忘了密码找管理员。")
    return _login_page(name=name, error=told), 401


@bp.post("/login/demo", defaults={"role": "supervisor"})
@bp.post("/login/demo/<role>")
def demo_entry(role: str) -> Response:
    """One click into the demo in a role, only on loopback and only while nothing but the demo is there."""
    with services().database.write() as found:
        if not demo_open(found):
            raise NotAllowed("演示入口只在本机、且只有演示数据时可用。请用账号登录。")
        owner = demo_account(found, role, now(), local_date(now()))
        enter(found, owner, now(), request.remote_addr)
        user = begun(found, owner)
    return enter_as(user)


@bp.post("/logout")
def logout() -> Response:
    """Ends the sign-in on the server: a copy of the cookie opens nothing any more."""
    who, secret = account(), sessions.secret_of(session)
    if who is not None or secret:
        with services().database.write() as found:
            if who is not None:
                append(found, actor(), "sign_out", now(), Subject("accounts", who.name, who.display_name))
            sign_ins.end(found, secret)
    logout_user()
    session.clear()
    return redirect(url_for("pages.map_page"))


@bp.get("/account/password")
def password() -> str:
    return _password_page({})


@bp.post("/account/password", endpoint="password_post")
def password_post() -> Response | tuple[str, int]:
    who = require_account()
    _hit(_PASSWORDS, "password", str(who.id), "改密码试得太密，过一分钟再试。")
    old, new, again = (request.form.get(name, "") for name in ("old", "new", "again"))
    if new != again:
        return _password_page({"again": _("两次输入的新密码不一样。")}), 422
    try:
        with services().database.write() as found:
            owner = found.get_one(Account, who.id)
            change_password(found, owner, old, new, actor(), now())
            user = begun(found, owner)
    except InvalidValue as fault:
        if fault.field == "old":
            _write_down_wrong_password(who.id)
        return _password_page({fault.field: fault.message}), 422
    return enter_as(user)


def enter_as(user: User) -> Response:
    """A new session for the account, then where it wanted to go."""
    begin_session(user)
    if user.account.must_change:
        return redirect(url_for("sign_in.password"))
    return redirect(_local(request.values.get("next", "")) or url_for("pages.map_page"))


def begun(found: Session, owner: Account) -> User:
    """A sign-in of the account from now on, for `begin_session` once it is committed."""
    return User(owner, sign_ins.begin(found, owner, now(), sessions.idle_after()))


def begin_session(user: User) -> None:
    """The browser's cookie for a sign-in that was begun."""
    sessions.begin(session, now())
    login_user(user)


def _write_down_wrong_password(account_id: int) -> None:
    with services().database.write() as found:
        subject = subject_of(found.get_one(Account, account_id))
        append(found, actor(), "account.password", now(), subject, ok=False, note="原密码不对")


def _hit(limit: RateLimitItem, what: str, who: str | None, told: str) -> None:
    tries: FixedWindowRateLimiter = current_app.extensions["steward_tries"]
    if not tries.hit(limit, what, who or ""):
        raise TooMany(told)


def _password_page(errors: dict[str, str]) -> str:
    return render_template("sign_in/change_password.html", errors=errors, must_change=require_account().must_change)


def _login_page(**given: Any) -> str:
    ways: list[DemoRole] = []
    with services().database.read() as found:
        if demo_open(found):
            ways = demo_roles(found, local_date(now()))
        closed = holds_demo(found) and not only_demo(found)
    return render_template(
        "sign_in/login.html",
        demo_ways=ways,
        demo_closed=closed,
        roles=ROLES,
        may=MAY,
        next=_local(request.values.get("next", "")),
        **({"error": None, "name": ""} | given),
    )


def _local(target: str) -> str:
    """A path of this service, never another host's address."""
    parts = urlsplit(target)
    plain = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return target if plain else ""
