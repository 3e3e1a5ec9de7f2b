"""Drafts: begun from an edition, changed step by step, undone and done again, dropped. None commits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from service.clock import local_date, spoken
from service.db.spatial import encode
from service.errors import Conflict, InvalidValue, NotAllowed
from service.geo.coverage import Fault, find_faults
from service.geo.tiling import Tiling, node
from service.grids.draft_models import Draft, DraftGrid, DraftStep, PlannedDuty
from service.grids.draft_queries import (
    DROPPED,
    OPEN,
    SUBJECT,
    Since,
    around_of,
    base_edition,
    communities_by_code,
    draft_of,
    editions_of,
    faults_of_draft,
    grids_of,
    may_edit,
    open_drafts,
    revision_of,
    since,
    state_of,
)
from service.grids.draft_rows import (
    EDITION,
    GRID,
    PLAN,
    Base,
    Drawn,
    Plan,
    State,
    difference,
    fault_row,
    tiling_of,
)
from service.grids.models import Community, Edition
from service.grids.queries import FaultRow, faults_of
from service.grids.rules import name_of
from service.people.access import Area
from service.records import audit
from service.records.audit import Actor, Subject
from service.records.cells import as_multi
from service.records.models import ImportBatch

_MOST_NAME = 60
_TOLD = 40


@dataclass(frozen=True)
class Drawer:
    """Who draws, how far their say reaches, and when."""

    actor: Actor
    area: Area
    now: datetime
    subdistrict: str

    @property
    def supervises(self) -> bool:
        """Whether they may move the border of two communities."""
        return self.area.everywhere

    @property
    def administers(self) -> bool:
        return self.actor.role == "admin"

    @property
    def today(self) -> date:
        return local_date(self.now)


class StaleDraft(Conflict):
    """Somebody else changed the draft meanwhile: the version that it has now, what was done since, and to which
    grids."""

    def __init__(self, message: str, version: int, done: Sequence[Since]) -> None:
        super().__init__(message)
        self.version, self.since = version, list(done)
        self.codes = sorted({code for one in done for code in one.codes})


@dataclass(frozen=True)
class Saved:
    """A draft after a step: its states before and after, what to tell."""

    draft: Draft
    before: State
    after: State
    warnings: tuple[str, ...] = ()


def begin(session: Session, communities: Sequence[str], name: str | None, on: date | None, by: Drawer) -> Draft:
    """A new draft from the editions in force on the day, without one from the latest. Raises InvalidValue, NotAllowed,
    Conflict naming the draft that is open already."""
    codes = sorted(set(communities))
    if not codes:
        raise InvalidValue("communities", "选一个社区。")
    names = communities_by_code(session, codes, by.today)
    unknown = [code for code in codes if code not in names or not by.area.holds_community(code)]
    if unknown and len(names) == len(codes):
        raise NotAllowed(f"{'、'.join(names[code] for code in unknown)}不在你的范围里，请主管来画。")
    if unknown:
        raise InvalidValue("communities", f"没有编码是 {'、'.join(unknown)} 的社区。")
    if len(codes) > 1 and not by.supervises:
        raise NotAllowed("几个社区一起画，要由主管或管理员来做。")
    # Two begin at once: the second one waits here, and then finds the first one's draft.
    session.execute(select(Community.id).where(Community.code.in_(codes)).order_by(Community.code).with_for_update())
    _refuse_second(session, codes, names)
    editions = editions_of(session, codes)
    bases = {code: base_edition(editions.get(code, ()), on) for code in codes}
    draft = Draft(
        subdistrict=by.subdistrict,
        batch_id=_demo_of(session, [row.id for row in bases.values() if row]),
        name=_name(name, [names[code] for code in codes], by),
        state=OPEN,
        communities={code: row.id if row else None for code, row in bases.items()},
        made_by=by.actor.name,
        made_at=by.now,
        changed_by=by.actor.name,
        changed_at=by.now,
    )
    session.add(draft)
    session.flush()
    grids = [grid for row in bases.values() if row for grid in grids_of(session, row.id)]
    state = _noded(State({grid.code: grid for grid in grids}))
    known = [
        {
            "row": EDITION,
            "community": code,
            "known": [row.mark for row in editions.get(code, ())],
            "revision": revision_of(session, draft.communities[code]),
        }
        for code in codes
    ]
    faults = _base_faults(session, draft, state)
    _put(session, draft, [], [grid.as_row() for grid in state.grids.values()])
    _add_step(session, draft, 0, "begin", draft.name, by, [*known, *faults], [g.as_row() for g in state.grids.values()])
    days = sorted({str(row.starts_on or "") for row in bases.values() if row})
    after = {"version": 1, "communities": codes, "edition": "、".join(day or "起初" for day in days)}
    audit.append(session, by.actor, "draft.begin", by.now, _subject(draft), after=after)
    return draft


def _refuse_second(session: Session, codes: Collection[str], names: Mapping[str, str]) -> None:
    for other in open_drafts(session, codes):
        both = "、".join(names[code] for code in codes if code in other.communities)
        raise Conflict(
            f"{both}已经有一份草稿：“{other.name}”（编号 {other.id}，{other.made_by} 建，"
            f"{other.changed_by} {spoken(other.changed_at)} 最后改）。接着画它，或先发布、放弃它。"
        )


def _demo_of(session: Session, editions: Sequence[int]) -> int | None:
    """The demo's import, when it made one of the editions: what is drawn from the demo goes with the demo."""
    return session.scalar(
        select(ImportBatch.id)
        .join(Edition, Edition.batch_id == ImportBatch.id)
        .where(Edition.id.in_(editions), ImportBatch.demo.is_(True))
        .limit(1)
    )


