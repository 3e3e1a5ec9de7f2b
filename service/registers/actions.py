"""Registers kept by hand: create, change, end, restore. Each appends to the trail; none commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.db.spatial import decode, encode
from service.errors import Conflict, InvalidValue, InvalidValues, NotAllowed
from service.people.access import Area
from service.people.writers import By as By
from service.records import audit, counters
from service.records.audit import Line, Subject, differences
from service.records.register import BY_PLACE, Fault, Register
from service.registers.dependants import dependants
from service.registers.judging import (
    held,
    last_writers,
    may_change_validity,
    may_end,
    may_keep,
    may_write,
    nothing_depends,
    still_holds,
    stored_values,
    title,
    told,
)
from service.registers.location import Located
from service.registers.rules import holds_all
from service.registers.shapes import geometry_of, plain, same_shape
from service.registers.values import understood

__all__ = ["By", "Done", "Written", "change", "create", "end", "restore", "written"]
_MOST_CODE = 64


@dataclass(frozen=True)
class Done:
    """The row as it is now: its key, its version, and which fields moved (empty: nothing did)."""

    code: str
    version: int
    changed: tuple[str, ...]


@dataclass(frozen=True)
class Written:
    """A row whose attributes have moved in the session, and both sides of that, as plain JSON."""

    row: Any
    before: Mapping[str, Any]
    after: Mapping[str, Any]


def create(
    session: Session, register: Register, sent: Mapping[str, Any], by: By, located: Located, geometry: Any = None
) -> Done:
    """A new row. Raises InvalidValues naming every field at fault, Conflict for a code in use, NotAllowed."""
    may_keep(register, register.creates)
    values, faults = understood(session, register, sent)
    if values.get(register.key) is not None:
        faults += _code_faults(register, str(values[register.key]))
    named = {field for field, _ in faults}
    for one in register.fields:
        if values.get(one.name) is None and one.default is not None:
            values[one.name] = one.default
        if one.needed and values.get(one.name) is None and one.name not in named:
            faults.append((one.name, f"{one.label}：必须填写。"))
    geom, more = _geometry(register, geometry, located, by.now)
    _raise(faults + more + list(register.check({}, values) if register.check else ()))
    _may_place(register, by.area, located, geom)
    values[register.key] = _new_code(session, register, values, geom)
    row = register.model(**values, subdistrict=by.subdistrict, version=1, revision=_moved(session, register))
    if geom is not None:
        row.geom = encode(geom)
    session.add(row)
    session.flush()
    after = {name: value for name, value in told(register, values, geom).items() if value is not None}
    audit.append(session, by.actor, f"{register.noun}.create", by.now, _subject(register, row), after=after)
    return Done(values[register.key], 1, tuple(after))


def change(
    session: Session,
    register: Register,
    code: str,
    sent: Mapping[str, Any],
    version: int | None,
    by: By,
    located: Located,
    geometry: Any = None,
    note: str | None = None,
) -> Done:
    """Fields of a row, and its place where `geometry` (GeoJSON) is given; fields that weren't sent stay. Raises
    StaleVersion when `version` isn't the stored one (None: whatever it is), InvalidValues, Conflict, NotAllowed."""
    row = _locked(session, register, code, sent, version, by, located)
    still_holds(register, row, by)
    stored = stored_values(register, row)
    values, faults = understood(session, register, sent, stored)
    before_geom = decode(row.geom) if register.geometry else None
    geom = before_geom
    if geometry is not None and geometry != plain(before_geom):
        geom, more = _geometry(register, geometry, located, by.now)
        faults += more
    after_values = stored | values
    _raise(faults + list(register.check(stored, after_values) if register.check else ()))
    moved = not same_shape(before_geom, geom)
    if moved:
        _may_place(register, by.area, located, geom)
    before, after = differences(told(register, stored), told(register, after_values))
    if moved:
        before["geometry"], after["geometry"] = plain(before_geom), plain(geom)
    if not after:
        return Done(code, row.version, ())
    for name in after:
        if name == "geometry":
            row.geom = encode(geom)
        else:
            setattr(row, name, values[name])
    return written(session, register, [Written(row, before, after)], "change", by, note)[0]


def end(
    session: Session,
    register: Register,
    code: str,
    version: int | None,
    by: By,
    located: Located,
    on: date | None = None,
    note: str | None = None,
) -> Done:
    """The end of a row's validity, from today on unless another day is named; nothing is deleted. Raises Conflict
    while something in force depends on it."""
    may_keep(register, register.ends)
    row = _locked(session, register, code, {}, version, by, located)
    may_end(register, row, by)
    day = on or by.today
    nothing_depends(register, row, dependants(session, register, [code], day)[code])
    row.ended_on = day
    one = Written(row, {"ended_on": None}, {"ended_on": day.isoformat()})
    return written(session, register, [one], "end", by, note)[0]


