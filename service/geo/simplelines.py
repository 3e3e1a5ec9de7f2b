"""Many lines and polygons as short lists of integers, for compact JSON."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import shapely


def flat_lines(
    geoms: np.ndarray | Sequence[object], origin: tuple[float, float], unit: float
) -> tuple[list[int], list[list[int]]]:
    """The line parts of (n,) geometries: (position in `geoms` per part, [x, y, x, y, …] per part).

    Coordinates are whole `unit`s from `origin`, rounded. None, empty parts and parts that aren't lines give none.

    >>> flat_lines([shapely.LineString([(1.5, 2), (1.75, 2.25)])], (1.0, 2.0), 0.25)
    ([0], [[2, 0, 3, 1]])
    """
    parts, owner = _simple_parts(geoms)
    lines = np.isin(shapely.get_type_id(parts), (shapely.GeometryType.LINESTRING, shapely.GeometryType.LINEARRING))
    return owner[lines].tolist(), _flat(parts[lines], origin, unit)


def flat_polygons(
    geoms: np.ndarray | Sequence[object], origin: tuple[float, float], unit: float
) -> tuple[list[int], list[list[list[int]]]]:
    """The polygon parts of (n,) geometries: (position in `geoms` per part, [outer ring, hole, …] per part).

    Rings are closed and flat as in `flat_lines`. None, empty parts and parts that aren't polygons give none.
    """
    parts, owner = _simple_parts(geoms)
    polygons = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    rings, of_part = shapely.get_rings(parts[polygons], return_index=True)
    flat = _flat(rings, origin, unit)
    start = np.searchsorted(of_part, np.arange(np.count_nonzero(polygons) + 1)).tolist()
    return owner[polygons].tolist(), [flat[a:b] for a, b in pairwise(start)]


def _simple_parts(geoms: np.ndarray | Sequence[object]) -> tuple[np.ndarray, np.ndarray]:
    """(parts that are no collections and not empty, position of each one's geometry)."""
    parts = np.asarray(geoms, dtype=object).ravel()
    owner = np.arange(len(parts))
    while True:
        parts, of = shapely.get_parts(parts, return_index=True)
        owner = owner[of]
        if not (shapely.get_type_id(parts) >= shapely.GeometryType.MULTIPOINT).any():
            break
    full = ~shapely.is_empty(parts)
    return parts[full], owner[full]


def _flat(lines: np.ndarray, origin: tuple[float, float], unit: float) -> list[list[int]]:
    """One flat list per line."""
    coords = shapely.get_coordinates(lines)
    flat = np.rint((coords - origin) / unit).astype(np.int64).ravel().tolist()
    ends = 2 * np.cumsum(shapely.get_num_coordinates(lines))
    return [flat[a:b] for a, b in pairwise([0, *ends.tolist()])]
