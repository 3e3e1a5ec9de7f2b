"""What publishing a draft would change: grid by grid, duty by duty, and at which points somebody else would answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from service.clock import ended_by
from service.duties.carrying import Carried
from service.geo.coverage import LEAST_M2
from service.geo.crs import square_metres
from service.geo.pointindex import PointIndex
from service.geo.tiling import area_of
from service.grids.draft_rows import Base, Drawn, State, same
from service.people.queries import PersonRow
from service.responsibility.snapshot import Snapshot

_FIELDS = ("households", "population", "notes", "community_code")
_MENDED = ("gap", "overhang")
_LEAST_MOVE_M2 = 1.0


@dataclass(frozen=True)
class GridChange:
    """One grid before and after; either side may be missing. kinds: new, gone, changed (its ground), renamed, recoded,
    kind, attributes; none of them: it stays as it is."""

    before: Drawn | None
    after: Drawn | None
    kinds: tuple[str, ...]
    area_before: float | None
    area_after: float | None

    @property
    def code(self) -> str:
        grid = self.after or self.before
        assert grid is not None
        return grid.code


def grid_changes(state: State, base: Base) -> list[GridChange]:
    """Every grid of the draft by code, then those that are gone."""
    grids = list(state.grids.values())
    kept = {grid.origin for grid in grids}
    gone = [grid for code, grid in sorted(base.grids.items()) if code not in kept]
    areas = dict(zip(map(id, [*grids, *base.grids.values()]), _areas([*grids, *base.grids.values()]), strict=True))
    out = []
    for grid in grids:
        before = base.grids.get(grid.origin or "")
        kinds = ("new",) if before is None else change_kinds(before, grid)
        out.append(GridChange(before, grid, kinds, areas[id(before)] if before else None, areas[id(grid)]))
    return out + [GridChange(grid, None, ("gone",), areas[id(grid)], None) for grid in gone]


def outlines_moved(state: State, base: Base) -> list[tuple[str, float, float]]:
    """(community, m² gained, m² lost) of each community whose outline the draft moves by a square metre or more. What
    mends an import's gap or overhang isn't counted; nor is a community that had no grids."""
    mended = {kind: shapely.union_all([one.geom for one in base.faults if one.kind == kind]) for kind in _MENDED}
    out = []
    for home in sorted({grid.community_code for grid in base.grids.values()}):
        was, now = (_outline(grids.values(), home) for grids in (base.grids, state.grids))
        if was.is_empty or shapely.equals(was, now):
            continue
        gained = area_of(shapely.difference(shapely.difference(now, was), mended["gap"]))
        lost = area_of(shapely.difference(shapely.difference(was, now), mended["overhang"]))
        if max(gained, lost) >= _LEAST_MOVE_M2:
            out.append((home, gained, lost))
    return out


def _outline(grids: Iterable[Drawn], home: str) -> Any:
    return shapely.union_all([grid.geom for grid in grids if grid.tiles and grid.community_code == home])


def _areas(grids: Sequence[Drawn]) -> list[float]:
    return square_metres(np.array([grid.geom for grid in grids], dtype=object)).tolist() if grids else []


def change_kinds(before: Drawn, after: Drawn) -> tuple[str, ...]:
    """In what a grid differs from the one that it continues."""
    told = {
        "changed": not same_ground(before, after),
        "renamed": before.name != after.name,
        "recoded": before.code != after.code,
        "kind": before.kind != after.kind,
        "attributes": any(getattr(before, name) != getattr(after, name) for name in _FIELDS),
    }
    return tuple(name for name, differs in told.items() if differs)


def same_ground(before: Drawn, after: Drawn) -> bool:
    """Whether two grids cover the same ground, to 0.01 m²; nodes that a neighbour's border added don't count."""
    if same(before, after) or shapely.equals_exact(before.geom, after.geom):
        return True
    return area_of(shapely.symmetric_difference(before.geom, after.geom)) < LEAST_M2


@dataclass(frozen=True)
class Leaders:
    """Who leads at each of some points before and after, as codes of persons (None: nobody); shape (n,) each. grids:
    codes of the grids. changed: mask of the points where somebody else would answer."""

    grid_before: list[str | None]
    grid_after: list[str | None]
    before: list[str | None]
    after: list[str | None]
    changed: np.ndarray


def leaders_at(
    snapshot: Snapshot,
    state: State,
    communities: Mapping[str, object],
    carried: Carried,
    people: Mapping[str, PersonRow],
    lon: np.ndarray,
    lat: np.ndarray,
) -> Leaders:
    """The leaders of points on the edition's day: as it would be without the draft (`snapshot`), and with it."""
    zones = snapshot.tiling.zones
    was = snapshot.tiling.index.locate(lon, lat).tolist()
    tiles = [grid for grid in state.grids.values() if grid.tiles]
    index = PointIndex(np.array([grid.geom for grid in tiles], dtype=object), [grid.code for grid in tiles])
    now = index.locate(lon, lat).tolist()
    gone = frozenset(code for code, person in people.items() if ended_by(carried.on, person.ended_on))
    led = {grid.code: carried.leader(grid, gone) for grid in tiles}
    out = Leaders([], [], [], [], np.zeros(len(lon), dtype=bool))
    for i, (old, new) in enumerate(zip(was, now, strict=True)):
        zone = zones[old] if old >= 0 else None
        held = snapshot.leader_of(zone.code, zone.name) if zone else None
        before = held.person.code if held else None
        if new >= 0:
            code, leader = tiles[new].code, led[tiles[new].code]
        elif zone is not None and zone.community_code in communities:
            code, leader = None, None
        else:
            code, leader = (zone.code if zone else None), before
        out.grid_before.append(zone.code if zone else None)
        out.grid_after.append(code)
        out.before.append(before)
        out.after.append(leader)
        out.changed[i] = before != leader
    return out


def without_leader(state: State, carried: Carried, people: Mapping[str, PersonRow]) -> list[Drawn]:
    """The grids that nobody leads on the edition's day."""
    gone = frozenset(code for code, person in people.items() if ended_by(carried.on, person.ended_on))
    return [grid for _, grid in sorted(state.grids.items()) if grid.tiles and carried.leader(grid, gone) is None]
