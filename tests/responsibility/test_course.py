"""Who held what, when: joined where one follows the other, gaps told, withdrawn ones left out."""

from __future__ import annotations

from datetime import date
from typing import Any

from service.duties.queries import DutyRow
from service.responsibility.course import of_person, of_subject

JAN, FEB, MAR, APR = (date(2026, month, 1) for month in (1, 2, 3, 4))


def duty(code: str, person: str, starts: date | None, ends: date | None, **more: Any) -> DutyRow:
    given = {"role": "grid_leader", "subject_kind": "grid", "subject_code": "g1", "person_code": person}
    base = dict.fromkeys(DutyRow.__dataclass_fields__)
    return DutyRow(**{**base, **given, "code": code, "starts_on": starts, "ends_on": ends, **more})


def test_a_duty_that_leave_split_reads_as_one() -> None:
    first = duty("1", "A", None, FEB, acting_code="B", acting_from=JAN, acting_until=FEB)
    second = duty("2", "A", FEB, None, acting_code="C", acting_from=FEB, acting_until=MAR)
    ((role, (held,)),) = of_subject([second, first])
    assert (role, held.person, held.starts, held.ends) == ("grid_leader", "A", None, None)
    assert [one.person for one in held.away] == ["B", "C"] and held.codes == ("1", "2")


def test_days_without_a_holder_are_told_between_and_after() -> None:
    ((_, lines),) = of_subject([duty("1", "A", None, JAN), duty("2", "B", FEB, MAR)])
    assert [(one.person, one.starts, one.ends) for one in lines] == [
        (None, MAR, None),
        ("B", FEB, MAR),
        (None, JAN, FEB),
        ("A", None, JAN),
    ]
    ((_, overlapping),) = of_subject([duty("1", "A", None, None), duty("2", "B", FEB, MAR)])
    assert all(one.person for one in overlapping)
    ((_, many),) = of_subject([duty("1", "A", None, JAN, role="grid_officer")])
    assert len(many) == 1, "a role of many isn't vacant"


def test_what_was_withdrawn_never_was() -> None:
    assert of_subject([duty("1", "A", FEB, FEB)]) == []
    assert of_person([duty("1", "A", FEB, FEB)], "A") == []


def test_a_persons_own_and_acted_for_newest_first() -> None:
    own = duty("1", "A", JAN, FEB)
    other = duty("2", "B", None, MAR, subject_code="g2", acting_code="A", acting_from=FEB, acting_until=APR)
    lines = of_person([own, other], "A")
    assert [(one.subject[1], one.as_acting, one.person, one.starts, one.ends) for one in lines] == [
        ("g2", True, "B", FEB, MAR),
        ("g1", False, "A", JAN, FEB),
    ]
