"""What narrows a list: words of the query string into criteria, each with the name of the filter that it came from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, collate, false, not_, or_, select, true
from sqlalchemy.orm import Session

from service.clock import SHANGHAI
from service.db.bulk import among
from service.db.types import holding
from service.errors import InvalidValue
from service.people.access import Area
from service.people.models import Account
from service.records.batches import visible
from service.records.register import CHOICE, CODE, DATE, MOMENT, PERSON, REFERENCE, WHOLE, Register, RegisterField
from service.registers.asked import Asked
from service.registers.duty_words import duties_of_area, duty_search
from service.registers.location import Located
from service.registers.rules import in_communities, in_grids, reached, with_community, with_grid
from service.registers.values import choice

ENDED = {"no": "在用", "yes": "已终止", "all": "全部"}
_MOST_WHOLE = 2**31 - 2
Named = tuple[str, ColumnElement[bool]]


def criteria(session: Session, register: Register, asked: Asked, located: Located) -> list[Named]:
    """(filter's name, criterion). Raises InvalidValue for an unknown filter or word."""
    model = register.model
    out: list[Named] = [("", visible(model))]
    if register.scope is not None:
        out.append(("", register.scope(session, asked.on)))
    allowed = reached(register.area, register.subject, located.spots, asked.area)
    if allowed is not None:
        mine = one_of(getattr(model, register.key), allowed)
        out.append(("", or_(mine, *colleagues(register, asked.area))))
    filters = {name: readable(name, words) for name, words in asked.filters.items() if any(words)}
    if register.ends:
        out.append(("ended", ended(model, _only(filters.pop("ended", ("no",)), "ended", ENDED), asked.on)))
    for name, words in filters.items():
        out.append((name, _criterion(session, register, name, words, located, asked)))
    return out


def readable(name: str, words: Sequence[str]) -> tuple[str, ...]:
    """PostgreSQL has no texts with NUL."""
    if any("\0" in word for word in words):
        raise InvalidValue(name, f"{name}：里面有看不见的控制字符，删掉再找。")
    return tuple(words)


def one_of(attribute: Any, values: Collection[str]) -> ColumnElement[bool]:
    """Whether a text is one of these, however many."""
    found: ColumnElement[bool] = among(attribute, values)
    return found


def by_code_point(session: Session, column: Any) -> Any:
    """A column to sort by: texts by code point on both stores, so that a list reads the same."""
    text = column.type.python_type is str
    return collate(column, "C") if text and session.get_bind().dialect.name == "postgresql" else column


def colleagues(register: Register, area: Area) -> list[ColumnElement[bool]]:
    """Persons of the account's own organisation are in its area, and the duties that its person or unit has to do
    with."""
    if register.name == "duties":
        return duties_of_area(area)
    if register.name == "people" and area.organisation:
        return [register.model.organisation_code == area.organisation]
    return []


def ended(model: Any, which: str, on: date) -> ColumnElement[bool]:
    """no: holds on the day; yes: ended by then; all."""
    over = and_(model.ended_on.is_not(None), model.ended_on <= on)
    found: ColumnElement[bool] = {"no": not_(over), "yes": over, "all": model.id.is_not(None)}[which]
    return found


def _criterion(
    session: Session, register: Register, name: str, words: Sequence[str], located: Located, asked: Asked
) -> ColumnElement[bool]:
    key = getattr(register.model, register.key)
    derived = {one.name for one in register.derived}
    described = register.by_name.get(name)
    if name == "q":
        return searched(register, words, asked)
    if name == "missing":
        return and_(*(_missing(session, register, word, located) for word in words))
    if name in ("grid", "community") and name in derived:
        within = in_grids if name == "grid" else in_communities
        return one_of(key, within(located.spots, words))
    if name == "account" and name in derived:
        known = select(Account.person_code).where(Account.person_code.is_not(None), Account.active.is_(True))
        yes = _only(words, name, {"yes": "", "no": ""}) == "yes"
        return key.in_(known) if yes else key.not_in(known)  # type: ignore[no-any-return]
    if described is None or not described.filter or (described.kind == PERSON and not asked.names):
        usable = [one.name for one in register.filters]
        raise InvalidValue(name[:40], f"不能按“{name[:40]}”筛选。可用的筛选：{'、'.join(usable)}、q、missing。")
    return field_criterion(register, described, words, asked.on)


def field_criterion(
    register: Register, described: RegisterField, words: Sequence[str], on: date
) -> ColumnElement[bool]:
    """A field by the words: equal to one of them, in a range, or containing one."""
    column = register.column(described.name, on)
    if described.kind == CHOICE:
        return column.in_([choice(described, word) for word in words])  # type: ignore[no-any-return]
    if described.kind in (CODE, REFERENCE):
        return column.in_(list(words))  # type: ignore[no-any-return]
    if described.kind in (DATE, MOMENT, WHOLE):
        return or_(*(_ranged(described, column, word) for word in words))
    return or_(*(contains(column, word) for word in words))


def contains(column: Any, word: str) -> ColumnElement[bool]:
    """Whether a text holds the word, whatever its case."""
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return holding(column, f"%{escaped}%")


def searched(register: Register, words: Sequence[str], asked: Asked) -> ColumnElement[bool]:
    """Every word somewhere in the searched fields; in a person's name where the asker reads it."""
    model = register.model
    parts = [part for word in words for part in word.split()]
    if register.name == "duties":
        return and_(true(), *(duty_search(part, asked.names) for part in parts))
    named = true() if asked.names else or_(false(), *colleagues(register, asked.area))
    fields = {one: named if register.by_name[one].kind == PERSON else true() for one in register.searched}

    def somewhere(part: str) -> ColumnElement[bool]:
        return or_(false(), *(and_(read, contains(getattr(model, one), part)) for one, read in fields.items()))

    return and_(true(), *(somewhere(part) for part in parts))


def sortable(register: Register, asked: Asked) -> tuple[str, ...]:
    """What the asker may sort the list by: of persons' names only those that are all shown whole. Colleagues' are to
    whoever reads names (a unit's handler reads those of the own unit), keepers' and owners' to whoever reads them
    everywhere."""
    if register.name == "people":
        whole = asked.names or bool(colleagues(register, asked.area))
    else:
        whole = asked.names and asked.area.everywhere
    return tuple(
        name
        for name in register.sortable
        if whole or name not in register.by_name or register.by_name[name].kind != PERSON
    )


def order_of(register: Register, asked: Asked) -> str:
    """The sort that was asked for, else the register's own; by key where that one is not the asker's."""
    usual = register.order if register.order.removeprefix("-") in sortable(register, asked) else register.key
    return asked.sort or usual


def _missing(session: Session, register: Register, name: str, located: Located) -> ColumnElement[bool]:
    """Rows without a value: of a field, or without grid, community, leader."""
    key = getattr(register.model, register.key)
    if name in register.by_name:
        column = getattr(register.model, name)
        return column.is_(None)  # type: ignore[no-any-return]
    if name not in {one.name for one in register.derived}:
        raise InvalidValue("missing", f"没有“{name[:30]}”这一列，不能筛选缺少它的行。")
    if name == "grid":
        return not_(one_of(key, with_grid(located.spots)))
    if name == "community":
        return not_(one_of(key, with_community(located.spots)))
    if name == "leader":
        led = {code for code, zone in located.zones.items() if zone.leader}
        return not_(one_of(key, led if register.name == "grids" else in_grids(located.spots, led)))
    if name == "duties":
        return not_(one_of(key, set(located.duties)))
    raise InvalidValue("missing", f"不能筛选缺少“{name[:30]}”的行。")


def _ranged(described: RegisterField, column: Any, word: str) -> ColumnElement[bool]:
    """`a..b`, `a..`, `..b` or a single value; both ends are included, days are Shanghai's."""
    first, dots, last = word.partition("..")
    if not dots:
        last = first
    out = []
    if first:
        out.append(column >= _bound(described, first, 0))
    if last:
        end = _bound(described, last, 1)
        out.append(column < end)
    return and_(column.is_not(None), *out)


def _bound(described: RegisterField, text: str, more: int) -> Any:
    """The begin of a day or number, or of the next one (`more` 1)."""
    try:
        if described.kind == WHOLE:
            return min(max(int(text), 0), _MOST_WHOLE) + more
        day = date.fromisoformat(text) + timedelta(days=more)
        return datetime.combine(day, time(), SHANGHAI).astimezone(UTC) if described.kind == MOMENT else day
    except (ValueError, OverflowError):
        example = "120..300" if described.kind == WHOLE else "2026-11-01..2026-11-30"
        raise InvalidValue(
            described.name, f"{described.label}的范围“{text[:30]}”读不懂，写成 {example} 这样，一头可以空着。"
        ) from None


def _only(words: Sequence[str], name: str, known: Any) -> str:
    if len(words) != 1 or words[0] not in known:
        raise InvalidValue(name, f"{name}=“{','.join(words)[:30]}”不能用，可以是 {'、'.join(known)}。")
    return words[0]
