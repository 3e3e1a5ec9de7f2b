"""Lists and single rows of every register, as far as the asker's area reaches."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, and_, case, false, func, or_, select, text
from sqlalchemy.orm import Session

from service.errors import InvalidValue, NoSuchRow
from service.people.access import Area
from service.records.batches import visible
from service.records.register import BY_COLUMNS, CHOICE, PERSON, Register
from service.registers import incident_page
from service.registers.asked import MANY, Asked
from service.registers.filters import by_code_point, colleagues, criteria, one_of, order_of, sortable
from service.registers.location import Located
from service.registers.rows import Page, Row, read_rows
from service.registers.rules import holds

__all__ = ["MOST", "Asked", "any_of", "ids", "keys", "one", "page", "row_id", "some"]

MOST = 500


def page(session: Session, register: Register, asked: Asked, located: Located) -> Page:
    """One page of a list. Raises InvalidValue naming the filter, sort or limit at fault."""
    name = _checked_sort(register, asked)
    if not 1 <= asked.limit <= MOST or asked.offset < 0:
        raise InvalidValue("limit", f"一次可取 1 到 {MOST} 行，要的是 {asked.limit} 行。")
    if register.area == BY_COLUMNS:
        return incident_page.page(session, register, asked, located)
    model = register.model
    where = criteria(session, register, asked, located)
    strip = [one for filtered, one in where if filtered != register.state]
    everything = [one for _, one in where]
    counts = _counts(session, register, strip, asked.on)
    if register.state and len(strip) == len(everything):
        total = sum(counts.values())
    else:
        total = session.scalar(select(func.count()).select_from(model).where(*everything)) or 0
    if name in ("grid", "community"):
        ids = _by_place(session, register, everything, located, asked)
    else:
        ordered = select(model.id).where(*everything).order_by(*_order(session, register, asked))
        ids = list(session.scalars(ordered.limit(asked.limit).offset(asked.offset)))
    return Page(read_rows(session, register, ids, located), total, counts, _narrower(register, asked, located, total))


def _narrower(register: Register, asked: Asked, located: Located, total: int) -> dict[tuple[str, str], int | None]:
    """The communities, where the list is very long and can be narrowed to one."""
    by_community = "community" in {one.name for one in register.derived} and "community" not in asked.filters
    if total <= MANY or not by_community:
        return {}
    mine = [one for one in sorted(located.communities) if asked.area.everywhere or one in asked.area.communities]
    return {("community", code): None for code in mine}


def one(session: Session, register: Register, code: str, area: Area, located: Located) -> Row:
    """A row by its key, ended ones too, with its geometry. NotFound also when it lies outside the area."""
    found = read_rows(session, register, [row_id(session, register, code, area, located)], located, shapes=True)
    return found[0]


def row_id(session: Session, register: Register, code: str, area: Area, located: Located) -> int:
    """Raises NotFound, also for a row outside the area."""
    key = session.scalar(select(register.model.id).where(*only(session, register, code, area, located)))
    if key is None:
        raise not_found(register, code)
    return int(key)


def only(session: Session, register: Register, code: str, area: Area, located: Located) -> list[ColumnElement[bool]]:
    """The criteria of one row by its key, ended or not, inside the area."""
    if "\0" in code:  # PostgreSQL has no such texts
        raise not_found(register, code)
    model = register.model
    where: list[ColumnElement[bool]] = [getattr(model, register.key) == code, visible(model)]
    if register.scope is not None:
        where.append(register.scope(session, located.on))
    if register.area == BY_COLUMNS:
        return where + incident_page.within(area)
    if not holds(register.area, register.subject, located.spots, area, code):
        where.append(or_(false(), *colleagues(register, area)))
    return where


def any_of(
    session: Session, register: Register, codes: Iterable[str], area: Area, located: Located
) -> list[ColumnElement[bool]]:
    """The criteria of rows by their keys, ended or not, inside the area. Not for the incidents, which aren't kept."""
    model = register.model
    key = getattr(model, register.key)
    wanted = [code for code in codes if "\0" not in code]
    inside = {code for code in wanted if holds(register.area, register.subject, located.spots, area, code)}
    found = or_(one_of(key, inside), *(and_(one_of(key, wanted), one) for one in colleagues(register, area)))
    scope = [register.scope(session, located.on)] if register.scope is not None else []
    return [found, visible(model), *scope]


def some(session: Session, register: Register, codes: Iterable[str], area: Area, located: Located) -> list[Row]:
    """The rows of these keys that the area holds, ended ones too, without geometry; in the order of the keys."""
    wanted = list(dict.fromkeys(codes))
    model = register.model
    known = select(getattr(model, register.key), model.id).where(*any_of(session, register, wanted, area, located))
    ids = {row[0]: row[1] for row in session.execute(known)}
    return read_rows(session, register, [ids[code] for code in wanted if code in ids], located)


