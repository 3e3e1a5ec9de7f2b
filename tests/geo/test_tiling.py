"""Edits keep communities tiled, whatever is drawn in whatever order; what would not is refused with the fault."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.geo.coverage import LEAST_M2
from service.geo.edits import Mend, apply
from service.geo.tiling import DoesNotTile, area_of, faults_within, node
from tests.geo.tilings import HIGH, HOMES, SOUTH, WEST, WIDE, assert_tiled, found, random_edit, spoilt, town

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


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SEEDS, st.integers(3, 8), st.lists(KINDS, min_size=1, max_size=6))
def test_who_may_move_extents_still_leaves_no_gap_and_no_overlap(seed: int, grids: int, kinds: list[str]) -> None:
    """A supervisor with two communities: their common ground and its border to others stay as they are here, because
    all around lies somebody else's."""
    rng = np.random.default_rng(seed)
    tiling = town(seed, grids, 2, may_extend=True)
    whole = shapely.box(WEST, SOUTH, WEST + WIDE, SOUTH + HIGH)
    ring = shapely.difference(shapely.buffer(whole, 1.0), whole)
    tiling = replace(node(tiling), around={"outside": ring})
    for number, kind in enumerate(kinds, 1):
        try:
            tiling = apply(tiling, random_edit(tiling, kind, rng, number)).tiling
        except DoesNotTile as refused:
            assert refused.message
            continue
        assert_tiled(tiling, {}, rng)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SEEDS, st.integers(3, 8), st.lists(KINDS, min_size=0, max_size=5))
def test_only_what_an_import_left_remains_until_it_is_mended(seed: int, grids: int, kinds: list[str]) -> None:
    rng = np.random.default_rng(seed)
    loose = spoilt(town(seed, grids), rng)
    outline = shapely.box(WEST, SOUTH, WEST + WIDE, SOUTH + HIGH)
    first = found(loose, outline)
    gaps = [fault.geom for fault in first if fault.kind == "gap"]
    tiling = node(replace(loose, gaps=gaps))
    for number, kind in enumerate(kinds, 1):
        try:
            tiling = apply(tiling, random_edit(tiling, kind, rng, number)).tiling
        except DoesNotTile:
            continue
        for fault in found(tiling, outline):
            known = [one.geom for one in first if one.kind == fault.kind]
            # kilometres of border on the common grid of coordinates
            assert area_of(shapely.difference(fault.geom, shapely.union_all(known))) < 5 * LEAST_M2, fault.kind
        told = sum(fault.area_m2 for fault in faults_within(tiling, first))
        assert abs(told - sum(fault.area_m2 for fault in found(tiling, outline))) < 0.5
    for _ in range(200):
        left = faults_within(tiling, first)
        if not left:
            break
        fault = left[0]
        to = None if fault.kind != "overlap" else min(fault.codes)
        tiling = apply(tiling, Mend(fault, to)).tiling
    assert_tiled(tiling, {}, rng)
