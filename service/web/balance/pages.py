"""The page that asks for a division, shows it beside today's, takes changes by hand and keeps it as a draft."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import numpy as np
from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from service.duties.rules import role_name
from service.errors import InvalidValue
from service.registers.balancing import EVEN, ROLES, Ask, Ground, Proposed, ground_of, measures, propose, spread_today
from service.responsibility.balance import LIMIT, spread_of
from service.responsibility.loads import LOADS, mix, unit_of
from service.responsibility.proposals import Group, save
from service.responsibility.showing import Showing
from service.web.balance.asked import MIXED, PERIODS, ask_of, own_communities, snapshot_now
from service.web.balance.blueprint import bp
from service.web.balance.shown import load_words, spread_words, view
from service.web.context import services, viewer
from service.web.duties.asked import require_assign, writer

_KEEPS = (
    (EVEN, "尽量不动"),
    ("none", "不管现在"),
    *((str(share), f"至少 {share} %") for share in (50, 70, 80, 90)),
    ("100", "全部"),
)


@bp.get("/duties/balance")
def index() -> str | tuple[str, int]:
    """`?community=…` asks at once; without it the form alone."""
    require_assign()
    if not request.args.getlist("community"):
        return _page(None, None)
    try:
        ask = ask_of(request.args)
        proposed = propose(snapshot_now(), services().incidents.current(), ask)
    except InvalidValue as fault:
        return _page(None, fault), 422
    return _page(proposed, None)


def _page(proposed: Proposed | None, fault: InvalidValue | None) -> str:
    return render_template(
        "duties/balance.html",
        form=_form(proposed),
        fault=fault.message if fault else None,
        shown=_shown(proposed) if proposed else None,
        limit=LIMIT,
    )


def _form(proposed: Proposed | None) -> dict[str, Any]:
    """The form with what the address says."""
    sent, homes = request.args, own_communities()
    chosen = sent.getlist("community") or ([homes[0][0]] if len(homes) == 1 else [])
    known = [code for code, _ in homes if not chosen or code in chosen]
    role = sent.get("role", ROLES[0])
    role = role if role in ROLES else ROLES[0]
    snapshot = snapshot_now()
    showing = Showing(snapshot, viewer())
    named = sent.getlist("officer")
    present = ground_of(snapshot, tuple(known), role).officers if known else []
    people = [
        {
            "code": code,
            "name": showing.person(code, person.name, person.organisation_code),
            "on": code in named,
            "here": code in present,
        }
        for code in dict.fromkeys([*present, *named])
        if (person := snapshot.persons.get(code)) is not None
    ]
    return {
        "homes": [(code, name, code in chosen) for code, name in homes],
        "role": role,
        "roles": [(code, role_name(code)) for code in ROLES],
        "number": sent.get("number", ""),
        "people": people,
        "present": len(present),
        "load": sent.get("load", "incidents"),
        "loads": [*LOADS.items(), (MIXED, "混合")],
        "weights": {name: sent.get(f"w.{name}", "1" if name != "area" else "0") for name in LOADS},
        "days": sent.get("days", "90"),
        "periods": PERIODS,
        "keep": sent.get("keep", EVEN),
        "keeps": _KEEPS,
        "within": sent.get("within") == "1",
        "seed": sent.get("seed", "1"),
    }


def _shown(proposed: Proposed) -> dict[str, Any]:
    """The answer: maps, table, spreads, what else could be had."""
    plan, ground, ask = proposed.plan, proposed.ground, proposed.ask
    groups = plan.groups.tolist()
    seen = view(snapshot_now(), ground, proposed.load, groups, proposed.officers, ground.holders)
    return {
        "view": seen,
        "before": spread_words(proposed.before),
        "after": spread_words(plan.spread),
        "bound": round(plan.bound, 2),
        "bounded": plan.bound > LIMIT and plan.spread.heaviest <= plan.bound * 1.005,
        "uneven": min(one.heaviest for one in plan.options) > max(LIMIT, plan.bound * 1.005),
        "kept": plan.kept,
        "held": plan.held,
        "reached": plan.reached,
        "moved": len(seen.moved),
        "grids": len(groups),
        "options": _options(proposed),
        "unit": unit_of(ask.weights),
        "load": load_words(ask.weights),
        "role": role_name(ask.role),
        "hidden": [(name, value) for name in request.args for value in request.args.getlist(name)],
        "name": _name(ask),
        "data": {
            "load": [round(value, 3) for value in proposed.load.tolist()],
            "beside": [list(patch.beside) for patch in seen.map.patches],
            "groups": groups,
            "today": seen.today,
            "colours": [one.colour for one in [*seen.officers, *seen.others]],
            "k": len(proposed.officers),
        },
    }


def _options(proposed: Proposed) -> list[dict[str, Any]]:
    """Other shares of today's assignments that could be kept, with the address that asks for each."""
    sent = [(name, value) for name in request.args for value in request.args.getlist(name) if name != "keep"]
    out = []
    for one in proposed.plan.options:
        share = int(one.kept * 100 + 1e-6)
        out.append(
            {
                "kept": round(one.kept * proposed.plan.held),
                "share": share,
                "heaviest": round(one.heaviest, 2),
                "here": abs(one.heaviest - proposed.plan.spread.heaviest) < 5e-4
                and round(one.kept * proposed.plan.held) == proposed.plan.kept,
                "url": "/duties/balance?" + urlencode([*sent, ("keep", str(share))]),
            }
        )
    return out