def _name(given: str | None, names: Sequence[str], by: Drawer) -> str:
    return (
        name_of(given, _MOST_NAME, "name") or f"{'、'.join(names[:3])}{'等' if len(names) > 3 else ''} {by.today} 草稿"
    )


def _noded(state: State) -> State:
    """Neighbours share their nodes from here on."""
    tiling = node(tiling_of(state, _NO_BASE))
    grids = {code: _moved(grid, tiling) for code, grid in state.grids.items()}
    return State(grids, state.plans)


_NO_BASE = Base({}, (), {}, {})


def _moved(grid: Drawn, tiling: Tiling) -> Drawn:
    tile = tiling.tiles.get(grid.code) or tiling.micros[grid.code]
    return Drawn(**grid.plain(), geom=as_multi(tile.geom, "polygon"))


def _base_faults(session: Session, draft: Draft, state: State) -> list[dict[str, Any]]:
    """The faults that the base has: those that its import told, and every overlap as it is now."""
    ids = tuple(key for key in draft.communities.values() if key is not None)
    told = [one for one in faults_of(session, ids) if one.kind != "overlap" or not set(one.codes) <= set(state.grids)]
    tiles = {code: grid.geom for code, grid in state.grids.items() if grid.tiles}
    overlaps = [
        fault
        for fault in find_faults(np.array(list(tiles.values()), dtype=object), list(tiles), None)
        if fault.kind == "overlap"
    ]
    base = Base({}, (*overlaps, *_as_faults(told)), {}, {})
    around = {row.code: row.geom for row in around_of(session, draft.communities, state)}
    return [fault_row(fault) for fault in faults_of_draft(state, base, around)]


def _as_faults(rows: Sequence[FaultRow]) -> list[Fault]:
    return [Fault(row.kind, tuple(row.codes), row.area_m2, row.geom) for row in rows]


# Steps ------------------------------------------------------------------------------------------------------------


def opened(session: Session, draft_id: int, version: int, by: Drawer) -> Draft:
    """The open draft of that version, to be changed by nobody else until the commit. Raises NotFound, NotAllowed,
    Conflict, StaleDraft."""
    draft = draft_of(session, draft_id, by.area, lock=True)
    if not may_edit(draft, by.area):
        raise NotAllowed("这份草稿里有不归你管的社区，由主管来改。")
    if draft.state != OPEN:
        was = "发布" if draft.state != DROPPED else "放弃"
        raise Conflict(f"草稿“{draft.name}”已经{was}了，不能再改。")
    if draft.version != version:
        done = since(session, draft_id, version)
        last = f"（{done[-1].actor}，{spoken(done[-1].at)}：{done[-1].words}）" if done else ""
        raise StaleDraft(
            f"草稿在你打开之后又改过{last}。先看过现在的样子，再做这一步。你画的还在。", draft.version, done
        )
    return draft


Step = Callable[[State], tuple[State, str, Sequence[str]]]


def take_step(session: Session, draft_id: int, version: int, kind: str, step: Step, by: Drawer) -> Saved:
    """One step of an open draft: `step` gives the state after it, its words, and what to warn of."""
    draft = opened(session, draft_id, version, by)
    before = state_of(session, draft_id)
    after, words, warnings = step(before)
    old, new = difference(before, after)
    if not old and not new:
        raise InvalidValue("step", "这一步什么也没有改变。")
    session.execute(delete(DraftStep).where(DraftStep.draft_id == draft_id, DraftStep.undone.is_(True)))
    last = session.scalar(select(func.max(DraftStep.number)).where(DraftStep.draft_id == draft_id)) or 0
    _put(session, draft, old, new)
    _add_step(session, draft, last + 1, kind, words, by, old, new)
    moved_on(session, draft, "draft.step", words, [*old, *new], by)
    return Saved(draft, before, state_of(session, draft_id), tuple(warnings))


