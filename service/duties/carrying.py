"""What becomes of duties when grids are redrawn: they stay, move to another code, end, or are made as planned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from service.clock import in_force, overlap
from service.duties.models import Duty
from service.duties.planning import duty_kind
from service.duties.queries import DutyRow, Subject
from service.duties.rules import ROLES, duty_code, role_name
from service.errors import Conflict
from service.grids.draft_rows import Drawn, Plan, State
from service.records import audit
from service.records.audit import Actor
from service.records.audit import Subject as Noted

_DAYS = ("acting_from", "acting_until", "starts_on", "ends_on")
_KEPT = ("version", "subdistrict", "batch_id")
_SHOWN = 6


@dataclass(frozen=True)
class Carried:
    """The duties of a draft's base grids from the edition's day on. stays: as they are; moves: (as it was, as it goes
    on under the new code); ends: those whose grid is no more; planned: those that are made."""

    on: date
    stays: tuple[DutyRow, ...] = ()
    moves: tuple[tuple[DutyRow, DutyRow], ...] = ()
    ends: tuple[DutyRow, ...] = ()
    planned: tuple[DutyRow, ...] = ()
    by_subject: Mapping[Subject, list[DutyRow]] = field(default_factory=dict)

    def leader(self, grid: Drawn, gone: frozenset[str]) -> str | None:
        """Who leads a grid of the draft on the edition's day, the acting person first; `gone`: ended persons."""
        kind = duty_kind(grid.kind)
        role = "micro_leader" if kind == "micro_grid" else "grid_leader"
        for duty in self.by_subject.get((kind, grid.code), ()):
            if duty.role == role and in_force(duty.starts_on, self.on, duty.ends_on):
                who = duty.holder_on(self.on)[0]
                if who not in gone:
                    return who
        return None


def carry(duties: Iterable[DutyRow], base: Mapping[str, Drawn], state: State, on: date) -> Carried:
    """Where each duty of the base's grids goes, and what is planned. Pure."""
    goes = {grid.origin: grid.code for grid in state.grids.values() if grid.origin is not None}
    stays, moves, ends = [], [], []
    for duty in duties:
        if duty.subject_code not in base or (duty.ends_on is not None and duty.ends_on <= on):
            continue
        to = goes.get(duty.subject_code)
        if to == duty.subject_code:
            stays.append(duty)
        elif to is None:
            ends.append(duty)
        else:
            starts = on if duty.starts_on is None or duty.starts_on < on else duty.starts_on
            moved = replace(duty, subject_code=to, starts_on=starts)
            moves.append((duty, replace(moved, code=_code(moved))))
    planned = [_planned(plan, state.grids[plan.grid_code], on) for plan in state.plans if plan.grid_code in state.grids]
    by_subject: dict[Subject, list[DutyRow]] = {}
    for duty in (*planned, *stays, *(new for _, new in moves)):
        by_subject.setdefault((duty.subject_kind, duty.subject_code), []).append(duty)
    return Carried(on, tuple(stays), tuple(moves), tuple(ends), tuple(planned), by_subject)


def _planned(plan: Plan, grid: Drawn, on: date) -> DutyRow:
    kind = duty_kind(grid.kind)
    duty = DutyRow("", plan.role, kind, plan.grid_code, plan.person_code, None, None, None, on, plan.until)
    return replace(duty, code=_code(duty))


def _code(duty: DutyRow) -> str:
    return duty_code(duty.role, duty.subject_kind, duty.subject_code, duty.person_code, duty.starts_on)


def clashes(carried: Carried, names: Mapping[str, str]) -> list[str]:
    """Planned duties that would be second holders of an exclusive role, or end before they begin."""
    out = []
    for plan in carried.planned:
        if plan.ends_on is not None and plan.ends_on <= carried.on:
            out.append(f"{_spoken(plan, names)}的截止日 {plan.ends_on} 不晚于生效日 {carried.on}")
        if plan.role not in ROLES or not ROLES[plan.role].exclusive:
            continue
        for other in carried.by_subject[plan.subject_kind, plan.subject_code]:
            if (
                other is not plan
                and other.role == plan.role
                and overlap(plan.starts_on, plan.ends_on, other.starts_on, other.ends_on)
            ):
                until = f"到 {other.ends_on}" if other.ends_on else "没有截止"
                holder = names.get(other.person_code, other.person_code)
                out.append(f"{_spoken(plan, names)}，可是{holder}还在任（{until}）")
    return out


def _spoken(duty: DutyRow, names: Mapping[str, str]) -> str:
    who = names.get(duty.person_code, duty.person_code)
    return f"网格 {duty.subject_code} 计划的{role_name(duty.role)}{who}"


