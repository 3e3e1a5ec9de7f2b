"""Map clusters of a million incidents in milliseconds: columns in memory, sorted along a quadtree.

Rows are kept in Morton order with a table of leaves (incidentrows.py). A view touches some leaves; their rows are
scanned as columns. Without filters on period, category or community, leaves that lie inside the view are added as
sums. Overdue is derived at each question. A ClusterColumns never changes: patch and remove give a new one that
shares the large columns, so threads may go on asking the old one.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from service.errors import InvalidValue
from service.geo.incidentrows import DONE, GONE, NEVER, NO_CODE, STATES, Rows, Span, in_morton_order
from service.geo.values import BBox
from service.geo.worldgrid import PIXEL_ZOOM, WORLD, to_degrees

OPEN_STATES = STATES[:DONE]
_MOST_TAIL = 50_000
_MOST_CELLS = 1 << 18


class Within(NamedTuple):
    """What lies in one of the communities or in one of the grids, by code; or is one of `ids`, shape (k,)."""

    communities: frozenset[int]
    grids: frozenset[int]
    ids: np.ndarray | None = None


@dataclass(frozen=True)
class Filters:
    """What to count: since <= reported_at < until, in epoch seconds. None asks for all, an empty set for nothing.
    `within`: an account's own area."""

    since: int | None = None
    until: int | None = None
    categories: frozenset[int] | None = None
    communities: frozenset[int] | None = None
    states: frozenset[str] = frozenset(OPEN_STATES)
    within: Within | None = None

    @property
    def by_state_only(self) -> bool:
        return all(one is None for one in (self.since, self.until, self.categories, self.communities, self.within))


@dataclass(frozen=True)
class ClusterAnswer:
    """k cells with members, from north to south.

    `lon`, `lat` (k,): mean place of the members on the map's plane; `counts` (k, 5): by STATES; `total`: all members;
    `cell_px`: the edge of a cell, as asked unless that made too many cells.
    """

    lon: np.ndarray
    lat: np.ndarray
    counts: np.ndarray
    total: int
    cell_px: int


