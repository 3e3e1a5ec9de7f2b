"""Balanced groups: contiguous, near-equal, stable; on the demo, on random tilings beside METIS, as properties."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Sequence

import numpy as np
import pymetis
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from service.config import ROOT
from service.geo.bordering import bordering
from service.responsibility.balance import LIMIT, Infeasible, Keep, Plan, Task, balance, lower_bound, spread_of
from service.responsibility.partition import Graph, apportion, members_of, repaired

DEMO = ROOT / "gis_data" / "demo"
COMMUNITIES = ("500237002001", "500237002002", "500237002003", "500237002202", "")


def voronoi(n: int, seed: int) -> np.ndarray:
    """A planar tiling of n cells near the demo's place."""
    spots = np.random.default_rng(seed).uniform((109.86, 31.06), (109.89, 31.09), (n, 2))
    square = shapely.box(109.86, 31.06, 109.89, 31.09)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(spots), extend_to=square))
    return np.asarray(shapely.intersection(cells, square), dtype=object)


def plain_metis(pairs: np.ndarray, load: np.ndarray, k: int) -> np.ndarray:
    """The prototype: METIS alone, loads of its groups."""
    options = pymetis.Options(seed=1, ufactor=20, niter=50, ncuts=20, contig=1)
    beside = Graph.of(pairs, load).neighbours
    _, part = pymetis.part_graph(
        k, adjacency=beside, vweights=load.astype(int).tolist(), recursive=False, options=options
    )
    return np.bincount(np.array(part), weights=load, minlength=k)


def lattice(wide: int, high: int) -> np.ndarray:
    """Neighbours of a chessboard's squares."""
    out = [(y * wide + x, y * wide + x + 1) for y in range(high) for x in range(wide - 1)]
    out += [(y * wide + x, (y + 1) * wide + x) for y in range(high - 1) for x in range(wide)]
    return np.array(out).reshape(-1, 2)


def ask(
    pairs: np.ndarray, load: Sequence[float], k: int, today: Sequence[int] = (), keep: Keep | None = None, seed: int = 1
) -> Plan:
    held = np.array(today) if len(today) else np.full(len(load), -1)
    return balance(Task(np.asarray(pairs).reshape(-1, 2), np.array(load, float), k, held, keep or Keep(), seed))


def assert_sound(plan: Plan, pairs: np.ndarray, load: np.ndarray, k: int) -> None:
    graph = Graph.of(pairs, load)
    assert len(plan.groups) == len(load) and set(plan.groups.tolist()) == set(range(k))
    assert graph.connected(plan.groups.tolist(), k), "every group hangs together"
    assert np.allclose(plan.loads, np.bincount(plan.groups, weights=load, minlength=k))
    assert plan.spread == spread_of(plan.loads)
    assert plan.bound <= plan.spread.heaviest + 1e-9


@pytest.fixture(scope="module")
def demo() -> tuple[list[str], np.ndarray, dict[str, np.ndarray], dict[str, str]]:
    """(codes, neighbours, loads, officer of each grid) of the demo's grids, read from its files."""
    features = json.loads((DEMO / "grids.geojson").read_text(encoding="utf-8"))["features"]
    features = [one for one in features if one["properties"]["kind"] != "micro_grid"]
    geoms = np.array([shapely.from_geojson(json.dumps(one["geometry"])) for one in features], dtype=object)
    codes = [one["properties"]["code"] for one in features]
    rows = [line.split(",") for line in (DEMO / "duties.csv").read_text(encoding="utf-8").splitlines()[1:]]
    officers = {row[3]: row[4] for row in rows if row[1] == "grid_officer"}
    fronts = json.loads((DEMO / "frontages.geojson").read_text(encoding="utf-8"))["features"]
    spots = shapely.centroid(np.array([shapely.from_geojson(json.dumps(one["geometry"])) for one in fronts]))
    _, grid = shapely.STRtree(geoms).query(spots, predicate="intersects")
    lines = [line.rsplit(",", 2)[1:] for line in (DEMO / "incidents.csv").read_text(encoding="utf-8").splitlines()[1:]]
    points = shapely.points([[float(x), float(y)] for x, y in lines if x])
    _, at = shapely.STRtree(geoms).query(points, predicate="intersects")
    loads = {
        "incidents": np.bincount(at, minlength=len(codes)).astype(float),
        "households": np.array([one["properties"]["households"] or 0 for one in features], float),
        "frontages": np.bincount(grid, minlength=len(codes)).astype(float),
    }
    return codes, bordering(geoms)[0], loads, officers