def restore(
    session: Session,
    register: Register,
    code: str,
    version: int | None,
    by: By,
    located: Located,
    note: str | None = None,
) -> Done:
    """An ended row holds again. Raises Conflict when it never ended."""
    may_keep(register, register.ends)
    row = _locked(session, register, code, {}, version, by, located)
    may_change_validity(register, by, "恢复")
    if row.ended_on is None:
        raise Conflict(f"{register.label}“{title(register, row)}”没有终止，不用恢复。")
    before, row.ended_on = row.ended_on.isoformat(), None
    one = Written(row, {"ended_on": before}, {"ended_on": None})
    return written(session, register, [one], "restore", by, note)[0]


def _locked(
    session: Session,
    register: Register,
    code: str,
    sent: Mapping[str, Any],
    version: int | None,
    by: By,
    located: Located,
) -> Any:
    """The stored row, nobody else writing it until the commit; inside the writer's area, of the stated version."""
    may_keep(register, True)
    row = held(session, register, code, by, located)
    may_write(
        register, row, sent, version, by, located, lambda key: last_writers(session, register, [key]).get(key, "")
    )
    return row


def _geometry(register: Register, given: Any, located: Located, now: datetime) -> tuple[Any, list[Fault]]:
    if given is None:
        needed = register.geometry_needed
        return None, [("geometry", "位置：在地图上点一个点，或画一条线。")] if needed else []
    if register.geometry is None or register.area != BY_PLACE:
        return None, [("geometry", f"{register.label}的图形不能在这里改，用导入。")]
    try:
        return geometry_of(register, given, located, now), []
    except InvalidValue as fault:
        return None, [("geometry", fault.message)]


def _may_place(register: Register, area: Area, located: Located, geom: Any) -> None:
    """Managers write inside their communities only, also where a moved shop now stands."""
    if area.everywhere:
        return
    if register.area != BY_PLACE:
        raise NotAllowed(f"新的{register.label}要由主管或管理员登记。")
    if not holds_all(area, located.find(geom)):
        raise NotAllowed("这个位置不在你的社区里。换一个位置，或请主管来登记。")


def _code_faults(register: Register, code: str) -> list[Fault]:
    label = register.by_name[register.key].label
    if len(code) > _MOST_CODE:
        return [(register.key, f"{label}：最多 {_MOST_CODE} 个字符。")]
    if any(sign in code for sign in "/\\?#%") or any(sign.isspace() for sign in code):
        return [(register.key, f"{label}：不能有空格和 / \\ ? # % 这些符号。")]
    return []


def _new_code(session: Session, register: Register, values: Mapping[str, Any], geom: Any) -> str:
    """The stated code, which must be free; else one that is proposed, with a number behind where it is taken."""
    column = getattr(register.model, register.key)
    stated = values.get(register.key)
    if stated is not None:
        taken = session.execute(select(register.model.ended_on).where(column == stated)).first()
        if taken is not None:
            ended = taken[0] is not None and "（已终止的，可以恢复它）"
            raise Conflict(f"编码“{stated}”已经有了{ended or ''}。换一个编码，或留空由系统编一个。")
        return str(stated)
    made = register.propose(values, geom) if register.propose else None
    if made is None:
        raise InvalidValue(register.key, f"{register.by_name[register.key].label}：必须填写。")
    taken_codes = set(session.scalars(select(column).where(column.startswith(made, autoescape=True))))
    number, code = 1, made
    while code in taken_codes:
        number += 1
        code = f"{made}-{number}"
    return code


def _raise(faults: Sequence[Fault]) -> None:
    if faults:
        raise InvalidValues(faults)


def _moved(session: Session, register: Register) -> int:
    """The kind's counters move, so that every worker's next answer is fresh; the value marks the row. Once in a
    transaction is enough: nobody sees it before the commit."""
    key = ("moved", register.name, session.get_transaction())
    if key not in session.info:
        session.info[key] = max([counters.move(session, name) for name in register.counters], default=0)
    return int(session.info[key])


def written(
    session: Session,
    register: Register,
    rows: Sequence[Written],
    verb: str,
    by: By,
    note: str | None = None,
    more: Sequence[Line] = (),
) -> list[Done]:
    """One version more of each row, the counters moved, a line each in the trail, then the lines `more`. The imports
    that made the rows stay named. However many rows, the store is asked the same few times."""
    for one in rows:
        one.row.version += 1
        one.row.revision = _moved(session, register)
    session.flush()
    lines = [
        Line(f"{register.noun}.{verb}", _subject(register, one.row), before=one.before, after=one.after, note=note)
        for one in rows
    ]
    audit.append_lines(session, by.actor, by.now, [*lines, *more])
    return [Done(getattr(one.row, register.key), one.row.version, tuple(one.after)) for one in rows]


def _subject(register: Register, row: Any) -> Subject:
    return Subject(register.name, getattr(row, register.key), title(register, row))
