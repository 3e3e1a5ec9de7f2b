"""What the search finds, read from the registers and from the day's snapshot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import shapely
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from service.db.base import Kept
from service.db.spatial import raw_geometry, read_geometries
from service.frontages.models import Frontage
from service.grids.models import Community, Grid
from service.people.access import Area
from service.people.models import Organisation, Person
from service.places.models import Building, Place, Street
from service.records.batches import visible
from service.registers.readings import Known
from service.registers.search_index import Fields, Sheaf
from service.responsibility.snapshot import Snapshot

# The kinds in the order in which equally good hits are told: what one asks about most comes first.
ORDER = ("community", "grid", "person", "frontage", "street", "place", "organisation", "building")
_MOST_MASKS = 64


@dataclass(frozen=True)
class OrganisationRow:
    code: str
    name: str
    phone: str | None
    address: str | None


@dataclass(frozen=True)
class GroundRow:
    """A street, building or place; `kind` of a place only."""

    code: str
    name: str | None
    address: str | None = None
    kind: str | None = None


@dataclass(frozen=True)
class SearchIndex:
    """What can be found on one day. `at[kind][i]`: (lon, lat) of entry i; `box[kind][i]`: its bounds; NaN: nowhere."""

    version: tuple[int, int]
    snapshot: Snapshot
    sheaves: dict[str, Sheaf]
    at: dict[str, np.ndarray]
    box: dict[str, np.ndarray]
    masks: dict[tuple[str, Area], np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(len(sheaf.rows) for sheaf in self.sheaves.values())

    def within(self, kind: str, area: Area) -> np.ndarray | None:
        """Mask of the entries that lie in an area; None: all of them. Frontages and grids by their grid, persons by
        the duties that they hold there, organisations by the persons found there."""
        if area.everywhere:
            return None
        known = self.masks.get((kind, area))
        if known is None:
            if len(self.masks) >= _MOST_MASKS:
                self.masks.clear()
            known = self.masks[kind, area] = _MASKS[kind](self, area)
        return known


def load(session: Session, snapshot: Snapshot, version: tuple[int, int], before: SearchIndex | None) -> SearchIndex:
    """Read everything anew; readings of `before` are kept, so that only new texts cost time."""
    gone = {model: _ended(session, model, snapshot.on) for model in (Community, Grid, Person, Frontage)}
    tiling = snapshot.tiling
    zones = [(zone, i) for i, zone in enumerate(tiling.zones) if zone.code not in gone[Grid]]
    shops = [i for i, row in enumerate(snapshot.frontages.rows) if row.code not in gone[Frontage]]
    units = session.execute(_standing(Organisation, snapshot.on, _ORGANISATION))
    streets, street_geoms = _ground(session, Street, snapshot.on, (Street.code, Street.name))
    places, place_geoms = _ground(session, Place, snapshot.on, (Place.code, Place.name, Place.address, Place.kind))
    houses, house_geoms = _ground(session, Building, snapshot.on, (Building.code, Building.name, Building.address))
    streets, street_geoms = _merged(streets, street_geoms)
    none = np.empty(0, dtype=object)
    rows: dict[str, tuple[Sequence[Any], np.ndarray]] = {
        "grid": ([zone for zone, _ in zones], tiling.geoms[[i for _, i in zones]] if zones else none),
        "community": ([row for row in snapshot.communities.values() if row.code not in gone[Community]], none),
        "person": ([row for row in snapshot.persons.values() if row.code not in gone[Person]], none),
        "frontage": ([snapshot.frontages.rows[i] for i in shops], snapshot.frontages.geoms[shops] if shops else none),
        "street": (streets, street_geoms),
        "place": (places, place_geoms),
        "organisation": ([OrganisationRow(*row) for row in units], none),
        "building": (houses, house_geoms),
    }
    sheaves, at, box = {}, {}, {}
    for kind, (found, geoms) in rows.items():
        heard: Known = before.sheaves[kind].heard if before else {}
        sheaves[kind] = Sheaf.of(kind, found, _FIELDS[kind], heard)
        at[kind], box[kind] = _spots(geoms, len(found))
    return SearchIndex(version, snapshot, sheaves, at, box)


_ORGANISATION = (Organisation.code, Organisation.name, Organisation.phone, Organisation.address)
_FIELDS: Mapping[str, Fields] = {
    "grid": Fields(lambda row: row.name),
    "community": Fields(lambda row: row.name),
    "person": Fields(lambda row: row.name, phone=lambda row: row.phone, person=True),
    "frontage": Fields(lambda row: row.shop_name, lambda row: row.address, phone=lambda row: row.phone),
    "street": Fields(lambda row: row.name),
    "place": Fields(lambda row: row.name, lambda row: row.address),
    "organisation": Fields(lambda row: row.name, lambda row: row.address, phone=lambda row: row.phone),
    "building": Fields(lambda row: row.name, lambda row: row.address),
}


def _ended(session: Session, model: Any, on: date) -> set[str]:
    """Codes of the rows whose time is over on the day."""
    return set(session.scalars(select(model.code).where(model.ended_on <= on)))


def _standing(model: type[Kept], on: date, columns: Sequence[Any]) -> Any:
    """The rows that are seen and whose time isn't over, by code."""
    owned: Any = model
    over = model.ended_on <= on
    return select(*columns).where(visible(owned), model.ended_on.is_(None) | ~over).order_by(owned.code)


