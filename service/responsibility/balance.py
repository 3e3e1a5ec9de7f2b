"""Balanced proposal: contiguous groups of grids for so many officers, with near-equal load, close to today's. Pure.

Groups are the officers: group i of the answer belongs to officer i of the question. docs/decisions/026.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from scipy.optimize import linear_sum_assignment  # type: ignore[attr-defined] # it comes without types

from service.errors import InvalidValue
from service.responsibility.partition import Graph, Part, Search, apportion, metis, repaired

LIMIT = 1.10
"""Max/mean up to which loads count as even (the stated aim)."""
MOST_UNITS = 2_000
# More than three only while the aim isn't met; few grids take many, which finds what there is to find (decision 026).
_STARTS, _MOST_STARTS, _ALL_STARTS, _STARTED_UNITS = 3, 9, 60, 1_100
_STEPS, _LEAST_STEPS, _MOST_STEPS = 800, 2_000, 60_000
# Shares of today's assignments to be kept for which an answer is looked for, the strictest first.
_LADDER = (1.0, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.3)


class Infeasible(InvalidValue):
    """There is no such division; the message says why and what would make one."""


@dataclass(frozen=True)
class Keep:
    """How many of today's assignments stay. `share`: at least so many of 1.0; `within`: as many as the loads stay
    even with (max/mean up to LIMIT). Neither: the evenest division wins, today's decides between equals."""

    share: float | None = None
    within: bool = False


@dataclass(frozen=True)
class Task:
    """What is asked. `pairs` (m, 2): grids that lie beside each other; `load` (n,), not negative; `today` (n,): the
    officer 0 … k-1 who has the grid, -1 somebody else or nobody."""

    pairs: np.ndarray
    load: np.ndarray
    officers: int
    today: np.ndarray
    keep: Keep = Keep()
    seed: int = 1


@dataclass(frozen=True)
class Spread:
    """How even loads are. `heaviest`, `lightest`: over the mean; `gini`: 0 all the same."""

    heaviest: float
    lightest: float
    gini: float


@dataclass(frozen=True)
class Option:
    """One possible answer: share of today's assignments kept, and the heaviest load over the mean."""

    kept: float
    heaviest: float


@dataclass(frozen=True)
class Plan:
    """The answer. `groups` (n,): officer of each grid; `loads` (k,); `bound`: no division has a smaller max/mean;
    `options`: what other shares of kept assignments would give, the most kept first."""

    groups: np.ndarray
    loads: np.ndarray
    spread: Spread
    bound: float
    kept: int
    held: int
    reached: bool
    options: tuple[Option, ...]


