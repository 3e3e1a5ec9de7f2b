"""Forms of the registers: what was typed, as the actions take it; shown again with the faults beside the fields."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import shapely
from flask_babel import gettext as _

from service.errors import InvalidValue
from service.records.register import (
    BY_PLACE,
    CHOICE,
    CODE,
    DATE,
    LONG,
    PHONE,
    REFERENCE,
    WHOLE,
    Fault,
    Register,
    RegisterField,
)
from service.registers.rows import Row
from service.web.context import services
from service.web.map_config import office_bounds
from service.web.registers.asking import Asking
from service.web.registers.links import list_url, row_url
from service.web.registers.query import Query

_PAIR = re.compile(r"^\s*(-?\d+(?:\.\d+)?)\s*[,，\s]\s*(-?\d+(?:\.\d+)?)\s*$")
_SHAPES = {"point": "点", "line": "线", "area": "面"}
_ALLOWED = {"line_or_point": ("line",), "line": ("line",), "any": ("point", "line", "area"), "point": ("point",)}
_HELP = {
    "line_or_point": "沿门面点出起点和终点，画成门前的一段；只知道大概位置时点一个点。",
    "line": "沿街路依次点出各个拐点。",
    "any": "先选画成什么，再在地图上点。点一下是一个点，线和面依次点出各个拐点。",
    "point": "在地图上点一下。",
}
_TYPES = {DATE: "date", PHONE: "tel", WHOLE: "text", LONG: "long"}
_DECIMALS = 7


@dataclass(frozen=True)
class Typed:
    """What somebody sent: by field, the points as text, the shape they are drawn as."""

    values: dict[str, str]
    points: str = ""
    shape: str = "line"
    faults: Sequence[Fault] = field(default_factory=tuple)

    def with_faults(self, faults: Sequence[Fault]) -> Typed:
        return Typed(self.values, self.points, self.shape, tuple(faults))


def fields_of(register: Register, new: bool) -> list[RegisterField]:
    """What a form asks for: also the key of a new row, whose stated code is kept."""
    if not new:
        return list(register.editable)
    key = [one for one in register.fields if one.name == register.key]
    return [one for one in register.fields if one.editable and one.name != register.key] + key


def typed_of(register: Register, sent: Mapping[str, str], new: bool) -> Typed:
    """From the form's body; unknown names are left out."""
    names = [one.name for one in fields_of(register, new)]
    allowed = _ALLOWED.get(register.geometry or "", ("line",))
    shape = sent.get("shape", "")
    return Typed(
        {name: sent[name] for name in names if name in sent},
        sent.get("points", "").replace("\r\n", "\n"),
        shape if shape in allowed else allowed[0],
    )


def fresh(register: Register, typed: Typed) -> Typed:
    """A new row's form as it is first shown: with what its fields are unless something else is said."""
    usual = {one.name: str(one.default) for one in register.fields if one.default is not None}
    return Typed(usual | typed.values, typed.points, typed.shape)


def stored_as_typed(register: Register, row: Row) -> Typed:
    """A row as the form first shows it: references by name where it is known, numbers not at all (they are masked)."""
    values = {}
    for one in register.editable:
        value = row.values.get(one.name)
        text = "" if value is None else value.isoformat() if one.kind == DATE else str(value)
        values[one.name] = "" if one.kind == PHONE else row.names.get(one.name) or text
    return Typed(values, points_text(row.geometry), shape_of(register, row.geometry))


def sent_of(register: Register, typed: Typed, row: Row, dropped: Collection[str]) -> dict[str, str]:
    """What of a typed form is a change: a number that was left empty stays, a name that was shown is its code again.

    `dropped`: the numbers that are to be deleted.
    """
    out = {}
    for name, text in typed.values.items():
        kept = row.values.get(name)
        if register.by_name[name].kind == PHONE and not text.strip() and kept and name not in dropped:
            continue
        out[name] = str(kept) if kept and text.strip() == row.names.get(name) else text
    return out


def drawn(register: Register, typed: Typed, stored: Any = None) -> dict[str, Any] | None:
    """The points as GeoJSON; None when nothing was drawn, or when they are the stored ones unchanged.

    Raises InvalidValue("geometry", …) naming the line at fault.
    """
    if not draws(register) or not typed.points.strip():
        return None
    if stored is not None and typed.points.strip() == points_text(stored) and typed.shape == shape_of(register, stored):
        return None
    parts = [_read(block, start) for start, block in _blocks(typed.points)]
    kind = typed.shape
    if kind == "line" and register.geometry == "line_or_point" and len(parts) == 1 and len(parts[0]) == 1:
        kind = "point"
    if kind == "point":
        return {"type": "Point", "coordinates": parts[-1][-1]}
    if kind == "area":
        return {"type": "MultiPolygon", "coordinates": [[_ring(part)] for part in parts]}
    for part in parts:
        if len(part) < 2:
            raise InvalidValue("geometry", "一条线至少要两个点，再点一个。")
    if len(parts) == 1:
        return {"type": "LineString", "coordinates": parts[0]}
    return {"type": "MultiLineString", "coordinates": parts}


