"""The lines from which streets and grid borders are both made, in the frame of `terrain`."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from shapely.geometry import LineString

from .chance import stream
from .terrain import at

ROWS_NORTH = (0.0, 0.30, 0.475, 0.645, 0.815, 1.0)
"""f of the lines that run west to east north of the river; 0 is the middle of the river."""
ROWS_SOUTH = (0.0, -0.5, -1.0)
_CELLS_NORTH = ((3, 3, 3), (4, 4, 3), (4, 4, 4), (4, 4, 3), (3, 3, 3))
"""Cells per band (from the river northwards) in the western, middle and eastern community."""
_BORDERS = ((0.335, 0.665), (0.335, 0.665), (0.335, 0.665), (0.385, 0.63), (0.385, 0.63))
_CELLS_SOUTH = 10
BRIDGES = (0.335, 0.79)
"""u of the two bridges."""


@dataclass(frozen=True)
class Cross:
    """A line from one row to the next; `border`: between two communities or the area's edge."""

    u0: float
    u1: float
    f0: float
    f1: float
    band: int
    border: bool

    def u(self, f: float) -> float:
        return self.u0 + (self.u1 - self.u0) * (f - self.f0) / (self.f1 - self.f0)

    def line(self, start: float | None = None, breaks: tuple[float, ...] = ()) -> LineString:
        """From row to row, or from f = `start`; `breaks` are vertices that others share."""
        first = self.f0 if start is None else start
        stops = sorted({*np.linspace(first, self.f1, 18).tolist(), *breaks}, key=abs)
        return LineString([at(self.u(f), f) for f in stops])


@dataclass(frozen=True)
class Cell:
    """What becomes one grid: the piece of a band between two crosses."""

    community: int
    band: int
    left: Cross
    right: Cross

    def middle(self, share_u: float = 0.5, share_f: float = 0.5) -> tuple[float, float]:
        """u and f of a place inside, as shares of the cell's width and height."""
        f = self.left.f0 + (self.left.f1 - self.left.f0) * share_f
        return self.left.u(f) + (self.right.u(f) - self.left.u(f)) * share_u, f


@dataclass(frozen=True)
class Skeleton:
    crosses: list[Cross]
    cells: list[Cell]


def make_skeleton() -> Skeleton:
    """The bands on both sides of the river, cut into cells of varied width."""
    rng = stream("skeleton")
    crosses: list[Cross] = []
    cells: list[Cell] = []
    below: list[float] = []
    for band, counts in enumerate(_CELLS_NORTH):
        edges = [0.0, *_BORDERS[band], 1.0]
        row: list[tuple[int, Cross]] = []
        tops: list[float] = []
        for community, count in enumerate(counts):
            width = (edges[community + 1] - edges[community]) / count
            for i in range(count):
                fixed = i == 0
                u = edges[community] if fixed else edges[community] + width * (i + rng.uniform(-0.2, 0.2))
                u = u if fixed else _snapped(u, below, 0.022)
                top = u if fixed else u + rng.uniform(-0.012, 0.012)
                row.append((community, Cross(u, top, ROWS_NORTH[band], ROWS_NORTH[band + 1], band, fixed)))
                tops.append(top)
        end = Cross(1.0, 1.0, ROWS_NORTH[band], ROWS_NORTH[band + 1], band, True)
        rights = [cross for _, cross in row[1:]] + [end]
        cells += [Cell(c, band, left, right) for (c, left), right in zip(row, rights, strict=True)]
        crosses += [cross for _, cross in row] + [end]
        below = tops
    for band in range(2):
        us = [0.0] + [(i + rng.uniform(-0.2, 0.2)) / _CELLS_SOUTH for i in range(1, _CELLS_SOUTH)] + [1.0]
        if band == 0:
            us[3], us[8] = BRIDGES
        else:
            us = [_snapped(u, below, 0.015) for u in us]
        row_south = [Cross(u, u, ROWS_SOUTH[band], ROWS_SOUTH[band + 1], -1 - band, u in (0.0, 1.0)) for u in us]
        cells += [Cell(3, -1 - band, *pair) for pair in pairwise(row_south)]
        crosses += row_south
        below = us
    return Skeleton(crosses, cells)


def _snapped(u: float, others: list[float], reach: float) -> float:
    """The end of a cross below when one is near: the two become one street."""
    nearest = min(others, key=lambda other: abs(other - u), default=u)
    return nearest if abs(nearest - u) < reach else u


def row_line(f: float, start: float = 0.0, end: float = 1.0, breaks: tuple[float, ...] = ()) -> LineString:
    """A line from west to east, a vertex every ten metres and at the breaks."""
    steps = max(2, round((end - start) * 220))
    return LineString([at(u, f) for u in sorted({*np.linspace(start, end, steps).tolist(), *breaks})])