def balance(task: Task) -> Plan:
    """The division that serves the question best. The same for the same question and seed.

    Raises Infeasible (fields: grids, officers, load) when there is none.
    """
    _check(task)
    graph, k = Graph.of(task.pairs, task.load), task.officers
    homes = graph.pieces(range(len(graph)))
    _check_pieces(homes, k)
    home = [int(group) for group in task.today.tolist()]
    search, rng = Search(graph, k, home), Random(task.seed)  # noqa: S311 - reproducible, nothing secret
    steps = min(_MOST_STEPS, max(_LEAST_STEPS, _STEPS * len(graph)))
    held = sum(group >= 0 for group in home)
    found = [_fresh(search, homes, rng, steps, task.seed)]
    if held:
        found += _near_today(search, home, held, rng, steps // 3, task.keep.share)
        found.append(search.run(list(found[0]), rng, steps // 3, heat=0.02))
    found = [_named(part, home, k) for part in found]
    chosen, reached = _choose(search, found, held, task.keep)
    loads = np.array(search.loads(chosen))
    return Plan(
        np.array(chosen),
        loads,
        spread_of(loads),
        lower_bound(graph, homes, k),
        held - search.moved(chosen),
        held,
        reached,
        _options(search, found, held),
    )


def spread_of(loads: np.ndarray) -> Spread:
    """Evenness of loads (k,) with a positive sum.

    >>> spread_of(np.array([1.0, 1.0, 4.0]))
    Spread(heaviest=2.0, lightest=0.5, gini=0.3333333333333333)
    """
    mean, n = float(loads.mean()), len(loads)
    ranked = np.sort(loads)
    gini = float((2 * np.arange(1, n + 1) - n - 1) @ ranked) / (n * n * mean) if mean else 0.0
    return Spread(float(loads.max()) / mean, float(loads.min()) / mean, gini) if mean else Spread(1.0, 1.0, 0.0)


def lower_bound(graph: Graph, homes: Sequence[Sequence[int]], k: int) -> float:
    """Max/mean below which no division gets: a single grid may be heavier than the mean, of the k + 1 heaviest grids
    two fall to one officer (of the 2k + 1 heaviest three …), and officers of one piece can't help in another."""
    mean = sum(graph.load) / k
    heavy = sorted(graph.load, reverse=True)
    crowded = max((sum(heavy[j * k - j : j * k + 1]) for j in range(1, (len(heavy) - 1) // k + 1)), default=0.0)
    loads = [sum(graph.load[unit] for unit in home) for home in homes]
    shared = apportion(loads, [len(home) for home in homes], k)
    pieces = max(load / n for load, n in zip(loads, shared, strict=True))
    return max(1.0, heavy[0] / mean, crowded / mean, pieces / mean)


def pieces(pairs: np.ndarray, n: int) -> list[list[int]]:
    """The connected pieces of n grids."""
    return Graph.of(pairs, np.ones(n)).pieces(range(n))


def _check(task: Task) -> None:
    n, k = len(task.load), task.officers
    if n == 0:
        raise Infeasible("grids", "没有选网格。先选社区，里面要有网格。")
    if n > MOST_UNITS:
        raise Infeasible("grids", f"一次最多算 {MOST_UNITS} 个网格，现在是 {n} 个。少选几个社区。")
    if k < 1:
        raise Infeasible("officers", "人数至少是 1。")
    if k > n:
        raise Infeasible("officers", f"{k} 个人多于 {n} 个网格，有人会没有网格。减到 {n} 人以内。")
    if not np.isfinite(task.load).all() or (task.load < 0).any():
        raise Infeasible("load", "有网格的负担不是数，或小于 0。")
    if not task.load.any():
        raise Infeasible("load", "这些网格的负担全是 0，没有可平衡的。换一种负担，或放宽时间。")


def _check_pieces(homes: Sequence[Sequence[int]], k: int) -> None:
    if k < len(homes):
        sizes = "、".join(str(len(home)) for home in homes)
        raise Infeasible(
            "officers",
            f"所选网格分成互不相邻的 {len(homes)} 片（各 {sizes} 个网格），{k} 个人不够每片一个。"
            f"至少 {len(homes)} 人，或分开来算。",
        )


def _fresh(search: Search, homes: list[list[int]], rng: Random, steps: int, seed: int) -> Part:
    """The evenest of a few starts from METIS, whatever today's assignments are."""
    graph, k = search.graph, search.k
    shared = apportion([sum(graph.load[i] for i in home) for home in homes], [len(home) for home in homes], k)
    aim = max(LIMIT, lower_bound(graph, homes, k)) + 1e-9
    best: Part | None = None
    for start in range(min(_ALL_STARTS, max(_MOST_STARTS, _STARTED_UNITS // len(graph)))):
        if best is not None and start >= _STARTS and search.heaviest(best) <= aim:
            break
        part, group = [-1] * len(graph), 0
        for home, n in zip(homes, shared, strict=True):
            for units in metis(graph, home, n, seed + 1_000 * start):
                for unit in units:
                    part[unit] = group
                group += 1
        part = search.run(_named(repaired(graph, part, k, shared), search.home, k), rng, steps)
        best = part if best is None else min(best, part, key=search.score)
    assert best is not None
    return best


def _near_today(
    search: Search, home: Sequence[int], held: int, rng: Random, steps: int, share: float | None
) -> list[Part]:
    """Divisions that keep ever fewer of today's assignments, each found from the one before."""
    part = repaired(search.graph, home, search.k)
    found = [part]
    for kept in sorted({*_LADDER, *([share] if share is not None else [])}, reverse=True):
        part = search.run(part, rng, steps, budget=int((1 - kept) * held + 1e-9), heat=0.1)
        found.append(part)
    return found


def _named(part: Sequence[int], home: Sequence[int], k: int) -> Part:
    """The groups renumbered so that as many grids as possible keep their officer."""
    shared = np.zeros((k, k), np.int64)
    for group, mine in zip(part, home, strict=True):
        if group >= 0 and mine >= 0:
            shared[group, mine] += 1
    rows, columns = linear_sum_assignment(shared, maximize=True)
    name = dict(zip(rows.tolist(), columns.tolist(), strict=True))
    return [name[group] if group >= 0 else -1 for group in part]


def _choose(search: Search, found: list[Part], held: int, keep: Keep) -> tuple[Part, bool]:
    """(the answer, whether what was asked to be kept could be)."""
    if held and keep.within:
        even = [part for part in found if search.heaviest(part) <= LIMIT]
        if even:
            return min(even, key=lambda part: (search.moved(part), search.score(part))), True
        return min(found, key=search.score), False
    if held and keep.share:
        most = int((1 - keep.share) * held + 1e-9)
        enough = [part for part in found if search.moved(part) <= most]
        if enough:
            return min(enough, key=search.score), True
        return min(found, key=lambda part: (search.moved(part), search.score(part))), False
    return min(found, key=search.score), True


def _options(search: Search, found: list[Part], held: int) -> tuple[Option, ...]:
    """What is worth choosing between: nothing that another one beats in both."""
    told = sorted({(search.moved(part), round(search.heaviest(part), 4)) for part in found})
    out: list[Option] = []
    for moved, heaviest in told:
        if not out or heaviest < out[-1].heaviest:
            out.append(Option((held - moved) / held if held else 0.0, heaviest))
    return tuple(out)
