"""The responsibility audit's rules: table by table what is found, and what isn't."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from service.duties.queries import DutyRow, Subject
from service.people.queries import PersonRow
from service.responsibility.audit import NAMES, Audited, Facts, Finding, Rules, audit

TODAY = date(2026, 11, 23)
HOME = "500237002001"
G1, G2 = ("grid", HOME + "001"), ("grid", HOME + "002")
RULES = Rules(days=30, leader_grids=2, officer_grids=3)


def day(ahead: int) -> date:
    return TODAY + timedelta(days=ahead)


def duty(
    role: str, subject: Subject, person: str, starts: int | None = -100, ends: int | None = None, **more: Any
) -> DutyRow:
    """Days ahead of today; acting=(person, from, until)."""
    who, since, until = more.get("acting", (None, None, None))
    return DutyRow(
        more.get("code", f"{role}-{subject[1]}-{person}-{starts}"),
        role,
        *subject,
        person,
        who,
        None if since is None else day(since),
        None if until is None else day(until),
        None if starts is None else day(starts),
        None if ends is None else day(ends),
    )


def person(code: str, phone: str | None = "13800000000", leaves: int | None = None) -> PersonRow:
    return PersonRow(code, f"人{code}", phone, None, None, None if leaves is None else day(leaves))


def audited(subject: Subject, **more: Any) -> Audited:
    return Audited(*subject, more.pop("name", subject[1]), communities=more.pop("communities", (HOME,)), **more)


def found(duties: list[DutyRow], *subjects: Audited, people: list[PersonRow] | None = None) -> list[Finding]:
    known = {one.code: one for one in people or [person(code) for code in "ABCDE"]}
    return audit(Facts(duties, known, {(one.kind, one.code): one for one in subjects}), TODAY, RULES)


def kinds(*args: Any, **more: Any) -> list[str]:
    return [one.kind for one in found(*args, **more)]


@pytest.mark.parametrize(
    ("duties", "people", "expected"),
    [
        ([], None, ["vacant"]),
        ([duty("grid_leader", G1, "A")], None, []),
        ([duty("grid_officer", G1, "A")], None, ["vacant"]),
        ([duty("grid_leader", G1, "A", ends=0)], None, ["vacant"]),
        ([duty("grid_leader", G1, "A", starts=1)], None, ["vacant"]),
        ([duty("grid_leader", G1, "A", ends=30)], None, ["vacant_soon", "ending"]),
        ([duty("grid_leader", G1, "A", ends=31)], None, []),
        ([duty("grid_leader", G1, "A", ends=12), duty("grid_leader", G1, "B", starts=12)], None, []),
        ([duty("grid_leader", G1, "A", ends=9), duty("grid_leader", G1, "B", 12)], None, ["vacant_soon", "ending"]),
        ([duty("grid_leader", G1, "A")], [person("A", leaves=9)], ["vacant_soon"]),
        ([duty("grid_leader", G1, "A")], [person("A", leaves=0)], ["vacant", "person_gone"]),
        ([duty("grid_leader", G1, "A", acting=("B", -5, 9))], None, []),
        ([duty("grid_leader", G1, "A", acting=("B", -5, 9))], [person("A"), person("B", leaves=3)], ["vacant_soon"]),
        ([duty("grid_leader", G1, "X")], None, ["vacant", "person_gone"]),
    ],
)  # fmt: skip
def test_grids_without_a_leader(duties: list[DutyRow], people: list[PersonRow] | None, expected: list[str]) -> None:
    assert kinds(duties, audited(G1), people=people) == expected


def test_a_vacancy_says_since_when_or_from_when_and_why() -> None:
    now = found([duty("grid_leader", G1, "A", ends=-21)], audited(G1))[0]
    assert (now.kind, now.on, now.persons) == ("vacant", day(-21), ())
    soon = found([duty("grid_leader", G1, "A", ends=12)], audited(G1))[0]
    assert (soon.kind, soon.on, soon.why, soon.persons) == ("vacant_soon", day(12), "ends", ("A",))


def test_a_grid_of_an_edition_to_come_needs_a_leader_by_then() -> None:
    new = audited(G2, spans=((day(7), None),))
    soon = found([], new)[0]
    assert (soon.kind, soon.on, soon.why) == ("vacant_soon", day(7), "edition")
    assert found([duty("grid_leader", G2, "A", starts=7)], new) == []
    assert found([], audited(G2, spans=((day(31), None),))) == [], "beyond the days ahead"
    assert found([duty("grid_leader", G1, "A", ends=7)], audited(G1, spans=((None, day(7)),))) == [], "it ends with it"


@pytest.mark.parametrize(
    ("one", "other", "twice"),
    [
        (duty("grid_leader", G1, "A"), duty("grid_leader", G1, "B", starts=-3), True),
        (duty("grid_leader", G1, "A"), duty("grid_leader", G1, "B", starts=50), True),
        (duty("grid_leader", G1, "A", ends=-1), duty("grid_leader", G1, "B", starts=-50), False),
        (duty("grid_leader", G1, "A", ends=90), duty("grid_leader", G1, "B", starts=90), False),
        (duty("grid_officer", G1, "A"), duty("grid_officer", G1, "B"), False),
        (duty("grid_leader", G1, "A"), duty("grid_leader", G1, "A", starts=-3), False),
    ],
)
def test_two_holders_of_an_exclusive_role(one: DutyRow, other: DutyRow, twice: bool) -> None:
    told = [f for f in found([one, other], audited(G1)) if f.kind == "overlap"]
    assert bool(told) is twice
    if twice:
        assert told[0].persons == ("A", "B") and set(told[0].duties) == {one.code, other.code}


@pytest.mark.parametrize(("role", "n", "loaded"), [("grid_leader", 2, False), ("grid_leader", 3, True),
                                                   ("grid_officer", 3, False), ("grid_officer", 4, True),
                                                   ("grid_guide", 9, False)])  # fmt: skip
def test_too_many_grids_in_one_hand(role: str, n: int, loaded: bool) -> None:
    subjects = [("grid", f"{HOME}{i:03d}") for i in range(1, n + 1)]
    everything = found([duty(role, one, "A") for one in subjects], *map(audited, subjects))
    told = [f for f in everything if f.kind == "overloaded"]
    assert [(f.subject, f.count, f.role) for f in told] == ([(("person", "A"), n, role)] if loaded else [])


def test_who_stands_in_carries_the_load() -> None:
    subjects = [("grid", f"{HOME}{i:03d}") for i in range(1, 4)]
    duties = [duty("grid_leader", one, code, acting=("E", -1, 5)) for one, code in zip(subjects, "ABC", strict=True)]
    told = [f for f in found(duties, *map(audited, subjects)) if f.kind == "overloaded"]
    assert [f.persons for f in told] == [("E",)]


def test_contacts_that_are_missing() -> None:
    duties = [duty("grid_leader", G1, "A"), duty("grid_officer", G1, "A")]
    told = found(duties, audited(G1), people=[person("A", None)])
    assert [(f.kind, f.count, f.communities) for f in told] == [("no_phone", 2, (HOME,))]
    assert kinds([duty("grid_leader", G1, "A", ends=-1)], people=[person("A", None)]) == [], (
        "who holds nothing needs none"
    )


@pytest.mark.parametrize(
    ("duties", "listed"),
    [
        ([duty("road_chief", ("street", "S1"), "A", ends=12)], True),
        ([duty("road_chief", ("street", "S1"), "A", ends=9), duty("road_chief", ("street", "S1"), "B", 9)], False),
        ([duty("road_chief", ("street", "S1"), "A", ends=0)], False),
        ([duty("road_chief", ("street", "S1"), "A", ends=31)], False),
        ([duty("road_chief", ("street", "S1"), "A", starts=5, ends=12)], True),
        ([duty("road_chief", ("street", "S1"), "A", starts=5, ends=5)], False),
    ],
)  # fmt: skip
def test_duties_that_end_soon_with_nobody_after(duties: list[DutyRow], listed: bool) -> None:
    told = [f for f in found(duties, audited(("street", "S1"), sort="1")) if f.kind == "ending"]
    assert bool(told) is listed


def test_duties_whose_subject_is_gone() -> None:
    assert "subject_gone" in kinds([duty("road_chief", ("street", "S9"), "A")])
    ended = audited(("street", "S1"), sort="1", spans=((None, day(-5)),))
    assert kinds([duty("road_chief", ("street", "S1"), "A")], ended) == ["subject_gone"]
    assert kinds([duty("road_chief", ("street", "S1"), "A", ends=-5)], ended) == []


@pytest.mark.parametrize(
    ("subject", "more", "role", "expected"),
    [
        (("street", "S1"), {"sort": "1"}, None, "street"),
        (("street", "S1"), {"sort": "1"}, "road_chief", None),
        (("street", "S1"), {"sort": "1"}, "street_chief", "street"),
        (("street", "S1"), {"sort": "3"}, "lane_chief", None),
        (("street", "S1"), {"sort": "3", "wanted": False}, None, None),
        (("place", "P1"), {"sort": "market"}, None, "place"),
        (("place", "P1"), {"sort": "market"}, "place_keeper", None),
        (("place", "P1"), {"sort": "river", "reach": True}, None, "reach"),
        (("place", "P1"), {"sort": "bank", "reach": True, "wanted": False}, None, None),
        (("frontage", "F1"), {}, None, "frontage"),
        (("frontage", "F1"), {"kept": True}, None, None),
        (("frontage", "F1"), {}, "shop_keeper", None),
        (("frontage", "F1"), {"kept": True, "expired": date(2026, 1, 1)}, None, "agreement"),
        (("building", "B1"), {}, None, None),
    ],
)
def test_ground_and_shops_without_anybody(
    subject: Subject, more: dict[str, Any], role: str | None, expected: str | None
) -> None:
    duties = [duty(role, subject, "A")] if role else []
    assert kinds(duties, audited(subject, **more)) == ([expected] if expected else [])


def test_what_is_worst_comes_first() -> None:
    told = found([duty("road_chief", ("street", "S9"), "A")], audited(G1), audited(("frontage", "F1")), audited(G2))
    assert [one.kind for one in told] == ["vacant", "vacant", "subject_gone", "frontage"]
    assert set(NAMES) >= {one.kind for one in told}
