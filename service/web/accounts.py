"""The administrator's accounts: a list, a detail beside it, a form, and the steps of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from service.errors import Conflict, InvalidValue, NotAllowed, NotFound
from service.people import accounts as actions
from service.people.account_queries import (
    MOST,
    STATES,
    AccountRow,
    account_numbered,
    account_rows,
    organisation_named,
    person_named,
    row_of,
    suggestions,
)
from service.people.accounts import Placing, StaleAccount, check_placing
from service.people.models import Account, Organisation, Person
from service.people.passwords import one_time_password
from service.people.rules import ROLES
from service.people.signing import locked_addresses, release_address
from service.records.audit import Actor
from service.web.account_words import MAY, Names, community_names
from service.web.context import actor, now, require_account, services
from service.web.versions import seen_version
from service.web.words import ago, spoken_or_dash

bp = Blueprint("accounts", __name__, url_prefix="/accounts")

# The steps that need nothing but the account, by their place in the address.
_STEPS: dict[str, Callable[[Session, Account, Actor, datetime], object]] = {
    "deactivate": actions.deactivate,
    "reactivate": actions.reactivate,
    "reset-password": actions.reset_password,
    "release": actions.release,
    "sign-out-everywhere": actions.sign_out_everywhere,
}
_FIELDS = {
    "name": "账号",
    "display_name": "显示名",
    "role": "角色",
    "communities": "社区",
    "unit": "单位",
    "person": "人员",
}


@dataclass(frozen=True)
class Asked:
    """What the list is asked for; it stands in the URL."""

    state: str = ""
    role: str = ""
    q: str = ""

    @classmethod
    def parse(cls) -> Asked:
        given = {name: request.args.get(name, "").strip()[:80] for name in ("state", "role", "q")}
        if given["state"] and given["state"] not in STATES:
            raise InvalidValue("state", f"没有状态“{given['state']}”。可用：{'、'.join(STATES)}。")
        if given["role"] and given["role"] not in ROLES:
            raise InvalidValue("role", f"没有角色“{given['role']}”。可用：{'、'.join(ROLES)}。")
        return cls(**given)

    def url(self, **changed: str) -> str:
        """The list's address with some of it changed; empty ones are left out."""
        words = {"state": self.state, "role": self.role, "q": self.q} | changed
        told = urlencode({name: value for name, value in words.items() if value})
        return f"{url_for('accounts.index')}{'?' + told if told else ''}"

    def holds(self, row: AccountRow, names: Names) -> bool:
        told = " ".join((row.name, row.display_name, names.person(row), names.area(row), row.person_code or ""))
        return (not self.role or row.role == self.role) and (not self.q or self.q.lower() in told.lower())


@bp.get("")
def index() -> Response | str:
    """The list; `account=` opens one beside it."""
    asked, chosen = Asked.parse(), request.args.get("account", "")
    if "" in request.args.values():  # a form sends its empty fields too; the address keeps what was chosen
        return redirect(asked.url())
    with services().database.read() as session:
        rows = account_rows(session, now())
        names = Names(session, rows)
        addresses = [(one.address, spoken_or_dash(one.locked_until)) for one in locked_addresses(session, now())]
    found = [row for row in rows if asked.holds(row, names)]
    shown = [row for row in found if not asked.state or row.state == asked.state]
    one = next((row for row in rows if row.name == chosen), None)
    if chosen and one is None:
        raise NotFound(f"没有账号“{chosen[:80]}”。")
    return render_template(
        "accounts/list.html",
        asked=asked,
        chips=_chips(asked),
        counts=Counter(row.state for row in found),
        total=len(found),
        states=STATES,
        roles=ROLES,
        rows=[_line(row, names) for row in shown[:MOST]],
        more=max(0, len(shown) - MOST),
        one=_line(one, names) if one else None,
        done=request.args.get("done"),
        addresses=addresses,
    )


@bp.get("/new")
def new() -> str:
    return _form({}, {"role": "officer"})


@bp.post("")
def create() -> tuple[str, int]:
    """A new account; its one-time password is shown in this answer only."""
    typed = _typed()
    password = one_time_password()
    try:
        with services().database.write() as session:
            placing = _placing(session, typed)
            made = actions.create_account(
                session,
                str(typed["name"]),
                placing.role,
                password,
                now(),
                display_name=placing.display_name or None,
                area=" ".join(placing.communities) or None,
                unit=placing.unit,
                person=placing.person,
                must_change=True,
                demo=require_account().demo,
                by=actor(),
            )
            row = row_of(made, now())
    except InvalidValue as fault:
        return _form({fault.field: fault.message}, typed), 422
    except Conflict as fault:
        return _form({"name": fault.message}, typed), 409
    return _told_once(row, password, made=True), 201


@bp.get("/<int:number>")
def edit(number: int) -> str:
    with services().database.read() as session:
        row = row_of(account_numbered(session, number), now())
    return _form({}, _as_typed(row), row)


