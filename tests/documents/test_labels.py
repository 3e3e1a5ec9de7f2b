"""Labels on a printed map never lie over one another, stay in their area, and none is lost without being told."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from service.documents.labels import Label, Line, Wanted, Wording, place_all, place_along, place_inside

PAGE = shapely.box(0, 0, 260, 240)
SIZES = (15.0, 12.0, 9.0, 7.0, 5.0, 4.0, 3.0)
NAMES = ("王五", "欧阳娜娜", "阿不都热依木·艾则孜", "<script>alert(1)</script>", "#v(1em)")


def wordings(number: str, name: str) -> tuple[Wording, ...]:
    return (
        Wording((Line(number, 0.8, True), Line(name, 1.0, True), Line("138****5678", 0.5)), 5.0),
        Wording((Line(number, 0.8, True), Line(name, 1.0, True)), 3.0),
        Wording((Line(number, 1.0, True),), 3.0, 6.0),
    )


@st.composite
def towns(draw: st.DrawFn) -> list[Wanted]:
    """The page cut into grids of very different sizes."""
    seed = draw(st.integers(0, 10_000))
    count = draw(st.integers(1, 70))
    points = np.random.default_rng(seed).random((count, 2)) ** draw(st.sampled_from([1.0, 2.5]))
    points = np.column_stack([points[:, 0] * 240 + 10, points[:, 1] * 220 + 10])
    cells = shapely.voronoi_polygons(shapely.MultiPoint(points), extend_to=PAGE)
    areas = [cell.intersection(PAGE) for cell in shapely.get_parts(cells)]
    return [
        Wanted(area, wordings(f"{i:03}", NAMES[i % len(NAMES)]), f"{i:03}", plate=i % 7 == 3)
        for i, area in enumerate(areas)
        if not area.is_empty
    ]


@settings(max_examples=25, deadline=None)
@given(towns())
def test_no_label_lies_over_another_and_each_is_with_its_area(town: list[Wanted]) -> None:
    placed = place_all(town, SIZES, PAGE)
    found = [one for one in placed if one is not None]
    assert len(found) >= 0.9 * len(town)
    for one, other in combinations(found, 2):
        assert one.shape.intersection(other.shape).area < 1e-6
    for wanted, label in zip(town, placed, strict=True):
        if label is None:
            continue
        assert PAGE.contains(label.shape)
        if label.spot is None:
            assert wanted.area.buffer(1e-6).contains(label.shape)
        else:
            assert [line.text for line in label.lines] == [wanted.number] and not label.whole
            assert wanted.area.buffer(1e-6).contains(shapely.Point(label.spot))


def test_a_wide_area_says_everything_a_small_one_its_number() -> None:
    large = Wanted(shapely.box(0, 0, 120, 80), wordings("001", "王五"), "001")
    small = Wanted(shapely.box(130, 0, 141, 5), wordings("002", "阿不都热依木·艾则孜"), "002")
    tiny = Wanted(shapely.box(200, 100, 202, 101), wordings("003", "王五"), "003")
    everything, number, beside = place_all([large, small, tiny], SIZES, PAGE)
    assert everything is not None and len(everything.lines) == 3 and everything.size == 15.0
    assert number is not None and [line.text for line in number.lines] == ["002"] and number.spot is None
    assert beside is not None and beside.spot is not None
    assert not beside.shape.intersects(tiny.area)


def test_areas_that_overlap_get_labels_that_do_not() -> None:
    both = [Wanted(shapely.box(0, 0, 60, 40), wordings(n, "王五"), n) for n in ("001", "002")]
    one, other = place_all(both, SIZES, PAGE)
    assert one is not None and other is not None and not one.shape.intersects(other.shape)


def test_a_streets_name_lies_along_it_and_touches_nothing() -> None:
    line = shapely.LineString([(10, 10), (10, 100), (150, 100)])
    first = place_along(line, "龙门大道", 4.0, [], PAGE)
    assert first is not None and abs(first.turn) < 1e-6 and first.y == 100
    second = place_along(line, "龙门大道", 4.0, [shapely.box(15, 90, 150, 110)], PAGE)
    assert second is not None and abs(abs(second.turn) - 90) < 1e-6
    assert place_along(line, "龙门大道", 4.0, [PAGE], PAGE) is None
    assert place_along(shapely.LineString([(0, 0), (3, 0)]), "龙门大道", 4.0, [], PAGE) is None


def test_an_empty_area_gets_none() -> None:
    empty = Wanted(shapely.Polygon(), wordings("001", "王五"), "001")
    assert place_inside(empty, SIZES) is None
    assert place_all([empty], SIZES, PAGE) == [None]


def test_a_turned_label_covers_a_turned_box() -> None:
    label = Label(50, 50, 20, 4, 4, (Line("街"),), turn=90)
    west, south, east, north = label.shape.bounds
    assert (round(east - west), round(north - south)) == (4, 20)
