"""The pages of every register: list, detail, form, end, bulk change; an endpoint per register and page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, jsonify, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from service.clock import local_date
from service.grids.editions import day_of_grid
from service.registers.kinds import REGISTERS
from service.registers.queries import one as read_one
from service.web.context import asked_day, now, services
from service.web.registers import writing
from service.web.registers.asking import asking
from service.web.registers.detail import detail_context
from service.web.registers.list_page import list_context, read_list
from service.web.registers.looks import LOOKS
from service.web.registers.query import Query, parse_query
from service.web.registers.suggest import suggestions

bp = Blueprint("registers", __name__)
_TOLD = {
    "created": "已登记。",
    "changed": "已保存。",
    "same": "没有改动。",
    "ended": "已终止。",
    "restored": "已恢复。",
}


def asked_query(name: str) -> Query:
    return parse_query(REGISTERS[name], request.query_string.decode("utf-8", "replace"))


def show_list(name: str) -> str:
    """The list alone."""
    query = asked_query(name)
    with services().database.read() as session:
        listed = read_list(session, asking(session, name), query)
        page = list_context(session, listed, None, _told())
    return render_template("registers/list.html", page=page, detail=None)


def show_one(name: str, code: str) -> str:
    """The detail beside its list; alone where only the fragment is asked for."""
    query = asked_query(name)
    with services().database.read() as session:
        ask = asking(session, name, _day_of(session, name, code))
        row = read_one(session, ask.register, code, ask.area, ask.located)
        detail = detail_context(session, ask, row, query, _told())
        if request.headers.get("X-Requested-With") == "fetch":
            return render_template("registers/detail.html", detail=detail)
        page = list_context(session, read_list(session, asking(session, name), query), code)
    return render_template("registers/list.html", page=page, detail=detail)


def _day_of(session: Session, name: str, code: str) -> date | None:
    """The day that is asked for. A grid that today's edition lacks is shown as in the one that has it: a link of
    another day still leads to it."""
    if request.args.get("on"):
        return asked_day()
    return day_of_grid(session, code, local_date(now())) if name == "grids" and "\0" not in code else None


def suggest(name: str) -> Any:
    """Rows whose name or code holds the words: what a form's reference field proposes."""
    with services().database.read() as session:
        found = suggestions(session, asking(session, name), request.args.get("q", "").strip()[:40])
    return jsonify({"results": found})


def _told() -> str:
    return _TOLD.get(request.args.get("told", ""), "")


def _views() -> dict[str, tuple[str, list[str], Callable[..., Any]]]:
    """Suffix of the endpoint: (path, methods, view)."""
    return {
        "": ("", ["GET"], show_list),
        "_suggest": ("/suggest", ["GET"], suggest),
        "_new": ("/new", ["GET"], writing.new_form),
        "_create": ("/new", ["POST"], writing.create_row),
        "_bulk": ("/bulk", ["POST"], writing.bulk),
        "_one": ("/<path:code>", ["GET"], show_one),
        "_edit": ("/<path:code>/edit", ["GET"], writing.edit_form),
        "_change": ("/<path:code>/edit", ["POST"], writing.change_row),
        "_end": ("/<path:code>/end", ["GET"], writing.end_form),
        "_end_post": ("/<path:code>/end", ["POST"], writing.end_row),
        "_restore": ("/<path:code>/restore", ["POST"], writing.restore_row),
    }


def pages_of(name: str) -> dict[str, tuple[str, list[str], Callable[..., Any]]]:
    """The views that a register has: one that is only read has no forms."""
    register = REGISTERS[name]
    out = _views()
    if register.own_writing:
        return {suffix: out[suffix] for suffix in ("", "_suggest", "_one")}
    if register.read_only:
        return {suffix: out[suffix] for suffix in ("", "_one")}
    if not register.creates:
        out = {suffix: view for suffix, view in out.items() if suffix not in ("_new", "_create")}
    if not register.ends:
        out = {suffix: view for suffix, view in out.items() if suffix not in ("_end", "_end_post", "_restore")}
    return out


for _name in LOOKS:
    for _suffix, (_path, _methods, _view) in pages_of(_name).items():
        bp.add_url_rule(f"/{_name}{_path}", f"{_name}{_suffix}", _view, methods=_methods, defaults={"name": _name})


@bp.post("/views")
def view_save() -> Response:
    """The list as it is now, under a name."""
    return writing.save(request.form)


@bp.post("/views/<int:number>/drop")
def view_drop(number: int) -> Response:
    return writing.drop(number)
