"""Micro-grids: parts of a grid that don't tile; drawn, reshaped, split and merged within their grid."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import shapely

from service.geo.edits import Merge, Split, apply
from service.geo.retiling import CRUMB_M2
from service.geo.snapping import Snapper
from service.geo.tiling import DoesNotTile, Outcome, Tile, Tiling, area_of, parts_of


def draw_micro(tiling: Tiling, code: str, polygon: Any) -> Outcome:
    """A micro-grid, new or with another outline, cut to the grid that holds most of it."""
    known = tiling.micros.get(code)
    if known is None and code in tiling.tiles:
        raise DoesNotTile("code", f"编码“{code}”在这份草稿里已经有了，换一个。")
    near = [tile.geom for tile in tiling.tiles.values() if shapely.dwithin(tile.geom, polygon, 1e-5)]
    drawn = Snapper(near).polygon(polygon)
    shares = {
        one: area_of(shapely.intersection(tile.geom, drawn))
        for one, tile in tiling.tiles.items()
        if shapely.intersects(tile.geom, drawn)
    }
    parent = min(shares, key=lambda one: (-shares[one], one), default=None)
    if parent is None or shares[parent] < CRUMB_M2:
        raise DoesNotTile("polygon", "微网格要画在一个网格里面。")
    inside = shapely.union_all(parts_of(shapely.intersection(tiling.tiles[parent].geom, drawn)))
    micro = Tile(code, tiling.tiles[parent].community, "micro_grid", inside, parent)
    told = []
    if area_of(drawn) - shares[parent] > CRUMB_M2:
        told.append(f"微网格 {code} 画出网格 {parent} 的部分已经裁掉。")
    return _with(tiling, {code: micro}, (), [*told, *_overlaps(tiling, micro)])


def split_micro(tiling: Tiling, edit: Split) -> Outcome:
    """A micro-grid into two by a line."""
    if edit.new_code in tiling.tiles or edit.new_code in tiling.micros:
        raise DoesNotTile("new_code", f"编码“{edit.new_code}”在这份草稿里已经有了，换一个。")
    own = tiling.micros[edit.code]
    done = apply(Tiling({edit.code: own}, may_extend=True), edit).tiling.tiles
    return _with(tiling, {code: replace(tile, parent=own.parent) for code, tile in done.items()}, (), [])


def merge_micros(tiling: Tiling, edit: Merge) -> Outcome:
    """Micro-grids of one grid that touch, into one of them."""
    missing = [code for code in edit.codes if code not in tiling.micros]
    if missing:
        raise DoesNotTile("codes", f"{'、'.join(missing)} 不是微网格，不能和微网格合并。")
    own = {code: tiling.micros[code] for code in edit.codes}
    if len({micro.parent for micro in own.values()}) > 1:
        raise DoesNotTile("codes", "选中的微网格不在一个网格里，不能合并。")
    done = apply(Tiling(own, may_extend=True), edit)
    return _with(tiling, dict(done.tiling.tiles), done.gone, [])


def _with(tiling: Tiling, changed: dict[str, Tile], gone: tuple[str, ...], told: list[str]) -> Outcome:
    micros = {code: micro for code, micro in tiling.micros.items() if code not in gone} | changed
    return Outcome(replace(tiling, micros=micros), tuple(sorted(changed)), gone, tuple(told))


def _overlaps(tiling: Tiling, micro: Tile) -> list[str]:
    over = [
        code
        for code, other in tiling.micros.items()
        if code != micro.code
        and shapely.intersects(other.geom, micro.geom)
        and area_of(shapely.intersection(other.geom, micro.geom)) > CRUMB_M2
    ]
    return [f"微网格 {micro.code} 和 {'、'.join(sorted(over))} 重叠。"] if over else []
