"""Which zones lie beside each other: along a border, not only at a corner. Small slits and overlaps don't part them."""

from __future__ import annotations

import numpy as np
import shapely

from service.geo.crs import MetricFrame

LEAST_M = 3.0
"""Metres of common border below which two zones only meet at a corner."""
_SLIT_M = 0.5


def bordering(geoms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(pairs (m, 2), metres (m,)): zones with a common border, each pair once, lower index first.

    geoms: (n,) polygons in lon/lat; None and empty ones have no neighbours.
    """
    present = np.flatnonzero(~(shapely.is_missing(geoms) | shapely.is_empty(geoms)))
    if len(present) < 2:
        return np.empty((0, 2), np.int64), np.empty(0)
    west, south, east, north = shapely.total_bounds(geoms[present]).tolist()
    flat = MetricFrame((west + east) / 2, (south + north) / 2).geometries(geoms[present])
    first, second = shapely.STRtree(flat).query(flat, predicate="dwithin", distance=_SLIT_M)
    once = first < second
    first, second = first[once], second[once]
    wider = shapely.buffer(flat, _SLIT_M, quad_segs=2)
    edges = shapely.boundary(flat)
    metres = shapely.length(shapely.intersection(edges[first], wider[second]))
    beside = metres >= LEAST_M
    return np.column_stack([present[first[beside]], present[second[beside]]]), metres[beside]