@pytest.mark.parametrize("load", ["incidents", "households", "frontages"])
@pytest.mark.parametrize("community", COMMUNITIES)
def test_the_demo_is_even_contiguous_and_quick(demo: tuple, community: str, load: str) -> None:
    codes, pairs, loads, officers = demo
    chosen = [i for i, code in enumerate(codes) if code.startswith(community)]
    at = {old: new for new, old in enumerate(chosen)}
    mine = np.array([(at[a], at[b]) for a, b in pairs.tolist() if a in at and b in at])
    who = sorted({officers[codes[i]] for i in chosen})
    today = [who.index(officers[codes[i]]) for i in chosen]
    weights = loads[load][chosen]
    begun = time.process_time()
    plan = ask(mine, weights, len(who), today)
    assert time.process_time() - begun < 2
    assert_sound(plan, mine, weights, len(who))
    assert plan.spread.heaviest <= max(LIMIT, plan.bound + 1e-9)
    now = spread_of(np.bincount(today, weights=weights, minlength=len(who)))
    assert plan.spread.heaviest <= now.heaviest + 1e-9, "never worse than today"
    again = ask(mine, weights, len(who), today)
    assert (again.groups == plan.groups).all(), "the same seed gives the same answer"
    stable = ask(mine, weights, len(who), today, Keep(within=True))
    assert_sound(stable, mine, weights, len(who))
    assert stable.kept >= plan.kept
    if stable.reached:
        assert stable.spread.heaviest <= LIMIT


def test_corners_are_no_borders() -> None:
    squares = np.array([shapely.box(x, y, x + 0.001, y + 0.001) for y in (31, 31.001) for x in (109, 109.001)])
    pairs, metres = bordering(squares)
    assert pairs.tolist() == [[0, 1], [0, 2], [1, 3], [2, 3]], "not the squares that meet at the corner"
    assert metres == pytest.approx([110.9, 95.5, 95.5, 110.9], rel=0.02)


def test_slits_of_a_bad_file_do_not_part_neighbours() -> None:
    left, right = shapely.box(109, 31, 109.001, 31.001), shapely.box(109.001003, 31, 109.002, 31.001)
    assert len(bordering(np.array([left, right, None], dtype=object))[0]) == 1, "0.3 m apart"


@pytest.mark.parametrize(("n", "k", "mean", "worst"), [(75, 8, 1.03, 1.10), (75, 15, 1.11, 1.17), (300, 30, 1.05, 1.2)])
def test_random_tilings_are_no_worse_than_the_prototype(n: int, k: int, mean: float, worst: float) -> None:
    """The prototype's figures (20 tilings): max/mean `mean`, the worst `worst`."""
    ours, peer = [], []
    for seed in range(20 if n < 300 else 4):
        pairs, _ = bordering(voronoi(n, seed))
        load = np.random.default_rng(seed).integers(5, 60, n).astype(float)
        plan = ask(pairs, load, k)
        assert_sound(plan, pairs, load, k)
        ours.append(plan.spread.heaviest)
        peer.append(spread_of(plain_metis(pairs, load, k)).heaviest)
    assert np.mean(ours) <= min(mean, np.mean(peer)) and max(ours) <= min(worst, max(peer))


