"""What can be done to duties, each judged subject by subject: assign, hand over, end, correct, copy. Pure.

A step's `plan` puts what it accepts into the ledger and says of every subject or duty what becomes of it. Leave is in
leave.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, Protocol

from service.duties.faults import acting_faults, day_faults, elsewhere, person_faults, subject_fault
from service.duties.ledger import Change, Facts, Ledger, Verdict, clash_words, is_over, relieved_of_leave
from service.duties.queries import DutyRow, Subject
from service.duties.rules import ROLES, SUBJECT_KINDS, last_day, period_words, role_name, role_rank
from service.errors import InvalidValue, InvalidValues
from service.records.register import Fault

CREATE, CHANGE, END, HAND_OVER, WITHDRAW = "create", "change", "end", "hand_over", "withdraw"


class Step(Protocol):
    """Anything that can be judged and carried out."""

    @property
    def codes(self) -> Collection[str]:
        """Duties that are named."""

    @property
    def subjects(self) -> Collection[Subject]:
        """Subjects that are named beside those of the duties."""

    @property
    def people(self) -> Collection[str]:
        """Persons who are to answer."""

    def check(self, facts: Facts) -> None:
        """Raises InvalidValues for what is wrong with the whole step."""

    def plan(self, ledger: Ledger, facts: Facts) -> list[Verdict]:
        """One verdict for each subject or duty, in order."""


@dataclass(frozen=True)
class Assign:
    """A person into a role for some subjects. `replace`: whoever holds an exclusive role is relieved on that day."""

    role: str
    person: str
    subjects: tuple[Subject, ...]
    starts: date
    ends: date | None = None
    replace: bool = False

    codes: tuple[str, ...] = ()

    @property
    def people(self) -> Collection[str]:
        return (self.person,)

    def check(self, facts: Facts) -> None:
        faults = [*person_faults(facts, "person_code", self.person, self.starts, self.ends)]
        faults += day_faults(facts, self.starts, self.ends)
        if self.role not in ROLES:
            faults.insert(0, ("role", f"没有“{self.role[:20]}”这个职务。"))
        if not self.subjects:
            faults.append(("subjects", "先选至少一个对象。"))
        _raise(faults)

    def plan(self, ledger: Ledger, facts: Facts) -> list[Verdict]:
        return [self._one(ledger, facts, subject) for subject in dict.fromkeys(self.subjects)]

    def _one(self, ledger: Ledger, facts: Facts, subject: Subject) -> Verdict:
        made = DutyRow("", self.role, *subject, self.person, None, None, None, self.starts, self.ends)
        why = subject_fault(facts, made)
        if why:
            return Verdict(subject, None, False, why, field="subject_code")
        mine = next((one for one in ledger.beside(made) if one.person_code == self.person), None)
        if mine is not None and _holds(mine, made):
            told = f"本来就是{facts.person_name(self.person)}（{period_words(mine.starts_on, mine.ends_on)}）"
            return Verdict(subject, mine.code, True, told)
        relieved: tuple[Change, ...] = ()
        if self.replace and ROLES[self.role].exclusive and mine is None:
            relieved = tuple(
                change for other in ledger.beside(made) if (change := relieve(other, self.starts, facts.today))
            )
        gone = {change.after.code for change in relieved}
        clash = next((one for one in ledger.beside(made) if one.code not in gone and _bars(one, made)), None)
        if clash is not None:
            return Verdict(subject, None, False, f"{clash_words(clash, facts)}。{_way_out(clash, made)}", clash=clash)
        made = replace(made, code=ledger.free_code(made))
        changes = (*relieved, Change(CREATE, None, made))
        ledger.put_all(changes)
        return Verdict(subject, made.code, True, _assigned(facts, made, relieved), changes)


def _bars(other: DutyRow, made: DutyRow) -> bool:
    return ROLES[made.role].exclusive or other.person_code == made.person_code


def _holds(outer: DutyRow, inner: DutyRow) -> bool:
    begins = outer.starts_on is None or (inner.starts_on is not None and outer.starts_on <= inner.starts_on)
    return begins and (outer.ends_on is None or (inner.ends_on is not None and inner.ends_on <= outer.ends_on))


def _way_out(clash: DutyRow, made: DutyRow) -> str:
    if clash.person_code == made.person_code:
        return "改那一条的日期，不用再指派。"
    later = clash.starts_on is not None and made.starts_on is not None and clash.starts_on >= made.starts_on
    return "先取消或改那一条，或者在它之前截止。" if later else "先交接或终止它，或者选“换人”。"


def _assigned(facts: Facts, made: DutyRow, relieved: tuple[Change, ...]) -> str:
    words = f"{facts.person_name(made.person_code)}任{role_name(made.role)}，"
    words += period_words(made.starts_on, made.ends_on)
    for one in relieved:
        ended = last_day(one.after.ends_on)
        who = facts.person_name(one.after.person_code)
        words += f"；{who}的取消" if one.verb == WITHDRAW else f"；{who}到 {ended} 为止"
    return words


@dataclass(frozen=True)
class HandOver:
    """Duties from their holders to another person on a day: the old end, new ones begin, nobody is missing between.
    What has not begun by then passes on whole."""

    codes: tuple[str, ...]
    to: str
    on: date
    ends: date | None = None

    subjects: tuple[Subject, ...] = ()

    @property
    def people(self) -> Collection[str]:
        return (self.to,)

    def check(self, facts: Facts) -> None:
        _raise([*person_faults(facts, "to", self.to, self.on, self.ends), *day_faults(facts, self.on, self.ends, "on")])

    def plan(self, ledger: Ledger, facts: Facts) -> list[Verdict]:
        return [self._one(ledger, facts, code) for code in dict.fromkeys(self.codes)]

    def _one(self, ledger: Ledger, facts: Facts, code: str) -> Verdict:
        old, refusal = open_duty(ledger, facts, code, self.on)
        if old is None or refusal:
            return refusal or _unknown(code)
        subject = (old.subject_kind, old.subject_code)
        if old.person_code == self.to:
            return Verdict(subject, code, True, f"本来就是{facts.person_name(self.to)}")
        ended = relieve(old, self.on, facts.today)
        if ended is None:
            return Verdict(subject, code, False, _begun(old), field="on")
        starts = old.starts_on if ended.verb == WITHDRAW else self.on
        ends = self.ends or old.ends_on
        if ends is not None and starts is not None and ends <= starts:
            return Verdict(subject, code, False, f"截止（{last_day(ends)}）早于开始（{starts}）。", field="ends_on")
        made = replace(relieved_of_leave(old), code="", person_code=self.to, starts_on=starts, ends_on=ends)
        why = subject_fault(facts, made, fitting=False)
        if why:
            return Verdict(subject, code, False, why, field="subject_code")
        clash = next((one for one in ledger.beside(made) if one.code != code and _bars_role(one, made)), None)
        if clash is not None:
            return Verdict(subject, code, False, f"{clash_words(clash, facts)}。先处理那一条。", clash=clash)
        made = replace(made, code=ledger.free_code(made))
        changes = (replace(ended, verb=HAND_OVER), Change(CREATE, None, made))
        ledger.put_all(changes)
        told = f"{facts.person_name(old.person_code)}交给{facts.person_name(self.to)}，"
        return Verdict(subject, made.code, True, told + period_words(starts, ends), changes)


def _bars_role(other: DutyRow, made: DutyRow) -> bool:
    exclusive = made.role in ROLES and ROLES[made.role].exclusive
    return exclusive or other.person_code == made.person_code


@dataclass(frozen=True)
class End:
    """The end of duties: they hold no longer from the day on. One that has not begun by then is withdrawn."""

    codes: tuple[str, ...]
    on: date

    subjects: tuple[Subject, ...] = ()
    people: tuple[str, ...] = ()

    def check(self, facts: Facts) -> None:
        _raise(day_faults(facts, self.on, None, "on"))

    def plan(self, ledger: Ledger, facts: Facts) -> list[Verdict]:
        return [self._one(ledger, facts, code) for code in dict.fromkeys(self.codes)]

    def _one(self, ledger: Ledger, facts: Facts, code: str) -> Verdict:
        old, refusal = open_duty(ledger, facts, code, self.on)
        if old is None or refusal:
            return refusal or _unknown(code)
        subject = (old.subject_kind, old.subject_code)
        change = relieve(old, self.on, facts.today)
        if change is None:
            return Verdict(subject, code, False, _begun(old), field="on")
        ledger.put_all((change,))
        who = f"{facts.person_name(old.person_code)}的{role_name(old.role)}"
        told = f"{who}取消" if change.verb == WITHDRAW else f"{who}到 {last_day(self.on)} 为止"
        return Verdict(subject, code, True, told, (change,))


@dataclass(frozen=True)
class Correct:
    """Fields of one duty, put right. `values`: by name as stored."""

    code: str
    values: Mapping[str, Any]

    @property
    def codes(self) -> Collection[str]:
        return (self.code,)

    @property
    def subjects(self) -> Collection[Subject]:
        """Where the duty may move to: what is held there already must be known. A code alone may be of any kind."""
        code, kind = self.values.get("subject_code"), self.values.get("subject_kind")
        return [(one, str(code)) for one in ([str(kind)] if kind else SUBJECT_KINDS)] if code else []

    @property
    def people(self) -> Collection[str]:
        return [one for name in ("person_code", "acting_code") if (one := self.values.get(name))]

    def check(self, facts: Facts) -> None:
        known = {one.name for one in fields(DutyRow)} - {"code"}
        strange = [name for name in self.values if name not in known]
        if strange:
            raise InvalidValue(strange[0][:40], f"没有“{strange[0][:40]}”这一项，检查拼写。")

    def plan(self, ledger: Ledger, facts: Facts) -> list[Verdict]:
        old = ledger.rows.get(self.code)
        if old is None:
            return [_unknown(self.code)]
        new = replace(old, **dict(self.values))
        subject = (new.subject_kind, new.subject_code)
        if not facts.mine(old):
            name = facts.subject_name((old.subject_kind, old.subject_code))
            return [Verdict(subject, self.code, False, elsewhere(name), field="code")]
        if new == old:
            return [Verdict(subject, self.code, True, "没有改动")]
        faults = _corrected_faults(facts, old, new)
        if faults:
            raise InvalidValues(faults)
        clash = ledger.clash(new, old)
        if clash is not None:
            return [Verdict(subject, self.code, False, f"{clash_words(clash, facts)}。先处理那一条。", clash=clash)]
        change = Change(CHANGE, old, new)
        ledger.put_all((change,))
        return [Verdict(subject, self.code, True, "已修改", (change,))]


def _corrected_faults(facts: Facts, old: DutyRow, new: DutyRow) -> list[Fault]:
    """What a correction may not say; what was so before may stay."""
    out: list[Fault] = []
    moved = (old.starts_on, old.ends_on) != (new.starts_on, new.ends_on)
    renamed = (old.role, old.subject_kind, old.subject_code) != (new.role, new.subject_kind, new.subject_code)
    if new.role not in ROLES and new.role != old.role:
        out.append(("role", f"没有“{new.role[:20]}”这个职务。"))
    if moved:
        out += day_faults(facts, new.starts_on, new.ends_on)
    if new.person_code != old.person_code or moved:
        out += person_faults(facts, "person_code", new.person_code, new.starts_on, new.ends_on)
    if not out and (renamed or moved):
        why = subject_fault(facts, new, fitting=renamed)
        out += [("subject_code", why)] if why else []
    if (_acting(old) != _acting(new) or new.person_code != old.person_code) and any(_acting(new)):
        out += acting_faults(facts, new)
    return out


def _acting(duty: DutyRow) -> tuple[Any, ...]:
    return duty.acting_code, duty.acting_from, duty.acting_until


@dataclass(frozen=True)
class Copy:
    """The duties of one subject over others too, from a day on: who answers there answers here as well."""

    of: Subject
    to: tuple[Subject, ...]
    on: date
    roles: tuple[str, ...] = ()

    codes: tuple[str, ...] = ()
    people: tuple[str, ...] = ()

    @property
    def subjects(self) -> Collection[Subject]:
        return (self.of, *self.to)

    def check(self, facts: Facts) -> None:
        faults = day_faults(facts, self.on, None, "on")
        if not self.to:
            faults.append(("to", "先选至少一个要照样指派的对象。"))
        _raise(faults)

    def plan(self, ledger: Ledger, facts: Facts) -> list[Verdict]:
        copied = [
            duty
            for duty in ledger.of_subject(self.of)
            if not is_over(duty, self.on) and (not self.roles or duty.role in self.roles)
        ]
        copied.sort(key=lambda duty: role_rank(duty.role))
        targets = [one for one in dict.fromkeys(self.to) if one != self.of]
        return [verdict for target in targets for duty in copied for verdict in self._one(ledger, facts, duty, target)]

    def _one(self, ledger: Ledger, facts: Facts, duty: DutyRow, target: Subject) -> list[Verdict]:
        starts = max(self.on, duty.starts_on or self.on)
        one = Assign(duty.role, duty.person_code, (target,), starts, duty.ends_on)
        faults = [
            *([] if duty.role in ROLES else [("role", f"职务“{duty.role[:20]}”不在表里。")]),
            *person_faults(facts, "person_code", duty.person_code, starts, duty.ends_on),
        ]
        if faults:
            return [Verdict(target, None, False, faults[0][1], field=faults[0][0])]
        return one.plan(ledger, facts)


def relieve(duty: DutyRow, on: date, today: date) -> Change | None:
    """The duty ended on the day, or withdrawn when it has not begun; None when it began on that day or later, but not
    later than today's morning: what has been cannot be undone by ending."""
    if duty.starts_on is None or duty.starts_on < on:
        return Change(END, duty, replace(duty, ends_on=on))
    if duty.starts_on >= today:
        return Change(WITHDRAW, duty, replace(duty, ends_on=duty.starts_on))
    return None


def open_duty(ledger: Ledger, facts: Facts, code: str, on: date) -> tuple[DutyRow | None, Verdict | None]:
    """The duty, and why it can't be touched: unknown, outside the area, or over by the day."""
    duty = ledger.rows.get(code)
    if duty is None:
        return None, _unknown(code)
    subject = (duty.subject_kind, duty.subject_code)
    if not facts.mine(duty):
        return duty, Verdict(subject, code, False, elsewhere(facts.subject_name(subject)), field="code")
    if is_over(duty, on):
        return duty, Verdict(subject, code, False, f"已经结束（{period_words(duty.starts_on, duty.ends_on)}）。")
    return duty, None


def _unknown(code: str) -> Verdict:
    return Verdict(("", ""), code, False, f"没有编码是“{code[:40]}”的责任。", field="code")


def _begun(duty: DutyRow) -> str:
    return f"{duty.starts_on} 已经上任，结束要晚于这一天。"


def _raise(faults: list[Fault]) -> None:
    if faults:
        raise InvalidValues(faults)