def not_found(register: Register, code: str) -> NoSuchRow:
    message = f"没有编码是“{code[:40]}”的{register.label}，或者不在你的范围里。"
    return NoSuchRow(message, register.name, code)


def is_somewhere(session: Session, register: Register, code: str) -> bool:
    """Whether there is such a row in anybody's area."""
    if "\0" in code:
        return False
    found = select(register.model.id).where(getattr(register.model, register.key) == code, visible(register.model))
    return session.scalar(found.limit(1)) is not None


def keys(session: Session, register: Register, asked: Asked, located: Located) -> list[str]:
    """The keys of every row that the filters leave, in order: for bulk changes and exports."""
    if register.area == BY_COLUMNS:
        return incident_page.keys(session, register, asked, located)
    _checked_sort(register, asked)
    where = [criterion for _, criterion in criteria(session, register, asked, located)]
    statement = select(getattr(register.model, register.key)).where(*where)
    return list(session.scalars(statement.order_by(*_order(session, register, asked))))


def ids(session: Session, register: Register, asked: Asked, located: Located) -> np.ndarray:
    """The ids (n,) of every row that the filters leave, in order: for exports."""
    name = _checked_sort(register, asked)
    if register.area == BY_COLUMNS:
        return incident_page.ids(session, register, asked, located)
    where = [criterion for _, criterion in criteria(session, register, asked, located)]
    if name in ("grid", "community"):
        everything = replace(asked, limit=sys.maxsize, offset=0)
        return np.array(_by_place(session, register, where, located, everything), np.int64)
    ordered = select(register.model.id).where(*where).order_by(*_order(session, register, asked))
    return np.array(list(session.scalars(ordered)), np.int64)


def _checked_sort(register: Register, asked: Asked) -> str:
    name = order_of(register, asked).removeprefix("-")
    able = sortable(register, asked)
    if name not in able:
        raise InvalidValue("sort", f"不能按“{name[:30]}”排序。可以按：{'、'.join(able)}。")
    return name


def _order(session: Session, register: Register, asked: Asked) -> list[Any]:
    """Empty values last, whichever way; equal ones by key."""
    sort = order_of(register, asked)
    name = sort.removeprefix("-")
    model = register.model
    key = by_code_point(session, getattr(model, register.key))
    described = register.by_name.get(name)
    if described is None:
        return [key]
    column = register.column(name, asked.on)
    if described.kind == PERSON and not asked.names:  # the own unit's; the others by key
        column = case((or_(*colleagues(register, asked.area)), column), else_=None)
    by: Any = by_code_point(session, column)
    if described.kind == CHOICE and not described.numeric:
        by = case({value: at for at, value in enumerate(described.choices)}, value=column, else_=len(described.choices))
    more = [_ranked(session, register, one, asked.on) for one in register.then if one != name]
    return [column.is_(None), by.desc() if sort.startswith("-") else by, *more, key]


def _ranked(session: Session, register: Register, name: str, on: date) -> Any:
    """A further column to order by: choices in the order of their table."""
    column, choices = register.column(name, on), register.by_name[name].choices
    ranks = {value: at for at, value in enumerate(choices)}
    return case(ranks, value=column, else_=len(choices)) if choices else by_code_point(session, column)


def _counts(session: Session, register: Register, where: list[ColumnElement[bool]], on: date) -> dict[str, int]:
    if register.state is None:
        return {}
    state = register.column(register.state, on)
    told = session.execute(select(state.label("counted"), func.count()).where(*where).group_by(text("counted")))
    found = {str(one): int(n) for one, n in told}
    return {one: found.pop(one, 0) for one in register.states} | found


def _by_place(
    session: Session, register: Register, where: list[ColumnElement[bool]], located: Located, asked: Asked
) -> list[int]:
    """Sorted by grid or community, those in none last."""
    model = register.model
    at = 0 if asked.sort.removeprefix("-") == "grid" else 1
    found = session.execute(select(model.id, getattr(model, register.key)).where(*where)).all()
    placed, nowhere = [], []
    for key, code in found:
        spot = next(iter(located.spots.get(code, ())), (None, None))[at]
        if spot is None:
            nowhere.append((code, key))
        else:
            placed.append(((spot, code), key))
    placed.sort(key=lambda one: one[0], reverse=asked.sort.startswith("-"))
    ordered = [key for _, key in placed] + [key for _, key in sorted(nowhere)]
    return ordered[asked.offset : asked.offset + asked.limit]
