"""Repairing polygons, finding what doesn't tile, simplifying, labels and colours."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from service.geo.coverage import (
    colour_communities,
    find_faults,
    label_points,
    neighbours_of,
    outer_boundary,
    repair,
    simplify_coverage,
)
from service.geo.crs import MetricFrame

WEST, SOUTH = 109.88, 31.07
STEP = 0.001  # 95.5 m to the east, 110.9 m to the north
STEP_M2 = 95.46 * 110.86


def zones(*geoms: object) -> np.ndarray:
    out = np.empty(len(geoms), dtype=object)
    out[:] = geoms
    return out


def ring(*corners: tuple[float, float], holes: tuple[list[tuple[float, float]], ...] = ()) -> shapely.Polygon:
    """A polygon in steps from the corner of the town."""
    moved = [[(WEST + x * STEP, SOUTH + y * STEP) for x, y in one] for one in (corners, *holes)]
    return shapely.Polygon(moved[0], moved[1:])


def box(x1: float, y1: float, x2: float, y2: float) -> shapely.Polygon:
    return ring((x1, y1), (x2, y1), (x2, y2), (x1, y2))


FOUR = zones(box(0, 0, 5, 5), box(5, 0, 10, 5), box(0, 5, 5, 10), box(5, 5, 10, 10))
CODES = ["a", "b", "c", "d"]

with np.errstate(invalid="ignore"):
    NO_NUMBER = shapely.from_wkt("POLYGON((109 31, 109 nan, 110 31, 109 31))")

# Repair -------------------------------------------------------------------------------------------------------------

GOOD = {
    "a bow-tie with a tiny lobe": ring((0, 0), (5, 0), (5, 5), (0.02, 5), (0, 4.98), (0.02, 4.98), (0, 5)),
    "a repeated corner": ring((0, 0), (5, 0), (5, 0), (5, 5), (0, 5)),
    "clockwise": ring((0, 5), (5, 5), (5, 0), (0, 0)),
    "a spike": ring((0, 0), (5, 0), (9, 0), (5, 0), (5, 5), (0, 5)),
    "a loop that touches its own edge": ring((0, 0), (5, 0), (5, 5), (3, 5), (4, 4), (2, 4), (3, 5), (0, 5)),
    "the same part twice": shapely.MultiPolygon([box(0, 0, 5, 5), box(0, 0, 5, 5)]),
    "parts that share an edge": shapely.MultiPolygon([box(0, 0, 5, 5), box(5, 0, 6, 5)]),
    "a hole that touches the shell along an edge": ring(
        (0, 0), (5, 0), (5, 5), (0, 5), holes=([(0, 1), (1, 1), (1, 2), (0, 2)],)
    ),
}
UNCLEAR = {
    "two lobes of one size": (ring((0, 0), (5, 5), (5, 0), (0, 5)), "不止一种改法"),
    "a large second lobe": (ring((0, 0), (5, 0), (5, 5), (2, 5), (0, 3), (2, 3), (0, 5)), "不止一种改法"),
    "a loop that goes round twice": (
        ring((0, 0), (5, 0), (5, 5), (3, 5), (2, 4), (4, 4), (3, 5), (0, 5)),
        "不止一种改法",
    ),
    "parts that overlap": (shapely.MultiPolygon([box(0, 0, 5, 5), box(3, 0, 8, 5)]), "不止一种改法"),
    "a hole outside": (ring((0, 0), (5, 0), (5, 5), (0, 5), holes=([(6, 1), (8, 1), (8, 3)],)), "不止一种改法"),
    "a round trip": (ring((0, 0), (5, 0), (0, 0)), "围不成面"),
    "all in one place": (ring((1, 1), (1, 1), (1, 1)), "围不成面"),
    "no number": (NO_NUMBER, "不是数字"),
    "a line": (shapely.LineString([(WEST, SOUTH), (WEST + 1, SOUTH)]), "不是面"),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_clearly_meant_is_repaired(name: str) -> None:
    fixed, notes, rejected = repair(zones(GOOD[name], FOUR[1]))
    assert not rejected.any()
    assert shapely.is_valid(fixed).all()
    assert fixed[0].geom_type in ("Polygon", "MultiPolygon")
    assert fixed[0].area == pytest.approx(25 * STEP**2, rel=0.25)
    assert (notes[0] is None) == GOOD[name].is_valid
    assert (fixed[1], notes[1]) == (FOUR[1], None)


@pytest.mark.parametrize("name", UNCLEAR)
def test_what_may_be_meant_in_two_ways_is_left_to_its_author(name: str) -> None:
    geom, words = UNCLEAR[name]
    _, notes, rejected = repair(zones(FOUR[0], geom))
    assert rejected.tolist() == [False, True]
    assert words in str(notes[1])


def test_no_geometry_is_no_fault_of_repair() -> None:
    fixed, notes, rejected = repair(zones(None, shapely.Polygon()))
    assert fixed[0] is None
    assert (notes, rejected.tolist()) == ([None, None], [False, False])


def test_a_square_metre_more_or_less_is_no_question() -> None:
    """A hut of 12 m² with a loop of 0.3 m² at its corner: 5 % of the area, but less than a square metre."""
    hut = ring((0, 0), (0.04, 0), (0.04, 0.03), (0.005, 0.03), (0, 0.025), (0.005, 0.025), (0, 0.03))
    assert not hut.is_valid
    assert not repair(zones(hut))[2].any()


# Faults -------------------------------------------------------------------------------------------------------------


def test_a_tiling_has_no_faults() -> None:
    assert find_faults(FOUR, CODES) == []
    assert find_faults(FOUR, CODES, box(0, 0, 10, 10)) == []
    assert find_faults(zones(), []) == []
    assert find_faults(zones(None, shapely.Polygon()), ["a", "b"]) == []


def test_a_corner_on_a_neighbours_long_edge_is_no_fault() -> None:
    """In metres the edge of 9.5 km bends away from the corners on it by 1 m."""
    geoms = zones(box(0, 0, 100, 50), box(0, 50, 30, 60), box(30, 50, 70, 60), box(70, 50, 100, 60))
    assert find_faults(geoms, CODES) == []
    assert find_faults(geoms, CODES, box(0, 0, 100, 60)) == []


def test_overlaps_are_pairs_with_their_area() -> None:
    (fault,) = find_faults(zones(box(0, 0, 5, 5), box(4, 0, 9, 5)), ["b", "a"])
    assert (fault.kind, fault.codes) == ("overlap", ("a", "b"))
    assert fault.area_m2 == pytest.approx(5 * STEP_M2, rel=0.002)
    assert fault.geom.symmetric_difference(box(4, 0, 5, 5)).area < 1e-15


def test_a_gap_between_zones_and_one_against_the_outline() -> None:
    around = ring((0, 0), (9, 0), (9, 9), (0, 9), holes=([(2, 2), (6, 2), (6, 6), (2, 6)],))
    island = box(3, 3, 5, 5)
    (gap,) = find_faults(zones(around, island), ["a", "b"])
    assert (gap.kind, gap.codes) == ("gap", ("a", "b"))
    assert gap.area_m2 == pytest.approx(12 * STEP_M2, rel=0.002)
    assert not gap.geom.contains(shapely.Point(island.centroid))
    # The outline has the same hole: only what lies beyond the zones is missing.
    outline = shapely.difference(box(0, 0, 10, 9), shapely.difference(box(2, 2, 6, 6), island))
    (rest,) = find_faults(zones(around, island), ["a", "b"], outline)
    assert (rest.kind, rest.codes) == ("gap", ("a",))
    assert rest.area_m2 == pytest.approx(9 * STEP_M2, rel=0.002)


def test_rings_within_rings() -> None:
    outer = ring((0, 0), (9, 0), (9, 9), (0, 9), holes=([(1, 1), (8, 1), (8, 8), (1, 8)],))
    inner = ring((2, 2), (7, 2), (7, 7), (2, 7), holes=([(3, 3), (6, 3), (6, 6), (3, 6)],))
    faults = find_faults(zones(outer, inner), ["a", "b"])
    assert [(f.codes, round(f.area_m2 / STEP_M2)) for f in faults] == [(("a", "b"), 24), (("b",), 9)]


def test_overhang_is_told_by_zone_and_place() -> None:
    faults = find_faults(FOUR, CODES, box(1, 0, 9, 10))
    assert [(f.kind, f.codes) for f in faults if f.kind == "overhang"]
    assert sorted(f.codes for f in faults) == [("a",), ("b",), ("c",), ("d",)]
    assert all(f.area_m2 == pytest.approx(5 * STEP_M2, rel=0.002) for f in faults)


def test_what_nobody_can_see_is_not_told() -> None:
    """A strip of 10 µm along 500 m: 0.005 m²; of 1 mm: 0.5 m²."""
    for width, told in ((1e-7, False), (1e-5, True)):
        faults = find_faults(zones(box(0, 0, 5, 5), box(5 - width, 0, 10, 5)), ["a", "b"])
        assert bool(faults) == told


def test_invalid_zones_are_judged_by_what_they_cover() -> None:
    faults = find_faults(zones(UNCLEAR["two lobes of one size"][0], box(4, 0, 9, 5), None), ["a", "b", "c"])
    assert {f.kind for f in faults} >= {"overlap"}


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(*[st.integers(0, 8)] * 2, *[st.integers(1, 5)] * 2), min_size=1, max_size=6))
def test_faults_add_up(boxes: list[tuple[int, int, int, int]]) -> None:
    """Outline = covered - overhang + gaps, counted on unit squares."""
    geoms = zones(*(box(x, y, x + w, y + h) for x, y, w, h in boxes))
    faults = find_faults(geoms, [str(i) for i in range(len(geoms))], box(2, 2, 8, 8))
    count = np.zeros((14, 14), int)
    for x, y, w, h in boxes:
        count[y : y + h, x : x + w] += 1
    inside = np.zeros_like(count, dtype=bool)
    inside[2:8, 2:8] = True
    squares = {
        "overlap": (count * (count - 1) // 2).sum(),  # pairs
        "gap": (inside & (count == 0)).sum(),
        "overhang": count[~inside].sum(),
    }
    for kind, expected in squares.items():
        assert sum(f.area_m2 for f in faults if f.kind == kind) / STEP_M2 == pytest.approx(
            expected, rel=0.003, abs=1e-3
        )


def features(path: Path) -> tuple[np.ndarray, list[dict[str, object]]]:
    found = json.loads(path.read_text(encoding="utf-8"))["features"]
    geoms = shapely.from_geojson([json.dumps(one["geometry"]) for one in found])
    return np.asarray(geoms, dtype=object), [one["properties"] for one in found]


def test_new_yorks_districts_against_its_boroughs(shared_data: Path) -> None:
    """71 districts and 5 boroughs that disagree along the shore; the areas agree with one union against the other."""
    districts, named = features(shared_data / "nyc_zones" / "CD.geo.json")
    boroughs, _ = features(shared_data / "nyc_zones" / "borough.geo.json")
    districts, notes, rejected = repair(districts)
    assert (len(districts), any(notes), rejected.any()) == (71, False, False)
    codes = [str(one["GEOCODE"]) for one in named]
    outline = shapely.union_all(shapely.make_valid(boroughs))
    assert find_faults(districts, codes) == []
    started = time.perf_counter()
    faults = find_faults(districts, codes, outline)
    assert time.perf_counter() - started < 5
    frame = MetricFrame(-73.97, 40.7)
    whole = outer_boundary(districts)
    for kind, area in (("gap", outline - whole), ("overhang", whole - outline)):
        expected = frame.geometries(np.array([area], dtype=object))[0].area
        assert sum(f.area_m2 for f in faults if f.kind == kind) == pytest.approx(expected, rel=1e-3)
    assert [f.area_m2 for f in faults] == sorted((f.area_m2 for f in faults), reverse=True)
    assert all(f.codes for f in faults if f.kind == "overhang")


# Outlines, labels, colours ------------------------------------------------------------------------------------------


def test_the_union_of_zones_that_tile_and_of_zones_that_overlap() -> None:
    assert outer_boundary(FOUR).equals(box(0, 0, 10, 10))
    assert outer_boundary(zones(box(0, 0, 5, 5), None, box(4, 0, 9, 5))).equals(box(0, 0, 9, 5))
    assert outer_boundary(zones()).is_empty


def test_simplified_zones_still_share_their_borders() -> None:
    xs = np.linspace(0, 10, 200)
    wave = [(x, 5 + 0.2 * math.sin(3 * x)) for x in xs.tolist()]
    geoms = zones(ring((0, 0), (10, 0), *reversed(wave)), ring(*wave, (10, 10), (0, 10)), None, shapely.Polygon())
    drawn = simplify_coverage(geoms, 0.3 * STEP)
    assert shapely.get_num_coordinates(drawn[:2]).sum() < 100
    assert shapely.coverage_is_valid(drawn[:2])
    assert drawn[2] is None
    assert find_faults(drawn, CODES) == []


def test_zones_that_cannot_be_simplified_stay() -> None:
    bow = UNCLEAR["two lobes of one size"][0]
    drawn = simplify_coverage(zones(bow, FOUR[1]), 0.3 * STEP)
    assert drawn[0] is bow
    assert drawn[1].equals(FOUR[1])


def test_labels_stand_in_the_widest_place() -> None:
    pan = shapely.union(box(0, 0, 4, 4), box(4, 1.9, 20, 2.1))
    sickle = shapely.difference(
        shapely.Point(WEST, SOUTH).buffer(0.01), shapely.Point(WEST + 0.001, SOUTH).buffer(0.0095)
    )
    geoms = zones(pan, sickle, None, FOUR[3])
    lon, lat, radius = label_points(geoms)
    assert (lon[0] - WEST) / STEP == pytest.approx(2, abs=0.1)
    assert radius[0] == pytest.approx(2 * 95.46, rel=0.03)
    assert np.isnan(lon[2])
    assert radius[2] == 0
    inside = [0, 1, 3]
    assert shapely.contains_xy(geoms[inside], lon[inside], lat[inside]).all()
    assert np.isnan(label_points(zones(None))[0]).all()


def test_neighbours_get_different_colours() -> None:
    rng = np.random.default_rng(7)
    sites = shapely.MultiPoint(rng.uniform(0, 1, (400, 2)))
    geoms = np.asarray(shapely.get_parts(shapely.voronoi_polygons(sites)), dtype=object)
    pairs = neighbours_of(geoms)
    assert (pairs[:, 0] < pairs[:, 1]).all()
    for most in (6, 8):
        colours = np.array(colour_communities(pairs, len(geoms), most))
        assert (colours[pairs[:, 0]] != colours[pairs[:, 1]]).all()
        assert set(colours.tolist()) <= set(range(most))
    assert np.bincount(colours).min() > 20  # all eight are used


def test_more_neighbours_than_colours_repeat_one() -> None:
    everyone = np.array([(a, b) for a in range(10) for b in range(a + 1, 10)])
    assert set(colour_communities(everyone, 10, 4)) == {0, 1, 2, 3}
    assert colour_communities(np.empty((0, 2), int), 3) == [2, 1, 0]
    assert colour_communities(np.empty((0, 2), int), 0) == []
