"""Leave: somebody stands in for a holder on some days. Pure.

A duty carries one leave. A second one splits the duty between them into two that follow each other, so that every past
day keeps its answer (docs/decisions/028).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date

from service.clock import overlap
from service.duties.faults import acting_faults, day_faults, person_faults
from service.duties.ledger import Change, Facts, Ledger, Verdict, relieved_of_leave
from service.duties.queries import DutyRow, Subject
from service.duties.rules import period_words
from service.duties.steps import CREATE, open_duty
from service.errors import InvalidValues

ACT, RETURN = "act", "return"


@dataclass(frozen=True)
class Leave:
    """Somebody stands in for the holders of some duties, from a day to a day (None: until told otherwise)."""

    codes: tuple[str, ...]
    acting: str
    starts: date
    ends: date | None = None

    subjects: tuple[Subject, ...] = ()

    @property
    def people(self) -> Collection[str]:
        return (self.acting,)

    def check(self, facts: Facts) -> None:
        faults = person_faults(facts, "acting_code", self.acting, self.starts, self.ends)
        days = day_faults(facts, self.starts, self.ends, "acting_from")
        faults += [("acting_until" if name == "ends_on" else name, words) for name, words in days]
        if faults:
            raise InvalidValues(faults)

    def plan(self, ledger: Ledger, facts: Facts) -> list[Verdict]:
        return [self._one(ledger, facts, code) for code in dict.fromkeys(self.codes)]

    def _one(self, ledger: Ledger, facts: Facts, code: str) -> Verdict:
        old, refusal = open_duty(ledger, facts, code, self.starts)
        if old is None or refusal:
            return refusal or Verdict(("", ""), code, False, f"没有编码是“{code[:40]}”的责任。", field="code")
        subject = (old.subject_kind, old.subject_code)
        starts = max(self.starts, old.starts_on or self.starts)
        new = replace(old, acting_code=self.acting, acting_from=starts, acting_until=self.ends)
        if new == old:
            return Verdict(subject, code, True, f"本来就由{facts.person_name(self.acting)}代理")
        faults = acting_faults(facts, new)
        if faults:
            return Verdict(subject, code, False, faults[0][1], field=faults[0][0])
        if old.acting_code and overlap(old.acting_from, old.acting_until, starts, self.ends):
            words = period_words(old.acting_from, old.acting_until)
            told = f"已安排{facts.person_name(old.acting_code)}代理（{words}）。先结束那一次，或改日期。"
            return Verdict(subject, code, False, told, field="acting_from")
        changes = _changes(ledger, old, new)
        ledger.put_all(changes)
        told = f"{facts.person_name(old.person_code)}休假，{facts.person_name(self.acting)}代理，"
        told += period_words(starts, self.ends) + self._warning(facts, starts)
        return Verdict(subject, changes[-1].after.code, True, told, changes)

    def _warning(self, facts: Facts, starts: date) -> str:
        """Who stands in may be away too; an office may want it so for a day, but should know."""
        person = facts.people[self.acting]
        away = person.away_in(starts, self.ends)
        return f"。注意：{person.name}自己也有人代理（{period_words(*away)}），可能不在岗" if away else ""


def _changes(ledger: Ledger, old: DutyRow, new: DutyRow) -> tuple[Change, ...]:
    """The leave put in; where there is an earlier or later one already, the duty becomes two."""
    kept = (old.acting_code, old.acting_from, old.acting_until)
    apart = old.acting_code is not None and overlap(old.starts_on, old.ends_on, old.acting_from, old.acting_until)
    if not apart or new.acting_from is None:
        return (Change(ACT, old, new),)
    first, second = old, new
    if old.acting_from is not None and new.acting_from < old.acting_from:
        first, second = new, replace(new, acting_code=kept[0], acting_from=kept[1], acting_until=kept[2])
    cut = second.acting_from
    assert cut is not None
    if old.starts_on is not None and cut <= old.starts_on:
        return (Change(ACT, old, new),)
    second = replace(second, code="", starts_on=cut)
    second = replace(second, code=ledger.free_code(second))
    return Change(ACT, old, replace(first, ends_on=cut)), Change(CREATE, None, second)


@dataclass(frozen=True)
class Return:
    """The holders are back on the day; a leave that has not begun by then is dropped."""

    codes: tuple[str, ...]
    on: date

    subjects: tuple[Subject, ...] = ()
    people: tuple[str, ...] = ()

    def check(self, facts: Facts) -> None:
        faults = day_faults(facts, self.on, None, "on")
        if faults:
            raise InvalidValues(faults)

    def plan(self, ledger: Ledger, facts: Facts) -> list[Verdict]:
        return [self._one(ledger, facts, code) for code in dict.fromkeys(self.codes)]

    def _one(self, ledger: Ledger, facts: Facts, code: str) -> Verdict:
        old, refusal = open_duty(ledger, facts, code, date.min)
        if old is None or refusal:
            return refusal or Verdict(("", ""), code, False, f"没有编码是“{code[:40]}”的责任。", field="code")
        subject = (old.subject_kind, old.subject_code)
        over = old.acting_until is not None and old.acting_until <= self.on
        if old.acting_code is None or over:
            return Verdict(subject, code, False, "这一天没有人代理。", field="on")
        dropped = old.acting_from is not None and old.acting_from >= self.on
        if dropped and old.acting_from is not None and old.acting_from < facts.today:
            return Verdict(subject, code, False, f"{old.acting_from} 已经开始代理，结束要晚于这一天。", field="on")
        new = relieved_of_leave(old) if dropped else replace(old, acting_until=self.on)
        change = Change(RETURN, old, new)
        ledger.put_all((change,))
        who = facts.person_name(old.person_code)
        told = f"{who}的代理取消" if dropped else f"{who} {self.on} 起回岗"
        return Verdict(subject, code, True, told, (change,))
