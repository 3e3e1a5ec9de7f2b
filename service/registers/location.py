"""Which grids and communities a register's rows stand in on a day: worked out once per snapshot, then plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import shapely
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.db.bulk import among
from service.db.spatial import raw_geometry, read_geometries
from service.duties.queries import all_duties
from service.duties.rules import role_name
from service.grids.models import Grid
from service.grids.rules import short_code
from service.incidents.columns import Columns
from service.records import counters
from service.records.batches import visible
from service.records.register import BY_COMMUNITY, BY_DUTY, BY_GRID, BY_PLACE, BY_SUBJECT, Register
from service.registers.kinds import REGISTERS
from service.registers.rules import Spot
from service.responsibility.snapshot import Snapshot

ELSEWHERE: Spot = (None, None)
_SMALL = 0.001  # degrees, about 100 m: a polygon this small stands where its middle stands
_BY_SUBJECT = {one.subject: one for one in REGISTERS.values() if one.area == BY_PLACE}
_ON_THE_GROUND = {"grid", "micro_grid", "community", *_BY_SUBJECT}
_BY_KIND = {one.subject: one for one in REGISTERS.values() if one.subject}


@dataclass(frozen=True)
class ZoneFact:
    """A grid as lists show it; `leader`: (code, name) of the 网格长 on the day."""

    code: str
    short: str
    name: str
    community: str
    community_name: str
    leader: tuple[str, str] | None


@dataclass(frozen=True)
class DutyFact:
    """One duty that a person answers for on the day."""

    role_name: str
    kind: str
    code: str
    name: str
    acting: bool


@dataclass(frozen=True)
class Located:
    """Of one register on one day. `spots`: per key (grid, community) pairs, where most of the row lies first;
    `find` gives the same for a geometry. `columns`: the incidents' own. `duties`: per person."""

    on: date
    spots: Mapping[str, tuple[Spot, ...]]
    zones: Mapping[str, ZoneFact]
    communities: Mapping[str, str]
    find: Callable[[Any], tuple[Spot, ...]]
    duties: Mapping[str, tuple[DutyFact, ...]] = field(default_factory=dict)
    columns: Columns | None = None


def locate(session: Session, register: Register, snapshot: Snapshot, columns: Columns | None = None) -> Located:
    """The register's rows, ended ones too, against the snapshot's grids; kept as long as both hold."""
    version = counters.read_all(session)[counters.GROUND]
    key = ("located", register.name, version)
    kept = snapshot.memo.get(key)
    if kept is None:
        for old in [one for one in list(snapshot.memo) if isinstance(one, tuple) and one[:2] == key[:2]]:
            snapshot.memo.pop(old, None)  # of ground that has changed since
        kept = snapshot.memo[key] = _located(session, register, snapshot)
    assert isinstance(kept, Located)
    if columns is None:
        return kept
    return Located(kept.on, kept.spots, kept.zones, kept.communities, kept.find, kept.duties, columns)


def _located(session: Session, register: Register, snapshot: Snapshot) -> Located:
    spots: Mapping[str, tuple[Spot, ...]] = {}
    duties: Mapping[str, tuple[DutyFact, ...]] = {}
    if register.area == BY_PLACE:
        spots = place_spots(session, register, snapshot)
    elif register.area == BY_GRID:
        spots = _grid_spots(snapshot)
    elif register.area == BY_COMMUNITY:
        codes = session.scalars(select(register.model.code).where(visible(register.model)))
        spots = {code: ((None, code),) for code in codes}
    elif register.area == BY_DUTY:
        spots, duties = _duty_spots(session, snapshot)
    elif register.area == BY_SUBJECT:
        where = SubjectSpots(session, snapshot)
        spots = {one.code: where(one.subject_kind, one.subject_code) for one in all_duties(session)}
    names = {code: row.name for code, row in snapshot.communities.items()}
    return Located(
        snapshot.on,
        spots,
        zone_facts(snapshot),
        names,
        lambda geom: spots_of(snapshot, register, np.array([geom], dtype=object))[0],
        duties,
    )


