"""Balanced proposals kept as drafts, put in force wholly or in part, or dropped. Actions never commit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.clock import in_force
from service.duties.actions import carry_out, judge
from service.duties.ledger import Facts, Ledger, Verdict
from service.duties.queries import DutyRow, Subject, duties_of
from service.duties.steps import Assign, End, HandOver, Step
from service.errors import Conflict, InvalidValue, NotFound
from service.people.writers import By
from service.records import audit
from service.records.audit import Subject as Noted
from service.records.batches import visible
from service.responsibility.models import Proposal

DRAFT, IN_FORCE, DROPPED = "draft", "in_force", "dropped"
STATES = {DRAFT: "草案", IN_FORCE: "已生效", DROPPED: "已放弃"}
MOST_NAME = 60


@dataclass(frozen=True)
class Group:
    """One officer's grids. `person`: None while nobody is named."""

    person: str | None
    grids: tuple[str, ...]
    load: float = 0.0

    def plain(self) -> dict[str, Any]:
        return {"person": self.person, "grids": list(self.grids), "load": self.load}


def groups_of(proposal: Proposal) -> list[Group]:
    """The groups as they were saved, in order."""
    return [Group(one["person"], tuple(one["grids"]), float(one["load"])) for one in proposal.groups["groups"]]


def listed(session: Session) -> list[Proposal]:
    """All proposals, drafts first, then the newest."""
    found = session.scalars(select(Proposal).where(visible(Proposal)).order_by(Proposal.id.desc())).all()
    return sorted(found, key=lambda one: one.state != DRAFT)


def one(session: Session, number: int) -> Proposal:
    """Raises NotFound."""
    found = session.scalar(select(Proposal).where(Proposal.id == number, visible(Proposal)))
    if found is None:
        raise NotFound("没有这个方案，可能已经删除。回到方案清单再选。")
    return found


def save(
    session: Session, name: str, settings: Mapping[str, Any], groups: list[Group], told: Mapping[str, Any], by: By
) -> Proposal:
    """A draft. `told`: what was true when it was made (today's people, spreads). Raises InvalidValue."""
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= MOST_NAME:
        raise InvalidValue("name", f"方案名称要写 1 到 {MOST_NAME} 个字，例如“聚鹤社区秋季调整”。")
    if not any(group.grids for group in groups):
        raise InvalidValue("groups", "至少留下一个人的网格。")
    made = Proposal(
        name=cleaned,
        state=DRAFT,
        version=1,
        settings=dict(settings),
        groups={"groups": [group.plain() for group in groups], **told},
        made_by=by.actor.name,
        made_at=by.now,
        subdistrict=by.subdistrict,
        revision=0,
    )
    session.add(made)
    session.flush()
    audit.append(session, by.actor, "proposal.create", by.now, _noted(made), after={"groups": len(groups)})
    return made


def drop(session: Session, proposal: Proposal, version: int, by: By) -> None:
    """A draft that nobody wants. Raises Conflict."""
    _still_draft(proposal, version)
    proposal.state, proposal.version = DROPPED, proposal.version + 1
    session.flush()
    audit.append(session, by.actor, "proposal.drop", by.now, _noted(proposal))


@dataclass(frozen=True)
class Adopt:
    """Several steps judged one after the other, each in the light of those before, from a day on that is not over."""

    steps: tuple[Step, ...]
    on: date

    @property
    def codes(self) -> Collection[str]:
        return [code for step in self.steps for code in step.codes]

    @property
    def subjects(self) -> Collection[Subject]:
        return [subject for step in self.steps for subject in step.subjects]

    @property
    def people(self) -> Collection[str]:
        return [person for step in self.steps for person in step.people]

    def check(self, facts: Facts) -> None:
        if self.on < facts.today:  # whoever came after that day would stand beside the new holder
            raise InvalidValue("starts_on", f"{self.on} 已经过去，方案最早从今天（{facts.today}）起生效。")
        if not self.steps:
            raise InvalidValue("groups", "这些组的网格已经是他们的，没有要改的。")
        for step in self.steps:
            step.check(facts)

    def plan(self, ledger: Ledger, facts: Facts) -> list[Verdict]:
        return [verdict for step in self.steps for verdict in step.plan(ledger, facts)]


