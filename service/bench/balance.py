"""Contiguous groups of near-equal load, against METIS alone: random planar tilings, and the demo town."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pymetis
import shapely

from service.bench.figures import Context, Figure, figure, in_turn
from service.config import ROOT
from service.geo.bordering import bordering
from service.responsibility.balance import LIMIT, Keep, Plan, Task, balance, spread_of
from service.responsibility.partition import Graph

_PEER = "pymetis"
_SIZES = ((75, 8), (75, 15), (300, 30))
_TILINGS = 20
_WEST, _SOUTH, _WIDE = 109.86, 31.06, 0.03


def measure(context: Context) -> list[Figure]:
    """The heaviest group over the mean, and the time for one answer."""
    out = [one for n, k in _SIZES for one in _random(context, n, k)]
    return [*out, *_demo()]


def _random(context: Context, n: int, k: int) -> list[Figure]:
    tasks = [_tiling(context, n, seed) for seed in range(context.count(_TILINGS))]
    ours = [_ask(pairs, load, k) for pairs, load in tasks]
    peers = [_metis(pairs, load, k) for pairs, load in tasks]
    broken = sum(not Graph.of(p, w).connected(one.groups.tolist(), k) for (p, w), one in zip(tasks, ours, strict=True))
    heaviest = [one.spread.heaviest for one in ours]
    label = f"{n} 个网格分 {k} 人"
    slowest = _slowest([lambda p=p, w=w: _ask(p, w, k) for p, w in tasks[:3]])  # type: ignore[misc]
    return [
        figure(
            f"{label}：最重 ÷ 平均，均值", float(np.mean(heaviest)), "", peer=_PEER,
            peer_value=float(np.mean(peers)), most_ratio=1.0, note=f"{len(tasks)} 种平铺",
        ),
        figure(f"{label}：最坏的一种", max(heaviest), "", peer=_PEER, peer_value=max(peers), most_ratio=1.0),
        figure(f"{label}：不相连的", broken, "种", most=0),
        figure(f"{label}：一次", slowest, "s", most=2.0),
    ]  # fmt: skip


def _tiling(context: Context, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(neighbours, loads) of a Voronoi tiling."""
    rng = np.random.default_rng([context.seed, seed])
    square = shapely.box(_WEST, _SOUTH, _WEST + _WIDE, _SOUTH + _WIDE)
    spots = rng.uniform((_WEST, _SOUTH), (_WEST + _WIDE, _SOUTH + _WIDE), (n, 2))
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(spots), extend_to=square))
    pairs, _ = bordering(np.asarray(shapely.intersection(cells, square), dtype=object))
    return pairs, rng.integers(5, 60, n).astype(float)


def _ask(
    pairs: np.ndarray, load: np.ndarray, k: int, today: np.ndarray | None = None, keep: Keep | None = None
) -> Plan:
    held = np.full(len(load), -1) if today is None else today
    return balance(Task(pairs, load, k, held, keep or Keep()))


def _metis(pairs: np.ndarray, load: np.ndarray, k: int) -> float:
    """METIS alone, as the prototype ran it."""
    options = pymetis.Options(seed=1, ufactor=20, niter=50, ncuts=20, contig=1)
    beside = Graph.of(pairs, load).neighbours
    weights = load.astype(int).tolist()
    _, part = pymetis.part_graph(k, adjacency=beside, vweights=weights, recursive=False, options=options)
    return spread_of(np.bincount(np.array(part), weights=load, minlength=k)).heaviest


def _slowest(jobs: list[Callable[[], object]]) -> float:
    return max(in_turn(jobs, rounds=3))


def _demo() -> list[Figure]:
    """The demo's 75 grids by households, with today's officers."""
    features = json.loads((ROOT / "gis_data" / "demo" / "grids.geojson").read_text(encoding="utf-8"))["features"]
    features = [one for one in features if one["properties"]["kind"] != "micro_grid"]
    geoms = np.array([shapely.from_geojson(json.dumps(one["geometry"])) for one in features], dtype=object)
    load = np.array([one["properties"]["households"] or 0 for one in features], float)
    rows = [
        line.split(",")
        for line in (ROOT / "gis_data" / "demo" / "duties.csv").read_text(encoding="utf-8").splitlines()[1:]
    ]
    holder = {row[3]: row[4] for row in rows if row[1] == "grid_officer"}
    who = sorted(set(holder.values()))
    today = np.array([who.index(holder[one["properties"]["code"]]) for one in features])
    pairs, _ = bordering(geoms)
    free = _ask(pairs, load, len(who), today)
    even = _ask(pairs, load, len(who), today, Keep(within=True))
    now = spread_of(np.bincount(today, weights=load, minlength=len(who))).heaviest
    peer = _metis(pairs, load, len(who))
    took = _slowest([lambda: _ask(pairs, load, len(who), today)])
    label = f"演示数据 {len(load)} 个网格 {len(who)} 人，按户数"
    return [
        figure(f"{label}：最重 ÷ 平均", free.spread.heaviest, "", peer=_PEER, peer_value=peer, most=LIMIT,
               note=f"现在 {now:.2f}"),
        figure(f"{label}：尽量不动", even.spread.heaviest, "", most=LIMIT, note=f"{even.kept} 个网格不换人"),
        figure(f"{label}：一次", took, "s", most=2.0),
        figure("相邻关系", _slowest([lambda: bordering(geoms)]), "s", note="每期网格算一次"),
    ]  # fmt: skip
