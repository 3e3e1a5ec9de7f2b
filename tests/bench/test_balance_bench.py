"""The balance benchmark with one tiling of each size: its answers hold together and are no worse than the peer's."""

from __future__ import annotations

from service.bench.balance import measure
from service.bench.figures import Context


def test_it_is_no_worse_than_its_peer() -> None:
    figures = {one.name: one for one in measure(Context(0.05))}
    assert len(figures) == 16
    assert all(one.met for name, one in figures.items() if one.met is not None and not name.endswith("一次")), figures
