"""What is wrong with a duty as it was asked for: its subject, its person, its days, its stand-in. Pure, in words."""

from __future__ import annotations

from datetime import date, timedelta

from service.clock import is_empty, overlap
from service.duties.ledger import Facts
from service.duties.queries import DutyRow
from service.duties.rules import ROLES, SUBJECT_KINDS, fits, last_day, period_words, role_name
from service.records.register import Fault

EARLIEST, MOST_AHEAD = date(1950, 1, 1), timedelta(days=3653)


def subject_fault(facts: Facts, duty: DutyRow, fitting: bool = True) -> str:
    """Why nobody can be given this role for this subject in this period; empty when somebody can."""
    found = facts.subjects.get((duty.subject_kind, duty.subject_code))
    word = SUBJECT_KINDS.get(duty.subject_kind, duty.subject_kind)
    if found is None:
        return f"没有“{duty.subject_code[:40]}”这个{word}。"
    if not found.mine:
        return elsewhere(found.name)
    if fitting and not fits(duty.role, duty.subject_kind, found.sort):
        return f"{role_name(duty.role)}不用在{word}上（{found.name}）。{_fitting(duty.role)}"
    if not found.holds(duty.starts_on, duty.ends_on):
        return _absent(found.name, found.spans, duty)
    return ""


def _fitting(role: str) -> str:
    kinds = "、".join(SUBJECT_KINDS[kind] for kind in ROLES[role].fits) if role in ROLES else ""
    return f"{role_name(role)}的对象是：{kinds}。" if kinds else ""


def _absent(name: str, spans: tuple[tuple[date | None, date | None], ...], duty: DutyRow) -> str:
    """Which days it isn't there on, and what to enter instead."""
    met = next((one for one in spans if overlap(duty.starts_on, duty.ends_on, *one)), None)
    if met is None:
        return f"“{name}”在这段时间不存在（{'；'.join(period_words(*one) for one in spans)}）。"
    begins, ends = met
    if ends is not None and (duty.ends_on is None or duty.ends_on > ends):
        return f"“{name}”到 {last_day(ends)} 为止，责任最晚到那一天；填上截止再指派。"
    return f"“{name}”{begins} 才有，责任最早从那一天起。"


def person_faults(facts: Facts, field: str, code: str, starts: date | None, ends: date | None) -> list[Fault]:
    """Somebody who isn't registered, or no longer on some of the days."""
    person = facts.people.get(code)
    if not code or person is None:
        return [(field, f"没有“{code[:40]}”这个人。先登记人员。" if code else "选一个人。")]
    if person.until is None or (ends is not None and ends <= person.until):
        return []
    if starts is not None and starts >= person.until:
        return [(field, f"{person.name}已于 {person.until} 终止登记，不能再任职。")]
    return [(field, f"{person.name}的登记到 {last_day(person.until)} 为止，责任最晚到那一天。")]


def day_faults(facts: Facts, starts: date | None, ends: date | None, field: str = "starts_on") -> list[Fault]:
    """Years that were mistyped, an end before the begin."""
    out = [
        (name, f"日期 {day} 像是写错了年份，检查一下。")
        for name, day in ((field, starts), ("ends_on", ends))
        if day is not None and not EARLIEST <= day <= facts.today + 3 * MOST_AHEAD
    ]
    if not out and starts is not None and starts > facts.today + MOST_AHEAD:
        out.append((field, f"日期 {starts} 太远，最多提前十年。"))
    if starts is not None and ends is not None and ends <= starts and not is_empty(None, ends):
        out.append(("ends_on", f"截止（{last_day(ends)}）早于开始（{starts}）。"))
    return out


def acting_faults(facts: Facts, duty: DutyRow) -> list[Fault]:
    """A stand-in who can't stand in: nobody, the holder, days outside the duty, days the wrong way round."""
    if duty.acting_code is None:
        return [("acting_code", "有代理日期，没有代理人。")]
    if duty.acting_code == duty.person_code:
        return [("acting_code", "代理人不能是本人。")]
    out = person_faults(facts, "acting_code", duty.acting_code, duty.acting_from, duty.acting_until)
    out += day_faults(facts, duty.acting_from, duty.acting_until, "acting_from")
    out = [("acting_until" if name == "ends_on" else name, words) for name, words in out]
    if not out and not overlap(duty.starts_on, duty.ends_on, duty.acting_from, duty.acting_until):
        out.append(("acting_from", f"代理的日子不在任期里（{period_words(duty.starts_on, duty.ends_on)}）。"))
    return out


def elsewhere(name: str) -> str:
    """A subject outside the asker's area."""
    return f"“{name}”不全在你的社区里，由主管来指派。"
