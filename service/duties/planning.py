"""Duties planned with a draft: who will answer for its grids from the day of the edition."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.clock import ended_by
from service.db.bulk import among
from service.duties.models import Duty
from service.duties.queries import DutyRow
from service.duties.rules import ROLES, fits, role_name
from service.errors import Conflict, InvalidValue
from service.grids.draft_rows import Drawn, Plan, State
from service.grids.drawing import Result, told
from service.people.queries import PersonRow
from service.records.batches import visible

_SHOWN = 6


@dataclass(frozen=True)
class Roster:
    """What planning is held against: the duties of the base's grids that hold tomorrow or later, the people, today."""

    duties: Sequence[DutyRow]
    people: Mapping[str, PersonRow]
    today: date

    def standing(self, grid: Drawn) -> list[DutyRow]:
        """The duties that stay or move with a grid."""
        return [] if grid.origin is None else self.of([grid.origin], duty_kind(grid.kind))

    def of(self, codes: Collection[str], kind: str) -> list[DutyRow]:
        return [duty for duty in self.duties if duty.subject_code in codes and duty.subject_kind == kind]

    def name(self, code: str) -> str:
        return self.people[code].name if code in self.people else code


def duty_kind(grid_kind: str) -> str:
    """Special grids hold duties like ordinary ones."""
    return "micro_grid" if grid_kind == "micro_grid" else "grid"


def duties_of_grids(session: Session, codes: Iterable[str], after: date) -> list[DutyRow]:
    """Duties of grids and micro-grids with these codes that hold on some day after `after`."""
    columns = [getattr(Duty, name) for name in DutyRow.__dataclass_fields__]
    rows = session.execute(
        select(*columns)
        .where(visible(Duty), Duty.subject_kind.in_(("grid", "micro_grid")), among(Duty.subject_code, set(codes)))
        .order_by(Duty.code)
    )
    found = [DutyRow(*row) for row in rows]
    return [duty for duty in found if duty.ends_on is None or duty.ends_on > after + timedelta(days=1)]


def assign(roster: Roster, state: State, grids: Sequence[str], role: str, person: str, until: date | None) -> Result:
    """A person in a role for grids of the draft. Raises InvalidValue, Conflict naming the other duty."""
    chosen = _chosen(state, grids)
    who = roster.people.get(person)
    if who is None or ended_by(roster.today, who.ended_on):
        raise InvalidValue("person", f"没有编码是“{person}”的在册人员，先登记这个人。")
    if until is not None and until <= roster.today + timedelta(days=1):
        raise InvalidValue("until", f"截止日 {until} 要晚于明天。")
    for grid in chosen:
        able = [one for one in ROLES if fits(one, duty_kind(grid.kind))]
        if role not in able:
            raise InvalidValue("role", f"{told(grid)}的职务写这些之一：{'、'.join(ROLES[one].name for one in able)}。")
    taken = [line for grid in chosen for line in _in_the_way(roster, state, grid, role, person)]
    if taken:
        shown = "；".join(taken[:_SHOWN]) + ("…" if len(taken) > _SHOWN else "")
        raise Conflict(f"{shown}。先在责任里结束或移交，或取消原来的计划。")
    plans = state.plans + tuple(Plan(grid.code, role, person, until) for grid in chosen)
    names = "、".join(told(grid) for grid in chosen[:3]) + (f"等 {len(chosen)} 个网格" if len(chosen) > 3 else "")
    warnings = [line for grid in chosen for line in _still_there(roster, grid, role)]
    return replace(state, plans=plans), f"指派{who.name}为{names}的{role_name(role)}", warnings


def _in_the_way(roster: Roster, state: State, grid: Drawn, role: str, person: str) -> list[str]:
    """Why a grid can't have the person in the role."""
    for plan in state.plans_of(grid.code):
        if plan.role == role and (ROLES[role].exclusive or plan.person_code == person):
            return [f"{told(grid)}的{role_name(role)}已经计划给{roster.name(plan.person_code)}"]
    for duty in roster.standing(grid):
        same = duty.role == role and (ROLES[role].exclusive or duty.person_code == person)
        if same and duty.ends_on is None:
            return [f"{told(grid)}的{role_name(role)}是{roster.name(duty.person_code)}（{_period(duty)}，{duty.code}）"]
    return []


def _still_there(roster: Roster, grid: Drawn, role: str) -> list[str]:
    """Holders of an exclusive role whose duty ends by itself: the edition mustn't begin before."""
    return [
        f"{told(grid)}的{role_name(role)}{roster.name(duty.person_code)}到 {duty.ends_on} 为止，版本不能更早生效。"
        for duty in roster.standing(grid)
        if duty.role == role and ROLES[role].exclusive and duty.ends_on is not None
    ]


def _period(duty: DutyRow) -> str:
    return f"{duty.starts_on} 起" if duty.starts_on else "向来"


def unassign(roster: Roster, state: State, plan_id: int) -> Result:
    """A planned duty taken out again."""
    plan = next((one for one in state.plans if one.id == plan_id), None)
    if plan is None:
        raise InvalidValue("id", "这项计划的责任已经不在草稿里了。")
    kept = tuple(one for one in state.plans if one is not plan)
    grid = told(state.grids[plan.grid_code]) if plan.grid_code in state.grids else plan.grid_code
    return replace(state, plans=kept), f"取消{roster.name(plan.person_code)}的{role_name(plan.role)}（{grid}）", ()


def copy_duties(roster: Roster, state: State, grids: Sequence[str]) -> Result:
    """The people of the grids that new ones were cut from, for the new ones too. Raises InvalidValue when there is
    nothing to copy."""
    plans = list(state.plans)
    for grid in _chosen(state, grids):
        if grid.origin is not None:
            continue
        for duty in roster.of(grid.roots, duty_kind(grid.kind)):
            who = roster.people.get(duty.person_code)
            gone = who is None or ended_by(roster.today, who.ended_on)
            plan = Plan(grid.code, duty.role, duty.person_code, duty.ends_on)
            held = [one for one in plans if one.grid_code == grid.code and one.role == duty.role]
            exclusive = duty.role in ROLES and ROLES[duty.role].exclusive
            if gone or any(one.key == plan.key or exclusive for one in held):
                continue
            plans.append(plan)
    added = len(plans) - len(state.plans)
    if not added:
        raise InvalidValue("grids", "没有可以照搬的责任：选新分出来的网格，它们原来的网格上要有人。")
    return replace(state, plans=tuple(plans)), f"照搬原网格的责任到新网格（{added} 项）", ()


def _chosen(state: State, codes: Sequence[str]) -> list[Drawn]:
    missing = [code for code in codes if code not in state.grids]
    if missing:
        raise InvalidValue("grids", f"草稿里没有网格 {'、'.join(missing[:_SHOWN])}，可能刚被改过。")
    return [state.grids[code] for code in dict.fromkeys(codes)]
