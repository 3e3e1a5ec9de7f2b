"""Whether a row may be written now, and what a change would move: judged, nothing written yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from service.clock import spoken
from service.errors import Conflict, NotAllowed, StaleVersion
from service.people.access import Area
from service.people.writers import By
from service.records.models import AuditEntry
from service.records.register import BY_PLACE, BY_UNIT, Register
from service.registers.location import Located
from service.registers.queries import any_of, not_found, only
from service.registers.rules import holds_all
from service.registers.shapes import plain


def may_keep(register: Register, able: bool) -> None:
    """Raises Conflict where the register isn't kept by hand this way."""
    if register.read_only or not able:
        raise Conflict(register.why_not)


def may_write_any(register: Register, area: Area) -> None:
    """Raises NotAllowed where there can be no row that the area holds: no organisation lies in a manager's
    communities."""
    if not area.everywhere and register.area == BY_UNIT:
        raise NotAllowed(f"{register.label}要由主管或管理员来改。")


def held(session: Session, register: Register, code: str, by: By, located: Located) -> Any:
    """The stored row, nobody else writing it until the commit. Raises NotFound, also for one outside the area."""
    statement = select(register.model).where(*only(session, register, code, by.area, located)).with_for_update()
    row = session.scalars(statement.execution_options(populate_existing=True)).first()
    if row is None:
        raise not_found(register, code)
    return row


def held_many(session: Session, register: Register, codes: Iterable[str], by: By, located: Located) -> dict[str, Any]:
    """The same for many rows in one question, without their geometry; those that aren't found are left out."""
    model = register.model
    statement = select(model).where(*any_of(session, register, codes, by.area, located))
    if register.geometry:
        statement = statement.options(defer(model.geom))
    # In the order of the ids, so that two of them never wait for each other.
    statement = statement.order_by(model.id).with_for_update().execution_options(populate_existing=True)
    return {getattr(row, register.key): row for row in session.scalars(statement)}


def may_write(
    register: Register,
    row: Any,
    sent: Mapping[str, Any],
    version: int | None,
    by: By,
    located: Located,
    by_whom: Callable[[str], str],
) -> None:
    """Raises NotAllowed where the row isn't wholly in the writer's area, StaleVersion where `version` isn't the stored
    one (None: whatever it is). `by_whom`: who changed the row of a key last."""
    code = getattr(row, register.key)
    if not by.area.everywhere and (register.area == BY_UNIT or not holds_all(by.area, located.spots.get(code, ()))):
        raise NotAllowed(f"“{title(register, row)}”不全在你的社区里，由主管来改。")
    if version is not None and version != row.version:
        raise StaleVersion(
            f"“{title(register, row)}”在你打开之后被改过{by_whom(code)}。看过现在的内容，再决定怎样改。",
            told(register, stored_values(register, row)),
            row.version,
            sent,
            version,
        )


def still_holds(register: Register, row: Any, by: By) -> None:
    """Raises Conflict for a row that has ended."""
    if row.ended_on is not None and row.ended_on <= by.today:
        raise Conflict(f"{register.label}“{title(register, row)}”已于 {row.ended_on} 终止，先恢复再修改。")


def may_end(register: Register, row: Any, by: By) -> None:
    """Raises NotAllowed for who can't set ends here, Conflict for a row that has one."""
    may_change_validity(register, by, "终止")
    if row.ended_on is not None:
        raise Conflict(f"{register.label}“{title(register, row)}”已定于 {row.ended_on} 终止。")


def may_change_validity(register: Register, by: By, word: str) -> None:
    """A manager ends only what stands somewhere. Raises NotAllowed."""
    if register.area != BY_PLACE and not by.area.everywhere:
        raise NotAllowed(f"{register.label}的{word}要由主管或管理员来做。")


def nothing_depends(register: Register, row: Any, found: list[str]) -> None:
    """Raises Conflict that names what in force depends on the row."""
    if found:
        raise Conflict(f"还不能终止“{title(register, row)}”：{'；'.join(found)}。先处理这些，再来终止。")


def last_writers(session: Session, register: Register, codes: Iterable[str]) -> dict[str, str]:
    """Per key, in brackets, who changed the row last and when; left out where the trail knows of nobody."""
    last = (
        select(func.max(AuditEntry.id))
        .where(AuditEntry.subject_kind == register.name, AuditEntry.subject_code.in_(list(codes)))
        .where(AuditEntry.action.startswith(f"{register.noun}."))
        .group_by(AuditEntry.subject_code)
    )
    found = session.execute(
        select(AuditEntry.subject_code, AuditEntry.actor, AuditEntry.at).where(AuditEntry.id.in_(last))
    )
    return {code: f"（{actor}，{spoken(at)}）" for code, actor, at in found if code}


def stored_values(register: Register, row: Any) -> dict[str, Any]:
    """The row's fields as they are kept."""
    return {one.name: getattr(row, one.name) for one in register.fields}


def told(register: Register, values: Mapping[str, Any], geom: Any = None) -> dict[str, Any]:
    """A row's fields as plain JSON, for the trail and for a conflict's two sides."""
    out = {
        one.name: value.isoformat() if isinstance(value := values.get(one.name), date) else value
        for one in register.fields
    }
    return out | ({"geometry": plain(geom)} if geom is not None else {})


def title(register: Register, row: Any) -> str:
    """What a row is called; its key where it has no name."""
    return str(getattr(row, register.title) or getattr(row, register.key))
