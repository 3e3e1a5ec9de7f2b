"""Four communities tiled without gap or overlap by plain and special grids; micro-grids inside two of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import shapely
from shapely.geometry import LineString, Point, Polygon
from shapely.ops import polygonize

from .skeleton import ROWS_NORTH, ROWS_SOUTH, Cell, Cross, Skeleton, row_line
from .terrain import at

OFFICE = "500237002"
COMMUNITIES = (
    ("500237002001", "聚鹤社区", "community"),
    ("500237002002", "龙江社区", "community"),
    ("500237002003", "龙水社区", "community"),
    ("500237002202", "梨早村", "village"),
)
_VILLAGE = 3
_NUMERALS = "零一二三四五六七八九十"


@dataclass
class Grid:
    """One zone; `band` counts the rows of cells from the river, northwards 0, 1 …, southwards -1, -2."""

    code: str
    name: str
    community_code: str
    kind: str
    polygon: Polygon
    band: int
    parent_code: str = ""
    notes: str = ""
    households: int = 0
    population: int = 0
    neighbours: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Special:
    """A corner of a cell, at its south-western street corner, that has its own responsible person."""

    band: int
    community: int
    index: int
    share_u: float
    share_f: float
    name: str
    notes: str


SPECIALS = (
    Special(1, 1, 0, 0.56, 0.60, "神女天街专属网格", "商业综合体，物业经理任网格长"),
    Special(3, 0, 1, 0.62, 0.58, "聚鹤小学专属网格", "校园及校门口，副校长任网格长"),
    Special(1, 2, 0, 0.40, 0.52, "龙水农贸市场专属网格", "市场及周边摊位，市场主任任网格长"),
)
_MICRO = ((2, 1, 1), (1, 0, 2))
"""Band, community and index of the cells that have three micro-grids each."""
PLACE_NAMES = {(0, 1, 1): "滨江公园网格", (2, 2, 0): "净坛坡网格", (4, 0, 1): "鹤鸣坪网格", (4, 2, 2): "翠屏山网格"}


def make_grids(skeleton: Skeleton) -> list[Grid]:
    """Plain and special grids in the order of their codes, then the micro-grids."""
    cells = _indexed(skeleton.cells)
    faces = list(polygonize(_linework(skeleton, cells)))
    special_at = {(s.band, s.community, s.index): s for s in SPECIALS}
    seeds: list[tuple[tuple[int, int, int], str, Point]] = []
    for key, cell in cells.items():
        if key in special_at:
            seeds.append((key, "special", _seed(cell, 0.15, 0.2)))
            seeds.append((key, "plain", _seed(cell, 0.88, 0.88)))
        elif key in _MICRO:
            seeds += [(key, f"micro{i}", _seed(cell, share, 0.5)) for i, share in enumerate((0.15, 0.5, 0.85))]
        else:
            seeds.append((key, "plain", _seed(cell, 0.5, 0.5)))
    owned = {(key, part): _face_of(point, faces) for key, part, point in seeds}
    if len(faces) != len(seeds) or len(set(owned.values())) != len(faces):
        raise AssertionError(f"{len(faces)} faces for {len(seeds)} grids")
    return _named(cells, {k: faces[i] for k, i in owned.items()}, special_at)


def _indexed(cells: list[Cell]) -> dict[tuple[int, int, int], Cell]:
    count: dict[tuple[int, int], int] = defaultdict(int)
    out = {}
    for cell in cells:
        out[cell.band, cell.community, count[cell.band, cell.community]] = cell
        count[cell.band, cell.community] += 1
    return out


def _seed(cell: Cell, share_u: float, share_f: float) -> Point:
    return Point(at(*cell.middle(share_u, share_f)))


def _face_of(point: Point, faces: list[Polygon]) -> int:
    return min(range(len(faces)), key=lambda i: faces[i].distance(point))


def _linework(skeleton: Skeleton, cells: dict[tuple[int, int, int], Cell]) -> list[LineString]:
    """All borders; where lines meet they share the identical vertex, so nothing has to be snapped."""
    on_row: dict[float, set[float]] = defaultdict(set)
    on_cross: dict[Cross, set[float]] = defaultdict(set)
    inner: list[LineString] = []
    for cross in skeleton.crosses:
        on_row[cross.f0].add(cross.u0)
        on_row[cross.f1].add(cross.u1)
    for special in SPECIALS:
        cell = cells[special.band, special.community, special.index]
        u, top = cell.middle(special.share_u, special.share_f)
        on_row[cell.left.f0].add(u)
        on_cross[cell.left].add(top)
        rise, side = np.linspace(cell.left.f0, top, 9), np.linspace(cell.left.u(top), u, 9)
        inner.append(LineString([at(u, f) for f in [*rise.tolist()[:-1], top]]))
        inner.append(LineString([at(v, top) for v in [cell.left.u(top), *side.tolist()[1:-1], u]]))
    for key in _MICRO:
        cell = cells[key]
        for low, high in ((0.34, 0.30), (0.64, 0.69)):
            u0, u1 = cell.middle(low, 0)[0], cell.middle(high, 1)[0]
            cut = Cross(u0, u1, cell.left.f0, cell.left.f1, cell.band, False)
            on_row[cut.f0].add(cut.u(cut.f0))
            on_row[cut.f1].add(cut.u(cut.f1))
            inner.append(cut.line())
    rows = [row_line(f, breaks=tuple(on_row[f])) for f in (*ROWS_NORTH, *ROWS_SOUTH[1:])]
    crosses = [cross.line(breaks=tuple(on_cross[cross])) for cross in skeleton.crosses]
    return _edges([*rows, *crosses, *inner])


def _edges(lines: list[LineString]) -> list[LineString]:
    """Every straight edge once: lines that share their vertices are noded by this alone."""
    seen = {}
    for line in lines:
        points = list(line.coords)
        for a, b in pairwise(points):
            seen[min(a, b), max(a, b)] = LineString([a, b])
    return list(seen.values())


def _named(
    cells: dict[tuple[int, int, int], Cell], faces: dict[tuple[tuple[int, int, int], str], Polygon], specials: dict
) -> list[Grid]:
    plain: list[Grid] = []
    extra: list[Grid] = []
    micro: list[Grid] = []
    for community, (community_code, community_name, _) in enumerate(COMMUNITIES):
        keys = [key for key in cells if key[1] == community]
        keys.sort(key=lambda key: (-key[0], cells[key].middle()[0]))
        for serial, key in enumerate(keys, start=1):
            code = f"{community_code}{serial:03d}"
            name = community_name + PLACE_NAMES.get(key, f"第{numeral(serial)}网格")
            parts = [faces[key, f"micro{i}"] for i in range(3)] if key in _MICRO else [faces[key, "plain"]]
            outline = parts[0] if len(parts) == 1 else shapely.coverage_union_all(parts)
            plain.append(Grid(code, name, community_code, "grid", outline, key[0]))
            if key in _MICRO:
                micro += [
                    Grid(
                        f"{code}{i + 1:02d}", f"{name}{i + 1}号微网格", community_code, "micro_grid", part, key[0], code
                    )
                    for i, part in enumerate(parts)
                ]
        for special in (s for s in specials.values() if s.community == community):
            key = special.band, special.community, special.index
            code = f"{community_code}{len(keys) + 1:03d}"
            special_face = faces[key, "special"]
            extra.append(Grid(code, special.name, community_code, "special", special_face, key[0], notes=special.notes))
    ordered = sorted(plain + extra, key=lambda grid: grid.code) + micro
    _meet(ordered)
    return ordered


def _meet(grids: list[Grid]) -> None:
    tiles = [grid for grid in grids if grid.kind != "micro_grid"]
    tree = shapely.STRtree([grid.polygon for grid in tiles])
    for grid in tiles:
        near = sorted(int(i) for i in tree.query(grid.polygon, predicate="touches"))
        grid.neighbours = [tiles[i].code for i in near]


def numeral(number: int) -> str:
    """1..99 in Chinese.

    >>> numeral(7), numeral(10), numeral(15), numeral(20), numeral(23)
    ('七', '十', '十五', '二十', '二十三')
    """
    tens, ones = divmod(number, 10)
    if tens == 0:
        return _NUMERALS[ones]
    return ("" if tens == 1 else _NUMERALS[tens]) + "十" + (_NUMERALS[ones] if ones else "")


def outlines(grids: list[Grid]) -> dict[str, Polygon]:
    """Each community's outline: exactly the union of its grids."""
    return {
        code: shapely.coverage_union_all([g.polygon for g in grids if g.community_code == code and not g.parent_code])
        for code, _, _ in COMMUNITIES
    }
