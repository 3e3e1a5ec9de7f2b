"""GeoJSON as people send it: read feature by feature, a defect costs that feature only."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from service.files.coordinates import BrokenShape, build
from service.files.table import ReadOptions, Reject, SourceTable, objects, refuse, shown, unique_names
from service.files.text import as_utf8, doubts

_SHAPES = {"point", "multipoint", "linestring", "multilinestring", "polygon", "multipolygon", "geometrycollection"}
_EPSG = re.compile(r"EPSG:(?:[\d.]*:)?(\d+)$", re.IGNORECASE)


def read_geojson(path: Path, data: bytes, options: ReadOptions) -> SourceTable:
    """FeatureCollections, single features and geometries, and sequences of them. Raises UnreadableFile."""
    data, encoding = as_utf8(data, path, options.encoding)
    notes = doubts(data)
    rejects: list[Reject] = []
    numbered, crs = _features(path, data, notes, rejects)
    if not numbered and not rejects:
        raise refuse(path, "里没有任何要素。请确认导出时选中了数据再导入。")
    rows: list[tuple[int, dict[str, Any], Any]] = []
    repairs: Counter[str] = Counter()
    for number, feature in numbered:
        try:
            rows.append((number, *_row(feature, repairs)))
        except BrokenShape as error:
            rejects.append(Reject(number, "geometry", shown(error.value), error.reason))
    notes += [f"{text}（{count} 处）" for text, count in repairs.items()]
    return SourceTable(
        path=path,
        format="GeoJSON",
        columns=_columns([properties for _, properties, _ in rows], notes),
        geometry=objects([shape for _, _, shape in rows]),
        row_numbers=np.array([number for number, _, _ in rows], dtype=np.int64),
        crs=crs,
        encoding=encoding,
        notes=notes,
        rejects=rejects,
    )


Numbered = list[tuple[int, dict[str, Any]]]


def _features(path: Path, data: bytes, notes: list[str], rejects: list[Reject]) -> tuple[Numbered, str | None]:
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        document = _lenient(path, data, notes, rejects)
    if isinstance(document, dict):
        items, crs = _members(path, document), _declared_crs(document.get("crs"), notes)
    else:
        items, crs = document, "EPSG:4326"
    if not isinstance(items, list) and isinstance(document, dict):
        raise refuse(path, "不是 GeoJSON：features 应是一列要素，这里不是。请从 GIS 软件重新导出为 GeoJSON。")
    if not isinstance(items, list):
        raise refuse(path, "不是 GeoJSON：最外层应是 FeatureCollection。请从 GIS 软件重新导出为 GeoJSON。")
    numbered: Numbered = []
    for number, item in enumerate(items, start=1):
        if isinstance(item, _Broken):
            rejects.append(Reject(number, "", item.text, "这一行不是完整的 JSON"))
        elif isinstance(item, dict) and _is_feature(item):
            numbered.append((number, item))
        else:
            rejects.append(
                Reject(number, "", "" if item is None else shown(item), "不是要素：应有 type、properties 和 geometry")
            )
    if items and not numbered and all(isinstance(i, dict) for i in items):
        raise refuse(
            path, "是 JSON，但不是 GeoJSON：里面没有要素（Feature）。请从 GIS 软件导出为 GeoJSON，或把表格存为 CSV。"
        )
    return numbered, crs


def _members(path: Path, document: dict[str, Any]) -> Any:
    kind = str(document.get("type") or "").lower()
    if kind == "topology":
        raise refuse(path, "是 TopoJSON。请在 GIS 软件里另存为 GeoJSON 再导入。")
    if "geometryType" in document or "spatialReference" in document:
        raise refuse(path, "是 Esri 的 JSON。请另存为 GeoJSON 再导入。")
    if "features" in document:
        return document["features"]
    if kind == "featurecollection":
        raise refuse(path, "是没有 features 的 FeatureCollection，里面没有任何要素。请重新导出。")
    return [document]


def _is_feature(item: dict[str, Any]) -> bool:
    kind = str(item.get("type") or "").lower()
    return kind in _SHAPES or kind == "feature" or bool({"geometry", "coordinates", "geometries"} & item.keys())


class _Broken:
    """A line of a sequence that is no JSON."""

    def __init__(self, text: str) -> None:
        self.text = text


def _lenient(path: Path, data: bytes, notes: list[str], rejects: list[Reject]) -> Any:
    """What strict JSON refuses: NaN, and one document per line or per record separator (RFC 8142)."""
    text = data.decode("utf-8", errors="replace")
    try:
        return json.loads(text)
    except RecursionError as error:
        raise refuse(path, "嵌套得太深，不是正常的 GeoJSON。") from error
    except json.JSONDecodeError as error:
        failure = error
    parts = [p for p in (text.split("\x1e") if "\x1e" in text else text.splitlines()) if p.strip()]
    items = [_loads(part) for part in parts]
    good = sum(1 for item in items if isinstance(item, dict) and _is_feature(item))
    if len(items) > 1 and good and good * 2 >= len(items):
        notes.append("是逐行的 GeoJSON 序列")
        return items
    at_end = not text.rstrip().endswith(("}", "]"))
    where = (
        f"在第 {failure.lineno} 行中断，文件不完整"
        if at_end
        else f"第 {failure.lineno} 行第 {failure.colno} 个字符处格式有误"
    )
    raise refuse(path, f"{where}。请重新导出或重新下载后再导入。") from failure


def _loads(part: str) -> Any:
    try:
        return json.loads(part)
    except (json.JSONDecodeError, RecursionError):
        return _Broken(shown(part))


def _row(feature: dict[str, Any], repairs: Counter[str]) -> tuple[dict[str, Any], Any]:
    """(properties, shape or None) of a feature or of a bare geometry. Raises BrokenShape."""
    kind = str(feature.get("type") or "").lower()
    if kind != "feature" and "geometry" not in feature:
        return {}, build(feature, repairs)
    geometry = feature.get("geometry")
    if geometry is not None and not isinstance(geometry, dict):
        raise BrokenShape(geometry, "geometry 应是图形，这里不是")
    raw = feature.get("properties")
    properties = {str(k): _value(v) for k, v in raw.items()} if isinstance(raw, dict) else {}
    if isinstance(feature.get("id"), (str, int)) and "id" not in properties:
        properties["id"] = feature["id"]
    return properties, None if geometry is None else build(geometry, repairs)


def _value(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and not value.strip():
        return None
    return None if isinstance(value, float) and value != value else value


def _columns(rows: list[dict[str, Any]], notes: list[str]) -> dict[str, Any]:
    keys = list(dict.fromkeys(key for row in rows for key in row))
    names = unique_names(keys, notes)
    return {name: objects([row.get(key) for row in rows]) for key, name in zip(keys, names, strict=True)}


def _declared_crs(member: Any, notes: list[str]) -> str | None:
    """GeoJSON is WGS-84 (RFC 7946) unless it carries the older crs member."""
    if member is None:
        return "EPSG:4326"
    properties = member.get("properties") if isinstance(member, dict) else None
    if isinstance(properties, dict):
        name = str(properties.get("name") or properties.get("code") or "")
        if "CRS84" in name.upper():
            return "EPSG:4326"
        if match := _EPSG.search(name) or re.fullmatch(r"(\d+)", name):
            return f"EPSG:{match[1]}"
    notes.append(f"坐标系写法不认识（{shown(member)}），请用 --crs 指明")
    return None
