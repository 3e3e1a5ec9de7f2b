"""A raster over zones: which zone a cell lies in wholly, or which zones have to be tested for its points.

Built from the zones' segments in two sweeps of plain arrays. Marking: the cells that a segment passes, a trifle
generously. Counting: along the middle of each row of cells every segment that crosses it opens or closes its zone, so
that a running sum says how many zones hold a cell's middle, and, where it is one, which. A cell that no segment passes
is uniform: what holds for its middle holds for all of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely

OUTSIDE, LISTED = -1, -2
_CELLS_PER_ZONE = 3_600
_LEAST_CELLS, _MOST_CELLS = 4_096, 4_194_304
_LEAST_STEP = 1e-9  # degrees; below that the cells would be no wider than the rounding of coordinates
_GENEROUS = 1e-4  # cells; more than the rounding of coordinates can shift a segment, see _LEAST_STEP
_REACH_M = 64.0
_MOST_ROWS = 40
_M_PER_DEG = 110_500.0  # the least that a degree of latitude measures, in a frame with UTM's scale too


@dataclass(frozen=True)
class Grid:
    """nx × ny cells of dx × dy degrees from the south-west corner (x0, y0)."""

    x0: float
    y0: float
    dx: float
    dy: float
    nx: int
    ny: int

    @classmethod
    def over(cls, bounds: list[float], zones: int) -> Grid:
        """Cells about as wide as high on the ground, more of them for more zones. bounds: west, south, east, north."""
        west, south, east, north = bounds
        squeeze = max(0.02, math.cos(math.radians((south + north) / 2)))
        wide, high = max((east - west) * squeeze, _LEAST_STEP), max(north - south, _LEAST_STEP)
        cells = min(max(zones * _CELLS_PER_ZONE, _LEAST_CELLS), _MOST_CELLS)
        step = math.sqrt(wide * high / cells)
        nx, ny = (int(min(max(math.ceil(side / step), 1), cells)) for side in (wide, high))
        if nx * ny > 2 * cells:  # a strip thinner than a cell
            nx, ny = min(nx, cells), min(ny, cells)
        dx = max((east - west) * (1 + 1e-9) / nx, _LEAST_STEP)
        dy = max((north - south) * (1 + 1e-9) / ny, _LEAST_STEP)
        return cls(west, south, dx, dy, nx, ny)

    @property
    def metres(self) -> tuple[float, float]:
        """The least width and height of a cell on the ground."""
        farthest = max(abs(self.y0), abs(self.y0 + self.dy * self.ny))
        return self.dx * _M_PER_DEG * max(0.0, math.cos(math.radians(min(farthest, 90.0)))), self.dy * _M_PER_DEG

    def boxes(self, cell: np.ndarray) -> np.ndarray:
        """Cells as shapely boxes, a trifle wider than they are."""
        ex, ey = self.dx * _GENEROUS, self.dy * _GENEROUS
        x, y = self.x0 + cell % self.nx * self.dx, self.y0 + cell // self.nx * self.dy
        return np.asarray(shapely.box(x - ex, y - ey, x + self.dx + ex, y + self.dy + ey))


@dataclass(frozen=True)
class ZoneRaster:
    """values: int32 (ny * nx,), a zone, OUTSIDE, or LISTED - k for the k-th list of candidates.

    The k-th list is zones[start[k]:start[k + 1]], lowest rank first. room: uint8 (ny * nx,), metres from any point of
    the cell to the nearest listed cell, rounded down.
    """

    grid: Grid
    values: np.ndarray
    start: np.ndarray
    zones: np.ndarray
    room: np.ndarray

    @property
    def nbytes(self) -> int:
        return int(self.values.nbytes + self.start.nbytes + self.zones.nbytes + self.room.nbytes)


@dataclass(frozen=True)
class _Segments:
    """Borders in cell units, shells counter-clockwise; `zone`: place in the given zones."""

    x1: np.ndarray
    y1: np.ndarray
    x2: np.ndarray
    y2: np.ndarray
    zone: np.ndarray


def build(geoms: np.ndarray, rank: np.ndarray, grid: Grid, tree: shapely.STRtree, more_beyond: bool) -> ZoneRaster:
    """geoms: (n,) polygons with finite coordinates; rank: int (n,), low ones win; tree: over the same geoms.

    more_beyond: zones reach over the edge of the grid.
    """
    segments = _segments(geoms, grid)
    zone, cell = _marked(segments, grid)
    row, column, event_zone, sign = _crossings(segments, grid)
    count, owner = _sums(row, column, event_zone, sign, grid)
    opened = _opened_at(zone, cell, row, column, event_zone, sign, grid)
    cells = grid.nx * grid.ny
    marks = np.bincount(cell, minlength=cells)
    others = count - np.bincount(cell, weights=opened, minlength=cells).astype(np.int64)
    values = np.where((count == 1) & (marks == 0), owner, OUTSIDE).astype(np.int32)
    # Zones that hold a cell wholly beside those whose border passes it: only where zones overlap.
    crowded = np.flatnonzero(np.where(marks > 0, others != 0, (count != 0) & (count != 1)))
    if len(crowded):
        which, hit = tree.query(grid.boxes(crowded), predicate="intersects")
        cell, zone = np.concatenate([cell, crowded[which]]), np.concatenate([zone, hit])
    start, zones = _lists(values, cell, zone, rank)
    return ZoneRaster(grid, values, start, zones, _room(values, grid, more_beyond))


def _segments(geoms: np.ndarray, grid: Grid) -> _Segments:
    parts, of_part = shapely.get_parts(geoms, return_index=True)
    rings, of_ring = shapely.get_rings(shapely.orient_polygons(parts), return_index=True)
    at, of_point = shapely.get_coordinates(rings, return_index=True)
    x, y = (at[:, 0] - grid.x0) / grid.dx, (at[:, 1] - grid.y0) / grid.dy
    joined = np.flatnonzero(of_point[1:] == of_point[:-1])
    return _Segments(x[joined], y[joined], x[joined + 1], y[joined + 1], of_part[of_ring[of_point[joined]]])


def _spread(first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(index, value) for every whole number first[i] … last[i] of every i."""
    count = np.maximum(last - first + 1, 0)
    index = np.repeat(np.arange(len(first)), count)
    offset = np.arange(len(index)) - np.repeat(np.cumsum(count) - count, count)
    return index, first[index] + offset


