"""Edits keep communities tiled, whatever is drawn in whatever order; what would not is refused with the fault."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.geo.edits import apply
from service.geo.tiling import DoesNotTile, node
from tests.geo.tilings import HOMES, assert_tiled, random_edit, town

KINDS = st.sampled_from(["split", "split", "merge", "reshape", "border", "draw"])
SEEDS = st.integers(0, 2**31)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SEEDS, st.integers(2, 9), st.integers(1, 2), st.lists(KINDS, min_size=1, max_size=8))
def test_whatever_is_edited_the_communities_stay_tiled(seed: int, grids: int, homes: int, kinds: list[str]) -> None:
    rng = np.random.default_rng(seed)
    tiling = node(town(seed, grids, homes))
    whole = {home: tiling.extent(home) for home in HOMES[:homes]}
    assert_tiled(tiling, whole, rng)
    for number, kind in enumerate(kinds, 1):
        edit = random_edit(tiling, kind, rng, number)
        before = dict(tiling.tiles)
        try:
            done = apply(tiling, edit)
        except DoesNotTile as refused:
            assert refused.message
            assert tiling.tiles == before
            continue
        assert set(done.gone) == set(tiling.tiles) - set(done.tiling.tiles)
        for code in set(done.tiling.tiles) - set(done.changed):
            assert done.tiling.tiles[code] is tiling.tiles[code]
        tiling = done.tiling
        assert_tiled(tiling, whole, rng)
