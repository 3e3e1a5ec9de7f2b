"""What changes between two editions of a community, grid by grid. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from service.geo.crs import square_metres

NEW, GONE, RESHAPED, RENAMED, RECODED, LEADER, KIND = "new", "gone", "reshaped", "renamed", "recoded", "leader", "kind"
_SAME_M2 = 0.5  # drawing anew sets nodes on long borders, which shifts them by less
_SAME_SHARE = 0.95


@dataclass(frozen=True)
class Compared:
    """A grid of one side; `geom` in lon/lat, `leader` as the asker may read the name."""

    code: str
    name: str
    kind: str
    leader: str | None
    geom: Any
    origin: str | None = None


@dataclass(frozen=True)
class Change:
    """`left`, `right`: the grid before and after, None where there is none; `kinds`: what differs; areas in m²,
    `moved_m2` the ground that is in only one of both."""

    left: Compared | None
    right: Compared | None
    kinds: tuple[str, ...]
    left_m2: float
    right_m2: float
    moved_m2: float


def compare(left: Sequence[Compared], right: Sequence[Compared]) -> list[Change]:
    """Every grid that differs, in the order of its code. A grid continues under its own code, under the code that it
    says to come from, or under another code on the same ground."""
    shapes = np.array([one.geom for one in (*left, *right)], dtype=object)
    if not len(shapes):
        return []
    flat = shapely.make_valid(shapes)
    areas = square_metres(shapes)
    before = {one.code: i for i, one in enumerate(left)}
    after = {one.code: i + len(left) for i, one in enumerate(right)}
    pairs = _pairs(left, right, flat, before, after)
    out = []
    for i, j in pairs:
        a = left[i] if i is not None else None
        b = right[j - len(left)] if j is not None else None
        moved = 0.0 if i is None or j is None else _m2(shapely.symmetric_difference(flat[i], flat[j]))
        kinds = _kinds(a, b, moved)
        if kinds:
            sizes = (float(areas[i]) if i is not None else 0.0, float(areas[j]) if j is not None else 0.0)
            out.append(Change(a, b, kinds, *sizes, moved))
    return sorted(out, key=lambda one: ((one.right or one.left).code, one.right is None))  # type: ignore[union-attr]


def _pairs(
    left: Sequence[Compared],
    right: Sequence[Compared],
    flat: np.ndarray,
    before: dict[str, int],
    after: dict[str, int],
) -> list[tuple[int | None, int | None]]:
    """Indexes of what continues what; None for what begins or ends."""
    out: list[tuple[int | None, int | None]] = []
    taken: set[int] = set()
    pending = []
    for one in right:
        j = after[one.code]
        i = before.get(one.origin or one.code)
        if i is not None and i not in taken:
            taken.add(i)
            out.append((i, j))
        else:
            pending.append(j)
    for j in pending:
        k = next((before[one.code] for one in left if _same_ground(before[one.code], j, taken, flat)), None)
        if k is not None:
            taken.add(k)
        out.append((k, j))
    return out + [(i, None) for i in range(len(left)) if i not in taken]


def _same_ground(i: int, j: int, taken: set[int], flat: np.ndarray) -> bool:
    if i in taken or not shapely.intersects(flat[i], flat[j]):
        return False
    both = _m2(shapely.intersection(flat[i], flat[j]))
    return both >= _SAME_SHARE * max(_m2(flat[i]), _m2(flat[j]))


def _m2(geom: Any) -> float:
    return float(square_metres(np.array([geom], dtype=object))[0])


def _kinds(a: Compared | None, b: Compared | None, moved: float) -> tuple[str, ...]:
    if a is None:
        return (NEW,)
    if b is None:
        return (GONE,)
    differs = {
        RECODED: a.code != b.code,
        RENAMED: a.name != b.name,
        RESHAPED: moved > _SAME_M2,
        KIND: a.kind != b.kind,
        LEADER: a.leader != b.leader,
    }
    return tuple(kind for kind, yes in differs.items() if yes)
