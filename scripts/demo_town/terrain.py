"""The ground: the river and its banks, woods on the slopes, and the frame in which the town is drawn.

The frame: `u` runs 0..1 from the western to the eastern edge of the office's area, `f` from -1 (southern
edge) over 0 (middle of the river) to 1 (northern edge). `at(u, f)` bends the frame into the plane.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from shapely.geometry import LineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from .contours import above

Curve = Callable[[float], float]
WEST, EAST = 60.0, 2460.0
"""x of the area's edges before they are bent."""


@dataclass(frozen=True)
class Ground:
    """River, banks and woods, also beyond the office's area, so that the map has ground around it."""

    river: Polygon
    river_line: LineString
    banks: list[Polygon]
    woods: list[Polygon]
    dense_woods: list[Polygon]


def spline(xs: list[float], ys: list[float]) -> Curve:
    """A natural cubic spline; beyond its ends the end value holds."""
    x, y = np.array(xs, dtype=float), np.array(ys, dtype=float)
    gap = np.diff(x)
    system = np.eye(len(x))
    right = np.zeros(len(x))
    for i in range(1, len(x) - 1):
        system[i, i - 1 : i + 2] = gap[i - 1], 2 * (gap[i - 1] + gap[i]), gap[i]
        right[i] = 6 * ((y[i + 1] - y[i]) / gap[i] - (y[i] - y[i - 1]) / gap[i - 1])
    bend = np.linalg.solve(system, right)

    def value(at: float) -> float:
        t = min(max(float(at), x[0]), x[-1])
        i = int(min(max(np.searchsorted(x, t) - 1, 0), len(x) - 2))
        a, b, h = x[i + 1] - t, t - x[i], gap[i]
        cubic = (bend[i] * a**3 + bend[i + 1] * b**3) / (6 * h)
        return float(cubic + (y[i] / h - bend[i] * h / 6) * a + (y[i + 1] / h - bend[i + 1] * h / 6) * b)

    return value


_EDGE_X = [-400.0, 0, 300, 700, 1100, 1500, 1900, 2300, 2700, 3000]
river_y = spline(
    [-2200, -1400, -700, -300, 80, 420, 760, 1150, 1560, 1900, 2240, 2600, 3000, 3300, 4200, 5200],
    [760, 560, 640, 600, 590, 500, 372, 318, 400, 560, 640, 610, 540, 560, 680, 600],
)
north_y = spline(_EDGE_X, [1560, 1590, 1690, 1745, 1720, 1780, 1760, 1660, 1600, 1560])
south_y = spline(_EDGE_X, [150, 130, 60, 25, -20, 10, 70, 120, 170, 190])


def bent(x: float, y: float) -> tuple[float, float]:
    """The plane is bent a little, so that nothing in the town is ruler-straight."""
    dx = 18 * math.sin(x / 310 + 1.1) * math.cos(y / 260 + 0.4) + 9 * math.sin(y / 140 + x / 400)
    dy = 16 * math.cos(x / 280 + 0.3) * math.sin(y / 330 + 1.7) + 8 * math.sin(x / 150 - y / 300)
    return x + dx, y + dy


@cache
def at(u: float, f: float) -> tuple[float, float]:
    """Plane position of a place in the frame; equal arguments give the identical vertex."""
    x = WEST + u * (EAST - WEST)
    middle = river_y(x)
    if f >= 0:
        y = middle + (north_y(x) - middle) * f
        x += f * 60 * math.sin(u * 5.2 + 0.6)
    else:
        y = middle - (south_y(x) - middle) * f
        x -= f * 40 * math.sin(u * 4 + 2)
    ragged = 1 - min(u, 1 - u) * 6  # the western and eastern edges wind, the middle does not
    x += 34 * math.sin(f * 6 + 1) * min(max(ragged, 0.0), 1.0)
    return bent(x, y)


def river() -> tuple[LineString, Polygon]:
    """The river's middle line and its water."""
    middle = LineString([bent(x, river_y(x)) for x in np.linspace(-2000, 4800, 420)])
    return middle, along(middle, lambda s: 62 + 14 * math.sin(s / 420) + 8 * math.sin(s / 170 + 1))


def along(line: LineString, half_width: Curve) -> Polygon:
    """A ribbon around a line whose half width changes with the distance along it."""
    left, right = [], []
    for s in np.linspace(0, line.length, 380):
        back, ahead = line.interpolate(max(0.0, s - 1)), line.interpolate(min(line.length, s + 1))
        dx, dy = ahead.x - back.x, ahead.y - back.y
        norm, here, w = math.hypot(dx, dy), line.interpolate(s), half_width(s)
        left.append((here.x - dy / norm * w, here.y + dx / norm * w))
        right.append((here.x + dy / norm * w, here.y - dx / norm * w))
    return Polygon(left + right[::-1]).buffer(0)


def make_ground() -> Ground:
    """River, banks and woods; streets and buildings are kept out of the woods later."""
    line, water = river()
    shore = along(line, lambda s: 84 + 14 * math.sin(s / 420) + 8 * math.sin(s / 170 + 1) + 7 * math.sin(s / 95))
    banks = polygons(shore.difference(water))
    keep_off = water.buffer(22)
    xs, ys = np.arange(-1700.0, 4301, 20), np.arange(-1200.0, 3001, 20)
    height = _slope(xs, ys)
    woods = [_rounded(p, keep_off) for p in above(xs, ys, height, 0.0)]
    dense = [_rounded(p, keep_off) for p in above(xs, ys, height, 0.85)]
    return Ground(
        water, line, banks, polygons(unary_union(woods), least=6000), polygons(unary_union(dense), least=5000)
    )


def _slope(xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """How wooded it is, shape (len(ys), len(xs)): hills north and south, none in town and by the water."""
    x, y = np.meshgrid(xs, ys)
    waves = ((410, -260, 0.3, 1), (-300, 350, 1.7, 0.9), (190, 230, 0.9, 0.6), (-170, 140, 2.6, 0.45))
    waves += ((95, -120, 0.2, 0.28), (-70, 85, 1.1, 0.2))
    height = np.zeros_like(x)
    for k, (wx, wy, phase, size) in enumerate(waves):
        height += size * np.sin(x / wx + y / wy + phase + 0.8 * np.sin(y / 300 + k))
    water = np.array([river_y(v) for v in xs])[None, :]
    north = np.array([north_y(v) for v in xs])[None, :]
    uphill = (y - water) / (north - water)
    lift = np.where(y > water, np.clip((uphill - 0.74) * 6, -3, 2.2), np.clip((water - y - 215) / 120, -3, 1.0))
    outside = np.clip((np.maximum(-x, x - 2500) - 120) / 220, -3, 1.2)
    shore = np.abs(y - water) <= 140
    lift = np.where((x < 0) | (x > 2500), np.maximum(lift, np.where(shore, -2.0, outside)), lift)
    return height * 0.75 + lift - 1.25


def _rounded(wood: Polygon, keep_off: BaseGeometry) -> BaseGeometry:
    return wood.buffer(12).buffer(-24).buffer(12).difference(keep_off).simplify(2.0)


def polygons(geometry: BaseGeometry, least: float = 1.0) -> list[Polygon]:
    """The polygons in a geometry that are at least so many square metres large."""
    parts = geometry.geoms if hasattr(geometry, "geoms") else [geometry]
    return [p for p in parts if isinstance(p, Polygon) and p.area >= least]


def as_multi(parts: list[Polygon]) -> MultiPolygon:
    return MultiPolygon(parts)
