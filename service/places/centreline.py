"""A line along the middle of a long area, for writing its name there. Pure."""

from __future__ import annotations

from math import cos, radians
from typing import Any

import numpy as np
import shapely

_SECTIONS = 48
_SLENDER = 2.5  # length over width below which a name needs no line


def centreline(area: Any) -> np.ndarray | None:
    """Points (n, 2) in degrees along the middle of a river's area; None when it is not long and narrow.

    Cuts the area across its longest direction and joins the middles of the cuts.
    """
    if area is None or area.is_empty or area.geom_type not in ("Polygon", "MultiPolygon"):
        return None
    squeeze = cos(radians(area.centroid.y))
    flat = shapely.transform(area, lambda xy: xy * (squeeze, 1.0))
    along, across, middle, length = _frame(flat)
    if length == 0 or flat.area / length**2 > 1 / _SLENDER:
        return None
    middles = []
    for share in np.linspace(-0.48, 0.48, _SECTIONS):
        at = middle + along * share * length
        cut = shapely.intersection(flat, shapely.LineString([at - across * length, at + across * length]))
        pieces = [piece for piece in shapely.get_parts(cut) if piece.length > 0]
        if pieces:
            widest = max(pieces, key=lambda piece: piece.length)
            middles.append(shapely.get_coordinates(widest).mean(axis=0))
    if len(middles) < 3:
        return None
    line = np.array(middles)
    smooth = line.copy()
    smooth[1:-1] = (line[:-2] + line[1:-1] + line[2:]) / 3
    return smooth / (squeeze, 1.0)


def _frame(area: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Unit vectors along and across the smallest rotated rectangle, its middle, and its length."""
    box = shapely.minimum_rotated_rectangle(area)
    if box.geom_type != "Polygon":
        return np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.zeros(2), 0.0
    corners = shapely.get_coordinates(box)
    sides = np.diff(corners[:3], axis=0)
    longer = sides[int(np.hypot(*sides[1]) > np.hypot(*sides[0]))]
    length = float(np.hypot(*longer))
    along = longer / length
    return along, np.array([-along[1], along[0]]), corners[:4].mean(axis=0), length
