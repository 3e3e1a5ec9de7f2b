"""An office with little in its database; registers written in every format of CONTRACT as offices' software does."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely
from sqlalchemy import inspect, select, text

from service.config import Settings
from service.db.engine import Database
from service.errors import StewardError
from service.incidents.models import Incident
from service.intake.run import Request, Result, run_import
from tests.conftest import MONDAY_NOON
from tests.stores import Stores, settings_of

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


def incidents(places: Iterable[Sequence[float]]) -> str:
    """A CSV of incidents A0, A1 … at the given places."""
    rows = [f"A{i},2026-11-20,{x},{y}" for i, (x, y) in enumerate(places)]
    return "\n".join(["编号,上报时间,经度,纬度", *rows]) + "\n"


def features(places: Iterable[Sequence[float]]) -> str:
    """The same as GeoJSON."""
    rows = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": list(map(float, place))},
            "properties": {"编号": f"A{i}", "上报时间": "2026-11-20"},
        }
        for i, place in enumerate(places)
    ]
    return json.dumps({"type": "FeatureCollection", "features": rows}, ensure_ascii=False)


def rejects(path: Path) -> list[dict[str, str]]:
    """The rows of a file of rejects."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def counts(done: Result) -> tuple[int, ...]:
    """(read, accepted, rejected, updated, unchanged)."""
    return tuple(done.summary[name] for name in ("read", "accepted", "rejected", "updated", "unchanged"))


def square(east: float, north: float = 0.0, side: float = 0.002) -> Any:
    """A box of 190 m × 222 m east and north of the office, in degrees."""
    return shapely.box(109.88 + east, 31.07 + north, 109.88 + east + side, 31.07 + north + side)


def ground(database: Database, settings: Settings, folder: Path) -> None:
    """A filling: two communities with an outline, a grid that is all of the first, two persons."""
    homes = [square(0), shapely.union_all([square(0.01), square(0.012)])]
    codes = {"编码": ("500237002001", "500237002002"), "名称": ("聚鹤社区", "龙江社区")}
    assert bring(database, settings, "communities", write(folder, "gpkg", "", codes, homes)).exit_code == 0
    grid = {"编码": ("500237002001001",), "名称": ("聚鹤1网格",)}
    assert bring(database, settings, "grids", write(folder, "geojson", "UTF-8", grid, [square(0)])).exit_code == 0
    people = put(folder / "people.csv", "工号,姓名\nL001,李雷\nL002,韩梅梅\n")
    assert bring(database, settings, "people", people).exit_code == 0


@dataclass(frozen=True)
class Office:
    """A database with the ground, and a folder for files."""

    database: Database
    settings: Settings
    folder: Path

    def bring(self, kind: str, *paths: Path, **options: Any) -> Result:
        return bring(self.database, self.settings, kind, *paths, **options)

    def put(self, name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
        return put(self.folder / name, content, encoding)

    def holds(self) -> dict[str, list[str]]:
        """Every row of every table."""
        with self.database.read() as session:
            names = inspect(session.connection()).get_table_names()
            return {name: sorted(map(str, session.execute(text(f'SELECT * FROM "{name}"')))) for name in names}

    def refuses(self, kind: str, *paths: Path, **options: Any) -> str:
        """The words of the refusal of a whole import, after which the database is as it was, row by row."""
        before = self.holds()
        with pytest.raises(StewardError) as caught:
            self.bring(kind, *paths, **options)
        assert self.holds() == before
        return caught.value.message

    def numbers(self) -> list[str]:
        """The incidents' numbers, in order."""
        with self.database.read() as session:
            return list(session.scalars(select(Incident.number).order_by(Incident.number)))


@pytest.fixture
def office(stores: Stores, tmp_path: Path) -> Iterator[Office]:
    """On the GeoPackage."""
    with an_office(stores, "gpkg", tmp_path) as made:
        yield made


@pytest.fixture
def either_office(stores: Stores, store_kind: str, tmp_path: Path) -> Iterator[Office]:
    """On each of the two stores."""
    with an_office(stores, store_kind, tmp_path) as made:
        yield made


@contextmanager
def an_office(stores: Stores, kind: str, folder: Path) -> Iterator[Office]:
    """With the ground, on a store of its own."""
    with stores.copied(kind, ground, folder) as url, closing(Database(url)) as database:
        yield Office(database, settings_of(url, folder / "data"), folder)
