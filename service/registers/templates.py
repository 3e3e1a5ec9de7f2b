"""What the template of each kind asks for, and the words that explain it; the import's own fields and words."""

from __future__ import annotations

from pathlib import Path

from service.documents.tables import DAY, NUMBER, SHAPE
from service.documents.templates import Asked, write_template
from service.files.mapping import Field
from service.intake.kinds import KINDS
from service.records.importing import Kind
from service.records.register import CHOICE, PHONE
from service.registers.exporting import Exported, exported, places_of
from service.registers.kinds import REGISTERS

_FORMS = {
    DAY: "日期，如 2026-11-23",
    NUMBER: "整数，如 128",
    PHONE: "手机 11 位，座机带区号，如 023-57681234",
    "moment": "日期和时间，如 2026-11-23 09:30（北京时间）",
    "code": "文本，数字编码也按文本填，别让末尾变成 000",
}
_HELP: dict[tuple[str, str], str] = {
    ("people", "code"): "工号；留空时按姓名加电话识别同一个人。",
    ("people", "organisation_code"): "单位的编码（单位没有编码时写名称）。",
    ("organisations", "head_code"): "一把手的工号。",
    ("grids", "community_code"): "所属社区的编码或名称；留空时按界线归到占得最多的社区。",
    ("grids", "parent_code"): "微网格填它所在网格的编码。",
    ("duties", "code"): "留空时按职务、对象、责任人和开始日期识别。",
    ("duties", "role"): "责任的名称。",
    ("duties", "subject_kind"): "对谁负责；留空按网格。",
    ("duties", "subject_code"): "负责的网格、社区、门店、街路等的编码。",
    ("duties", "person_code"): "责任人的工号；没有重名时也可写姓名或手机号。",
    ("duties", "acting_code"): "请假时由谁代理，写法同责任人。",
    ("duties", "acting_from"): "代理从哪天起。",
    ("duties", "acting_until"): "代理到哪天止（不含当天）。",
    ("duties", "starts_on"): "任职从哪天起；留空是一直以来。",
    ("duties", "ends_on"): "任职到哪天止（不含当天）；留空是至今。",
    ("incidents", "number"): "事项的编号；留空时按时间、地点和类别识别。",
    ("incidents", "category"): "类别目录里的编码。",
    ("incidents", "category_name"): "类别的名称，如“乱堆物料”。",
    ("incidents", "reported_at"): "发现或上报的时间。",
    ("incidents", "stated_grid"): "上报时写的网格；所在网格由坐标算出。",
    ("streets", "level"): "道路等级。",
    ("frontages", "code"): "责任书编号或门店编号；留空时按店名和位置识别。",
}
_LON_LAT = {
    "lon": "经度在前；中国境内在 73 到 135 之间。默认 WGS-84，别的坐标系在导入时说明。",
    "lat": "纬度；中国境内在 18 到 54 之间。",
}
_LON_LAT_FORM = "小数，如 {0}；也可写 {1}"
_DROPPED = {"last_day"}
_SHAPES = {
    "polygon": "POLYGON((109.88 31.07, 109.89 31.07, 109.89 31.08, 109.88 31.07))",
    "line": "LINESTRING(109.88 31.07, 109.89 31.07)",
    "line_or_point": "LINESTRING(109.88 31.07, 109.8801 31.07)",
    "any": "POINT(109.88 31.07)、LINESTRING(…) 或 POLYGON((…))",
}


def make_template(name: str, path: Path) -> None:
    """The workbook of an import kind. Raises KeyError for an unknown one."""
    kind = KINDS[name]
    write_template(path, kind.label, columns_of(kind), _notes(kind))


def columns_of(kind: Kind) -> list[Asked]:
    """The import's fields in its order, then the shape."""
    stored = {one.name: one for one in exported(kind)}
    out = [_asked(kind, one, stored.get(one.name)) for one in kind.fields if one.name not in _DROPPED]
    if places_of(kind) in ("shapes", "both"):
        needed = kind.geometry_needed and kind.points_from is None
        words = "界线或线形；用 GIS 软件做的，直接导入 GeoJSON、GeoPackage 或 Shapefile 更方便。"
        if kind.points_from is not None:
            words = "线形；只有一个点的填经度、纬度，这一列留空。"
        out.append(Asked(SHAPE, needed, "text", words, f"WKT，如 {_SHAPES[kind.geometry]}", width=30))
    return out


def _asked(kind: Kind, one: Field, stored: Exported | None) -> Asked:
    label = one.label or one.name
    if one.name in _LON_LAT:
        example = ("109.8782", "109°52′41.5″") if one.name == "lon" else ("31.0718", "31°4′18.5″")
        return Asked(label, kind.geometry_needed, NUMBER, _LON_LAT[one.name], _LON_LAT_FORM.format(*example), width=14)
    if stored is None:
        return Asked(label, one.required)
    described = stored.described
    help_ = _HELP.get((kind.name, one.name)) or (described.help if described else "")
    choices = tuple(dict.fromkeys(stored.words.values()))
    needed = one.required or (described is not None and described.needed and described.kind != CHOICE)
    form = "从列表里选" if choices else _form(stored)
    sort = stored.kind if stored.kind in (DAY, NUMBER) else "text"
    return Asked(label, needed, sort, help_, form, choices, stored.column.width)


def _form(stored: Exported) -> str:
    if stored.kind in (DAY, NUMBER):
        return _FORMS[stored.kind]
    kind = stored.described.kind if stored.described else ""
    if kind == PHONE:
        return _FORMS[PHONE]
    if kind == "moment":
        return _FORMS["moment"]
    return _FORMS["code"] if stored.name.endswith("code") or stored.name in ("code", "number") else "文本"


def _notes(kind: Kind) -> list[str]:
    register = REGISTERS.get(kind.name)
    found = [
        f"在第一张表“{kind.label}”里填，一行一{register.unit if register else '条'}。标题行不要改；"
        "带 * 的列必填，别的列可以留空，也可以删掉不用的列。",
        "填好后在“导入”里上传这个文件，或用命令 scripts/manage import "
        + kind.name
        + " 文件.xlsx。每一行都会先检查，有问题的行说明原因，不影响别的行。",
        "再导入一次相同的行不会重复：按编码认得出是同一条，变了的更新，没变的不动。",
    ]
    if kind.geometry == "point" or kind.points_from:
        found.append(
            "坐标：经度在前，纬度在后，默认 WGS-84（天地图的 CGCS2000 也可以）。"
            "高德、腾讯地图上量的是 gcj02，百度的是 bd09，导入时要说明。"
        )
    if any(one.name == "phone" for one in kind.fields):
        found.append(
            "导出的表里号码和姓名可能打了码（138****5678、张*）。原样导回时，打码的格子保持登记的内容；要改就写完整。"
        )
    return found
