"""Streets along the grid borders, lanes inside the blocks, bridges."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from shapely.geometry import LineString, MultiLineString, Polygon

from .chance import stream
from .grids import Grid, numeral
from .skeleton import BRIDGES, ROWS_NORTH, Cross, Skeleton, row_line
from .terrain import at

HALF_WIDTH = {0: 11.0, 1: 8.0, 2: 6.0, 3: 3.2}
"""Metres from the centre line to the kerb's far edge, by level."""
QUAY = 0.135
"""f of 滨江路, the road along the northern bank."""
_SIDE_NAMES = (
    *(
        "翠屏街",
        "登龙街",
        "净坛街",
        "聚泉街",
        "朝云街",
        "松峦街",
        "飞凤街",
        "起云街",
        "上升街",
        "集贤街",
        "望霞路",
        "暮雨街",
    ),
    *(
        "书院街",
        "桂花街",
        "石桥街",
        "兴隆街",
        "和平街",
        "望江街",
        "仁和街",
        "龙泉街",
        "祥云街",
        "石梯街",
        "黄桷街",
        "长乐街",
    ),
)


@dataclass
class Street:
    """A street; `reach` is how far its shops go: 1 a shopping street all along, 0 none."""

    code: str
    name: str
    level: int
    line: LineString
    reach: float = 0.0


def make_streets(skeleton: Skeleton, grids: list[Grid]) -> list[Street]:
    """Main roads, side streets, village roads and lanes, coded S001 … in that order."""
    found = [*_main_roads(), *_side_streets(skeleton), *_village_roads(skeleton)]
    found += _lanes(grids, found)
    for number, street in enumerate(found, start=1):
        street.code = f"S{number:03d}"
    return found


def _main_roads() -> list[Street]:
    row = [
        ("龙门大道", 0, 0.30, -0.7, 1.74, 1.0),
        ("平湖路", 0, 0.645, -0.7, 1.74, 0.9),
        ("滨江路", 1, QUAY, -0.7, 1.74, 0.25),
        ("聚鹤街", 1, 0.475, 0.0, 1.0, 0.9),
        ("集仙街", 1, 0.815, 0.02, 0.99, 0.4),
        ("梨早路", 1, -0.5, -0.7, 1.74, 0.12),
        ("南岸路", 2, -0.26, 0.0, 1.0, 0.0),
    ]
    streets = [Street("", name, level, row_line(f, start, end), reach) for name, level, f, start, end, reach in row]
    upright = [
        ("广东路", 0, BRIDGES[0], -0.5, 0.645, 1.0),
        ("神女路", 0, 0.665, QUAY, 0.645, 1.0),
        ("龙水大桥", 1, BRIDGES[1], -0.5, 0.30, 0.0),
    ]
    for name, level, u, low, high, reach in upright:
        line = LineString([at(u, f) for f in np.linspace(low, high, 60).tolist()])
        streets.append(Street("", name, level, line, reach))
    return streets


def _side_streets(skeleton: Skeleton) -> list[Street]:
    """Crosses that continue one another north of the river are one street."""
    inner = [c for c in skeleton.crosses if c.band >= 0 and 0 < c.u0 < 1 and not _is_main(c)]
    chains: list[list[Cross]] = []
    for cross in sorted(inner, key=lambda c: (c.band, c.u0)):
        for chain in chains:
            if chain[-1].band == cross.band - 1 and chain[-1].u1 == cross.u0:
                chain.append(cross)
                break
        else:
            chains.append([cross])
    lines = [_chained(chain) for chain in chains]
    longest = sorted(range(len(lines)), key=lambda i: -lines[i].length)[: len(_SIDE_NAMES)]
    names = dict(zip(sorted(longest, key=lambda i: lines[i].centroid.x), _SIDE_NAMES, strict=False))
    streets = []
    for i, line in enumerate(lines):
        level = 1 if any(c.border for c in chains[i]) else 2
        inland = chains[i][-1].band < 4
        reach = (0.75 if i in names else 0.4) if inland else 0.15
        streets.append(Street("", names.get(i, ""), level, line, reach))
    return streets


def _is_main(cross: Cross) -> bool:
    return cross.border and cross.f1 <= ROWS_NORTH[3] and cross.u0 in (BRIDGES[0], 0.665)