def _name(ask: Ask) -> str:
    names = [name for code, name in own_communities() if code in ask.communities]
    where = names[0] if len(names) == 1 else f"{len(names)} 个社区"
    return f"{where}{role_name(ask.role)}按{load_words(ask.weights) if len(ask.weights) == 1 else '混合负担'}"


@bp.post("/duties/balance")
def keep() -> Response | tuple[str, int]:
    """The shown division with the changes made by hand, wholly or only the ticked officers', as a draft."""
    require_assign()
    sent = request.form
    ask = ask_of(sent)
    snapshot = snapshot_now()
    ground = ground_of(snapshot, ask.communities, ask.role, ask.within)
    load = mix(measures(snapshot, services().incidents.current(), ground, ask), ask.weights)
    groups = posted_groups(ground, load.tolist(), sent)
    told = {
        "before": {zone.code: list(held) for zone, held in zip(ground.zones, ground.holders, strict=True)},
        "spread_before": spread_words(spread_today(ground, load)),
        "spread_after": spread_words(spread_of(np.array([group.load for group in groups]))),
    }
    taken = {int(one) for one in sent.getlist("take") if one.isascii() and one.isdecimal()}
    chosen = [group for i, group in enumerate(groups) if i in taken]
    if not chosen:
        raise InvalidValue("take", "至少勾选一个人，再存为方案。")
    with services().database.write() as session:
        made = save(session, sent.get("name", ""), ask.plain(), chosen, told, writer())
        number = made.id
    return redirect(url_for("balance.proposal", number=number, told="saved"), 303)


def posted_groups(ground: Ground, load: list[float], sent: Any) -> list[Group]:
    """`g.<grid>` = number of a group, `o` = its officer's code or empty, in order. Raises InvalidValue."""
    officers = sent.getlist("o")
    grids: list[list[int]] = [[] for _ in officers]
    for i, zone in enumerate(ground.zones):
        word = sent.get(f"g.{zone.code}", "")
        if not (word.isascii() and word.isdecimal()) or int(word) >= len(officers):
            raise InvalidValue("groups", f"网格 {zone.code} 没有分给谁。网格可能刚改过，重新算一次。")
        grids[int(word)].append(i)
    known = snapshot_now().persons
    strange = next((code for code in officers if code and code not in known), None)
    if strange is not None:
        raise InvalidValue("officers", f"没有工号是“{strange[:40]}”的人。")
    return [
        Group(code or None, tuple(ground.zones[i].code for i in mine), round(sum(load[i] for i in mine), 3))
        for code, mine in zip(officers, grids, strict=True)
    ]
