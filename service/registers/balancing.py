"""The balanced proposal over the registers: grids, loads and today's officers of some communities, divided anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast

import numpy as np
import shapely

from service.clock import SHANGHAI
from service.duties.queries import DutyRow
from service.errors import InvalidValue
from service.geo.bordering import bordering
from service.geo.crs import MetricFrame
from service.grids.queries import Zone
from service.incidents.columns import Columns
from service.responsibility.balance import Infeasible, Keep, Plan, Spread, Task, balance, spread_of
from service.responsibility.loads import AREA, FRONTAGES, HOUSEHOLDS, INCIDENTS, mix
from service.responsibility.snapshot import Snapshot

ROLES = ("grid_officer", "grid_leader")
EVEN = "even"


@dataclass(frozen=True)
class Ask:
    """What is asked. `officers`: persons' codes; none: `number` of them, today's first; neither: today's. `weights`:
    by measure; `since`, `until`: of the incidents, both included; `keep`: least share of today's assignments, or EVEN:
    as many as the loads stay even with; `within`: no officer over two communities."""

    communities: tuple[str, ...]
    role: str = "grid_officer"
    officers: tuple[str, ...] = ()
    number: int | None = None
    weights: Mapping[str, float] = field(default_factory=lambda: {INCIDENTS: 1.0})
    since: date | None = None
    until: date | None = None
    keep: float | str | None = EVEN
    within: bool = False
    seed: int = 1

    def plain(self) -> dict[str, Any]:
        """As JSON, for the proposal's settings."""
        return {
            "communities": list(self.communities),
            "role": self.role,
            "officers": list(self.officers),
            "number": self.number,
            "weights": dict(self.weights),
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "keep": self.keep,
            "within": self.within,
            "seed": self.seed,
        }


@dataclass(frozen=True)
class Ground:
    """Grids of some communities today: `zones[i]`, `at[i]` its index in the tiling, `holders[i]` codes of those who
    have the role there; `pairs` of grids beside each other."""

    zones: list[Zone]
    at: np.ndarray
    pairs: np.ndarray
    holders: list[tuple[str, ...]]

    @property
    def officers(self) -> list[str]:
        """Everybody who holds one of them, who has most first."""
        counts: dict[str, int] = {}
        for held in self.holders:
            for code in held:
                counts[code] = counts.get(code, 0) + 1
        return sorted(counts, key=lambda code: (-counts[code], code))


@dataclass(frozen=True)
class Proposed:
    """The division asked for. `officers[g]`: person of group g, None for one still to be named; `load` (n,)."""

    ask: Ask
    ground: Ground
    officers: list[str | None]
    load: np.ndarray
    plan: Plan
    before: Spread | None
    today: np.ndarray

    def grids_of(self, group: int) -> list[int]:
        return np.flatnonzero(self.plan.groups == group).tolist()


def ground_of(snapshot: Snapshot, communities: tuple[str, ...], role: str, within: bool = False) -> Ground:
    """The grids of the communities with who has the role. Raises InvalidValue for communities that there are not."""
    for code in communities:
        if code not in snapshot.communities:
            raise InvalidValue("communities", f"没有编码是“{code[:20]}”的社区。")
    everything = snapshot.tiling.zones
    at = [i for i, zone in enumerate(everything) if zone.community_code in communities]
    place = {old: new for new, old in enumerate(at)}
    pairs = [
        (place[a], place[b])
        for a, b in _borders(snapshot).tolist()
        if a in place and b in place
        if not within or everything[a].community_code == everything[b].community_code
    ]
    zones = [everything[i] for i in at]
    holders = [_holders(snapshot, zone.code, role) for zone in zones]
    return Ground(zones, np.array(at, np.int64), np.array(pairs, np.int64).reshape(-1, 2), holders)


def _borders(snapshot: Snapshot) -> np.ndarray:
    kept = snapshot.memo.get("borders")
    if kept is None:
        kept = snapshot.memo["borders"] = bordering(snapshot.tiling.geoms)[0]
    return cast(np.ndarray, kept)


def held_duties(snapshot: Snapshot, grid: str, role: str) -> list[DutyRow]:
    """The duties in force for a grid in the role; who is on leave holds it all the same."""
    return [duty for duty in snapshot.duties.get(("grid", grid), ()) if duty.role == role]


