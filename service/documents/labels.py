"""Where names go on a printed map: inside their area, shrunk where need be, else a number beside it; never one over
another. Millimetres on the page, y downward. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import shapely

from service.documents.fonts import width

_LATTICE = 26
_LEADING = 1.22
_AIR = 0.35  # of the type's size, on each side of a label
_AROUND_PLATE = 0.75  # more of it, so that hatching shows around a label on a plate
_RINGS, _DIRECTIONS = 12, 16
POINT = 25.4 / 72  # mm


@dataclass(frozen=True)
class Line:
    """One line of a label; `share`: its size, of the label's."""

    text: str
    share: float = 1.0
    bold: bool = False


@dataclass(frozen=True)
class Wording:
    """One way to say what a label says, and the sizes (mm) between which it is worth it."""

    lines: tuple[Line, ...]
    least: float
    most: float = math.inf

    def box(self, size: float) -> tuple[float, float]:
        """Width and height in mm at a size."""
        wide = max(width(line.text, size * line.share * (1.02 if line.bold else 1.0)) for line in self.lines)
        high = sum(size * line.share * _LEADING for line in self.lines)
        return wide + 2 * _AIR * size, high + _AIR * size


@dataclass(frozen=True)
class Wanted:
    """A label that an area should get: its ways of saying it, the best first, and a number for when none fits."""

    area: Any
    wordings: tuple[Wording, ...]
    number: str
    plate: bool = False


@dataclass(frozen=True)
class Label:
    """A placed label: its middle, its box before it is turned (degrees, clockwise), and the lines in it.

    `whole`: says all that it should say, not only the number. `spot`: of a label beside its area, the point in the area
    that a line leads to.
    """

    x: float
    y: float
    width: float
    height: float
    size: float
    lines: tuple[Line, ...]
    look: str = "grid"
    turn: float = 0.0
    plate: bool = False
    whole: bool = True
    spot: tuple[float, float] | None = None

    @property
    def shape(self) -> Any:
        """What it covers."""
        box = shapely.box(
            self.x - self.width / 2, self.y - self.height / 2, self.x + self.width / 2, self.y + self.height / 2
        )
        return shapely.affinity.rotate(box, self.turn) if self.turn else box


def place_all(wanted: Sequence[Wanted], sizes: Sequence[float], page: Any) -> list[Label | None]:
    """A label for each area, in order; None only where not even the number finds a free spot.

    sizes: mm, the largest first; page: the polygon that labels stay in. Areas that overlap get labels that don't.
    """
    out: list[Label | None] = [None] * len(wanted)
    taken: list[Any] = []
    smallest_first = sorted(range(len(wanted)), key=lambda i: wanted[i].area.area)
    for i in smallest_first:
        found = place_inside(wanted[i], sizes, taken)
        if found is not None:
            out[i] = found
            taken.append(found.shape)
    areas = [one.area for one in wanted]
    for i in smallest_first:
        if out[i] is None:
            found = _beside(wanted[i], sizes[-1], page, taken, areas)
            if found is not None:
                out[i] = found
                taken += [found.shape, shapely.LineString([(found.x, found.y), found.spot or (found.x, found.y)])]
    return out


def place_inside(wanted: Wanted, sizes: Sequence[float], taken: Sequence[Any] = ()) -> Label | None:
    """The first wording that fits at its least size or above, as large as it fits, in the roomiest place."""
    area = wanted.area
    if area.is_empty or area.area <= 0:
        return None
    for one in taken:
        if one.intersects(area):
            area = area.difference(one.buffer(0.3))
    if area.is_empty:
        return None
    points, middle = _lattice(area)
    shapely.prepare(area)
    for wording in wanted.wordings:
        for size in sizes:
            if size < wording.least - 1e-9:
                break
            if size > wording.most:
                continue
            wide, high = wording.box(size)
            x, y = points[:, 0], points[:, 1]
            dx, dy = (half / 2 + (_AROUND_PLATE * size if wanted.plate else 0) for half in (wide, high))
            fits = shapely.contains(area, shapely.box(x - dx, y - dy, x + dx, y + dy))
            if fits.any():
                good = points[fits]
                away = np.hypot(good[:, 0] - middle[0], good[:, 1] - middle[1])
                at = good[int(np.argmin(away))]
                whole = wording is not wanted.wordings[-1] or len(wanted.wordings) == 1
                return Label(
                    float(at[0]), float(at[1]), wide, high, size, wording.lines, plate=wanted.plate, whole=whole
                )
    return None


