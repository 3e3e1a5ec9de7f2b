"""Incidents by the beginning of their number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from service.db.spatial import raw_geometry, read_points
from service.incidents.models import Incident
from service.incidents.queries import in_area
from service.people.access import Area
from service.records.batches import visible

_LAST = "\U0010ffff"


@dataclass(frozen=True)
class FoundIncident:
    """What a result tells of an incident."""

    number: str
    category: str | None
    category_name: str | None
    address: str | None
    state: str
    spot: tuple[float, float] | None


def by_number(session: Session, beginning: str, area: Area, most: int) -> list[FoundIncident]:
    """Those whose number begins so, in whichever letters it was typed, within an area; by number."""
    plain = session.get_bind().dialect.name != "postgresql"
    words = dict.fromkeys((beginning, beginning.upper()))
    # SQLite's LIKE reads every row; a range over the index does not. PostgreSQL orders by the language's rules, where
    # a range is no beginning; there LIKE uses the index in databases that are made with the collation C.
    begins: list[ColumnElement[bool]] = [
        Incident.number.between(word, word + _LAST) if plain else Incident.number.startswith(word, autoescape=True)
        for word in words
    ]
    names = [name for name in FoundIncident.__dataclass_fields__ if name != "spot"]
    columns: list[Any] = [getattr(Incident, name) for name in names]
    rows = session.execute(
        select(*columns, raw_geometry(Incident.geom))
        .where(or_(*begins), in_area(area), visible(Incident))
        .order_by(Incident.number)
        .limit(most)
    ).all()
    lon, lat = read_points([row[-1] for row in rows])
    spots: list[tuple[float, float] | None] = [
        None if np.isnan(x) else (float(x), float(y)) for x, y in zip(lon, lat, strict=True)
    ]
    return [
        FoundIncident(**dict(zip(names, row, strict=False)), spot=spot) for row, spot in zip(rows, spots, strict=True)
    ]
