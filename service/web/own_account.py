"""The signed-in person's own account: what it may do, signing out everywhere, tokens for programs."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from service.errors import InvalidValue
from service.people.account_queries import row_of
from service.people.accounts import make_token, revoke_token, sign_out_everywhere, tokens_of
from service.people.models import Account, Token
from service.web.account_words import MAY, Names
from service.web.context import actor, now, require_account, services
from service.web.sign_in import begin_session, begun
from service.web.words import spoken_or_dash

bp = Blueprint("own_account", __name__)
_DAYS = (30, 90, 180, 365)


@bp.get("/account")
def index() -> str:
    return _page({})


@bp.post("/account/sign-out-everywhere")
def end_sessions() -> Response:
    """Every other device is signed out; this one stays."""
    who = require_account()
    with services().database.write() as session:
        owner = session.get_one(Account, who.id)
        sign_out_everywhere(session, owner, actor(), now())
        user = begun(session, owner)
    begin_session(user)
    return redirect(url_for("own_account.index", done="signed-out"))


@bp.post("/account/tokens")
def create_token() -> tuple[str, int]:
    """A new token, shown in this answer only."""
    who = require_account()
    label, days = request.form.get("label", ""), request.form.get("days", "")
    try:
        if not days.isdecimal():
            raise InvalidValue("days", "有效天数填 1 至 3650。")
        with services().database.write() as session:
            secret = make_token(session, who.name, label, now(), int(days[:6]), actor())
    except InvalidValue as fault:
        return _page({fault.field: fault.message}, label=label, days=days), 422
    return _page({}, secret=secret, secret_label=label.strip()), 201


@bp.post("/account/tokens/<int:number>/revoke")
def end_token(number: int) -> Response:
    who = require_account()
    with services().database.write() as session:
        revoke_token(session, session.get_one(Account, who.id), number, actor(), now())
    return redirect(url_for("own_account.index", done="revoked"))


def _page(errors: dict[str, str], **given: object) -> str:
    who = require_account()
    with services().database.read() as session:
        row = row_of(session.get_one(Account, who.id), now())
        tokens = [_told(token) for token in tokens_of(session, who.id)]
        names = Names(session, [row])
    return render_template(
        "accounts/own.html",
        errors=errors,
        tokens=tokens,
        area=names.area(row),
        person=names.person(row),
        may=MAY[who.role],
        who=who,
        created=spoken_or_dash(row.created_at),
        day_choices=_DAYS,
        done=request.args.get("done"),
        **({"secret": None, "secret_label": "", "label": "", "days": ""} | given),
    )


def _told(token: Token) -> dict[str, object]:
    """A line of the list: valid, expired or revoked."""
    state = "valid"
    if token.revoked_at is not None:
        state = "revoked"
    elif token.expires_at is not None and token.expires_at <= now():
        state = "expired"
    return {
        "id": token.id,
        "name": token.name,
        "state": state,
        "created": spoken_or_dash(token.created_at),
        "until": spoken_or_dash(token.expires_at),
    }
