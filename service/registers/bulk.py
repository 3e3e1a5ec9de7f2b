"""One change over many rows: every row has its own verdict, and its own line in the trail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from service.errors import InvalidValue, StewardError, TooMany
from service.records.register import Register
from service.registers import actions
from service.registers.actions import By, Done
from service.registers.location import Located

MOST_ROWS = 500  # the write lock is held under a second


@dataclass(frozen=True)
class Outcome:
    """What became of one row. `ok` with changed False: it was so already."""

    code: str
    ok: bool
    changed: bool
    message: str


def change_many(
    session: Session,
    register: Register,
    rows: Mapping[str, int | None],
    field: str,
    value: Any,
    by: By,
    located: Located,
) -> list[Outcome]:
    """One field of many rows. `rows`: key to the version that was seen (None: whatever it is). Rows are judged one by
    one; those that can't be changed stay as they are. Raises InvalidValue for a field that no row has, TooMany."""
    described = register.by_name.get(field)
    if described is None or not described.editable:
        able = "、".join(one.label for one in register.editable)
        raise InvalidValue("field", f"不能成批修改“{field[:40]}”。可以改的有：{able}。")
    return _each(
        rows,
        lambda code, version: actions.change(
            session, register, code, {field: value}, version, by, located, note="批量修改"
        ),
    )


def end_many(
    session: Session, register: Register, rows: Mapping[str, int | None], by: By, located: Located
) -> list[Outcome]:
    """The end of many rows, each judged by itself."""
    return _each(
        rows, lambda code, version: actions.end(session, register, code, version, by, located, note="批量终止")
    )


def _each(rows: Mapping[str, int | None], act: Callable[[str, int | None], Done]) -> list[Outcome]:
    if len(rows) > MOST_ROWS:
        raise TooMany(f"一次最多改 {MOST_ROWS} 行，选了 {len(rows)} 行。先用筛选分成几批。")
    out = []
    for code, version in rows.items():
        try:
            done = act(code, version)
        except StewardError as fault:  # every check comes before the first write of a row
            out.append(Outcome(code, False, False, fault.message))
        else:
            out.append(Outcome(code, True, bool(done.changed), "已修改" if done.changed else "本来就是这样"))
    return out
