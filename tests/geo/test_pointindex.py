"""The point index against shapely asked one by one: which zone, its neighbours, near a border."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from service.geo.crs import MetricFrame
from service.geo.pointindex import PointIndex

WEST, SOUTH = 109.88, 31.07
STEP = 0.001  # about a hundred metres


def box(x1: float, y1: float, x2: float, y2: float) -> shapely.Polygon:
    """A rectangle in steps from the corner of the town."""
    return shapely.box(WEST + x1 * STEP, SOUTH + y1 * STEP, WEST + x2 * STEP, SOUTH + y2 * STEP)


def zones(*geoms: object) -> np.ndarray:
    out = np.empty(len(geoms), dtype=object)
    out[:] = geoms
    return out


def at(x: float, y: float) -> tuple[float, float]:
    return WEST + x * STEP, SOUTH + y * STEP


FOUR = zones(box(0, 0, 5, 5), box(5, 0, 10, 5), box(0, 5, 5, 10), box(5, 5, 10, 10))


def brute(geoms: np.ndarray, codes: list[str], lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """The lowest code that covers each point, asked zone by zone."""
    out = np.full(len(lon), -1)
    for i in sorted(range(len(codes)), key=lambda i: codes[i], reverse=True):
        if geoms[i] is not None:
            out[shapely.intersects(geoms[i], shapely.points(lon, lat))] = i
    return out


# Which zone ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "y", "code"),
    [
        (2, 2, "d"),
        (7, 2, "c"),
        (2, 7, "b"),
        (7, 7, "a"),
        (5, 2, "c"),  # on the border of c and d
        (5, 5, "a"),  # where all four meet
        (0, 0, "d"),  # a corner of the town
        (10, 7, "a"),  # on its edge
        (10.0001, 7, None),
        (-500, 7, None),
    ],
)
def test_a_point_on_a_border_belongs_to_the_lowest_code(x: float, y: float, code: str | None) -> None:
    codes = ["d", "c", "b", "a"]
    index = PointIndex(FOUR, codes)
    found = index.locate_one(*at(x, y))
    assert (codes[found] if found >= 0 else None) == code
    assert index.locate(*(np.array([v]) for v in at(x, y)))[0] == found


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e300])
def test_what_is_no_place_is_outside(bad: float) -> None:
    index = PointIndex(FOUR, list("abcd"))
    assert index.locate(np.array([bad, WEST]), np.array([SOUTH, bad])).tolist() == [-1, -1]
    assert index.locate_one(bad, SOUTH) == -1 == index.locate_one(WEST, bad)
    assert index.neighbours(bad, SOUTH, 10) == []
    assert not index.near_boundary(np.array([bad]), np.array([SOUTH]), 10).any()
    assert index.nearest(math.nan, SOUTH) == (-1, math.inf)


@pytest.mark.parametrize("geoms", [zones(), zones(None), zones(shapely.Polygon(), None, shapely.Point(WEST, SOUTH))])
def test_without_zones_everything_is_outside(geoms: np.ndarray) -> None:
    index = PointIndex(geoms, [str(i) for i in range(len(geoms))])
    assert index.locate(np.array([WEST]), np.array([SOUTH])).tolist() == [-1]
    assert index.locate_one(WEST, SOUTH) == -1
    assert index.nearest(WEST, SOUTH) == (-1, math.inf)
    assert index.neighbours(WEST, SOUTH, 10) == []
    assert index.near_boundary(np.array([WEST]), np.array([SOUTH]), 10).tolist() == [False]
    assert index.nbytes == 0


def test_empty_zones_among_others_keep_the_numbers_of_the_rest() -> None:
    index = PointIndex(zones(None, FOUR[0], shapely.Polygon(), FOUR[1]), list("abcd"))
    assert [index.locate_one(*at(2, 2)), index.locate_one(*at(7, 2)), index.locate_one(*at(5, 2))] == [1, 3, 1]
    assert [zone for zone, _ in index.neighbours(*at(4.99, 2), 10)] == [3]


@pytest.mark.parametrize(
    "stray",
    [shapely.box(0, 0, 0.001, 0.001), shapely.box(-179.9, -80, -179.8, -79.9), shapely.box(100, 30, 100.001, 30.01)],
)
def test_a_zone_in_a_far_corner_spoils_nothing(stray: shapely.Polygon) -> None:
    many = [box(x, y, x + 1, y + 1) for x in range(12) for y in range(12)]
    geoms = zones(*many, stray)
    codes = [f"{i:03d}" for i in range(len(geoms))]
    index = PointIndex(geoms, codes)
    lon, lat = WEST + np.random.default_rng(3).uniform(-1, 13, (2, 500)) * STEP - (WEST - SOUTH) * np.array([[0], [1]])
    far = shapely.get_coordinates(stray)
    lon, lat = np.append(lon, far[:, 0]), np.append(lat, far[:, 1])
    expected = brute(geoms, codes, lon, lat)
    assert (index.locate(lon, lat) == expected).all()
    assert [index.locate_one(x, y) for x, y in zip(lon.tolist(), lat.tolist(), strict=True)] == expected.tolist()
    assert (expected[-len(far) :] == 144).all()
    assert index.nbytes < 20_000_000
    # Cells remain small beside the zones, so that few points need an exact test.
    assert (index.locate(*(np.array([v]) for v in at(3.5, 3.5))) == 3 * 12 + 3).all()
    assert index.neighbours(*at(3.5, 3.5), 10) == []
    assert index.neighbours(*at(3.02, 3.5), 10)[0][0] == 2 * 12 + 3


whole = st.integers(0, 8)


@st.composite
def shapes(draw: st.DrawFn) -> shapely.Geometry:
    """A box, a triangle, a box with a hole, two boxes, or a sliver; corners on a lattice, so that much coincides."""
    x, y, w, h = draw(whole), draw(whole), draw(st.integers(1, 6)), draw(st.integers(1, 6))
    kind = draw(st.sampled_from(["box", "triangle", "holed", "two", "sliver"]))
    one = box(x, y, x + w, y + h)
    if kind == "triangle":
        corners = [at(x, y), at(x + w, y + draw(st.integers(0, 3))), at(x + draw(st.integers(0, 5)), y + h)]
        triangle = shapely.Polygon(corners)
        return triangle if triangle.area > 0 and triangle.is_valid else one
    if kind == "holed":
        return shapely.difference(one, box(x + w / 4, y + h / 4, x + w / 2, y + h / 2))
    if kind == "two":
        return shapely.MultiPolygon([one, box(x + w + 1, y, x + w + 2, y + h)])
    if kind == "sliver":
        return box(x, y, x + w, y + draw(st.sampled_from([1e-6, 1e-3, 0.02])))
    return one


@st.composite
def towns(draw: st.DrawFn) -> tuple[np.ndarray, list[str], np.ndarray, np.ndarray]:
    """Zones that overlap, gape and touch, or a proper tiling; with points anywhere, on corners and on edges."""
    if draw(st.booleans()):
        geoms = zones(*draw(st.lists(shapes(), min_size=1, max_size=9)))
    else:
        rng = np.random.default_rng(draw(st.integers(0, 10_000)))
        sites = shapely.MultiPoint(np.column_stack([v.ravel() for v in at(*rng.uniform(0, 10, (2, 12)))]))
        cells = shapely.get_parts(shapely.voronoi_polygons(sites))
        geoms = zones(*shapely.intersection(cells, box(0, 0, 10, 10)))
    codes = [f"{i:02d}" for i in draw(st.permutations(range(len(geoms))))]
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    corners = shapely.get_coordinates(geoms)
    edges = (corners[1:] + corners[:-1]) / 2
    lattice = np.column_stack([v.ravel() for v in at(*np.mgrid[-1:16:2, -1:16:2].astype(float))])
    anywhere = np.column_stack(at(*rng.uniform(-2, 18, (2, 80))))
    points = np.concatenate([corners, edges, lattice, anywhere])
    return geoms, codes, points[:, 0], points[:, 1]


@settings(deadline=None, max_examples=120)
@given(towns())
def test_every_point_finds_the_zone_that_shapely_finds(
    town: tuple[np.ndarray, list[str], np.ndarray, np.ndarray],
) -> None:
    geoms, codes, lon, lat = town
    index = PointIndex(geoms, codes)
    expected = brute(geoms, codes, lon, lat)
    assert index.locate(lon, lat).tolist() == expected.tolist()
    assert [index.locate_one(x, y) for x, y in zip(lon.tolist(), lat.tolist(), strict=True)] == expected.tolist()


@pytest.mark.parametrize("scale", [1e-9, 1e-6, 1e-3, 1.0, 60.0])
def test_towns_of_any_size(scale: float) -> None:
    rng = np.random.default_rng(5)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(rng.uniform(0, 1, (30, 2)))))
    geoms = shapely.transform(shapely.intersection(cells, shapely.box(0, 0, 1, 1)), lambda c: c * scale + (100, 20))
    geoms = geoms[shapely.is_valid(geoms) & ~shapely.is_empty(geoms)]
    codes = [f"{i:02d}" for i in range(len(geoms))]
    corners = shapely.get_coordinates(geoms)
    lon, lat = np.concatenate([rng.uniform(-0.1, 1.1, (500, 2)) * scale + (100, 20), corners]).T
    assert PointIndex(geoms, codes).locate(lon, lat).tolist() == brute(geoms, codes, lon, lat).tolist()


def test_a_strip_thinner_than_a_cell() -> None:
    strip = zones(
        shapely.box(WEST, SOUTH, WEST + 5, SOUTH + 1e-7), shapely.box(WEST + 5, SOUTH, WEST + 9, SOUTH + 1e-7)
    )
    index = PointIndex(strip, ["b", "a"])
    assert index.locate(np.array([WEST + 1, WEST + 5, WEST + 8]), np.full(3, SOUTH + 5e-8)).tolist() == [0, 1, 1]
    assert index.nbytes < 10_000_000


# How far ------------------------------------------------------------------------------------------------------------


def distances(geoms: np.ndarray, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """(points, zones) metres in the town's metric frame."""
    frame = MetricFrame(WEST, SOUTH)
    points = shapely.points(*frame.forward(lon, lat))
    return np.array([shapely.distance(points, one) for one in frame.geometries(geoms)]).T


