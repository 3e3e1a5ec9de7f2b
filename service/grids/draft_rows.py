"""What a draft holds as plain values, and the difference of two such states as rows of a step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import shapely

from service.geo.coverage import Fault
from service.geo.tiling import Tile, Tiling
from service.grids.rules import TILING_KINDS

GRID, PLAN, FAULT, EDITION = "grid", "plan", "fault", "edition"
_PLAIN = (
    "code",
    "name",
    "community_code",
    "kind",
    "parent_code",
    "households",
    "population",
    "notes",
    "origin",
    "cut_from",
    "estimated",
)


@dataclass(frozen=True)
class Drawn:
    """A grid as drawn; `geom` in lon/lat. The other fields as in DraftGrid."""

    code: str
    name: str
    community_code: str
    kind: str
    parent_code: str | None
    households: int | None
    population: int | None
    notes: str | None
    origin: str | None
    cut_from: str | None
    geom: Any
    estimated: bool = False

    @property
    def tiles(self) -> bool:
        return self.kind in TILING_KINDS

    @property
    def roots(self) -> list[str]:
        """Codes of the base grids that it comes from."""
        return [self.origin] if self.origin else (self.cut_from or "").split(",") if self.cut_from else []

    def plain(self) -> dict[str, Any]:
        """Everything but the geometry, as JSON."""
        return {name: getattr(self, name) for name in _PLAIN}

    def as_row(self) -> dict[str, Any]:
        return {"row": GRID, **self.plain(), "wkb": shapely.to_wkb(self.geom, hex=True)}

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Drawn:
        return cls(**{name: row[name] for name in _PLAIN}, geom=shapely.from_wkb(row["wkb"]))


@dataclass(frozen=True)
class Plan:
    """A duty planned for a grid of the draft, from the edition's day on; `until` half-open."""

    grid_code: str
    role: str
    person_code: str
    until: date | None = None
    id: int | None = field(default=None, compare=False)

    @property
    def key(self) -> tuple[str, str, str]:
        return self.grid_code, self.role, self.person_code

    def as_row(self) -> dict[str, Any]:
        until = self.until.isoformat() if self.until else None
        return {"row": PLAN, "grid": self.grid_code, "role": self.role, "person": self.person_code, "until": until}

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Plan:
        until = date.fromisoformat(row["until"]) if row["until"] else None
        return cls(row["grid"], row["role"], row["person"], until)


@dataclass(frozen=True)
class State:
    """Everything drawn and planned in a draft at one version."""

    grids: Mapping[str, Drawn] = field(default_factory=dict)
    plans: tuple[Plan, ...] = ()

    def replaced(self, *changed: Drawn, without: tuple[str, ...] = ()) -> State:
        """With some grids put in or put anew, and some gone."""
        grids = {code: grid for code, grid in self.grids.items() if code not in without}
        return replace(self, grids=grids | {grid.code: grid for grid in changed})

    def plans_of(self, code: str) -> list[Plan]:
        return [plan for plan in self.plans if plan.grid_code == code]


@dataclass(frozen=True)
class Base:
    """What a draft began from: the grids as taken over, the faults among them, and per community the editions that
    there were (id and day: an id may be given again), with the revision of the base edition's rows."""

    grids: Mapping[str, Drawn]
    faults: tuple[Fault, ...]
    editions: Mapping[str, frozenset[str]]
    revisions: Mapping[str, int]


def difference(before: State, after: State) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows that a step takes away or changes, and those that it puts in their place."""
    old = [grid.as_row() for code, grid in before.grids.items() if not same(after.grids.get(code), grid)]
    new = [grid.as_row() for code, grid in after.grids.items() if not same(before.grids.get(code), grid)]
    old += [plan.as_row() for plan in before.plans if plan not in after.plans]
    new += [plan.as_row() for plan in after.plans if plan not in before.plans]
    return old, new


def same(one: Drawn | None, other: Drawn | None) -> bool:
    """Whether two grids are the same to the last vertex."""
    if one is None or other is None or one is other:
        return one is other
    return one.plain() == other.plain() and bool(shapely.equals_exact(one.geom, other.geom))


def fault_row(fault: Fault) -> dict[str, Any]:
    geom = shapely.to_wkb(fault.geom, hex=True)
    return {"row": FAULT, "kind": fault.kind, "codes": list(fault.codes), "area_m2": fault.area_m2, "wkb": geom}


def fault_of_row(row: Mapping[str, Any]) -> Fault:
    return Fault(row["kind"], tuple(row["codes"]), row["area_m2"], shapely.from_wkb(row["wkb"]))


def tiling_of(state: State, base: Base, around: Mapping[str, Any] | None = None, may_extend: bool = False) -> Tiling:
    """The drawn grids as a tiling that can be edited."""
    tiles: dict[str, Tile] = {}
    micros: dict[str, Tile] = {}
    for code, grid in state.grids.items():
        tile = Tile(code, grid.community_code, grid.kind, _plain_shape(grid.geom), grid.parent_code)
        (tiles if grid.tiles else micros)[code] = tile
    gaps = [fault.geom for fault in base.faults if fault.kind == "gap"]
    return Tiling(tiles, micros, gaps, around or {}, may_extend)


def _plain_shape(geom: Any) -> Any:
    """A polygon in one part as such: the store keeps every grid as a MultiPolygon."""
    return shapely.get_geometry(geom, 0) if shapely.get_num_geometries(geom) == 1 else geom
