"""Reading every incident into arrays, fast on both stores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.db.spatial import raw_geometry, read_points
from service.db.types import epoch_seconds
from service.incidents.models import Incident
from service.incidents.rules import GROUP_OF
from service.records.batches import visible

NEVER = 2**32 - 1


@dataclass(frozen=True)
class Arrays:
    """All incidents, in order of id; codes are indexes into the name lists, -1 for none. Times: epoch seconds."""

    ids: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    group: np.ndarray
    reported: np.ndarray
    due: np.ndarray
    category: np.ndarray
    community: np.ndarray
    grid: np.ndarray
    categories: list[tuple[str, str]]
    communities: list[str]
    grids: list[str]


def load(session: Session) -> Arrays:
    """Every visible incident."""
    statement = (
        select(
            Incident.id,
            Incident.state,
            Incident.category,
            Incident.category_name,
            Incident.community_code,
            Incident.grid_code,
            epoch_seconds(Incident.reported_at),
            epoch_seconds(Incident.due_at),
            raw_geometry(Incident.geom),
        )
        .where(visible(Incident))
        .order_by(Incident.id)
    )
    rows = session.execute(statement).all()
    columns: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * 9
    ids, state, category, category_name, community, grid, reported, due, raw = columns
    lon, lat = read_points(raw)
    kinds, kind_index = _coded([code or name or "" for code, name in zip(category, category_name, strict=True)])
    names = dict(
        zip(
            (code or name or "" for code, name in zip(category, category_name, strict=True)), category_name, strict=True
        )
    )
    homes, home_index = _coded(community)
    zones, zone_index = _coded(grid)
    return Arrays(
        np.array(ids, np.int64),
        lon,
        lat,
        np.array([GROUP_OF.get(one, 0) for one in state], np.uint8),
        np.array(reported, np.float64).astype(np.int64),
        np.array([NEVER if one is None else one for one in due], np.float64).astype(np.int64),
        kind_index,
        home_index,
        zone_index,
        [(code, names.get(code) or code) for code in kinds],
        homes,
        zones,
    )


def _coded(values: Any) -> tuple[list[str], np.ndarray]:
    """(distinct values, index per row); None and "" give -1."""
    seen: dict[str, int] = {}
    index = np.fromiter(
        (-1 if not one else seen.setdefault(one, len(seen)) for one in values), np.int32, count=len(values)
    )
    return list(seen), index