@settings(deadline=None, max_examples=60)
@given(towns(), st.sampled_from([0.5, 10.0, 60.0, 400.0]))
def test_neighbours_and_near_boundary_are_those_of_shapely(
    town: tuple[np.ndarray, list[str], np.ndarray, np.ndarray], within_m: float
) -> None:
    geoms, codes, lon, lat = town
    index = PointIndex(geoms, codes)
    own, away = index.locate(lon, lat), distances(geoms, lon, lat)
    away[np.flatnonzero(own >= 0), own[own >= 0]] = math.inf
    unclear = (np.abs(away - within_m) < 1e-6).any(axis=1)
    expected = (away <= within_m).any(axis=1)
    assert (index.near_boundary(lon, lat, within_m) == expected)[~unclear].all()
    for i in np.flatnonzero(~unclear)[::7].tolist():
        found = index.neighbours(lon[i], lat[i], within_m)
        assert sorted(zone for zone, _ in found) == np.flatnonzero(away[i] <= within_m).tolist()
        assert [metres for _, metres in found] == pytest.approx(sorted(away[i][away[i] <= within_m]), abs=1e-6)


def test_distances_are_metres() -> None:
    index = PointIndex(FOUR, list("abcd"))
    # 0.1 steps of 0.001 degree: 0.0001 degree of longitude at 31.07 degrees north is 9.545 m (cos 31.07 × 111.32 km).
    assert index.neighbours(*at(4.9, 2), 20) == [(1, pytest.approx(9.545, abs=0.02))]
    assert index.neighbours(*at(4.9, 2), 9) == []
    assert index.nearest(*at(10.1, 7)) == (3, pytest.approx(9.545, abs=0.02))
    assert index.nearest(*at(7, 7)) == (3, 0.0)
    assert index.nearest(*at(5, 5)) == (0, 0.0)
    near = [zone for zone, _ in index.neighbours(*at(5, 5), 1)]
    assert near == [1, 2, 3]
    # The outer edge is no border with another zone; beyond it one is near.
    assert index.near_boundary(
        *(np.array(v) for v in zip(at(9.95, 2), at(10.05, 2), at(11, 2), strict=True)), 10
    ).tolist() == [
        False,
        True,
        False,
    ]


