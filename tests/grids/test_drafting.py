"""Drafts on both stores: from which edition, by whom, step by step and back, two editors, codes, people planned."""

from __future__ import annotations

from datetime import date

import pytest
import shapely
from sqlalchemy import select

from service.errors import Conflict, InvalidValue, NotAllowed, NotFound
from service.geo.tiling import DoesNotTile
from service.grids import draft_queries as q
from service.grids.drafting import StaleDraft, drop
from service.grids.drawing import proposed_codes
from service.records.models import AuditEntry
from tests.grids.conftest import CHIEF, EAST_MANAGER, TODAY, Bench, line, same
from tests.responsibility.town import A1, A2, B1, B2, EAST_HOME, MICRO, SECOND_EDITION, SPECIAL, WEST_HOME, box

NEW = WEST_HOME + "003"


def test_a_draft_begins_from_the_latest_edition_or_that_of_a_day(bench: Bench) -> None:
    latest = bench.begin()
    state = bench.state(latest)
    assert set(state.grids) == {A1, A2, SPECIAL, MICRO}
    assert same(state.grids[A1].geom, box(0, 0, 6, 5)) and state.grids[A1].origin == A1
    assert bench.draft(latest).name == "聚鹤社区 2026-11-23 草稿"
    with bench.database.write() as session:
        drop(session, latest, 1, bench.by)
    early = bench.state(bench.begin(on=date(2026, 1, 1), name="重画"))
    assert same(early.grids[A1].geom, box(0, 0, 5, 5))


def test_one_open_draft_a_community(bench: Bench) -> None:
    first = bench.begin(name="我的")
    with pytest.raises(Conflict, match=f"“我的”（编号 {first}，west 建"):
        bench.begin(by=CHIEF)
    with pytest.raises(NotAllowed):
        bench.begin(EAST_HOME)
    with pytest.raises(NotAllowed, match="主管"):
        bench.begin(EAST_HOME, WEST_HOME, by=EAST_MANAGER)
    with pytest.raises(InvalidValue, match="没有编码是 nowhere"):
        bench.begin("nowhere", by=CHIEF)
    with pytest.raises(Conflict, match="聚鹤社区已经有"):
        bench.begin(EAST_HOME, WEST_HOME, by=CHIEF)
    with bench.database.read() as session, pytest.raises(NotFound):
        q.draft_of(session, first, EAST_MANAGER.area)


def test_steps_are_undone_and_done_again_to_the_last_vertex(bench: Bench) -> None:
    draft = bench.begin()
    states = [bench.state(draft)]
    bench.split(draft, A1, (3, -1), (3, 6))
    bench.step(draft, "rename", NEW, "新开的一格")
    bench.step(draft, "attributes", NEW, {"households": 70})
    bench.step(draft, "assign", [NEW], "grid_leader", "P7", None)
    bench.step(draft, "merge", [A1, NEW], A1)
    for back in range(5):
        states.append(bench.undo(draft).before)
        assert len(states) == back + 2
    assert bench.state(draft) == states[0]
    with pytest.raises(Conflict, match="没有可以撤销"):
        bench.undo(draft)
    for expected in (states[5], states[4], states[3], states[2], states[1]):
        assert bench.redo(draft).after == expected
    with pytest.raises(Conflict, match="没有可以重做"):
        bench.redo(draft)
    bench.undo(draft)
    bench.step(draft, "rename", A2, "别的")
    with pytest.raises(Conflict, match="没有可以重做"):
        bench.redo(draft)
    with bench.database.read() as session:
        steps = q.steps_of(session, draft)
    assert [step.kind for step in steps] == ["split", "rename", "attributes", "assign", "rename"]
    assert not any(step.undone for step in steps)


def test_the_second_of_two_editors_sees_what_the_first_did(bench: Bench) -> None:
    draft = bench.begin()
    bench.split(draft, A1, (3, -1), (3, 6), by=CHIEF, version=1)
    before = bench.state(draft)
    with pytest.raises(StaleDraft) as stale:
        bench.split(draft, A1, (2, -1), (2, 6), version=1)
    told = stale.value
    assert told.version == 2 and [one.actor for one in told.since] == ["chief"]
    assert "拆分" in told.message and set(told.codes) >= {A1, NEW}
    assert bench.state(draft) == before
    bench.undo(draft)
    with pytest.raises(StaleDraft) as again:
        bench.step(draft, "rename", A2, "x", version=2)
    assert [one.words.split("：")[0] for one in again.value.since] == ["撤销"]


