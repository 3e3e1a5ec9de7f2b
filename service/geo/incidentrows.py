"""Columns of located incidents, and the table of leaves that finds and sums them: what clusters.py answers from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from service.geo.worldgrid import morton, to_world

STATES = ("late", "way", "chk", "rep", "done")
LATE, WAY, CHK, REP, DONE = range(5)
GONE = 5  # a row that was removed or replaced; no answer holds it
NEVER = (1 << 32) - 1
NO_CODE = (1 << 16) - 1
_STATE_OF_GROUP = np.array([REP, WAY, CHK, DONE], np.uint8)
_LEAF_ROWS = 16  # rows per leaf, about: small enough for the edges of a view, few enough to scan all leaves in 0.1 ms
_LEAST_LEAVES = 256
_MOST_RUNS = 256


@dataclass(frozen=True)
class Rows:
    """Aligned columns, shape (n,). `x`, `y`: worldgrid units; `calm`: state when not overdue; times: epoch seconds."""

    ids: np.ndarray  # int64
    x: np.ndarray  # uint32
    y: np.ndarray  # uint32
    calm: np.ndarray  # uint8, WAY … GONE
    due: np.ndarray  # uint32, NEVER for none, and for what is done or gone
    reported: np.ndarray  # uint32
    category: np.ndarray  # uint16, NO_CODE for none
    community: np.ndarray  # uint16, NO_CODE for none
    grid: np.ndarray  # uint16, NO_CODE for none

    @classmethod
    def of(
        cls,
        ids: np.ndarray,
        lon: np.ndarray,
        lat: np.ndarray,
        category: np.ndarray,
        community: np.ndarray,
        group: np.ndarray,
        reported_at: np.ndarray,
        due_at: np.ndarray,
        grid: np.ndarray | None = None,
    ) -> Rows:
        """The located rows, in the given order. Arguments as of ClusterColumns."""
        lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
        located = np.isfinite(lon) & np.isfinite(lat)
        x, y = to_world(lon[located], lat[located])
        calm = _STATE_OF_GROUP[np.asarray(group)[located]]
        due = np.where(calm == DONE, np.uint32(NEVER), seconds(np.asarray(due_at)[located]))
        return cls(
            np.asarray(ids, np.int64)[located],
            x,
            y,
            calm,
            due,
            seconds(np.asarray(reported_at)[located]),
            _codes(np.asarray(category)[located]),
            _codes(np.asarray(community)[located]),
            _codes(np.full(len(x), -1) if grid is None else np.asarray(grid)[located]),
        )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def nbytes(self) -> int:
        return sum(getattr(self, column.name).nbytes for column in fields(self))

    def take(self, index: np.ndarray) -> Rows:
        """The rows at `index` (positions or a mask)."""
        return Rows(*(getattr(self, column.name)[index] for column in fields(self)))

    def runs(self, runs: Sequence[tuple[int, int]]) -> Rows:
        """The rows of some half-open runs; a view when it is one run."""
        if len(runs) == 1:
            return Rows(*(getattr(self, column.name)[runs[0][0] : runs[0][1]] for column in fields(self)))
        return Rows(*(np.concatenate([col[a:b] for a, b in runs] or [col[:0]]) for col in self._columns()))

    def joined(self, other: Rows) -> Rows:
        """These rows, then the other ones."""
        return Rows(*(np.concatenate(pair) for pair in zip(self._columns(), other._columns(), strict=True)))

    def without(self, at: np.ndarray) -> Rows:
        """The rows at positions `at` marked as gone; the other columns are shared."""
        calm, due = self.calm.copy(), self.due.copy()
        calm[at], due[at] = GONE, NEVER
        return replace(self, calm=calm, due=due)

    def state(self, now: int) -> np.ndarray:
        """uint8 index into STATES (or GONE) at `now`; overdue is due < now."""
        return self.calm * (self.due >= np.uint32(now)).view(np.uint8)

    def _columns(self) -> list[np.ndarray]:
        return [getattr(self, column.name) for column in fields(self)]


@dataclass(frozen=True)
class Span:
    """A box in worldgrid units, both ends included."""

    west: int
    north: int
    east: int
    south: int

    @classmethod
    def of(cls, west: float, south: float, east: float, north: float) -> Span:
        x, y = to_world(np.array([west, east]), np.array([north, south]))
        return cls(int(x[0]), int(y[0]), int(x[1]), int(y[1]))

    @classmethod
    def around(cls, x: np.ndarray, y: np.ndarray) -> Span:
        """The smallest span that holds the positions; of none, one that holds nothing."""
        if not len(x):
            return cls(NEVER, NEVER, 0, 0)
        return cls(int(x.min()), int(y.min()), int(x.max()), int(y.max()))

    def common(self, other: Span) -> Span:
        """What lies in both."""
        return Span(
            max(self.west, other.west), max(self.north, other.north),
            min(self.east, other.east), min(self.south, other.south),
        )  # fmt: skip

    def joined(self, other: Span) -> Span:
        """The smallest span that holds both."""
        return Span(
            min(self.west, other.west), min(self.north, other.north),
            max(self.east, other.east), max(self.south, other.south),
        )  # fmt: skip

    def holds(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Which of the positions lie inside."""
        return (x >= self.west) & (x <= self.east) & (y >= self.north) & (y <= self.south)

    def shrunk(self, shift: int) -> Span:
        """The span of the lattice squares, 2**shift units wide, that it touches."""
        return Span(self.west >> shift, self.north >> shift, self.east >> shift, self.south >> shift)

    def widened(self, shift: int) -> Span:
        """The span in units of these squares."""
        return Span(
            self.west << shift, self.north << shift, ((self.east + 1) << shift) - 1, ((self.south + 1) << shift) - 1
        )

    def inner(self, shift: int) -> Span:
        """The span of the lattice squares that lie wholly inside; empty when its east is before its west."""
        less = (1 << shift) - 1
        return Span(
            (self.west + less) >> shift,
            (self.north + less) >> shift,
            ((self.east + 1) >> shift) - 1,
            ((self.south + 1) >> shift) - 1,
        )


