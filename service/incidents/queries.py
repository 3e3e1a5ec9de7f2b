"""Incidents by id, as the map and the panel show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.orm import Session

from service.db.bulk import among
from service.db.spatial import raw_geometry, read_geometries
from service.incidents.models import Incident
from service.incidents.rules import GROUP_OF, GROUPS
from service.people.access import Area


@dataclass(frozen=True)
class IncidentRow:
    id: int
    number: str
    category: str | None
    category_name: str | None
    address: str | None
    state: str
    due_at: datetime | None
    closed_at: datetime | None

    @property
    def group(self) -> int:
        return GROUP_OF.get(self.state, 0)

    @property
    def title(self) -> str:
        return self.category_name or self.category or "未分类"


def in_area(area: Area) -> ColumnElement[bool]:
    """The criterion of the incidents that an account's area holds: by place, or in its person's or unit's hands."""
    if area.everywhere:
        return true()
    wanted = [among(Incident.grid_code, area.grids), among(Incident.community_code, area.communities)]
    if area.organisation is not None:
        wanted.append(Incident.unit_code == area.organisation)
    if area.person is not None:
        wanted.append(Incident.handler_code == area.person)
    return or_(*wanted)


def rows_by_id(session: Session, ids: Sequence[int]) -> list[IncidentRow]:
    """In the order of `ids`."""
    columns = [getattr(Incident, name) for name in IncidentRow.__dataclass_fields__]
    found = {row[0]: IncidentRow(*row) for row in session.execute(select(*columns).where(Incident.id.in_(list(ids))))}
    return [found[key] for key in ids if key in found]


def point_rows(session: Session, ids: np.ndarray, states: Sequence[int] | np.ndarray) -> list[list[Any]]:
    """[lon, lat, late|way|chk|rep|done, number, category, address] of located incidents; `states` index GROUP_WORDS."""
    wanted = [int(key) for key in ids]
    rows = session.execute(
        select(
            Incident.id,
            Incident.number,
            Incident.category_name,
            Incident.category,
            Incident.address,
            raw_geometry(Incident.geom),
        ).where(Incident.id.in_(wanted))
    ).all()
    found = {row[0]: row for row in rows}
    geoms = dict(zip(found, read_geometries([row[5] for row in rows]), strict=True))
    out = []
    for key, state in zip(wanted, states, strict=True):
        row = found.get(key)
        if row is not None and geoms[key] is not None:
            at = geoms[key]
            out.append([round(at.x, 6), round(at.y, 6), STATE_WORDS[int(state)], row[1], row[2] or row[3], row[4]])
    return out


STATE_WORDS = ("late", "way", "chk", "rep", "done")
assert set(GROUPS) < set(STATE_WORDS)
