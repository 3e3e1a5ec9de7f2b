"""A name follows the middle of a river's area; what is not long has no line."""

import numpy as np
import shapely

from service.places.centreline import centreline


def test_a_straight_river_is_cut_along_its_middle():
    river = shapely.box(109.80, 31.00, 109.90, 31.01)
    line = centreline(river)
    assert line is not None
    assert np.allclose(line[:, 1], 31.005, atol=1e-6)
    assert line[0, 0] != line[-1, 0]


def test_a_bent_river_keeps_its_line_inside():
    x = np.linspace(0, 0.1, 60)
    course = shapely.LineString(np.column_stack([109.8 + x, 31.0 + 0.01 * np.sin(x * 60)]))
    river = course.buffer(0.002)
    line = centreline(river)
    assert line is not None
    inside = shapely.contains_xy(river, line[:, 0], line[:, 1])
    assert inside.mean() > 0.95


def test_a_lake_and_nothing_have_none():
    assert centreline(shapely.Point(109.8, 31.0).buffer(0.01)) is None
    assert centreline(shapely.Polygon()) is None
    assert centreline(shapely.LineString([(109.8, 31), (109.9, 31)])) is None
