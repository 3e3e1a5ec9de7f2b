"""REST of balanced proposals: compute one, list, read and put in force."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from service.errors import InvalidValue
from service.registers.balancing import EVEN, ROLES, Proposed, propose
from service.responsibility.balance import LIMIT, Spread
from service.responsibility.loads import INCIDENTS
from service.responsibility.proposals import Group, groups_of, listed, put_in_force
from service.responsibility.showing import Showing
from service.web.api import as_json, parsed
from service.web.balance.asked import checked, snapshot_now
from service.web.balance.proposals import is_own, own
from service.web.context import services, viewer
from service.web.duties.asked import facts_now, require_assign, write_refusals, writer
from service.web.duties_api import bp

Weight = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class BalanceAsk(BaseModel):
    """Body of POST /duties/balance. `keep`: share 0 … 1 of today's assignments, "even", or null."""

    model_config = ConfigDict(extra="forbid")

    communities: list[str]
    role: str = ROLES[0]
    officers: list[str] = []
    number: Annotated[int, Field(ge=1, le=200)] | None = None
    load: dict[str, Weight] | str = INCIDENTS
    since: date | None = None
    until: date | None = None
    keep: Annotated[float, Field(ge=0, le=1)] | str | None = EVEN
    within: bool = False
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1


class AdoptAsk(BaseModel):
    """Body of POST /duties/proposals/<id>/adopt. `groups`: numbers from 0, all when absent; `persons`: by number, for
    groups that have nobody yet."""

    model_config = ConfigDict(extra="forbid")

    version: int
    starts_on: date
    groups: list[int] | None = None
    persons: dict[int, str] = {}


@bp.post("/balance")
def balance_division() -> Response:
    """The division; nothing is kept."""
    require_assign()
    body = parsed(BalanceAsk)
    if isinstance(body.keep, str) and body.keep != EVEN:
        raise InvalidValue("keep", f"keep 写 0 到 1 的数、“{EVEN}”，或 null。")
    weights = body.load if isinstance(body.load, dict) else {body.load: 1.0}
    ask = checked(
        tuple(dict.fromkeys(body.communities)),
        body.role,
        tuple(dict.fromkeys(body.officers)),
        body.number,
        weights,
        body.since,
        body.until,
        body.keep,
        body.within,
        body.seed,
    )
    return as_json(_told(propose(snapshot_now(), services().incidents.current(), ask)))


def _told(proposed: Proposed) -> dict[str, Any]:
    plan, zones = proposed.plan, proposed.ground.zones
    return {
        "settings": proposed.ask.plain(),
        "groups": [
            {
                "person": _person(code),
                "grids": [zones[i].code for i in proposed.grids_of(at)],
                "load": round(float(plan.loads[at]), 3),
            }
            for at, code in enumerate(proposed.officers)
        ],
        "before": _spread(proposed.before),
        "after": _spread(plan.spread),
        "limit": LIMIT,
        "bound": round(plan.bound, 4),
        "kept": plan.kept,
        "held": plan.held,
        "kept_as_asked": plan.reached,
        "options": [{"kept": round(one.kept, 4), "heaviest": one.heaviest} for one in plan.options],
    }


def _person(code: str | None) -> dict[str, Any] | None:
    if code is None:
        return None
    showing = Showing(snapshot_now(), viewer())
    known = showing.snapshot.persons.get(code)
    name = showing.person(code, known.name if known else None, known.organisation_code if known else None)
    return {"code": code, "name": name or code}


def _spread(spread: Spread | None) -> dict[str, float] | None:
    if spread is None:
        return None
    return {
        "heaviest": round(spread.heaviest, 4),
        "lightest": round(spread.lightest, 4),
        "gini": round(spread.gini, 4),
    }


@bp.get("/proposals")
def proposal_list() -> Response:
    """Every kept proposal for the asker's communities."""
    require_assign()
    with services().database.read() as session:
        found = [_plain(made) for made in listed(session) if is_own(made)]
    return as_json({"items": found, "total": len(found)})


@bp.get("/proposals/<int:number>")
def proposal_one(number: int) -> Response:
    """One, with its groups, its settings and its outcome."""
    require_assign()
    with services().database.read() as session:
        made = own(session, number)
        body = _plain(made) | {
            "settings": made.settings,
            "groups": [
                {"person": _person(group.person), "grids": list(group.grids), "load": group.load}
                for group in groups_of(made)
            ],
            "outcome": made.outcome,
        }
    return as_json(body)


def _plain(made: Any) -> dict[str, Any]:
    return {
        "id": made.id,
        "name": made.name,
        "state": made.state,
        "version": made.version,
        "made_by": made.made_by,
        "made_at": made.made_at.isoformat(),
        "starts_on": made.starts_on.isoformat() if made.starts_on else None,
        "communities": made.settings["communities"],
    }


@bp.post("/proposals/<int:number>/adopt")
def proposal_adopt(number: int) -> Response:
    """Handed over from `starts_on`; the verdict of each grid."""
    require_assign()
    body = parsed(AdoptAsk)
    with services().database.read() as session:
        made, facts = own(session, number), facts_now(session)
        groups = _chosen(groups_of(made), body)
    with services().database.write() as session:
        made = own(session, number)
        verdicts = put_in_force(session, made, body.version, groups, body.starts_on, facts, writer())
        write_refusals(session, verdicts, writer())
        answer = _plain(made)
    done = [one for one in verdicts if one.ok]
    told = [{"grid": one.subject[1], "duty": one.code, "ok": one.ok, "message": one.message} for one in verdicts]
    return as_json(answer | {"verdicts": told}, 200 if done else 409)


def _chosen(groups: list[Group], body: AdoptAsk) -> list[Group]:
    numbers = list(range(len(groups))) if body.groups is None else body.groups
    out = []
    for at in numbers:
        if not 0 <= at < len(groups):
            raise InvalidValue("groups", f"方案里没有第 {at} 组（从 0 数起）。")
        person = groups[at].person or body.persons.get(at)
        if person is None:
            raise InvalidValue(f"persons.{at}", f"第 {at} 组还没有人，在 persons 里写上。")
        out.append(Group(person, groups[at].grids, groups[at].load))
    return out
