"""Single edits that argue: what goes to whom, what is refused and with which fault, what an import left and how it is
mended."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import shapely

from service.geo.coverage import Fault, find_faults
from service.geo.edits import Border, Draw, Mend, Merge, Reshape, Split, apply
from service.geo.micros import draw_micro, merge_micros, split_micro
from service.geo.tiling import DoesNotTile, Tile, Tiling, area_of, faults_within, node

WEST, SOUTH, STEP = 109.88, 31.07, 0.001  # a step is 95.4 m by 110.9 m


def at(x: float, y: float) -> tuple[float, float]:
    return WEST + x * STEP, SOUTH + y * STEP


def box(x1: float, y1: float, x2: float, y2: float) -> Any:
    return shapely.box(*at(x1, y1), *at(x2, y2))


def line(*points: tuple[float, float]) -> Any:
    return shapely.LineString([at(*point) for point in points])


def tiles(**boxes: tuple[float, float, float, float]) -> dict[str, Tile]:
    """Grids by code; those that begin with b are the other community's."""
    return {code: Tile(code, f"c{code[0]}", "grid", box(*corners)) for code, corners in boxes.items()}


# a1 | a2 over the whole width below, a3 above both: the corner of a1 and a2 lies on a3's long edge
THREE = node(Tiling(tiles(a1=(0, 0, 4, 5), a2=(4, 0, 10, 5), a3=(0, 5, 10, 8))))
TWO_HOMES = node(Tiling(tiles(a1=(0, 0, 10, 5), b1=(0, 5, 10, 10))))


def shape(tiling: Tiling, code: str) -> Any:
    return tiling.tiles[code].geom


def same(one: Any, other: Any) -> bool:
    return area_of(shapely.symmetric_difference(one, other)) < 0.01


def refused(tiling: Tiling, edit: Any) -> DoesNotTile:
    with pytest.raises(DoesNotTile) as told:
        apply(tiling, edit)
    return told.value


def test_noding_gives_neighbours_each_others_nodes() -> None:
    loose = tiles(a1=(0, 0, 4, 5), a2=(4, 0, 10, 5), a3=(0, 5, 10, 8))
    assert not shapely.coverage_is_valid([tile.geom for tile in loose.values()])
    assert shapely.coverage_is_valid([tile.geom for tile in THREE.tiles.values()])
    assert all(same(THREE.tiles[code].geom, loose[code].geom) for code in loose)


@pytest.mark.parametrize(("keep", "west"), [("larger", "n"), ("first", "a2"), ("second", "n")])
def test_a_split_says_which_piece_keeps_the_code(keep: str, west: str) -> None:
    """Drawn northward: the piece at the left is the western, here the smaller one."""
    done = apply(THREE, Split("a2", line((6, -1), (6, 9)), "n", keep))
    assert same(shape(done.tiling, west), box(4, 0, 6, 5))
    assert set(done.changed) == {"a2", "n", "a3"} and done.gone == ()
    assert same(shape(done.tiling, "a3"), box(0, 5, 10, 8))


def test_a_line_that_ends_a_little_short_is_carried_on() -> None:
    """1.8 m are missing at either end; 4 m are too many."""
    gap = 1.8 / 110.9
    done = apply(THREE, Split("a2", line((6, gap), (6, 5 - gap)), "n"))
    assert same(shape(done.tiling, "n"), box(4, 0, 6, 5))
    told = refused(THREE, Split("a2", line((6, 4 / 110.9), (6, 9)), "n"))
    assert told.field == "line" and "2 米" in told.message


def test_what_a_line_makes_is_told() -> None:
    assert "没有" in refused(THREE, Split("a2", line((1, -1), (1, 9)), "n")).message
    zigzag = line((3, 4), (11, 4), (11, 2), (3, 2))
    told = refused(THREE, Split("a2", zigzag, "n"))
    assert "3 块" in told.message and [fault.kind for fault in told.faults] == ["piece"] * 3
    corner = line((9.985, -0.001), (10.001, 0.015))  # 1.1 m²
    assert apply(THREE, Split("a2", corner, "n"))
    assert "平方米" in refused(THREE, Split("a2", line((9.992, -0.001), (10.001, 0.008)), "n")).message


