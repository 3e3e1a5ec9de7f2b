"""Incidents near a place: those that may be the same matter, and those that it may be the return of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from service.db.spatial import raw_geometry, read_points, within_bbox
from service.geo.crs import metres_per_degree
from service.geo.values import BBox
from service.incidents.models import Incident
from service.incidents.rules import OPEN_STATES
from service.records.batches import visible

DUPLICATE_M, DUPLICATE_WITHIN = 30.0, timedelta(hours=72)
RECURRENCE_M, RECURRENCE_WITHIN = 30.0, timedelta(days=30)
"""Stated in DOMAIN's rules for duplicates and recurrences; the office's settings go over them."""


@dataclass(frozen=True)
class Nearby:
    """`why`: near (within the distance), subject (the same shop or place) or grid."""

    id: int
    number: str
    category: str | None
    category_name: str | None
    state: str
    reported_at: datetime
    closed_at: datetime | None
    metres: float | None
    why: str = "near"


def duplicates(
    session: Session,
    category: str | None,
    lon: float,
    lat: float,
    now: datetime,
    metres: float = DUPLICATE_M,
    within: timedelta = DUPLICATE_WITHIN,
) -> list[Nearby]:
    """Open ones of the category (any, when None) near the point and reported lately, the nearest first."""
    wanted = [Incident.state.in_(OPEN_STATES), Incident.reported_at > now - within]
    if category is not None:
        wanted.append(Incident.category == category)
    return _near(session, lon, lat, metres, wanted)


def recurrence_of(session: Session, incident: Incident, spot: tuple[float, float] | None) -> Nearby | None:
    """The closed incident that came back as this one: the same code within 30 m, at the same shop or place, or in the
    same grid, closed at most 30 days before it was reported."""
    if incident.category is None:
        return None
    begun = incident.reported_at
    closed: list[ColumnElement[bool]] = [
        Incident.state == "closed",
        Incident.category == incident.category,
        Incident.closed_at.between(begun - RECURRENCE_WITHIN, begun),
    ]
    if spot is not None:
        found = _near(session, *spot, RECURRENCE_M, closed)
        if found:
            return found[0]
    same: list[tuple[str, ColumnElement[bool]]] = []
    if incident.subject_code:
        same.append(
            (
                "subject",
                and_(
                    Incident.subject_kind == incident.subject_kind,
                    Incident.subject_code == incident.subject_code,
                    Incident.grid_code == incident.grid_code,
                ),
            )
        )
    if incident.grid_code:
        same.append(("grid", Incident.grid_code == incident.grid_code))
    for why, where in same:
        newest = session.execute(
            select(*_COLUMNS).where(*closed, where, visible(Incident)).order_by(Incident.closed_at.desc()).limit(1)
        ).first()
        if newest is not None:
            return _told(newest, None, why)
    return None


_COLUMNS = (
    Incident.id,
    Incident.number,
    Incident.category,
    Incident.category_name,
    Incident.state,
    Incident.reported_at,
    Incident.closed_at,
)


def _near(session: Session, lon: float, lat: float, metres: float, wanted: list[Any]) -> list[Nearby]:
    kx, ky = (float(one) for one in metres_per_degree(np.asarray(lat)))
    dx, dy = metres / kx, metres / ky
    box = within_bbox(Incident.geom, BBox(lon - dx, lat - dy, lon + dx, lat + dy))
    rows = session.execute(select(*_COLUMNS, raw_geometry(Incident.geom)).where(box, *wanted, visible(Incident))).all()
    x, y = read_points([row[-1] for row in rows])
    far = np.hypot((x - lon) * kx, (y - lat) * ky)
    order = [i for i in np.argsort(far, kind="stable").tolist() if far[i] <= metres]
    return [_told(rows[i], round(float(far[i]), 1), "near") for i in order]


def _told(row: Any, metres: float | None, why: str) -> Nearby:
    key, number, category, name, state, reported, closed = row[: len(_COLUMNS)]
    return Nearby(key, number, category, name, state, reported, closed, metres, why)
