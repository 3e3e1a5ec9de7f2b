"""Steps on duties, without a store: tables of edge cases, and the property that holds after any of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.clock import in_force, overlap
from service.duties.leave import Leave, Return
from service.duties.ledger import Facts, Ledger, PersonFact, SubjectFact, Verdict
from service.duties.queries import DutyRow
from service.duties.rules import ROLES, SUBJECT_KINDS, acting_on, fits
from service.duties.steps import Assign, Copy, Correct, End, HandOver, Step
from service.errors import InvalidValue, InvalidValues

TODAY = date(2026, 11, 23)
G1, G2, G3 = ("grid", "g1"), ("grid", "g2"), ("grid", "g3")
STREET, RIVER, MARKET = ("street", "s1"), ("place", "r1"), ("place", "m1")
NEXT_MONDAY = date(2026, 11, 30)
FACTS = Facts(
    TODAY,
    {
        G1: SubjectFact(*G1, "一网格"),
        G2: SubjectFact(*G2, "二网格"),
        G3: SubjectFact(*G3, "三网格", ((NEXT_MONDAY, None),)),
        ("grid", "old"): SubjectFact("grid", "old", "旧网格", ((None, NEXT_MONDAY),)),
        ("grid", "far"): SubjectFact("grid", "far", "别处", mine=False),
        STREET: SubjectFact(*STREET, "南街"),
        RIVER: SubjectFact(*RIVER, "小河", sort="river"),
        MARKET: SubjectFact(*MARKET, "市场", sort="market"),
    },
    {
        **{code: PersonFact(code, name) for code, name in (("A", "张三"), ("B", "李四"), ("C", "王五"))},
        "GONE": PersonFact("GONE", "赵六", date(2026, 12, 1)),
    },
)


def duty(code: str, person: str = "A", **more: Any) -> DutyRow:
    given = {"role": "grid_leader", "subject_kind": "grid", "subject_code": "g1", "person_code": person}
    return DutyRow(**{**dict.fromkeys(DutyRow.__dataclass_fields__), "code": code, **given, **more})


def day(n: int) -> date:
    return TODAY + timedelta(days=n)


def one(step: Step, *duties: DutyRow, facts: Facts = FACTS) -> Verdict:
    step.check(facts)
    (verdict,) = step.plan(Ledger.of(duties), facts)
    return verdict


def leader(*subjects: tuple[str, str], person: str = "B", **more: Any) -> Assign:
    return Assign("grid_leader", person, subjects or (G1,), more.pop("starts", TODAY), **more)


class TestAssign:
    def test_several_at_once_each_with_its_verdict(self) -> None:
        held = duty("d1", starts_on=date(2026, 1, 1))
        verdicts = leader(G1, G2, ("grid", "far"), ("grid", "none"), G2).plan(Ledger.of([held]), FACTS)
        assert [one.ok for one in verdicts] == [False, True, False, False]
        assert verdicts[0].message == "网格长已有张三（2026-01-01 起，没有截止）。先交接或终止它，或者选“换人”。"
        assert verdicts[0].clash == held
        assert "不全在你的社区里" in verdicts[2].message and "没有“none”这个网格" in verdicts[3].message

    def test_one_after_the_other_is_no_overlap(self) -> None:
        assert one(leader(starts=day(5)), duty("d1", ends_on=day(5))).ok
        assert not one(leader(starts=day(4)), duty("d1", ends_on=day(5))).ok
        assert one(leader(ends=day(5)), duty("d1", starts_on=day(5))).ok
        later = one(leader(), duty("d1", starts_on=day(5)))
        assert not later.ok and "在它之前截止" in later.message

    def test_roles_of_many_take_several_but_nobody_twice(self) -> None:
        officer = duty("d1", role="grid_officer")
        assert one(Assign("grid_officer", "B", (G1,), TODAY), officer).ok
        again = one(Assign("grid_officer", "A", (G1,), TODAY), officer)
        assert again.ok and not again.changes and "本来就是张三" in again.message

    def test_replacing_relieves_the_holder_on_that_day(self) -> None:
        verdict = one(leader(replace=True), duty("d1", starts_on=date(2026, 1, 1)))
        assert [(c.verb, c.after.ends_on) for c in verdict.changes] == [("end", TODAY), ("create", None)]
        assert "张三到 2026-11-22 为止" in verdict.message
        planned = one(leader(starts=day(3), replace=True), duty("d1", starts_on=day(9)))
        assert [c.verb for c in planned.changes] == ["withdraw", "create"]
        begun = one(leader(starts=date(2026, 1, 1), replace=True), duty("d1", starts_on=date(2026, 2, 1)))
        assert not begun.ok, "what has been isn't undone"

    @pytest.mark.parametrize(
        ("role", "subject", "says"),
        [
            ("grid_leader", STREET, "网格长不用在街路上"),
            ("road_chief", G1, "路长的对象是：街路"),
            ("river_chief", MARKET, "河长不用在场所上"),
            ("lake_chief", RIVER, "湖（库）长不用在场所上"),
        ],
    )
    def test_roles_fit_their_subjects(self, role: str, subject: tuple[str, str], says: str) -> None:
        verdict = one(Assign(role, "A", (subject,), TODAY))
        assert not verdict.ok and says in verdict.message

    def test_subjects_of_editions_to_come_and_gone(self) -> None:
        assert one(leader(G3, starts=NEXT_MONDAY)).ok
        assert "2026-11-30 才有" in one(leader(G3)).message
        assert "到 2026-11-29 为止" in one(leader(("grid", "old"))).message
        assert one(leader(("grid", "old"), ends=NEXT_MONDAY)).ok
        assert "不存在" in one(leader(("grid", "old"), starts=NEXT_MONDAY)).message

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"person": "X"}, "person_code"),
            ({"person": ""}, "person_code"),
            ({"person": "GONE"}, "person_code"),
            ({"starts": date(202, 1, 1)}, "starts_on"),
            ({"starts": date(2226, 1, 1)}, "starts_on"),
            ({"ends": TODAY}, "ends_on"),
            ({"ends": day(-1)}, "ends_on"),
        ],
    )
    def test_what_is_wrong_with_the_whole(self, given: dict[str, Any], field: str) -> None:
        with pytest.raises(InvalidValues) as caught:
            leader(**given).check(FACTS)
        assert [name for name, _ in caught.value.errors] == [field]

    def test_somebody_who_leaves_may_answer_until_then(self) -> None:
        assert one(leader(person="GONE", ends=date(2026, 12, 1))).ok


class TestHandOver:
    def test_nobody_is_missing_between(self) -> None:
        verdict = one(HandOver(("d1",), "B", day(7)), duty("d1", ends_on=day(30), acting_code="C"))
        old, new = (change.after for change in verdict.changes)
        assert (old.ends_on, new.starts_on, new.ends_on, new.person_code) == (day(7), day(7), day(30), "B")
        assert new.acting_code is None and [c.verb for c in verdict.changes] == ["hand_over", "create"]

    def test_what_has_not_begun_passes_on_whole(self) -> None:
        verdict = one(HandOver(("d1",), "B", day(7)), duty("d1", starts_on=day(20)))
        old, new = (change.after for change in verdict.changes)
        assert (old.starts_on, old.ends_on, new.starts_on) == (day(20), day(20), day(20))
        assert not overlap(old.starts_on, old.ends_on, new.starts_on, new.ends_on)

    def test_refusals(self) -> None:
        assert "已经结束" in one(HandOver(("d1",), "B", TODAY), duty("d1", ends_on=day(-9))).message
        assert "没有编码" in one(HandOver(("d9",), "B", TODAY)).message
        same = one(HandOver(("d1",), "A", TODAY), duty("d1"))
        assert same.ok and not same.changes
        step = HandOver(("d1",), "B", TODAY)
        two = [duty("d1"), duty("d2", "C")]
        assert "网格长已有王五" in step.plan(Ledger.of(two), FACTS)[0].message
        with pytest.raises(InvalidValues, match="没有“X”这个人"):
            HandOver(("d1",), "X", TODAY).check(FACTS)

    def test_two_exchange_in_two_steps(self) -> None:
        ledger = Ledger.of([duty("d1"), duty("d2", "B", subject_code="g2")])
        assert all(v.ok for v in HandOver(("d1",), "B", TODAY).plan(ledger, FACTS))
        assert all(v.ok for v in HandOver(("d2",), "A", TODAY).plan(ledger, FACTS))
        held = {one.subject_code: one.person_code for one in ledger.rows.values() if one.ends_on is None}
        assert held == {"g1": "B", "g2": "A"}


class TestLeave:
    def test_a_stand_in_and_the_return(self) -> None:
        away = one(Leave(("d1",), "B", TODAY, day(9)), duty("d1"))
        held = away.changes[0].after
        assert (held.acting_code, held.acting_from, held.acting_until) == ("B", TODAY, day(9))
        back = one(Return(("d1",), day(3)), held).changes[0].after
        assert (back.acting_code, back.acting_until) == ("B", day(3))
        dropped = one(Return(("d1",), TODAY), replace(held, acting_from=day(2))).changes[0].after
        assert dropped.acting_code is dropped.acting_from is dropped.acting_until is None

    @pytest.mark.parametrize(
        ("step", "held", "says"),
        [
            (Leave(("d1",), "A", TODAY), {}, "不能是本人"),
            (Leave(("d1",), "B", day(40), day(50)), {"ends_on": day(30)}, "已经结束"),
            (Leave(("d1",), "B", TODAY, day(3)), {"starts_on": day(5)}, "早于开始"),
            (Leave(("d1",), "B", day(5)), {"acting_code": "C", "acting_from": day(6)}, "已安排王五代理"),
            (Return(("d1",), TODAY), {}, "没有人代理"),
            (Return(("d1",), TODAY), {"acting_code": "C", "acting_until": day(-1)}, "没有人代理"),
            (Return(("d1",), day(-5)), {"acting_code": "C", "acting_from": day(-2)}, "已经开始代理"),
        ],
    )
    def test_nonsense_is_refused(self, step: Step, held: dict[str, Any], says: str) -> None:
        verdict = one(step, duty("d1", **held))
        assert not verdict.ok and says in verdict.message

    def test_a_leave_that_is_nonsense_as_a_whole(self) -> None:
        for step in (Leave(("d1",), "B", TODAY, TODAY), Leave(("d1",), "X", TODAY), Leave(("d1",), "GONE", TODAY)):
            with pytest.raises(InvalidValues):
                step.check(FACTS)

    def test_a_second_leave_keeps_the_answers_of_the_first(self) -> None:
        first = duty("d1", starts_on=date(2026, 1, 1), acting_code="B", acting_from=day(-60), acting_until=day(-50))
        for new in (Leave(("d1",), "C", day(5), day(9)), Leave(("d1",), "C", day(-90), day(-80))):
            ledger = Ledger.of([first])
            (verdict,) = new.plan(ledger, FACTS)
            assert verdict.ok and len(verdict.changes) == 2
            rows = list(ledger.rows.values())
            for n in range(-120, 30):
                (held,) = [row for row in rows if in_force(row.starts_on, day(n), row.ends_on)]
                away = "B" if -60 <= n < -50 else "C" if new.starts <= day(n) < (new.ends or day(n)) else None
                assert held.holder_on(day(n)) == ((away, "A") if away else ("A", None))


class TestCorrect:
    def test_fields(self) -> None:
        verdict = one(Correct("d1", {"person_code": "B", "starts_on": day(-9)}), duty("d1"))
        assert verdict.changes[0].after.person_code == "B" and verdict.changes[0].verb == "change"
        assert one(Correct("d1", {"person_code": "A"}), duty("d1")).changes == ()

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"role": "emperor"}, "role"),
            ({"role": "road_chief"}, "subject_code"),
            ({"subject_code": "none"}, "subject_code"),
            ({"person_code": "X"}, "person_code"),
            ({"ends_on": day(-99)}, "ends_on"),
            ({"acting_code": "A"}, "acting_code"),
            ({"acting_from": TODAY}, "acting_code"),
        ],
    )
    def test_wrong_ones(self, values: dict[str, Any], field: str) -> None:
        with pytest.raises(InvalidValues) as caught:
            one(Correct("d1", values), duty("d1", starts_on=day(-50)))
        assert field in [name for name, _ in caught.value.errors]
        with pytest.raises(InvalidValue):
            one(Correct("d1", {"id": 7}), duty("d1"))

    def test_an_overlap_that_is_stored_already_may_become_smaller_but_not_larger(self) -> None:
        both = Ledger.of([duty("d1", starts_on=day(-50)), duty("d2", "B", starts_on=day(-30))])
        assert Correct("d1", {"ends_on": day(-10)}).plan(both, FACTS)[0].ok
        assert not Correct("d1", {"ends_on": day(10)}).plan(both, FACTS)[0].ok
        assert Correct("d1", {"ends_on": day(-30)}).plan(both, FACTS)[0].ok

    def test_outside_the_area(self) -> None:
        away = one(Correct("d1", {"person_code": "B"}), duty("d1", subject_code="far"))
        gone = duty("d1", subject_code="none")
        assert not away.ok and one(End(("d1",), TODAY), gone).ok
        assert not one(End(("d1",), TODAY), gone, facts=replace(FACTS, everywhere=False)).ok


def test_copying_gives_the_same_people_over_others() -> None:
    held = [duty("d1", ends_on=day(90)), duty("d2", "B", role="grid_officer"), duty("d3", "C", ends_on=day(-1))]
    taken = duty("d4", "C", subject_code="g2")
    step = Copy(G1, (G2, G3), NEXT_MONDAY)
    step.check(FACTS)
    verdicts = step.plan(Ledger.of([*held, taken]), FACTS)
    assert [(v.subject, v.ok) for v in verdicts] == [(G2, False), (G2, True), (G3, True), (G3, True)]
    assert verdicts[2].changes[0].after.ends_on == day(90)
    only = Copy(G1, (G3,), NEXT_MONDAY, ("grid_officer",)).plan(Ledger.of(held), FACTS)
    assert [v.changes[0].after.role for v in only] == ["grid_officer"]


def test_the_table_of_roles_names_kinds_that_there_are() -> None:
    for role in ROLES.values():
        assert set(role.fits) <= set(SUBJECT_KINDS) and role.fits
        assert fits(role.code, role.fits[0], (role.places or (None,))[0])


_DAYS = st.integers(-30, 30).map(day)
_CODES = st.lists(st.integers(0, 12), min_size=1, max_size=3)
_WHO = st.sampled_from("ABC")
_SUBJECTS = st.lists(st.sampled_from([G1, G2, STREET, G3]), min_size=1, max_size=3).map(tuple)
_ROLE = st.sampled_from(["grid_leader", "grid_officer", "road_chief"])
_MAYBE = st.none() | _DAYS
_MOVES = st.one_of(
    st.builds(Assign, _ROLE, _WHO, _SUBJECTS, _DAYS, _MAYBE, st.booleans()),
    st.tuples(st.just(HandOver), _CODES, _WHO, _DAYS, _MAYBE),
    st.tuples(st.just(End), _CODES, _DAYS),
    st.tuples(st.just(Leave), _CODES, _WHO, _DAYS, _MAYBE),
    st.tuples(st.just(Return), _CODES, _DAYS),
    st.tuples(
        st.just(Correct),
        _CODES,
        st.dictionaries(st.sampled_from(["starts_on", "ends_on"]), _MAYBE)
        | st.fixed_dictionaries({"person_code": _WHO, "subject_code": st.sampled_from(["g1", "g2"])}),
    ),
    st.builds(Copy, st.sampled_from([G1, G2]), _SUBJECTS, _DAYS),
)


@given(st.lists(_MOVES, min_size=2, max_size=14))
@settings(max_examples=300, deadline=None)
def test_no_exclusive_role_ever_has_two_holders(moves: list[Any]) -> None:
    ledger = Ledger()
    for move in moves:
        step = move
        if isinstance(move, tuple):
            kind, picks, *rest = move
            codes = [sorted(ledger.rows)[i % len(ledger.rows)] for i in picks] if ledger.rows else []
            if not codes:
                continue
            step = Correct(codes[0], rest[0]) if kind is Correct else kind(tuple(codes), *rest)
        before = dict(ledger.rows)
        try:
            step.check(FACTS)
            verdicts = step.plan(ledger, FACTS)
        except InvalidValues:
            assert ledger.rows == before, "what is refused as a whole changes nothing"
            continue
        changed = {change.after.code for verdict in verdicts for change in verdict.changes}
        assert {code for code, row in ledger.rows.items() if before.get(code) != row} <= changed
        assert not any(verdict.changes for verdict in verdicts if not verdict.ok)
    rows = list(ledger.rows.values())
    for n in range(-40, 40):
        on = day(n)
        held = [row for row in rows if in_force(row.starts_on, on, row.ends_on)]
        exclusive = [(row.role, row.subject_kind, row.subject_code) for row in held if ROLES[row.role].exclusive]
        assert len(exclusive) == len(set(exclusive)), (on, held)
        twice = [(row.role, row.subject_kind, row.subject_code, row.person_code) for row in held]
        assert len(twice) == len(set(twice)), (on, held)
        assert not any(
            row.acting_code == row.person_code
            for row in held
            if acting_on(row.acting_code, row.acting_from, on, row.acting_until)
        )