def carry_out(
    session: Session, carried: Carried, actor: Actor, now: datetime, revision: int, owner: Mapping[str, Any]
) -> dict[str, Any]:
    """Write it: duties that end or move are ended on the day (one that would begin later is taken out), those that go
    on or are planned are made. owner: subdistrict and batch_id of what is made. Gives what taking back needs."""
    leaving = {duty.code for duty in (*carried.ends, *(old for old, _ in carried.moves))}
    rows = {row.code: row for row in session.scalars(select(Duty).where(Duty.code.in_(leaving)).with_for_update())}
    ended, removed = [], []
    for code in sorted(leaving):
        row = rows[code]
        if row.starts_on is not None and row.starts_on >= carried.on:
            removed.append(_plain(row))
            session.delete(row)
            audit.append(session, actor, "duty.remove", now, _noted(row), before=_told(row))
            continue
        before, row.ends_on = row.ends_on, carried.on
        row.version, row.revision = row.version + 1, revision
        ended.append({"code": code, "ends_on": _day(before), "version": row.version})
        change = ({"ends_on": _day(before)}, {"ends_on": carried.on.isoformat()})
        audit.append(session, actor, "duty.end", now, _noted(row), before=change[0], after=change[1])
    session.flush()
    made = [new for _, new in carried.moves] + list(carried.planned)
    codes = _free_codes(session, [duty.code for duty in made])
    for duty, code in zip(made, codes, strict=True):
        row = Duty(**asdict(replace(duty, code=code)), **owner, revision=revision, version=1)
        session.add(row)
        session.flush()
        audit.append(session, actor, "duty.create", now, _noted(row), after=_told(row))
    return {"ended": ended, "removed": removed, "made": codes}


def _free_codes(session: Session, codes: Sequence[str]) -> list[str]:
    """The same codes, with a number behind where one is taken."""
    known = set(session.scalars(select(Duty.code).where(Duty.code.in_(list(codes)))))
    out = []
    for code in codes:
        free, number = code, 1
        while free in known:
            number += 1
            free = f"{code}-{number}"
        known.add(free)
        out.append(free)
    return out


def take_back(
    session: Session, outcome: Mapping[str, Any], on: date, actor: Actor, now: datetime, revision: int
) -> dict[str, int]:
    """What carry_out did, undone. Raises Conflict naming the duties that were changed since."""
    ended = {one["code"]: one for one in outcome["ended"]}
    wanted = [*ended, *outcome["made"], *(one["code"] for one in outcome["removed"])]
    rows = {row.code: row for row in session.scalars(select(Duty).where(Duty.code.in_(wanted)).with_for_update())}
    moved = [
        code
        for code, one in ended.items()
        if code not in rows or rows[code].version != one["version"] or rows[code].ends_on != on
    ]
    moved += [code for code in outcome["made"] if code not in rows or rows[code].version != 1]
    moved += [one["code"] for one in outcome["removed"] if one["code"] in rows]
    if moved:
        shown = "、".join(sorted(moved)[:_SHOWN]) + ("…" if len(moved) > _SHOWN else "")
        raise Conflict(f"这些责任在发布之后又改过：{shown}。先把它们改回去，再撤回这一版。")
    for code in outcome["made"]:
        audit.append(session, actor, "duty.remove", now, _noted(rows[code]), before=_told(rows[code]))
    session.execute(delete(Duty).where(Duty.code.in_(list(outcome["made"]))))
    for code, one in ended.items():
        row = rows[code]
        row.ends_on = date.fromisoformat(one["ends_on"]) if one["ends_on"] else None
        row.version, row.revision = row.version + 1, revision
        change = ({"ends_on": on.isoformat()}, {"ends_on": one["ends_on"]})
        audit.append(session, actor, "duty.restore", now, _noted(row), before=change[0], after=change[1])
    for one in outcome["removed"]:
        values = {name: date.fromisoformat(one[name]) if name in _DAYS and one[name] else one[name] for name in one}
        row = Duty(**values, revision=revision)
        session.add(row)
        session.flush()
        audit.append(session, actor, "duty.create", now, _noted(row), after=_told(row))
    session.flush()
    return {"restored": len(ended) + len(outcome["removed"]), "removed": len(outcome["made"])}


def _noted(row: Duty) -> Noted:
    return Noted("duties", row.code, f"{role_name(row.role)}（{row.subject_code}）")


def _plain(row: Duty) -> dict[str, Any]:
    """What taking back needs to make the row again."""
    return {name: _json(getattr(row, name)) for name in (*DutyRow.__dataclass_fields__, *_KEPT)}


def _told(row: Duty) -> dict[str, Any]:
    """What the trail tells of a duty that came or went."""
    values = {name: _json(getattr(row, name)) for name in DutyRow.__dataclass_fields__}
    return {name: value for name, value in values.items() if value is not None}


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