def zone_facts(snapshot: Snapshot) -> Mapping[str, ZoneFact]:
    """Every grid and micro-grid of the day."""
    kept = snapshot.memo.get("zone facts")
    if kept is None:
        found = {}
        for zone in (*snapshot.tiling.zones, *snapshot.tiling.micro_zones):
            community = snapshot.communities.get(zone.community_code)
            held = snapshot.leader_of(zone.code, zone.name, zone.kind)
            found[zone.code] = ZoneFact(
                zone.code,
                short_code(zone.code)[1],
                zone.name,
                zone.community_code,
                community.name if community else zone.community_code,
                (held.person.code, held.person.name) if held else None,
            )
        kept = snapshot.memo["zone facts"] = found
    return kept  # type: ignore[return-value]


def _grid_spots(snapshot: Snapshot) -> dict[str, tuple[Spot, ...]]:
    """A micro-grid counts with its parent."""
    spots: dict[str, tuple[Spot, ...]] = {
        zone.code: ((zone.code, zone.community_code),) for zone in snapshot.tiling.zones
    }
    for zone in snapshot.tiling.micro_zones:
        spots[zone.code] = ((zone.parent_code or zone.code, zone.community_code),)
    return spots


def place_spots(session: Session, register: Register, snapshot: Snapshot) -> dict[str, tuple[Spot, ...]]:
    """Per key of a register whose rows have a place."""
    model = register.model
    rows = session.execute(select(getattr(model, register.key), raw_geometry(model.geom)).where(visible(model))).all()
    found = spots_of(snapshot, register, read_geometries([row[1] for row in rows]))
    return {row[0]: spots for row, spots in zip(rows, found, strict=True)}


def spots_of(snapshot: Snapshot, register: Register, geoms: np.ndarray) -> list[tuple[Spot, ...]]:
    """The zones of each geometry. Shop fronts, points and small polygons stand where their middle stands; of others
    every zone counts that they run through, the largest share first."""
    out: list[tuple[Spot, ...]] = [()] * len(geoms)
    zones = snapshot.tiling.zones
    if not zones or not len(geoms):
        return out
    bounds = shapely.bounds(geoms)
    small = np.maximum(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1]) <= _SMALL
    dimension = shapely.get_dimensions(geoms)
    whole = ~shapely.is_missing(geoms)
    one_spot = whole & ((dimension == 0) | (register.geometry == "line_or_point") | ((dimension == 2) & small))
    middles = _middles(geoms[one_spot])
    at = snapshot.tiling.index.locate(shapely.get_x(middles), shapely.get_y(middles))
    for i, zone in zip(np.flatnonzero(one_spot).tolist(), at.tolist(), strict=True):
        if zone >= 0:
            out[i] = ((zones[zone].code, zones[zone].community_code),)
    for i, hits in _crossed(snapshot, geoms, np.flatnonzero(whole & ~one_spot)).items():
        out[i] = tuple((zones[hit].code, zones[hit].community_code) for hit in hits)
    return out


def _middles(geoms: np.ndarray) -> np.ndarray:
    """The middle of a line along it, a point itself, else a point inside."""
    lines = shapely.get_type_id(geoms) == 1
    out = geoms.copy()
    out[lines] = shapely.line_interpolate_point(geoms[lines], 0.5, normalized=True)
    other = shapely.get_type_id(out) > 0
    out[other] = shapely.point_on_surface(out[other])
    return np.asarray(out, dtype=object)


def _crossed(snapshot: Snapshot, geoms: np.ndarray, wanted: np.ndarray) -> dict[int, list[int]]:
    """Index of geometry to indexes of zones, the largest share first; a mere touch counts when there is no more."""
    if not len(wanted):
        return {}
    zones = snapshot.tiling.geoms
    mine, theirs = shapely.STRtree(zones).query(geoms[wanted], predicate="intersects")
    shared = shapely.intersection(geoms[wanted][mine], zones[theirs])
    share = np.where(shapely.get_dimensions(geoms[wanted][mine]) == 2, shapely.area(shared), shapely.length(shared))
    found: dict[int, list[int]] = {}
    touched: dict[int, list[int]] = {}
    for place in np.argsort(-share, kind="stable").tolist():
        into = found if share[place] > 0 else touched
        into.setdefault(int(wanted[mine[place]]), []).append(int(theirs[place]))
    return {**touched, **found}


