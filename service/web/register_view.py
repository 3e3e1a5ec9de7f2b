"""Registers at the edge: what a query string asks for, and rows as the asker may read them. One place masks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from flask import g
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from service.clock import local_date
from service.errors import InvalidValue
from service.people.rules import Viewer
from service.records.register import BY_COLUMNS, CHOICE, CODE, LONG, PERSON, PHONE, REFERENCE, Register, RegisterField
from service.registers.actions import By
from service.registers.history import Event
from service.registers.location import Located, locate
from service.registers.queries import MOST, Asked
from service.registers.rows import Row
from service.registers.shapes import plain
from service.responsibility.showing import Showing
from service.web.context import actor, area, now, services

_NOT_FILTERS = {"limit", "cursor", "sort", "on", "page", "columns", "view"}
_LISTED = {"grid", "community", "group", "category", "missing", "account", "ended"}


def here(session: Session, register: Register, on: date | None = None) -> Located:
    """Where the register's rows stand on a day, today unless told."""
    given = services()
    columns = given.incidents.current() if register.area == BY_COLUMNS else None
    return locate(session, register, given.responsibility.on(on or local_date(now())), columns)


def writer() -> By:
    """The asker as one who writes registers."""
    return By(actor(), area("registers.write"), now(), services().settings.subdistrict)


def asked_list(register: Register, args: MultiDict[str, str], on: date, viewer: Viewer, limit: int = 50) -> Asked:
    """A query string as what a list is asked for. Raises InvalidValue."""
    filters = {name: words for name in args if name not in _NOT_FILTERS and (words := _words(register, name, args))}
    return Asked(
        on,
        now(),
        filters,
        args.get("sort", ""),
        whole(args, "limit", limit, 1, MOST),
        whole(args, "cursor", 0, 0, 10**9),
        area(register.read_right),
        reads_names(viewer),
    )


def _words(register: Register, name: str, args: MultiDict[str, str]) -> tuple[str, ...]:
    """Codes and choices may stand behind one another with commas; a text is one word with its commas."""
    described = register.by_name.get(name)
    listed = name in _LISTED or (described is not None and described.kind in (CHOICE, CODE, REFERENCE))
    given = [text.strip() for text in args.getlist(name)]
    return tuple(part for text in given for part in (text.split(",") if listed else [text]) if part)


def whole(args: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    """A whole number of the query string. Raises InvalidValue."""
    text = args.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
        raise InvalidValue(name, f"{name}=“{text[:20]}”要是 {least} 到 {most} 的整数。")
    return int(text)


def reads_names(viewer: Viewer) -> bool:
    """Whether persons' names are shown whole; else they are neither searched nor filtered by."""
    return viewer.name("甲乙") == "甲乙"


class Whose(NamedTuple):
    """Which row a value is of: what is shown of a person depends on who they are and where they answer."""

    register: str
    code: str
    organisation: str | None = None


def whose(register: Register, row: Row) -> Whose:
    """The row's own."""
    return Whose(register.name, row.code, row.values.get("organisation_code"))


def showing(viewer: Viewer) -> Showing:
    """How persons are shown to the viewer on this day; kept for the request."""
    kept: Showing | None = g.get("showing")
    if kept is None or kept.viewer is not viewer:
        kept = g.showing = Showing(services().responsibility.on(local_date(now())), viewer)
    return kept


def masked(described: RegisterField | None, value: Any, viewer: Viewer, of: Whose) -> Any:
    """One value of a row as the viewer may read it."""
    if value is None or described is None:
        return value
    if described.kind == PHONE:
        return showing(viewer).phone(of.register, of.code, str(value))
    if described.kind == PERSON and of.register == "people":
        return showing(viewer).person(of.code, str(value), of.organisation)
    if described.kind == PERSON:
        return showing(viewer).citizen(of.code, str(value))
    return showing(viewer).words(str(value)) if described.kind == LONG else value


def masked_values(register: Register, values: Mapping[str, Any], viewer: Viewer, of: Whose) -> dict[str, Any]:
    """Fields of a row, in the register's order and whole, or as many as are given."""
    return {name: masked(register.by_name.get(name), value, viewer, of) for name, value in values.items()}


def masked_names(register: Register, row: Row, viewer: Viewer) -> dict[str, str]:
    """What the row's references are called; persons by the viewer's right."""
    persons = {one.name for one in register.fields if one.reference == "people"}
    return {
        name: (showing(viewer).person(str(row.values[name]), word) or "") if name in persons else word
        for name, word in row.names.items()
    }


def row_json(register: Register, row: Row, viewer: Viewer) -> dict[str, Any]:
    """A row as the interface answers it: fields, what was derived, version; geometry where it was read."""
    out = masked_values(register, row.values, viewer, whose(register, row))
    for name, value in out.items():
        if isinstance(value, date):
            out[name] = value.isoformat()
    out["names"] = masked_names(register, row, viewer)
    out |= {name: _derived(name, value, viewer) for name, value in row.derived.items()}
    if register.ends or not register.read_only:
        out["version"] = row.version
        out["ended_on"] = row.ended_on.isoformat() if row.ended_on else None
    if row.geometry is not None:
        out["geometry"] = plain(row.geometry)
    return out


def _derived(name: str, value: Any, viewer: Viewer) -> Any:
    if name == "leader" and value:
        return {**value, "name": viewer.name(value["name"], True)}
    if name == "duties":
        return [vars(one) for one in value]
    if name == "account":
        return value is not None
    return value


def event_json(register: Register, event: Event, viewer: Viewer, of: Whose) -> dict[str, Any]:
    """One event of a row's history."""
    return {
        "at": event.at.isoformat(timespec="milliseconds"),
        "actor": event.actor,
        "role": event.role,
        "verb": event.verb,
        "word": event.word,
        "changes": [
            {
                "field": one.field,
                "label": one.label,
                "before": masked(register.by_name.get(one.field), one.before, viewer, of),
                "after": masked(register.by_name.get(one.field), one.after, viewer, of),
            }
            for one in event.changes
        ],
        "note": event.note,
        "files": event.files,
        "import": event.batch,
    }