def test_a_tall_country_has_narrower_cells_in_the_north() -> None:
    geoms = zones(*(shapely.box(100, lat, 100.5, lat + 0.5) for lat in np.arange(20, 70, 0.5)))
    codes = [f"{i:03d}" for i in range(len(geoms))]
    geoms = np.concatenate([geoms, shapely.transform(geoms, lambda c: c + np.array([0.5, 0.0]))])
    codes += [f"1{i:03d}" for i in range(len(geoms) // 2)]
    index = PointIndex(geoms, codes)
    rng = np.random.default_rng(1)
    lon, lat = 100.5 + rng.uniform(-0.002, 0.002, 2000), rng.uniform(20, 70, 2000)
    frame = MetricFrame(100.5, 45)
    points = shapely.points(*frame.forward(lon, lat))
    metric = frame.geometries(geoms)
    own = index.locate(lon, lat)
    expected = [min(shapely.distance(points[i], np.delete(metric, own[i]))) <= 40 for i in range(0, 2000, 20)]
    assert index.near_boundary(lon, lat, 40)[::20].tolist() == expected


def test_many_threads_may_ask_a_fresh_index() -> None:
    rng = np.random.default_rng(2)
    lon, lat = at(*rng.uniform(0, 10, (2, 2000)))
    index = PointIndex(FOUR, list("abcd"))
    answers: list[list[int]] = []

    def ask() -> None:
        answers.append([*index.locate(lon, lat).tolist(), *index.near_boundary(lon, lat, 30).tolist()])

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(answers) == 6
    assert all(answer == answers[0] for answer in answers)
