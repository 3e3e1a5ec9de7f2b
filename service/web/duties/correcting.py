"""Putting one duty right, field by field; whoever read an older version sees both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from flask import Response as JsonResponse
from flask import jsonify, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from service.clock import local_date
from service.duties import actions
from service.duties.rules import SUBJECT_KINDS
from service.errors import Conflict, InvalidValue, InvalidValues, NotAllowed, StaleVersion, StewardError
from service.records.register import Fault
from service.registers.queries import one as read_one
from service.registers.rows import Row
from service.registers.subjects import code_of, named, subject_book
from service.registers.values import understood
from service.web import refusals
from service.web.context import area, now, services
from service.web.duties.asked import RIGHT, facts_now, require_assign, writer
from service.web.duties.blueprint import bp
from service.web.registers.asking import Asking, asking
from service.web.registers.conflict import conflict_context, taken
from service.web.registers.forms import Typed, form_context, sent_of, stored_as_typed, typed_of
from service.web.registers.links import row_url
from service.web.registers.query import Query

Answer = str | Response | tuple[str, int]
# A form has the last day, the register the day after it.
_LAST_DAYS = {"ends_on": "最后一天", "acting_until": "代理的最后一天"}
_SUGGESTED, _WITHOUT_SCRIPTS = 10, 300


@bp.get("/subjects/suggest")
def subject_suggest() -> JsonResponse:
    """Subjects of `kind=` that the asker assigns, by code or name: what the form takes and what tells them apart."""
    require_assign()
    kind, words = request.args.get("kind", ""), request.args.get("q", "")[:40]
    if kind not in SUBJECT_KINDS:
        raise InvalidValue("kind", f"没有“{kind[:20]}”这类对象。可用：{'、'.join(SUBJECT_KINDS)}。")
    with services().database.read() as session:
        return jsonify({"results": _proposed(session, kind, words, _SUGGESTED)})


def _proposed(session: Session, kind: str, words: str, most: int) -> list[dict[str, str]]:
    today = local_date(now())
    book = subject_book(session, services().responsibility.on(today))
    return [{"value": one.code, "label": one.name} for one in named(book, area(RIGHT), kind, words, today, most)]


@bp.get("/<path:code>/edit")
def edit(code: str) -> str:
    with services().database.read() as session:
        ask, row = _changeable(session, code)
        typed = _moved(stored_as_typed(ask.register, row), -1)
        return render_template("registers/form.html", form=_form(session, ask, typed, row))


@bp.post("/<path:code>/edit")
def change(code: str) -> Answer:
    """The fields of the form; 409 with both sides when somebody else was first."""
    with services().database.read() as session:
        ask, row = _changeable(session, code)
        facts = facts_now(session)
        shown = typed_of(ask.register, request.form, new=False)
        values: Mapping[str, Any] = {}
        try:
            whole = _coded(session, _moved(shown, 1))
        except InvalidValue as fault:
            whole, faults = _moved(shown, 1), [(fault.field, fault.message)]
        else:
            sent = sent_of(ask.register, taken(whole, request.form), row, ())
            values, faults = understood(session, ask.register, sent, row.values)
        session.rollback()
    refused: StewardError | None = InvalidValues(faults) if faults else None
    if refused is None:
        try:
            with services().database.write() as session:
                actions.correct(session, code, values, _version(), facts, writer())
        except StaleVersion as stale:
            with services().database.read() as session:
                ask, row = _changeable(session, code)
                return render_template("registers/conflict.html", conflict=_both(session, ask, row, whole, stale)), 409
        except (InvalidValue, Conflict) as fault:
            refused = fault
    if refused is not None:
        refusals.write_down(refused)
        with services().database.read() as session:
            form = _form(session, ask, shown.with_faults(_faults(refused)), row)
        return render_template("registers/form.html", form=form | {"version": _version() or form["version"]}), 422
    return redirect(f"{row_url('duties', code)}?told=changed")


def _changeable(session: Session, code: str) -> tuple[Asking, Row]:
    """Raises NotFound outside what the asker reads, NotAllowed where the subject lies outside their area."""
    require_assign()
    ask = asking(session, "duties")
    row = read_one(session, ask.register, code, ask.area, ask.located)
    if not ask.may_change(row):
        raise NotAllowed(f"{ask.words.title(row)}的这项责任不在你的社区里，由主管来改。")
    return ask, row


def _coded(session: Session, typed: Typed) -> Typed:
    """The typed form with the code of a subject that was written by its name. Raises InvalidValue."""
    kind, word = typed.values.get("subject_kind", ""), typed.values.get("subject_code", "")
    if kind not in SUBJECT_KINDS or not word.strip():
        return typed
    book = subject_book(session, services().responsibility.on(local_date(now())))
    return replace(typed, values=typed.values | {"subject_code": code_of(book, area(RIGHT), kind, word)})


def _form(session: Session, ask: Asking, typed: Typed, row: Row) -> dict[str, Any]:
    """Subjects are proposed by code and name; without scripts those of the kind that is stored."""
    form = form_context(ask, typed, row, Query({}))
    kind, code = row.values["subject_kind"], row.values["subject_code"]
    book = subject_book(session, ask.snapshot)
    for one in form["fields"]:
        one["label"] = _(_LAST_DAYS.get(one["name"], one["label"]))
        if one["name"] == "subject_code":
            held = book.get((kind, code))
            one |= {
                "label": _("对象"),
                "suggest": "/duties/subjects/suggest",
                "suggest_with": "f-subject_kind",
                "proposed": _proposed(session, kind, "", _WITHOUT_SCRIPTS),
                "help": _("写编码或名称。现在是%(name)s。", name=held.fact.name if held else code),
            }
    return form | {"title": _("更正责任")}


def _both(session: Session, ask: Asking, row: Row, typed: Typed, stale: StaleVersion) -> dict[str, Any]:
    both = conflict_context(session, ask, row, typed, stale, Query({}))
    back = _moved(typed, -1).values
    kept = [(name, back.get(name, value)) for name, value in both["kept"]]
    return both | {"kept": kept, "fields": [_as_in_the_form(one) for one in both["fields"]]}


def _as_in_the_form(field: dict[str, Any]) -> dict[str, Any]:
    """A last day is compared as it was typed, not as the day after it."""
    if field["name"] not in _LAST_DAYS:
        return field
    sides = {side: _day_moved(field[side], -1) for side in ("theirs", "mine")}
    return field | sides | {"label": _(_LAST_DAYS[field["name"]])}


def _moved(typed: Typed, days: int) -> Typed:
    """The typed form with its last days moved; what isn't a date stays to be told."""
    values = dict(typed.values)
    values |= {name: _day_moved(values[name], days) for name in _LAST_DAYS if name in values}
    return Typed(values, typed.points, typed.shape, typed.faults)


def _day_moved(text: str, days: int) -> str:
    try:
        return (date.fromisoformat(text) + timedelta(days=days)).isoformat()
    except (ValueError, OverflowError):
        return text


def _version() -> int | None:
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() else None


def _faults(fault: StewardError) -> list[Fault]:
    if isinstance(fault, InvalidValues):
        return list(fault.errors)
    if isinstance(fault, InvalidValue):
        return [(fault.field, fault.message)]
    return [("person_code", fault.message)]
