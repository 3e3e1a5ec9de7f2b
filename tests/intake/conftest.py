"""A register's rows written as every format that CONTRACT lists, the way offices' software writes them."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import shapely

from service.config import Settings
from service.db.engine import Database
from service.intake.run import Request, Result, run_import
from tests.conftest import MONDAY_NOON

MARKS = {"UTF-8": "utf-8", "UTF-8 BOM": "utf-8-sig", "GBK": "gbk", "GB18030": "gb18030", "UTF-16": "utf-16"}
_DBF_NAME = 10
Columns = dict[str, Sequence[Any]]


def bring(database: Database, settings: Settings, kind: str, *paths: Path, **options: Any) -> Result:
    """`import KIND FILE… [options]`."""
    return run_import(database, settings, Request(kind=kind, files=paths, **options), MONDAY_NOON)


def put(path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def write(folder: Path, form: str, encoding: str, columns: Columns, shapes: Sequence[Any] | None) -> Path:
    """The file of a register. form: a suffix; encoding: a key of MARKS, "" where the format has its own."""
    path = folder / f"登记表.{form}"
    if form in ("csv", "tsv"):
        return _delimited(path, encoding, columns, shapes)
    if form == "xlsx":
        return _workbook(path, columns, shapes)
    if form == "shp.zip":
        shapefile = write(folder, "shp", encoding, columns, shapes)
        return zipped(path, {f"成果/{part.name}": part for part in shapefile.parent.glob("登记表.*")})
    if form == "kmz":
        return zipped(path, {"doc.kml": write(folder, "kml", encoding, columns, shapes)})
    return _layer(path, form, encoding, columns, shapes)


def zipped(path: Path, members: dict[str, Path]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, source in members.items():
            archive.write(source, name)
    return path


def fits(header: str, encoding: str) -> bool:
    """Whether a Shapefile can keep a header whole."""
    return len(header.encode(MARKS[encoding])) <= _DBF_NAME


def _tabular(columns: Columns, shapes: Sequence[Any] | None) -> Columns:
    """Places as columns: longitude and latitude for points, well-known text for all else."""
    if shapes is None:
        return columns
    if all(shape.geom_type == "Point" for shape in shapes):
        x, y = ("longitude", "latitude") if all(name.isascii() for name in columns) else ("经度", "纬度")
        return columns | {x: [shape.x for shape in shapes], y: [shape.y for shape in shapes]}
    return columns | {"WKT": [shape.wkt for shape in shapes]}


def _delimited(path: Path, encoding: str, columns: Columns, shapes: Sequence[Any] | None) -> Path:
    table = _tabular(columns, shapes)
    with path.open("w", encoding=MARKS[encoding], newline="") as file:
        writer = csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",")
        writer.writerow(table)
        writer.writerows(zip(*(map(_plain, values) for values in table.values()), strict=True))
    return path


def _plain(value: Any) -> Any:
    return value.strftime("%Y-%m-%d %H:%M" if isinstance(value, datetime) else "%Y-%m-%d") if _timely(value) else value


def _timely(value: Any) -> bool:
    return isinstance(value, date)


def _workbook(path: Path, columns: Columns, shapes: Sequence[Any] | None) -> Path:
    """Codes and phones of digits are numbers, as Excel makes them of what is typed."""
    table = _tabular(columns, shapes)
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(list(table))
    for row in zip(*table.values(), strict=True):
        sheet.append([_as_excel_types(cell) for cell in row])
    book.save(path)
    return path


def _as_excel_types(cell: Any) -> Any:
    return int(cell) if isinstance(cell, str) and cell.isdecimal() and not cell.startswith("0") else cell


def _layer(path: Path, form: str, encoding: str, columns: Columns, shapes: Sequence[Any] | None) -> Path:
    """What GDAL writes; text formats are stored in the encoding afterwards."""
    keep_types = form == "gpkg"
    frame = pd.DataFrame({name: list(v) if keep_types else list(map(_plain, v)) for name, v in columns.items()})
    driver = {"geojson": "GeoJSON", "gpkg": "GPKG", "kml": "KML", "shp": "ESRI Shapefile"}[form]
    options: dict[str, Any] = {"encoding": MARKS[encoding]} if form == "shp" else {}
    if shapes is not None or form in ("kml", "shp"):
        here = shapes if shapes is not None else [shapely.Point(109.88, 31.07)] * len(frame)
        frame = gpd.GeoDataFrame(frame, geometry=list(here), crs="EPSG:4326")
    pyogrio.write_dataframe(frame, path, driver=driver, **options)
    if form in ("geojson", "kml") and encoding != "UTF-8":
        text = path.read_text(encoding="utf-8")
        stated = MARKS[encoding].removesuffix("-sig").upper()
        put(path, text.replace('encoding="utf-8"', f'encoding="{stated}"'), MARKS[encoding])
    return path
