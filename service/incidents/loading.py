"""Reading every incident into arrays, fast on both stores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from service.db.bulk import uncollected
from service.db.spatial import raw_geometry, read_points
from service.db.types import epoch_seconds
from service.incidents.models import Incident
from service.incidents.rules import GROUP_OF, STATES
from service.records.batches import visible

NEVER = 2**32 - 1
STATE_CODES = tuple(STATES)
_GROUP_OF_STATE = np.array([GROUP_OF[code] for code in STATE_CODES], np.uint8)
_STATE_AT = {code: at for at, code in enumerate(STATE_CODES)}
_AT_ONCE = 50_000
_NOTHING = (
    *(np.empty(0, kind) for kind in (np.int64, np.float64, np.float64, np.uint8, np.int64, np.int64, np.int64)),
    *(np.empty(0, np.int32) for _ in range(5)),
)


@dataclass(frozen=True)
class Arrays:
    """All incidents, in order of id; codes are indexes into the name lists, -1 for none. Times: epoch seconds.

    `state`: indexes into STATE_CODES; `unit`, `handler`: who has it now.
    """

    ids: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    state: np.ndarray
    reported: np.ndarray
    due: np.ndarray
    closed: np.ndarray
    category: np.ndarray
    community: np.ndarray
    grid: np.ndarray
    unit: np.ndarray
    handler: np.ndarray
    categories: list[tuple[str, str]]
    communities: list[str]
    grids: list[str]
    units: list[str]
    handlers: list[str]

    @cached_property
    def group(self) -> np.ndarray:
        """uint8 (n,): indexes into rules.GROUPS."""
        return np.asarray(_GROUP_OF_STATE[self.state])


def load(session: Session) -> Arrays:
    """Every visible incident, some ten thousand rows at a time: a million as rows would take half a gigabyte."""
    kinds, homes, zones, units, handlers = (Coded() for _ in range(5))
    names: dict[str, str] = {}
    parts: list[tuple[np.ndarray, ...]] = []
    for rows in _portions(session):
        ids, state, category, category_name, community, grid, unit, handler, reported, due, closed, raw = zip(
            *rows, strict=True
        )
        stated = kinds.add([code or name for code, name in zip(category, category_name, strict=True)])
        for code, first in zip(*np.unique(stated, return_index=True), strict=True):
            if code >= 0:
                names.setdefault(kinds.values[code], category_name[first] or kinds.values[code])
        parts.append(
            (
                np.array(ids, np.int64),
                *read_points(raw),
                np.array([_STATE_AT.get(one, 0) for one in state], np.uint8),
                np.array(reported, np.float64).astype(np.int64),
                _seconds(due),
                _seconds(closed),
                stated,
                homes.add(community),
                zones.add(grid),
                units.add(unit),
                handlers.add(handler),
            )
        )
    columns = [np.concatenate(one) for one in zip(_NOTHING, *parts, strict=True)]
    categories = [(code, names[code]) for code in kinds.values]
    named = (categories, homes.values, zones.values, units.values, handlers.values)
    return Arrays(*columns, *named)  # type: ignore[arg-type,call-arg]  # in the order of the fields


def _seconds(moments: Sequence[float | None]) -> np.ndarray:
    return np.array([NEVER if one is None else one for one in moments], np.float64).astype(np.int64)


def _portions(session: Session) -> Iterator[Sequence[Any]]:
    """Rows; Python's collector would look at all of them again and again."""
    with uncollected():
        yield from session.connection().execute(_statement()).partitions(_AT_ONCE)


def _statement() -> Select[Any]:
    wanted: tuple[Any, ...] = (
        Incident.id,
        Incident.state,
        Incident.category,
        Incident.category_name,
        Incident.community_code,
        Incident.grid_code,
        Incident.unit_code,
        Incident.handler_code,
        epoch_seconds(Incident.reported_at),
        epoch_seconds(Incident.due_at),
        epoch_seconds(Incident.closed_at),
        raw_geometry(Incident.geom),
    )
    return select(*wanted).where(visible(Incident)).order_by(Incident.id)


class Coded:
    """Texts as indexes into `values`, in the order of their first appearance; None and "" are -1."""

    def __init__(self) -> None:
        self.values: list[str] = []
        self._index: dict[str, int] = {}

    def add(self, texts: Sequence[str | None]) -> np.ndarray:
        """int32 (n,) for the next n texts."""
        codes, distinct = pd.factorize(np.array([*texts, None], dtype=object))
        known = np.full(len(distinct) + 1, -1, np.int32)
        for i, text in enumerate(distinct.tolist()):
            if text:
                known[i] = self._index.setdefault(text, len(self._index))
        self.values = list(self._index)
        return np.asarray(known[codes[:-1]], dtype=np.int32)