def _clipped(low: np.ndarray, high: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers from low to high that are within 0 … size - 1; none where low > high."""
    first = np.maximum(np.clip(low, -1.0, size), 0.0).astype(np.int64)
    return first, np.minimum(np.clip(high, -1.0, size), size - 1.0).astype(np.int64)


def _marked(at: _Segments, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """(zone, cell) of the cells that a zone's border passes, each pair once, sorted by zone and cell."""
    low, high = np.minimum(at.y1, at.y2), np.maximum(at.y1, at.y2)
    one, row = _spread(*_clipped(np.floor(low - _GENEROUS), np.floor(high + _GENEROUS), grid.ny))
    fall = at.y2[one] - at.y1[one]
    level = fall == 0
    divisor = np.where(level, 1.0, fall)
    ends = []
    for edge, whole in ((row - _GENEROUS, 0.0), (row + 1 + _GENEROUS, 1.0)):
        share = (np.clip(edge, low[one], high[one]) - at.y1[one]) / divisor
        ends.append(at.x1[one] + np.where(level, whole, share) * (at.x2[one] - at.x1[one]))
    left, right = np.minimum(*ends), np.maximum(*ends)
    which, column = _spread(*_clipped(np.floor(left - _GENEROUS), np.floor(right + _GENEROUS), grid.nx))
    cells = grid.nx * grid.ny
    key = _distinct(at.zone[one[which]] * cells + row[which] * grid.nx + column)
    return key // cells, key % cells


def _distinct(key: np.ndarray) -> np.ndarray:
    """Sorted, each once; several times as fast as numpy.unique on millions of integers."""
    key = np.sort(key)
    return np.asarray(key[np.diff(key, prepend=-1) != 0])


def _crossings(at: _Segments, grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(row, column, zone, sign): from this column on, the middles of the row are inside (+1) or outside (-1) again."""
    low, high = np.minimum(at.y1, at.y2), np.maximum(at.y1, at.y2)
    one, row = _spread(*_clipped(np.ceil(low - 0.5), np.ceil(high - 0.5) - 1, grid.ny))
    fall = at.y2[one] - at.y1[one]
    x = at.x1[one] + (row + 0.5 - at.y1[one]) / fall * (at.x2[one] - at.x1[one])
    column = np.clip(np.ceil(x - 0.5), 0, grid.nx).astype(np.int64)
    return row, column, at.zone[one], np.where(fall < 0, 1, -1)


def _sums(
    row: np.ndarray, column: np.ndarray, zone: np.ndarray, sign: np.ndarray, grid: Grid
) -> tuple[np.ndarray, np.ndarray]:
    """Per cell: how many zones hold its middle, and the sum of their numbers."""
    place, shape = row * (grid.nx + 1) + column, (grid.ny, grid.nx + 1)
    size = shape[0] * shape[1]
    sums = [
        np.cumsum(np.bincount(place, weights=weight, minlength=size).reshape(shape), axis=1)[:, :-1].ravel()
        for weight in (sign, sign * zone)
    ]
    return sums[0].astype(np.int64), sums[1].astype(np.int64)


def _opened_at(
    zone: np.ndarray,
    cell: np.ndarray,
    row: np.ndarray,
    column: np.ndarray,
    of: np.ndarray,
    sign: np.ndarray,
    grid: Grid,
) -> np.ndarray:
    """Whether each marked cell's middle counts as inside that zone, by the very sums that _sums adds up."""
    width = grid.nx + 1
    key = (of * grid.ny + row) * width + column
    order = np.argsort(key, kind="stable")
    total = np.concatenate([[0], np.cumsum(sign[order])])  # 0 at the end of each row of each zone: rings are closed
    asked = (zone * grid.ny + cell // grid.nx) * width + cell % grid.nx
    return np.asarray(total[np.searchsorted(key[order], asked, side="right")])


def _lists(values: np.ndarray, cell: np.ndarray, zone: np.ndarray, rank: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Candidates by cell; writes each list's number into `values`."""
    by_rank = np.argsort(rank)
    rank = np.argsort(by_rank)
    key = _distinct(cell * len(rank) + rank[zone])
    cell, zone = key // len(rank), by_rank[key % len(rank)]
    start = np.flatnonzero(np.diff(cell, prepend=-1))
    listed = cell[start]
    values[listed] = LISTED - np.arange(len(listed), dtype=np.int32)
    return np.append(start, len(cell)).astype(np.int32), zone.astype(np.int32)


def _room(values: np.ndarray, grid: Grid, more_beyond: bool) -> np.ndarray:
    """Metres between each cell and the nearest listed one, rounded down, at most what the rows looked at allow."""
    wide, high = grid.metres
    busy = values.reshape(grid.ny, grid.nx) <= LISTED
    if more_beyond:
        busy[[0, -1], :] = busy[:, [0, -1]] = True
    far = 1e6
    number = np.arange(grid.nx, dtype=np.float32)
    left = np.maximum.accumulate(np.where(busy, number, np.float32(-far)), axis=1)
    right = np.minimum.accumulate(np.where(busy, number, np.float32(far))[:, ::-1], axis=1)[:, ::-1]
    along = np.minimum(number - left, right - number)
    along = (np.maximum(along - 1, 0) * np.float32(wide)) ** 2
    rows = min(max(1, math.ceil(_REACH_M / max(high, 1e-9))), _MOST_ROWS, grid.ny)
    best = np.full(along.shape, np.float32((rows * high) ** 2))
    for step in range(rows + 1):
        across = np.float32((max(step - 1, 0) * high) ** 2)
        upper, lower = slice(step, None), slice(0, grid.ny - step)
        np.minimum(best[lower], along[upper] + across, out=best[lower])
        np.minimum(best[upper], along[lower] + across, out=best[upper])
    return np.minimum(np.sqrt(best) * np.float32(0.9999), 255).astype(np.uint8).ravel()
