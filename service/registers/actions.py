"""Registers kept by hand: create, change, end, restore. Each appends to the trail; none commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.clock import spoken
from service.db.spatial import decode, encode
from service.errors import Conflict, InvalidValue, InvalidValues, NotAllowed, StaleVersion
from service.people.access import Area
from service.people.writers import By as By
from service.records import audit, counters
from service.records.audit import Subject, differences
from service.records.models import AuditEntry
from service.records.register import BY_PLACE, BY_UNIT, Fault, Register
from service.registers.dependants import dependants
from service.registers.location import Located
from service.registers.queries import not_found, only
from service.registers.rules import holds_all
from service.registers.shapes import geometry_of, plain, same_shape
from service.registers.values import understood

_MOST_CODE = 64


@dataclass(frozen=True)
class Done:
    """The row as it is now: its key, its version, and which fields moved (empty: nothing did)."""

    code: str
    version: int
    changed: tuple[str, ...]


def create(
    session: Session, register: Register, sent: Mapping[str, Any], by: By, located: Located, geometry: Any = None
) -> Done:
    """A new row. Raises InvalidValues naming every field at fault, Conflict for a code in use, NotAllowed."""
    _may_keep(register, register.creates)
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
    after = {name: value for name, value in _told(register, values, geom).items() if value is not None}
    _append(session, register, row, "create", by, None, after)
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
    if row.ended_on is not None and row.ended_on <= by.today:
        raise Conflict(f"{register.label}“{_title(register, row)}”已于 {row.ended_on} 终止，先恢复再修改。")
    stored = {one.name: getattr(row, one.name) for one in register.fields}
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
    before, after = differences(_told(register, stored), _told(register, after_values))
    if moved:
        before["geometry"], after["geometry"] = plain(before_geom), plain(geom)
    if not after:
        return Done(code, row.version, ())
    for name in after:
        if name == "geometry":
            row.geom = encode(geom)
        else:
            setattr(row, name, values[name])
    return _written(session, register, row, "change", by, before, after, note)


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
    _may_keep(register, register.ends)
    row = _locked(session, register, code, {}, version, by, located)
    if register.area != BY_PLACE and not by.area.everywhere:
        raise NotAllowed(f"{register.label}的终止要由主管或管理员来做。")
    if row.ended_on is not None:
        raise Conflict(f"{register.label}“{_title(register, row)}”已定于 {row.ended_on} 终止。")
    day = on or by.today
    found = dependants(session, register, code, day)
    if found:
        raise Conflict(f"还不能终止“{_title(register, row)}”：{'；'.join(found)}。先处理这些，再来终止。")
    row.ended_on = day
    return _written(session, register, row, "end", by, {"ended_on": None}, {"ended_on": day.isoformat()}, note)


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
    _may_keep(register, register.ends)
    row = _locked(session, register, code, {}, version, by, located)
    if register.area != BY_PLACE and not by.area.everywhere:
        raise NotAllowed(f"{register.label}的恢复要由主管或管理员来做。")
    if row.ended_on is None:
        raise Conflict(f"{register.label}“{_title(register, row)}”没有终止，不用恢复。")
    before, row.ended_on = row.ended_on.isoformat(), None
    return _written(session, register, row, "restore", by, {"ended_on": before}, {"ended_on": None}, note)


def _may_keep(register: Register, able: bool) -> None:
    if register.read_only or not able:
        raise Conflict(register.why_not)


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
    _may_keep(register, True)
    statement = select(register.model).where(*only(session, register, code, by.area, located)).with_for_update()
    row = session.scalars(statement.execution_options(populate_existing=True)).first()
    if row is None:
        raise not_found(register, code)
    if not by.area.everywhere and (register.area == BY_UNIT or not holds_all(by.area, located.spots.get(code, ()))):
        raise NotAllowed(f"“{_title(register, row)}”不全在你的社区里，由主管来改。")
    if version is not None and version != row.version:
        stored = _told(register, {one.name: getattr(row, one.name) for one in register.fields})
        raise StaleVersion(
            f"“{_title(register, row)}”在你打开之后被改过{_by_whom(session, register, code)}。"
            "看过现在的内容，再决定怎样改。",
            stored,
            row.version,
            sent,
            version,
        )
    return row


def _by_whom(session: Session, register: Register, code: str) -> str:
    last = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.subject_kind == register.name, AuditEntry.subject_code == code)
        .where(AuditEntry.action.startswith(f"{register.noun}."))
        .order_by(AuditEntry.id.desc())
        .limit(1)
    ).first()
    return f"（{last.actor}，{spoken(last.at)}）" if last else ""


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


def _told(register: Register, values: Mapping[str, Any], geom: Any = None) -> dict[str, Any]:
    """A row's fields as plain JSON, for the trail and for a conflict's two sides."""
    out = {
        one.name: value.isoformat() if isinstance(value := values.get(one.name), date) else value
        for one in register.fields
    }
    return out | ({"geometry": plain(geom)} if geom is not None else {})


def _title(register: Register, row: Any) -> str:
    return str(getattr(row, register.title) or getattr(row, register.key))


def _append(
    session: Session,
    register: Register,
    row: Any,
    verb: str,
    by: By,
    before: dict[str, Any] | None,
    after: dict[str, Any],
    note: str | None = None,
) -> None:
    subject = Subject(register.name, getattr(row, register.key), _title(register, row))
    audit.append(session, by.actor, f"{register.noun}.{verb}", by.now, subject, before=before, after=after, note=note)


def _written(
    session: Session,
    register: Register,
    row: Any,
    verb: str,
    by: By,
    before: dict[str, Any],
    after: dict[str, Any],
    note: str | None,
) -> Done:
    """One version more, the counters moved, a line in the trail. The import that made the row stays named."""
    row.version += 1
    row.revision = _moved(session, register)
    session.flush()
    _append(session, register, row, verb, by, before, after, note)
    return Done(getattr(row, register.key), row.version, tuple(after))
