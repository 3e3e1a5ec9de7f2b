"""All benchmarks by name."""

from __future__ import annotations

from collections.abc import Iterable

from service.bench import (
    balance,
    bulk,
    clusters,
    duties,
    export,
    imports,
    lists,
    lookup_batch,
    lookup_http,
    map_page,
    search,
    wall,
)  # fmt: skip
from service.bench.figures import Benchmark
from service.errors import InvalidValue

BENCHMARKS: dict[str, Benchmark] = {
    "balance": balance.measure,
    "bulk": bulk.measure,
    "clusters": clusters.measure,
    "duties": duties.measure,
    "export": export.measure,
    "import": imports.measure,
    "lists": lists.measure,
    "lookup-batch": lookup_batch.measure,
    "lookup-http": lookup_http.measure,
    "map": map_page.measure,
    "search": search.measure,
    "wall": wall.measure,
}


def chosen(names: Iterable[str]) -> dict[str, Benchmark]:
    """The named benchmarks, all when none is named. Raises InvalidValue."""
    wanted = list(dict.fromkeys(names)) or list(BENCHMARKS)
    for name in wanted:
        if name not in BENCHMARKS:
            raise InvalidValue("NAME", f"没有基准测试“{name}”。可用：{'、'.join(BENCHMARKS)}。")
    return {name: BENCHMARKS[name] for name in wanted}
