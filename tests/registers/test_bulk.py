"""One change over many rows: a verdict and a line of the trail per row, one line for those refused, few statements."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import event, select

from service.errors import Conflict, InvalidValues, NoSuchRow, NotAllowed, StaleVersion, TooMany
from service.people.access import EVERYWHERE, Area
from service.records.audit_verify import verify
from service.records.models import AuditEntry
from service.registers.bulk import MOST_ROWS, Outcome, change_many, end_many, read_changes
from service.registers.kinds import REGISTERS
from tests.registers.conftest import MANAGER_WEST, TODAY, Town, by, point
from tests.responsibility.town import at

FRONTAGES, PEOPLE = REGISTERS["frontages"], REGISTERS["people"]


def change(
    town: Town, name: str, rows: dict[str, int | None], area: Area = EVERYWHERE, **sent: Any
) -> dict[str, Outcome]:
    register, located = REGISTERS[name], town.located(name)
    with town.database.read() as session:
        values = read_changes(session, register, sent)
    with town.database.write() as session:
        done = change_many(session, register, rows, values, by(area), located)
    assert [one.code for one in done] == list(rows)
    return {one.code: one for one in done}


def end(town: Town, name: str, codes: list[str], area: Area = EVERYWHERE, **more: Any) -> dict[str, Outcome]:
    located = town.located(name)
    with town.database.write() as session:
        done = end_many(session, REGISTERS[name], dict.fromkeys(codes), by(area), located, **more)
    return {one.code: one for one in done}


def verdicts(done: dict[str, Outcome]) -> dict[str, str]:
    return {code: one.verdict for code, one in done.items()}


def trail(town: Town, action: str) -> list[AuditEntry]:
    with town.database.read() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)))


def shops(town: Town, n: int) -> list[str]:
    """So many more, in the west."""
    return [town.create("frontages", {"shop_name": f"店{i}"}, point(at(1, 3 + i / 1_000))).code for i in range(n)]


def test_every_row_has_its_own_verdict(town: Town) -> None:
    town.end("frontages", "F3")
    done = change(town, "frontages", {"F1": 1, "F2": 7, "F3": None, "F9": None}, state="空置")
    assert verdicts(done) == {"F1": "changed", "F2": "refused", "F3": "refused", "F9": "refused"}
    assert [type(one.fault) for one in done.values()] == [type(None), StaleVersion, Conflict, NoSuchRow]
    assert (done["F1"].version, done["F2"].version) == (2, None)
    assert town.one("frontages", "F1").values["state"] == "vacant"
    assert town.one("frontages", "F2").version == 1
    (entry,) = [one for one in trail(town, "frontage.change") if one.subject_code == "F1"]
    assert (entry.note, entry.before, entry.after) == ("批量修改", {"state": "operating"}, {"state": "vacant"})
    assert verdicts(change(town, "frontages", {"F1": None}, state="空置")) == {"F1": "unchanged"}


def test_several_fields_move_at_once_and_only_those_that_differ_are_told(town: Town) -> None:
    town.change("frontages", "F1", {"trade": "餐饮"})
    done = change(town, "frontages", {"F1": None, "F2": None}, trade="餐饮", agreement_until="2027年3月1日")
    assert verdicts(done) == {"F1": "changed", "F2": "changed"}
    last = {one.subject_code: one.after for one in trail(town, "frontage.change")}
    assert last["F1"] == {"agreement_until": "2027-03-01"}
    assert last["F2"] == {"trade": "餐饮", "agreement_until": "2027-03-01"}
    assert town.one("frontages", "F2").values["agreement_until"] == date(2027, 3, 1)


def test_refused_rows_stand_in_one_line_of_the_trail_with_their_reasons(town: Town) -> None:
    change(town, "frontages", {"F1": 1, "F2": 7, "F9": None}, state="空置")
    (line,) = trail(town, "frontage.bulk_change")
    assert (line.ok, line.actor, line.subject_kind, line.subject_code) == (False, "周主管", "frontages", None)
    assert line.after is not None
    assert (line.after["asked"], line.after["refused"], line.after["state"]) == (3, 2, "vacant")
    assert [one["code"] for one in line.after["reasons"]] == ["F2", "F9"]
    assert "被改过" in line.after["reasons"][0]["reason"]
    change(town, "frontages", {"F1": None}, state="经营")
    assert len(trail(town, "frontage.bulk_change")) == 1
    assert [one.verb for one in town.history("frontages", "F1")] == ["change", "change", "import"]


def test_all_refused_is_told_too(town: Town) -> None:
    done = change(town, "frontages", {"F8": None, "F9": None}, state="空置")
    assert set(verdicts(done).values()) == {"refused"}
    assert len(trail(town, "frontage.bulk_change")) == 1 and trail(town, "frontage.change") == []


def test_the_chain_of_hashes_holds(town: Town) -> None:
    change(town, "frontages", {"F1": None, "F2": 9, "F3": None}, trade="五金")
    end(town, "frontages", ["F1", "F3"])
    with town.database.read() as session:
        told = verify(session, [])
    assert told.faults == []


def test_a_manager_changes_the_own_rows_only(town: Town) -> None:
    done = change(town, "places", {"T1": None, "T2": None, "R1": None}, MANAGER_WEST, kind="公园")
    assert verdicts(done) == {"T1": "changed", "T2": "refused", "R1": "refused"}
    assert (type(done["T2"].fault), type(done["R1"].fault)) == (NoSuchRow, NotAllowed)  # the river leaves the west
    with pytest.raises(NotAllowed):
        change(town, "organisations", {"O1": None}, MANAGER_WEST, kind="学校")
    with pytest.raises(NotAllowed):
        end(town, "people", ["P1"], MANAGER_WEST)


def test_each_grid_is_judged_by_the_rules_of_its_register(town: Town) -> None:
    codes = [row.code for row in town.page("grids").rows]
    done = change(town, "grids", dict.fromkeys(codes), kind="micro_grid")
    assert set(verdicts(done).values()) <= {"refused", "unchanged"} and "refused" in verdicts(done).values()
    fault = next(one.fault for one in done.values() if one.fault)
    assert isinstance(fault, InvalidValues) and fault.field == "kind"


def test_the_end_of_many_names_what_depends_on_each(town: Town) -> None:
    """The same words as for one of them."""
    codes = [row.code for row in town.page("people").rows]
    located, words = town.located("people"), {}
    for code in codes:
        try:
            town.end("people", code)
            town.restore("people", code)
        except Conflict as fault:
            words[code] = fault.message
    assert words and len(words) < len(codes) and located.on == TODAY
    done = end(town, "people", codes, reason="调离")
    assert {code: one.message for code, one in done.items() if one.fault} == words
    ended = [code for code in codes if code not in words]
    assert all(town.one("people", code).ended_on == TODAY for code in ended)
    assert [one.note for one in trail(town, "person.end")][-1] == "批量终止：调离"
    assert len(trail(town, "person.bulk_end")) == 1


def test_what_no_row_could_follow_is_refused_as_a_whole(town: Town) -> None:
    with town.database.read() as session:
        for sent, field in (
            ({"code": "x"}, "code"),
            ({"nonsense": "x"}, "nonsense"),
            ({"version": "1"}, "version"),
            ({"agreement_until": "不是日期"}, "agreement_until"),
            ({"state": ""}, "state"),
            ({"state": ["空置"]}, "state"),
            ({"person_name": "张*"}, "person_name"),
            ({"phone": "138****5678"}, "phone"),
            ({}, "changes"),
        ):
            with pytest.raises(InvalidValues) as caught:
                read_changes(session, FRONTAGES, sent)
            assert caught.value.field == field
        with pytest.raises(InvalidValues):
            read_changes(session, PEOPLE, {"notes": "找老张 138****5678"})
        with pytest.raises(InvalidValues) as both:
            read_changes(session, FRONTAGES, {"state": "?", "agreement_until": "?"})
        assert [field for field, _ in both.value.errors] == ["state", "agreement_until"]
    with pytest.raises(TooMany, match=str(MOST_ROWS)):
        change(town, "frontages", {f"F{i}": None for i in range(MOST_ROWS + 1)}, state="空置")


def test_many_rows_ask_the_store_no_more_often_than_few(town: Town) -> None:
    codes, counts = shops(town, 40), []
    for some in (codes[:3], codes):
        for act in (
            lambda rows: change(town, "frontages", dict.fromkeys(rows), trade=f"行业{len(rows)}"),
            lambda rows: change(town, "frontages", dict.fromkeys(rows, 99), trade="x"),
            lambda rows: end(town, "frontages", rows),
        ):
            said: list[str] = []

            def count(_c: Any, _cursor: Any, statement: str, *_: Any, into: list[str] = said) -> None:
                into.append(statement)

            event.listen(town.database.engine, "before_cursor_execute", count)
            act(some)
            event.remove(town.database.engine, "before_cursor_execute", count)
            counts.append(len(said))
        for code in some:
            town.restore("frontages", code)
    assert counts[:3] == counts[3:] and max(counts) < 40
