"""A division as the pages show it: the two maps, officers with their grids and loads, spreads in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from service.geo.coverage import colour_communities
from service.grids.rules import short_code
from service.maps.groups import COLOURS, GroupsMap, groups_map
from service.registers.balancing import Ground
from service.responsibility.balance import Spread
from service.responsibility.loads import LOADS
from service.responsibility.showing import Showing
from service.responsibility.snapshot import Snapshot
from service.web.context import viewer
from service.web.grid_layer import zone_spots


@dataclass(frozen=True)
class Officer:
    """One group. `n`: its number on the map; `colour`: 0 … 7; `now`: load today, None for somebody new."""

    n: int
    code: str | None
    name: str
    colour: int
    grids: list[dict[str, Any]]
    load: float
    now: float | None
    new: int
    gone: int


@dataclass(frozen=True)
class View:
    """All that templates/duties/groups.html draws."""

    map: GroupsMap
    proposed: list[int]
    today: list[int]
    officers: list[Officer]
    others: list[Officer]
    moved: list[int]


def view(
    snapshot: Snapshot,
    ground: Ground,
    load: np.ndarray,
    groups: Sequence[int],
    officers: Sequence[str | None],
    holders: Sequence[Sequence[str]],
) -> View:
    """`groups[i]`: officer of grid i, -1 none; `holders[i]`: who has it today."""
    showing = Showing(snapshot, viewer())
    rest = [code for code in dict.fromkeys(code for held in holders for code in held) if code not in officers]
    everybody = [*officers, *rest]
    place = {code: i for i, code in enumerate(everybody) if code is not None}
    today = [next((place[code] for code in held if code in place), -1) for held in holders]
    colours = _colours(ground.pairs, [list(groups), today], len(everybody))
    shapes = zone_spots(snapshot, ground.at)
    shorts = _shorts([zone.code for zone in ground.zones])
    drawn = groups_map([zone.code for zone in ground.zones], shorts, shapes.geoms, shapes.spots, ground.pairs)
    moved = [i for i, group in enumerate(groups) if group >= 0 and today[i] != group]
    people = [
        _officer(showing, i, code, colours[i], ground, shorts, load, groups, today, holders)
        for i, code in enumerate(everybody)
    ]
    return View(drawn, list(groups), today, people[: len(officers)], people[len(officers) :], moved)


def _shorts(codes: Sequence[str]) -> list[str]:
    """Short codes; with the community's last digits where two would look the same."""
    shorts = [short_code(code)[1] for code in codes]
    if len(set(shorts)) == len(shorts):
        return shorts
    return [
        f"{code[-5 - 1 : -3]}-{short}" if len(code) > 6 else code for code, short in zip(codes, shorts, strict=True)
    ]


def _officer(
    showing: Showing,
    at: int,
    code: str | None,
    colour: int,
    ground: Ground,
    shorts: Sequence[str],
    load: np.ndarray,
    groups: Sequence[int],
    today: Sequence[int],
    holders: Sequence[Sequence[str]],
) -> Officer:
    mine = [i for i, group in enumerate(groups) if group == at]
    had = [i for i, held in enumerate(holders) if code is not None and code in held]
    grids = [
        {"code": ground.zones[i].code, "short": shorts[i], "name": ground.zones[i].name, "new": today[i] != at, "i": i}
        for i in mine
    ]
    known = showing.snapshot.persons.get(code) if code else None
    name = showing.person(code, known.name, known.organisation_code) if code and known else None
    return Officer(
        at + 1,
        code,
        name or code or "",
        colour,
        grids,
        float(load[mine].sum()) if mine else 0.0,
        float(sum(load[i] / len(holders[i]) for i in had)) if had else None,
        sum(bool(one["new"]) for one in grids),
        len([i for i in had if i not in mine]),
    )


def _colours(pairs: np.ndarray, divisions: Sequence[Sequence[int]], n: int) -> list[int]:
    """A colour per officer, the same on both maps; neighbours differ where eight colours can."""
    beside = {
        (min(a, b), max(a, b))
        for groups in divisions
        for i, j in pairs.tolist()
        if (a := groups[i]) != (b := groups[j]) and a >= 0 and b >= 0
    }
    known = np.array(sorted(beside), np.int64).reshape(-1, 2)
    return [int(colour) for colour in colour_communities(known, n, COLOURS)]


def spread_words(spread: Spread | None) -> dict[str, Any] | None:
    """For people: the busiest against the mean, against the least busy, and the Gini figure."""
    if spread is None:
        return None
    times = spread.heaviest / spread.lightest if spread.lightest > 0 else None
    return {
        "heaviest": round(spread.heaviest, 2),
        "lightest": round(spread.lightest, 2),
        "gini": round(spread.gini, 3),
        "times": round(times, 1) if times is not None else None,
    }


def load_words(weights: Mapping[str, float]) -> str:
    """事项, or the mix with its weights."""
    asked = {name: weights[name] for name in LOADS if weights.get(name, 0) > 0}
    if len(asked) == 1:
        return LOADS[next(iter(asked))]
    total = sum(asked.values())
    return "、".join(f"{LOADS[name]} {weight / total:.0%}" for name, weight in asked.items())
