"""Streets, buildings and places that somebody answers for, with their shapes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from service.db.bulk import among
from service.db.spatial import raw_geometry, read_geometries
from service.places.models import Building, Place, Street
from service.records.batches import visible

STREET, BUILDING, PLACE = "street", "building", "place"
REACHES = ("river", "lake", "bank", "wood", "dense_wood")
"""Kinds of places that have a chief (河长、湖长、林长); the others are facilities, which have somebody who answers."""


@dataclass(frozen=True)
class GroundSubject:
    """`kind`: street, building or place; `sort`: a street's level or a place's kind."""

    kind: str
    code: str
    name: str
    sort: str
    ended_on: date | None = None

    @property
    def is_reach(self) -> bool:
        """A piece of nature that may cross grids."""
        return self.kind == PLACE and self.sort in REACHES


@dataclass(frozen=True)
class GroundSet:
    """`rows[i]` has `geoms[i]` (shapely, lon/lat)."""

    rows: list[GroundSubject]
    geoms: np.ndarray


def ground_subjects(session: Session, codes: Mapping[str, Collection[str]], named: Collection[str] = ()) -> GroundSet:
    """Those with one of the codes of their kind, ended ones too; of places also those with one of the names."""
    rows: list[GroundSubject] = []
    raw: list[Any] = []
    asked: tuple[tuple[str, Any, Any, Any], ...] = (
        (STREET, Street, Street.level, Street.code),
        (BUILDING, Building, Building.address, Building.address),
        (PLACE, Place, Place.kind, Place.code),
    )
    for kind, model, sort, instead in asked:
        wanted = codes.get(kind, ())
        criterion = among(model.code, wanted)
        if kind == PLACE and named:
            criterion = or_(criterion, among(model.name, named))
        elif not wanted:
            continue
        found = session.execute(
            select(model.code, model.name, sort, instead, model.ended_on, raw_geometry(model.geom))
            .where(visible(model), criterion)
            .order_by(model.code)
        ).all()
        for code, name, of_sort, other, ended, shape in found:
            sorted_as = "" if kind == BUILDING else str(of_sort)
            rows.append(GroundSubject(kind, code, name or other or code, sorted_as, ended))
            raw.append(shape)
    return GroundSet(rows, read_geometries(raw))
