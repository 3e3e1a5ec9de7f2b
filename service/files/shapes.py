"""Geometries as they come: well-known text and binary, curves and TINs, heights dropped."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from service.files.table import Column, Reject, SourceTable, objects, present, shown

_KEYWORD = re.compile(
    r"^\s*(SRID\s*=\s*\d+\s*;)?\s*(MULTI)?(POINT|LINESTRING|POLYGON|CURVE|SURFACE)|^\s*(GEOMETRYCOLLECTION|TIN|TRIANGLE"
    r"|POLYHEDRALSURFACE|CIRCULARSTRING|COMPOUNDCURVE|CURVEPOLYGON)\b",
    re.IGNORECASE,
)
_HEX = re.compile(r"^(00|01)[0-9A-Fa-f]{16,}$")
_SRID = re.compile(r"^\s*SRID\s*=\s*(\d+)\s*;", re.IGNORECASE)
_CONTINUED = re.compile(r".*（续\d+）")
_CURVED = re.compile(r"CIRCULARSTRING|COMPOUNDCURVE|CURVEPOLYGON|MULTICURVE|MULTISURFACE", re.IGNORECASE)
# The same nesting of brackets and bytes under another name.
_SAME_AS_TEXT = ((r"\bTRIANGLE\b", "POLYGON"), (r"\b(TIN|POLYHEDRALSURFACE)\b", "MULTIPOLYGON"))
_SAME_AS_BINARY = {15: 6, 16: 6, 17: 3}


def is_geometry_text(values: Column) -> bool:
    """Whether a column holds shapes: WKT, EWKT, hexadecimal WKB or GeoJSON geometries in its first filled cells."""
    sample = [v for v in values[:2000] if isinstance(v, str)][:20]
    return bool(sample) and all(_KEYWORD.match(v) or _HEX.match(v.strip()) or _is_json(v) for v in sample)


def _is_json(text: str) -> bool:
    return text.lstrip().startswith("{") and '"coordinates"' in text


def from_text(values: Column) -> tuple[Column, NDArray[np.bool_], str | None]:
    """(geometries, which cells could not be read, declared CRS) of a column of WKT, EWKT, hex WKB or GeoJSON."""
    crs = None
    texts = objects([v.strip() if isinstance(v, str) and v.strip() else None for v in values])
    first = next((t for t in texts if t), "")
    if match := _SRID.match(first):
        crs = f"EPSG:{match[1]}"
    texts = objects([_SRID.sub("", t) if t and t[:4].upper() == "SRID" else t for t in texts])
    if _HEX.match(first):
        result = _understood(shapely.from_wkb, texts)
        srid = next((int(shapely.get_srid(g)) for g in result if g is not None), 0)
        crs = f"EPSG:{srid}" if srid else None
    elif first.startswith("{"):
        result = _understood(shapely.from_geojson, texts)
    else:
        result = _understood(shapely.from_wkt, texts)
        for index in np.flatnonzero(present(texts) & ~present(result)):
            text = str(texts[index])
            for pattern, name in _SAME_AS_TEXT:
                text = re.sub(pattern, name, text, flags=re.IGNORECASE)
            if text != texts[index]:
                result[index] = _surface(shapely.from_wkt(text, on_invalid="ignore"))
    return result, present(texts) & ~present(result), crs


def _understood(read: Callable[..., Any], raw: Column) -> Column:
    """All at once; one by one when a curve makes GEOS give up on the whole column."""
    try:
        return np.asarray(read(raw, on_invalid="ignore"), dtype=object)
    except NotImplementedError:
        return objects([_understood_alone(read, one) for one in raw.tolist()])


def _understood_alone(read: Callable[..., Any], one: Any) -> Any:
    try:
        return read(one, on_invalid="ignore")
    except NotImplementedError:
        return None


def from_binary(blobs: Column) -> tuple[Column, NDArray[np.bool_]]:
    """(geometries, which could not be read) of WKB as GDAL hands it over (curves already made of short segments)."""
    result = _understood(shapely.from_wkb, blobs)
    given = present(blobs)
    for index in np.flatnonzero(given & ~present(result)):
        blob = bytes(blobs[index])
        result[index] = _lone_vertex(blob) or _surface(shapely.from_wkb(_renamed(blob), on_invalid="ignore"))
    return result, given & ~present(result)


def _renamed(blob: bytes) -> bytes:
    """WKB with TIN, PolyhedralSurface and Triangle renamed to what GEOS knows."""
    data = bytearray(blob)
    for order in ("<", ">"):
        flag = b"\x01" if order == "<" else b"\x00"
        for thousands in (0, 1000, 2000, 3000):
            for old, new in _SAME_AS_BINARY.items():
                wanted = flag + struct.pack(order + "I", old + thousands)
                data = data.replace(wanted, flag + struct.pack(order + "I", new + thousands))
    return bytes(data)


def _lone_vertex(blob: bytes) -> Any:
    """A line of one vertex (a track that never moved) is a point."""
    order = "<" if blob[:1] == b"\x01" else ">"
    if len(blob) < 25 or struct.unpack(order + "I", blob[1:5])[0] & 0xFFFF not in (2, 1002, 2002, 3002):
        return None
    count, x, y = struct.unpack(order + "Idd", blob[5:25])
    return shapely.Point(x, y) if count == 1 else None


def _surface(geometry: Any) -> Any:
    """The ground plan of a surface made of faces: upright faces have none."""
    if geometry is None:
        return None
    faces = [part for part in shapely.get_parts(shapely.force_2d(geometry)) if shapely.area(part) > 0]
    return shapely.union_all(faces) if faces else None


def settle(table: SourceTable) -> None:
    """Heights and measures dropped, empty shapes taken as missing; what was done goes into the notes."""
    if table.geometry is None:
        return
    shapes = table.geometry
    if (shapely.has_z(shapes) | shapely.has_m(shapes)).any():
        table.notes.append("坐标带有高程（或测量值），只用平面坐标")
        shapes = shapely.force_2d(shapes)
    empty = shapely.is_empty(shapes)
    if empty.any():
        shapes = shapes.copy()
        shapes[empty] = None
        table.notes.append(f"{int(empty.sum())} 个图形是空的，当作没有图形")
    table.geometry = shapes


def _joined(table: SourceTable, name: str) -> Column:
    """The column's texts, each with what stands in the columns that continue it: a cell of Excel's ends at 32,767."""
    values = table.columns.pop(name)
    for more in [one for one in table.columns if _CONTINUED.fullmatch(one)]:
        rest = table.columns.pop(more)
        both = present(values) & present(rest)
        values = values.copy()
        values[both] = values[both] + rest[both]
    return values


def take_geometry_column(table: SourceTable) -> None:
    """A column of shapes becomes the table's geometry; rows whose shape cannot be read are rejected."""
    if table.geometry is not None:
        return
    name = next((n for n, values in table.columns.items() if is_geometry_text(values)), None)
    if name is None:
        return
    values = _joined(table, name)
    table.geometry, broken, table.crs = from_text(values)
    table.notes.append(f"“{name}”列当作图形")
    for index in np.flatnonzero(broken):
        value = str(values[index])
        curved = (
            "含有曲线，读不了：请在 GIS 软件里转成折线" if _CURVED.search(value) else "不是完整的 WKT 或 GeoJSON 图形"
        )
        table.rejects.append(Reject(int(table.row_numbers[index]), name, shown(value), curved))
    table.keep(~broken)
    settle(table)