class ClusterColumns:
    """Located incidents by place, time, state, category, community and grid.

    All arguments have shape (n,): `ids` distinct; `lon`, `lat` degrees, NaN when not located (such rows are kept out);
    `category`, `community`, `grid` codes from 0, negative for none; `group` 0 waiting, 1 handling, 2 inspecting,
    3 closed; `reported_at`, `due_at` epoch seconds from 1970 to 2106, `due_at` 2**32 - 1 or more for none.
    """

    def __init__(
        self,
        ids: np.ndarray,
        lon: np.ndarray,
        lat: np.ndarray,
        category: np.ndarray,
        community: np.ndarray,
        group: np.ndarray,
        reported_at: np.ndarray,
        due_at: np.ndarray,
        grid: np.ndarray | None = None,
    ) -> None:
        self._settle(Rows.of(ids, lon, lat, category, community, group, reported_at, due_at, grid))

    def __len__(self) -> int:
        return int(np.count_nonzero(self._main.calm != GONE)) + len(self._tail)

    @property
    def nbytes(self) -> int:
        """Memory of the columns and their leaves."""
        by_id = 0 if self._by_id is None else self._by_id.nbytes
        return self._main.nbytes + self._leaves.nbytes + self._tail.nbytes + by_id

    def clusters(self, box: BBox, zoom: int, cell_px: int, now: int, filters: Filters) -> ClusterAnswer:
        """The members inside `box`, in cells of `cell_px` screen pixels at `zoom` on a lattice fixed to the world.

        `now`: epoch seconds. Where that makes more cells than a screen can show (262,144), cells are twice as wide,
        or four times, and so on. Raises InvalidValue for a zoom or cell that no map has.
        """
        span = Span.of(box.west, box.south, box.east, box.north).common(self._extent)
        cell_px = _cell_px(zoom, cell_px, span)
        size = cell_px << (PIXEL_ZOOM - zoom)
        if filters.by_state_only and _whole_groups(filters.states) and size % (1 << self._leaves.shift) == 0:
            return self._cells_of_leaves(span, now, filters, size).answer(cell_px)
        found = self._members(span, now, filters)
        return _Cells(found.x, found.y, size).of_points(found.state).answer(cell_px)

    def _cells_of_leaves(self, span: Span, now: int, filters: Filters, size: int) -> _Cells:
        """The same, for cells made of whole leaves: sums for the leaves inside, single rows along the span's edge."""
        leaves, shift = self._leaves, self._leaves.shift
        inner = span.inner(shift)
        touched = leaves.within(span)
        inside = inner.holds(leaves.x[touched], leaves.y[touched])
        edge = self._members(span, now, filters, touched[~inside], inner.widened(shift))
        whole = touched[inside]
        x, y = leaves.x[whole] << np.uint32(shift), leaves.y[whole] << np.uint32(shift)
        cells = _Cells(np.concatenate([edge.x, x]), np.concatenate([edge.y, y]), size)
        groups = [i for i, state in enumerate((STATES[0], STATES[DONE])) if state in filters.states]
        counts = self._late_leaves(now)[:, whole] * _wanted(filters.states)[:5, None]
        sums = [part[groups][:, whole].sum(axis=0) for part in (leaves.x_sum, leaves.y_sum)]
        return cells.of_points(edge.state).of_sums(counts, *sums)

    def points(self, box: BBox, now: int, filters: Filters, limit: int) -> tuple[np.ndarray, np.ndarray]:
        """(ids, states as index into STATES) inside `box`, overdue first, then by state and id; at most `limit`."""
        found = self._members(Span.of(box.west, box.south, box.east, box.north), now, filters)
        rank = (found.state.astype(np.int64) << 59) + found.ids
        order = np.arange(len(rank)) if len(rank) <= limit else np.argpartition(rank, limit)[:limit]
        order = order[np.argsort(rank[order])]
        return found.ids[order], found.state[order]

    def counts_by_state(self, now: int, filters: Filters) -> np.ndarray:
        """Shape (5,): located incidents by STATES."""
        counts = np.zeros(5, np.int64)
        for _, state, keep in self._all(now, filters):
            counts += np.bincount(state[keep], minlength=5)
        return counts

    def counts_by_category(self, now: int, filters: Filters) -> dict[int, int]:
        """Located incidents per category code that has any; NO_CODE stands for none."""
        counts = np.zeros(NO_CODE + 1, np.int64)
        for rows, _, keep in self._all(now, filters):
            counts += np.bincount(rows.category[keep], minlength=NO_CODE + 1)
        return {code: int(counts[code]) for code in np.flatnonzero(counts).tolist()}

    def patch(
        self,
        ids: np.ndarray,
        lon: np.ndarray,
        lat: np.ndarray,
        category: np.ndarray,
        community: np.ndarray,
        group: np.ndarray,
        reported_at: np.ndarray,
        due_at: np.ndarray,
        grid: np.ndarray | None = None,
    ) -> ClusterColumns:
        """New columns in which these rows are added, or stand in place of the ones with the same ids."""
        out = self.remove(ids)
        out._tail = out._tail.joined(Rows.of(ids, lon, lat, category, community, group, reported_at, due_at, grid))
        if len(out._tail) > _MOST_TAIL:
            out._settle(out._main.take(out._main.calm != GONE).joined(out._tail))
        out._extent = out._extent.joined(Span.around(out._tail.x, out._tail.y))
        return out

    def remove(self, ids: np.ndarray) -> ClusterColumns:
        """New columns without these ids; unknown ids are passed over."""
        wanted = np.unique(np.asarray(ids, np.int64))
        at = self._positions(wanted)
        out = copy.copy(self)
        out._late = None
        out._tail = self._tail.take(~np.isin(self._tail.ids, wanted))
        if len(at):
            out._leaves = self._leaves.without(self._main, at)
            out._main = self._main.without(at)
        return out

    def _settle(self, rows: Rows) -> None:
        self._main, self._leaves = in_morton_order(rows)
        self._tail = rows.take(np.empty(0, np.int64))
        self._extent = Span.around(rows.x, rows.y)
        self._by_id: np.ndarray | None = None
        self._late: tuple[int, np.ndarray] | None = None

    def _positions(self, ids: np.ndarray) -> np.ndarray:
        """Where in the main rows these ids stand, those that are there and not gone."""
        if not len(self._main):
            return np.empty(0, np.int64)
        if self._by_id is None:
            self._by_id = np.argsort(self._main.ids).astype(np.uint32)
        found = np.searchsorted(self._main.ids, ids, sorter=self._by_id)
        at: np.ndarray = self._by_id[np.minimum(found, len(self._main) - 1)]
        known: np.ndarray = at[(self._main.ids[at] == ids) & (self._main.calm[at] != GONE)]
        return known

    def _late_leaves(self, now: int) -> np.ndarray:
        """(5, m) rows per leaf by STATES at `now`; the last answer is kept, as many questions share their second."""
        kept = self._late
        if kept is None or kept[0] != now:
            kept = (now, self._leaves.by_state(self._main, _moment(now)))
            self._late = kept
        return kept[1]

    def _members(
        self, span: Span, now: int, filters: Filters, leaves: np.ndarray | None = None, hole: Span | None = None
    ) -> _Found:
        """What lies in a span, but not in the hole, and passes the filters; `leaves`: only these need a look."""
        chosen = self._leaves.within(span) if leaves is None else leaves
        parts = []
        for rows in (self._main.runs(self._leaves.runs(chosen)), self._tail):
            state = rows.state(_moment(now))
            keep = _passing(rows, state, filters) & span.holds(rows.x, rows.y)
            if hole is not None and rows is not self._tail:
                keep &= ~hole.holds(rows.x, rows.y)
            at = np.flatnonzero(keep)
            parts.append(_Found(rows.x[at], rows.y[at], state[at], rows.ids[at]))
        return _Found(*(np.concatenate(pair) for pair in zip(*parts, strict=True))) if len(parts[1].x) else parts[0]

    def _all(self, now: int, filters: Filters) -> Iterator[tuple[Rows, np.ndarray, np.ndarray]]:
        """(rows, state, which pass) of the main rows and of the tail."""
        for rows in (self._main, self._tail):
            state = rows.state(_moment(now))
            yield rows, state, _passing(rows, state, filters)


