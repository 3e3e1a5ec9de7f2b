"""All that answers "who is responsible here" on one day, in memory: one per worker and day."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import cast

import numpy as np
import shapely

from service.duties.queries import DutyRow, Subject
from service.frontages.queries import FrontageRow, FrontageSet
from service.geo.pointindex import PointIndex
from service.grids.queries import CommunityRow, Zone, ZoneSet
from service.grids.rules import TILING_KINDS
from service.people.queries import PersonRow
from service.responsibility.nearby import NearbySubjects

_CELL = 0.0005  # degrees, about 50 m


@dataclass(frozen=True)
class Tiling:
    """The zones of one set of editions with their point indexes; kept as long as that set holds.

    `memo`: what others make of the zones alone, shared by all days of the same editions.
    """

    zones: list[Zone]
    geoms: np.ndarray
    index: PointIndex
    micro_zones: list[Zone]
    micro_index: PointIndex
    by_code: Mapping[str, int]
    tree: shapely.STRtree
    memo: dict[object, object] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, found: ZoneSet) -> Tiling:
        tiles = [i for i, zone in enumerate(found.zones) if zone.kind in TILING_KINDS]
        micros = [i for i, zone in enumerate(found.zones) if zone.kind == "micro_grid"]
        zones = [found.zones[i] for i in tiles]
        micro_zones = [found.zones[i] for i in micros]
        return cls(
            zones,
            found.geoms[tiles] if tiles else np.empty(0, object),
            PointIndex(found.geoms[tiles] if tiles else np.empty(0, object), [zone.code for zone in zones]),
            micro_zones,
            PointIndex(found.geoms[micros] if micros else np.empty(0, object), [zone.code for zone in micro_zones]),
            {zone.code: i for i, zone in enumerate(zones)},
            shapely.STRtree(found.geoms[tiles] if tiles else np.empty(0, object)),
        )


class FrontageFinder:
    """The frontage nearest to a point, within a distance in metres."""

    def __init__(self, frontages: FrontageSet) -> None:
        self.rows, self.geoms = frontages.rows, frontages.geoms
        self.tree = shapely.STRtree(frontages.geoms)
        self.coords = [shapely.get_coordinates(geom) for geom in frontages.geoms]
        self._lines = [coords.tolist() for coords in self.coords]
        self._cells = _cells_of(frontages.geoms)

    def without(self, over: Collection[int]) -> FrontageFinder:
        """The same but some, by index."""
        kept = np.setdiff1d(np.arange(len(self.rows)), np.array(list(over), dtype=np.int64))
        return FrontageFinder(FrontageSet([self.rows[i] for i in kept.tolist()], self.geoms[kept]))

    def nearest(self, lon: float, lat: float, within_m: float) -> tuple[FrontageRow, float] | None:
        """(row, distance in metres) or None. Measured on the plane that touches the earth at the point."""
        kx, ky = _metres_per_degree(lat)
        dx, dy = within_m / kx, within_m / ky
        candidates: set[int] = set()
        for ix in range(math.floor((lon - dx) / _CELL), math.floor((lon + dx) / _CELL) + 1):
            for iy in range(math.floor((lat - dy) / _CELL), math.floor((lat + dy) / _CELL) + 1):
                candidates.update(self._cells.get((ix, iy), ()))
        best: tuple[float, int] | None = None
        for i in candidates:
            distance = _distance_m(self._lines[i], lon, lat, kx, ky)
            if distance <= within_m and (best is None or (distance, i) < best):
                best = (distance, i)
        return None if best is None else (self.rows[best[1]], best[0])

    def within(
        self, west: float, south: float, east: float, north: float, most: int
    ) -> list[tuple[FrontageRow, np.ndarray]]:
        """(row, (n, 2) coordinates) of the frontages that a box touches, at most so many."""
        hits = self.tree.query(shapely.box(west, south, east, north))[:most].tolist()
        return [(self.rows[i], self.coords[i]) for i in hits]


def middles_of(fronts: np.ndarray) -> np.ndarray:
    """Where shop fronts stand, as points (n,): half way along a line, else a point on it."""
    out = fronts.copy()
    lines = shapely.get_type_id(fronts) == 1
    out[lines] = shapely.line_interpolate_point(fronts[lines], 0.5, normalized=True)
    other = shapely.get_type_id(out) > 0
    out[other] = shapely.point_on_surface(out[other])
    return out


def _cells_of(geoms: np.ndarray) -> dict[tuple[int, int], list[int]]:
    """Which frontages each cell of a fixed lattice may hold: a look into a dictionary beats a tree for one point."""
    out: dict[tuple[int, int], list[int]] = {}
    boxes = np.floor(shapely.bounds(geoms) / _CELL) if len(geoms) else np.empty((0, 4))
    for i, (west, south, east, north) in enumerate(boxes.astype(np.int64).tolist()):
        for ix in range(west, east + 1):
            for iy in range(south, north + 1):
                out.setdefault((ix, iy), []).append(i)
    return out


def _metres_per_degree(lat: float) -> tuple[float, float]:
    """Length of a degree of longitude and of latitude (WGS-84 series, to about 1 m in 100 km)."""
    angle = math.radians(lat)
    kx = 111_412.84 * math.cos(angle) - 93.5 * math.cos(3 * angle)
    return max(kx, 1.0), 111_132.92 - 559.82 * math.cos(2 * angle) + 1.175 * math.cos(4 * angle)


def _distance_m(line: list[list[float]], lon: float, lat: float, kx: float, ky: float) -> float:
    """From a point to a polyline of few vertices, in metres; a single vertex is a point."""
    px, py = (line[0][0] - lon) * kx, (line[0][1] - lat) * ky
    best = math.hypot(px, py)
    for vertex in line[1:]:
        x, y = (vertex[0] - lon) * kx, (vertex[1] - lat) * ky
        dx, dy = x - px, y - py
        length2 = dx * dx + dy * dy
        if length2 > 0:
            t = max(0.0, min(1.0, -(px * dx + py * dy) / length2))
            best = min(best, math.hypot(px + t * dx, py + t * dy))
        px, py = x, y
    return best


@dataclass(frozen=True)
class Held:
    """One duty as answered on the day: who, in which role, for what; `acting_for` names the absent holder; `metres`:
    how far off the subject is, where it has a place of its own; `code`: the duty's own."""

    role: str
    person: PersonRow
    acting_for: PersonRow | None
    subject_kind: str
    subject_code: str
    subject_name: str
    starts_on: date | None
    ends_on: date | None
    code: str = ""
    metres: float | None = None


