"""What somebody typed into a form or sent as JSON, as stored values: through the same parsers as a file's cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from service.errors import InvalidValue
from service.files.parsed import Parsed
from service.files.table import objects
from service.files.values import parse_code, parse_date, parse_int, parse_phone, parse_text, without_unseen
from service.people.models import Organisation, Person
from service.records.batches import visible
from service.records.register import (
    CHOICE,
    CODE,
    DATE,
    PHONE,
    REFERENCE,
    WHOLE,
    Fault,
    Register,
    RegisterField,
)

MOST_TEXT = 4_000
_MOST_WHOLE = 2**31 - 1
_PARSERS: dict[str, Callable[..., Parsed]] = {
    CODE: parse_code,
    REFERENCE: parse_code,
    PHONE: parse_phone,
    DATE: parse_date,
    WHOLE: parse_int,
}


def understood(
    session: Session, register: Register, sent: Mapping[str, Any], stored: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], list[Fault]]:
    """(values by field, what is wrong). Only the fields that were sent; `stored`: the row before, whose values pass."""
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, raw in sent.items():
        described = register.by_name.get(name)
        if described is None:
            faults.append((name[:40], f"没有“{name[:40]}”这一项，检查拼写。"))
            continue
        if stored is not None and same(described, raw, stored.get(name)):
            values[name] = stored.get(name)
            continue
        if stored is not None and not described.editable:
            faults.append((name, f"{described.label}不能改。"))
            continue
        try:
            values[name] = parse(session, described, raw)
        except InvalidValue as fault:
            faults.append((name, fault.message))
    return values, faults


def same(described: RegisterField, raw: Any, stored: Any) -> bool:
    """Whether what was sent is what is stored, written as an interface or a form writes it."""
    text = "" if raw is None else str(raw).strip()
    kept = stored.isoformat() if isinstance(stored, date) else "" if stored is None else str(stored)
    return text == kept


def parse(session: Session, described: RegisterField, raw: Any) -> Any:
    """One value. Raises InvalidValue that names the field and says what to do."""
    if raw is not None and not isinstance(raw, str | int | float | bool):
        raise InvalidValue(described.name, f"{described.label}：要写成文字或数，不是列表或对象。")
    text = "" if raw is None else without_unseen(str(raw)).strip()
    if len(text) > MOST_TEXT:
        raise InvalidValue(described.name, f"{described.label}：最多 {MOST_TEXT} 个字，这里有 {len(text)} 个。")
    if any(ord(sign) < 32 and sign not in "\t\n\r" for sign in text):
        raise InvalidValue(described.name, f"{described.label}：里面有看不见的控制字符，删掉再存。")
    if not text:
        if described.needed:
            raise InvalidValue(described.name, f"{described.label}：必须填写。")
        return None
    if described.kind == CHOICE:
        return choice(described, text)
    if described.kind == REFERENCE:
        return _reference(session, described, text)
    value = _parsed(described, text)
    if described.kind == WHOLE and not 0 <= value <= _MOST_WHOLE:
        raise InvalidValue(described.name, f"{described.label}：要是 0 以上的整数，这里是 {text[:20]}。")
    return value


def choice(described: RegisterField, text: str) -> Any:
    """The stored value that a word means. Raises InvalidValue with the words that there are."""
    word = text.strip()
    means = {name: value for value, name in described.choices.items()} | dict(described.words)
    value = word if word in described.choices else means.get(word, means.get(word.lower()))
    if value is None:
        raise InvalidValue(
            described.name,
            f"{described.label}：不认识“{word[:30]}”。可以写：{'、'.join(described.choices.values())}。",
        )
    return int(value) if described.numeric else value


def _parsed(described: RegisterField, text: str) -> Any:
    parser: Callable[..., Parsed] = _PARSERS.get(described.kind, parse_text)
    found = parser(objects([text]), described.name)
    if found.problems:
        raise InvalidValue(described.name, f"{described.label}：{found.problems[0].reason}。")
    value = found.values.tolist()[0]
    if value is None and described.needed:
        raise InvalidValue(described.name, f"{described.label}：必须填写。")
    return value


def _reference(session: Session, described: RegisterField, text: str) -> str:
    """The key of what a word names: by code, or by a name (or phone) that only one has."""
    code = _parsed(described, text)
    model: Any = Person if described.reference == "people" else Organisation
    named = or_(model.name == code, model.phone == code)
    rows = session.execute(
        select(model.code, model.code == code).where(
            visible(model), model.ended_on.is_(None), or_(model.code == code, named)
        )
    ).all()
    exact = [key for key, whole in rows if whole]
    if exact or len(rows) == 1:
        return str((exact or [rows[0][0]])[0])
    if rows:
        raise InvalidValue(described.name, f"{described.label}：有 {len(rows)} 个叫“{text[:30]}”，改写编码。")
    what = "人员" if described.reference == "people" else "单位"
    raise InvalidValue(described.name, f"{described.label}：没有“{text[:30]}”。先登记这个{what}，或改写已有的。")
