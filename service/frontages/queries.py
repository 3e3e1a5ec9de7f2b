"""Frontages as the lookup and the map need them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.db.spatial import raw_geometry, read_geometries
from service.frontages.models import Frontage
from service.records.batches import visible


@dataclass(frozen=True)
class FrontageRow:
    code: str
    shop_name: str
    trade: str | None
    address: str | None
    state: str
    person_name: str | None
    phone: str | None
    owner_name: str | None
    agreement_until: date | None
    grade: str | None
    ended_on: date | None = None

    def standing(self, on: date) -> str:
        """How the map draws it: valid, expired (agreement), or vacant."""
        if self.state == "vacant":
            return "vacant"
        return "valid" if self.agreement_until is not None and on <= self.agreement_until else "expired"


@dataclass(frozen=True)
class FrontageSet:
    """`rows[i]` has `geoms[i]` (shapely line or point, lon/lat)."""

    rows: list[FrontageRow]
    geoms: np.ndarray


def all_frontages(session: Session) -> FrontageSet:
    """Every frontage by code, ended ones too."""
    columns = [getattr(Frontage, name) for name in FrontageRow.__dataclass_fields__]
    found = session.execute(
        select(*columns, raw_geometry(Frontage.geom)).where(visible(Frontage)).order_by(Frontage.code)
    ).all()
    return FrontageSet([FrontageRow(*row[:-1]) for row in found], read_geometries([row[-1] for row in found]))