def draws(register: Register) -> bool:
    """Whether the form has a map: boundaries of grids and communities come from imports only."""
    return register.area == BY_PLACE and register.geometry is not None


def points_text(geom: Any) -> str:
    """`lon, lat` a line; an empty line between parts; holes aren't told."""
    if geom is None or geom.is_empty:
        return ""
    out = []
    for part in shapely.get_parts(geom):
        coords = part.exterior.coords[:-1] if part.geom_type == "Polygon" else part.coords
        out.append("\n".join(f"{x:.{_DECIMALS}f}, {y:.{_DECIMALS}f}" for x, y, *_rest in coords))
    return "\n\n".join(out)


def shape_of(register: Register, geom: Any) -> str:
    """What a stored geometry is drawn as."""
    allowed = _ALLOWED.get(register.geometry or "", ("line",))
    if geom is None:
        return allowed[0]
    word = {0: "point", 1: "line", 2: "area"}[int(shapely.get_dimensions(geom))]
    return word if word in allowed else allowed[0]


def _blocks(text: str) -> list[tuple[int, list[str]]]:
    """(number of the first line, lines) of each part."""
    out: list[tuple[int, list[str]]] = []
    fresh = True
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            fresh = True
        elif fresh:
            out.append((number, [line]))
            fresh = False
        else:
            out[-1][1].append(line)
    return out


def _read(lines: list[str], first: int) -> list[list[float]]:
    out = []
    for number, line in enumerate(lines, first):
        match = _PAIR.match(line)
        if not match:
            raise InvalidValue(
                "geometry", f"坐标第 {number} 行“{line.strip()[:40]}”读不懂，写成 109.877920, 31.072490 这样。"
            )
        lon, lat = float(match[1]), float(match[2])
        if abs(lat) > 90 >= abs(lon):
            raise InvalidValue("geometry", f"坐标第 {number} 行：经纬度像是对调了，经度（{lat:g}）写在前。")
        if abs(lon) > 180 or abs(lat) > 90:
            raise InvalidValue("geometry", f"坐标第 {number} 行“{line.strip()[:40]}”不是经纬度。")
        out.append([lon, lat])
    return out


def _ring(part: list[list[float]]) -> list[list[float]]:
    if len(part) < 3:
        raise InvalidValue("geometry", "一个面至少要三个点，接着点。")
    return part if part[0] == part[-1] else [*part, part[0]]


def form_context(ask: Asking, typed: Typed, row: Row | None, query: Query) -> dict[str, Any]:
    """What templates/registers/form.html shows; `row` None for a new one."""
    register, look = ask.register, ask.look
    faults = dict(typed.faults)
    shown = [_field(ask, one, typed, faults, row) for one in fields_of(register, row is None)]
    known = {one["name"]: one["label"] for one in shown} | {"geometry": _("位置")}
    name = ask.words.title(row) if row else ""
    return {
        "title": f"{_('修改')}{_(look.thing)}" if row else f"{_('登记')}{_(look.thing)}",
        "action": row_url(register.name, row.code, query, "edit") if row else f"/{register.name}/new",
        "cancel_url": row_url(register.name, row.code, query) if row else list_url(register.name, query),
        "list_url": list_url(register.name, query),
        "list_title": _(look.title),
        "code": row.code if row else None,
        "name": name,
        "version": row.version if row else None,
        "errors": [
            {"name": f if f in known else "geometry", "label": known.get(f, f), "message": m} for f, m in typed.faults
        ],
        "fields": shown,
        "place": _place(ask, typed, faults) if draws(register) else None,
        "submit": _("保存"),
        "again": row is None,
        "unit": register.unit,
    }


def _field(ask: Asking, one: RegisterField, typed: Typed, faults: Mapping[str, str], row: Row | None) -> dict[str, Any]:
    value = typed.values.get(one.name, "")
    kept = row.values.get(one.name) if row else None
    options = list(one.choices.items()) if one.kind == CHOICE else None
    return {
        "name": one.name,
        "label": _(one.label),
        "type": _TYPES.get(one.kind, "text"),
        "mode": {WHOLE: "numeric", PHONE: "tel"}.get(one.kind),
        "value": value,
        "options": options,
        "blank": options is not None and (not one.needed or value == ""),
        "strange": options is not None and value != "" and value not in one.choices,
        "help": _(one.help) if one.help else "",
        "hint": ask.viewer.phone(kept) if kept and one.kind == PHONE else "",
        "needed": one.needed and one.kind != CODE,
        "error": faults.get(one.name),
        "suggest": f"/{one.reference}/suggest" if one.kind == REFERENCE else None,
    }


def _place(ask: Asking, typed: Typed, faults: Mapping[str, str]) -> dict[str, Any]:
    kind = ask.register.geometry or "any"
    bounds = office_bounds(ask.snapshot, services().ground.data())
    return {
        "name": "geometry",
        "needed": ask.register.geometry_needed,
        "help": _(_HELP[kind]),
        "shapes": [(one, _(_SHAPES[one])) for one in _ALLOWED[kind]],
        "shape": typed.shape,
        "points": typed.points,
        "error": faults.get("geometry"),
        "bounds": [round(float(value), 6) for value in bounds],
        "on": ask.on.isoformat(),
        "falls": "",
    }
