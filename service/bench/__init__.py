"""Benchmarks of what has to be fast, each with a peer that is measured in the same run: `manage bench [NAME…]`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any


def run(names: Iterable[str], json_out: Path | None, scale: float = 1.0) -> dict[str, Any]:
    """As report.run. Imported late: the peers' servers import this package and need none of its libraries."""
    from service.bench.report import run as run_and_report

    return run_and_report(names, json_out, scale)