def undo(session: Session, draft_id: int, version: int, by: Drawer) -> Saved:
    """The last step taken back. Raises Conflict when there is none."""
    draft = opened(session, draft_id, version, by)
    step = session.scalars(_steps(draft_id, False).order_by(DraftStep.number.desc()).limit(1)).first()
    if step is None:
        raise Conflict("没有可以撤销的步骤了。")
    return _replayed(session, draft, step, True, "draft.undo", f"撤销：{step.words}", by)


def redo(session: Session, draft_id: int, version: int, by: Drawer) -> Saved:
    """The step that was taken back last, done again. Raises Conflict when there is none."""
    draft = opened(session, draft_id, version, by)
    step = session.scalars(_steps(draft_id, True).order_by(DraftStep.number).limit(1)).first()
    if step is None:
        raise Conflict("没有可以重做的步骤了。")
    return _replayed(session, draft, step, False, "draft.redo", f"重做：{step.words}", by)


def drop(session: Session, draft_id: int, version: int, by: Drawer) -> Draft:
    """The draft is given up; what was drawn is kept."""
    draft = opened(session, draft_id, version, by)
    draft.state = DROPPED
    moved_on(session, draft, "draft.drop", "放弃草稿", [], by)
    return draft


def _steps(draft_id: int, undone: bool) -> Any:
    return select(DraftStep).where(DraftStep.draft_id == draft_id, DraftStep.number > 0, DraftStep.undone.is_(undone))


def _replayed(
    session: Session, draft: Draft, step: DraftStep, undone: bool, action: str, words: str, by: Drawer
) -> Saved:
    before = state_of(session, draft.id)
    old, new = (step.after, step.before) if undone else (step.before, step.after)
    _put(session, draft, old, new)
    step.undone = undone
    moved_on(session, draft, action, words, [*old, *new], by)
    return Saved(draft, before, state_of(session, draft.id))


def moved_on(
    session: Session,
    draft: Draft,
    action: str,
    words: str,
    rows: Sequence[Mapping[str, Any]],
    by: Drawer,
    more: Mapping[str, Any] | None = None,
) -> None:
    """One version more, and a line in the trail: words and codes, no geometry."""
    draft.version += 1
    draft.changed_by, draft.changed_at = by.actor.name, by.now
    codes = sorted({row["code"] if row["row"] == GRID else row["grid"] for row in rows})
    after: dict[str, Any] = {"version": draft.version} | ({"grids": codes[:_TOLD]} if codes else {}) | dict(more or {})
    session.flush()
    audit.append(session, by.actor, action, by.now, _subject(draft), after=after, note=words)


def _subject(draft: Draft) -> Subject:
    return Subject(SUBJECT, str(draft.id), draft.name)


def _add_step(
    session: Session, draft: Draft, number: int, kind: str, words: str, by: Drawer, old: list[Any], new: list[Any]
) -> None:
    actor = by.actor.name
    session.add(
        DraftStep(
            draft_id=draft.id,
            number=number,
            kind=kind,
            words=words,
            actor=actor,
            at=by.now,
            before=old,
            after=new,
            undone=False,
        )
    )
    session.flush()


def _put(session: Session, draft: Draft, old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> None:
    """The rows of a step: the old ones go, the new ones come."""
    gone = [row["code"] for row in old if row["row"] == GRID]
    if gone:
        session.execute(delete(DraftGrid).where(DraftGrid.draft_id == draft.id, DraftGrid.code.in_(gone)))
    for row in old:
        if row["row"] == PLAN:
            session.execute(
                delete(PlannedDuty).where(
                    PlannedDuty.draft_id == draft.id,
                    PlannedDuty.grid_code == row["grid"],
                    PlannedDuty.role == row["role"],
                    PlannedDuty.person_code == row["person"],
                )
            )
    for row in new:
        if row["row"] == GRID:
            grid = Drawn.of_row(row)
            geom = encode(as_multi(grid.geom, "polygon"))
            session.add(DraftGrid(subdistrict=draft.subdistrict, draft_id=draft.id, geom=geom, **grid.plain()))
        else:
            plan = Plan.of_row(row)
            session.add(
                PlannedDuty(
                    subdistrict=draft.subdistrict,
                    draft_id=draft.id,
                    grid_code=plan.grid_code,
                    role=plan.role,
                    person_code=plan.person_code,
                    ends_on=plan.until,
                )
            )
    session.flush()
