"""The search benchmark at a five-hundredth of its size: it and its peer find the same."""

from __future__ import annotations

import numpy as np

from service.bench.figures import Context
from service.bench.search import measure, names


def test_it_finds_what_the_peer_finds() -> None:
    figures = {one.name.split("：")[1]: one for one in measure(Context(0.002))}
    assert figures["有无结果与对照不同的问法"].met
    assert figures["每次搜索，第 95 百分位"].value < 50
    assert all(np.isfinite(one.value) for one in figures.values())


def test_names_are_those_of_a_register() -> None:
    rows = names(Context().rng(), 2_000)
    assert {kind: len(kept) for kind, kept in rows.items()} == {"person": 1_000, "frontage": 1_000}
    assert all(len(phone) == 11 and phone.startswith("1") for kept in rows.values() for *_, phone in kept)
    assert rows == names(Context().rng(), 2_000)