def _chained(chain: list[Cross]) -> LineString:
    points: list[tuple[float, float]] = []
    for cross in chain:
        line = cross.line(start=QUAY) if cross.band == 0 else cross.line()
        points += [p for p in line.coords if not points or p != points[-1]]
    return LineString(points)


def _village_roads(skeleton: Skeleton) -> list[Street]:
    rng = stream("village roads")
    streets = []
    for cross in skeleton.crosses:
        if cross.band >= 0 or not 0 < cross.u0 < 1 or (cross.band == -1 and cross.u0 in BRIDGES):
            continue
        if rng.random() < 0.8:
            start = -0.26 if cross.band == -1 else cross.f0
            end = cross.f1 if cross.band == -1 else cross.f0 + (cross.f1 - cross.f0) * rng.uniform(0.55, 0.95)
            stops = np.linspace(start, end, 16).tolist()
            streets.append(Street("", "", 2, LineString([at(cross.u(f), f) for f in stops])))
    for i, street in enumerate(sorted(streets, key=lambda s: s.line.centroid.x), start=1):
        street.name = f"梨早{numeral(i)}路"
    return streets


def _lanes(grids: list[Grid], streets: list[Street]) -> list[Street]:
    """One or two lanes through most blocks, named after the street that they leave."""
    rng = stream("lanes")
    lanes: list[LineString] = []
    for grid in grids:
        if grid.kind == "micro_grid" or grid.kind == "special" or (grid.band < 0 and rng.random() < 0.2):
            continue
        block = grid.polygon if grid.band != 0 else _above_quay(grid.polygon)
        wanted = [0, 1] if rng.random() < 0.72 else [int(rng.integers(2))]
        if grid.band >= 4 or grid.band < 0:
            wanted = wanted[:1]
        for side in wanted:
            lane = _through(block, side, rng)
            if lane is not None and lane.length > 40:
                lanes.append(lane)
    return _named_lanes(lanes, streets)


def _above_quay(block: Polygon) -> Polygon:
    quay = row_line(QUAY, -0.05, 1.05)
    low = Polygon([*quay.coords, (3000, -500), (-500, -500)]).buffer(0)
    rest = block.difference(low)
    return max(rest.geoms, key=lambda p: p.area) if hasattr(rest, "geoms") else rest


def _through(block: Polygon, side: int, rng: np.random.Generator) -> LineString | None:
    """A slightly winding line through the block, across (0) or along (1) its longer side."""
    box = list(block.minimum_rotated_rectangle.exterior.coords)
    sides = sorted(
        ((math.dist(a, b), math.atan2(b[1] - a[1], b[0] - a[0])) for a, b in pairwise(box[:3])),
        reverse=True,
    )
    length, angle = sides[side]
    angle += math.pi / 2 + rng.uniform(-0.09, 0.09)
    off = rng.uniform(-0.13, 0.13) * length
    cx, cy = block.centroid.x + off * math.sin(angle), block.centroid.y - off * math.cos(angle)
    phase = rng.uniform(0, 6)
    line = LineString(
        [
            (
                cx + math.cos(angle) * t - math.sin(angle) * 6 * math.sin(t / 60 + phase),
                cy + math.sin(angle) * t + math.cos(angle) * 6 * math.sin(t / 60 + phase),
            )
            for t in np.linspace(-420, 420, 60).tolist()
        ]
    )
    inside = line.intersection(block)
    if isinstance(inside, MultiLineString):
        inside = max(inside.geoms, key=lambda piece: piece.length)
    return inside if isinstance(inside, LineString) and not inside.is_empty else None


def _named_lanes(lanes: list[LineString], streets: list[Street]) -> list[Street]:
    numbered: dict[str, int] = defaultdict(int)
    out = []
    for lane in sorted(lanes, key=lambda line: (round(line.centroid.x), line.centroid.y)):
        named = [s for s in streets if s.name and s.level < 3 and s.name != "龙水大桥"]
        mother = min(named, key=lambda s: (round(s.line.distance(lane), 1), -s.level))
        numbered[mother.name] += 1
        out.append(Street("", f"{mother.name}{numeral(numbered[mother.name])}巷", 3, lane, 0.1))
    return out