class _Found(NamedTuple):
    """Aligned arrays."""

    x: np.ndarray
    y: np.ndarray
    state: np.ndarray
    ids: np.ndarray


class _Cells:
    """Sums per cell of a lattice over items: first points, then leaves. Positions in worldgrid units."""

    def __init__(self, x: np.ndarray, y: np.ndarray, size: int) -> None:
        self._x, self._y = x, y
        self._cell, self._k = _numbered(x, y, size)
        self._counts = np.zeros((self._k, 5), np.int64)
        self._sums = np.zeros((2, self._k))

    def of_points(self, state: np.ndarray) -> _Cells:
        """Add the first len(state) items, one member each."""
        n = len(state)
        cell = self._cell[:n]
        self._counts += np.bincount(cell * 5 + state, minlength=5 * self._k).reshape(self._k, 5)
        self._sums += [np.bincount(cell, part[:n], self._k) for part in (self._x, self._y)]
        return self

    def of_sums(self, counts: np.ndarray, x_sum: np.ndarray, y_sum: np.ndarray) -> _Cells:
        """Add the last m items: `counts` (5, m) members by state, and the sums of their positions (m,)."""
        cell = self._cell[len(self._cell) - len(x_sum) :]
        self._sums += [np.bincount(cell, part, self._k) for part in (x_sum, y_sum)]
        self._counts += np.array([np.bincount(cell, part, self._k) for part in counts], np.int64).T
        return self

    def answer(self, cell_px: int) -> ClusterAnswer:
        members = self._counts.sum(axis=1)
        held = np.flatnonzero(members)
        mean = self._sums[:, held] / members[held]
        lon, lat = to_degrees(mean[0], mean[1])
        return ClusterAnswer(lon, lat, self._counts[held], int(members.sum()), cell_px)


