"""Contiguous groups of grids: METIS for a first cut, repair of what falls apart, annealing on border grids. Pure.

A part is a list with the group 0 … k-1 of each unit; -1 stands for none yet.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import pymetis

Part = list[int]
_POWER = 4  # of a group's load over the mean: the heaviest group counts most
_METIS_SUM = 1_000_000


@dataclass(frozen=True)
class Graph:
    """Units with a load each; `neighbours[i]`: indexes of those beside unit i."""

    neighbours: list[list[int]]
    load: list[float]

    @classmethod
    def of(cls, pairs: np.ndarray, load: np.ndarray) -> Graph:
        """pairs: (m, 2) of neighbours; load: (n,), not negative."""
        beside: list[set[int]] = [set() for _ in range(len(load))]
        for a, b in pairs.tolist():
            if a != b:
                beside[a].add(b)
                beside[b].add(a)
        return cls([sorted(one) for one in beside], [float(value) for value in load.tolist()])

    def __len__(self) -> int:
        return len(self.load)

    def pieces(self, units: Iterable[int]) -> list[list[int]]:
        """The connected pieces of some units, the heaviest first; ties by the lowest unit."""
        left, out = set(units), []
        while left:
            start = min(left)
            left.discard(start)
            piece = [start]
            for unit in piece:
                for other in self.neighbours[unit]:
                    if other in left:
                        left.discard(other)
                        piece.append(other)
            out.append(sorted(piece))
        return sorted(out, key=lambda piece: (-sum(self.load[i] for i in piece), piece[0]))

    def connected(self, part: Sequence[int], k: int) -> bool:
        """Whether every group has units and hangs together."""
        members = members_of(part, k)
        return all(one and len(self.pieces(one)) == 1 for one in members)


def members_of(part: Sequence[int], k: int) -> list[list[int]]:
    """The units of each group."""
    out: list[list[int]] = [[] for _ in range(k)]
    for unit, group in enumerate(part):
        if group >= 0:
            out[group].append(unit)
    return out


def apportion(loads: Sequence[float], sizes: Sequence[int], k: int) -> list[int]:
    """How many of k groups each component gets: at least one, never more than it has units, the heaviest per group
    first. Needs len(loads) <= k <= sum(sizes).

    >>> apportion([90.0, 10.0], [9, 3], 4), apportion([0.0, 10.0], [2, 2], 3)
    ([3, 1], [1, 2])
    """
    out = [1] * len(loads)
    for _ in range(k - len(loads)):
        open_ = [i for i in range(len(loads)) if out[i] < sizes[i]]
        out[max(open_, key=lambda i: (loads[i] / out[i], sizes[i] / out[i], -i))] += 1
    return out


def metis(graph: Graph, units: Sequence[int], k: int, seed: int) -> list[list[int]]:
    """A first cut of a connected piece into k groups, by METIS; groups may be empty or fall apart."""
    if k == 1:
        return [list(units)]
    at = {unit: i for i, unit in enumerate(units)}
    beside = [[at[other] for other in graph.neighbours[unit] if other in at] for unit in units]
    total = sum(graph.load[unit] for unit in units) or 1.0
    weights = [round(graph.load[unit] / total * _METIS_SUM) for unit in units]
    options = pymetis.Options(seed=seed, ufactor=20, niter=50, ncuts=20, contig=1)
    _, found = pymetis.part_graph(k, adjacency=beside, vweights=weights, recursive=False, options=options)
    out: list[list[int]] = [[] for _ in range(k)]
    for i, group in enumerate(found):
        out[group].append(units[i])
    return out


def repaired(graph: Graph, part: Sequence[int], k: int, counts: Sequence[int] | None = None) -> Part:
    """The nearest part in which every unit has a group and every group is one piece. `counts`: how many groups each
    component has, as `pieces` orders them; None: as many as it has, at least one."""
    out = list(part)
    for units in members_of(out, k):
        for piece in graph.pieces(units)[1:]:
            for unit in piece:
                out[unit] = -1
    homes = graph.pieces(range(len(graph)))
    for wanted, home in _wanted(graph, out, k, homes, counts):
        held = sorted({out[unit] for unit in home} - {-1}, key=lambda g: _load(graph, out, home, g))
        for group in held[: max(0, len(held) - wanted)]:
            for unit in home:
                out[unit] = -1 if out[unit] == group else out[unit]
    free = [g for g in range(k) if g not in set(out)]
    for wanted, home in _wanted(graph, out, k, homes, counts):
        for _ in range(wanted - len({out[unit] for unit in home} - {-1})):
            _seed(graph, out, home, free.pop(0))
    _grow(graph, out)
    return out


def _wanted(
    graph: Graph, part: Part, k: int, homes: list[list[int]], counts: Sequence[int] | None
) -> list[tuple[int, list[int]]]:
    """(groups wanted, component) of each component."""
    if counts is None:
        have = [len({part[unit] for unit in home} - {-1}) for home in homes]
        counts = [max(1, n) for n in have]
        loads = [sum(graph.load[unit] for unit in home) for home in homes]
        while sum(counts) < k:
            open_ = [i for i in range(len(homes)) if counts[i] < len(homes[i])]
            counts[max(open_, key=lambda i: (loads[i] / counts[i], len(homes[i]) / counts[i], -i))] += 1
        while sum(counts) > k:
            rich = [i for i in range(len(homes)) if counts[i] > 1]
            counts[min(rich, key=lambda i: (loads[i] / counts[i], i))] -= 1
    return list(zip(counts, homes, strict=True))


def _load(graph: Graph, part: Part, home: Sequence[int], group: int) -> tuple[float, int]:
    return sum(graph.load[unit] for unit in home if part[unit] == group), group


def _seed(graph: Graph, part: Part, home: Sequence[int], group: int) -> None:
    """A place for a group in a component: in what nobody has, else half of the heaviest group that can be cut."""
    free = [unit for unit in home if part[unit] < 0]
    if free:
        part[max(free, key=lambda unit: (graph.load[unit], -unit))] = group
        return
    members: dict[int, list[int]] = {}
    for unit in home:
        members.setdefault(part[unit], []).append(unit)
    cuttable = [one for one in members.values() if len(one) > 1]
    heaviest = max(cuttable, key=lambda one: (sum(graph.load[unit] for unit in one), len(one), -one[0]))
    for unit in _half(graph, heaviest):
        part[unit] = group


def _half(graph: Graph, units: Sequence[int]) -> list[int]:
    """About half of a connected piece by load, such that both halves hang together: the best cut of a spanning tree."""
    inside, parent, order = set(units), {units[0]: -1}, [units[0]]
    for unit in order:
        for other in graph.neighbours[unit]:
            if other in inside and other not in parent:
                parent[other] = unit
                order.append(other)
    below = {unit: graph.load[unit] for unit in order}
    for unit in reversed(order[1:]):
        below[parent[unit]] += below[unit]
    total = below[units[0]]
    top = min(order[1:], key=lambda unit: (abs(2 * below[unit] - total), unit))
    cut = [top]
    for unit in cut:
        cut += [other for other in graph.neighbours[unit] if parent.get(other) == unit]
    return cut


def _grow(graph: Graph, part: Part) -> None:
    """Units without a group join the lightest group beside them, until none is left."""
    loads: dict[int, float] = {}
    for unit, group in enumerate(part):
        if group >= 0:
            loads[group] = loads.get(group, 0.0) + graph.load[unit]
    left = {unit for unit, group in enumerate(part) if group < 0}
    while left:
        reach = [(loads[part[other]], unit, part[other]) for unit in left for other in graph.neighbours[unit]
                 if part[other] >= 0]  # fmt: skip
        _, unit, group = min(reach)
        part[unit] = group
        loads[group] += graph.load[unit]
        left.discard(unit)


class Search:
    """Annealing over contiguous parts: a border unit goes to the group beside it when that evens the loads.

    `home`: the group that each unit has today, -1 none; a move away from it costs a little, and at most `budget`
    units may be away.
    """

    def __init__(self, graph: Graph, k: int, home: Sequence[int]) -> None:
        self.graph, self.k, self.home = graph, k, home
        self.mean = sum(graph.load) / k
        self._edges = [(a, b) for a, beside in enumerate(graph.neighbours) for b in beside]
        self._away = 0.02 * k / max(1, len(graph))  # what being away costs: only decides between equals

    def moved(self, part: Sequence[int]) -> int:
        """How many units have another group than today."""
        return sum(1 for unit, group in enumerate(self.home) if group >= 0 and part[unit] != group)

    def heaviest(self, part: Sequence[int]) -> float:
        """Heaviest group's load over the mean."""
        return max(self.loads(part)) / self.mean

    def loads(self, part: Sequence[int]) -> list[float]:
        """Load of each group."""
        out = [0.0] * self.k
        for unit, group in enumerate(part):
            out[group] += self.graph.load[unit]
        return out

    def score(self, part: Sequence[int]) -> tuple[float, float]:
        """Small is good: the heaviest group first, then evenness and units away."""
        spread = sum((load / self.mean) ** _POWER for load in self.loads(part))
        return round(self.heaviest(part), 9), spread + self._away * self.moved(part)

    def run(self, part: Part, rng: Random, steps: int, budget: int | None = None, heat: float = 0.3) -> Part:
        """The best part met in so many steps from a contiguous one; itself when nothing is better."""
        if not self._edges or self.k == 1:
            return list(part)
        now, best, best_score = list(part), list(part), self.score(part)
        load, away = [one / self.mean for one in self.loads(now)], self.moved(now)
        weights = [one / self.mean for one in self.graph.load]
        sizes = [len(one) for one in members_of(now, self.k)]
        most = len(now) if budget is None else max(budget, away)
        hot, cool = heat, math.exp(math.log(1e-3) / max(1, steps))
        edges, n, home, chance = self._edges, len(self._edges), self.home, rng.random
        for _ in range(steps):
            hot *= cool
            unit, beside = edges[int(chance() * n)]
            a, b = now[unit], now[beside]
            if a == b or sizes[a] == 1:
                continue
            mine = home[unit]
            drift = 0 if mine < 0 else (b != mine) - (a != mine)
            if away + drift > most:
                continue
            left, more = load[a] - weights[unit], load[b] + weights[unit]
            change = left**_POWER + more**_POWER - load[a] ** _POWER - load[b] ** _POWER + self._away * drift
            if (change > 0 and chance() >= math.exp(-change / hot)) or not self._spared(now, unit, a):
                continue
            now[unit], away = b, away + drift
            load[a], load[b] = left, more
            sizes[a], sizes[b] = sizes[a] - 1, sizes[b] + 1
            if max(load) <= best_score[0] * (1 + 1e-9):
                score = self.score(now)
                if score < best_score:
                    best, best_score = list(now), score
        return best

    def _spared(self, part: Part, unit: int, group: int) -> bool:
        """Whether the group hangs together without the unit."""
        beside = [other for other in self.graph.neighbours[unit] if part[other] == group]
        if len(beside) <= 1:
            return True
        wanted, seen, todo = set(beside[1:]), {unit, beside[0]}, [beside[0]]
        while todo:
            for other in self.graph.neighbours[todo.pop()]:
                if other not in seen and part[other] == group:
                    seen.add(other)
                    wanted.discard(other)
                    if not wanted:
                        return True
                    todo.append(other)
        return False
