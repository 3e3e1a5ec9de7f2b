"""One sheet laid out: paper, map, table, legend, and what stands at its head and foot; plain data for the template."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import shapely

from service.clock import spoken
from service.documents import staticmap
from service.documents.fonts import GETA, breakable, printable, width
from service.documents.labels import Label
from service.documents.qr import qr_svg
from service.places.ground import GroundData
from service.responsibility.snapshot import Snapshot
from service.wall.content import VACANT, Content, GridRow, Name
from service.wall.drawing import Drawn, Subject, draw, subject_of

_PAPERS = {"a3": (420.0, 297.0, 1.0), "a4": (297.0, 210.0, 0.72)}  # mm, and how large type is
_MARGIN, _HEAD, _STRIP, _FOOT, _GAP = 11.0, 27.0, 10.0, 7.0, 4.0  # mm on A3
# What the table may get of the sheet, the largest first.
_BESIDE = (0.52, 0.46, 0.41, 0.36)
_BELOW = (0.6, 0.52, 0.46, 0.4, 0.34, 0.28, 0.22)
_LINE_MM, _ROW_MM, _PERSON_MM, _PHONE_MM = 5.2, 2.2, 21.0, 26.0  # of a table that reads well, on A3
_LEGEND = (
    ("edge", "本图范围"),
    ("border", "网格界"),
    ("community", "社区界"),
    ("micro", "微网格界"),
    ("vacant", f"网格长{VACANT}"),
    ("river", "水域"),
    ("park", "绿地"),
    ("building", "建筑"),
)


@dataclass(frozen=True)
class Setting:
    """What every sheet of one printing shares."""

    office: str
    address: str
    demo: bool
    approval: str
    made_at: datetime
    today: date


@dataclass(frozen=True)
class _Boxes:
    """Where map and table lie on the paper: x, y, width, height in mm."""

    paper: tuple[float, float]
    map: tuple[float, float, float, float]
    table: tuple[float, float, float, float]


def sheet(snapshot: Snapshot, ground: GroundData, content: Content, paper: str, setting: Setting) -> dict[str, Any]:
    """All that typst/wall.typ reads of one sheet."""
    subject = subject_of(snapshot, content)
    k = _PAPERS[paper][2]
    boxes = _boxes(paper, subject, content)
    drawn = draw(snapshot, ground, content, subject, boxes.map[2], boxes.map[3], k)
    out = {
        "paper": list(boxes.paper),
        "k": k,
        "margin": _MARGIN * k,
        "head": _HEAD * k,
        "strip": _STRIP * k,
        "foot": _FOOT * k,
        "title": printable(content.title),
        "title_mm": _title_mm(printable(content.title), boxes, k),
        "office": printable(setting.office),
        "facts": [[label, printable(value)] for label, value in content.facts],
        "vacant": f"网格长{VACANT} {content.vacant} 个" if content.vacant else "",
        "since": f"自 {content.on.isoformat()} 起执行" if content.on > setting.today else "",
        "qr": qr_svg(_live(setting.address, subject, boxes, content)) if setting.address else "",
        "map": {"at": list(boxes.map), "svg": drawn.svg, "labels": [_label(one) for one in drawn.labels]},
        "bar": {"mm": round(drawn.bar[0], 2), "words": drawn.bar[1]},
        "legend": _legend(drawn, content),
        "table_at": list(boxes.table),
        "heads": [] if content.names == "roles" else [_head(one) for one in content.heads],
        **table_of(content),
        "also": "；".join(printable(one) for one in content.also),
        "foot_words": _foot(content, setting, drawn),
        "demo": "演示数据，界线和人员均为虚构" if setting.demo else "",
    }
    if GETA in str(out):
        out["foot_words"].append(f"{GETA} 是字库里没有的字")
    return out


def _boxes(paper: str, subject: Subject, content: Content) -> _Boxes:
    """The way round, and the share of the table, in which the map becomes large and the table stays legible."""
    long, short, k = _PAPERS[paper]
    west, south, east, north = subject.bounds

    def worth(boxes: _Boxes) -> float:
        scale = min(boxes.map[2] / (east - west), boxes.map[3] / (north - south))
        room = boxes.table[3] / _needed(content, boxes.table[2] / k) / k
        return float(round(scale * min(1.0, room) ** 0.6, 6))

    m, gap, top, strip = _MARGIN * k, _GAP * k, (_MARGIN + _HEAD) * k, _STRIP * k
    found = []
    for wide, high in ((long, short), (short, long)):
        inner, across = high - top - (_FOOT + _MARGIN) * k, wide - 2 * m
        for share in _BELOW:
            table = min(inner * share, 1.7 * _needed(content, across / k) * k)
            down = inner - table - gap - strip
            found.append(_Boxes((wide, high), (m, top, across, down), (m, top + down + strip + gap, across, table)))
        for share in _BESIDE if wide > high else ():
            left = across * (1 - share) - gap
            beside = (m + left + gap, top, across - left - gap, inner)
            found.append(_Boxes((wide, high), (m, top, left, inner - strip), beside))
    return max(found, key=worth)


def _needed(content: Content, wide: float) -> float:
    """How high a legible table becomes on A3, in mm: about."""
    if content.what == "grid":
        return (len(content.rows[0].people) + 3) * (_LINE_MM + _ROW_MM)
    phones = content.names == "phones"
    wraps = math.ceil((45 + 3 * (_PERSON_MM + (_PHONE_MM if phones else 0))) / wide)
    lines = [max(1, len(row.officers), len(row.others)) for row in content.rows]
    return sum(wraps * count * _LINE_MM + _ROW_MM for count in lines) + 3 * (_LINE_MM + _ROW_MM)


def _title_mm(title: str, boxes: _Boxes, k: float) -> float:
    """As large as the head has room for."""
    room = boxes.paper[0] - 2 * _MARGIN * k - 62 * k
    return round(min(17.5 * k, 17.5 * k * room / max(width(title, 17.5 * k) * 1.03, 1e-6)), 2)


def _live(address: str, subject: Subject, boxes: _Boxes, content: Content) -> str:
    """The same place on the live map."""
    spot = shapely.point_on_surface(subject.outline)
    lon, lat = (float(one) for one in subject.plane.inverse(spot.x, spot.y))
    west, south, east, north = subject.bounds
    metres_per_px = max((east - west) / 900, (north - south) / 700)
    zoom = math.log2(156_543.03 * math.cos(math.radians(lat)) / metres_per_px)
    asked = f"p={lon:.6f},{lat:.6f}&" if content.what == "grid" else ""
    return f"{address}/map?{asked}at={lon:.6f},{lat:.6f}&z={min(zoom, 19):.1f}"


def _label(one: Label) -> dict[str, Any]:
    return {
        "x": round(one.x - one.width / 2, 2),
        "y": round(one.y - one.height / 2, 2),
        "w": round(one.width, 2),
        "h": round(one.height, 2),
        "mm": round(one.size, 2),
        "turn": round(one.turn, 1),
        "look": one.look,
        "plate": one.plate,
        "lines": [[line.text, line.share, line.bold] for line in one.lines],
    }


def _legend(drawn: Drawn, content: Content) -> list[list[str]]:
    """[a picture, words] of what the map shows."""
    out = []
    for look, words in _LEGEND:
        if look in ("micro", "vacant", "river", "park", "building") and look not in drawn.shown:
            continue
        if look == "border" and len(content.rows) == 1:
            continue
        out.append([staticmap.swatch("hatch" if look == "vacant" else look), words])
    return out


def _foot(content: Content, setting: Setting, drawn: Drawn) -> list[str]:
    days = [day.isoformat() + " 版" if day else "首版" for day in content.editions]
    out = [
        f"责任以 {content.on.isoformat()} 为准",
        f"界线：{'、'.join(days)}",
        f"制图 {spoken(setting.made_at)}",
        f"数据：{printable(setting.office)}",
    ]
    if setting.approval:
        out.append(f"审图号：{printable(setting.approval)}")
    if drawn.unnamed:
        out.append(f"{drawn.unnamed} 个网格太小，图上未注，见表")
    return out


def _head(one: Name) -> list[str]:
    return [one.role_name, _who(one), one.phone or ""]


def _who(one: Name) -> str:
    name = printable(one.name or "")
    return f"{name}（代{printable(one.acting_for)}）" if one.acting_for else name


# A cell is a list of lines, a line [text, bold, a quiet word before it, what stands behind it].
def table_of(content: Content) -> dict[str, Any]:
    """The duties as rows of cells, with the columns' names and widths."""
    if content.what == "grid":
        return _people_table(content.rows[0], content.names)
    columns, widths = ["号", "网格"], [0, 1.2]
    if content.what == "officer":
        columns, widths = [*columns, "本人职务"], [*widths, 1.0]
    columns += ["网格长", "网格员", "其他力量", "门店"]
    widths += [1.2, 1.2, 1.75, 0]
    rows = []
    for row in content.rows:
        cells: list[list[list[Any]]] = [[[row.number, True]], [[breakable(printable(row.title)), False]]]
        if content.what == "officer":
            cells.append([[row.own_roles, False]])
        leader = _people([row.leader], True) if row.leader else [[VACANT, True]]
        cells += [leader, _people(row.officers), _people(row.others, roles=True), [[str(row.shops), False]]]
        rows.append(cells)
    return {"columns": columns, "widths": widths, "rows": rows, "right": [len(columns) - 1]}


