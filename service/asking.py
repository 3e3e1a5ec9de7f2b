"""Lookups from the command line: the same answers as over HTTP, as a signed-in viewer."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from service.config import Settings
from service.db.engine import Database
from service.errors import InvalidValue
from service.files.reader import ReadOptions, read_source
from service.geo.crs import parse_crs, to_wgs84
from service.people.rules import Viewer
from service.records.office import read_office
from service.responsibility.keeper import Responsibility
from service.responsibility.lookup import Distances, answer, locate_many
from service.responsibility.snapshot import Snapshot

_VIEWER = Viewer("admin")


def _known(settings: Settings, on: date) -> tuple[Snapshot, Distances]:
    """The day's snapshot, and the distances that the office has set."""
    database = Database(settings.store_url)
    with database.read() as session:
        office = read_office(session, settings)
    snapshot = Responsibility(database, settings.subdistrict, office.name).on(on)
    return snapshot, Distances(office.border_m, office.frontage_m)


def look_up(settings: Settings, x: float, y: float, crs: str, on: date) -> dict[str, Any]:
    """The lookup object of CONTRACT. Raises InvalidValue for a point that is none."""
    lons, lats = to_wgs84(np.array([x]), np.array([y]), parse_crs(crs))
    lon, lat = float(lons[0]), float(lats[0])
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise InvalidValue("lon", f"({x:g}, {y:g}) 不是经纬度：经度在前、纬度在后；投影坐标请给 --crs EPSG:…。")
    snapshot, distances = _known(settings, on)
    return answer(snapshot, lon, lat, _VIEWER, distances)


def look_up_file(
    settings: Settings, source: Path, target: Path, lon_column: str, lat_column: str, crs: str, on: date
) -> dict[str, Any]:
    """Write the rows of a table with three columns added. Returns how many were found."""
    table = read_source(source, ReadOptions())
    for name in (lon_column, lat_column):
        if name not in table.columns:
            raise InvalidValue(name, f"没有“{name}”这一列。文件里有：{'、'.join(table.columns)}。")
    x, y = (_numbers(table.columns[name]) for name in (lon_column, lat_column))
    lon, lat = to_wgs84(x, y, parse_crs(crs))
    snapshot, distances = _known(settings, on)
    grids, homes, near = locate_many(snapshot, lon, lat, distances)
    names = [*table.columns, "grid_code", "community_code", "near_boundary"]
    with target.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(names)
        added = ([grid or "" for grid in grids], [home or "" for home in homes], [int(close) for close in near])
        cells = [["" if value is None else value for value in column] for column in table.columns.values()]
        writer.writerows(zip(*cells, *added, strict=True))
    found = sum(grid is not None for grid in grids)
    return {"read": len(grids), "found": found, "outside": len(grids) - found}


def _numbers(column: np.ndarray) -> np.ndarray:
    """Cells as floats; what isn't a number gives NaN, which lies nowhere."""
    out = np.full(len(column), np.nan)
    for i, value in enumerate(column.tolist()):
        try:
            out[i] = float(value)
        except (TypeError, ValueError):
            continue
    return out
