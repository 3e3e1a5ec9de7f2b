"""Coordinate systems: what files come in, what we store (WGS-84 longitude/latitude), in what we measure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from service.errors import InvalidValue

_A, _EE = 6378245.0, 0.00669342162296594323  # Krasovsky 1940, as GCJ-02 has it
_X_PI = np.pi * 3000.0 / 180.0
_MOST_TURNS = 12
_CHINA = (72.004, 0.8293, 137.8347, 55.8271)


@dataclass(frozen=True)
class Crs:
    """`name` as the user wrote it; `kind` wgs84, gcj02, bd09 or projected (any other EPSG system)."""

    name: str
    kind: str
    wkt: str | None = None


WGS84 = Crs("EPSG:4326", "wgs84")


_SHIFTED = {
    "gcj02": ("gcj02", "火星坐标", "火星坐标系", "amap", "高德"),
    "bd09": ("bd09", "bd09ll", "百度坐标", "baidu", "百度"),
}
_PLAIN = ("wgs84", "cgcs2000", "crs84", "ogc:crs84", "urn:ogc:def:crs:ogc:1.3:crs84", "urn:ogc:def:crs:ogc::crs84")
# Nothing else of what PROJ understands: a PROJ string may name files and networks.
_NAMES_A_SYSTEM = re.compile(
    r"\d+|[a-z]+:\w+|urn:ogc:def:crs:\S+|https?://www\.opengis\.net/def/crs/\S+|\w+\[.*\]", re.S
)


@lru_cache(maxsize=256)
def parse_crs(text: str | CRS) -> Crs:
    """EPSG:n, gcj02, bd09, wgs84, cgcs2000, an OGC name, a WKT or a pyproj CRS. Raises InvalidValue naming `crs`.

    >>> parse_crs("GCJ-02").kind, parse_crs("EPSG:4490").kind, parse_crs("epsg:2227").kind
    ('gcj02', 'wgs84', 'projected')
    """
    text = text.to_wkt() if isinstance(text, CRS) else text.strip()
    short = text.lower().replace(" ", "")
    word = short.replace("-", "").replace("_", "")
    for kind, names in _SHIFTED.items():
        if word in names:
            return Crs(kind, kind)
    if word in _PLAIN:
        return WGS84
    if not _NAMES_A_SYSTEM.fullmatch(text.lower()):
        raise _unknown(text)
    try:
        crs = CRS.from_user_input(f"EPSG:{text}" if text.isdigit() else text)
    except CRSError:
        raise _unknown(text) from None
    if not (crs.is_geographic or crs.is_projected):
        raise InvalidValue("crs", f"坐标系“{crs.name[:40]}”不是平面或经纬度坐标系，换成 EPSG:编号 的那一种。")
    if crs.is_geographic and (crs.to_epsg() in (4326, 4490, 4979) or crs.equals(CRS(4326), ignore_axis_order=True)):
        return WGS84
    return Crs(text if len(text) < 40 else crs.name, "projected", crs.to_wkt())


def _unknown(text: str) -> InvalidValue:
    words = "可写 EPSG:4326、EPSG:4490、gcj02、bd09 或 EPSG:编号。"
    return InvalidValue("crs", f"不认识坐标系“{text[:40]}”。{words}")


def to_wgs84(x: np.ndarray, y: np.ndarray, crs: Crs) -> tuple[np.ndarray, np.ndarray]:
    """(lon, lat) float64 (n,) of coordinates in any system; what the projection can't place gives NaN."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if crs.kind == "wgs84":
        return x, y
    if crs.kind == "gcj02":
        return gcj02_to_wgs84(x, y)
    if crs.kind == "bd09":
        return gcj02_to_wgs84(*bd09_to_gcj02(x, y))
    lon, lat = _inverse(str(crs.wkt)).transform(x, y)
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    bad = ~(np.isfinite(lon) & np.isfinite(lat))
    return np.where(bad, np.nan, lon), np.where(bad, np.nan, lat)


@lru_cache(maxsize=16)
def _inverse(wkt: str) -> Transformer:
    return Transformer.from_crs(CRS.from_wkt(wkt), "EPSG:4326", always_xy=True)


def geometries_to_wgs84(geoms: np.ndarray, crs: Crs) -> np.ndarray:
    """Shapely geometries (n,) in longitude/latitude; None stays None."""
    if crs.kind == "wgs84":
        return geoms

    def moved(coords: np.ndarray) -> np.ndarray:
        return np.column_stack(to_wgs84(coords[:, 0], coords[:, 1], crs))

    return np.asarray(shapely.transform(geoms, moved), dtype=object)


