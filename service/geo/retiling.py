"""What every edit of a tiling goes through: nothing but what an import brought may fail to tile afterwards."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import shapely

from service.geo.coverage import LEAST_M2, Fault
from service.geo.tiling import DoesNotTile, Faces, Outcome, Tile, Tiling, area_of, longest_beside, pieces_of, rebuilt

CRUMB_M2 = 1.0  # a piece that small that an edit leaves apart goes to its neighbour
_WORDS = {
    "gap": "会留下没有网格的空隙",
    "overlap": "会和别的网格重叠",
    "outside": "画到了社区外面",
    "community": "会动到两个社区之间的界线",
}


class Sheet:
    """The faces of a tiling on which one edit works: who owned what before, who does now."""

    def __init__(self, tiling: Tiling, faces: Faces) -> None:
        self.tiling, self.faces = tiling, faces
        self.before = list(faces.owners)
        self.tiles: dict[str, Tile] = dict(tiling.tiles)

    def give(self, chosen: Iterable[int], code: str | None) -> None:
        """Faces to one tile alone; None: to nobody."""
        for i in chosen:
            self.faces.owners[i] = frozenset() if code is None else frozenset({code})

    def pass_on(self, chosen: Iterable[int], old: str, new: str) -> None:
        """Faces from one tile to another; who else lies over them stays."""
        for i in chosen:
            self.faces.owners[i] = self.faces.owners[i] - {old} | {new}

    def home(self, code: str) -> str:
        return self.tiles[code].community

    def finish(
        self, field: str, gone: Collection[str] = (), released: Collection[int] = (), warnings: Iterable[str] = ()
    ) -> Outcome:
        """The tiling after the edit. gone: tiles that the edit takes away; released: faces that may lose their grid
        (an overhang that is cut). Raises DoesNotTile, the faults named by `field`."""
        self._sweep_crumbs()
        self._refuse(field, set(released))
        tiles = rebuilt(self.tiling, self.faces, self.tiles)
        swallowed = sorted(set(self.tiling.tiles) - set(tiles) - set(gone))
        if swallowed:
            raise DoesNotTile(
                field,
                f"网格 {'、'.join(swallowed)} 会被整个盖住。要并掉它用“合并”，或改小一些。",
                [self._fault("covered", (code,), self.tiling.tiles[code].geom) for code in swallowed],
            )
        self._check(field, tiles)
        micros, told = follow(self.tiling, tiles)
        changed = [code for code, tile in tiles.items() if self.tiling.tiles.get(code) is not tile]
        changed += [code for code, micro in micros.items() if self.tiling.micros.get(code) is not micro]
        return Outcome(
            replace(self.tiling, tiles=tiles, micros=micros),
            tuple(sorted(changed)),
            tuple(sorted(set(self.tiling.tiles) - set(tiles))),
            (*warnings, *self._torn(tiles), *told),
        )

    def _sweep_crumbs(self) -> None:
        """What a line leaves apart by less than 1 m² goes to the neighbour in the same community."""
        moved = {i for i, was in enumerate(self.before) if was != self.faces.owners[i]}
        touched = {code for i in moved for code in (*self.before[i], *self.faces.owners[i])}
        for code in sorted(touched):
            pieces = pieces_of(self.faces, self.faces.of(code))
            if len(pieces) < 2:
                continue
            earlier = [set(one) for one in pieces_of(self.faces, [i for i, o in enumerate(self.before) if code in o])]
            largest = max(pieces, key=lambda one: float(self.faces.areas[one].sum()))
            for piece in pieces:
                small = self.faces.areas[piece].sum() < CRUMB_M2 and piece is not largest
                if not small or set(piece) in earlier or any(self.faces.owners[i] != {code} for i in piece):
                    continue
                near = [other for other in self.tiles if other != code and self.home(other) == self.home(code)]
                to = longest_beside(self.faces, piece, near)
                if to is not None:
                    self.give(piece, to)

    def _refuse(self, field: str, released: set[int]) -> None:
        """Faults that were not there before, each connected place of its own."""
        found: dict[tuple[str, tuple[str, ...]], list[int]] = {}
        for i, (was, now) in enumerate(zip(self.before, self.faces.owners, strict=True)):
            if was == now:
                continue
            for kind, codes in self._wrong(i, was, now, i in released):
                found.setdefault((kind, codes), []).append(i)
        faults = []
        for (kind, codes), chosen in found.items():
            for piece in pieces_of(self.faces, chosen):
                fault = self._fault(kind, codes, shapely.coverage_union_all(self.faces.shapes[piece]))
                if fault.area_m2 >= LEAST_M2:
                    faults.append(fault)
                else:  # rounding: as it was
                    for i in piece:
                        self.faces.owners[i] = self.before[i]
        faults += self._over_others()
        if faults:
            kinds = list(dict.fromkeys(fault.kind for fault in faults))
            more = "要主管来改：两个社区一起画、一起发布。" if "community" in kinds else "调整图形再试。"
            told = "；".join(_WORDS[kind] for kind in kinds)
            metres = sum(fault.area_m2 for fault in faults)
            raise DoesNotTile(field, f"这样{told}（{metres:.1f} 平方米，见地图上的红色）。{more}", faults)

    def _wrong(
        self, i: int, was: frozenset[str], now: frozenset[str], released: bool
    ) -> list[tuple[str, tuple[str, ...]]]:
        """What is wrong with one face."""
        if not now:
            return [] if released else [("gap", tuple(sorted(was)))]
        if len(now) > 1 and len(was) < 2:
            return [("overlap", tuple(sorted(now)))]
        if not was:
            return [] if self.tiling.may_extend or self._in_a_gap(i) else [("outside", tuple(sorted(now)))]
        homes = {self.tiling.tiles[code].community for code in was}
        if not self.tiling.may_extend and not {self.home(code) for code in now} <= homes:
            return [("community", tuple(sorted(was | now)))]
        return []

    def _in_a_gap(self, i: int) -> bool:
        point = shapely.point_on_surface(self.faces.shapes[i])
        return any(shapely.intersects(gap, point) for gap in self.tiling.gaps)

    def _over_others(self) -> list[Fault]:
        """Ground gained where a grid of a community outside the tiling lies."""
        gained = [i for i, was in enumerate(self.before) if not was and self.faces.owners[i]]
        out = []
        for piece in pieces_of(self.faces, gained):
            shape = shapely.coverage_union_all(self.faces.shapes[piece])
            mine = sorted({code for i in piece for code in self.faces.owners[i]})
            for code, geom in self.tiling.around.items():
                if shapely.intersects(geom, shape):
                    both = shapely.intersection(geom, shape)
                    fault = self._fault("overlap", (*mine, code), both)
                    if fault.area_m2 >= LEAST_M2:
                        out.append(fault)
        return out

    def _fault(self, kind: str, codes: tuple[str, ...], geom: Any) -> Fault:
        return Fault(kind, codes, area_of(geom), geom)

    def _check(self, field: str, tiles: Mapping[str, Tile]) -> None:
        """What was built from faces shares its nodes; where nothing overlaps the store must hold a valid coverage."""
        if any(len(owners) > 1 for owners in self.faces.owners):
            return
        shapes = np.array([tile.geom for tile in tiles.values()], dtype=object)
        if not shapely.coverage_is_valid(shapes):
            edges = shapely.coverage_invalid_edges(shapes)
            bad = [code for code, edge in zip(tiles, edges, strict=True) if not shapely.is_empty(edge)]
            raise DoesNotTile(field, f"网格 {'、'.join(bad)} 的边线对不上，这一步没有保存。换一个画法再试。")

    def _torn(self, tiles: Mapping[str, Tile]) -> list[str]:
        """Grids that the edit leaves in more pieces than they had."""
        out = []
        for code in sorted(tiles):
            was = self.tiling.tiles.get(code)
            parts = int(shapely.get_num_geometries(tiles[code].geom))
            if was is not tiles[code] and parts > (1 if was is None else int(shapely.get_num_geometries(was.geom))):
                out.append(f"网格 {code} 成了分开的 {parts} 块。")
        return out


def follow(tiling: Tiling, tiles: Mapping[str, Tile]) -> tuple[dict[str, Tile], list[str]]:
    """Micro-grids after an edit: each belongs to the grid that holds most of it; what straddles is told."""
    out, told = {}, []
    for code, micro in tiling.micros.items():
        shares = _shares(micro.geom, tiles)
        best = min(shares, key=lambda one: (-shares[one], one), default=None)
        if best is None:
            told.append(f"微网格 {code} 不在任何网格里了。")
            out[code] = micro
            continue
        if best == micro.parent and micro.community == tiles[best].community:
            out[code] = micro
        else:
            out[code] = replace(micro, parent=best, community=tiles[best].community)
            if micro.parent in tiles or micro.parent is None:
                told.append(f"微网格 {code} 大部分在网格 {best}，改归它。")
        if sum(shares.values()) - shares[best] > CRUMB_M2 and shares != _shares(micro.geom, tiling.tiles):
            others = "、".join(sorted(one for one in shares if one != best and shares[one] > CRUMB_M2 / 10))
            told.append(f"微网格 {code} 跨着网格 {best} 和 {others}。")
    return out, told


def _shares(geom: Any, tiles: Mapping[str, Tile]) -> dict[str, float]:
    """m² of a geometry per tile under it."""
    out = {}
    for code, tile in tiles.items():
        if shapely.intersects(tile.geom, geom):
            metres = area_of(shapely.intersection(tile.geom, geom))
            if metres > 0:
                out[code] = metres
    return out
