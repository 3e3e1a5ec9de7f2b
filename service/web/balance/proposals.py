"""Kept proposals: the list, one beside today, put in force from a date with a verdict per grid, dropped."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from flask import redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from service.clock import local_date, spoken
from service.duties.rules import role_name
from service.errors import InvalidValue, InvalidValues, NotFound
from service.registers.balancing import Ask, ground_of, measures
from service.responsibility.balance import Infeasible
from service.responsibility.loads import mix, unit_of
from service.responsibility.models import Proposal
from service.responsibility.partition import Graph
from service.responsibility.proposals import DRAFT, STATES, Group, drop, groups_of, listed, look, one, put_in_force
from service.responsibility.showing import Showing
from service.web.balance.asked import snapshot_now
from service.web.balance.blueprint import bp
from service.web.balance.shown import load_words, view
from service.web.context import area, now, services, viewer
from service.web.duties.asked import (
    RIGHT,
    facts_now,
    needed_day,
    person_of,
    require_assign,
    write_refusals,
    writer,
)
from service.web.duties.verdicts import verdict_page

_LOOKS = {"draft": ("way", "s-way"), "in_force": ("done", "s-done"), "dropped": ("rep", "s-rep")}


@bp.get("/duties/proposals")
def proposals() -> str:
    """Every proposal for the asker's communities."""
    require_assign()
    with services().database.read() as session:
        found = [card(made) for made in listed(session) if is_own(made)]
    return render_template("duties/proposals.html", found=found)


def is_own(made: Proposal) -> bool:
    """Whether all of it lies in the asker's area."""
    mine = area(RIGHT)
    return all(mine.holds_community(code) for code in made.settings["communities"])


def own(session: Session, number: int) -> Proposal:
    """Raises NotFound, also for one outside the asker's area."""
    made = one(session, number)
    if not is_own(made):
        raise NotFound("没有这个方案，可能已经删除。回到方案清单再选。")
    return made


def card(made: Proposal) -> dict[str, Any]:
    """A proposal in a few words."""
    look_, icon = _LOOKS[made.state]
    homes = snapshot_now().communities
    return {
        "id": made.id,
        "name": made.name,
        "url": url_for("balance.proposal", number=made.id),
        "state": made.state,
        "word": STATES[made.state],
        "look": look_,
        "icon": icon,
        "made_by": made.made_by,
        "made_at": spoken(made.made_at),
        "starts_on": made.starts_on,
        "role": role_name(made.settings["role"]),
        "load": load_words(made.settings["weights"]),
        "homes": "、".join(homes[code].name if code in homes else code for code in made.settings["communities"]),
        "groups": len(made.groups["groups"]),
        "grids": sum(len(group["grids"]) for group in made.groups["groups"]),
        "before": made.groups.get("spread_before"),
        "after": made.groups.get("spread_after"),
        "version": made.version,
    }


@bp.get("/duties/proposals/<int:number>")
def proposal(number: int) -> str:
    """One proposal beside what holds today."""
    require_assign()
    with services().database.read() as session:
        made = own(session, number)
        return _page(made, (), {})


