"""What the register pages write: each view parses, calls one action, commits at the end of its block, and answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from service.errors import Conflict, InvalidValue, InvalidValues, NotAllowed, StaleVersion, StewardError
from service.records.register import Fault
from service.registers import actions
from service.registers.bulk import change_many, read_changes
from service.registers.kinds import REGISTERS, register_of
from service.registers.queries import one as read_one
from service.registers.rows import Row
from service.web import refusals
from service.web.context import parse_day, require_account, services
from service.web.register_view import writer
from service.web.registers.asking import Asking, asking
from service.web.registers.bulk_page import bulk_context, bulk_field, ticked, verdict_context
from service.web.registers.conflict import PLACE, conflict_context, taken
from service.web.registers.forms import Typed, drawn, form_context, fresh, sent_of, stored_as_typed, typed_of
from service.web.registers.links import list_url, row_url
from service.web.registers.query import Query, parse_query
from service.web.registers.saved import drop_view, save_view
from service.web.versions import seen_version

Answer = str | Response | tuple[str, int]


def _ask(name: str) -> Asking:
    """Worked out before a write begins: nobody waits for it."""
    with services().database.read() as session:
        return asking(session, name)


def _query(name: str) -> Query:
    return parse_query(REGISTERS[name], request.query_string.decode("utf-8", "replace"))


def new_form(name: str) -> str:
    """An empty form; the address may fill it in (`?address=…`), as "once more" does."""
    with services().database.read() as session:
        ask = asking(session, name)
        _require_create(ask)
        typed = fresh(ask.register, typed_of(ask.register, request.args, new=True))
        return render_template("registers/form.html", form=form_context(ask, typed, None, Query({})))


def create_row(name: str) -> Answer:
    ask = _ask(name)
    _require_create(ask)
    typed = typed_of(ask.register, request.form, new=True)
    shape, unread = _drawn(ask, typed)
    try:
        with services().database.write() as session:
            done = actions.create(session, ask.register, typed.values, writer(), ask.located, shape)
            _all_read(unread)
    except (InvalidValue, NotAllowed, Conflict) as fault:
        refusals.write_down(fault)
        return _again(ask, typed.with_faults(_faults(ask, fault, unread)), None, Query({}))
    if request.form.get("again"):
        return redirect(f"/{name}/new?told=created")
    return redirect(f"{row_url(name, done.code)}?told=created")


def edit_form(name: str, code: str) -> str:
    with services().database.read() as session:
        ask = asking(session, name)
        row = _changeable(session, ask, code)
        form = form_context(ask, stored_as_typed(ask.register, row), row, _query(name))
    return render_template("registers/form.html", form=form)


def change_row(name: str, code: str) -> Answer:
    query = _query(name)
    ask = _ask(name)
    refused: StewardError | None = None
    with services().database.write() as session:
        row = _changeable(session, ask, code)
        version = seen_version(request.form.get("version", ""))
        whole = typed_of(ask.register, request.form, new=False)
        typed = taken(whole, request.form)
        shape, unread = _drawn(ask, typed, row.geometry)
        dropped = [key.removeprefix("drop.") for key in request.form if key.startswith("drop.")]
        try:
            done = actions.change(
                session,
                ask.register,
                code,
                sent_of(ask.register, typed, row, dropped),
                version,
                writer(),
                ask.located,
                shape,
            )
            _all_read(unread)
        except StaleVersion as stale:
            session.rollback()
            both = conflict_context(session, ask, row, whole, stale, query)
            return render_template("registers/conflict.html", conflict=both), 409
        except (InvalidValue, NotAllowed, Conflict) as fault:
            session.rollback()
            refused = fault
    if refused is not None:  # the trail's line needs the write lock, which is free only now
        refusals.write_down(refused)
        return _again(ask, whole.with_faults(_faults(ask, refused, unread)), row, query, version)
    return redirect(_with(row_url(name, done.code, query), told="changed" if done.changed else "same"))


def end_form(name: str, code: str) -> str:
    with services().database.read() as session:
        ask = asking(session, name)
        _endable(session, ask, code)
        form = _end_context(session, ask, code, _query(name), {})
    return render_template("registers/end.html", form=form)


def end_row(name: str, code: str) -> Answer:
    query = _query(name)
    ask = _ask(name)
    with services().database.write() as session:
        _endable(session, ask, code)
        version = seen_version(request.form.get("version", ""))
        try:
            day, reason = _end_of(ask)
            actions.end(session, ask.register, code, version, writer(), ask.located, day, reason)
        except (InvalidValue, Conflict) as fault:
            session.rollback()
            form = _end_context(session, ask, code, query, request.form, fault.message)
            return render_template("registers/end.html", form=form), 409 if isinstance(fault, Conflict) else 422
    return redirect(_with(row_url(name, code, query), told="ended"))


def restore_row(name: str, code: str) -> Response:
    ask = _ask(name)
    with services().database.write() as session:
        version = seen_version(request.form.get("version", ""))
        actions.restore(session, ask.register, code, version, writer(), ask.located)
    return redirect(_with(row_url(name, code, _query(name)), told="restored"))


def bulk(name: str) -> Answer:
    """The ticked rows: first what would change, then (`sure`) the verdict of each."""
    codes, value = request.form.getlist("code"), request.form.get("value", "")
    query = parse_query(register_of(name), request.form.get("query", ""))
    if not codes:
        return redirect(list_url(name, query))
    sure = bool(request.form.get("sure"))
    ask = _ask(name)
    if not ask.may_change_any:
        raise NotAllowed(f"{ask.register.label}要由主管或管理员来改。")
    with services().database.read() as session:  # read and judged before the write begins: nobody waits for it
        field = bulk_field(ask, request.form.get("field", ""))
        rows = ticked(session, ask, codes)
        if not sure:
            return render_template("registers/bulk.html", bulk=bulk_context(ask, rows, len(codes), field, "", query))
        try:
            values = read_changes(session, ask.register, {field.name: value})
        except InvalidValue as fault:
            told = bulk_context(ask, rows, len(codes), field, value, query, fault.message)
            return render_template("registers/bulk.html", bulk=told), 422
    versions = _versions(codes)
    with services().database.write() as session:
        asked = {code: versions.get(code) for code in codes}
        outcomes = change_many(session, ask.register, asked, values, writer(), ask.located)
    kept = values[field.name]
    told = verdict_context(ask, rows, outcomes, field, "" if kept is None else str(kept), query)
    return render_template("registers/bulk.html", bulk=told)


def _require_create(ask: Asking) -> None:
    """Raises NotAllowed before anything is typed that couldn't be kept."""
    if not ask.may_create:
        raise NotAllowed(f"新的{ask.register.label}要由主管或管理员登记。")


