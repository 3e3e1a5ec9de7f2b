"""A bulk change as the interface reads and answers it: which rows, what is to become of them, a verdict per row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from service.errors import InvalidValue, InvalidValues, TooMany
from service.registers.bulk import CHANGED, MOST_ROWS, REFUSED, UNCHANGED, Outcome
from service.web.context import parse_day
from service.web.problems import status_of

_MOST_REASON = 200
_EXAMPLE = '{"rows": [{"code": "…", "version": 1}], "changes": {"state": "vacant"}}'


@dataclass(frozen=True)
class Asked:
    """`rows`: key to the version that was seen (None: whatever it is). `changes`: what is to be the same in all of
    them; None where they are to end, `on` a day (None: today), for a `reason`."""

    rows: Mapping[str, int | None]
    changes: Mapping[str, Any] | None
    on: date | None = None
    reason: str | None = None


def asked_bulk(body: Any) -> Asked:
    """{"rows": [{"code", "version"} or "code" …], "changes": {…}} or …"end": {"on", "reason"}}. Raises InvalidValue."""
    if not isinstance(body, dict) or set(body) - {"rows", "changes", "end"}:
        raise InvalidValue("body", f"请求的内容要是一个 JSON 对象，例如 {_EXAMPLE}。")
    changes, end = body.get("changes"), body.get("end")
    if (changes is None) == (end is None):
        raise InvalidValue("changes", "写 changes（改成什么）或者 end（从哪天起终止），只写一样。")
    rows = _rows(body.get("rows"))
    if end is None:
        if not isinstance(changes, dict):
            raise InvalidValue("changes", f"changes 要是一个 JSON 对象，例如 {_EXAMPLE}。")
        return Asked(rows, changes)
    if not isinstance(end, dict) or not all(isinstance(one, str) for one in end.values()) or set(end) - _END:
        raise InvalidValue("end", 'end 要是一个 JSON 对象，例如 {"on": "2026-11-30", "reason": "已搬走"}。')
    reason = " ".join(end.get("reason", "").split())[:_MOST_REASON]
    return Asked(rows, None, parse_day(end["on"]) if end.get("on") else None, reason or None)


_END = {"on", "reason"}


def _rows(given: Any) -> dict[str, int | None]:
    if not isinstance(given, list) or not given:
        raise InvalidValue("rows", f"缺少 rows：要改的行，例如 {_EXAMPLE}。")
    if len(given) > MOST_ROWS:
        raise TooMany(f"一次最多改 {MOST_ROWS} 行，送来 {len(given)} 行。分几次送。")
    out: dict[str, int | None] = {}
    for at, one in enumerate(given):
        code, version = (one.get("code"), one.get("version")) if isinstance(one, dict) else (one, None)
        if not isinstance(code, str) or not code:
            raise InvalidValue(f"rows[{at}]", f"rows 的第 {at + 1} 个没有写编码。")
        if version is not None and (not isinstance(version, int) or isinstance(version, bool)):
            raise InvalidValue(f"rows[{at}]", f"rows 的第 {at + 1} 个：version 要是整数，写取来时的那个版本号。")
        if code in out:
            raise InvalidValue(f"rows[{at}]", f"rows 里“{code[:40]}”写了两次。")
        out[code] = version
    return out


def bulk_json(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """How many rows of each verdict, and each row's own, in the order that was sent."""
    said = [one.verdict for one in outcomes]
    counts = {word: said.count(word) for word in (CHANGED, UNCHANGED, REFUSED)}
    return counts | {"items": [_outcome_json(one) for one in outcomes]}


def _outcome_json(one: Outcome) -> dict[str, Any]:
    """A refusal as problem+json would tell it: status, what was wrong, and with which field."""
    out: dict[str, Any] = {"code": one.code, "verdict": one.verdict}
    if one.fault is None:
        return out | {"version": one.version}
    errors: Sequence[tuple[str, str]] = ()
    if isinstance(one.fault, InvalidValues):
        errors = one.fault.errors
    elif isinstance(one.fault, InvalidValue):
        errors = ((one.fault.field, one.fault.message),)
    told = [{"field": field, "message": message} for field, message in errors]
    return out | {"status": status_of(type(one.fault))[0], "detail": one.fault.message, "errors": told}