def _numbered(x: np.ndarray, y: np.ndarray, size: int) -> tuple[np.ndarray, int]:
    """(cell number per item, how many cells), numbered row by row from the north-west of the items."""
    if not len(x) or size >= WORLD:
        return np.zeros(len(x), np.int64), min(len(x), 1)
    column, row = x // np.uint32(size), y // np.uint32(size)
    column -= column.min()
    row -= row.min()
    across, down = int(column.max()) + 1, int(row.max()) + 1
    return row.astype(np.int64) * across + column, across * down


def _passing(rows: Rows, state: np.ndarray, filters: Filters) -> np.ndarray:
    """Mask of the rows that pass."""
    keep: np.ndarray = _wanted(filters.states)[state]
    if filters.since is not None:
        keep &= rows.reported >= np.uint32(_moment(filters.since))
    if filters.until is not None:
        keep &= rows.reported < np.uint32(_moment(filters.until))
    for column, wanted in ((rows.category, filters.categories), (rows.community, filters.communities)):
        if wanted is not None:
            keep &= _among(column, wanted)
    if filters.within is not None:
        keep &= _inside(rows, filters.within)
    return keep


def _inside(rows: Rows, within: Within) -> np.ndarray:
    """Mask of the rows in an area; a row without a community or grid is in it by its id only."""
    out = np.zeros(len(rows), np.bool_)
    for column, wanted in ((rows.community, within.communities), (rows.grid, within.grids)):
        known = wanted - {NO_CODE}
        if known:
            out |= _among(column, known)
    if within.ids is not None:
        out |= np.isin(rows.ids, within.ids)
    return out


def _among(column: np.ndarray, wanted: frozenset[int]) -> np.ndarray:
    """Mask of the codes that are wanted."""
    codes = [code for code in wanted if 0 <= code <= NO_CODE]
    table = np.zeros(NO_CODE + 1, np.bool_)
    table[codes] = True
    found: np.ndarray = column == np.uint16(codes[0]) if len(codes) == 1 else table[column]
    return found


def _wanted(states: frozenset[str]) -> np.ndarray:
    """bool (6,): by index into STATES, and False for what is gone."""
    return np.array([*(state in states for state in STATES), False])


def _whole_groups(states: frozenset[str]) -> bool:
    """Whether the open states are asked for all together or not at all, as the leaves have their sums."""
    asked = set(OPEN_STATES) & states
    return not asked or len(asked) == len(OPEN_STATES)


def _cell_px(zoom: int, cell_px: int, span: Span) -> int:
    """The asked edge of a cell, doubled until the span has no more than _MOST_CELLS."""
    if not 0 <= zoom <= PIXEL_ZOOM:
        raise InvalidValue("z", f"缩放级别 {zoom} 不在 0 到 {PIXEL_ZOOM} 之间。")
    if cell_px < 1:
        raise InvalidValue("cell", f"格子边长 {cell_px} 像素太小，至少 1。")
    while True:
        size = cell_px << (PIXEL_ZOOM - zoom)
        across, down = span.east // size - span.west // size + 1, span.south // size - span.north // size + 1
        if across <= 0 or down <= 0 or across * down <= _MOST_CELLS:
            return cell_px
        cell_px *= 2


def _moment(at: int) -> int:
    return min(max(at, 0), NEVER)
