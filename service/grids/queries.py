"""Grids of the editions in force on a day, as arrays."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from service.db.spatial import raw_geometry, read_geometries
from service.grids.models import Community, Edition, Grid, TilingFault
from service.grids.rules import edition_in_force
from service.records.batches import visible


@dataclass(frozen=True)
class Zone:
    """A grid of an edition in force, without its geometry."""

    code: str
    name: str
    kind: str
    community_code: str
    parent_code: str | None
    households: int | None
    population: int | None
    notes: str | None
    starts_on: date | None


@dataclass(frozen=True)
class ZoneSet:
    """All zones on a day: `zones[i]` has `geoms[i]` (shapely, lon/lat); `editions` are the ids in force."""

    on: date
    editions: tuple[int, ...]
    zones: list[Zone]
    geoms: np.ndarray


@dataclass(frozen=True)
class CommunityRow:
    code: str
    name: str
    kind: str
    geom: Any
    ended_on: date | None = None


def editions_on(session: Session, on: date) -> tuple[int, ...]:
    """Ids of the published editions in force on the day, one a community at the most."""
    per_community: dict[str, list[tuple[int, date | None]]] = defaultdict(list)
    rows = session.execute(
        select(Edition.id, Edition.community_code, Edition.starts_on).where(
            Edition.state == "published", visible(Edition)
        )
    )
    for key, community, starts in rows:
        per_community[community].append((key, starts))
    chosen = (edition_in_force(found, on) for found in per_community.values())
    return tuple(sorted(key for key in chosen if key is not None))


def edition_days(session: Session) -> list[tuple[date, str]]:
    """(the day on which an edition begins, its community's code) of all published ones with a day, the first first."""
    rows = session.execute(
        select(Edition.starts_on, Edition.community_code)
        .where(Edition.state == "published", Edition.starts_on.is_not(None), visible(Edition))
        .order_by(Edition.starts_on, Edition.community_code)
    )
    return [(starts, community) for starts, community in rows if starts is not None]


def ended_grids(session: Session, editions: tuple[int, ...], on: date) -> tuple[str, ...]:
    """Codes of the editions' grids that have ended by the day."""
    statement = select(Grid.code).where(Grid.edition_id.in_(editions), Grid.ended_on <= on).order_by(Grid.code)
    return tuple(session.scalars(statement))


def zones_on(session: Session, on: date) -> ZoneSet:
    """Every grid of the editions in force on the day, by code."""
    editions = editions_on(session, on)
    return zones_of(session, on, editions, or_(Grid.ended_on.is_(None), Grid.ended_on > on))


def zones_of(session: Session, on: date, editions: tuple[int, ...], held: ColumnElement[bool]) -> ZoneSet:
    """Every grid of some editions by code; `held`: which of those that ended count."""
    rows = session.execute(
        select(
            Grid.code,
            Grid.name,
            Grid.kind,
            Grid.community_code,
            Grid.parent_code,
            Grid.households,
            Grid.population,
            Grid.notes,
            Edition.starts_on,
            raw_geometry(Grid.geom),
        )
        .join(Edition, Edition.id == Grid.edition_id)
        .where(Grid.edition_id.in_(editions), visible(Grid), held)
        .order_by(Grid.code)
    ).all()
    zones = [Zone(*row[:9]) for row in rows]
    return ZoneSet(on, editions, zones, read_geometries([row[9] for row in rows]))


def communities(session: Session) -> list[CommunityRow]:
    """All communities by code, ended ones too, with the outline as imported."""
    rows = session.execute(
        select(Community.code, Community.name, Community.kind, raw_geometry(Community.geom), Community.ended_on)
        .where(visible(Community))
        .order_by(Community.code)
    ).all()
    geoms = read_geometries([row[3] for row in rows])
    return [CommunityRow(row[0], row[1], row[2], geom, row[4]) for row, geom in zip(rows, geoms, strict=True)]


@dataclass(frozen=True)
class FaultRow:
    """A tiling fault; `codes` are the grids beside or in it."""

    kind: str
    codes: list[str]
    area_m2: float
    geom: Any


def faults_of(session: Session, editions: tuple[int, ...]) -> list[FaultRow]:
    """The tiling faults of the editions, largest first."""
    rows = session.execute(
        select(TilingFault.kind, TilingFault.codes, TilingFault.area_m2, raw_geometry(TilingFault.geom))
        .where(TilingFault.edition_id.in_(editions), visible(TilingFault))
        .order_by(TilingFault.area_m2.desc(), TilingFault.id)
    ).all()
    geoms = read_geometries([row[3] for row in rows])
    return [FaultRow(row[0], row[1].split(","), row[2], geom) for row, geom in zip(rows, geoms, strict=True)]


def has_faults(session: Session) -> bool:
    """Whether any published edition, of whatever day, has a tiling fault."""
    known = select(TilingFault.id).join(Edition, Edition.id == TilingFault.edition_id)
    return session.scalar(known.where(Edition.state == "published", visible(TilingFault)).limit(1)) is not None