def _changeable(session: Session, ask: Asking, code: str) -> Row:
    """The row. Raises NotFound outside the area that the asker reads, NotAllowed where the row reaches out of it."""
    row = read_one(session, ask.register, code, ask.area, ask.located)
    if not ask.may_change(row):
        raise NotAllowed(f"“{ask.words.title(row)}”不全在你的社区里，由主管来改。")
    return row


def _endable(session: Session, ask: Asking, code: str) -> None:
    _changeable(session, ask, code)
    if not ask.may_create:
        raise NotAllowed(f"{ask.register.label}的终止要由主管或管理员来做。")


def save(sent: Mapping[str, str]) -> Response:
    register = register_of(sent.get("page", ""))
    query = parse_query(register, sent.get("query", ""))
    who = require_account()
    shared = bool(sent.get("shared")) and who.role in ("admin", "supervisor")
    text = Query(query.filters, query.sort, 1, query.columns).text()
    with services().database.write() as session:
        save_view(session, who.id, register.name, sent.get("name", ""), text, shared)
    return redirect(f"/{register.name}?{text}" if text else f"/{register.name}")


def drop(number: int) -> Response:
    who = require_account()
    with services().database.write() as session:
        page = drop_view(session, who.id, number, who.role == "admin")
    return redirect(f"/{page}")


def _versions(codes: list[str]) -> dict[str, int]:
    """The version of each row that the first page showed. Raises InvalidValue."""
    seen = request.form.getlist("was")
    if len(seen) != len(codes):
        seen_version("")
    return {code: seen_version(text) for code, text in zip(codes, seen, strict=True)}


def _again(ask: Asking, typed: Typed, row: Any, query: Query, version: int | None = None) -> tuple[str, int]:
    """The form once more: what was typed, and what is wrong with it."""
    form = form_context(ask, typed, row, query)
    return render_template("registers/form.html", form=form | {"version": version or form["version"]}), 422


def _drawn(ask: Asking, typed: Typed, stored: Any = None) -> tuple[dict[str, Any] | None, InvalidValue | None]:
    """The place as GeoJSON, or why it can't be read: the other fields are judged before it is told."""
    try:
        return drawn(ask.register, typed, stored), None
    except InvalidValue as fault:
        return None, fault


def _all_read(unread: InvalidValue | None) -> None:
    if unread is not None:
        raise unread


def _faults(ask: Asking, fault: StewardError, unread: InvalidValue | None) -> list[Fault]:
    """Every fault with its field; a place that can't be read is worse than one that is missing."""
    if isinstance(fault, InvalidValues):
        found = list(fault.errors)
    elif isinstance(fault, InvalidValue):
        found = [(fault.field, fault.message)]
    else:
        found = [(ask.register.key if isinstance(fault, Conflict) else PLACE, fault.message)]
    if unread is None:
        return found
    return [one for one in found if one[0] != unread.field] + [(unread.field, unread.message)]


def _end_of(ask: Asking) -> tuple[date, str]:
    reason = " ".join(request.form.get("reason", "").split())
    if not reason:
        raise InvalidValue("reason", "写一句原因，日后查得到为什么终止。")
    return (parse_day(request.form.get("on")), reason[:200])


def _end_context(
    session: Session, ask: Asking, code: str, query: Query, sent: Mapping[str, str], message: str = ""
) -> dict[str, Any]:
    row = read_one(session, ask.register, code, ask.area, ask.located)
    thing = _(ask.look.thing)
    return {
        "name": ask.words.title(row),
        "action": row_url(ask.register.name, code, query, "end"),
        "cancel_url": row_url(ask.register.name, code, query),
        "list_url": list_url(ask.register.name, query),
        "list_title": _(ask.look.title),
        "version": sent.get("version") or row.version,
        "on": sent.get("on") or ask.on.isoformat(),
        "reason": sent.get("reason", ""),
        "hint": _(ask.look.hint),
        "errors": [{"message": message}] if message else [],
        "means": [
            f"{_('从这一天起，')}{thing}{_('不再出现在地图、名单和责任里；之前的日期照旧。')}",
            _("什么都不删除：登记的内容、照片和经过都留着。"),
            _("以后可以恢复。"),
        ],
    }


def _with(url: str, **more: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(more)}"
