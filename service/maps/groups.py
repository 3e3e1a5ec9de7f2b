"""A map of grids in groups, as SVG paths from plain data: colours by group, numbers where the groups lie."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

WIDTH, MOST_HIGH = 560, 460
_MARGIN = 8
COLOURS = 8


@dataclass(frozen=True)
class Patch:
    """One grid: its path, where its short code stands (and how much room there is, px), its neighbours by index."""

    code: str
    short: str
    d: str
    x: float
    y: float
    room: float
    beside: tuple[int, ...]


@dataclass(frozen=True)
class GroupsMap:
    width: int
    height: int
    patches: list[Patch]


def groups_map(
    codes: Sequence[str], shorts: Sequence[str], geoms: np.ndarray, spots: Sequence[Sequence[float]], pairs: np.ndarray
) -> GroupsMap:
    """geoms: (n,) polygons in lon/lat; spots: (n,) lon, lat, radius in metres of the room for a label."""
    if not len(geoms):
        return GroupsMap(WIDTH, 10, [])
    west, south, east, north = shapely.total_bounds(geoms).tolist()
    ky = 111_132.92
    kx = 111_412.84 * math.cos(math.radians((south + north) / 2))
    scale = min((WIDTH - 2 * _MARGIN) / max((east - west) * kx, 1.0), MOST_HIGH / max((north - south) * ky, 1.0))
    height = math.ceil((north - south) * ky * scale) + 2 * _MARGIN
    left = (WIDTH - (east - west) * kx * scale) / 2

    def px(coords: np.ndarray) -> np.ndarray:
        return np.column_stack(
            [(coords[:, 0] - west) * kx * scale + left, (north - coords[:, 1]) * ky * scale + _MARGIN]
        )

    beside: list[list[int]] = [[] for _ in codes]
    for a, b in pairs.tolist():
        beside[a].append(b)
        beside[b].append(a)
    middles = px(np.array([spot[:2] for spot in spots], float))
    patches = []
    for i, geom in enumerate(shapely.transform(geoms, px).tolist()):
        x, y = middles[i].tolist()
        room = float(spots[i][2]) * scale
        patches.append(Patch(codes[i], shorts[i], _d(geom), round(x, 1), round(y, 1), round(room, 1), tuple(beside[i])))
    return GroupsMap(WIDTH, height, patches)


def _d(geom: Any) -> str:
    rings = [
        ring
        for part in shapely.get_parts(geom)
        if part.geom_type == "Polygon" and not part.is_empty
        for ring in (part.exterior, *part.interiors)
    ]
    return "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in ring.coords[:-1]) + "Z" for ring in rings)
