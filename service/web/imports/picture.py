"""The data over the office's grids as an SVG: one set of paths per coordinate system, switched in the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from service.geo.values import BBox
from service.intake.whereabouts import Candidate, Whereabouts

_WIDTH, _LEAST_HEIGHT, _MOST_HEIGHT = 1000.0, 420.0, 900.0
_AROUND = 0.22
_MOST_PATH = 300_000
_SCALES = (100_000, 50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20)


@dataclass(frozen=True)
class Layer:
    """A candidate's marks: points inside and outside the area, outlines of lines and polygons, how many are off."""

    crs: str
    label: str
    percent: str
    chosen: bool
    inside: str
    outside: str
    outlines: str
    off: int


@dataclass(frozen=True)
class Picture:
    """`area`: the grids' outlines; width and height of the view; metres of the scale bar and its length."""

    width: float
    height: float
    area: str
    layers: list[Layer]
    scale_m: int
    scale_px: float


class Frame:
    """Longitude and latitude to the picture's units; degrees of longitude shortened by the latitude. `around`: the
    share of the size that is left free at each side; `digits`: of the coordinates, 1 is enough unless one zooms in."""

    width = _WIDTH

    def __init__(self, box: BBox, around: float = _AROUND, digits: int = 1) -> None:
        west, south, east, north = box.west, box.south, box.east, box.north
        self.digits = digits
        self.squeeze = float(np.cos(np.radians((south + north) / 2)))
        wide, high = max((east - west) * self.squeeze, 1e-6), max(north - south, 1e-6)
        wide, high = max(wide, high * 0.8), max(high, wide * 0.42)
        middle = (west + east) / 2, (south + north) / 2
        self.per_degree = _WIDTH / (wide * (1 + 2 * around))
        self.height = float(np.clip(high * (1 + 2 * around) * self.per_degree, _LEAST_HEIGHT, _MOST_HEIGHT))
        self.per_degree = min(self.per_degree, self.height / (high * (1 + 2 * around)))
        self.west = middle[0] - _WIDTH / 2 / self.per_degree / self.squeeze
        self.north = middle[1] + self.height / 2 / self.per_degree

    def xy(self, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        x = (lon - self.west) * self.squeeze * self.per_degree
        return np.round(np.column_stack([x, (self.north - lat) * self.per_degree]), self.digits)

    @property
    def scale(self) -> tuple[int, float]:
        """A round number of metres for the scale bar and its length."""
        metres = 111_320.0 / self.per_degree
        long = next((m for m in _SCALES if m / metres < 200), _SCALES[-1])
        return long, round(long / metres, 1)

    def shows(self, spots: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return np.asarray(
                (spots[:, 0] >= 0) & (spots[:, 0] <= _WIDTH) & (spots[:, 1] >= 0) & (spots[:, 1] <= self.height)
            )


def draw(found: Whereabouts, chosen: str | None) -> Picture | None:
    """None where there is nothing to draw."""
    if not found.candidates:
        return None
    frame = Frame(_bounds(found, chosen))
    layers = [_layer(frame, one, one.crs == chosen) for one in found.candidates]
    return Picture(_WIDTH, frame.height, outlines(frame, found.area), layers, *frame.scale)


def _bounds(found: Whereabouts, chosen: str | None) -> BBox:
    """The office's area; without one, where the data lie by the chosen system."""
    if len(found.area):
        return BBox(*map(float, shapely.total_bounds(found.area)))
    one = found.candidate(chosen) or found.candidates[0]
    lon, lat = one.lon[np.isfinite(one.lon)], one.lat[np.isfinite(one.lat)]
    if one.shapes is not None:
        return BBox(*map(float, shapely.total_bounds(one.shapes)))
    return BBox(float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max()))


def _layer(frame: Frame, one: Candidate, chosen: bool) -> Layer:
    spots = frame.xy(one.lon, one.lat)
    shown = frame.shows(spots)
    drawn = one.shapes is not None and int(shapely.get_dimensions(one.shapes).max(initial=0)) > 0
    lines = outlines(frame, one.shapes[shown]) if drawn and one.shapes is not None else ""
    known = one.inside if one.share is not None else np.ones(len(spots), dtype=bool)
    return Layer(
        one.crs,
        one.label,
        one.percent,
        chosen,
        "" if drawn else _dots(spots[shown & known]),
        "" if drawn else _dots(spots[shown & ~known]),
        lines,
        int((~shown).sum()),
    )


def _dots(spots: np.ndarray) -> str:
    """Points as lines of no length: with round ends they are dots, and one path holds thousands."""
    return "".join(f"M{x:g} {y:g}h0" for x, y in np.unique(spots, axis=0).tolist())


def outlines(frame: Frame, shapes: np.ndarray, tolerance: float = 0.4, most: int = _MOST_PATH) -> str:
    """Lines and rings as one path, simplified to the tolerance in units; `most` characters."""
    shapes = shapes[~shapely.is_missing(shapes)]
    if not len(shapes):
        return ""
    parts: Any = shapely.get_parts(shapes)
    lines = np.concatenate(
        [shapely.get_rings(parts[shapely.get_type_id(parts) == 3]), parts[shapely.get_type_id(parts) == 1]]
    )
    lines = shapely.simplify(lines, tolerance / frame.per_degree)
    out, length = [], 0
    for line in lines:
        spots = frame.xy(*shapely.get_coordinates(line).T)
        path = "M" + "L".join(f"{x:g} {y:g}" for x, y in spots.tolist())
        length += len(path)
        if length > most:
            break
        out.append(path)
    return "".join(out)
