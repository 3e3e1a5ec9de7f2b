"""What depends on a row of a register: each room says it of its own rows, here they are asked one after the other.

A lower room names a subject of a higher one only by (kind, code), so the questions meet here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.db.bulk import among
from service.duties.models import Duty
from service.grids.models import Edition, Grid
from service.incidents.models import Incident
from service.people.models import Account, Organisation, Person
from service.records.batches import visible
from service.records.models import Attachment


@dataclass(frozen=True)
class Dependant:
    """One thing that names the row. (table, id) tells whether it goes with the same import; None: it never does."""

    words: str
    table: str | None = None
    row_id: int | None = None


Found = list[tuple[str, Dependant]]
Question = Callable[[Session, Collection[str]], Found]


def _rows(model: Any, attribute: Any, words: str, *more: Any) -> Question:
    """Visible rows of a register that name a code in one of their fields."""

    def ask(session: Session, codes: Collection[str]) -> Found:
        statement = select(attribute, model.id).where(visible(model), among(attribute, codes), *more)
        table = model.__tablename__
        return [(code, Dependant(words, table, row_id)) for code, row_id in session.execute(statement)]

    return ask


def _duties(*kinds: str) -> Question:
    return _rows(Duty, Duty.subject_code, "有责任记在它名下", Duty.subject_kind.in_(kinds))


def _accounts(attribute: Any, words: str) -> Question:
    """Accounts that name a code; an area is several codes with spaces between."""

    def ask(session: Session, codes: Collection[str]) -> Found:
        found = session.execute(select(Account.name, attribute).where(attribute.is_not(None), Account.active.is_(True)))
        wanted = set(codes)
        return [
            (code, Dependant(f"{words}：{name}")) for name, named in found for code in named.split() if code in wanted
        ]

    return ask


def _photos(kind: str) -> Question:
    def ask(session: Session, codes: Collection[str]) -> Found:
        statement = (
            select(Attachment.subject_code, func.count())
            .where(Attachment.subject_kind == kind, Attachment.removed_at.is_(None))
            .where(among(Attachment.subject_code, codes))
            .group_by(Attachment.subject_code)
        )
        return [(code, Dependant(f"有 {count} 张照片")) for code, count in session.execute(statement)]

    return ask


def _incidents(attribute: Any, words: str) -> Question:
    """Counted, not listed: there may be a million."""

    def ask(session: Session, codes: Collection[str]) -> Found:
        statement = (
            select(attribute, func.count()).where(visible(Incident), among(attribute, codes)).group_by(attribute)
        )
        return [(code, Dependant(words.format(count))) for code, count in session.execute(statement)]

    return ask


DEPENDANTS: dict[str, tuple[Question, ...]] = {
    "organisations": (
        _rows(Person, Person.organisation_code, "有人员属于这个单位"),
        _accounts(Account.unit, "有账号属于这个单位"),
        _duties("organisation"),
        _photos("organisations"),
    ),
    "people": (
        _rows(Duty, Duty.person_code, "担任着责任"),
        _rows(Duty, Duty.acting_code, "代理着责任"),
        _rows(Organisation, Organisation.head_code, "是单位的一把手"),
        _accounts(Account.person_code, "有账号是这个人的"),
        _photos("people"),
    ),
    "communities": (
        _rows(Grid, Grid.community_code, "有网格属于它"),
        _rows(Edition, Edition.community_code, "有界线版本属于它"),
        _accounts(Account.area, "是账号的管辖范围"),
        _duties("community"),
        _incidents(Incident.community_code, "有 {} 件事项在它范围里"),
        _photos("communities"),
    ),
    "grids": (
        _rows(Grid, Grid.parent_code, "有微网格属于它"),
        _duties("grid", "micro_grid"),
        _incidents(Incident.grid_code, "有 {} 件事项记在它名下"),
        _photos("grids"),
    ),
    "streets": (_duties("street"), _photos("streets")),
    "buildings": (_duties("building"), _photos("buildings")),
    "places": (_duties("place"), _photos("places")),
    "frontages": (_duties("frontage"), _photos("frontages")),
    "duties": (),
    "incidents": (_photos("incidents"),),
}
