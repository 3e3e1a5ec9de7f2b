"""Running benchmarks and telling what they showed: a table, and JSON with the machine's facts."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
import shapely
from rich.console import Console
from rich.table import Table

from service.bench.figures import Context, Figure, seconds
from service.bench.registry import chosen
from service.clock import utcnow
from service.errors import Unavailable

_LIBRARIES = ("numpy", "pandas", "shapely", "geopandas", "flask", "granian")


def run(names: Iterable[str], json_out: Path | None, scale: float = 1.0) -> dict[str, Any]:
    """Run the named benchmarks (all when none is named), print a table each, write JSON when asked.

    Returns what the JSON holds. Raises InvalidValue for an unknown name.
    """
    benchmarks = chosen(names)
    console, context = Console(), Context(scale)
    report: dict[str, Any] = {
        "taken_at": utcnow().isoformat(timespec="seconds"), "machine": machine(), "scale": scale, "benchmarks": []
    }  # fmt: skip
    facts = report["machine"]
    console.print(f"{facts['cores']} 核，内存 {facts['memory_gb']} GB，Python {facts['python']}，{facts['system']}")
    for name, benchmark in benchmarks.items():
        figures: list[Figure] = []
        try:
            with console.status(f"{name} …"):
                took = seconds(lambda run=benchmark, out=figures: out.extend(run(context)))  # type: ignore[misc]
        except Unavailable as lack:
            console.print(f"{name}：没有测。{lack.message}")
            report["benchmarks"].append({"name": name, "seconds": 0.0, "figures": [], "not_measured": lack.message})
            continue
        console.print(table(name, figures, took))
        report["benchmarks"].append({"name": name, "seconds": round(took, 1), "figures": [asdict(f) for f in figures]})
    if json_out is not None:
        json_out.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
        console.print(f"已写入 {json_out.name}")
    return report


def machine() -> dict[str, Any]:
    """Facts that a reader needs to compare; neither the host's name nor any path."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(memory / 2**30, 1),
        "load_before": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in _LIBRARIES} | {"geos": shapely.geos_version_string},
    }


def table(name: str, figures: Sequence[Figure], took: float) -> Table:
    """One benchmark's figures for people."""
    out = Table(title=f"{name}（{took:.0f} 秒）", title_justify="left")
    for head in ("测什么", "结果", "对照", "结果/对照", "目标", ""):
        out.add_column(head, justify="right" if head in ("结果", "结果/对照") else "left", overflow="fold")
    for one in figures:
        peer = "" if one.peer_value is None else f"{one.peer} {number(one.peer_value)} {one.unit}"
        sign = {True: "[green]达到[/]", False: "[red]未达到[/]", None: ""}[one.met]
        ratio = "" if one.ratio is None else number(one.ratio)
        text = one.name if not one.note else f"{one.name}\n[dim]{one.note}[/]"
        out.add_row(text, f"{number(one.value)} {one.unit}", peer, ratio, one.target, sign)
    return out


def number(value: float) -> str:
    """Three digits that count, without exponents.

    >>> number(1234567.8), number(12.345), number(0.01234), number(0.0)
    ('1,234,568', '12.3', '0.0123', '0')
    """
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
