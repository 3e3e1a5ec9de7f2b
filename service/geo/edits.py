"""The edits of a tiling: split, merge, reshape, move a border, draw, mend. Each gives a new tiling or says why not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely

from service.geo.coverage import LEAST_M2, Fault
from service.geo.retiling import CRUMB_M2, Sheet
from service.geo.snapping import Snapper
from service.geo.tiling import (
    DoesNotTile,
    Faces,
    Outcome,
    Tile,
    Tiling,
    area_of,
    cut,
    longest_beside,
    parts_of,
    pieces_of,
)

LARGER, FIRST, SECOND = "larger", "first", "second"
_LEFT = 2e-8  # degrees, about 2 mm beside a drawn line


@dataclass(frozen=True)
class Split:
    """A grid into two by a line. keep: which piece keeps the code: the larger one, the first (left of the line as
    drawn) or the second (right of it)."""

    code: str
    line: Any
    new_code: str
    keep: str = LARGER


@dataclass(frozen=True)
class Merge:
    """Grids that touch, of one community, into one of them."""

    codes: tuple[str, ...]
    keep: str


@dataclass(frozen=True)
class Reshape:
    """A grid gets another outline: what it gains is cut from its neighbours, what it loses goes to the neighbour with
    the longest border along it."""

    code: str
    polygon: Any


@dataclass(frozen=True)
class Border:
    """The border of two grids along a new line: both follow."""

    first: str
    second: str
    line: Any


@dataclass(frozen=True)
class Draw:
    """A new grid, cut out of what lies under it. replace: grids that it covers wholly go."""

    code: str
    kind: str
    community: str
    polygon: Any
    replace: bool = False


@dataclass(frozen=True)
class Mend:
    """A fault of an import: a gap given to a grid, an overlap left to one, an overhang cut (`to` is its grid)."""

    fault: Fault
    to: str | None = None


Edit = Split | Merge | Reshape | Border | Draw | Mend


def apply(tiling: Tiling, edit: Edit) -> Outcome:
    """The tiling after the edit, which itself stays as it was. Raises DoesNotTile with the faults."""
    return _APPLY[type(edit)](tiling, edit)


def split(tiling: Tiling, edit: Split) -> Outcome:
    """See Split."""
    tile = _tile(tiling, edit.code, "code")
    _free(tiling, edit.new_code)
    snapper = Snapper([tile.geom])
    drawn = snapper.line(edit.line)
    line = snapper.reaching(drawn, tile.geom)
    piece = _piece_for(tile, line, edit.keep)
    sheet = _sheet(tiling, [line])
    sheet.tiles[edit.new_code] = replace(tile, code=edit.new_code, parent=None)
    inside = sheet.faces.within(piece)
    sheet.pass_on([i for i in sheet.faces.of(edit.code) if inside[i]], edit.code, edit.new_code)
    return sheet.finish("line")


def _piece_for(tile: Tile, line: Any, keep: str) -> Any:
    """The piece of a grid that gets the new code. Raises DoesNotTile unless the line makes exactly two."""
    alone = cut({tile.code: tile}, [line])
    mine = [i for i in alone.of(tile.code) if alone.areas[i] >= LEAST_M2]
    parts = parts_of(tile.geom)
    points = shapely.point_on_surface(alone.shapes[mine])
    by_part: dict[int, list[int]] = {}
    for at, part in zip(*shapely.STRtree(parts).query(points, predicate="intersects").tolist(), strict=True):
        by_part.setdefault(part, []).append(mine[at])
    divided = [pieces for pieces in by_part.values() if len(pieces) > 1]
    pieces = [one for group in divided for one in group]
    faults = [Fault("piece", (tile.code,), float(alone.areas[i]), alone.shapes[i]) for i in pieces]
    if not pieces:
        raise DoesNotTile("line", f"这条线没有把网格 {tile.code} 分开。从一边画到另一边。")
    if len(pieces) != 2:
        raise DoesNotTile("line", f"这条线把网格 {tile.code} 分成了 {len(pieces)} 块，一次只能分成两块。", faults)
    small = min(pieces, key=lambda i: alone.areas[i])
    if alone.areas[small] < CRUMB_M2:
        raise DoesNotTile("line", f"分出来的一块只有 {alone.areas[small]:.2f} 平方米，把线往里挪一些。", faults)
    if keep == LARGER:
        return alone.shapes[small]
    left = _left_of(line)
    first = min(pieces, key=lambda i: shapely.distance(alone.shapes[i], left))
    other = next(i for i in pieces if i != first)
    return alone.shapes[other if keep == FIRST else first]


def _left_of(line: Any) -> Any:
    """A point just left of a line, beside the middle of its longest segment."""
    coords = shapely.get_coordinates(max(shapely.get_parts(line).tolist(), key=lambda part: float(part.length)))
    steps = np.diff(coords, axis=0)
    at = int(np.hypot(*steps.T).argmax())
    way = steps[at] / np.hypot(*steps[at])
    return shapely.Point((coords[at] + coords[at + 1]) / 2 + np.array([-way[1], way[0]]) * _LEFT)


def merge(tiling: Tiling, edit: Merge) -> Outcome:
    """See Merge."""
    codes = sorted(set(edit.codes))
    tiles = [_tile(tiling, code, "codes") for code in codes]
    if len(codes) < 2:
        raise DoesNotTile("codes", "至少选两个网格来合并。")
    if edit.keep not in codes:
        raise DoesNotTile("keep", f"留下的编码 {edit.keep} 不在选中的网格里。")
    if len({tile.community for tile in tiles}) > 1:
        raise DoesNotTile("codes", "选中的网格不在一个社区，不能合并。")
    apart = _apart(tiles)
    if apart:
        faults = [Fault("apart", (tile.code,), area_of(tile.geom), tile.geom) for tile in apart]
        names = "、".join(tile.code for tile in apart)
        raise DoesNotTile("codes", f"网格 {names} 和其余的不相邻，不能合并。", faults)
    sheet = _sheet(tiling)
    for code in codes:
        if code != edit.keep:
            sheet.pass_on(sheet.faces.of(code), code, edit.keep)
    return sheet.finish("codes", gone=[code for code in codes if code != edit.keep])


def _apart(tiles: list[Tile]) -> list[Tile]:
    """The tiles that the first one doesn't reach over shared borders."""
    reached, left = [tiles[0]], tiles[1:]
    moved = True
    while moved and left:
        near = [tile for tile in left if any(touch(tile.geom, one.geom) for one in reached)]
        moved = bool(near)
        reached += near
        left = [tile for tile in left if tile not in near]
    return left


