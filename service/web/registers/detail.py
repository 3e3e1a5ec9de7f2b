"""A row's detail as templates/registers/detail.html shows it: facts, its place, who answers there, its course."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import shapely
from flask import current_app, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.grids.rules import short_code
from service.maps.mini import MiniMap
from service.records.register import BY_COLUMNS, LONG, PHONE, Register
from service.registers.kinds import REGISTERS
from service.registers.rows import Row
from service.registers.rules import holds
from service.wall.asked import choices
from service.web.context import area
from service.web.register_view import here, showing
from service.web.registers.asking import Asking
from service.web.registers.drawing import map_of
from service.web.registers.duty_detail import PAGES_OF, duty_context, held_context
from service.web.registers.links import list_url, row_url
from service.web.registers.looks import LOOKS, State
from service.web.registers.query import Query
from service.web.registers.trail import course_of
from service.web.words import spoken_day

_LONG = 18


def detail_context(session: Session, ask: Asking, row: Row, query: Query, told: str = "") -> dict[str, Any]:
    """All that the template shows of one row."""
    register, words, name = ask.register, ask.words, ask.register.name
    over = row.ended(ask.on)
    may = ask.may_change(row)
    may_end = may and ask.may_create and register.ends
    drawn = _map(ask, row)
    day = None if ask.on == ask.today else ask.on
    on_map = f"/map?p={drawn.lon},{drawn.lat}&at={drawn.lon},{drawn.lat}&z={drawn.zoom}" if drawn else None
    if on_map and day:
        on_map += f"&on={day}"
    facts = _facts(ask, row)
    context: dict[str, Any] = {
        "register": name,
        "code": row.code,
        "title": words.title(row),
        "sub": words.text(row, ask.look.under) if ask.look.under else "",
        "thing": _(ask.look.thing),
        "state": _state(ask, row),
        "version": row.version,
        "told": told,
        "day": spoken_day(day) if day else "",
        "ended_on": row.ended_on.isoformat() if over and row.ended_on else None,
        "back_url": list_url(name, query),
        "facts": facts,
        "map": drawn,
        "map_url": on_map,
        "where": _where(ask, row),
        "grid": _zone_name(ask, row),
        "leader": _leader(ask, row),
        "holds": [_duty(session, ask, one) for one in row.derived.get("duties") or ()],
        "trail": course_of(session, ask, row),
        "photos": "photos.add" in current_app.view_functions,
        "call_url": _call_url(ask, register.name, row.code, row.values.get("phone")) if not over else None,
        "print_url": _print_url(ask, row) if not over else None,
        "edit_url": row_url(name, row.code, query, "edit") if may and not over and register.editable else None,
        "end_url": row_url(name, row.code, query, "end") if may_end and not over else None,
        "restore_url": row_url(name, row.code, query, "restore") if may_end and over else None,
    }
    return context | (duty_context(session, ask, row) if name == "duties" else held_context(session, ask, row))


def _state(ask: Asking, row: Row) -> State | None:
    """As in the list; an overdue matter says by how much."""
    if row.ended(ask.on):
        return State(_("已终止"), "none", "history")
    state = ask.words.state(row)
    if state is not None and state.look == "late":
        return replace(state, word=ask.words.until(row, "due_at")[0])
    return state


def _call_url(ask: Asking, kind: str, code: str, phone: str | None) -> str | None:
    """Where the whole number is asked for, by those who would be given it."""
    if not phone or not ask.viewer.may_reveal(showing(ask.viewer).inside(kind, code)):
        return None
    return url_for("people.reveal")


def _print_url(ask: Asking, row: Row) -> str | None:
    """To the responsibility map of a grid, a community, or a person with grids, where one may print it."""
    may = area("duties.print")
    code, zones = row.code, ask.snapshot.tiling.zones
    at = ask.snapshot.tiling.by_code.get(code)
    if ask.register.name == "grids" and at is not None and may.holds_grid(code, zones[at].community_code):
        return url_for("wall.page", what="grid", code=code, on=None if ask.on == ask.today else ask.on.isoformat())
    if ask.register.name == "communities" and may.holds_community(code):
        return url_for("wall.page", what="community", code=code)
    if ask.register.name == "people" and any(one.code == code for one in choices(ask.snapshot, "officer", may)):
        return url_for("wall.page", what="officer", code=code)
    return None


def _facts(ask: Asking, row: Row) -> list[dict[str, Any]]:
    register, words = ask.register, ask.words
    skipped = {register.key, register.title, register.state, ask.look.under}
    out = []
    for name, label in register.columns.items():
        if name in skipped or name in ("leader", "duties") or (name == "community" and row.derived.get("grid")):
            continue
        text = words.text(row, name)
        described = register.by_name.get(name)
        if not text and (described is None or not described.editable):
            continue
        if described is not None and described.reference == "communities":
            continue
        out.append(
            {
                "name": name,
                "label": label,
                "text": text,
                "wide": len(text) > _LONG or (described is not None and described.kind == LONG),
                "url": _link(register, row, name),
                "reveal_url": _reveal(ask, row, name, text),
            }
        )
    return sorted(out, key=lambda fact: bool(fact["wide"]))


def _link(register: Register, row: Row, name: str) -> str | None:
    """A reference leads to what it names."""
    described = register.by_name.get(name)
    if described is not None and described.reference and row.values.get(name):
        return row_url(described.reference, str(row.values[name]))
    found = row.derived.get(name)
    if name in ("grid", "community") and found:
        return row_url("grids" if name == "grid" else "communities", found["code"])
    return None


def _reveal(ask: Asking, row: Row, name: str, text: str) -> str | None:
    described = ask.register.by_name.get(name)
    if described is None or described.kind != PHONE:
        return None
    return _call_url(ask, ask.register.name, row.code, text)


def _zone_name(ask: Asking, row: Row) -> str:
    if ask.register.name == "grids":
        return f"{ask.words.text(row, 'community')} {short_code(row.code)[1]}"
    return ask.words.text(row, "grid") if "leader" in row.derived else ""


def _where(ask: Asking, row: Row) -> str:
    """What the picture's line says: the grid, or how many a community has."""
    if ask.register.name == "communities":
        return f"{ask.words.text(row, 'grids') or 0} {_('个网格')}"
    return ask.words.text(row, "grid") or ask.words.text(row, "community") or _("不在任何网格里")


