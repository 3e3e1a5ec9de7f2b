"""The editions of communities as a list: since when each holds, how much it covers, which draft it came from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.db.spatial import raw_geometry, read_geometries
from service.geo.crs import square_metres
from service.grids.draft_models import Draft
from service.grids.draft_queries import PUBLISHED, editions_of
from service.grids.models import Community, Grid, TilingFault
from service.grids.rules import TILING_KINDS, edition_in_force
from service.people.access import Area
from service.records.batches import visible


@dataclass(frozen=True)
class Listed:
    """One edition. state: past, in_force or future; area: m² of its tiles."""

    id: int
    community: str
    name: str
    starts_on: date | None
    state: str
    grids: int
    area_m2: float
    faults: int
    from_draft: int | None


def listed(session: Session, area: Area, today: date, community: str | None = None) -> list[Listed]:
    """Of the communities within the area, by community and day."""
    statement = select(Community.code, Community.name).where(visible(Community))
    if community is not None:
        statement = statement.where(Community.code == community)
    names = {row[0]: row[1] for row in session.execute(statement) if area.holds_community(row[0])}
    rows = editions_of(session, list(names))
    ids = [row.id for of_one in rows.values() for row in of_one]
    sizes, faults, drafts = _sizes(session, ids), _faults(session, ids), _drafts(session)
    out = []
    for home in sorted(rows):
        current = edition_in_force([(row.id, row.starts_on) for row in rows[home]], today)
        for row in rows[home]:
            begun = row.starts_on is None or row.starts_on <= today
            state = "in_force" if row.id == current else "past" if begun else "future"
            count, metres = sizes.get(row.id, (0, 0.0))
            given = (names[home], row.starts_on, state, count, metres, faults.get(row.id, 0), drafts.get(row.id))
            out.append(Listed(row.id, home, *given))
    return out


def _sizes(session: Session, ids: list[int]) -> dict[int, tuple[int, float]]:
    """Per edition: how many tiling grids, and their m²."""
    rows = session.execute(
        select(Grid.edition_id, raw_geometry(Grid.geom)).where(
            Grid.edition_id.in_(ids), Grid.kind.in_(TILING_KINDS), visible(Grid), Grid.ended_on.is_(None)
        )
    ).all()
    if not rows:
        return {}
    metres = square_metres(read_geometries([row[1] for row in rows]))
    owners = np.array([row[0] for row in rows])
    return {
        int(key): (int((owners == key).sum()), float(metres[owners == key].sum())) for key in np.unique(owners).tolist()
    }


def _faults(session: Session, ids: list[int]) -> dict[int, int]:
    statement = select(TilingFault.edition_id, func.count()).where(
        TilingFault.edition_id.in_(ids), visible(TilingFault)
    )
    return {row[0]: row[1] for row in session.execute(statement.group_by(TilingFault.edition_id))}


def _drafts(session: Session) -> dict[int, int]:
    """Which draft each edition was published from."""
    rows = session.execute(select(Draft.id, Draft.outcome).where(Draft.state == PUBLISHED))
    return {key: draft for draft, outcome in rows for key in (outcome or {}).get("editions", {}).values()}


def as_plain(row: Listed) -> dict[str, Any]:
    """As the interface tells it."""
    return {
        "id": row.id,
        "community": {"code": row.community, "name": row.name},
        "edition": row.starts_on.isoformat() if row.starts_on else None,
        "state": row.state,
        "grids": row.grids,
        "area_m2": round(row.area_m2, 1),
        "faults": row.faults,
        "from_draft": row.from_draft,
    }
