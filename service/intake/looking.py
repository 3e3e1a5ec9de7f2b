"""The first look at a file: what it is, its columns and first rows, which kind it probably is, and a sample."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from service.errors import UnreadableFile
from service.files.mapping import recognised
from service.files.reader import ReadOptions, read_source
from service.files.table import SourceTable, objects, shown
from service.intake.kinds import KINDS
from service.intake.words import for_browser

SAMPLE = "sample.json.gz"
_ROWS, _PREVIEW, _EXAMPLES = 2_000, 12, 3
_MOST_VERTICES = 60_000
_HEADER = re.compile(r"表头在第 (\d+) 行")
_FITTING = {
    "polygon": {"communities", "grids", "buildings", "places"},
    "line": {"streets", "frontages", "places"},
    "point": {"incidents", "frontages", "places"},
}
_NAMED = {
    "communities": ("社区", "村社区", "communit"),
    "grids": ("网格", "grid"),
    "people": ("人员", "网格员", "名单", "通讯录", "花名册", "people", "person"),
    "organisations": ("单位", "科室", "organi"),
    "duties": ("责任分工", "分工", "职责", "包保", "dut"),
    "frontages": ("三包", "门店", "商铺", "商户", "门前", "frontage", "shop"),
    "incidents": ("事项", "案件", "工单", "台账", "投诉", "上报", "incident", "311"),
    "streets": ("道路", "街路", "road", "street"),
    "buildings": ("建筑", "楼栋", "房屋", "building"),
    "places": ("场所", "公厕", "市场", "设施", "place", "poi"),
}


def look(path: Path, options: ReadOptions, folder: Path) -> dict[str, Any]:
    """What the pages show of a file; the sample goes into `folder`. A file that can't be read is told in words."""
    try:
        table = read_source(path, options)
    except UnreadableFile as fault:
        told = for_browser(fault.message)
        return {"option": fault.option, "choices": list(fault.choices), "refused": None if fault.choices else told}
    if not len(table) and table.rejects:
        first = table.rejects[0]
        told = f"{len(table.rejects)} 行都读不了。第 {first.row} 行：{for_browser(first.reason)}。改好后重新上传。"
        return {"option": None, "choices": [], "refused": told}
    if not table.columns and geometry_of(table) is None:
        told = "文件里既没有列，也没有图形，没有可以导入的内容。请重新导出后再上传。"
        return {"option": None, "choices": [], "refused": told}
    picked = np.unique(np.linspace(0, max(len(table) - 1, 0), min(_ROWS, len(table)), dtype=np.int64))
    _keep_sample(folder / SAMPLE, table, picked)
    header = next((int(found[1]) for note in table.notes if (found := _HEADER.search(note))), None)
    tabular = table.format in ("CSV", "XLSX")
    return {
        "format": table.format,
        "encoding": table.encoding,
        "rows": len(table) + len({one.row for one in table.rejects}),
        "header_row": (options.header_row if options.header_row is not None else header or 1) if tabular else None,
        "notes": [for_browser(note) for note in table.notes if not note.startswith("文字编码：")],
        "columns": [_column(name, values) for name, values in table.columns.items()],
        "preview": _preview(table),
        "geometry": geometry_of(table),
        "crs": _declared(table.crs),
        "kinds": kinds_of(table, path.name),
    }


def _column(name: str, values: np.ndarray) -> dict[str, Any]:
    filled = [value for value in values[:_ROWS].tolist() if value is not None]
    examples = list(dict.fromkeys(shown(_plain(value), 40) for value in filled[:60]))[:_EXAMPLES]
    return {"name": name, "examples": examples, "filled": int((values != None).sum())}  # noqa: E711 element by element


def _preview(table: SourceTable) -> list[dict[str, Any]]:
    names = list(table.columns)
    return [
        {
            "row": int(table.row_numbers[i]),
            "cells": ["" if (value := table.columns[name][i]) is None else shown(_plain(value), 60) for name in names],
        }
        for i in range(min(_PREVIEW, len(table)))
    ]


def geometry_of(table: SourceTable) -> str | None:
    """point, line or polygon: what most of the shapes are; None without any."""
    if table.geometry is None:
        return None
    dimensions = shapely.get_dimensions(table.geometry[~shapely.is_missing(table.geometry)])
    if not len(dimensions):
        return None
    return ("point", "line", "polygon")[int(np.bincount(np.maximum(dimensions, 0), minlength=3).argmax())]


def _declared(crs: str | None) -> str | None:
    if crs is None:
        return None
    return crs if len(crs) < 40 else crs.split('"')[1] if '"' in crs else crs[:40]


def kinds_of(table: SourceTable, name: str) -> list[str]:
    """The kinds, the likeliest first: by headers, by shapes, by the file's name."""
    shape = geometry_of(table)
    scores = {}
    for kind in KINDS.values():
        used = recognised(table.columns, kind.fields)
        needed = {field.name for field in kind.fields if field.required}
        score = 2.0 * len(used) - 4.0 * len(needed - set(used))
        score += 1.5 * sum(_own(field.words, used.get(field.name)) for field in kind.fields)
        placed = shape is not None or (kind.points_from and all(one in used for one in kind.points_from))
        if shape is not None:
            score += 6.0 if kind.name in _FITTING[shape] else -6.0
        elif kind.geometry_needed and not placed:
            score -= 12.0
        elif placed:
            score += 3.0
        score += 5.0 if any(word in name.lower() for word in _NAMED[kind.name]) else 0.0
        scores[kind.name] = score
    return sorted(scores, key=lambda one: -scores[one])


_EVERYWHERE = {
    "编码",
    "编号",
    "名称",
    "代码",
    "类别",
    "类型",
    "备注",
    "说明",
    "id",
    "name",
    "code",
    "type",
    "kind",
    "notes",
}


def _own(words: Iterable[str], column: str | None) -> bool:
    """Whether a recognised header is one that few kinds have."""
    return column is not None and column.strip().lower() not in _EVERYWHERE


def _keep_sample(path: Path, table: SourceTable, picked: np.ndarray) -> None:
    columns = {name: [_plain(value) for value in values[picked].tolist()] for name, values in table.columns.items()}
    shapes = None
    if table.geometry is not None:
        shapes = [None if one is None else one.wkb_hex for one in _lean(table.geometry[picked])]
    told = {"columns": columns, "rows": table.row_numbers[picked].tolist(), "geometry": shapes, "crs": table.crs}
    with gzip.open(path, "wt", encoding="utf-8") as out:
        json.dump(told, out, ensure_ascii=False)


def sample_of(folder: Path, name: str) -> SourceTable:
    """The kept sample as a table."""
    with gzip.open(folder / SAMPLE, "rt", encoding="utf-8") as source:
        told = json.load(source)
    geometry = None
    if told["geometry"] is not None:
        geometry = np.asarray(shapely.from_wkb(objects(told["geometry"])), dtype=object)
    return SourceTable(
        path=Path(name),
        format="sample",
        columns={column: objects(values) for column, values in told["columns"].items()},
        row_numbers=np.array(told["rows"], dtype=np.int64),
        geometry=geometry,
        crs=told["crs"],
    )


def _lean(shapes: np.ndarray) -> np.ndarray:
    """Shapes for a picture: fewer vertices where there are very many."""
    if shapely.get_num_coordinates(shapes).sum() <= _MOST_VERTICES:
        return shapes
    boxes = shapely.bounds(shapes)
    tolerance = float(np.nanmax([boxes[:, 2].max() - boxes[:, 0].min(), 1e-9])) / 1_000
    return np.asarray(shapely.simplify(shapes, tolerance), dtype=object)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    return value
