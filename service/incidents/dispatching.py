"""To whom an incident goes: by the office's rules in order, by the category's unit, by the place. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from service.clock import SHANGHAI, ended_by
from service.duties.rules import role_name
from service.incidents.placing import Placed
from service.responsibility.snapshot import Held, Snapshot
from service.taxonomy.queries import CategoryRow

AT_THE_PLACE = ("grid_officer", "grid_leader", "part_time_officer", "community_head")
"""Roles asked in turn at the place when no rule and no unit says otherwise."""
_SUBJECTS = ("frontage", "place", "grid", "community")


@dataclass(frozen=True)
class Rule:
    """A stored rule of dispatch as plain data; see models.DispatchRule."""

    id: int
    name: str
    conditions: Mapping[str, Any]
    target: Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """What the rules look at. `at`: when it was reported, aware."""

    category: CategoryRow | None
    placed: Placed
    urgent: bool
    at: datetime


@dataclass(frozen=True)
class Proposal:
    """A unit, a person, or both (the unit's first responsible person); `why` is a sentence, `rule` the rule's id."""

    unit_code: str | None
    person_code: str | None
    why: str
    rule: int | None = None


def serves(snapshot: Snapshot, person: str) -> bool:
    """Whether somebody is registered on the snapshot's day: nothing is given to one who is gone."""
    known = snapshot.persons.get(person)
    return known is not None and not ended_by(snapshot.on, known.ended_on)


def fits(rule: Rule, case: Case) -> bool:
    """Whether every condition that the rule states holds."""
    wanted, category = rule.conditions, case.category
    stated = {
        "categories": category.code if category else None,
        "classes": category.class_code if category else None,
        "communities": case.placed.community_code,
        "grids": case.placed.grid_code,
        "places": case.placed.subject_kind,
    }
    if any(wanted.get(name) and value not in wanted[name] for name, value in stated.items()):
        return False
    there = case.at.astimezone(SHANGHAI)
    if wanted.get("weekdays") and there.isoweekday() not in wanted["weekdays"]:
        return False
    if wanted.get("urgent") is not None and bool(wanted["urgent"]) != case.urgent:
        return False
    return not wanted.get("hours") or _between(there.time(), *wanted["hours"])


def _between(at: time, begins: str, ends: str) -> bool:
    """Half-open; a span over midnight begins later than it ends."""
    first, last = time.fromisoformat(begins), time.fromisoformat(ends)
    return first <= at < last if first <= last else at >= first or at < last


def propose(snapshot: Snapshot, case: Case, rules: Sequence[Rule]) -> Proposal | None:
    """The first rule that fits and leads to somebody; else by category and place; None when nobody answers.

    `snapshot`: today's, so that who acts for somebody on leave is found.
    """
    for rule in rules:
        found = _by_rule(snapshot, case, rule) if fits(rule, case) else None
        if found is not None:
            return found
    category = case.category
    if category is not None and category.unit_code:
        unit = _unit(snapshot, category.unit_code)
        return Proposal(category.unit_code, unit.person.code if unit else None, f"“{category.name}”由这个单位处置")
    for role in AT_THE_PLACE:
        held = _at_place(snapshot, case.placed, role)
        if held is not None:
            return Proposal(None, held.person.code, _why(held))
    return None


def _by_rule(snapshot: Snapshot, case: Case, rule: Rule) -> Proposal | None:
    target, told = rule.target, f"规则“{rule.name}”"
    if target["kind"] == "unit":
        unit = _unit(snapshot, target["code"])
        return Proposal(target["code"], unit.person.code if unit else None, told, rule.id)
    if target["kind"] == "person":
        return Proposal(None, target["code"], told, rule.id) if serves(snapshot, target["code"]) else None
    held = _at_place(snapshot, case.placed, target["role"])
    return None if held is None else Proposal(None, held.person.code, f"{told}：{_why(held)}", rule.id)


def _unit(snapshot: Snapshot, code: str) -> Held | None:
    """The first person responsible of an organisation today."""
    return next(iter(snapshot.held("organisation", code, code)), None)


def _at_place(snapshot: Snapshot, placed: Placed, role: str) -> Held | None:
    """Who has a role at the place: over the shop or facility, the grid, the community."""
    subjects = [
        (placed.subject_kind, placed.subject_code),
        ("grid", placed.grid_code),
        ("community", placed.community_code),
    ]
    for kind, code in subjects:
        if kind in _SUBJECTS and code:
            for held in snapshot.held(str(kind), code, code):
                if held.role == role:
                    return held
    return None


def _why(held: Held) -> str:
    acting = f"，代{held.acting_for.name}" if held.acting_for else ""
    return f"今天的{role_name(held.role)}{acting}"
