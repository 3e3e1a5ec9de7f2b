"""What keeps a row from being ended: whatever in force names it. Each is a phrase for the refusal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import date
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from service.db.bulk import among
from service.duties.models import Duty
from service.duties.rules import role_name
from service.grids.models import Grid
from service.grids.queries import editions_on
from service.people.models import Account, Organisation, Person
from service.records.batches import visible
from service.records.register import Register

_SHOWN = 3
_ByCode = dict[str, list[str]]


def dependants(session: Session, register: Register, codes: Collection[str], on: date) -> _ByCode:
    """Per key the phrases; an empty list when the row may end on the day. However many keys, a few questions."""
    asked: list[tuple[_ByCode, str]] = []
    if register.name == "people":
        asked.append((_duties(session, (Duty.person_code, Duty.acting_code), codes, on), _DUTIES))
        headed = _in_force(session, Organisation, Organisation.head_code, codes, on)
        asked.append((headed, "是 {n} 家单位的一把手（{some}）"))
        asked.append((_accounts(session, Account.person_code, codes), _ACCOUNTS))
    elif register.subject:
        of_kind = Duty.subject_kind == register.subject
        asked.append((_duties(session, (Duty.subject_code,), codes, on, of_kind), _DUTIES))
    if register.name == "organisations":
        members = _in_force(session, Person, Person.organisation_code, codes, on)
        asked.append((members, "还有 {n} 人属于它（{some}）"))
        asked.append((_accounts(session, Account.unit, codes), _ACCOUNTS))
    if register.name == "communities":
        edition = Grid.edition_id.in_(editions_on(session, on))
        asked.append((_in_force(session, Grid, Grid.community_code, codes, on, edition), "还有 {n} 个网格（{some}）"))
        asked.append((_managing(session, codes), "有 {n} 个账号管它（{some}）"))
    return {
        code: [words.format(n=len(found[code]), some=_some(found[code])) for found, words in asked if found.get(code)]
        for code in codes
    }


_DUTIES = "还有 {n} 项责任在任（{some}）"
_ACCOUNTS = "还有 {n} 个在用的账号（{some}）"


def _duties(session: Session, columns: tuple[Any, ...], codes: Collection[str], on: date, *more: Any) -> _ByCode:
    """Duties that hold on the day or later, by the code in one of the columns."""
    coming = or_(Duty.ends_on.is_(None), Duty.ends_on > on)
    named = or_(*(among(column, codes) for column in columns))
    found = session.execute(
        select(Duty.role, *columns).where(named, coming, visible(Duty), *more).order_by(Duty.code)
    ).all()
    return _grouped(((set(row[1:]), row[0]) for row in found), codes, role_name)


def _in_force(session: Session, model: Any, column: Any, codes: Collection[str], on: date, *more: Any) -> _ByCode:
    alive = or_(model.ended_on.is_(None), model.ended_on > on)
    found = session.execute(
        select(column, model.name).where(among(column, codes), alive, visible(model), *more).order_by(model.code)
    ).all()
    return _grouped((({row[0]}, row[1]) for row in found), codes)


def _accounts(session: Session, column: Any, codes: Collection[str]) -> _ByCode:
    found = session.execute(
        select(column, Account.name).where(among(column, codes), Account.active.is_(True)).order_by(Account.name)
    ).all()
    return _grouped((({row[0]}, row[1]) for row in found), codes)


def _managing(session: Session, codes: Collection[str]) -> _ByCode:
    """Accounts have several communities, in one text."""
    found = session.execute(
        select(Account.area, Account.name)
        .where(Account.area.is_not(None), Account.active.is_(True))
        .order_by(Account.name)
    ).all()
    return _grouped(((set((row[0] or "").split()), row[1]) for row in found), codes)


def _grouped(
    found: Iterable[tuple[set[str], Any]], codes: Collection[str], word: Callable[[Any], str] = str
) -> _ByCode:
    """Names by the code that they depend on."""
    out: _ByCode = {}
    wanted = set(codes)
    for named, value in found:
        for code in named & wanted:
            out.setdefault(code, []).append(word(value))
    return out


def _some(names: list[str]) -> str:
    return "、".join(names[:_SHOWN]) + ("等" if len(names) > _SHOWN else "")