@dataclass(frozen=True)
class Leaves:
    """The quadtree squares of one size that hold rows, m of them, in Morton order, with the sums over each.

    `start` (m + 1,): the rows of leaf i are start[i] up to start[i + 1]. `calm` (5, m): rows by calm state.
    `x_sum`, `y_sum` (2, m): float64, exact; open rows, done rows.
    """

    shift: int
    start: np.ndarray
    x: np.ndarray
    y: np.ndarray
    calm: np.ndarray
    x_sum: np.ndarray
    y_sum: np.ndarray

    @classmethod
    def of(cls, rows: Rows, keys: np.ndarray) -> Leaves:
        """Of rows in the order of their Morton keys, none of them gone."""
        shift, first = _leaf_starts(keys)
        start = np.append(first, len(keys))
        done = (rows.calm == DONE).astype(np.float64)
        x_all, x_done = _sums(rows.x.astype(np.float64), first), _sums(rows.x * done, first)
        y_all, y_done = _sums(rows.y.astype(np.float64), first), _sums(rows.y * done, first)
        calm = np.array([_sums((rows.calm == state).astype(np.int32), first) for state in range(5)])
        return cls(
            shift,
            start,
            rows.x[first] >> np.uint32(shift),
            rows.y[first] >> np.uint32(shift),
            calm,
            np.array([x_all - x_done, x_done]),
            np.array([y_all - y_done, y_done]),
        )

    @property
    def nbytes(self) -> int:
        return sum(part.nbytes for part in (self.start, self.x, self.y, self.calm, self.x_sum, self.y_sum))

    def by_state(self, rows: Rows, now: int) -> np.ndarray:
        """int64 (5, m): rows per leaf by STATES at `now`."""
        late = rows.due < np.uint32(now)
        out = self.calm.astype(np.int64)
        for state in (WAY, CHK, REP):
            moved = _sums((late & (rows.calm == state)).view(np.uint8), self.start[:-1], np.int64)
            out[state] -= moved
            out[LATE] += moved
        return out

    def within(self, span: Span) -> np.ndarray:
        """Positions of the leaves that touch a span."""
        return np.flatnonzero(span.shrunk(self.shift).holds(self.x, self.y))

    def runs(self, chosen: np.ndarray) -> list[tuple[int, int]]:
        """Half-open runs of rows that cover the chosen leaves; few, so small gaps between them are covered too."""
        if not len(chosen):
            return []
        gaps = self.start[chosen[1:]] - self.start[chosen[:-1] + 1]
        cuts = np.flatnonzero(gaps)
        if len(cuts) >= _MOST_RUNS:
            cuts = np.sort(cuts[np.argpartition(gaps[cuts], -_MOST_RUNS)[-_MOST_RUNS:]])
        begins = self.start[chosen[np.append(0, cuts + 1)]]
        ends = self.start[chosen[np.append(cuts, len(chosen) - 1)] + 1]
        return list(zip(begins.tolist(), ends.tolist(), strict=True))

    def without(self, rows: Rows, at: np.ndarray) -> Leaves:
        """The sums without the rows at positions `at`, none of them gone before."""
        leaf = np.searchsorted(self.start, at, side="right") - 1
        calm, x_sum, y_sum = self.calm.copy(), self.x_sum.copy(), self.y_sum.copy()
        done = (rows.calm[at] == DONE).astype(np.int64)
        np.subtract.at(calm, (rows.calm[at], leaf), 1)
        np.subtract.at(x_sum, (done, leaf), rows.x[at])
        np.subtract.at(y_sum, (done, leaf), rows.y[at])
        return replace(self, calm=calm, x_sum=x_sum, y_sum=y_sum)


def in_morton_order(rows: Rows) -> tuple[Rows, Leaves]:
    """The rows sorted, with their leaves."""
    keys = morton(rows.x, rows.y)
    order = np.argsort(keys)
    rows = rows.take(order)
    return rows, Leaves.of(rows, keys[order])


def seconds(value: np.ndarray) -> np.ndarray:
    """Epoch seconds as uint32, 1970 to 2106; what lies beyond stands at the ends."""
    out: np.ndarray = np.clip(value, 0, NEVER).astype(np.uint32)
    return out


def _codes(value: np.ndarray) -> np.ndarray:
    """uint16; negative codes mean none, and so do those beyond: they are in nobody's own area."""
    return np.where((value < 0) | (value > NO_CODE), NO_CODE, value).astype(np.uint16)


def _leaf_starts(keys: np.ndarray) -> tuple[int, np.ndarray]:
    """(shift, first row per leaf) of the smallest leaf size that makes no more than a leaf per _LEAF_ROWS rows."""
    if not len(keys):
        return 0, np.empty(0, np.int64)
    differing = keys[1:] ^ keys[:-1]
    most = max(len(keys) // _LEAF_ROWS, _LEAST_LEAVES)
    low, high = 0, 32
    while low < high:
        middle = (low + high) // 2
        if np.count_nonzero(differing >> np.uint64(2 * middle)) < most:
            high = middle
        else:
            low = middle + 1
    shift = min(low, 31)
    return shift, np.append(0, np.flatnonzero(differing >> np.uint64(2 * shift)) + 1)


def _sums(values: np.ndarray, first: np.ndarray, dtype: type | None = None) -> np.ndarray:
    return np.add.reduceat(values, first, dtype=dtype) if len(first) else np.empty(0, dtype or values.dtype)
