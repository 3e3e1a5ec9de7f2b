"""Duties as people look for them: by the person's name, by what the duty is for; and which ones an account may read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from service.db.bulk import among
from service.db.spatial import raw_geometry, read_geometries
from service.duties.models import Duty
from service.duties.queries import Subject
from service.duties.rules import ROLES
from service.frontages.models import Frontage
from service.grids.models import Community, Grid
from service.grids.queries import editions_on
from service.people.access import Area
from service.people.models import Organisation, Person
from service.places.models import Building, Place, Street
from service.records.batches import visible
from service.registers.rules import on_the_map

# kind: (table, its name's column)
NAMED: dict[str, tuple[Any, Any]] = {
    "grid": (Grid, Grid.name),
    "micro_grid": (Grid, Grid.name),
    "community": (Community, Community.name),
    "organisation": (Organisation, Organisation.name),
    "frontage": (Frontage, Frontage.shop_name),
    "street": (Street, Street.name),
    "building": (Building, Building.name),
    "place": (Place, Place.name),
}


def duty_search(part: str, names: bool) -> ColumnElement[bool]:
    """Duties that a word is about: the role, the subject's name or code, and the person where `names` may be read."""
    roles = [code for code, role in ROLES.items() if part in role.name]
    found = [Duty.role.in_(roles), _like(Duty.code, part), _like(Duty.subject_code, part)]
    if names:
        named = select(Person.code).where(or_(_like(Person.name, part), Person.code == part))
        found += [Duty.person_code.in_(named), Duty.acting_code.in_(named)]
    for kind, (model, name) in NAMED.items():
        found.append(
            and_(Duty.subject_kind == kind, Duty.subject_code.in_(select(model.code).where(_like(name, part))))
        )
    return or_(*found)


def duties_of_area(area: Area) -> list[ColumnElement[bool]]:
    """Beside those whose subject lies in it: the account's person's own, others over the same subjects, the unit's, and
    those over the whole subdistrict for whoever has some ground."""
    out: list[ColumnElement[bool]] = []
    if area.person:
        out += [Duty.person_code == area.person, Duty.acting_code == area.person]
    out += [and_(Duty.subject_kind == kind, Duty.subject_code == code) for kind, code in sorted(area.subjects)]
    if area.organisation:
        people = select(Person.code).where(Person.organisation_code == area.organisation)
        out += [
            and_(Duty.subject_kind == "organisation", Duty.subject_code == area.organisation),
            Duty.person_code.in_(people),
            Duty.acting_code.in_(people),
        ]
    elif on_the_map(area):
        out.append(Duty.subject_kind.in_(("organisation", "subdistrict")))
    return out


def subject_names(session: Session, zones: Mapping[str, Any], subjects: Collection[Subject]) -> dict[Subject, str]:
    """What subjects are called; grids as on the day of `zones` where it has them. Those without a name are left out."""
    wanted: dict[str, set[str]] = defaultdict(set)
    out: dict[Subject, str] = {}
    for kind, code in subjects:
        if kind in ("grid", "micro_grid") and code in zones:
            out[kind, code] = zones[code].name
        else:
            wanted[kind].add(code)
    for kind, codes in wanted.items():
        if kind in NAMED:
            model, name = NAMED[kind]
            found = session.execute(select(model.code, name).where(among(model.code, codes), visible(model)))
            out |= {(kind, code): word for code, word in found if word}
    return out


def subject_shapes(session: Session, on: date, subjects: Collection[Subject]) -> dict[Subject, Any]:
    """Where subjects lie, shapely in lon/lat; grids as on the day. Units and the subdistrict have no place."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for kind, code in subjects:
        wanted[kind].add(code)
    out: dict[Subject, Any] = {}
    for kind, codes in wanted.items():
        if kind not in NAMED or kind == "organisation":
            continue
        model = NAMED[kind][0]
        day = [Grid.edition_id.in_(editions_on(session, on))] if model is Grid else []
        statement = select(model.code, raw_geometry(model.geom)).where(among(model.code, codes), visible(model), *day)
        rows = session.execute(statement).all()
        shapes = read_geometries([row[1] for row in rows])
        out |= {(kind, row[0]): shape for row, shape in zip(rows, shapes, strict=True) if shape is not None}
    return out


def _like(column: Any, part: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column.icontains(part, autoescape=True)
    return found
