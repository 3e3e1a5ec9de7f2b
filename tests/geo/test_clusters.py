"""Clusters against a dictionary of incidents that is counted one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyproj
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.errors import InvalidValue
from service.geo import clusters as module
from service.geo import incidentrows
from service.geo.clusters import ClusterColumns, Filters
from service.geo.incidentrows import NEVER, NO_CODE, STATES
from service.geo.values import BBox
from service.geo.worldgrid import WORLD, morton, to_degrees, to_world

NOW = 1_795_000_000
WORLD_BOX = BBox(-180.0, -90.0, 180.0, 90.0)
EVERY_STATE = Filters(states=frozenset(STATES))
ON_CELL_CORNERS = [-180.0, -90.0, 0.0, 90.0, 109.6875, 109.86328125, 109.8797607421875]


@dataclass(frozen=True)
class Incident:
    lon: float = 109.88
    lat: float = 31.07
    category: int = 0
    community: int = 0
    group: int = 0
    reported: int = NOW - 86_400
    due: int = NOW + 86_400

    def state(self, now: int) -> str:
        if self.group != 3 and self.due < now:
            return "late"
        return ("rep", "way", "chk", "done")[self.group]

    def passes(self, now: int, asked: Filters) -> bool:
        return (
            np.isfinite(self.lon)
            and self.state(now) in asked.states
            and (asked.since is None or asked.since <= self.reported)
            and (asked.until is None or self.reported < asked.until)
            and (asked.categories is None or self.category in asked.categories)
            and (asked.communities is None or self.community in asked.communities)
        )

    def lies_in(self, box: BBox) -> bool:
        x, y = at(self.lon, self.lat)
        west, north = at(box.west, box.north)
        east, south = at(box.east, box.south)
        return west <= x <= east and north <= y <= south


def at(lon: float, lat: float) -> tuple[int, int]:
    x, y = to_world(np.array([lon]), np.array([lat]))
    return int(x[0]), int(y[0])


def arrays(book: dict[int, Incident]) -> list[np.ndarray]:
    rows = list(book.values())
    return [
        np.array(list(book), np.int64),
        np.array([row.lon for row in rows], np.float64),
        np.array([row.lat for row in rows], np.float64),
        np.array([row.category for row in rows], np.int64),
        np.array([row.community for row in rows], np.int64),
        np.array([row.group for row in rows], np.int64),
        np.array([row.reported for row in rows], np.int64),
        np.array([row.due for row in rows], np.int64),
    ]


def columns(book: dict[int, Incident]) -> ClusterColumns:
    return ClusterColumns(*arrays(book))


def counted(
    book: dict[int, Incident], box: BBox, size: int, now: int, asked: Filters
) -> dict[tuple[int, int], list[int]]:
    cells: dict[tuple[int, int], list[int]] = {}
    for row in book.values():
        if row.passes(now, asked) and row.lies_in(box):
            x, y = at(row.lon, row.lat)
            cells.setdefault((y // size, x // size), [0] * 5)[STATES.index(row.state(now))] += 1
    return cells


def same(
    answered: ClusterColumns, book: dict[int, Incident], box: BBox, zoom: int, cell: int, now: int, asked: Filters
) -> None:
    """Everything that can be asked agrees with the dictionary."""
    found = answered.clusters(box, zoom, cell, now, asked)
    x, y = (part.astype(np.int64) for part in to_world(found.lon, found.lat))
    size = found.cell_px << (24 - zoom)
    cells = dict(zip(zip((y // size).tolist(), (x // size).tolist(), strict=True), found.counts.tolist(), strict=True))
    expected = counted(book, box, size, now, asked)
    assert cells == expected
    assert len(found.lon) == len(expected)
    assert found.total == sum(map(sum, expected.values()))
    inside = {key: row for key, row in book.items() if row.passes(now, asked) and row.lies_in(box)}
    ids, states = answered.points(box, now, asked, 1_000)
    assert [(int(one), STATES[s]) for one, s in zip(ids, states, strict=True)] == sorted(
        ((key, row.state(now)) for key, row in inside.items()), key=lambda pair: (STATES.index(pair[1]), pair[0])
    )
    passing = [row for row in book.values() if row.passes(now, asked)]
    assert answered.counts_by_state(now, asked).tolist() == [
        sum(row.state(now) == state for row in passing) for state in STATES
    ]
    codes = [row.category for row in passing]
    assert answered.counts_by_category(now, asked) == {code: codes.count(code) for code in set(codes)}


@pytest.fixture(params=["as shipped", "coarse"])
def limits(request: pytest.FixtureRequest) -> Iterator[None]:
    """Once with the shipped limits, once with few large leaves, two runs and a tail that is soon merged."""
    with pytest.MonkeyPatch.context() as patched:
        if request.param == "coarse":
            patched.setattr(incidentrows, "_LEAST_LEAVES", 3)
            patched.setattr(incidentrows, "_MOST_RUNS", 2)
            patched.setattr(module, "_MOST_TAIL", 6)
            patched.setattr(module, "_MOST_CELLS", 1 << 10)
        yield


town = st.tuples(st.floats(109.8, 109.95), st.floats(31.0, 31.15))
edges = st.tuples(st.sampled_from(ON_CELL_CORNERS), st.sampled_from([-85.2, -90.0, 90.0, 0.0, 66.51326044311186]))
anywhere = st.tuples(st.floats(-180, 180), st.floats(-90, 90))
nowhere = st.just((float("nan"), float("nan")))
incident = st.builds(
    lambda place, **rest: Incident(*place, **rest),
    st.one_of(town, town, edges, anywhere, nowhere),
    category=st.integers(0, 3),
    community=st.integers(0, 2),
    group=st.integers(0, 3),
    reported=st.integers(NOW - 5, NOW + 5),
    due=st.one_of(st.integers(NOW - 3, NOW + 3), st.sampled_from([0, NEVER, 2**62])),
)
books = st.dictionaries(st.integers(0, 40), incident, max_size=30)
span = st.tuples(st.floats(109.8, 109.95), st.floats(109.8, 109.95), st.floats(31.0, 31.15), st.floats(31.0, 31.15))
boxes = st.one_of(st.just(WORLD_BOX), st.builds(lambda s: BBox(min(s[:2]), min(s[2:]), max(s[:2]), max(s[2:])), span))
some_codes = st.one_of(st.none(), st.frozensets(st.integers(0, 4), max_size=3))
some_time = st.one_of(st.none(), st.integers(NOW - 6, NOW + 6))
filters = st.builds(
    Filters, some_time, some_time, some_codes, some_codes, st.frozensets(st.sampled_from(STATES), max_size=5)
) | st.sampled_from([Filters(), EVERY_STATE, Filters(states=frozenset({"done"}))])
quickly = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quickly
@given(books, boxes, st.sampled_from([0, 3, 11, 14, 18, 22]), st.sampled_from([1, 48, 64, 256, 511]), filters)
def test_equals_counting_one_by_one(limits, book, box, zoom, cell, asked):
    same(columns(book), book, box, zoom, cell, NOW, asked)


@quickly
@given(books, st.lists(st.tuples(books, st.frozensets(st.integers(0, 40), max_size=5)), max_size=4), boxes, filters)
def test_patches_and_removals_equal_a_new_build(limits, book, changes, box, asked):
    patched, before = columns(book), columns(book)
    now_book = dict(book)
    for changed, removed in changes:
        patched = patched.patch(*arrays(changed)).remove(np.array(sorted(removed), np.int64))
        now_book |= changed
        now_book = {key: row for key, row in now_book.items() if key not in removed}
        same(patched, now_book, box, 14, 64, NOW, asked)
    assert len(patched) == sum(bool(np.isfinite(row.lon)) for row in now_book.values())
    same(before, book, box, 14, 64, NOW, asked)


def test_the_columns_that_were_patched_stay_as_they_were():
    book = {key: Incident(lon=109.8 + key / 100) for key in range(9)}
    old = columns(book)
    old.patch(*arrays({3: Incident(group=3), 99: Incident()})).remove(np.array([4, 99]))
    same(old, book, WORLD_BOX, 14, 64, NOW, EVERY_STATE)


def test_nothing_at_all():
    none = columns({})
    same(none, {}, WORLD_BOX, 12, 64, NOW, Filters())
    same(none.remove(np.array([1])).patch(*arrays({})), {}, WORLD_BOX, 12, 64, NOW, Filters())
    assert none.patch(*arrays({7: Incident()})).clusters(WORLD_BOX, 12, 64, NOW, Filters()).total == 1


def test_a_place_that_becomes_known_or_unknown():
    lost = replace(Incident(), lon=float("nan"))
    one = columns({1: lost})
    assert len(one) == 0
    one = one.patch(*arrays({1: Incident()}))
    assert len(one) == 1
    assert len(one.patch(*arrays({1: lost}))) == 0


@pytest.mark.parametrize(
    ("group", "due", "now", "state"),
    [
        (0, NOW, NOW, "rep"),  # due now is not yet overdue
        (0, NOW, NOW + 1, "late"),
        (1, NOW, NOW + 1, "late"),
        (2, NOW, NOW + 1, "late"),
        (3, NOW, NOW + 1, "done"),  # what is closed is never overdue
        (0, 2**62, 2**63, "rep"),  # no date: never
    ],
)
def test_overdue_is_derived(group, due, now, state):
    given_one = columns({1: Incident(group=group, due=due)})
    assert given_one.counts_by_state(now, EVERY_STATE)[STATES.index(state)] == 1
    counts = given_one.clusters(WORLD_BOX, 12, 64, now, EVERY_STATE).counts
    assert counts[0, STATES.index(state)] == 1


def test_the_mean_of_the_members_and_only_of_them():
    book = {1: Incident(109.8801, 31.0701), 2: Incident(109.8803, 31.0703), 3: Incident(109.8809, 31.0709, group=3)}
    for asked in (Filters(), Filters(categories=frozenset({0}))):
        found = columns(book).clusters(WORLD_BOX, 12, 64, NOW, asked)
        assert found.lon == pytest.approx([109.8802], abs=1e-7)
        assert found.lat == pytest.approx([31.0702], abs=1e-7)


def test_panning_keeps_the_cells_in_the_middle():
    rng = np.random.default_rng(5)
    book = {i: Incident(109.8 + rng.random() * 0.1, 31.0 + rng.random() * 0.1) for i in range(400)}
    asked = [columns(book).clusters(BBox(w, 31.02, w + 0.06, 31.08), 15, 64, NOW, Filters()) for w in (109.81, 109.82)]
    middle = [
        {(lon, lat, *n) for lon, lat, n in zip(a.lon, a.lat, a.counts.tolist(), strict=True) if 109.83 < lon < 109.86}
        for a in asked
    ]
    assert [answer.cell_px for answer in asked] == [64, 64]
    assert middle[0] == middle[1]
    assert len(middle[0]) > 20


def test_sums_of_leaves_equal_a_scan_of_rows():
    rng = np.random.default_rng(7)
    many = 30_000
    table = [
        np.arange(many), 109.85 + rng.normal(0, 0.02, many), 31.05 + rng.normal(0, 0.02, many),
        rng.integers(0, 9, many), rng.integers(0, 9, many), rng.integers(0, 4, many),
        np.full(many, NOW - 9), NOW + rng.integers(-900, 900, many),
    ]  # fmt: skip
    moved = rng.choice(many, 2_000, replace=False)
    filled = ClusterColumns(*table).patch(*(rng.permutation(column)[:2_000] for column in table)).remove(moved)
    for _ in range(200):
        west, south, wide, high = 109.8 + rng.random() * 0.1, 31.0 + rng.random() * 0.1, *(rng.random(2) * 0.1)
        box, zoom = BBox(west, south, west + wide, south + high), int(rng.integers(9, 19))
        for states in (Filters().states, EVERY_STATE.states):
            summed = filled.clusters(box, zoom, 64, NOW, Filters(states=states))
            scanned = filled.clusters(box, zoom, 64, NOW, Filters(since=0, states=states))
            assert np.array_equal(summed.counts, scanned.counts)
            assert np.abs(summed.lon - scanned.lon).max(initial=0) < 1e-7
            assert np.abs(summed.lat - scanned.lat).max(initial=0) < 1e-7


def test_points_are_limited_worst_first():
    book = {i: Incident(due=NOW - 1 if i % 10 == 0 else NOW + 9, group=i % 3) for i in range(100)}
    ids, states = columns(book).points(WORLD_BOX, NOW, Filters(), 12)
    assert ids.tolist()[:10] == list(range(0, 100, 10))
    assert [STATES[one] for one in states] == ["late"] * 10 + ["way"] * 2


def test_codes_of_none_match_no_asked_code():
    kept = columns({1: Incident(category=-1, community=-1)})
    assert kept.counts_by_category(NOW, Filters()) == {NO_CODE: 1}
    for asked in (frozenset({-1}), frozenset({0}), frozenset({70_000})):
        assert kept.counts_by_state(NOW, Filters(categories=asked)).sum() == 0


def test_a_view_of_too_many_cells_gets_wider_ones():
    rng = np.random.default_rng(6)
    many = 20_000
    place = (109.0 + rng.random(many), 31.0 + rng.random(many))
    zeros = np.zeros(many, np.int64)
    filled = ClusterColumns(np.arange(many), *place, zeros, zeros, zeros, zeros, zeros + NOW)
    found = filled.clusters(WORLD_BOX, 22, 8, NOW, Filters())
    assert found.total == many
    assert found.cell_px in (8 * 2**step for step in range(1, 20))
    assert len(found.lon) > 10_000


@pytest.mark.parametrize(("zoom", "cell"), [(-1, 64), (25, 64), (12, 0)])
def test_cells_that_no_map_has_are_refused(zoom, cell):
    with pytest.raises(InvalidValue):
        columns({}).clusters(WORLD_BOX, zoom, cell, NOW, Filters())


@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-85, 85)), min_size=1, max_size=20))
def test_world_units_are_web_mercator(places):
    lon, lat = np.array(places).T
    x, y = to_world(lon, lat)
    east, north = pyproj.Transformer.from_crs(4326, 3857, always_xy=True).transform(lon, lat)
    half = 20_037_508.342789244
    assert np.abs(x - (east + half) / (2 * half) * WORLD).max() <= 1.01
    assert np.abs(y - (half - north) / (2 * half) * WORLD).max() <= 1.01
    back_lon, back_lat = to_degrees(x, y)
    assert np.abs(back_lon - lon).max() < 1e-7
    assert np.abs(back_lat - lat).max() < 1e-7


@given(st.integers(0, WORLD - 1), st.integers(0, WORLD - 1))
def test_morton_keys_interleave_the_bits(x, y):
    key = int(morton(np.array([x], np.uint32), np.array([y], np.uint32))[0])
    assert key == sum(((x >> bit & 1) | (y >> bit & 1) << 1) << 2 * bit for bit in range(32))