def adopt_step(session: Session, groups: Collection[Group], role: str, on: date) -> Adopt:
    """What makes each grid its group's person's from a day on: who has the role there hands over, a second one ends,
    a vacancy is filled; grids that are right already stay. Groups without a person are left out."""
    wanted = {grid: group.person for group in groups for grid in group.grids if group.person}
    subjects = [("grid", grid) for grid in wanted]
    held: dict[str, list[DutyRow]] = {}
    for duty in sorted(duties_of(session, subjects=subjects), key=lambda duty: (duty.starts_on or date.min, duty.code)):
        if duty.role == role and duty.subject_kind == "grid" and in_force(duty.starts_on, on, duty.ends_on):
            held.setdefault(duty.subject_code, []).append(duty)
    ending: list[str] = []
    handed: dict[str, list[str]] = {}
    filled: dict[str, list[Subject]] = {}
    for grid, person in wanted.items():
        present = held.get(grid, [])
        mine = next((duty for duty in present if duty.person_code == person), None)
        others = [duty for duty in present if duty is not mine]
        if mine is None and others:
            handed.setdefault(str(person), []).append(others.pop(0).code)
        elif mine is None:
            filled.setdefault(str(person), []).append(("grid", grid))
        ending += [duty.code for duty in others]
    steps: list[Step] = [End(tuple(ending), on)] if ending else []
    steps += [HandOver(tuple(codes), person, on) for person, codes in handed.items()]
    steps += [Assign(role, person, tuple(some), on) for person, some in filled.items()]
    return Adopt(tuple(steps), on)


def look(session: Session, groups: Collection[Group], role: str, on: date, facts: Facts) -> list[Verdict]:
    """What would become of each grid. Nothing is written. Raises InvalidValue, TooMany."""
    return judge(session, adopt_step(session, groups, role, on), facts)


def put_in_force(
    session: Session, proposal: Proposal, version: int, groups: Collection[Group], on: date, facts: Facts, by: By
) -> list[Verdict]:
    """The duties handed over from the day on, with a verdict each; the outcome is kept with the proposal.

    Raises Conflict when it isn't a draft any more or was changed, InvalidValue, TooMany.
    """
    _still_draft(proposal, version)
    role = str(proposal.settings["role"])
    step = adopt_step(session, groups, role, on)
    verdicts = carry_out(session, step, facts, by, f"均衡方案 {proposal.id}")
    done = [one for one in verdicts if one.ok and one.changes]
    if not done:
        return verdicts
    proposal.state, proposal.version, proposal.starts_on = IN_FORCE, proposal.version + 1, on
    proposal.outcome = {
        "persons": [group.person for group in groups],
        "done": len(done),
        "verdicts": [
            {"grid": one.subject[1], "duty": one.code, "ok": one.ok, "message": one.message} for one in verdicts
        ],
    }
    session.flush()
    after = {"starts_on": on.isoformat(), "done": len(done), "refused": len(verdicts) - len(done)}
    audit.append(session, by.actor, "proposal.adopt", by.now, _noted(proposal), after=after)
    return verdicts


def _still_draft(proposal: Proposal, version: int) -> None:
    if proposal.state != DRAFT:
        raise Conflict(f"方案“{proposal.name}”{STATES[proposal.state]}，不能再改。")
    if proposal.version != version:
        raise Conflict(f"方案“{proposal.name}”在你打开之后被改过。刷新看过现在的内容，再决定。")


def _noted(proposal: Proposal) -> Noted:
    return Noted("proposals", str(proposal.id), proposal.name)
