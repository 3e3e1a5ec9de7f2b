"""Positions as integers on the web-mercator square: 2**32 units along each edge, under 1 cm on the ground each.

Origin north-west, x to the east, y to the south, as map tiles are counted. A map pixel at zoom z is 2**(24 - z) units.
"""

from __future__ import annotations

import numpy as np

WORLD = 1 << 32
PIXEL_ZOOM = 24  # the zoom whose pixel (256 to a tile) is one unit
_MOST_LAT = 85.06  # the square ends at 85.0511 degrees; what lies beyond stands on its edge


def to_world(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(x, y) as uint32 of finite degrees, any shape. Beyond the square: on its edge.

    >>> [int(one[0]) for one in to_world(np.array([0.0]), np.array([0.0]))]
    [2147483648, 2147483648]
    """
    x = (np.asarray(lon, np.float64) + 180.0) * (WORLD / 360.0)
    sine = np.sin(np.radians(np.clip(lat, -_MOST_LAT, _MOST_LAT)))
    y = (0.5 - np.arctanh(sine) / (2.0 * np.pi)) * WORLD
    return _whole(x), _whole(y)


def to_degrees(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(lon, lat) in degrees of the middle of each unit; x, y may be fractions of units."""
    lon = (np.asarray(x, np.float64) + 0.5) * (360.0 / WORLD) - 180.0
    lat = np.degrees(np.arcsin(np.tanh((0.5 - (np.asarray(y, np.float64) + 0.5) / WORLD) * (2.0 * np.pi))))
    return lon, lat


def morton(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """uint64 keys whose order walks the quadtree: bits of x at even, of y at odd places (Morton 1966).

    >>> morton(np.array([3], np.uint32), np.array([1], np.uint32)).tolist()
    [7]
    """
    keys: np.ndarray = _spread(x) | (_spread(y) << np.uint64(1))
    return keys


def _spread(value: np.ndarray) -> np.ndarray:
    """A zero between each two bits of uint32."""
    out = value.astype(np.uint64)
    for shift, mask in (
        (16, 0x0000FFFF0000FFFF),
        (8, 0x00FF00FF00FF00FF),
        (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333),
        (1, 0x5555555555555555),
    ):
        out = (out | (out << np.uint64(shift))) & np.uint64(mask)
    return out


def _whole(value: np.ndarray) -> np.ndarray:
    out: np.ndarray = np.clip(np.floor(value), 0, WORLD - 1).astype(np.uint32)
    return out
