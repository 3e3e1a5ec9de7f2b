"""Duties changed by hand on either store: what is written, what stands in the trail, who may, two at once."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from service.duties.leave import Leave, Return
from service.duties.steps import Assign, Copy, End, HandOver
from service.errors import Conflict, InvalidValues, NotFound, StaleVersion, TooMany
from service.people.access import Area
from service.records.audit_verify import verify
from service.records.models import AuditEntry
from tests.duties.conftest import Office
from tests.registers.conftest import MANAGER_EAST, MANAGER_WEST, TODAY
from tests.responsibility.town import A1, A2, B1, B2, EAST_HOME, LEAVE, MICRO, OFFICE, SPECIAL, WEST_HOME

TOMORROW = TODAY + timedelta(days=1)
NEXT_MONDAY = date(2026, 11, 30)


def grids(*codes: str) -> tuple[tuple[str, str], ...]:
    return tuple(("grid", code) for code in codes)


def test_vacant_grids_get_a_leader_from_a_day_on(office: Office) -> None:
    step = Assign("grid_leader", "P1", grids(A2, B1), NEXT_MONDAY)
    assert [one.ok for one in office.look(step)] == [True, True]
    assert office.leader(A2, NEXT_MONDAY) is None, "looking changes nothing"
    verdicts = office.do(step, note="新到岗")
    assert [one.ok for one in verdicts] == [True, True]
    assert (office.leader(A2, TODAY), office.leader(A2, NEXT_MONDAY), office.leader(B1, NEXT_MONDAY)) == (
        None,
        "P1",
        "P1",
    )
    code = verdicts[0].code or ""
    told = {"code": code, "role": "grid_leader", "subject_kind": "grid", "subject_code": A2, "person_code": "P1"}
    assert office.trail(code) == [("duty.create", None, told | {"starts_on": "2026-11-30"})]
    assert [one.message[:4] for one in office.do(step)] == ["本来就是", "本来就是"]


def test_an_exclusive_role_is_refused_naming_who_holds_it(office: Office) -> None:
    (verdict,) = office.do(Assign("grid_leader", "P1", grids(A1), TODAY))
    assert not verdict.ok and verdict.clash is not None and verdict.clash.code == "D2"
    assert verdict.message.startswith("网格长已有李四（2026-11-01 起，没有截止）")
    assert office.trail("D2") == [] and set(office.rows()) == {f"D{n}" for n in range(1, 9)}


def test_handing_over_leaves_no_day_without_and_keeps_the_past(office: Office) -> None:
    office.do(HandOver(("D2", "D3"), "P4", NEXT_MONDAY), note="轮岗")
    assert [office.leader(A1, day) for day in (date(2026, 10, 1), date(2026, 11, 29), NEXT_MONDAY)] == [
        "P1",
        "P2",
        "P4",
    ]
    assert office.trail("D2") == [("duty.hand_over", {"ends_on": None}, {"ends_on": "2026-11-30"})]
    assert office.version("D2") == 2 and office.version("D1") == 1


def test_a_step_over_several_has_one_line_for_each_change_in_one_unbroken_trail(office: Office) -> None:
    verdicts = office.do(HandOver(("D2", "D3"), "P4", NEXT_MONDAY))
    made = [one.code or "" for one in verdicts]
    assert [office.trail(code)[0][0] for code in ("D2", made[0], "D3", made[1])] == [
        "duty.hand_over",
        "duty.create",
        "duty.hand_over",
        "duty.create",
    ]
    assert {office.version(code) for code in made} == {1} and office.version("D3") == 2
    with office.town.database.read() as session:
        lines = session.scalars(
            select(AuditEntry).where(AuditEntry.subject_kind == "duties").order_by(AuditEntry.id)
        ).all()
        assert [one.subject_code for one in lines] == ["D2", made[0], "D3", made[1]]
        assert verify(session, []).sound


def test_leave_and_return_move_the_answer(office: Office) -> None:
    assert office.leader(A1, TODAY) == "P3", "the town's own leave"
    office.do(Return(("D2",), TOMORROW))
    assert [office.leader(A1, day) for day in (TODAY, TOMORROW)] == ["P3", "P2"]
    office.do(Leave(("D2",), "P5", NEXT_MONDAY, NEXT_MONDAY + timedelta(days=7)))
    days = (TODAY, TOMORROW, NEXT_MONDAY, NEXT_MONDAY + timedelta(days=7))
    assert [office.leader(A1, day) for day in days] == ["P3", "P2", "P5", "P2"], "the first leave is still told"
    assert sum(one.subject_code == A1 and one.role == "grid_leader" for one in office.rows().values()) == 3


def test_ending_and_withdrawing(office: Office) -> None:
    office.do(End(("D8",), TOMORROW))
    assert [office.leader(SPECIAL, day) for day in (TODAY, TOMORROW)] == ["P8", None]
    (made,) = office.do(Assign("grid_leader", "P1", grids(SPECIAL), NEXT_MONDAY))
    (gone,) = office.do(End((made.code or "",), TODAY))
    assert gone.ok and office.leader(SPECIAL, NEXT_MONDAY) is None
    assert office.trail(made.code or "")[-1][0] == "duty.withdraw"
    (again,) = office.do(Assign("grid_leader", "P1", grids(SPECIAL), NEXT_MONDAY))
    assert again.ok and again.code == f"{made.code}-2", "a code isn't used twice"


def test_correcting_with_an_older_version_shows_both_sides(office: Office) -> None:
    office.correct("D4", {"person_code": "P6"}, 1)
    with pytest.raises(StaleVersion, match="周主管") as stale:
        office.correct("D4", {"person_code": "P7"}, 1)
    assert (stale.value.stored["person_code"], stale.value.stored_version) == ("P6", 2)
    assert stale.value.sent == {"person_code": "P7"}
    assert office.trail("D4") == [("duty.change", {"person_code": "P4"}, {"person_code": "P6"})]
    with pytest.raises(Conflict, match="网格长已有李四"):
        office.correct("D1", {"ends_on": date(2026, 11, 5)})
    with pytest.raises(NotFound):
        office.correct("D99", {})
    with pytest.raises(InvalidValues, match="没有“P99”这个人"):
        office.correct("D4", {"person_code": "P99"})


def test_a_duty_corrected_to_another_grid_meets_who_leads_there(office: Office) -> None:
    office.do(Assign("grid_leader", "P7", grids(A2), TODAY))
    moved = next(code for code, one in office.rows().items() if one.subject_code == A2 and one.person_code == "P7")
    for values in ({"subject_code": A1}, {"subject_kind": "grid", "subject_code": A1}):
        with pytest.raises(Conflict, match="网格长已有李四"):
            office.correct(moved, values)
    office.correct(moved, {"subject_code": B1})
    assert (office.leader(A2, TODAY), office.leader(B1, TODAY)) == (None, "P7")
    with pytest.raises(InvalidValues, match="没有“nowhere”这个网格"):
        office.correct(moved, {"subject_code": "nowhere"})


def test_a_stand_in_who_is_away_too_is_told_before_saving(office: Office) -> None:
    first, last = LEAVE
    for starts, ends, warned in (
        (first, last, True),
        (last - timedelta(days=1), None, True),
        (last, last + timedelta(days=9), False),
    ):
        (verdict,) = office.look(Leave(("D5",), "P2", starts, ends))
        assert verdict.ok and ("李四自己也有人代理（2026-11-20 起，到 2026-11-24）" in verdict.message) == warned


def test_copying_to_other_subjects(office: Office) -> None:
    verdicts = office.do(Copy(("grid", A1), grids(A2, SPECIAL), TODAY))
    assert [(one.subject[1], one.ok) for one in verdicts] == [(A2, True), (A2, True), (SPECIAL, False), (SPECIAL, True)]
    assert office.leader(A2, TODAY) == "P2", "the holder, not who stands in just now"


def test_the_area_is_judged_per_subject(office: Office) -> None:
    step = Assign(
        "volunteer",
        "P1",
        (*grids(A2, B1, B2), ("micro_grid", MICRO), ("community", WEST_HOME), ("subdistrict", OFFICE)),
        TODAY,
    )
    west = [one.ok for one in office.look(step, MANAGER_WEST)]
    assert west == [True, False, False, True, True, False]
    assert [one.ok for one in office.look(step, MANAGER_EAST)] == [False, True, True, False, False, False]
    assert all(one.ok for one in office.look(step))
    assert not any(one.ok for one in office.look(step, Area()))
    for step in (HandOver(("D2",), "P5", TODAY), End(("D2",), TOMORROW), Leave(("D2",), "P5", NEXT_MONDAY)):
        assert office.look(step, MANAGER_WEST)[0].ok and not office.look(step, MANAGER_EAST)[0].ok
    with pytest.raises(Conflict, match="由主管来指派"):
        office.correct("D2", {"person_code": "P5"}, area=MANAGER_EAST)
    (moved,) = office.look(Assign("community_head", "P1", (("community", EAST_HOME),), TODAY), MANAGER_EAST)
    assert moved.ok


def test_subjects_of_every_kind(office: Office) -> None:
    for role, subject in (
        ("shop_keeper", ("frontage", "F1")),
        ("street_chief", ("street", "S1")),
        ("river_chief", ("place", "R1")),
        ("first_responsible", ("organisation", "O1")),
    ):
        (verdict,) = office.do(Assign(role, "P1", (subject,), TODAY))
        assert verdict.ok, verdict
    assert office.look(Assign("street_chief", "P1", (("street", "S1"),), TODAY), MANAGER_WEST)[0].ok
    assert not office.look(Assign("river_chief", "P1", (("place", "R1"),), TODAY), MANAGER_WEST)[0].ok, "it crosses"


def test_too_many_at_once(office: Office) -> None:
    with pytest.raises(TooMany, match="一次最多 500 个，这里有 501 个"):
        office.look(End(tuple(f"X{n}" for n in range(501)), TODAY))


def test_two_at_once_never_make_two_holders(office: Office) -> None:
    outcomes: list[bool] = []

    def work(person: str) -> None:
        (verdict,) = office.do(Assign("grid_leader", person, grids(B2), TODAY))
        outcomes.append(verdict.ok)

    threads = [threading.Thread(target=work, args=(f"P{n}",)) for n in range(1, 7)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(outcomes) == [False] * 5 + [True]
    assert sum(one.subject_code == B2 for one in office.rows().values()) == 1