def touch(one: Any, other: Any) -> bool:
    """Whether two polygons share a stretch of border or overlap; a shared point isn't enough."""
    if not shapely.intersects(one, other):
        return False
    both = shapely.intersection(one, other)
    return bool(both.length > 0)


def reshape(tiling: Tiling, edit: Reshape) -> Outcome:
    """See Reshape."""
    tile = _tile(tiling, edit.code, "code")
    polygon = _snapper(tiling, edit.polygon, tile.geom).polygon(edit.polygon)
    sheet = _sheet(tiling, [shapely.boundary(polygon)])
    inside = sheet.faces.within(polygon)
    own = set(sheet.faces.of(edit.code))
    sheet.give([i for i in np.flatnonzero(inside).tolist() if i not in own], edit.code)
    if not inside[sorted(own)].any():
        raise DoesNotTile("polygon", f"画的面离开了网格 {edit.code} 原来的位置。改形要和原来的网格相连。")
    lost = [i for i in own if not inside[i]]
    _give_away(sheet, edit.code, lost)
    return sheet.finish("polygon")


def _give_away(sheet: Sheet, code: str, lost: list[int]) -> None:
    """What a grid loses goes, piece by piece, to the neighbour with the longest border along it."""
    shared = [i for i in lost if len(sheet.faces.owners[i]) > 1]
    for i in shared:
        sheet.faces.owners[i] -= {code}
    for piece in pieces_of(sheet.faces, [i for i in lost if i not in shared]):
        near = [
            other
            for other in sheet.tiles
            if other != code and (sheet.tiling.may_extend or sheet.home(other) == sheet.home(code))
        ]
        sheet.give(piece, longest_beside(sheet.faces, piece, near))


def border(tiling: Tiling, edit: Border) -> Outcome:
    """See Border."""
    one, other = _tile(tiling, edit.first, "codes"), _tile(tiling, edit.second, "codes")
    if edit.first == edit.second or not touch(one.geom, other.geom):
        raise DoesNotTile("codes", f"网格 {edit.first} 和 {edit.second} 没有共同的边界。")
    both = shapely.union_all([one.geom, other.geom])
    snapper = _snapper(tiling, edit.line, both)
    line = snapper.reaching(snapper.line(edit.line), both)
    for lines in ([line], [line, *_other_borders(one, other, edit.line)]):
        won = _won(one, other, both, lines)
        if won is not None:
            break
    else:
        raise DoesNotTile("line", f"这条线没有把网格 {edit.first} 和 {edit.second} 分开。从一头画到另一头。")
    sheet = _sheet(tiling, lines)
    pair = {edit.first, edit.second}
    for code, region in won.items():
        inside = sheet.faces.within(region)
        for i in np.flatnonzero(inside).tolist():
            if sheet.faces.owners[i] & pair:
                sheet.faces.owners[i] = sheet.faces.owners[i] - pair | {code}
    return sheet.finish("line")


def _won(one: Tile, other: Tile, both: Any, lines: list[Any]) -> dict[str, Any] | None:
    """The ground of two grids divided by lines: each piece to the one that has more of it; None when one gets none."""
    faces = cut({one.code: replace(one, geom=both)}, lines)
    won: dict[str, list[Any]] = {one.code: [], other.code: []}
    for i in faces.of(one.code):
        shares = {tile.code: shapely.intersection(tile.geom, faces.shapes[i]).area for tile in (one, other)}
        won[max(sorted(shares), key=lambda code: shares[code])].append(faces.shapes[i])
    if not all(won.values()):
        return None
    return {code: shapely.union_all(shapes) for code, shapes in won.items()}