@bp.post("/<int:number>")
def change(number: int) -> Response | tuple[str, int]:
    """Another role, area, unit, person or name; a stale version shows both sides."""
    typed, version = _typed(), seen_version(request.form.get("version", ""))
    with services().database.read() as session:
        row = row_of(account_numbered(session, number), now())
    try:
        with services().database.write() as session:
            account = _own(account_numbered(session, number))
            placing = _placing(session, typed)
            actions.change_account(session, account, placing, version, actor(), now())
    except InvalidValue as fault:
        return _form({fault.field: fault.message}, typed, row, version=version), 422
    except StaleAccount as fault:
        return _form({}, typed, row, stale=fault.message), 409
    except Conflict as fault:
        return _form({"role": fault.message}, typed, row), 409
    return redirect(_detail(row.name, "changed"))


@bp.post("/<int:number>/<step>")
def step(number: int, step: str) -> Response | tuple[str, int]:
    """Stop, let in again, reset the password, release a lock, sign out everywhere."""
    action = _STEPS.get(step)
    if action is None:
        raise NotFound(f"没有这一步“{step[:40]}”。")
    with services().database.write() as session:
        account = _own(account_numbered(session, number))
        told = action(session, account, actor(), now())
        row = row_of(account, now())
    return (_told_once(row, told, made=False), 200) if isinstance(told, str) else redirect(_detail(row.name, step))


@bp.post("/addresses/release")
def release_address_lock() -> Response:
    with services().database.write() as session:
        release_address(session, request.form.get("address", "")[:64], actor(), now())
    return redirect(url_for("accounts.index", done="address"))


def _own(account: Account) -> Account:
    """A demo administrator tries things out on the demo's accounts, never on the office's."""
    if require_account().demo and not account.demo:
        raise NotAllowed("演示管理员只能动演示账号。真正的账号请用管理员账号登录后再改。")
    return account


def _typed() -> dict[str, object]:
    """What the form holds, as typed."""
    words: dict[str, object] = {name: request.form.get(name, "").strip()[:200] for name in _FIELDS}
    return words | {"communities": request.form.getlist("communities")[:500]}


def _as_typed(row: AccountRow) -> dict[str, object]:
    return {
        "name": row.name,
        "display_name": row.display_name,
        "role": row.role,
        "communities": list(row.communities),
        "unit": row.unit or "",
        "person": row.person_code or "",
    }


def _placing(session: Session, typed: dict[str, object]) -> Placing:
    """What the form asks for, with persons and units by code or by name; only what the role needs is kept."""
    role = str(typed["role"])
    communities = typed["communities"] if role == "manager" else []
    assert isinstance(communities, list)
    unit = _meant(organisation_named(session, str(typed["unit"])), str(typed["unit"]), "unit", "单位")
    person = _meant(person_named(session, str(typed["person"])), str(typed["person"]), "person", "人员")
    placing = Placing(
        role, str(typed["display_name"]), tuple(sorted(communities)), unit if role == "unit" else None, person
    )
    check_placing(session, placing, community_names())
    return placing


def _meant(found: list[tuple[str, str]], typed: str, field: str, word: str) -> str | None:
    """The code of the one thing that was typed by code or name. Raises InvalidValue for none or several."""
    if not typed:
        return None
    exact = [code for code, _name in found if code == typed]
    if exact or len(found) == 1:
        return exact[0] if exact else found[0][0]
    if not found:
        raise InvalidValue(field, f"{word}登记册里没有“{typed[:80]}”。填编号或全名。")
    raise InvalidValue(field, f"有 {len(found)} 个叫“{typed[:80]}”：{'、'.join(code for code, _ in found)}。填编号。")


def _form(
    errors: dict[str, str],
    typed: dict[str, object],
    row: AccountRow | None = None,
    stale: str | None = None,
    version: int | None = None,
) -> str:
    """`version`: the one that the page was opened with, where nothing else was shown since."""
    with services().database.read() as session:
        persons, units = suggestions(session, Person), suggestions(session, Organisation)
        names = Names(session, [row] if row else [])
    return render_template(
        "accounts/form.html",
        errors=errors,
        typed=typed,
        row=row,
        now_stands=_line(row, names) if row and stale else None,
        stale=stale,
        version=version or (row.version if row else None),
        roles=ROLES,
        may=MAY,
        fields=_FIELDS,
        communities=community_names(),
        persons=persons,
        units=units,
    )


def _told_once(row: AccountRow, password: str, made: bool) -> str:
    return render_template("accounts/told_once.html", row=row, password=password, made=made)


def _detail(name: str, done: str) -> str:
    return url_for("accounts.index", account=name, done=done)


def _line(row: AccountRow, names: Names) -> dict[str, object]:
    """A row as the page shows it."""
    return {
        "row": row,
        "role": ROLES[row.role],
        "may": MAY[row.role],
        "area": names.area(row),
        "person": names.person(row),
        "state": STATES[row.state],
        "seen": ago(row.last_seen_at, now()),
        "seen_at": spoken_or_dash(row.last_seen_at),
        "created": spoken_or_dash(row.created_at),
        "until": spoken_or_dash(row.locked_until),
    }


def _chips(asked: Asked) -> list[dict[str, str]]:
    """The filters that narrow the list, each with the address without it."""
    out = []
    if asked.role:
        out.append({"word": "角色", "value": ROLES[asked.role], "without": asked.url(role="")})
    if asked.q:
        out.append({"word": "含", "value": asked.q, "without": asked.url(q="")})
    return out
