"""The benchmark of responsibility maps with a few grids only."""

from __future__ import annotations

import numpy as np

from service.bench.figures import Context
from service.bench.wall import measure


def test_it_measures_sheets_and_the_page() -> None:
    figures = measure(Context(0.04))
    assert len(figures) == 5 and all(np.isfinite(one.value) and one.value > 0 for one in figures)
    assert figures[-1].met, "the page stays below 3 MB"
