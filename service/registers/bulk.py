"""One change over many rows: every row has its own verdict, and its own line in the trail.

The store is asked the same few times however many rows there are: 500 of them hold the write lock for a moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from service.errors import InvalidValue, InvalidValues, StewardError, TooMany
from service.records.audit import Line, Subject, append_lines, differences
from service.records.masking import is_masked, is_masked_words
from service.records.register import LONG, Fault, Register
from service.registers.actions import By, Written, written
from service.registers.dependants import dependants
from service.registers.judging import (
    held_many,
    last_writers,
    may_change_validity,
    may_end,
    may_keep,
    may_write,
    may_write_any,
    nothing_depends,
    still_holds,
    stored_values,
    told,
)
from service.registers.location import Located
from service.registers.queries import not_found
from service.registers.values import parse

MOST_ROWS = 500
CHANGED, UNCHANGED, REFUSED = "changed", "unchanged", "refused"


@dataclass(frozen=True)
class Outcome:
    """What became of one row. `version`: the one that it has now, of a row that isn't refused; `fault`: why it is."""

    code: str
    verdict: str
    version: int | None = None
    fault: StewardError | None = None

    @property
    def message(self) -> str:
        return self.fault.message if self.fault else ""


def read_changes(session: Session, register: Register, sent: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be the same in every row, as stored values. Raises InvalidValues naming every field at fault: one that
    no form has, one that is unlike its kind, and a masked one, for it hides what nobody sent."""
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    able = {one.name: one for one in register.editable}
    for name, raw in sent.items():
        described = able.get(name)
        if described is None:
            known = "、".join(one.label for one in register.editable)
            faults.append((name[:40], f"不能成批修改“{name[:40]}”。可以改的有：{known}。"))
        elif (described.personal and is_masked(raw)) or (described.kind == LONG and is_masked_words(raw)):
            faults.append((name, f"{described.label}：这是打了码的，不能写进别的行。写完整的。"))
        else:
            try:
                values[name] = parse(session, described, raw)
            except InvalidValue as fault:
                faults.append((name, fault.message))
    if not sent:
        faults.append(("changes", "没有写要改哪一项。"))
    if faults:
        raise InvalidValues(faults)
    return values


def change_many(
    session: Session,
    register: Register,
    rows: Mapping[str, int | None],
    values: Mapping[str, Any],
    by: By,
    located: Located,
) -> list[Outcome]:
    """The same values (of `read_changes`) into many rows. `rows`: key to the version that was seen (None: whatever it
    is). Rows are judged one by one; those that can't be changed stay as they are. Raises TooMany."""
    judge = _Judge(session, register, rows, values, by, located)
    for code, row in judge.writable():
        stored = stored_values(register, row)
        after = {**stored, **values}
        try:
            still_holds(register, row, by)
            faults = list(register.check(stored, after) if register.check else ())
            if faults:
                raise InvalidValues(faults)
        except StewardError as fault:
            judge.refuse(code, fault)
            continue
        was, now = differences(told(register, stored), told(register, after))
        judge.pass_on(code, row, was, now)
    return judge.write("change", "批量修改", values)


def end_many(
    session: Session,
    register: Register,
    rows: Mapping[str, int | None],
    by: By,
    located: Located,
    on: date | None = None,
    reason: str | None = None,
) -> list[Outcome]:
    """The end of many rows, each judged by itself; from today on unless another day is named."""
    may_keep(register, register.ends)
    may_change_validity(register, by, "终止")
    day = on or by.today
    judge = _Judge(session, register, rows, {}, by, located)
    found = dependants(session, register, list(rows), day)
    for code, row in judge.writable():
        try:
            may_end(register, row, by)
            nothing_depends(register, row, found[code])
        except StewardError as fault:
            judge.refuse(code, fault)
            continue
        judge.pass_on(code, row, {"ended_on": None}, {"ended_on": day})
    return judge.write("end", f"批量终止：{reason}" if reason else "批量终止", {"ended_on": day})


class _Judge:
    """The rows of one bulk change: held, told apart, then written together; every check before the first write."""

    def __init__(
        self,
        session: Session,
        register: Register,
        rows: Mapping[str, int | None],
        sent: Mapping[str, Any],
        by: By,
        located: Located,
    ) -> None:
        if len(rows) > MOST_ROWS:
            raise TooMany(f"一次最多改 {MOST_ROWS} 行，选了 {len(rows)} 行。先用筛选分成几批。")
        may_keep(register, True)
        may_write_any(register, by.area)
        self._session, self._register, self._by, self._located = session, register, by, located
        self._asked, self._sent = rows, sent
        self._held = held_many(session, register, rows, by, located)
        self._faults: dict[str, StewardError] = {}
        self._moved: dict[str, Written] = {}

    def writable(self) -> Iterable[tuple[str, Any]]:
        """The rows that exist, lie in the writer's area and are of the version that was seen."""
        stale = [
            code for code, row in self._held.items() if (seen := self._asked[code]) is not None and seen != row.version
        ]
        by_whom = last_writers(self._session, self._register, stale) if stale else {}
        for code, version in self._asked.items():
            row = self._held.get(code)
            try:
                if row is None:
                    raise not_found(self._register, code)
                may_write(
                    self._register,
                    row,
                    self._sent,
                    version,
                    self._by,
                    self._located,
                    lambda key: by_whom.get(key, ""),
                )
            except StewardError as fault:
                self.refuse(code, fault)
                continue
            yield code, row

    def refuse(self, code: str, fault: StewardError) -> None:
        self._faults[code] = fault

    def pass_on(self, code: str, row: Any, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """A row that may be written; nothing moves where both sides are the same. `after`: as stored or as told."""
        if after:
            self._moved[code] = Written(row, before, _told(after))

    def write(self, verb: str, note: str, values: Mapping[str, Any]) -> list[Outcome]:
        for one in self._moved.values():
            for name in one.after:
                setattr(one.row, name, values[name])
        refusal = self._refusal(verb, values)
        if self._moved:
            written(self._session, self._register, list(self._moved.values()), verb, self._by, note, refusal)
        else:
            append_lines(self._session, self._by.actor, self._by.now, refusal)
        return [self._outcome(code) for code in self._asked]

    def _refusal(self, verb: str, values: Mapping[str, Any]) -> Sequence[Line]:
        """One line names every row that was refused, and why."""
        if not self._faults:
            return ()
        reasons = [{"code": code, "reason": fault.message} for code, fault in self._faults.items()]
        after = {**_told(values), "asked": len(self._asked), "refused": len(reasons), "reasons": reasons}
        subject = Subject(self._register.name, None, self._register.label)
        note = f"{len(self._asked)} 行里有 {len(reasons)} 行没有改"
        return (Line(f"{self._register.noun}.bulk_{verb}", subject, False, after=after, note=note),)

    def _outcome(self, code: str) -> Outcome:
        fault = self._faults.get(code)
        if fault is not None:
            return Outcome(code, REFUSED, fault=fault)
        return Outcome(code, CHANGED if code in self._moved else UNCHANGED, self._held[code].version)


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