def test_what_is_refused_leaves_the_draft_as_it_was(bench: Bench) -> None:
    draft = bench.begin()
    before = bench.state(draft)
    with pytest.raises(DoesNotTile) as told:
        bench.step(draft, "reshape", A1, box(-1, 0, 6, 5))
    assert [fault.kind for fault in told.value.faults] == ["outside"]
    with pytest.raises(DoesNotTile):  # into the other community
        bench.step(draft, "reshape", A1, box(0, 0, 6, 6))
    with pytest.raises(InvalidValue, match="什么也没有改变"):
        bench.step(draft, "rename", A2, before.grids[A2].name)
    assert bench.state(draft) == before and bench.draft(draft).version == 1


def test_a_split_shares_households_by_area_and_a_merge_sums_them(bench: Bench) -> None:
    draft = bench.begin()
    bench.step(draft, "attributes", A1, {"households": 300, "population": 901})
    saved = bench.split(draft, A1, (2, -1), (2, 6))
    new, kept = saved.after.grids[NEW], saved.after.grids[A1]
    assert (new.households, kept.households) == (100, 200) and (new.population, kept.population) == (300, 601)
    assert new.estimated and kept.estimated and new.cut_from == A1 and new.origin is None
    assert new.name == "聚鹤社区第三网格"
    entered = bench.step(draft, "attributes", NEW, {"households": 90}).after.grids[NEW]
    assert entered.households == 90 and not entered.estimated
    bench.step(draft, "attributes", A1, {"households": 210})
    merged = bench.step(draft, "merge", [A1, NEW], NEW)
    assert "现在的责任到发布那天结束" in merged.warnings[0]
    bench.undo(draft)
    assert bench.step(draft, "merge", [A1, NEW], A1).warnings == ()
    bench.undo(draft)
    whole = bench.step(draft, "merge", [A1, NEW], NEW).after
    assert whole.grids[NEW].households == 300 and not whole.grids[NEW].estimated and A1 not in whole.grids


def test_codes_are_new_ones_and_nobodys(bench: Bench) -> None:
    draft = bench.begin()
    for code, why in ((A2, "这份草稿里已经有"), (B1, "别的社区"), ("a b", "不能有空格")):
        with pytest.raises(InvalidValue, match=why):
            bench.step(draft, "split", A1, line((3, -1), (3, 6)), "larger", code, None)
    bench.split(draft, A1, (3, -1), (3, 6))
    bench.undo(draft)
    assert NEW in bench.split(draft, A1, (3, -1), (3, 6)).after.grids
    assert bench.step(draft, "rename", A1, "北\u202e山\n网格").after.grids[A1].name == "北山 网格"
    with pytest.raises(InvalidValue, match="两个网格用"):
        bench.step(draft, "recode", {A1: A2})
    with pytest.raises(InvalidValue, match="别的社区"):
        bench.step(draft, "recode", {A1: B2})
    bench.step(draft, "merge", [A2, SPECIAL], SPECIAL)
    with pytest.raises(InvalidValue, match="以前的版本用过"):
        bench.step(draft, "split", A1, line((1, -1), (1, 6)), "larger", A2, None)


def test_codes_may_change_places_and_micro_grids_follow(bench: Bench) -> None:
    draft = bench.begin()
    bench.step(draft, "assign", [A2], "grid_leader", "P7", None)
    after = bench.step(draft, "recode", {A1: A2, A2: A1}).after
    assert same(after.grids[A2].geom, box(0, 0, 6, 5)) and after.grids[A2].origin == A1
    micro = after.grids[A2 + "01"]
    assert micro.parent_code == A2 and micro.origin == MICRO and MICRO not in after.grids
    assert [plan.grid_code for plan in after.plans] == [A1]


def test_the_whole_renumbering_goes_west_to_east(bench: Bench) -> None:
    draft = bench.begin()
    after = bench.split(draft, A2, (5, 2), (11, 2)).after
    new = next(code for code in after.grids if code not in (A1, A2, SPECIAL, MICRO))
    codes = proposed_codes(after, WEST_HOME)
    assert codes[A1] == WEST_HOME + "001" and codes[MICRO] == codes[A1] + "01"
    assert sorted(codes[one] for one in (A1, A2, SPECIAL, new)) == [f"{WEST_HOME}00{n}" for n in (1, 2, 3, 4)]
    assert codes[SPECIAL] > codes[A1]


