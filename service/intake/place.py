"""Where the rows of a file lie: geometry or coordinate columns, in WGS-84, held against the office's zones."""

from __future__ import annotations

from datetime import date

import numpy as np
import shapely
from sqlalchemy.orm import Session

from service.errors import InvalidValue, NothingStored
from service.files.lonlat import AT_ZERO, WHOLE_DEGREES
from service.files.table import SourceTable
from service.geo.crs import Crs, bd09_to_gcj02, gcj02_to_wgs84, geometries_to_wgs84, parse_crs
from service.geo.pointindex import PointIndex
from service.grids.queries import communities, zones_on
from service.records import cells
from service.records.importing import Intake, Kind

_ENOUGH = 5
_IN_GRIDS = ("frontages", "buildings")  # a river or a street may well run out of the area
_TABLES = ("CSV", "XLSX")
BETTER = 0.15
_LOOKED_AT = 20_000
_FARTHEST = 180.0


def place_geometry(session: Session, kind: Kind, intake: Intake, table: SourceTable, asked: str | None) -> None:
    """Sets `geometry` or `points` to lon/lat. Raises InvalidValue or NothingStored when the file can't be right."""
    if kind.geometry == "none":
        intake.geometry = None
        return
    columns = kind.points_from if kind.points_from and all(intake.has(name) for name in kind.points_from) else None
    if intake.geometry is not None:
        crs = parse_crs(asked or table.crs or "EPSG:4326")
        _judge_default_points(intake, intake.geometry, crs)
        intake.geometry = geometries_to_wgs84(intake.geometry, crs)
        if columns is not None and table.format in _TABLES:
            _filled_from_columns(intake, intake.geometry, columns, asked)
    elif columns is not None:
        crs = parse_crs(asked or "EPSG:4326")
        points = cells.coordinates(intake, *columns, asked)
        if kind.geometry == "point":
            intake.points = points
        else:
            intake.geometry = points.shapes()
    elif kind.geometry_needed and table.rejects:
        intake.geometry = np.full(len(table), None, dtype=object)  # the reader's own reasons say more
        return
    elif kind.geometry_needed:
        hint = "，也没有认出经度、纬度两列（可用 --map lon=列名 --map lat=列名 指出）" if kind.points_from else ""
        raise InvalidValue("geometry", f"“{table.path.name}”里没有图形{hint}。")
    else:
        return
    _held_against_zones(session, intake, crs, asked is not None)
    if kind.name in _IN_GRIDS:
        _tell_outside(session, intake)


def _filled_from_columns(intake: Intake, shapes: np.ndarray, columns: tuple[str, str], asked: str | None) -> None:
    """Rows without a shape stand at their longitude and latitude; of rows with one these only tell where it lies."""
    missing = shapely.is_missing(shapes)
    for name in columns:
        values = intake.values[name].copy()
        values[~missing] = None
        intake.values[name] = values
    if missing.any():
        shapes[missing] = cells.coordinates(intake, *columns, asked).shapes()[missing]


def _judge_default_points(intake: Intake, shapes: np.ndarray, crs: Crs) -> None:
    """Points that say no more than that nobody located them: 0,0 is out; whole degrees were drawn by hand, perhaps."""
    x, y = shapely.get_x(shapes), shapely.get_y(shapes)
    zero = (x == 0) & (y == 0)
    intake.reject_where(zero, "geometry", np.full(len(shapes), "0,0", dtype=object), AT_ZERO)
    if crs.kind != "projected":
        whole = (x == np.round(x)) & (y == np.round(y)) & ~zero
        for row in intake.rows[whole].tolist():
            intake.verdicts.warn(WHOLE_DEGREES, rows=[row])


def _held_against_zones(session: Session, intake: Intake, crs: Crs, stated: bool) -> None:
    """Refuse what fits the office's own area only when swapped or shifted back; warn when the system was stated."""
    index = index_of(own_area(session, intake.asked.today))
    if index is None:
        return
    lon, lat = _some_spots(intake)
    if len(lon) < _ENOUGH:
        return
    now = share(index, lon, lat)
    if now >= 1 - BETTER:
        return
    if share(index, lat, lon) >= max(0.5, now + BETTER):
        raise NothingStored(
            "经纬度像是对调了：按现在的读法几乎都不在辖区里，交换两列就落在辖区里。交换后重新导入，什么也没有存入。"
        )
    if crs.kind != "wgs84":
        return
    for name, moved in (("gcj02", gcj02_to_wgs84(lon, lat)), ("bd09", gcj02_to_wgs84(*bd09_to_gcj02(lon, lat)))):
        shifted = share(index, *moved)
        if shifted >= max(0.5, now + BETTER):
            words = f"这些点按 WGS-84 只有 {now:.0%} 落在辖区里，按 {name} 有 {shifted:.0%}：像是 {name} 坐标"
            if stated:
                intake.verdicts.warn(f"{words}。若是，请撤回后加 --crs {name} 重新导入")
                return
            raise NothingStored(
                f"{words}。加 --crs {name} 重新导入；确实是 WGS-84 时加 --crs EPSG:4326。什么也没有存入。"
            )


def _tell_outside(session: Session, intake: Intake) -> None:
    """How many rows stand in no grid: nobody answers for them."""
    found = zones_on(session, intake.asked.today)
    index = index_of(found.geoms)
    if index is None or intake.geometry is None:
        return
    here = np.flatnonzero(~shapely.is_missing(intake.geometry) & intake.alive)
    lon, lat = _middles(intake.geometry[here])
    usable = (np.abs(lon) <= _FARTHEST) & (np.abs(lat) <= _FARTHEST)
    outside = here[usable][index.locate(lon[usable], lat[usable]) < 0]
    if len(outside):
        told = "位置不在任何网格里，没有人负责：核对坐标，或以后补画网格"
        intake.verdicts.warn(told, len(outside), intake.rows[outside].tolist())


def _middles(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The middle of each box, not the centroid, which overflows for the numbers that nobody has judged yet."""
    west, south, east, north = shapely.bounds(shapes).T
    return west / 2 + east / 2, south / 2 + north / 2


def _some_spots(intake: Intake) -> tuple[np.ndarray, np.ndarray]:
    """(lon, lat) of the first twenty thousand rows that have a place."""
    if intake.points is not None:
        here = intake.points[np.flatnonzero(~intake.points.missing & intake.alive)[:_LOOKED_AT]]
        return here.lon, here.lat
    if intake.geometry is None:
        return np.empty(0), np.empty(0)
    shapes = intake.geometry[~shapely.is_missing(intake.geometry) & intake.alive]
    lon, lat = _middles(shapes[~shapely.is_empty(shapes)][:_LOOKED_AT])
    usable = (np.abs(lon) <= _FARTHEST) & (np.abs(lat) <= _FARTHEST)
    return lon[usable], lat[usable]


def own_area(session: Session, today: date) -> np.ndarray:
    """The office's zones of the day; without any its communities' outlines; empty when there are neither."""
    found = zones_on(session, today)
    if len(found.zones):
        return found.geoms
    rows = [row.geom for row in communities(session) if row.geom is not None]
    shapes = np.empty(len(rows), dtype=object)
    shapes[:] = rows
    return shapes


def index_of(area: np.ndarray) -> PointIndex | None:
    return PointIndex(area, [str(i) for i in range(len(area))]) if len(area) else None


def share(index: PointIndex, lon: np.ndarray, lat: np.ndarray) -> float:
    return float((index.locate(lon, lat) >= 0).mean())
