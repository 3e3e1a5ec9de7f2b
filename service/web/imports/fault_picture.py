"""Where a file's grids or communities don't tile, as an SVG: the file over the office's own, each fault in place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from service.geo.values import BBox
from service.web.imports.picture import Frame, outlines

_MOST = 200
_AROUND = 0.06
_DIGITS = 3  # of a unit: a fault of a few centimetres is still drawn where it is
_FINE, _COARSE = 0.02, 0.4  # units that outlines are simplified to: few shapes stay exact when one zooms in
_MANY_CORNERS = 25_000
_MOST_PATH = 900_000
_LEAST_VIEW_M = 24.0
_NAMED = 3


@dataclass(frozen=True)
class Place:
    """A fault in the list and in the picture. `names`: the zones in it or beside it; `box`: x, y, width and height to
    zoom to; `x`, `y`: its mark, seen while the fault is too small."""

    n: int
    kind: str
    names: list[str]
    more: int
    m2: float
    d: str
    box: str
    x: float
    y: float


@dataclass(frozen=True)
class FaultPicture:
    """`area`: the office's own outlines; `shapes`: the file's; `left`: how many more the download holds."""

    width: float
    height: float
    area: str
    shapes: str
    places: list[Place]
    left: int
    scale_m: int
    scale_px: float


def draw_faults(path: Path, shapes: np.ndarray, area: np.ndarray, names: Mapping[str, str]) -> FaultPicture | None:
    """Of the GeoJSON of faults that the import wrote, largest first; None where it holds none.

    shapes: the file's, area: the office's own, both in lon/lat; names by code, as far as they are known.
    """
    told = json.loads(path.read_text(encoding="utf-8"))["features"]
    if not told:
        return None
    shown = told[:_MOST]
    faults = np.array([shapely.geometry.shape(one["geometry"]) for one in shown], dtype=object)
    frame = Frame(_bounds(shapes, faults), _AROUND, _DIGITS)
    least = _LEAST_VIEW_M / 111_320.0 * frame.per_degree
    return FaultPicture(
        frame.width,
        frame.height,
        _drawn(frame, area),
        _drawn(frame, shapes),
        [_place(frame, i, one["properties"], faults[i], names, least) for i, one in enumerate(shown)],
        len(told) - len(shown),
        *frame.scale,
    )


def _bounds(shapes: np.ndarray, faults: np.ndarray) -> BBox:
    boxes = shapely.bounds(np.concatenate([shapes[~shapely.is_missing(shapes)], faults]))
    (west, south), (east, north) = boxes[:, :2].min(axis=0).tolist(), boxes[:, 2:].max(axis=0).tolist()
    return BBox(west, south, east, north)


def _drawn(frame: Frame, shapes: np.ndarray) -> str:
    corners = int(shapely.get_num_coordinates(shapes).sum())
    return outlines(frame, shapes, _COARSE if corners > _MANY_CORNERS else _FINE, _MOST_PATH)


def _place(frame: Frame, i: int, told: Any, fault: Any, names: Mapping[str, str], least: float) -> Place:
    rings = [ring for part in shapely.get_parts(fault) for ring in (part.exterior, *part.interiors)]
    d = "".join(
        "M" + "L".join(f"{x:g} {y:g}" for x, y in frame.xy(*np.asarray(ring.coords)[:, :2].T).tolist()) + "Z"
        for ring in rings
    )
    west, south, east, north = fault.bounds
    (x0, y0), (x1, y1) = frame.xy(np.array([west, east]), np.array([north, south])).tolist()
    wide, high = max((x1 - x0) * 1.5, least), max((y1 - y0) * 1.5, least)
    at = shapely.point_on_surface(fault)
    ((x, y),) = frame.xy(np.array([at.x]), np.array([at.y])).tolist()
    codes = told["codes"]
    return Place(
        i + 1,
        told["kind"],
        [names.get(code, code) for code in codes[:_NAMED]],
        max(0, len(codes) - _NAMED),
        told["area_m2"],
        d,
        f"{(x0 + x1 - wide) / 2:.3f} {(y0 + y1 - high) / 2:.3f} {wide:.3f} {high:.3f}",
        x,
        y,
    )
