"""What may have photos, and who may see or change them: by the register's right and the place of the subject."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import shapely
from flask import Flask, current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.clock import local_date
from service.db.spatial import decode
from service.errors import NotAllowed, NotFound
from service.frontages.models import Frontage
from service.people.access import Area
from service.places.models import Building, Place
from service.records.audit import Subject
from service.records.batches import visible
from service.web.context import area, now, services

_EXTENSION = "steward_photo_subjects"


@dataclass(frozen=True)
class Found:
    """A subject that exists: its name, and whether an area holds it."""

    name: str | None
    within: Callable[[Area], bool]


Finder = Callable[[Session, str], Found | None]


def bind(app: Flask, kind: str, finder: Finder) -> None:
    """From here on this register's records may have photos, and `finder` says which exist and where."""
    app.extensions.setdefault(_EXTENSION, {})[kind] = finder


def require(session: Session, kind: str, code: str, right: str) -> Subject:
    """The subject. Raises NotFound for none, NotAllowed when it lies outside the asker's reach of that right."""
    found = _find(session, kind, code)
    if not found.within(area(right)):
        raise NotAllowed("这条记录不在你的片区里，由它所在社区的管理员或主管处理。")
    return Subject(kind, code, found.name)


def may(session: Session, kind: str, code: str, right: str) -> bool:
    """Whether the asker's reach of a right holds the subject."""
    return _find(session, kind, code).within(area(right))


def _find(session: Session, kind: str, code: str) -> Found:
    finders = cast(dict[str, Finder], current_app.extensions[_EXTENSION])
    found = finders[kind](session, code) if kind in finders else None
    if found is None:
        raise NotFound("没有这条记录，可能编号写错了。")
    return found


def on_the_map(model: Any, kind: str, name: str) -> Finder:
    """For a register whose rows lie somewhere: inside the grid in which they lie today, or where a duty names them."""

    def find(session: Session, code: str) -> Found | None:
        row = session.scalars(select(model).where(model.code == code, visible(model))).first()
        if row is None:
            return None
        at = shapely.point_on_surface(decode(row.geom))

        def within(asked: Area) -> bool:
            if asked.everywhere or asked.holds_subject(kind, code):
                return True
            tiling = services().responsibility.on(local_date(now())).tiling
            zone = int(tiling.index.locate(np.array([at.x]), np.array([at.y]))[0])
            return zone >= 0 and asked.holds_grid(tiling.zones[zone].code, tiling.zones[zone].community_code)

        return Found(getattr(row, name), within)

    return find


def register(app: Flask) -> None:
    bind(app, "frontages", on_the_map(Frontage, "frontage", "shop_name"))
    bind(app, "places", on_the_map(Place, "place", "name"))
    bind(app, "buildings", on_the_map(Building, "building", "name"))