def _page(made: Proposal, faults: Collection[tuple[str, str]], typed: dict[str, str]) -> str:
    snapshot, settings = snapshot_now(), made.settings
    communities = tuple(code for code in settings["communities"] if code in snapshot.communities)
    ask = Ask(communities, settings["role"], weights=settings["weights"], since=_day(settings["since"]),
              until=_day(settings["until"]))  # fmt: skip
    ground = ground_of(snapshot, communities, ask.role)
    try:
        load = mix(measures(snapshot, services().incidents.current(), ground, ask), ask.weights)
    except Infeasible:  # what was counted is gone since: the saved loads still stand
        load = measures(snapshot, services().incidents.current(), ground, ask)["area"] * 0
    groups = groups_of(made)
    of = {grid: i for i, group in enumerate(groups) for grid in group.grids}
    placed = [of.get(zone.code, -1) for zone in ground.zones]
    seen = view(snapshot, ground, load, placed, [group.person for group in groups], ground.holders)
    graph = Graph.of(ground.pairs, load)
    apart = [len(graph.pieces([i for i, group in enumerate(placed) if group == at])) > 1 for at in range(len(groups))]
    there = {zone.code for zone in ground.zones}
    return render_template(
        "duties/proposal.html",
        card=card(made),
        view=seen,
        saved=[group.load for group in groups],
        apart=apart,
        gone=sorted(set(of) - there),
        unit=unit_of(ask.weights),
        outcome=_outcome(made),
        faults=list(faults),
        typed=typed,
        today=local_date(now()).isoformat(),
        tomorrow=(local_date(now()) + timedelta(days=1)).isoformat(),
        told=request.args.get("told", ""),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _outcome(made: Proposal) -> dict[str, Any] | None:
    if made.outcome is None:
        return None
    showing = Showing(snapshot_now(), viewer())
    names = {code: person.name for code, person in showing.snapshot.persons.items()}
    people = [showing.person(code, names.get(code)) or code for code in made.outcome["persons"] if code]
    refused = [entry for entry in made.outcome["verdicts"] if not entry["ok"]]
    return {"done": made.outcome["done"], "people": people, "refused": refused}


@bp.post("/duties/proposals/<int:number>/adopt")
def adopt(number: int) -> str | tuple[str, int]:
    """First the verdict of each grid, then (`step=save`) the same written."""
    require_assign()
    sent, save = request.form, request.form.get("step") == "save"
    kept = [(name, value) for name, value in sent.items(multi=True) if name not in ("step", "csrf_token")]
    with services().database.read() as session:
        made, facts = own(session, number), facts_now(session)
        try:
            groups = chosen_groups(session, made, sent)
            on = needed_day(sent.get("from"), "from")
            verdicts = None if save else look(session, groups, made.settings["role"], on, facts)
        except InvalidValue as fault:
            return _page(made, _faults(fault), dict(sent)), 422
        title = f"{made.name}，{on} 生效"
    if verdicts is None:
        try:
            with services().database.write() as session:
                made = own(session, number)
                verdicts = put_in_force(session, made, _version(sent), groups, on, facts, writer())
                write_refusals(session, verdicts, writer())
        except InvalidValue as fault:
            with services().database.read() as session:
                return _page(own(session, number), _faults(fault), dict(sent)), 422
    page = verdict_page(
        title,
        verdicts,
        facts,
        saved=save,
        action=url_for("balance.adopt", number=number),
        back_url=url_for("balance.proposal", number=number),
        kept=kept,
        crumbs=[("/duties/proposals", "均衡方案")],
    )
    return render_template("duties/verdicts.html", page=page)


def _faults(fault: InvalidValue) -> list[tuple[str, str]]:
    return list(fault.errors) if isinstance(fault, InvalidValues) else [(fault.field, fault.message)]


def _version(sent: Any) -> int:
    word = sent.get("version", "")
    return int(word) if word.isascii() and word.isdecimal() else 0


def chosen_groups(session: Session, made: Proposal, sent: Any) -> list[Group]:
    """The ticked groups (`take`), each with its person; `person.<i>` names one for a group without. Raises
    InvalidValue."""
    groups = groups_of(made)
    taken = [int(word) for word in sent.getlist("take") if word.isascii() and word.isdecimal()]
    out = []
    for at in taken:
        if at >= len(groups):
            raise InvalidValue("take", "勾选的组已经不在方案里，刷新再选。")
        group = groups[at]
        if group.person is None:
            word = sent.get(f"person.{at}", "")
            group = replace(group, person=person_of(session, word, f"person.{at}", f"第 {at + 1} 组的责任人"))
        out.append(group)
    if not out:
        raise InvalidValue("take", "至少勾选一个人。")
    return out


@bp.post("/duties/proposals/<int:number>/drop")
def drop_proposal(number: int) -> Response:
    """A draft that nobody wants any more."""
    require_assign()
    with services().database.write() as session:
        made = own(session, number)
        drop(session, made, _version(request.form), writer())
    return redirect(url_for("balance.proposals"), 303)


__all__ = ["DRAFT", "card", "chosen_groups", "own"]
