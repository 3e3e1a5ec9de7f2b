"""Layered files that GDAL reads: GeoPackage, Shapefile, KML and file geodatabases; only what was recognised as one."""

from __future__ import annotations

import re
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyogrio
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError, FieldError, GeometryError

from service.files.dbf import sibling, table_encoding
from service.files.shapes import from_binary, settle
from service.files.table import Column, ReadOptions, Reject, SourceTable, objects, present, refuse, unique_names
from service.files.text import decode

ALL_LAYERS = "*"
_GDAL_ERRORS = (DataSourceError, DataLayerError, FieldError, GeometryError, ValueError, RuntimeError, UnicodeError)
_KML_TRIMMINGS = {
    "altitudeMode",
    "tessellate",
    "extrude",
    "visibility",
    "drawOrder",
    "icon",
    "timestamp",
    "begin",
    "end",
}
# pyogrio is not annotated.
_gdal_config: Any = pyogrio.set_gdal_config_options
_list_layers: Any = pyogrio.list_layers
_read_layer: Any = pyogrio.raw.read
# What drawing programs number their placemarks with is no key, and must not hide a column "id" of the office's own.
_KML_ID = "placemark id"
# GDAL lists these for every KML, used or not; empty ones would stand in for the columns that hold the names.
_KML_ALWAYS = {_KML_ID, "id", "Name", "description", "Description"}
_KML_NAME = "document"
_SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")


def read_geopackage(path: Path, options: ReadOptions, shown_as: Path) -> SourceTable:
    with _plainly_named(path, [path.suffix]) as source:
        return _read(source, "GeoPackage", options, shown_as, options.encoding, [])


def read_geodatabase(folder: Path, options: ReadOptions, shown_as: Path) -> SourceTable:
    return _read(folder, "OpenFileGDB", options, shown_as, None, [])


def read_shapefile(path: Path, options: ReadOptions, shown_as: Path) -> SourceTable:
    """A .shp with whatever of its companions came along."""
    notes: list[str] = []
    encoding = options.encoding
    dbf, cpg = sibling(path, ".dbf"), sibling(path, ".cpg")
    if dbf is None:
        notes.append("缺少 .dbf 文件，只有图形，没有属性")
    elif encoding is None:
        stated = cpg.read_text("ascii", errors="ignore")[:40] if cpg else None
        encoding, note = table_encoding(dbf, stated)
        notes.append(note)
    if sibling(path, ".prj") is None:
        notes.append("缺少 .prj 文件，没有声明坐标系；请用 --crs 指明")
    # GDAL looks for companions in its own spelling and would write a missing .shx beside the original.
    with _plainly_named(path, _SHAPEFILE_PARTS, rebuild=sibling(path, ".shx") is None) as source:
        table = _read(source, "Shapefile", ReadOptions(), shown_as, encoding, notes)
    table.encoding = encoding
    return table


def read_kml(path: Path, data: bytes, options: ReadOptions, shown_as: Path) -> SourceTable:
    """KML of any encoding; Google Earth's drawing settings are left out of the columns."""
    text, encoding = decode(data, shown_as, _stated_xml_encoding(data, options))
    if "<!ENTITY" in text:
        raise refuse(shown_as, "里定义了 XML 实体，不安全，没有读取。请从地图软件重新导出 KML。")
    text = re.sub(r"^\s*<\?xml[^>]*\?>", '<?xml version="1.0" encoding="UTF-8"?>', text.removeprefix("\ufeff"), count=1)
    with TemporaryDirectory(prefix="steward-") as folder:
        source = Path(folder) / f"{_KML_NAME}.kml"
        source.write_text(text.strip(), encoding="utf-8")
        _gdal_config({"LIBKML_ID_FIELD": _KML_ID})
        try:
            table = _read(source, "KML", options, shown_as, None, [])
        finally:
            _gdal_config({"LIBKML_ID_FIELD": None})
    for name in list(table.columns):
        if name in _KML_TRIMMINGS or (name in _KML_ALWAYS and not present(table.columns[name]).any()):
            del table.columns[name]
    table.encoding = encoding
    return table


def _stated_xml_encoding(data: bytes, options: ReadOptions) -> str | None:
    if options.encoding:
        return options.encoding
    match = re.match(rb"\s*<\?xml[^>]*encoding=[\"']([\w.-]+)[\"']", data[:300])
    stated = match[1].decode("ascii") if match else None
    return stated if stated and stated.lower().replace("-", "") in {"gbk", "gb2312", "gb18030"} else None


@contextmanager
def _plainly_named(path: Path, suffixes: Any, rebuild: bool = False) -> Iterator[Path]:
    """The file under a name that GDAL cannot mistake for an address ("!" and "://" mean archives to it)."""
    companions = [(s, sibling(path, s)) for s in suffixes]
    exact = all(found is None or found.suffix == s for s, found in companions)
    if exact and not rebuild and re.fullmatch(r"[\w./ ()-]+", str(path)) and path.suffix != ".zip":
        yield path
        return
    with TemporaryDirectory(prefix="steward-") as folder:
        for suffix, found in companions:
            if found is not None:
                target = Path(folder) / ("source" + (suffix or ".gpkg"))
                if suffix.lower() in _SHAPEFILE_PARTS:
                    target.symlink_to(found.resolve())
                else:
                    shutil.copyfile(found, target)
        first = Path(folder) / ("source" + (suffixes[0] or ".gpkg"))
        if rebuild:
            _gdal_config({"SHAPE_RESTORE_SHX": "YES"})
        try:
            yield first
        finally:
            if rebuild:
                _gdal_config({"SHAPE_RESTORE_SHX": None})


