"""The harness at a thousandth of its size: what it measures is right, what it writes is complete."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import orjson
import pytest
import shapely

from service.bench import load as load_module
from service.bench import run
from service.bench.data import EAST, NORTH, SOUTH, WEST, Incidents, tiling
from service.bench.figures import Context, figure, in_turn, percentile_in_turn
from service.bench.lookup_http import _figures, _points_in_the_demo
from service.errors import InvalidValue


@pytest.mark.parametrize(
    ("targets", "met", "text"),
    [
        ({}, None, ""),
        ({"most": 10}, True, "≤ 10 ms"),
        ({"most": 4}, False, "≤ 4 ms"),
        ({"least": 6}, False, "≥ 6 ms"),
        ({"most_ratio": 0.5}, True, "≤ 0.5 × 对照"),
        ({"most": 10, "most_ratio": 0.4}, False, "≤ 10 ms，≤ 0.4 × 对照"),
        ({"least_ratio": 0.5}, True, "≥ 0.5 × 对照"),
    ],
)
def test_a_figure_is_judged_by_all_its_targets(targets, met, text):
    one = figure("x", 5.0, "ms", peer="other", peer_value=10.0, **targets)
    assert (one.ratio, one.met, one.target) == (0.5, met, text)


def test_a_ratio_without_a_peer_is_not_met():
    assert figure("x", 5.0, "ms", most_ratio=1).met is False


def test_sides_answer_in_turn_after_a_warm_up():
    said: list[str] = []
    in_turn([lambda: said.append("a"), lambda: said.append("b")], rounds=3)
    assert said == ["a", "b"] * 4
    said.clear()
    percentile_in_turn([(lambda: said.append("a"), lambda: said.append("b"))], 95, rounds=2)
    assert said == ["a", "b"] * 3


def test_an_unknown_benchmark_is_named():
    with pytest.raises(InvalidValue, match=r"“speed”.*clusters"):
        run(["speed"], None)


def test_the_report_holds_figures_and_facts_but_no_names(tmp_path, capsys):
    out = tmp_path / "bench.json"
    run(["clusters"], out, scale=0.001)
    report = orjson.loads(out.read_bytes())
    assert set(report["machine"]) == {"cores", "memory_gb", "load_before", "system", "python", "libraries"}
    figures = report["benchmarks"][0]["figures"]
    assert len(figures) > 15
    assert all(np.isfinite(one["value"]) for one in figures)
    assert [one["value"] for one in figures if one["name"].endswith("不同的视图")] == [0, 0]
    assert str(tmp_path) not in out.read_text()
    assert "聚集：四项一起" in capsys.readouterr().out


@pytest.mark.parametrize("winding", [False, True])
def test_random_zones_tile_the_area(winding):
    zones = tiling(np.random.default_rng(3), 40, winding)
    assert len(zones) == 40
    assert shapely.is_valid(zones).all()
    apart, together = shapely.area(zones).sum(), shapely.area(shapely.union_all(zones))
    assert apart == pytest.approx(together, rel=1e-6)
    assert together == pytest.approx((EAST - WEST) * (NORTH - SOUTH), rel=0.02)


def test_the_same_seed_gives_the_same_incidents():
    one, other = (Incidents.random(Context().rng(), 50, clustered=True) for _ in range(2))
    for name in one.__dataclass_fields__:
        assert np.array_equal(getattr(one, name), getattr(other, name))


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b"hello"
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answer) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("paths", "all_bad"), [(["/", "/?lon=1"], False), (["/missing"], True)])
def test_the_own_client_counts_requests_and_faults(port, monkeypatch, paths, all_bad):
    monkeypatch.setattr(load_module.shutil, "which", lambda _: None)
    found = load_module.load(port, paths, 0.3)
    assert found.requests > 8
    assert found.bad == (found.requests if all_bad else 0)
    assert 0 < found.p50_ms <= found.p99_ms


def test_requests_that_fail_are_told():
    good, bad = load_module.Load(100, 1.0, 1.0, 2.0, 0), load_module.Load(100, 1.0, 1.0, 2.0, 3)
    assert _figures([(good, bad)])[-1].met is False
    assert _figures([(good, good)])[0].ratio == 1.0


def test_points_lie_in_the_demos_grids():
    lon, lat = _points_in_the_demo(np.random.default_rng(1), 50)
    assert len(lon) == len(lat) == 50