def _people(people: Sequence[Name | None], bold: bool = False, roles: bool = False) -> list[list[Any]]:
    """Their names, phones under them; only how many where no names are printed."""
    known = [one for one in people if one is not None]
    if known and known[0].name is None:
        return [["已落实" if bold else f"{len(known)} 人", False]]
    return [[breakable(printable(one.name or "")), bold, one.role_name if roles else "", _behind(one)] for one in known]


def _behind(one: Name) -> list[str]:
    """For whom somebody stands in, and the number; a line may break before each."""
    acting = [f"（代{breakable(printable(one.acting_for))}）"] if one.acting_for else []
    return acting + ([one.phone] if one.phone else [])


def _people_table(row: GridRow, names: str) -> dict[str, Any]:
    """A grid's own: a line a person."""
    columns, widths = ["职务", "姓名"], [1.1, 1.3]
    if names == "phones":
        columns, widths = [*columns, "电话"], [*widths, 1.3]
    vacant = [] if row.leader else [("网格长", VACANT, "")]
    if names == "roles":
        counts: dict[str, int] = {}
        for one in row.people:
            counts[one.role_name] = counts.get(one.role_name, 0) + 1
        told = [(role, "已落实" if count == 1 else f"已落实 {count} 人", "") for role, count in counts.items()]
        columns = ["职务", "是否落实"]
    else:
        told = [(_role(one), breakable(_who(one)), one.phone or "") for one in row.people]
    rows = [
        [[[cell, i == 1 and (at == 0)]] for i, cell in enumerate(three[: len(columns)])]
        for at, three in enumerate([*vacant, *told])
    ]
    return {"columns": columns, "widths": widths, "rows": rows, "right": []}


def _role(one: Name) -> str:
    """A micro-grid's leader with the micro-grid's name."""
    return f"{one.role_name}（{printable(one.subject)}）" if one.role == "micro_leader" else one.role_name


def bounds_of(geoms: np.ndarray) -> list[float]:
    """[west, south, east, north] in degrees."""
    return [float(value) for value in shapely.total_bounds(geoms)]