def _other_borders(one: Tile, other: Tile, line: Any) -> list[Any]:
    """The stretches of border that two grids share elsewhere than where the new line runs."""
    shared = shapely.intersection(shapely.boundary(one.geom), shapely.boundary(other.geom))
    lines = [part for part in shapely.get_parts(shared).tolist() if part.geom_type == "LineString"]
    runs = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(lines))).tolist() if lines else []
    replaced = min(runs, key=lambda run: float(shapely.hausdorff_distance(run, line)), default=None)
    return [run for run in runs if run is not replaced]


def draw(tiling: Tiling, edit: Draw) -> Outcome:
    """See Draw."""
    _free(tiling, edit.code)
    polygon = _snapper(tiling, edit.polygon).polygon(edit.polygon)
    sheet = _sheet(tiling, [shapely.boundary(polygon)])
    sheet.tiles[edit.code] = Tile(edit.code, edit.community, edit.kind, polygon)
    inside = np.flatnonzero(sheet.faces.within(polygon)).tolist()
    under = sorted({code for i in inside for code in sheet.faces.owners[i]})
    sheet.give(inside, edit.code)
    covered = [code for code in under if _left(sheet.faces, code) < CRUMB_M2]
    if covered and not edit.replace:
        faults = [
            Fault("covered", (code,), area_of(tiling.tiles[code].geom), tiling.tiles[code].geom) for code in covered
        ]
        names = "、".join(covered)
        raise DoesNotTile("polygon", f"网格 {names} 会被整个盖住。要用新的代替它，选“代替”；否则画小一些。", faults)
    for code in covered:
        sheet.pass_on(sheet.faces.of(code), code, edit.code)
    return sheet.finish("polygon", gone=covered)


def _left(faces: Faces, code: str) -> float:
    return float(faces.areas[faces.of(code)].sum())


def mend(tiling: Tiling, edit: Mend) -> Outcome:
    """See Mend."""
    fault = edit.fault
    sheet = _sheet(tiling, [shapely.boundary(fault.geom)])
    inside = np.flatnonzero(sheet.faces.within(fault.geom)).tolist()
    if fault.kind == "gap":
        return _fill(sheet, [i for i in inside if not sheet.faces.owners[i]], edit.to)
    own = [code for code in fault.codes if code in tiling.tiles]
    if fault.kind == "overhang":
        for i in inside:
            sheet.faces.owners[i] -= set(own)
        return sheet.finish("fault", released=inside)
    if edit.to not in fault.codes:
        raise DoesNotTile("to", f"重叠的这一块留给 {'、'.join(fault.codes)} 中的一个。", [fault])
    if edit.to not in tiling.tiles:
        for i in inside:
            sheet.faces.owners[i] -= set(own)
        return sheet.finish("fault", released=inside)
    if len(own) < len(fault.codes):
        raise DoesNotTile("to", "对方社区的网格不在这份草稿里。留给对方，或请主管把两个社区一起画。", [fault])
    for i in inside:
        sheet.faces.owners[i] = sheet.faces.owners[i] - set(own) | {edit.to}
    return sheet.finish("fault")


def _fill(sheet: Sheet, empty: list[int], to: str | None) -> Outcome:
    """A gap given to a grid beside it; without a name to the one with the longest border."""
    if to is not None:
        _tile(sheet.tiling, to, "to")
    best = longest_beside(sheet.faces, empty, None if to is None else [to]) if empty else None
    if best is None:
        raise DoesNotTile("to", "这处空隙旁边没有这个网格，换一个相邻的。" if to else "这处空隙已经补上了。")
    sheet.give(empty, best)
    return sheet.finish("fault")


def _sheet(tiling: Tiling, lines: Iterable[Any] = ()) -> Sheet:
    """The faces between the borders, the lines, and the gaps of an import, open ones too."""
    return Sheet(tiling, cut(tiling.tiles, [*lines, *shapely.boundary(list(tiling.gaps)).tolist()]))


def _snapper(tiling: Tiling, drawn: Any, *more: Any) -> Snapper:
    """Onto the borders near what was drawn, of the tiling and around it."""
    region = shapely.union_all([shapely.envelope(drawn), *(shapely.envelope(one) for one in more)])
    geoms = [*(tile.geom for tile in tiling.tiles.values()), *tiling.around.values()]
    near = [geom for geom in geoms if shapely.dwithin(geom, region, 1e-4)]
    return Snapper(near)


def _tile(tiling: Tiling, code: str, field: str) -> Tile:
    tile = tiling.tiles.get(code)
    if tile is None:
        raise DoesNotTile(field, f"草稿里没有网格“{code}”，可能刚被改过。")
    return tile


def _free(tiling: Tiling, code: str) -> None:
    if code in tiling.tiles or code in tiling.micros:
        raise DoesNotTile("new_code", f"编码“{code}”在这份草稿里已经有了，换一个。")


_APPLY: dict[type, Callable[[Tiling, Any], Outcome]] = {
    Split: split,
    Merge: merge,
    Reshape: reshape,
    Border: border,
    Draw: draw,
    Mend: mend,
}