def _holders(snapshot: Snapshot, grid: str, role: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(duty.person_code for duty in held_duties(snapshot, grid, role)))


def measures(snapshot: Snapshot, columns: Columns, ground: Ground, ask: Ask) -> dict[str, np.ndarray]:
    """Every measure per grid, shape (n,): incidents reported in the period (by their point, else by the grid they were
    filed under), frontages, households, hectares."""
    geoms = snapshot.tiling.geoms[ground.at]
    out = {
        INCIDENTS: _incidents(snapshot, columns, ask)[ground.at],
        FRONTAGES: np.bincount(_inside(snapshot.shop_zones()), minlength=len(snapshot.tiling.zones))[ground.at],
        HOUSEHOLDS: np.array([zone.households or 0 for zone in ground.zones], float),
        AREA: _hectares(geoms),
    }
    return {name: np.asarray(values, float) for name, values in out.items()}


def _inside(zones: np.ndarray) -> np.ndarray:
    return zones[zones >= 0]


def _incidents(snapshot: Snapshot, columns: Columns, ask: Ask) -> np.ndarray:
    rows = columns.rows
    wanted = np.ones(len(rows.ids), bool)
    if ask.since is not None:
        wanted &= rows.reported >= _second(ask.since)
    if ask.until is not None:
        wanted &= rows.reported < _second(ask.until + timedelta(days=1))
    there = wanted & ~np.isnan(rows.lon)
    at = snapshot.tiling.index.locate(rows.lon[there], rows.lat[there])
    known = np.array([snapshot.tiling.by_code.get(code, -1) for code in rows.grids] + [-1])
    filed = known[rows.grid[wanted & np.isnan(rows.lon)]]
    return np.bincount(np.concatenate([_inside(at), _inside(filed)]), minlength=len(snapshot.tiling.zones))


def _second(day: date) -> int:
    return int(datetime.combine(day, time(), SHANGHAI).astimezone(UTC).timestamp())


def _hectares(geoms: np.ndarray) -> np.ndarray:
    if not len(geoms):
        return np.empty(0)
    west, south, east, north = shapely.total_bounds(geoms).tolist()
    return np.asarray(shapely.area(MetricFrame((west + east) / 2, (south + north) / 2).geometries(geoms)) / 1e4)


def chosen_officers(ground: Ground, ask: Ask) -> list[str | None]:
    """Whose groups are made: those who are named, else as many as asked for, today's first, else today's."""
    if ask.officers:
        return list(ask.officers)
    present: list[str | None] = list(ground.officers)
    if ask.number is None:
        if not present:
            raise Infeasible("officers", "这些网格现在没有人担这个职务。写下要分给几个人，或选人。")
        return present
    return present[: ask.number] + [None] * max(0, ask.number - len(present))


def propose(snapshot: Snapshot, columns: Columns, ask: Ask) -> Proposed:
    """The division. Raises Infeasible (fields grids, officers, load) in words when there is none."""
    ground = ground_of(snapshot, ask.communities, ask.role, ask.within)
    officers = chosen_officers(ground, ask)
    load = mix(measures(snapshot, columns, ground, ask), ask.weights)
    place = {code: i for i, code in enumerate(officers) if code is not None}
    today = np.array([next((place[code] for code in held if code in place), -1) for held in ground.holders], np.int64)
    keep = Keep(within=True) if ask.keep == EVEN else Keep(float(ask.keep) if ask.keep is not None else None)
    plan = balance(Task(ground.pairs, load, len(officers), today, keep, ask.seed))
    return Proposed(ask, ground, officers, load, plan, spread_today(ground, load), today)


def spread_today(ground: Ground, load: np.ndarray) -> Spread | None:
    """How even today's assignments are: a grid with two counts half for each; None when nobody has any."""
    sums: dict[str, float] = {}
    for held, value in zip(ground.holders, load.tolist(), strict=True):
        for code in held:
            sums[code] = sums.get(code, 0.0) + value / len(held)
    return spread_of(np.array(list(sums.values()))) if sums and sum(sums.values()) else None
