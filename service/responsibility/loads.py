"""Loads of grids for the balanced proposal: single measures, and several mixed. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from service.responsibility.balance import Infeasible

INCIDENTS, FRONTAGES, HOUSEHOLDS, AREA = "incidents", "frontages", "households", "area"
LOADS = {INCIDENTS: "事项", FRONTAGES: "门前三包", HOUSEHOLDS: "户数", AREA: "面积"}
UNITS = {INCIDENTS: "件", FRONTAGES: "家", HOUSEHOLDS: "户", AREA: "公顷"}
MIXED_UNIT = "份"
_SHARES = 1_000.0


def mix(measures: Mapping[str, np.ndarray], weights: Mapping[str, float]) -> np.ndarray:
    """One load per grid, shape (n,). A single measure stays as it is; of several, each counts by its weight as a share
    of its own sum, and together they make 1,000 份. A measure that is 0 everywhere adds nothing.

    Raises Infeasible (load) when nothing is asked for, or every measure is 0.

    >>> mix({"incidents": np.array([1.0, 3.0]), "area": np.array([5.0, 5.0])}, {"incidents": 1, "area": 1}).tolist()
    [375.0, 625.0]
    """
    asked = {name: weight for name, weight in weights.items() if weight > 0}
    if not asked:
        raise Infeasible("load", "选一种负担，或给混合的至少一项大于 0 的权重。")
    if len(asked) == 1:
        return measures[next(iter(asked))]
    usable = {name: weight for name, weight in asked.items() if measures[name].sum() > 0}
    if not usable:
        named = "、".join(LOADS[name] for name in asked)
        raise Infeasible("load", f"所选网格的{named}全是 0，没有可平衡的。换一种负担，或放宽时间。")
    total = sum(usable.values())
    parts = [weight / total * measures[name] / measures[name].sum() for name, weight in usable.items()]
    return np.asarray(sum(parts) * _SHARES)


def unit_of(weights: Mapping[str, float]) -> str:
    """What a load is counted in."""
    asked = [name for name, weight in weights.items() if weight > 0]
    return UNITS[asked[0]] if len(asked) == 1 else MIXED_UNIT