def _ground(session: Session, model: Any, on: date, columns: Sequence[Any]) -> tuple[list[GroundRow], np.ndarray]:
    """Those with a name or an address, and their geometries."""
    told = or_(*(column.isnot(None) for column in columns[1:3]))
    found = session.execute(_standing(model, on, (*columns, raw_geometry(model.geom))).where(told)).all()
    return [GroundRow(*row[:-1]) for row in found], read_geometries([row[-1] for row in found])


def _merged(rows: list[GroundRow], geoms: np.ndarray) -> tuple[list[GroundRow], np.ndarray]:
    """A street is drawn in pieces: one entry per name."""
    pieces: dict[str | None, list[int]] = {}
    for i, row in enumerate(rows):
        pieces.setdefault(row.name, []).append(i)
    merged = np.empty(len(pieces), dtype=object)
    merged[:] = [geoms[at[0]] if len(at) == 1 else shapely.union_all(geoms[at]) for at in pieces.values()]
    return [rows[at[0]] for at in pieces.values()], merged


def _spots(geoms: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """((n, 2) a point on each, (n, 4) bounds); a point has no bounds."""
    if not len(geoms):
        return np.full((count, 2), np.nan), np.full((count, 4), np.nan)
    points = shapely.point_on_surface(geoms)
    bounds = shapely.bounds(geoms)
    bounds[shapely.get_type_id(geoms) == 0] = np.nan
    return np.column_stack([shapely.get_x(points), shapely.get_y(points)]), bounds


def _by_zone(index: SearchIndex, kind: str, area: Area) -> np.ndarray:
    """By the tile that an entry lies in."""
    zones = index.snapshot.tiling.zones
    holds = np.array([*(area.holds_grid(zone.code, zone.community_code) for zone in zones), False])
    at = index.at[kind]
    out = np.zeros(len(at), bool)
    here = ~np.isnan(at[:, 0])
    out[here] = holds[index.snapshot.tiling.index.locate(at[here, 0], at[here, 1])]
    return out


def _frontages(index: SearchIndex, area: Area) -> np.ndarray:
    out = _by_zone(index, "frontage", area)
    for i, row in enumerate(index.sheaves["frontage"].rows if area.subjects else ()):
        out[i] |= area.holds_subject("frontage", row.code)
    return out


def _grids(index: SearchIndex, area: Area) -> np.ndarray:
    rows = index.sheaves["grid"].rows
    return np.array([area.holds_grid(row.code, row.community_code) for row in rows], dtype=bool)


def _communities(index: SearchIndex, area: Area) -> np.ndarray:
    return np.array([area.reads_community(row.code) for row in index.sheaves["community"].rows], dtype=bool)


def persons_in(snapshot: Snapshot, area: Area) -> set[str]:
    """Codes of the persons with a duty over a grid, a community or a subject of the area, and the account's own."""
    homes = {zone.code: zone.community_code for zone in (*snapshot.tiling.zones, *snapshot.tiling.micro_zones)}
    parents = {zone.code: zone.parent_code for zone in snapshot.tiling.micro_zones}
    found = {area.person} if area.person else set()
    for (kind, code), duties in snapshot.duties.items():
        grid = parents.get(code) or code if kind == "micro_grid" else code
        inside = area.holds_subject(kind, code)
        if kind in ("grid", "micro_grid"):
            inside |= area.holds_grid(grid, homes.get(grid))
        elif kind == "community":
            inside |= area.holds_community(code)
        if inside:
            found |= {one for duty in duties for one in duty.holder_on(snapshot.on) if one}
    return found


def _persons(index: SearchIndex, area: Area) -> np.ndarray:
    inside = persons_in(index.snapshot, area)
    own = area.organisation
    rows = index.sheaves["person"].rows
    return np.array([row.code in inside or (own is not None and row.organisation_code == own) for row in rows], bool)


def _organisations(index: SearchIndex, area: Area) -> np.ndarray:
    persons = index.snapshot.persons
    inside = {persons[code].organisation_code for code in persons_in(index.snapshot, area) if code in persons}
    inside |= {area.organisation}
    return np.array([row.code in inside for row in index.sheaves["organisation"].rows], dtype=bool)


_MASKS: Mapping[str, Callable[[SearchIndex, Area], np.ndarray]] = {
    "grid": _grids,
    "community": _communities,
    "person": _persons,
    "frontage": _frontages,
    "organisation": _organisations,
    "place": lambda index, area: _by_zone(index, "place", area),
    "building": lambda index, area: _by_zone(index, "building", area),
    "street": lambda index, area: _by_zone(index, "street", area),
}