@dataclass
class Snapshot:
    """Everything in force on `on`."""

    on: date
    tiling: Tiling
    communities: dict[str, CommunityRow]
    duties: dict[Subject, list[DutyRow]]
    persons: dict[str, PersonRow]
    frontages: FrontageFinder
    office_code: str
    office_name: str
    nearby: NearbySubjects
    units: Mapping[str, str]  # organisations' codes by name
    memo: dict[object, object] = field(default_factory=dict)

    def held(self, kind: str, code: str, name: str) -> list[Held]:
        """The duties over one subject on the day, in the order in which the roles answer."""
        out = []
        for duty in self.duties.get((kind, code), ()):
            who, absent = duty.holder_on(self.on)
            out.append(
                Held(
                    duty.role,
                    self._person(who),
                    self._person(absent) if absent else None,
                    kind,
                    code,
                    name,
                    duty.starts_on,
                    duty.ends_on,
                    duty.code,
                )
            )
        return out

    def leader_of(self, code: str, name: str = "", kind: str = "grid") -> Held | None:
        """The 网格长 of a grid on the day; None when the post is vacant."""
        roles = ("micro_leader", "grid_leader") if kind == "micro_grid" else ("grid_leader",)
        return next((held for held in self.held(_duty_kind(kind), code, name) if held.role in roles), None)

    def subjects_of(self, person: str) -> set[Subject]:
        """What the person answers for on the day, held or acted for."""
        whole: dict[str, set[Subject]] | None = self.memo.get("subjects")  # type: ignore[assignment]
        if whole is None:
            whole = {}
            for subject, duties in self.duties.items():
                for duty in duties:
                    for code in duty.holder_on(self.on):
                        if code is not None:
                            whole.setdefault(code, set()).add(subject)
            self.memo["subjects"] = whole
        return whole.get(person, set())

    def shop_zones(self) -> np.ndarray:
        """Per frontage the index of the grid in which the middle of its line stands, shape (n,); -1 in none."""
        known = self.memo.get("shop_zones")
        if known is None:
            shops = self.frontages
            middles = middles_of(shops.geoms)
            known = self.memo["shop_zones"] = self.tiling.index.locate(shapely.get_x(middles), shapely.get_y(middles))
        return cast(np.ndarray, known)

    def zone_of_shop(self, code: str) -> Zone | None:
        """The grid in which a frontage stands; None when in none, or unknown."""
        at = self.memo.get("shop_at")
        if at is None:
            at = self.memo["shop_at"] = {row.code: i for i, row in enumerate(self.frontages.rows)}
        place = cast(dict[str, int], at).get(code)
        zone = -1 if place is None else int(self.shop_zones()[place])
        return self.tiling.zones[zone] if zone >= 0 else None

    def zones_of(self, kind: str, code: str) -> frozenset[int]:
        """Indexes of the grids that a street, building or place reaches into. Kept."""
        known = cast(dict[tuple[str, str], frozenset[int]], self.memo.setdefault("zones of", {}))
        found = known.get((kind, code))
        if found is None:
            shape = self.nearby.shape(kind, code)
            hits = [] if shape is None else self.tiling.tree.query(shape, predicate="intersects").tolist()
            found = known[kind, code] = frozenset(hits)
        return found

    def _person(self, code: str) -> PersonRow:
        return self.persons.get(code) or PersonRow(code, code, None, None, None)


def _duty_kind(zone_kind: str) -> str:
    """Special grids hold duties like ordinary ones."""
    return "micro_grid" if zone_kind == "micro_grid" else "grid"