def test_near_vertices_fall_onto_nodes_and_edges() -> None:
    """0.3 m beside the corner of a1 and a2; 0.3 m below the southern edge."""
    off = 0.3 / 110.9
    done = apply(THREE, Split("a3", line((4 + off, 5 + off), (4, 9)), "n"))
    assert same(shape(done.tiling, "n"), box(0, 5, 4, 8))
    done = apply(THREE, Reshape("a1", shapely.Polygon([at(0, 0), at(4, -off), at(4, 5), at(0, 5)])))
    assert same(shape(done.tiling, "a1"), box(0, 0, 4, 5)) and done.gone == ()


def test_merging_needs_a_common_border_and_one_community() -> None:
    done = apply(THREE, Merge(("a1", "a3"), "a3"))
    assert done.gone == ("a1",) and same(shape(done.tiling, "a3"), box(0, 5, 10, 8).union(box(0, 0, 4, 5)))
    apart = node(Tiling(tiles(a1=(0, 0, 2, 2), a2=(2, 0, 4, 2), a3=(4, 0, 6, 2), a4=(2, 2, 4, 4))))
    assert refused(apart, Merge(("a1", "a4"), "a1")).faults[0].kind == "apart"  # a corner isn't enough
    assert set(apply(apart, Merge(("a1", "a2", "a3"), "a2")).gone) == {"a1", "a3"}
    assert "社区" in refused(TWO_HOMES, Merge(("a1", "b1"), "a1")).message


def test_reshaping_takes_from_neighbours_and_gives_to_the_longest_border() -> None:
    """a1 gains x 4..5 below y=4 from a2, and loses its western strip, which touches only a3 (1 step) and nobody."""
    done = apply(THREE, Reshape("a1", box(0, 0, 5, 5)))
    assert same(shape(done.tiling, "a2"), box(5, 0, 10, 5)) and same(shape(done.tiling, "a1"), box(0, 0, 5, 5))
    done = apply(THREE, Reshape("a1", box(0, 0, 3, 5)))
    assert same(shape(done.tiling, "a2"), box(3, 0, 10, 5))  # 5 steps along a2, 1 along a3
    told = refused(THREE, Reshape("a1", box(-1, 0, 4, 5)))
    assert [fault.kind for fault in told.faults] == ["outside"]
    assert told.faults[0].area_m2 == pytest.approx(95.4 * 5 * 110.9, rel=0.01)
    island = node(Tiling(tiles(a1=(0, 0, 2, 2))))
    assert [fault.kind for fault in refused(island, Reshape("a1", box(0, 0, 1, 2))).faults] == ["gap"]
    assert "covered" in {fault.kind for fault in refused(THREE, Reshape("a1", box(0, 0, 10, 5))).faults}


def test_both_follow_a_moved_border() -> None:
    done = apply(THREE, Border("a1", "a2", line((4, 0), (6, 2), (4, 5))))
    west = shapely.Polygon([at(0, 0), at(4, 0), at(6, 2), at(4, 5), at(0, 5)])
    assert same(shape(done.tiling, "a1"), west)
    assert same(shape(done.tiling, "a2"), box(4, 0, 10, 5).difference(west))
    swapped = apply(THREE, Border("a2", "a1", line((4, 5), (6, 2), (4, 0))))
    assert same(shape(swapped.tiling, "a1"), west)
    around = node(
        Tiling(
            tiles(a1=(0, 0, 4, 9), a2=(4, 0, 8, 3), a3=(4, 3, 8, 6))
            | {
                "a2": Tile("a2", "ca", "grid", box(4, 0, 8, 3).union(box(4, 6, 8, 9)).union(box(7, 3, 8, 6))),
                "a3": Tile("a3", "ca", "grid", box(4, 3, 7, 6)),
            }
        )
    )
    moved = apply(around, Border("a1", "a2", line((3, 0), (4, 3))))  # they meet above a3 as well
    assert same(shape(moved.tiling, "a3"), box(4, 3, 7, 6))
    assert area_of(shape(moved.tiling, "a1")) < area_of(shape(around, "a1"))