def _offsets(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = lon - 105.0, lat - 35.0
    wave = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    dlat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + wave
    dlat += (20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    dlat += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    dlon = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + wave
    dlon += (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    dlon += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    rad = np.radians(lat)
    magic = 1.0 - _EE * np.sin(rad) ** 2
    root = np.sqrt(magic)
    dlat = dlat * 180.0 / ((_A * (1.0 - _EE)) / (magic * root) * np.pi)
    dlon = dlon * 180.0 / (_A / root * np.cos(rad) * np.pi)
    return dlon, dlat


def _finite(values: Any) -> np.ndarray:
    """As float64, with NaN for what is infinite."""
    values = np.asarray(values, dtype=float)
    return np.where(np.isfinite(values), values, np.nan)


def in_china(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Where the GCJ-02 convention shifts at all."""
    west, south, east, north = _CHINA
    return (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)


def wgs84_to_gcj02(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shifted as the convention has it; unchanged outside China."""
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    inside = in_china(lon, lat)
    dlon, dlat = _offsets(np.where(inside, lon, 105.0), np.where(inside, lat, 35.0))
    return np.where(inside, lon + dlon, lon), np.where(inside, lat + dlat, lat)


def gcj02_to_wgs84(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The inverse, iterated to below 1e-10 degree."""
    lon, lat = _finite(lon), _finite(lat)
    x, y = lon.copy(), lat.copy()
    for _ in range(_MOST_TURNS):
        gx, gy = wgs84_to_gcj02(x, y)
        if _step(x, y, lon - gx, lat - gy) < 1e-10:
            break
    return x, y


def _step(x: np.ndarray, y: np.ndarray, dx: np.ndarray, dy: np.ndarray) -> float:
    """Adds dx, dy in place where they are numbers; returns the longest of them."""
    for at, by in ((x, dx), (y, dy)):
        np.add(at, by, out=at, where=np.isfinite(by))
    return float(np.max(np.abs([dx, dy]), initial=0.0, where=np.isfinite([dx, dy])))


def gcj02_to_bd09(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Baidu's further shift."""
    x, y = _finite(lon), _finite(lat)
    z = np.hypot(x, y) + 0.00002 * np.sin(y * _X_PI)
    theta = np.arctan2(y, x) + 0.000003 * np.cos(x * _X_PI)
    return z * np.cos(theta) + 0.0065, z * np.sin(theta) + 0.006


def bd09_to_gcj02(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The inverse, iterated."""
    lon, lat = _finite(lon), _finite(lat)
    x, y = np.asarray(lon - 0.0065), np.asarray(lat - 0.006)
    for _ in range(_MOST_TURNS):
        bx, by = gcj02_to_bd09(x, y)
        if _step(x, y, lon - bx, lat - by) < 1e-11:
            break
    return x, y


def metric_crs(lon: float, lat: float) -> CRS:
    """Where to measure: the CGCS2000 3-degree Gauss-Kruger zone inside China, the UTM zone elsewhere.

    >>> metric_crs(109.88, 31.07).to_epsg(), metric_crs(-74.0, 40.7).to_epsg()
    (4546, 32618)
    """
    if 73.5 <= lon < 136.5 and 3.0 <= lat <= 54.0:
        return CRS.from_epsg(4534 + math.floor((lon + 1.5) / 3.0) - 25)
    return CRS.from_epsg((32600 if lat >= 0 else 32700) + min(60, max(1, int((lon + 180.0) // 6.0) + 1)))


def metres_per_degree(lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Length of a degree of longitude and of latitude at latitudes (n,) (WGS-84 series, to about 1 m in 100 km)."""
    angle = np.radians(np.asarray(lat, dtype=float))
    kx = 111_412.84 * np.cos(angle) - 93.5 * np.cos(3 * angle)
    return np.maximum(kx, 1.0), 111_132.92 - 559.82 * np.cos(2 * angle) + 1.175 * np.cos(4 * angle)


def square_metres(geoms: np.ndarray) -> np.ndarray:
    """Areas (n,) of polygons in lon/lat; 0 for none. Borders count as they are stored, straight in degrees: in a
    projection they bend, and a node on a border of 1 km would seem to move half a square metre."""
    boxes = shapely.bounds(geoms)
    kx, ky = metres_per_degree(np.nan_to_num((boxes[:, 1] + boxes[:, 3]) / 2))
    return np.asarray(np.nan_to_num(shapely.area(geoms)) * kx * ky, dtype=float)


class MetricFrame:
    """Metres around a place, for areas and distances."""

    def __init__(self, lon: float, lat: float) -> None:
        self.crs = metric_crs(lon, lat)
        self._there, self._back = _pair(int(self.crs.to_epsg() or 0))

    def forward(self, lon: Any, lat: Any) -> tuple[Any, Any]:
        """Degrees to metres."""
        return self._there.transform(lon, lat)

    def inverse(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Metres to degrees."""
        return self._back.transform(x, y)

    def geometries(self, geoms: np.ndarray) -> np.ndarray:
        """Shapely geometries (n,) in metres."""
        return np.asarray(
            shapely.transform(geoms, lambda c: np.column_stack(self.forward(c[:, 0], c[:, 1]))), dtype=object
        )

    def to_degrees(self, geoms: np.ndarray) -> np.ndarray:
        """Shapely geometries (n,) back in degrees."""
        return np.asarray(
            shapely.transform(geoms, lambda c: np.column_stack(self.inverse(c[:, 0], c[:, 1]))), dtype=object
        )


@lru_cache(maxsize=8)
def _pair(epsg: int) -> tuple[Transformer, Transformer]:
    return (
        Transformer.from_crs(4326, epsg, always_xy=True),
        Transformer.from_crs(epsg, 4326, always_xy=True),
    )
