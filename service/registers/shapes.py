"""A geometry that somebody drew or sent, as a register keeps it: judged by the rules of an import."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import numpy as np
import shapely
from shapely.geometry import mapping

from service.clock import local_date
from service.errors import InvalidValue
from service.files.lonlat import AT_ZERO
from service.files.verdicts import Verdicts
from service.records import cells
from service.records.importing import Asked, Intake
from service.records.register import Register
from service.registers.location import Located

MOST_VERTICES = 20_000
_DECIMALS = 7  # about 1 cm
_KINDS = {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"}


def geometry_of(register: Register, given: Any, located: Located, now: datetime) -> Any:
    """GeoJSON in WGS-84 as a geometry of the register's kind, inside the office's grids. Raises InvalidValue."""
    geom = _read(given)
    if shapely.get_num_coordinates(geom) > MOST_VERTICES:
        raise InvalidValue("geometry", f"图形的点太多，最多 {MOST_VERTICES} 个。先简化再存。")
    if not np.isfinite(shapely.get_coordinates(geom)).all():
        raise InvalidValue("geometry", "图形的坐标里有不是数的值。")
    if geom.geom_type == "Point" and geom.x == 0 and geom.y == 0:
        raise InvalidValue("geometry", AT_ZERO)
    return _inside(_judged(register, geom, now), located)


def _read(given: Any) -> Any:
    if not isinstance(given, dict) or given.get("type") not in _KINDS:
        raise InvalidValue("geometry", '图形要写成 GeoJSON，例如 {"type": "Point", "coordinates": [109.88, 31.07]}。')
    if "crs" in given:
        raise InvalidValue("geometry", "图形只收 WGS-84 的经纬度，去掉 crs 再发送。")
    try:
        geom = shapely.from_geojson(json.dumps(given))
    except (shapely.errors.GEOSException, ValueError, TypeError):
        raise InvalidValue("geometry", "图形的坐标读不懂，每个点写成 [经度, 纬度]。") from None
    if geom is None or geom.is_empty:
        raise InvalidValue("geometry", "图形是空的，画一个点、一条线或一个面。")
    return geom


def _judged(register: Register, geom: Any, now: datetime) -> Any:
    """Through the same gate as a file's shapes."""
    verdicts = Verdicts()
    asked = Asked("", now, local_date(now))
    one = np.array([geom], dtype=object)
    intake = Intake({}, one, np.array([1]), verdicts, asked, np.ones(1, dtype=bool))
    out = cells.shapes(intake, register.geometry or "any")[0]
    if verdicts.rejects:
        raise InvalidValue("geometry", f"图形：{verdicts.rejects[0].reason}")
    out = shapely.transform(out, lambda points: np.round(points, _DECIMALS))
    if not shapely.is_valid(out):
        raise InvalidValue("geometry", "图形无效：线至少要有两个不同的点，面的边线不能相交。重新画。")
    return out


def _inside(geom: Any, located: Located) -> Any:
    """Refused when it touches none of the office's grids; without any grid there is nothing to hold it against."""
    if located.zones and not located.find(geom):
        turned = shapely.transform(geom, lambda points: points[:, ::-1])
        hint = (
            "像是经纬度对调了，经度写在前。"
            if located.find(turned)
            else "在地图上重新选一个位置；若是高德、百度的坐标，要先转换成 WGS-84。"
        )
        at = shapely.get_coordinates(geom)[0].tolist()
        raise InvalidValue("geometry", f"位置 {at[0]:.6f}, {at[1]:.6f} 不在本街道的任何网格里。{hint}")
    return geom


def same_shape(one: Any, other: Any) -> bool:
    """Whether nothing moved by more than what is kept of a coordinate."""
    if one is None or other is None:
        return one is other
    return bool(shapely.equals_exact(one, other, 0.6 * 10**-_DECIMALS))


def plain(geom: Any) -> Any:
    """GeoJSON, as the interface answers and the trail keeps it; every digit of the coordinates stays."""
    return None if geom is None else json.loads(json.dumps(mapping(geom)))
