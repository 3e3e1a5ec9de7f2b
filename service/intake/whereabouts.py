"""Which coordinate system a file is in: each candidate's share inside the office's area, and pictures to judge by."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from sqlalchemy.orm import Session

from service.errors import InvalidValue
from service.files.lonlat import parse_lonlat
from service.files.table import SourceTable
from service.geo.crs import Crs, parse_crs, to_wgs84
from service.intake.place import BETTER, index_of, own_area, share
from service.intake.run import Request, mapped_sample
from service.records.importing import Kind

LABELS = {
    "EPSG:4326": "WGS-84 / CGCS2000 经纬度",
    "gcj02": "GCJ-02（高德、腾讯）",
    "bd09": "BD-09（百度）",
}
_CLEARLY = 0.05  # enough for a proposal that somebody looks at; a refusal wants more (place.BETTER)
_MIDDLE_OF_CHINA = (72.0, 138.0)


@dataclass
class Candidate:
    """One system. `share`: of the sample inside the area, None without an area; spots (n,) and shapes in lon/lat."""

    crs: str
    label: str
    declared: bool
    share: float | None
    lon: np.ndarray
    lat: np.ndarray
    inside: np.ndarray
    shapes: np.ndarray | None

    @property
    def percent(self) -> str:
        return "–" if self.share is None else f"{self.share:.0%}"


@dataclass
class Whereabouts:
    """The candidates, the proposed one, the area; `swapped`: the share with longitude and latitude exchanged, where
    that fits better than every system does."""

    candidates: list[Candidate]
    best: str | None
    area: np.ndarray
    count: int
    swapped: float | None = None
    refused: str | None = None
    projected: bool = False
    missing: int = 0
    extra: list[str] = field(default_factory=list)

    @property
    def rivals(self) -> list[Candidate]:
        """Those that fit about as well as the proposed one: the area alone can't tell them apart."""
        best = self.candidate(self.best)
        if best is None or best.share is None or best.share < 0.5:
            return []
        return [one for one in self.candidates if one is not best and (one.share or 0.0) > best.share - _CLEARLY]

    def candidate(self, crs: str | None) -> Candidate | None:
        return next((one for one in self.candidates if one.crs == crs), None)