def _lattice(area: Any) -> tuple[np.ndarray, tuple[float, float]]:
    """Middles to try (n, 2), and the middle of the largest circle inside."""
    largest = max(shapely.get_parts(area), key=lambda part: part.area)
    circle = shapely.maximum_inscribed_circle(largest, tolerance=max(math.sqrt(largest.area) / 100, 0.05))
    middle = shapely.get_coordinates(circle)[0]
    west, south, east, north = area.bounds
    xs, ys = np.linspace(west, east, _LATTICE), np.linspace(south, north, _LATTICE)
    grid = np.column_stack([one.ravel() for one in np.meshgrid(xs, ys)])
    inside = grid[shapely.contains_xy(area, grid[:, 0], grid[:, 1])]
    return np.vstack([middle[None, :], inside]), (float(middle[0]), float(middle[1]))


def _beside(wanted: Wanted, size: float, page: Any, taken: Sequence[Any], areas: Sequence[Any]) -> Label | None:
    """The number at the nearest free spot around the area, with a line into it; beyond all areas if it can."""
    if wanted.area.is_empty:
        return None
    wording = Wording((Line(wanted.number, 1.0, True),), size)
    wide, high = wording.box(size)
    spot = shapely.point_on_surface(wanted.area)
    tree = shapely.STRtree(list(taken))
    around = shapely.STRtree(list(areas))
    second: Label | None = None
    for ring in range(1, _RINGS + 1):
        for step in range(_DIRECTIONS):
            angle = 2 * math.pi * step / _DIRECTIONS
            x = spot.x + math.cos(angle) * ring * (wide * 0.5 + size * 0.5)
            y = spot.y + math.sin(angle) * ring * (high * 0.5 + size * 0.5)
            label = Label(x, y, wide, high, size, wording.lines, "beside", whole=False, spot=(spot.x, spot.y))
            shape = label.shape
            lead = shapely.LineString([(x, y), (spot.x, spot.y)])
            if not page.contains(shape) or len(tree.query(shape, "intersects")) or len(tree.query(lead, "intersects")):
                continue
            if not len(around.query(shape, "intersects")):
                return label
            second = second or label
    return second


def place_along(
    line: Any, text: str, size: float, taken: Sequence[Any], page: Any, look: str = "street"
) -> Label | None:
    """A street's name on its longest straight piece that has room and touches nothing that is already there."""
    wide, high = width(text, size) + size * 0.5, size * 1.25
    tree = shapely.STRtree(list(taken))
    pieces = [
        (math.dist(a, b), a, b)
        for part in shapely.get_parts(line)
        if part.geom_type == "LineString"
        for a, b in pairwise(shapely.get_coordinates(shapely.simplify(part, size * 0.4)).tolist())
    ]
    for length, a, b in sorted(pieces, key=lambda piece: -piece[0])[:5]:
        if length < wide:
            return None
        turn = math.degrees(math.atan2(b[1] - a[1], b[0] - a[0]))
        turn = turn - 180 if turn > 90 else turn + 180 if turn <= -90 else turn
        for share in (0.5, 0.3, 0.7):
            x, y = a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share
            if length * min(share, 1 - share) < wide / 2:
                continue
            label = Label(x, y, wide, high, size, (Line(text),), look, turn)
            if page.contains(label.shape) and not len(tree.query(label.shape, "intersects")):
                return label
    return None