def test_the_border_of_two_communities_is_a_supervisors() -> None:
    edit = Border("a1", "b1", line((0, 6), (10, 6)))
    told = refused(TWO_HOMES, edit)
    assert {fault.kind for fault in told.faults} == {"community"} and "主管" in told.message
    done = apply(replace(TWO_HOMES, may_extend=True), edit)
    assert same(shape(done.tiling, "a1"), box(0, 0, 10, 6)) and done.tiling.tiles["a1"].community == "ca"


def test_more_ground_is_taken_from_nobody() -> None:
    """A supervisor may reach out, but not over a grid of a community that isn't in the draft."""
    free = Tiling(THREE.tiles, around={"x1": box(12, 0, 20, 8)}, may_extend=True)
    done = apply(free, Reshape("a2", box(4, 0, 12, 5)))
    assert same(shape(done.tiling, "a2"), box(4, 0, 12, 5))
    told = refused(free, Reshape("a2", box(4, 0, 13, 5)))
    assert [(fault.kind, fault.codes) for fault in told.faults] == [("overlap", ("a2", "x1"))]


def test_a_special_grid_is_cut_out() -> None:
    yard = box(3, 3, 5, 6)
    done = apply(THREE, Draw("s", "special", "ca", yard))
    assert same(shape(done.tiling, "s"), yard) and done.tiling.tiles["s"].kind == "special"
    assert all(not shapely.overlaps(shape(done.tiling, code), yard) for code in ("a1", "a2", "a3"))
    inside = apply(THREE, Draw("s", "special", "ca", box(1, 1, 2, 2)))
    assert len(shape(inside.tiling, "a1").interiors) == 1
    across = apply(THREE, Draw("s", "grid", "ca", box(6, -0.001, 7, 5)))
    assert across.warnings == ("网格 a2 成了分开的 2 块。",)
    told = refused(THREE, Draw("s", "grid", "ca", box(0, 0, 4, 5.5)))
    assert [(fault.kind, fault.codes) for fault in told.faults] == [("covered", ("a1",))]
    over = apply(THREE, Draw("s", "grid", "ca", box(0, 0, 4, 5.5), replace=True))
    assert over.gone == ("a1",)
    crossing = refused(TWO_HOMES, Draw("s", "special", "ca", box(1, 4, 2, 6)))
    assert {fault.kind for fault in crossing.faults} == {"community"}
    knot = shapely.Polygon([at(1, 1), at(3, 3), at(3, 1), at(1, 3)])
    assert "相交" in refused(THREE, Draw("s", "grid", "ca", knot)).message


# What an import left ----------------------------------------------------------------------------------------------


def faulty() -> tuple[Tiling, list[Fault]]:
    """A gap between a1 and a2, an overlap of a2 and a3, a3 beyond the outline."""
    loose = tiles(a1=(0, 0, 4, 5), a2=(4.5, 0, 10, 5.5), a3=(0, 5, 11, 8))
    geoms = np.array([tile.geom for tile in loose.values()], dtype=object)
    faults = find_faults(geoms, list(loose), box(0, 0, 10, 8))
    return node(Tiling(loose, gaps=[fault.geom for fault in faults if fault.kind == "gap"])), faults


