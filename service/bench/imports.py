"""A million incidents from a CSV: into an empty table, into one in use, and the same file again; on both stores."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from service.bench.figures import Context, Figure, figure, seconds
from service.bench.stores import empty_store, stores
from service.errors import InvalidValue

_ROWS = 1_000_000
_WEST, _SOUTH, _EAST, _NORTH = 109.866, 31.060, 109.894, 31.080
_CATEGORIES = (
    ("09005", "店外经营"),
    ("09006", "占道经营"),
    ("09009", "机动车乱停放"),
    ("06010", "暴露垃圾"),
    ("06012", "道路不洁"),
)
_STREETS = ("龙门大道", "平湖路", "聚鹤街", "神女路", "广东路")
_STATES = ("已结案", "处置中", "待核查", "待派遣")
_SOURCES = ("巡查", "群众", "热线")


def measure(context: Context) -> list[Figure]:
    """Each import runs in a process of its own, so that its peak memory is its own."""
    rows = context.count(_ROWS)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        first, second = place / "first.csv", place / "second.csv"
        write_csv(first, rows, context.seed, "A")
        write_csv(second, rows, context.seed + 1, "B")
        peer = _bare_points(place / "peer.gpkg", rows, context)
        for label, url in stores(place):
            figures += _one_store(label, url, place, (first, second), rows, peer)
    return figures


def _one_store(label: str, url: str, place: Path, files: tuple[Path, Path], rows: int, peer: float) -> list[Figure]:
    with empty_store(url) as real:
        data = place / label
        _run(data, real, "demo-grids")
        empty, used, again = (_run(data, real, str(path)) for path in (files[0], files[1], files[1]))
    note = f"{label}，{rows:,} 行"
    return [
        figure(
            f"{label}：空表",
            rows / empty["seconds"],
            "行/秒",
            peer="pyogrio 只写点",
            peer_value=rows / peer,
            least=50_000,
            note=f"{note}，内存 {empty['memory_mb']:.0f} MB，最长占锁 {empty['lock']:.1f} 秒",
        ),
        figure(
            f"{label}：使用中的表",
            rows / used["seconds"],
            "行/秒",
            least=10_000,
            note=f"{note}，内存 {used['memory_mb']:.0f} MB",
        ),
        figure(f"{label}：使用中最长占锁", used["lock"], "秒", most=1.0, note=note),
        figure(
            f"{label}：同一文件再导入", rows / again["seconds"], "行/秒", note=f"{note}，{again['unchanged']:,} 行不变"
        ),
        figure(
            f"{label}：内存峰值", max(one["memory_mb"] for one in (empty, used, again)), "MB", most=1_500, note=note
        ),
    ]


def write_csv(path: Path, rows: int, seed: int, prefix: str) -> None:
    """A seeded table as offices export them: Chinese headers and words, local times to the minute."""
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(_WEST, _EAST, rows), rng.uniform(_SOUTH, _NORTH, rows)
    start = np.datetime64("2024-01-01T00:00", "m")
    reported = start + rng.integers(0, 1_000 * 1_440, rows).astype("timedelta64[m]")
    due = reported + rng.integers(60, 20_000, rows).astype("timedelta64[m]")
    kind, state = rng.integers(0, len(_CATEGORIES), rows), rng.integers(0, len(_STATES), rows)
    street, door = rng.integers(0, len(_STREETS), rows), rng.integers(1, 400, rows)
    source = rng.integers(0, len(_SOURCES), rows)
    asked = (np.char.replace(np.datetime_as_string(times), "T", " ").tolist() for times in (reported, due))
    with path.open("w", encoding="utf-8") as out:
        out.write("编号,类别编码,类别,地址,描述,状态,来源,上报时间,截止时间,经度,纬度\n")
        numbers = zip(kind, street, door, state, source, *asked, lon, lat, strict=True)
        out.writelines(
            f"{prefix}{i:08d},{_CATEGORIES[k][0]},{_CATEGORIES[k][1]},{_STREETS[s]}{d}号,{_STREETS[s]}{d}号门前有问题,"
            f"{_STATES[t]},{_SOURCES[o]},{r},{u},{x:.6f},{y:.6f}\n"
            for i, (k, s, d, t, o, r, u, x, y) in enumerate(numbers)
        )


def _bare_points(path: Path, rows: int, context: Context) -> float:
    """Seconds that pyogrio takes for the points alone, with their index."""
    from geopandas.geodataframe import GeoDataFrame
    from pyogrio.geopandas import write_dataframe

    rng = context.rng()
    points = shapely.points(rng.uniform(_WEST, _EAST, rows), rng.uniform(_SOUTH, _NORTH, rows))
    frame = GeoDataFrame(geometry=points, crs=4326)
    return seconds(lambda: write_dataframe(frame, path, layer="points"))  # type: ignore[no-untyped-call]


def run_job(module: str, data: Path, url: str, *words: str) -> dict[str, Any]:
    """One job in a process of its own: what it took. Raises InvalidValue with its last word when it fails."""
    command = [sys.executable, "-m", module, *words]
    env = os.environ | {"DATA_DIR": str(data), "DATABASE_URL": url}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InvalidValue("bench", f"{module} 没有成功：{done.stderr.strip().splitlines()[-1:]}")
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def _run(data: Path, url: str, job: str) -> dict[str, Any]:
    return run_job("service.bench.import_job", data, url, job)