class SubjectSpots:
    """Where the subjects of duties lie: read kind by kind as they are asked for."""

    def __init__(self, session: Session, snapshot: Snapshot) -> None:
        self._session, self._snapshot = session, snapshot
        self._grids = _grid_spots(snapshot)
        self._places: dict[str, Mapping[str, tuple[Spot, ...]]] = {}
        self._homes: dict[str, str] | None = None

    def __call__(self, kind: str, code: str) -> tuple[Spot, ...]:
        """(grid, community) pairs; none for units and for what isn't registered."""
        if kind in ("grid", "micro_grid"):
            return self._grids.get(code) or self._of_other_days(code)
        if kind == "community":
            return ((None, code),)
        register = _BY_SUBJECT.get(kind)
        if register is None:
            return ()
        if kind not in self._places:
            self._places[kind] = place_spots(self._session, register, self._snapshot)
        return self._places[kind].get(code, ())

    def _of_other_days(self, code: str) -> tuple[Spot, ...]:
        """A grid that no edition of the day has stands in its community all the same."""
        if self._homes is None:
            found = self._session.execute(select(Grid.code, Grid.community_code).where(visible(Grid)))
            self._homes = {row[0]: row[1] for row in found}
        return ((code, self._homes[code]),) if code in self._homes else ()


def _duty_spots(
    session: Session, snapshot: Snapshot
) -> tuple[dict[str, tuple[Spot, ...]], dict[str, tuple[DutyFact, ...]]]:
    """Per person: where the subjects of the duties lie that they hold or act in on the day, and those duties."""
    where = SubjectSpots(session, snapshot)
    spots: dict[str, dict[Spot, None]] = {}
    facts: dict[str, list[DutyFact]] = {}
    names = _subject_names(session, snapshot)
    for (kind, code), duties in snapshot.duties.items():
        places = where(kind, code) if kind in _ON_THE_GROUND else (ELSEWHERE,)
        for duty in duties:
            holder, absent = duty.holder_on(snapshot.on)
            for person in (holder, absent):
                if person is not None:
                    spots.setdefault(person, {}).update(dict.fromkeys(places))
                    fact = DutyFact(
                        role_name(duty.role),
                        kind,
                        code,
                        names.get((kind, code), code),
                        person == holder and bool(absent),
                    )
                    facts.setdefault(person, []).append(fact)
    return {code: tuple(found) for code, found in spots.items()}, {code: tuple(held) for code, held in facts.items()}


def _subject_names(session: Session, snapshot: Snapshot) -> dict[tuple[str, str], str]:
    """What duties are for, by name; streets, places, buildings and units are read as far as duties name them, ended
    ones too."""
    names = {("subdistrict", snapshot.office_code): snapshot.office_name}
    names |= {("grid", zone.code): zone.name for zone in snapshot.tiling.zones}
    names |= {("micro_grid", zone.code): zone.name for zone in snapshot.tiling.micro_zones}
    names |= {("community", row.code): row.name for row in snapshot.communities.values()}
    names |= {("frontage", row.code): row.shop_name for row in snapshot.frontages.rows}
    wanted: dict[str, set[str]] = {}
    for kind, code in snapshot.duties.keys() - names.keys():
        wanted.setdefault(kind, set()).add(code)
    for kind, codes in wanted.items():
        register = _BY_KIND.get(kind)
        if register is None:
            continue
        key, title = getattr(register.model, register.key), getattr(register.model, register.title)
        found = session.execute(select(key, title).where(visible(register.model), among(key, codes)))
        names |= {(kind, code): name for code, name in found if name}
    return names
