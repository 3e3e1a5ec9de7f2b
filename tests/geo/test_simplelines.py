"""Integer coordinates agree with the geometries they were made from."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from shapely import GeometryCollection, LineString, MultiLineString, MultiPolygon, Point, Polygon

from service.geo.simplelines import flat_lines, flat_polygons

ORIGIN = (109.88, 31.07)
UNIT = 1e-6
SQUARE = Polygon([(109.88, 31.07), (109.881, 31.07), (109.881, 31.071), (109.88, 31.071)])
RING = SQUARE.difference(shapely.box(109.8804, 31.0704, 109.8806, 31.0706))
STREET = LineString([(109.87, 31.06), (109.8700004, 31.0600006)])


def test_lines_and_their_parts_keep_their_order():
    owner, lines = flat_lines([MultiLineString([STREET, STREET.reverse()]), STREET], ORIGIN, UNIT)
    there, back = [-10_000, -10_000, -10_000, -9_999], [-10_000, -9_999, -10_000, -10_000]
    assert owner == [0, 0, 1]
    assert lines == [there, back, there]


def test_polygons_have_the_outer_ring_first():
    owner, polygons = flat_polygons([RING, MultiPolygon([SQUARE, RING])], ORIGIN, UNIT)
    assert owner == [0, 1, 1]
    assert [len(rings) for rings in polygons] == [2, 1, 2]
    for rings in (polygons[0], polygons[2]):
        outer, hole = (Polygon(np.array(ring).reshape(-1, 2) * UNIT + ORIGIN) for ring in rings)
        assert outer.hausdorff_distance(SQUARE) < UNIT
        assert outer.area - hole.area == pytest.approx(RING.area, rel=1e-3)


@pytest.mark.parametrize(
    "nothing", [None, Point(109.88, 31.07), LineString(), Polygon(), MultiPolygon(), GeometryCollection()]
)
def test_what_has_no_such_part_gives_none(nothing):
    assert flat_lines([nothing, STREET], ORIGIN, UNIT)[0] == [1]
    assert flat_polygons([nothing, SQUARE], ORIGIN, UNIT)[0] == [1]
    assert flat_lines([nothing], ORIGIN, UNIT) == flat_polygons([nothing], ORIGIN, UNIT) == ([], [])


def test_collections_are_taken_apart():
    mixed = GeometryCollection([Point(0, 0), GeometryCollection([STREET, MultiPolygon([SQUARE, RING])])])
    assert flat_lines([mixed], ORIGIN, UNIT)[0] == [0]
    assert flat_polygons([mixed], ORIGIN, UNIT)[0] == [0, 0]


def test_none_at_all():
    assert flat_lines([], ORIGIN, UNIT) == flat_polygons(np.empty(0, object), ORIGIN, UNIT) == ([], [])
