"""What changes between two editions, argued on squares of a street's breadth."""

import pytest
import shapely

from service.grids.comparing import Compared, compare
from tests.responsibility.town import box


def grid(code, shape, name="", leader="张三", kind="grid", origin=None):
    return Compared(code, name or code, kind, leader, shape, origin)


LEFT = [grid("1", box(0, 0, 2, 2)), grid("2", box(2, 0, 4, 2), leader=None), grid("3", box(4, 0, 6, 2))]


@pytest.mark.parametrize(
    ("right", "expected"),
    [
        pytest.param(LEFT, [], id="the same"),
        pytest.param([grid("1", box(0, 0, 2, 2), "新名"), *LEFT[1:]], [("1", "1", "renamed")], id="another name"),
        pytest.param([LEFT[0], grid("2", box(2, 0, 4, 2)), LEFT[2]], [("2", "2", "leader")], id="vacancy filled"),
        pytest.param(
            [grid("1", box(0, 0, 1, 2)), grid("4", box(1, 0, 2, 2)), *LEFT[1:]],
            [("1", "1", "reshaped"), (None, "4", "new")],
            id="split",
        ),
        pytest.param(
            [LEFT[0], grid("2", box(2, 0, 6, 2), leader=None)],
            [("2", "2", "reshaped"), ("3", None, "gone")],
            id="merged",
        ),
        pytest.param([*LEFT[:2], grid("9", box(4, 0, 6, 2), "3")], [("3", "9", "recoded")], id="same ground, new code"),
        pytest.param(
            [*LEFT[:2], grid("9", box(4, 0, 5, 2), "3", origin="3")],
            [("3", "9", "recoded reshaped")],
            id="it says what it continues",
        ),
        pytest.param(
            [grid("1", box(2, 0, 4, 2), "1", origin="2"), grid("2", box(0, 0, 2, 2), "2", origin="1"), LEFT[2]],
            [("2", "1", "recoded renamed leader"), ("1", "2", "recoded renamed")],
            id="two codes change places",
        ),
        pytest.param([LEFT[0], grid("2", box(2, 0, 4, 2), leader=None, kind="special"), LEFT[2]], [("2", "2", "kind")]),
    ],
)
def test_each_grid_that_differs_is_told_once_with_all_that_differs(right, expected):
    changes = compare(LEFT, right)
    told = [
        (one.left.code if one.left else None, one.right.code if one.right else None, " ".join(one.kinds))
        for one in changes
    ]
    assert [(a, b, set(kinds.split())) for a, b, kinds in told] == [(a, b, set(k.split())) for a, b, k in expected]


def test_a_node_on_a_long_border_is_no_change():
    plain = box(0, 0, 4, 2)
    noded = shapely.segmentize(plain, 0.0003)
    assert compare([grid("1", plain)], [grid("1", noded)]) == []


def test_areas_are_metres_and_tell_the_ground_that_moved():
    (one,) = compare([grid("1", box(0, 0, 2, 2))], [grid("1", box(0, 0, 3, 2))])
    assert one.left_m2 == pytest.approx(2 * 95.4 * 2 * 110.9, rel=0.01)
    assert one.right_m2 - one.left_m2 == pytest.approx(one.moved_m2, rel=1e-6)


def test_nothing_beside_nothing():
    assert compare([], []) == []