def where(session: Session, kind: Kind, sample: SourceTable, request: Request, today: Any) -> Whereabouts:
    """Everything that the page of this step shows. `request.crs`: the system that was chosen before, if any."""
    area = own_area(session, today)
    try:
        x, y, shapes = _spots(kind, sample, request)
    except InvalidValue as fault:
        return Whereabouts([], None, area, 0, refused=fault.message)
    known = np.isfinite(x) & np.isfinite(y)
    count, missing = int(known.sum()), int((~known).sum())
    if not count:
        return Whereabouts([], None, area, 0, missing=missing)
    x, y = x[known], y[known]
    shapes = shapes[known] if shapes is not None else None
    projected = bool((np.abs(x) > 180).mean() > 0.5 or (np.abs(y) > 90).mean() > 0.5)
    index = index_of(area)
    found = []
    for crs, declared in _systems(sample, request, projected, area):
        lon, lat = to_wgs84(x, y, crs)
        fits = np.isfinite(lon) & np.isfinite(lat) & (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
        inside = np.zeros(len(lon), dtype=bool)
        if index is not None:
            inside[fits] = index.locate(lon[fits], lat[fits]) >= 0
        moved = None if shapes is None else _moved(shapes, crs)
        told = None if index is None else float(inside.mean())
        found.append(Candidate(crs.name, _label(crs, declared), declared, told, lon, lat, inside, moved))
    found = [one for one in found if one.declared or one.crs in (*LABELS, request.crs) or (one.share or 0) > 0]
    swapped = share(index, y, x) if index is not None and not projected else None
    best = _best(found)
    top = max((one.share or 0.0 for one in found), default=0.0)
    if swapped is not None and swapped < max(0.5, top + BETTER):
        swapped = None
    return Whereabouts(found, best, area, count, swapped, projected=projected, missing=missing)


def outlines_of(sample: SourceTable, crs: str | None) -> np.ndarray:
    """The sample's shapes in lon/lat by a system, by default what the file declares, else WGS 84."""
    if sample.geometry is None:
        return np.empty(0, dtype=object)
    return _moved(sample.geometry, parse_crs(crs or sample.crs or "EPSG:4326"))


def _best(found: list[Candidate]) -> str | None:
    """What the file declares, else WGS-84, unless another fits clearly better."""
    if not found:
        return None
    first = next((one for one in found if one.declared), found[0])
    if first.share is None:
        return first.crs
    top = max(found, key=lambda one: one.share or 0.0)
    return top.crs if (top.share or 0.0) >= first.share + _CLEARLY else first.crs


def _spots(kind: Kind, sample: SourceTable, request: Request) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """x, y as the file has them, NaN where there are none, and the shapes behind them."""
    if sample.geometry is not None and not shapely.is_missing(sample.geometry).all():
        shapes = sample.geometry
        spots = shapely.centroid(shapes)
        return shapely.get_x(spots), shapely.get_y(spots), shapes
    values = mapped_sample(kind, sample, request)
    if not kind.points_from or not all(name in values for name in kind.points_from):
        if kind.geometry_needed:
            raise InvalidValue("geometry", "没有图形，也没有指出经度、纬度是哪两列。回到“对应列”这一步选好这两列。")
        return np.full(len(sample), np.nan), np.full(len(sample), np.nan), None
    x_name, y_name = kind.points_from
    degrees = parse_lonlat(values[x_name], values[y_name], x_name, y_name, projected=False)
    if len(degrees.problems) > len(sample) / 2:
        degrees = parse_lonlat(values[x_name], values[y_name], x_name, y_name, projected=True)
    bad = degrees.missing.copy()
    bad[[problem.row for problem in degrees.problems]] = True
    return np.where(bad, np.nan, degrees.values[:, 0]), np.where(bad, np.nan, degrees.values[:, 1]), None


def _systems(sample: SourceTable, request: Request, projected: bool, area: np.ndarray) -> list[tuple[Crs, bool]]:
    """What the file declares, what was chosen, and what is usual."""
    wanted: list[tuple[str, bool]] = [(sample.crs, True)] if sample.crs else []
    wanted += [(request.crs, False)] if request.crs else []
    wanted += [(name, False) for name in (_plane_systems(area) if projected else LABELS)]
    out: list[tuple[Crs, bool]] = []
    for text, declared in wanted:
        try:
            crs = parse_crs(text)
        except InvalidValue:
            continue
        if all(crs.name != one.name for one, _ in out):
            out.append((crs, declared))
    return out


def _plane_systems(area: np.ndarray) -> list[str]:
    """Plane systems that Chinese surveys use around the office: CGCS2000, Xi'an 80, Beijing 54, UTM, Web Mercator."""
    lon = float(shapely.total_bounds(area)[[0, 2]].mean()) if len(area) else 109.88
    if not _MIDDLE_OF_CHINA[0] < lon < _MIDDLE_OF_CHINA[1]:
        return ["EPSG:3857", f"EPSG:{32600 + int((lon + 180) // 6) + 1}"]
    third, sixth = math.floor((lon + 1.5) / 3), math.floor(lon / 6) + 1
    return [
        f"EPSG:{4534 + third - 25}",
        f"EPSG:{4513 + third - 25}",
        f"EPSG:{4491 + sixth - 13}",
        f"EPSG:{4502 + sixth - 13}",
        f"EPSG:{2370 + third - 25}",
        f"EPSG:{2349 + third - 25}",
        f"EPSG:{2422 + third - 25}",
        f"EPSG:{2401 + third - 25}",
        f"EPSG:{32600 + sixth + 30}",
        "EPSG:3857",
    ]


def _label(crs: Crs, declared: bool) -> str:
    label = LABELS.get(crs.name, crs.name)
    if crs.kind == "projected" and crs.wkt and '"' in crs.wkt:
        label = f"{crs.name}　{crs.wkt.split(chr(34))[1]}"
    return f"{label}（文件声明的）" if declared else label


def _moved(shapes: np.ndarray, crs: Crs) -> np.ndarray:
    if crs.kind == "wgs84":
        return shapes

    def there(coords: np.ndarray) -> np.ndarray:
        return np.column_stack(to_wgs84(coords[:, 0], coords[:, 1], crs))

    return np.asarray(shapely.transform(shapes, there), dtype=object)
