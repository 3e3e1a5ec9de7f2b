"""Chance that is the same on every run."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

SEED = 23
T = TypeVar("T")


def stream(topic: str) -> np.random.Generator:
    """The topic's own stream of chance."""
    return np.random.default_rng([SEED, zlib.crc32(topic.encode())])


def pick(rng: np.random.Generator, choices: Sequence[T], weights: Sequence[float] | None = None) -> T:
    """One of the choices, by weight when weights are given."""
    if weights is None:
        return choices[int(rng.integers(len(choices)))]
    shares = np.asarray(weights, dtype=float)
    return choices[int(rng.choice(len(choices), p=shares / shares.sum()))]
