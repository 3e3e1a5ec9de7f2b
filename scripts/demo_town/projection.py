"""Between the town's own plane (metres) and longitude/latitude. Only the demo uses it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

ORIGIN = (109.8668, 31.0620)
"""Longitude and latitude of the plane's (0, 0)."""
METRES_PER_DEGREE = (95433.9, 110870.7)
"""Along the parallel and the meridian of 31.07° N on the WGS-84 ellipsoid."""
DECIMALS = 7
"""About a centimetre; the same plane vertex always becomes the same written vertex."""


def lonlat(x: float, y: float) -> tuple[float, float]:
    """The written position of a point in the plane.

    >>> lonlat(0, 0)
    (109.8668, 31.062)
    """
    return (
        round(ORIGIN[0] + float(x) / METRES_PER_DEGREE[0], DECIMALS),
        round(ORIGIN[1] + float(y) / METRES_PER_DEGREE[1], DECIMALS),
    )


def geographic(geometry: BaseGeometry) -> BaseGeometry:
    """The same geometry in longitude and latitude, every vertex rounded as it is written, and valid.

    Rounding can fold a ring over itself at a sharp tip; the tip is then a vertex shorter.
    """
    shape = shapely.transform(geometry, _rounded)
    if shape.is_valid:
        return shape
    return shapely.transform(shapely.set_precision(shape, 10.0**-DECIMALS), lambda at: np.round(at, DECIMALS))


def _rounded(points: np.ndarray) -> np.ndarray:
    return np.array([lonlat(x, y) for x, y in points])


def metres(positions: Iterable[tuple[float, float]]) -> np.ndarray:
    """Plane coordinates (n, 2) of written positions."""
    return (np.array(list(positions)) - ORIGIN) * METRES_PER_DEGREE
