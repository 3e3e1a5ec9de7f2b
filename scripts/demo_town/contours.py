"""Areas of a height field above a level, by marching squares."""

from __future__ import annotations

import numpy as np
from shapely.geometry import LineString, Polygon
from shapely.ops import polygonize, unary_union


def above(xs: np.ndarray, ys: np.ndarray, height: np.ndarray, level: float) -> list[Polygon]:
    """Polygons where the height exceeds the level.

    xs: shape (n,), ys: (m,), height: (m, n). A frame of low ground closes areas at the edge.

    >>> hill = np.array([[0, 0, 0], [0, 2, 0], [0, 0, 0]])
    >>> [round(p.area, 2) for p in above(np.arange(3.0), np.arange(3.0), hill, 1.0)]
    [0.5]
    """
    ground = height - level
    ground = np.where(ground == 0, 1e-9, ground)
    ground[[0, -1], :] = ground[:, [0, -1]] = np.minimum(ground.min(), -1.0)
    faces = polygonize(unary_union(_segments(xs, ys, ground)))
    return [face for face in faces if _value(xs, ys, ground, face) > 0]


def _segments(xs: np.ndarray, ys: np.ndarray, ground: np.ndarray) -> list[LineString]:
    """The level line's piece in every cell that it crosses."""
    up = ground > 0
    corners = up[:-1, :-1] + 2 * up[:-1, 1:] + 4 * up[1:, 1:] + 8 * up[1:, :-1]
    pieces = []
    for row, column in zip(*np.nonzero((corners > 0) & (corners < 15)), strict=True):
        ring = [(row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column)]
        cuts = [
            _cut(xs, ys, ground, min(a, b), max(a, b))  # sorted: both neighbours compute the identical point
            for a, b in zip(ring, ring[1:] + ring[:1], strict=True)
            if up[a] != up[b]
        ]
        pieces += [LineString(cuts[i : i + 2]) for i in range(0, len(cuts), 2)]
    return pieces


def _cut(
    xs: np.ndarray, ys: np.ndarray, ground: np.ndarray, a: tuple[int, int], b: tuple[int, int]
) -> tuple[float, float]:
    share = ground[a] / (ground[a] - ground[b])
    return (
        float(xs[a[1]] + share * (xs[b[1]] - xs[a[1]])),
        float(ys[a[0]] + share * (ys[b[0]] - ys[a[0]])),
    )


def _value(xs: np.ndarray, ys: np.ndarray, ground: np.ndarray, face: Polygon) -> float:
    """The field inside the face, bilinear at a point that lies in it."""
    point = face.representative_point()
    i = int(np.clip(np.searchsorted(xs, point.x) - 1, 0, len(xs) - 2))
    j = int(np.clip(np.searchsorted(ys, point.y) - 1, 0, len(ys) - 2))
    s, t = (point.x - xs[i]) / (xs[i + 1] - xs[i]), (point.y - ys[j]) / (ys[j + 1] - ys[j])
    low = ground[j, i] * (1 - s) + ground[j, i + 1] * s
    high = ground[j + 1, i] * (1 - s) + ground[j + 1, i + 1] * s
    return float(low * (1 - t) + high * t)
