"""Requests per second of the lookup, against a Flask "hello" on the same server settings."""

from __future__ import annotations

import tempfile
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import orjson
import shapely

from service.bench.figures import ROUNDS, Context, Figure, figure, in_turn
from service.bench.load import CONNECTIONS, Load, client_name, load
from service.bench.servers import WORKERS, hello_server, service_server
from service.config import ROOT

_PEER = "Flask hello"
_ROUND_SECONDS = 3.0
_BATCH = 10_000


def measure(context: Context) -> list[Figure]:
    """Both servers run with the demo's data; they are asked in turn."""
    lon, lat = _points_in_the_demo(context.rng(), 2_000)
    paths = [f"/api/v1/lookup?lon={x:.6f}&lat={y:.6f}" for x, y in zip(lon.tolist(), lat.tolist(), strict=True)]
    seconds = max(1.0, _ROUND_SECONDS * context.scale)
    with ExitStack() as running:
        place = Path(running.enter_context(tempfile.TemporaryDirectory()))
        hello = running.enter_context(hello_server(place / "hello"))
        ours = running.enter_context(service_server(place / "service"))
        rounds = [(load(ours, paths, seconds), load(hello, ["/"], seconds)) for _ in range(ROUNDS + 1)][1:]
        batch = _batch_seconds(ours, lon, lat, context.count(_BATCH))
    return [*_figures(rounds), batch]


def _figures(rounds: Sequence[tuple[Load, Load]]) -> list[Figure]:
    def medians(name: str) -> tuple[float, float]:
        return tuple(float(np.median([getattr(side[i], name) for side in rounds])) for i in (0, 1))  # type: ignore[return-value]

    rate, peer_rate = medians("per_second")
    p50, peer50 = medians("p50_ms")
    p99, peer99 = medians("p99_ms")
    bad = sum(side.bad for pair in rounds for side in pair)
    note = f"{client_name()}，{CONNECTIONS} 个长连接，granian {WORKERS} 个进程，{len(rounds)} 轮"
    return [
        figure("单点查询", rate, "次/秒", peer=_PEER, peer_value=peer_rate, least_ratio=0.4, note=note),
        figure("单点查询：中位", p50, "ms", peer=_PEER, peer_value=peer50),
        figure("单点查询：第 99 百分位", p99, "ms", peer=_PEER, peer_value=peer99, most=15),
        figure("出错的请求", bad, "个", most=0),
    ]


def _batch_seconds(port: int, lon: np.ndarray, lat: np.ndarray, count: int) -> Figure:
    at = np.arange(count) % len(lon)
    body = orjson.dumps({"points": np.column_stack([lon[at], lat[at]]).tolist()})
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/lookup", body, {"Content-Type": "application/json"}, method="POST"
    )

    def ask() -> bytes:
        with urllib.request.urlopen(request) as answer:
            return bytes(answer.read())

    taken = in_turn([ask])[0]
    return figure(f"批量查询 {count:,} 点", taken * 1e3, "ms", most=1_000, note=f"每点 {taken / count * 1e6:.1f} µs")


def _points_in_the_demo(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Points inside the demo's grids."""
    grids = shapely.from_geojson((ROOT / "gis_data" / "demo" / "grids.geojson").read_bytes())
    area = shapely.union_all(shapely.get_parts(grids))
    shapely.prepare(area)
    west, south, east, north = area.bounds
    lon, lat = rng.uniform(west, east, count * 20), rng.uniform(south, north, count * 20)
    inside = np.flatnonzero(shapely.contains_xy(area, lon, lat))[:count]
    return lon[inside], lat[inside]
