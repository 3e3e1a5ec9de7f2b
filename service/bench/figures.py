"""What a benchmark tells, and how times are taken: medians after a warm-up, ours and the peer's in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

ROUNDS = 5


@dataclass(frozen=True)
class Figure:
    """One measured value. `ratio`: value / peer_value; `met`: whether the target is, None without one."""

    name: str
    value: float
    unit: str
    peer: str = ""
    peer_value: float | None = None
    ratio: float | None = None
    target: str = ""
    met: bool | None = None
    note: str = ""


@dataclass(frozen=True)
class Context:
    """`scale`: share of the full sizes, below 1 for tests; `seed`: of all generated data."""

    scale: float = 1.0
    seed: int = 20_261_123

    def count(self, full: int) -> int:
        """A size at this scale, at least 1."""
        return max(1, round(full * self.scale))

    def rng(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)


Benchmark = Callable[[Context], list[Figure]]


def figure(
    name: str,
    value: float,
    unit: str,
    *,
    peer: str = "",
    peer_value: float | None = None,
    most: float | None = None,
    least: float | None = None,
    most_ratio: float | None = None,
    least_ratio: float | None = None,
    note: str = "",
) -> Figure:
    """A figure judged by its targets; all that are given must hold. A ratio is value / peer_value."""
    ratio = None if not peer_value else value / peer_value
    tests = [
        (f"≤ {most:g} {unit}", most is not None and value <= most) if most is not None else None,
        (f"≥ {least:g} {unit}", least is not None and value >= least) if least is not None else None,
        (f"≤ {most_ratio:g} × 对照", ratio is not None and ratio <= most_ratio) if most_ratio is not None else None,
        (f"≥ {least_ratio:g} × 对照", ratio is not None and ratio >= least_ratio) if least_ratio is not None else None,
    ]
    asked = [test for test in tests if test is not None]
    met = all(holds for _, holds in asked) if asked else None
    target = "，".join(text for text, _ in asked)
    return Figure(name, value, unit, peer, peer_value, ratio, target, met, note)


def seconds(job: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def in_turn(jobs: Sequence[Callable[[], object]], rounds: int = ROUNDS) -> list[float]:
    """Median seconds per job: one warm-up each, then `rounds` rounds in which every job runs once."""
    for job in jobs:
        job()
    taken = np.array([[seconds(job) for job in jobs] for _ in range(rounds)])
    return [float(one) for one in np.median(taken, axis=0)]


def percentile_in_turn(
    tasks: Sequence[Sequence[Callable[[], object]]], percent: float, rounds: int = ROUNDS
) -> list[float]:
    """Per column of jobs the median over rounds of a percentile over tasks, in seconds.

    `tasks[i]` holds the same question put to each side; they answer in turn.
    """
    for jobs in tasks[: max(1, len(tasks) // 5)]:
        for job in jobs:
            job()
    taken = np.array([[[seconds(job) for job in jobs] for jobs in tasks] for _ in range(rounds)])
    return [float(one) for one in np.median(np.percentile(taken, percent, axis=1), axis=0)]
