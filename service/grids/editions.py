"""The editions of each community: which ones there were, which one holds, which ones are to come."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.clock import in_force
from service.db.spatial import raw_geometry, read_geometries
from service.errors import NotFound
from service.geo.crs import square_metres
from service.grids.models import Edition, Grid, TilingFault
from service.grids.queries import ZoneSet, zones_of
from service.grids.rules import TILING_KINDS
from service.records.batches import visible

PAST, IN_FORCE, FUTURE = "past", "in_force", "future"


@dataclass(frozen=True)
class EditionRow:
    """An edition of one community; half-open: it holds from `starts_on` (None: since ever) to `ends_on` (None: until a
    later one is published). `grids`: how many tile the community; `faults`: its tiling faults."""

    id: int
    community_code: str
    starts_on: date | None
    ends_on: date | None
    state: str
    grids: int
    area_m2: float
    faults: int

    def shown_on(self, today: date) -> date:
        """The day on which to look at it: today while it holds, its first day when to come, its last when past."""
        if self.state == FUTURE:
            return self.starts_on or today
        return self.last or today if self.state == PAST else today

    @property
    def last(self) -> date | None:
        """The last day on which it holds; None while no later one is published."""
        return self.ends_on - timedelta(days=1) if self.ends_on else None


def edition_rows(session: Session, on: date, community: str | None = None) -> list[EditionRow]:
    """Every published edition, by community and the latest first; `state` as of the day."""
    chosen = (Edition.state == "published", visible(Edition))
    statement = select(Edition.id, Edition.community_code, Edition.starts_on).where(*chosen)
    if community is not None:
        statement = statement.where(Edition.community_code == community)
    known: dict[str, list[tuple[date | None, int]]] = defaultdict(list)
    for key, home, starts in session.execute(statement):
        known[home].append((starts, key))
    ids = [key for rows in known.values() for _, key in rows]
    sizes = _sizes(session, ids)
    faults = dict(
        session.execute(
            select(TilingFault.edition_id, func.count())
            .where(TilingFault.edition_id.in_(ids), visible(TilingFault))
            .group_by(TilingFault.edition_id)
        ).all()
    )
    out = []
    for home in sorted(known):
        rows = sorted(known[home], key=lambda row: row[0] or date.min)
        ends = [starts for starts, _ in rows[1:]] + [None]
        for (starts, key), until in reversed(list(zip(rows, ends, strict=True))):
            state = IN_FORCE if in_force(starts, on, until) else PAST if until is not None and until <= on else FUTURE
            count, area = sizes.get(key, (0, 0.0))
            out.append(EditionRow(key, home, starts, until, state, count, area, faults.get(key, 0)))
    return out


def _sizes(session: Session, editions: list[int]) -> dict[int, tuple[int, float]]:
    """(how many grids tile, their area in m²) per edition."""
    rows = session.execute(
        select(Grid.edition_id, raw_geometry(Grid.geom)).where(
            Grid.edition_id.in_(editions), Grid.kind.in_(TILING_KINDS), visible(Grid), Grid.ended_on.is_(None)
        )
    ).all()
    if not rows:
        return {}
    keys = np.array([row[0] for row in rows])
    areas = square_metres(read_geometries([row[1] for row in rows]))
    return {key: (int((keys == key).sum()), float(areas[keys == key].sum())) for key in sorted(set(keys.tolist()))}


def day_of_grid(session: Session, code: str, today: date) -> date:
    """A day on which there is a grid of that code: today, else the first to come, else the last one past. Today also
    for a code that no edition has."""
    having = (Grid.code == code, visible(Grid), Edition.state == "published")
    found = session.execute(select(Edition.id, Edition.community_code).join(Grid).where(*having)).all()
    ids = {row[0] for row in found}
    rows = [row for home in sorted({one[1] for one in found}) for row in edition_rows(session, today, home)]
    days = [row.shown_on(today) for row in rows if row.id in ids]
    if not days or today in days:
        return today
    return min((day for day in days if day > today), default=max(days))


def edition_zones(session: Session, edition: EditionRow, on: date) -> ZoneSet:
    """Every grid of an edition by code, as seen on a day. Raises NotFound when it has none."""
    found = zones_of(session, on, (edition.id,), Grid.ended_on.is_(None))
    if not found.zones:
        raise NotFound("这一版没有网格。")
    return found