@st.composite
def boards(draw: st.DrawFn) -> tuple[np.ndarray, list[float], int, list[int]]:
    """(pairs, load, k, today): a board with holes, maybe in pieces; loads with zeros and giants; any today."""
    wide, high = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    gone = draw(st.sets(st.integers(0, wide * high - 1), max_size=wide * high // 3))
    left = [i for i in range(wide * high) if i not in gone]
    at = {old: new for new, old in enumerate(left)}
    pairs = np.array([(at[a], at[b]) for a, b in lattice(wide, high).tolist() if a in at and b in at], int)
    load = draw(st.lists(st.sampled_from([0.0, 1.0, 2.0, 7.5, 300.0]), min_size=len(left), max_size=len(left)))
    k = draw(st.integers(1, len(left)))
    today = draw(st.lists(st.integers(-1, k - 1), min_size=len(left), max_size=len(left)))
    return pairs.reshape(-1, 2), load, k, today


@given(boards(), st.sampled_from([Keep(), Keep(0.5), Keep(1.0), Keep(within=True)]), st.integers(0, 3))
@settings(deadline=None, max_examples=40)
def test_whatever_is_asked_groups_hang_together(
    board: tuple[np.ndarray, list[float], int, list[int]], keep: Keep, seed: int
) -> None:
    pairs, load, k, today = board
    homes = Graph.of(pairs, np.array(load)).pieces(range(len(load)))
    if k < len(homes) or not any(load):
        with pytest.raises(Infeasible):
            ask(pairs, load, k, today, keep, seed)
        return
    plan = ask(pairs, load, k, today, keep, seed)
    assert_sound(plan, pairs, np.array(load), k)
    held = [i for i, group in enumerate(today) if group >= 0]
    assert plan.held == len(held) and plan.kept == sum(plan.groups[i] == today[i] for i in held)
    if keep.share and plan.reached:
        assert plan.kept >= keep.share * plan.held - 1e-9
    assert (ask(pairs, load, k, today, keep, seed).groups == plan.groups).all()


def test_keeping_all_changes_nothing_that_is_sound() -> None:
    today = [0, 0, 0, 1, 1, 1]
    plan = ask(lattice(6, 1), [9, 9, 9, 1, 1, 1], 2, today, Keep(1.0))
    assert plan.groups.tolist() == today and plan.kept == plan.held == 6 and plan.reached
    evened = ask(lattice(6, 1), [9, 9, 9, 1, 1, 1], 2, today)
    assert sorted(evened.loads.tolist()) == [12, 18] and evened.kept == 5
    assert [option.kept for option in plan.options] == [1.0, 5 / 6], "and it says what less would give"


def test_what_cannot_be_kept_is_said() -> None:
    """One officer's grids lie apart: contiguous groups can't keep both."""
    plan = ask(lattice(5, 1), [1, 1, 1, 1, 1], 2, [0, 1, 1, 1, 0], Keep(1.0))
    assert not plan.reached and plan.kept == 4


def test_pieces_get_officers_by_their_load() -> None:
    pairs = np.vstack([lattice(4, 1), lattice(4, 1) + 4])
    plan = ask(pairs, [3, 3, 3, 3, 1, 1, 1, 1], 4)
    by_piece = [len(set(plan.groups[:4].tolist())), len(set(plan.groups[4:].tolist()))]
    assert by_piece == [3, 1] and plan.bound == pytest.approx(1.0)
    assert ask(pairs, [9, 9, 9, 9, 1, 1, 1, 1], 2).bound == pytest.approx(36 / 20), "one officer each is what there is"


@pytest.mark.parametrize(
    ("load", "k", "field", "words"),
    [
        ([], 1, "grids", "没有选网格"),
        ([1, 1, 1], 0, "officers", "至少是 1"),
        ([1, 1, 1], 4, "officers", "4 个人多于 3 个网格"),
        ([0, 0, 0], 2, "load", "全是 0"),
        ([1, np.nan, 1], 2, "load", "不是数"),
        ([1, 1, 1], 1, "officers", "互不相邻的 2 片"),
    ],
)
def test_what_cannot_be_divided_says_why(load: list[float], k: int, field: str, words: str) -> None:
    with pytest.raises(Infeasible) as refused:
        ask(np.array([[0, 1]])[: len(load)], load, k)
    assert refused.value.field == field and words in refused.value.message


def test_a_grid_heavier_than_the_mean_bounds_what_can_be() -> None:
    plan = ask(lattice(6, 1), [60, 1, 1, 1, 1, 1], 3)
    assert plan.bound == pytest.approx(60 / (65 / 3)) == plan.spread.heaviest
    graph = Graph.of(lattice(6, 1), np.array([60.0, 1, 1, 1, 1, 1]))
    assert lower_bound(graph, graph.pieces(range(6)), 3) == pytest.approx(plan.bound)


@given(boards())
@settings(deadline=None, max_examples=40)
def test_repair_keeps_what_is_sound(board: tuple[np.ndarray, list[float], int, list[int]]) -> None:
    pairs, load, k, today = board
    graph = Graph.of(pairs, np.array(load))
    homes = graph.pieces(range(len(load)))
    if k < len(homes):
        return
    part = repaired(graph, today, k)
    assert graph.connected(part, k)
    assert repaired(graph, part, k) == part, "what is sound is left alone"
    counts = apportion([sum(load[i] for i in home) for home in homes], [len(home) for home in homes], k)
    shared = repaired(graph, today, k, counts)
    assert graph.connected(shared, k)
    assert [len({shared[i] for i in home}) for home in homes] == counts


def test_members_are_told_by_group() -> None:
    assert members_of([1, 0, -1, 1], 2) == [[1], [0, 3]]


def test_two_of_the_heaviest_share_an_officer_and_the_bound_says_so() -> None:
    """Three heavy grids for two officers: nobody can do better than two of them together."""
    load = [10.0, 10.0, 10.0, 1.0, 1.0]
    pairs = np.array([(0, 1), (1, 2), (2, 3), (3, 4)])
    plan = ask(pairs, load, 2)
    assert plan.bound == pytest.approx(20 / 16) and plan.spread.heaviest == pytest.approx(20 / 16)


def test_few_grids_an_officer_are_divided_as_evenly_as_they_can_be() -> None:
    """Every division of twelve grids in a row among five: none is evener than the one that is found."""
    load = np.random.default_rng(5).integers(5, 60, 12).astype(float)
    pairs = np.array([(i, i + 1) for i in range(11)])
    best = min(
        max(sum(load[a:b]) for a, b in itertools.pairwise((0, *cuts, 12)))
        for cuts in itertools.combinations(range(1, 12), 4)
    )
    plan = ask(pairs, load.tolist(), 5)
    assert plan.loads.max() == pytest.approx(best) and plan.bound * plan.loads.mean() <= best + 1e-9