def _read(
    source: Path, kind: str, options: ReadOptions, path: Path, encoding: str | None, notes: list[str]
) -> SourceTable:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            layers = _layers(source, kind, options.layer, path)
            told.clear()  # listing warns about layers that are not read
            tables = [_layer(source, layer, kind, path, encoding) for layer in layers]
        except _GDAL_ERRORS as error:
            raise refuse(path, f"不是完整的 {kind} 文件，读不出来。请重新导出（文件要齐全）后再导入。") from error
    table = tables[0] if len(tables) == 1 else _stacked(tables, layers)
    table.notes[:0] = notes
    if any("Measured (M)" in str(w.message) for w in told):
        table.notes.append("坐标带有测量值（M），只用平面坐标")
    settle(table)
    if not len(table) and not table.rejects:
        raise refuse(path, f"的图层“{layers[0]}”是空的，没有任何要素。请确认导出时选中了数据再导入。")
    return table


def _layers(source: Path, kind: str, wanted: str | None, path: Path) -> list[str]:
    every = [str(name) for name, _ in _list_layers(source)]
    if wanted == ALL_LAYERS and every:
        return every
    if wanted is not None:
        match = [name for name in every if name.strip() == wanted.strip()]
        if not match:
            raise refuse(path, f"里没有名为“{wanted}”的图层。现有：{_listed(every)}。")
        return match[:1]
    if not every:
        raise refuse(path, "里没有任何图层。请确认导出时选中了数据再导入。")
    if len(every) > 1:
        raise refuse(
            path,
            f"里有 {len(every)} 个图层：{_listed(every)}。"
            f"请用 --layer 指明一个，例如 --layer {every[0].strip()}；全部合读用 --layer '*'。",
            "layer",
            [name.strip() for name in every],
        )
    return every


def _listed(names: list[str]) -> str:
    return "、".join(name.strip() for name in names[:40]) + ("……" if len(names) > 40 else "")


def _layer(source: Path, layer: str, kind: str, path: Path, encoding: str | None) -> SourceTable:
    meta, _, blobs, data = _read_layer(source, layer=layer, encoding=encoding, datetime_as_string=True)
    count = len(blobs) if blobs is not None else (len(data[0]) if data else 0)
    notes = [f"图层：{layer.strip()}"] if layer not in {_KML_NAME, path.stem} and kind != "Shapefile" else []
    types = meta.get("ogr_types") or [""] * len(data)
    subtypes = meta.get("ogr_subtypes") or [""] * len(data)
    kept = [i for i, t in enumerate(types) if t != "OFTBinary"]
    names = unique_names([str(meta["fields"][i]) for i in kept], notes)
    columns = {n: _plain(data[i], types[i], subtypes[i]) for n, i in zip(names, kept, strict=True)}
    table = SourceTable(
        path=path, format=kind, columns=columns, row_numbers=np.arange(1, count + 1, dtype=np.int64),
        crs=meta["crs"] or None, encoding=encoding, notes=notes,
    )  # fmt: skip
    if blobs is not None:
        table.geometry, broken = from_binary(blobs)
        reason = "图形不完整，或者没有平面范围（如竖直的三角面）。请在 GIS 软件里检查这个要素"
        table.rejects += [Reject(int(table.row_numbers[i]), "geometry", "", reason) for i in np.flatnonzero(broken)]
        table.keep(~broken)
    return table


def _plain(values: NDArray[Any], ogr_type: str, ogr_subtype: str) -> Column:
    """GDAL's column as Python values; numbers with gaps come as floats with NaN."""
    if values.dtype == object:
        return objects([v if not isinstance(v, str) or v.strip() else None for v in values.tolist()])
    plain = objects(values.tolist())
    if values.dtype.kind == "f":
        missing = np.isnan(values)
        if ogr_type.startswith("OFTInteger"):
            plain[~missing] = objects([int(v) for v in values[~missing]])
        plain[missing] = None
    if ogr_subtype == "OFSTBoolean":
        plain = objects([None if v is None else bool(v) for v in plain])
    return plain


def _stacked(tables: list[SourceTable], layers: list[str]) -> SourceTable:
    """Several layers as one table with the layer's name as a column; rows are counted through."""
    names = list(dict.fromkeys(name for t in tables for name in t.columns))
    columns = {n: np.concatenate([t.columns.get(n, np.full(len(t), None)) for t in tables]) for n in names}
    columns["图层"] = objects([layer.strip() for t, layer in zip(tables, layers, strict=True) for _ in range(len(t))])
    if len({t.crs for t in tables if t.crs}) > 1:
        raise refuse(tables[0].path, "的图层坐标系各不相同，不能合读。请用 --layer 一层一层导入。")
    geometry = [t.geometry if t.geometry is not None else np.full(len(t), None) for t in tables]
    first = tables[0]
    return SourceTable(
        path=first.path, format=first.format, columns=columns, geometry=np.concatenate(geometry),
        row_numbers=np.arange(1, len(columns["图层"]) + 1, dtype=np.int64),
        crs=next((t.crs for t in tables if t.crs), None), encoding=first.encoding,
        notes=[f"{len(layers)} 个图层合在一起读，图层名在“图层”列"], rejects=[r for t in tables for r in t.rejects],
    )  # fmt: skip
