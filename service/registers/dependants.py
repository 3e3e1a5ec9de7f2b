"""What keeps a row from being ended: whatever in force names it. Each is a phrase for the refusal."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from service.duties.models import Duty
from service.duties.rules import role_name
from service.grids.models import Grid
from service.grids.queries import editions_on
from service.people.models import Account, Organisation, Person
from service.records.batches import visible
from service.records.register import Register

_SHOWN = 3


def dependants(session: Session, register: Register, code: str, on: date) -> list[str]:
    """Empty when the row may end on the day."""
    out = []
    if register.name == "people":
        held = or_(Duty.person_code == code, Duty.acting_code == code)
        out.append(_duties(session, held, on))
        out.append(
            _in_force(session, Organisation, Organisation.head_code == code, on, "是 {n} 家单位的一把手（{some}）")
        )
        out.append(_accounts(session, Account.person_code == code))
    elif register.subject:
        named = (Duty.subject_kind == register.subject) & (Duty.subject_code == code)
        out.append(_duties(session, named, on))
    if register.name == "organisations":
        out.append(_in_force(session, Person, Person.organisation_code == code, on, "还有 {n} 人属于它（{some}）"))
        out.append(_accounts(session, Account.unit == code))
    if register.name == "communities":
        held = Grid.edition_id.in_(editions_on(session, on)) & (Grid.community_code == code)
        out.append(_in_force(session, Grid, held, on, "还有 {n} 个网格（{some}）"))
        managed = list(session.scalars(select(Account).where(Account.area.contains(code))))
        names = [one.name for one in managed if one.active and code in (one.area or "").split()]
        out.append(f"有 {len(names)} 个账号管它（{_some(names)}）" if names else "")
    return [one for one in out if one]


def _duties(session: Session, held: Any, on: date) -> str:
    """Duties that hold on the day or later."""
    coming = or_(Duty.ends_on.is_(None), Duty.ends_on > on)
    found = session.scalars(select(Duty.role).where(held, coming, visible(Duty)).order_by(Duty.code)).all()
    return f"还有 {len(found)} 项责任在任（{_some([role_name(one) for one in found])}）" if found else ""


def _in_force(session: Session, model: Any, held: Any, on: date, words: str) -> str:
    alive = or_(model.ended_on.is_(None), model.ended_on > on)
    n = session.scalar(select(func.count()).select_from(model).where(held, alive, visible(model))) or 0
    if not n:
        return ""
    names = session.scalars(
        select(model.name).where(held, alive, visible(model)).order_by(model.code).limit(_SHOWN + 1)
    ).all()
    return words.format(n=n, some=_some([str(name) for name in names]))


def _accounts(session: Session, held: Any) -> str:
    names = session.scalars(select(Account.name).where(held, Account.active.is_(True)).order_by(Account.name)).all()
    return f"还有 {len(names)} 个在用的账号（{_some(list(names))}）" if names else ""


def _some(names: list[str]) -> str:
    return "、".join(names[:_SHOWN]) + ("等" if len(names) > _SHOWN else "")