def _leader(ask: Asking, row: Row) -> dict[str, Any] | None:
    """The 网格长 of the grid that the row stands in, on this day."""
    code = row.code if ask.register.name == "grids" else (row.derived.get("grid") or {}).get("code")
    held = ask.snapshot.leader_of(code) if code else None
    if held is None:
        return None
    name = ask.viewer.name(held.person.name, leader=True) or ""
    person = held.person
    return {
        "code": person.code,
        "name": name,
        "initial": name[:1],
        "role_name": _("网格长"),
        "acting_for": ask.viewer.name(held.acting_for.name, leader=True) if held.acting_for else None,
        "phone": ask.viewer.phone(person.phone),
        "call_url": _call_url(ask, "people", person.code, person.phone),
    }


def _duty(session: Session, ask: Asking, one: Any) -> dict[str, Any]:
    page = PAGES_OF.get(one.kind)
    if page not in LOOKS or not _opens(session, ask, page, one.code):
        page = None
    role = f"{one.role_name}{_('（代）')}" if one.acting else one.role_name
    return {"role_name": role, "name": one.name, "url": row_url(page, one.code) if page else None}


def _opens(session: Session, ask: Asking, page: str, code: str) -> bool:
    """Whether the record that a duty is for lies in the asker's sight: else its name stands there without a link."""
    register = REGISTERS[page]
    spots = here(session, register, ask.on).spots
    return holds(register.area, register.subject, spots, area(register.read_right), code)


def _map(ask: Asking, row: Row) -> MiniMap | None:
    """The small map; None for what has no place."""
    shape = _shape(ask, row)
    if shape is None or shape.is_empty:
        return None
    code = row.code if ask.register.name == "grids" else (row.derived.get("grid") or {}).get("code")
    return map_of(ask, shape, ask.register.name in ("grids", "communities"), code)


def _shape(ask: Asking, row: Row) -> Any:
    """A community's extent is that of its grids; persons and organisations have no place of their own."""
    if ask.register.name == "communities":
        zones = ask.snapshot.tiling.zones
        mine = [
            geom for zone, geom in zip(zones, ask.snapshot.tiling.geoms, strict=True) if zone.community_code == row.code
        ]
        return shapely.union_all(mine) if mine else row.geometry
    return row.geometry if ask.register.geometry or ask.register.area == BY_COLUMNS else None
