"""Lookups from the command line: the same answers as over HTTP, as a signed-in viewer."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from service.config import Settings
from service.db.engine import Database
from service.errors import InvalidValue
from service.files.lonlat import parse_lonlat
from service.files.reader import ReadOptions, SourceTable, read_source
from service.files.targets import check_target
from service.geo.crs import parse_crs, to_wgs84
from service.people.rules import Viewer
from service.records.office import read_office
from service.responsibility.keeper import Responsibility
from service.responsibility.lookup import Distances, answer, locate_many
from service.responsibility.snapshot import Snapshot

_VIEWER = Viewer("admin")
_ADDED = ("grid_code", "community_code", "near_boundary")
_SHOWN = 10


def _known(settings: Settings, on: date) -> tuple[Snapshot, Distances]:
    """The day's snapshot, and the distances that the office has set."""
    database = Database(settings.store_url)
    with database.read() as session:
        office = read_office(session, settings)
    snapshot = Responsibility(database, settings.subdistrict, office.name).on(on)
    return snapshot, Distances(office.border_m, office.frontage_m, office.street_m, office.place_m)


def look_up(settings: Settings, x: float, y: float, crs: str, on: date) -> dict[str, Any]:
    """The lookup object of CONTRACT. Raises InvalidValue for a point that is none."""
    lons, lats = to_wgs84(np.array([x]), np.array([y]), parse_crs(crs))
    lon, lat = float(lons[0]), float(lats[0])
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise InvalidValue("lon", f"({x:g}, {y:g}) 不是经纬度：经度在前、纬度在后；投影坐标请给 --crs EPSG:…。")
    snapshot, distances = _known(settings, on)
    return answer(snapshot, lon, lat, _VIEWER, distances)


@dataclass(frozen=True)
class FileAnswer:
    """What the command prints: counts, and lines for the person about rows without an answer."""

    counts: dict[str, int]
    messages: list[str]


def look_up_file(
    settings: Settings, source: Path, target: Path, lon_column: str, lat_column: str, crs: str, on: date
) -> FileAnswer:
    """Write every row of a table with three columns added, in order; rows that can't be read get empty ones.

    Columns of the table that are called like the added ones keep their content under another name.
    """
    check_target(target)
    table = read_source(source, ReadOptions(shapes=False))
    for name in (lon_column, lat_column):
        if name not in table.columns:
            raise InvalidValue(name, f"没有“{name}”这一列。文件里有：{'、'.join(table.columns)}。")
    system = parse_crs(crs)
    read = parse_lonlat(
        table.columns[lon_column], table.columns[lat_column], lon_column, lat_column, system.kind == "projected"
    )
    lon, lat = to_wgs84(read.values[:, 0], read.values[:, 1], system)
    snapshot, distances = _known(settings, on)
    grids, homes, near = locate_many(snapshot, lon, lat, distances)
    results: list[tuple[object, ...]] = [
        ("", "", "") if missing else (grid or "", home or "", int(close))
        for grid, home, close, missing in zip(grids, homes, near, read.missing.tolist(), strict=True)
    ]
    names, messages = _renamed(list(table.columns))
    _write(target, names, table, results)
    told = {one.row: one.reason for one in table.rejects}
    told |= {int(table.row_numbers[one.row]): one.reason for one in read.problems}
    messages += [f"第 {row} 行：{reason}" for row, reason in sorted(told.items())[:_SHOWN]]
    lost = len({one.row for one in table.rejects})
    found = sum(grid is not None for grid in grids)
    unreadable = int(read.missing.sum()) + lost
    total = len(table) + lost
    counts = {"read": total, "found": found, "outside": total - found - unreadable, "unreadable": unreadable}
    return FileAnswer(counts, messages)


def _renamed(names: list[str]) -> tuple[list[str], list[str]]:
    """(the table's columns, none called like an added one; what was renamed)."""
    out, messages = list(names), []
    for i, name in enumerate(names):
        if name in _ADDED:
            out[i] = f"{name}.given"
            while out.count(out[i]) > 1:
                out[i] += "+"
            messages.append(f"原来的列“{name}”改称“{out[i]}”，“{name}”是这次查到的")
    return out, messages


def _write(target: Path, names: list[str], table: SourceTable, results: list[tuple[object, ...]]) -> None:
    """Rows and broken rows as they stood in the file."""
    blank = ("",) * len(_ADDED)
    cells = zip(
        *(["" if value is None else value for value in column] for column in table.columns.values()), strict=True
    )
    rows = [(number, (*row, *result)) for number, row, result in zip(table.row_numbers, cells, results, strict=True)]
    broken = {one.row: table.ragged.get(one.row, [""] * len(names)) for one in table.rejects}
    rows += [(number, (*row, *blank)) for number, row in broken.items()]
    with target.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        writer.writerow([*names, *_ADDED])
        writer.writerows(row for _, row in sorted(rows, key=lambda pair: int(pair[0])))