def test_faults_of_an_import_stay_until_they_are_mended() -> None:
    tiling, faults = faulty()
    assert sorted(fault.kind for fault in faults) == ["gap", "overhang", "overlap"]
    tiling = apply(tiling, Split("a1", line((2, -1), (2, 6)), "n")).tiling
    left = faults_within(tiling, faults)
    assert sorted(fault.kind for fault in left) == ["gap", "overhang", "overlap"]
    assert "a1" not in {code for fault in left if fault.kind == "overlap" for code in fault.codes}
    for kind, to in (("gap", "a2"), ("overlap", "a3"), ("overhang", None)):
        fault = next(one for one in faults_within(tiling, faults) if one.kind == kind)
        tiling = apply(tiling, Mend(fault, to)).tiling
    assert faults_within(tiling, faults) == []
    assert same(shape(tiling, "a2"), box(4, 0, 10, 5)) and same(shape(tiling, "a3"), box(0, 5, 10, 8))
    assert find_faults(np.array([t.geom for t in tiling.tiles.values()]), list(tiling.tiles), box(0, 0, 10, 8)) == []


def test_mending_names_those_who_can_have_it() -> None:
    tiling, faults = faulty()
    gap = next(one for one in faults if one.kind == "gap")
    over = next(one for one in faults if one.kind == "overlap")
    given = apply(tiling, Mend(gap)).tiling  # as long a border with a1 as with a2: the lowest code
    assert same(shape(given, "a1"), box(0, 0, 4.5, 5))
    with pytest.raises(DoesNotTile, match="a2、a3"):
        apply(tiling, Mend(over, "a1"))
    with pytest.raises(DoesNotTile, match="相邻"):
        apply(apply(tiling, Split("a1", line((1, -1), (1, 6)), "n")).tiling, Mend(gap, "n"))


def test_an_overlap_with_a_community_outside_can_only_be_left_to_it() -> None:
    here = node(Tiling(tiles(a1=(0, 0, 10, 5.5)), around={"b1": box(0, 5, 10, 10)}))
    fault = Fault("overlap", ("a1", "b1"), 5000.0, box(0, 5, 10, 5.5))
    assert [one.codes for one in faults_within(here, [fault])] == [("a1", "b1")]
    assert same(shape(apply(here, Mend(fault, "b1")).tiling, "a1"), box(0, 0, 10, 5))
    assert "主管" in refused(here, Mend(fault, "a1")).message


def test_a_gap_is_no_free_ground_for_what_lies_outside() -> None:
    """A manager may fill an import's gap by reshaping, not reach beyond it."""
    tiling, _ = faulty()
    done = apply(tiling, Reshape("a1", box(0, 0, 4.5, 5)))
    assert same(shape(done.tiling, "a1"), box(0, 0, 4.5, 5))
    assert {one.kind for one in refused(tiling, Reshape("a1", box(0, -1, 4.5, 5))).faults} == {"outside"}


# Micro-grids ------------------------------------------------------------------------------------------------------


def test_micro_grids_lie_in_one_grid_and_follow_it() -> None:
    done = draw_micro(THREE, "m", box(3, 1, 4.5, 2))
    micro = done.tiling.micros["m"]
    assert micro.parent == "a1" and same(micro.geom, box(3, 1, 4, 2)) and "裁掉" in done.warnings[0]
    moved = apply(done.tiling, Border("a1", "a2", line((3.2, 0), (3.2, 5))))
    assert moved.tiling.micros["m"].parent == "a2" and "m" in moved.changed
    assert any("跨着" in line for line in moved.warnings)
    assert apply(done.tiling, Merge(("a1", "a3"), "a3")).tiling.micros["m"].parent == "a3"
    with pytest.raises(DoesNotTile):
        draw_micro(THREE, "m", box(20, 20, 21, 21))


def test_micro_grids_are_split_and_merged() -> None:
    tiling = draw_micro(THREE, "m1", box(0, 0, 2, 2)).tiling
    halved = split_micro(tiling, Split("m1", line((1, -1), (1, 3)), "m2")).tiling
    assert {code: micro.parent for code, micro in halved.micros.items()} == {"m1": "a1", "m2": "a1"}
    whole = merge_micros(halved, Merge(("m1", "m2"), "m2"))
    assert whole.gone == ("m1",) and same(whole.tiling.micros["m2"].geom, box(0, 0, 2, 2))
    with pytest.raises(DoesNotTile):
        merge_micros(halved, Merge(("m1", "a2"), "m1"))