def test_an_imports_fault_is_listed_and_mended(bench: Bench) -> None:
    bench.by = EAST_MANAGER
    draft = bench.begin(EAST_HOME)

    def faults() -> list[tuple[str, tuple[str, ...]]]:
        with bench.database.read() as session:
            found = q.faults_of_draft(q.state_of(session, draft), q.base_of(session, draft), {})
        return [(fault.kind, fault.codes) for fault in found]

    assert faults() == [("overlap", (B1, B2))]
    bench.step(draft, "rename", B1, "东一")
    with pytest.raises(InvalidValue, match="没有这样的问题"):
        bench.step(draft, "mend", "overlap", (109.0, 31.0), B1)
    middle = shapely.centroid(box(8, 5, 9, 10))
    after = bench.step(draft, "mend", "overlap", (middle.x, middle.y), B1).after
    assert same(after.grids[B2].geom, box(9, 5, 12, 10)) and faults() == []
    assert shapely.coverage_is_valid([grid.geom for grid in after.grids.values()])


def test_the_border_of_two_communities_follows_a_supervisor(bench: Bench) -> None:
    draft = bench.begin(EAST_HOME, WEST_HOME, by=CHIEF)
    after = bench.step(draft, "border", [A1, B1], line((0, 5.5), (6, 5.5), (6, 5)), by=CHIEF).after
    assert same(after.grids[A1].geom, box(0, 0, 6, 5.5)) and after.grids[A1].community_code == WEST_HOME
    with pytest.raises(NotAllowed):  # the manager reads it, but half of it isn't theirs
        bench.step(draft, "rename", A1, "x")


def test_planned_people_are_real_and_alone_in_exclusive_roles(bench: Bench) -> None:
    draft = bench.begin()
    bench.split(draft, A1, (3, -1), (3, 6))
    with pytest.raises(Conflict, match=r"网格长是李四（2026-11-01 起，D2）"):
        bench.step(draft, "assign", [NEW, A1], "grid_leader", "P7", None)
    for grids, role, person, until, field in (
        ([NEW], "grid_leader", "nobody", None, "person"),
        ([NEW], "road_chief", "P7", None, "role"),
        ([MICRO], "grid_leader", "P7", None, "role"),
        (["x"], "grid_leader", "P7", None, "grids"),
        ([NEW], "grid_leader", "P7", TODAY, "until"),
    ):
        with pytest.raises(InvalidValue) as told:
            bench.step(draft, "assign", grids, role, person, until)
        assert told.value.field == field
    after = bench.step(draft, "assign", [NEW, A2], "grid_leader", "P7", None).after
    assert [(plan.grid_code, plan.person_code) for plan in after.plans] == [(NEW, "P7"), (A2, "P7")]
    with pytest.raises(Conflict, match="已经计划给周九"):
        bench.step(draft, "assign", [NEW], "grid_leader", "P8", None)
    copied = bench.step(draft, "copy_duties", [NEW]).after
    assert [(plan.role, plan.person_code) for plan in copied.plans_of(NEW)] == [
        ("grid_leader", "P7"),
        ("grid_officer", "P3"),
    ]
    gone = bench.step(draft, "unassign", copied.plans_of(NEW)[0].id).after
    assert [plan.role for plan in gone.plans_of(NEW)] == ["grid_officer"]


def test_every_step_stands_in_the_trail_without_geometry(bench: Bench) -> None:
    draft = bench.begin()
    bench.split(draft, A1, (3, -1), (3, 6))
    bench.undo(draft)
    with bench.database.read() as session:
        rows = session.scalars(
            select(AuditEntry).where(AuditEntry.subject_kind == "drafts").order_by(AuditEntry.id)
        ).all()
    assert [row.action for row in rows] == ["draft.begin", "draft.step", "draft.undo"]
    assert set(rows[1].after["grids"]) >= {A1, NEW} and rows[1].after["version"] == 2
    assert all("wkb" not in str(row.after) and len(str(row.after)) < 2_000 for row in rows)


def test_the_base_is_told(bench: Bench) -> None:
    draft = bench.draft(bench.begin())
    with bench.database.read() as session:
        editions = {row.id: row.starts_on for row in q.editions_of(session, [WEST_HOME])[WEST_HOME]}
    assert editions[draft.communities[WEST_HOME]] == SECOND_EDITION
