"""Publishing on both stores: the day, what stands in its way, what becomes of duties, and taking it back."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from service.errors import Conflict, InvalidValue, NotAllowed
from service.grids.draft_models import Draft
from service.grids.models import Edition, Grid, TilingFault
from service.records import counters
from tests.grids.conftest import CHIEF, EAST_MANAGER, HEAD, NEXT_MONDAY, TODAY, TOMORROW, Bench, line
from tests.responsibility.town import A1, A2, B1, EAST_HOME, MICRO, SECOND_EDITION, SPECIAL, WEST_HOME, duties, layer
from tests.responsibility.town import box as town_box

NEW = WEST_HOME + "003"


@pytest.fixture
def halved(bench: Bench) -> int:
    """A draft in which A1 is cut at x = 3; the eastern half is new and led by P7."""
    draft = bench.begin()
    bench.split(draft, A1, (3, -1), (3, 6))
    bench.step(draft, "assign", [NEW], "grid_leader", "P7", None)
    return draft


def test_today_and_next_monday_answer_differently(bench: Bench, halved: int) -> None:
    where = {"west": (1, 4), "east": (5, 4)}
    before = {side: bench.grid_at(*spot, on=TODAY) for side, spot in where.items()}
    done = bench.publish(halved)
    assert done.duties == {"stay": 4, "moved": 0, "ended": 0, "made": 1}
    assert {side: bench.grid_at(*spot, on=TODAY) for side, spot in where.items()} == before == dict.fromkeys(where, A1)
    after = {side: bench.grid_at(*spot, on=NEXT_MONDAY) for side, spot in where.items()}
    assert sorted(after.values()) == [A1, NEW]
    assert bench.leader(NEW, NEXT_MONDAY) == "P7" and bench.leader(NEW, TODAY) is None
    assert bench.leader(A1, NEXT_MONDAY) == "P2"
    assert bench.grid_at(1, 4, on=date(2026, 1, 1)) == A1  # the first edition too
    with bench.database.read() as session:
        edition = session.scalars(select(Edition).where(Edition.starts_on == NEXT_MONDAY)).one()
        grids = session.scalars(select(Grid.code).where(Grid.edition_id == edition.id).order_by(Grid.code)).all()
        draft = session.get_one(Draft, halved)
        assert draft.state == "published" and draft.published_by == "west"
    assert edition.community_code == WEST_HOME and grids == sorted([A1, A2, NEW, SPECIAL, MICRO])
    with pytest.raises(Conflict, match="已经发布"):
        bench.step(halved, "rename", A1, "x")


def test_the_day_is_tomorrow_or_later(bench: Bench, halved: int) -> None:
    with pytest.raises(NotAllowed, match="管理员"):
        bench.publish(halved, TODAY)
    with pytest.raises(NotAllowed):
        bench.publish(halved, TODAY, by=CHIEF, reason="想早一点")
    with pytest.raises(InvalidValue) as told:
        bench.publish(halved, TODAY, by=HEAD)
    assert told.value.field == "reason"
    with pytest.raises(InvalidValue, match="不能比它更早"):
        bench.publish(halved, date(2026, 3, 1), by=HEAD, reason="x")
    with pytest.raises(InvalidValue, match="已经有一版"):
        bench.publish(halved, SECOND_EDITION, by=HEAD, reason="x")
    bench.publish(halved, date(2026, 11, 10), by=HEAD, reason="十日会议定的")
    assert bench.grid_at(5, 4, on=date(2026, 11, 10)) != bench.grid_at(1, 4, on=date(2026, 11, 10))
    with bench.database.read() as session:
        assert counters.relocation_due(session)
    with pytest.raises(Conflict, match="已经生效"):
        bench.withdraw(halved, by=HEAD)


def test_tomorrow_will_do_and_nothing_is_relocated(bench: Bench, halved: int) -> None:
    bench.publish(halved, TOMORROW)
    with bench.database.read() as session:
        assert not counters.relocation_due(session)


def test_a_draft_without_changes_is_not_published(bench: Bench) -> None:
    draft = bench.begin()
    with pytest.raises(Conflict, match="没有可发布的"):
        bench.publish(draft)


def test_duties_move_with_a_code_and_end_with_a_grid(bench: Bench) -> None:
    """A1 becomes …009; A2 and the special grid become one, whose leader P8 loses the subject when A2 stays."""
    draft = bench.begin()
    bench.step(draft, "recode", {A1: WEST_HOME + "009"})
    bench.step(draft, "merge", [A2, SPECIAL], A2)
    before = bench.duties()
    done = bench.publish(draft)
    assert done.duties == {"stay": 0, "moved": 3, "ended": 1, "made": 0}
    after = bench.duties()
    assert after["D1"] == before["D1"]  # over since 1 November
    for code in ("D2", "D3", "D4", "D8"):
        assert after[code][-1] == NEXT_MONDAY and after[code][:-1] == before[code][:-1]
    made = {duty[1:4]: duty for code, duty in after.items() if code not in before}
    assert set(made) == {
        ("grid", WEST_HOME + "009", "P2"),
        ("grid", WEST_HOME + "009", "P3"),
        ("micro_grid", WEST_HOME + "00901", "P4"),
    }
    moved = made["grid", WEST_HOME + "009", "P2"]
    assert moved[4:6] == before["D2"][4:6] and moved[6:] == (NEXT_MONDAY, None)  # the acting person goes along
    assert bench.leader(WEST_HOME + "009", NEXT_MONDAY) == "P2" and bench.leader(A2, NEXT_MONDAY) is None
    assert bench.leader(A1, TODAY) == "P3"  # who acts for P2 until the 25th


def test_duties_that_would_begin_later_are_taken_out_and_come_back(bench: Bench) -> None:
    later = {"code": "D9", "role": "grid_officer", "kind": "grid", "subject": SPECIAL, "person": "P6"}
    duties(bench.database, bench.settings, bench.folder, [later | {"starts": date(2027, 1, 1)}])
    draft = bench.begin()
    bench.step(draft, "merge", [A2, SPECIAL], A2)
    before = bench.duties()
    bench.publish(draft)
    assert "D9" not in bench.duties()
    bench.withdraw(draft)
    assert bench.duties() == before


def test_taking_back_restores_everything_and_the_draft_goes_on(bench: Bench, halved: int) -> None:
    bench.step(halved, "recode", {A2: WEST_HOME + "008"})
    before, state = bench.duties(), bench.state(halved)
    bench.publish(halved)
    assert bench.duties() != before
    bench.withdraw(halved)
    assert bench.duties() == before and bench.state(halved) == state
    assert bench.grid_at(5, 4, on=NEXT_MONDAY) == A1
    with bench.database.read() as session:
        assert session.scalars(select(Edition).where(Edition.starts_on == NEXT_MONDAY)).all() == []
        assert session.get_one(Draft, halved).state == "open"
    bench.undo(halved)
    bench.publish(halved)
    assert bench.grid_at(7, 4, on=NEXT_MONDAY) == A2
    bench.withdraw(halved)
    with pytest.raises(Conflict, match="没有发布"):
        bench.withdraw(halved)


def test_what_was_changed_since_keeps_it_from_being_taken_back(bench: Bench, halved: int) -> None:
    bench.publish(halved)
    made = next(code for code, duty in bench.duties().items() if duty[2] == NEW)
    change = {
        "code": made,
        "role": "grid_leader",
        "kind": "grid",
        "subject": NEW,
        "person": "P8",
        "starts": NEXT_MONDAY,
    }
    duties(bench.database, bench.settings, bench.folder, [change])
    with pytest.raises(Conflict, match=made):
        bench.withdraw(halved)


def test_a_later_draft_keeps_its_base(bench: Bench, halved: int) -> None:
    bench.publish(halved)
    second = bench.begin()
    with pytest.raises(Conflict, match=f"编号 {second}"):
        bench.withdraw(halved)
    bench.step(second, "rename", A2, "后一版")
    with pytest.raises(InvalidValue, match="已经有一版"):
        bench.publish(second)
    bench.publish(second, date(2026, 12, 7))
    with pytest.raises(Conflict, match="先撤回它"):
        bench.withdraw(halved)
    bench.withdraw(second)
    with bench.database.write() as session:
        session.get_one(Draft, second).state = "dropped"
    bench.withdraw(halved)


def test_an_edition_that_came_meanwhile_is_a_supervisors_to_judge(bench: Bench, halved: int) -> None:
    rows = [
        (town_box(0, 0, 7, 5), {"code": A1, "community_code": WEST_HOME, "kind": "grid"}),
        (town_box(7, 0, 12, 5), {"code": A2, "community_code": WEST_HOME, "kind": "grid"}),
    ]
    bench.bring("grids", layer(bench.folder / "more.geojson", rows), edition=date(2026, 11, 25))
    with pytest.raises(NotAllowed, match="2026-11-25"):
        bench.publish(halved, over_newer=True)
    with pytest.raises(Conflict, match="确定仍按草稿发布吗"):
        bench.publish(halved, by=CHIEF)
    bench.publish(halved, by=CHIEF, over_newer=True)
    assert bench.grid_at(6.5, 4, on=date(2026, 11, 26)) == A1 and bench.grid_at(6.5, 4, on=NEXT_MONDAY) == A2


def test_faults_of_an_import_remain_only_when_they_are_known(bench: Bench) -> None:
    bench.by = EAST_MANAGER
    draft = bench.begin(EAST_HOME)
    bench.step(draft, "rename", B1, "东一")
    with pytest.raises(Conflict, match="1 处"):
        bench.publish(draft)
    done = bench.publish(draft, accept_faults=True)
    with bench.database.read() as session:
        ids = list(done.editions.values())
        kept = session.scalars(select(TilingFault.codes).where(TilingFault.edition_id.in_(ids))).all()
    assert kept == [f"{B1},{EAST_HOME}002"]


def test_several_communities_go_together(bench: Bench) -> None:
    draft = bench.begin(EAST_HOME, WEST_HOME, by=CHIEF)
    bench.step(draft, "border", [A1, B1], line((0, 5.5), (6, 5.5), (6, 5)), by=CHIEF)
    done = bench.publish(draft, by=CHIEF, accept_faults=True)
    assert set(done.editions) == {EAST_HOME, WEST_HOME}
    assert bench.grid_at(1, 5.2, on=TODAY) == B1 and bench.grid_at(1, 5.2, on=NEXT_MONDAY) == A1
    with pytest.raises(NotAllowed):
        bench.withdraw(draft)
    bench.withdraw(draft, by=CHIEF)


def test_a_second_holder_of_an_exclusive_role_is_refused_on_the_day(bench: Bench) -> None:
    """P1's successor is P2 without end; in A2 somebody leads until 15 December."""
    row = {"code": "D9", "role": "grid_leader", "kind": "grid", "subject": A2, "person": "P6"}
    duties(bench.database, bench.settings, bench.folder, [row | {"ends": date(2026, 12, 15)}])
    draft = bench.begin()
    saved = bench.step(draft, "assign", [A2], "grid_leader", "P7", None)
    assert "2026-12-15" in saved.warnings[0]
    with pytest.raises(Conflict, match="孙八还在任（到 2026-12-15）"):
        bench.publish(draft)
    bench.publish(draft, date(2026, 12, 15))
    assert bench.leader(A2, date(2026, 12, 14)) == "P6" and bench.leader(A2, date(2026, 12, 15)) == "P7"
