"""A million incidents into a CSV, on both stores, against pandas reading the same table and writing it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from service.bench.figures import Context, Figure, figure
from service.bench.imports import run_job, write_csv
from service.bench.stores import empty_store, stores

_ROWS = 1_000_000


def measure(context: Context) -> list[Figure]:
    """Each export runs in a process of its own, so that its peak memory is its own."""
    rows = context.count(_ROWS)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        table = place / "incidents.csv"
        write_csv(table, rows, context.seed, "A")
        for label, url in stores(place):
            figures += _one_store(label, url, place, table, rows)
    return figures


def _one_store(label: str, url: str, place: Path, table: Path, rows: int) -> list[Figure]:
    with empty_store(url) as real:
        data = place / label
        for job in ("demo-grids", str(table)):
            run_job("service.bench.import_job", data, real, job)
        peer = run_job("service.bench.export_job", data, real, str(place / "peer.csv"), "peer")
        ours = run_job("service.bench.export_job", data, real, str(place / "ours.csv"))
    note = f"{label}，{ours['rows']:,} 行"
    return [
        figure(
            f"{label}：导出 CSV",
            ours["seconds"],
            "秒",
            peer="pandas",
            peer_value=peer["seconds"],
            most=60.0,
            note=f"{note}，处理器 {ours['processor']:.0f} 秒（对照 {peer['processor']:.0f}）；打码和网格名称在内",
        ),
        figure(
            f"{label}：内存峰值",
            ours["memory_mb"],
            "MB",
            peer="pandas",
            peer_value=peer["memory_mb"],
            most=1_000,
            note=note,
        ),
    ]
