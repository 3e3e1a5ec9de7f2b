"""Streets, buildings, facilities and reaches at a point: those that somebody answers for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import shapely

from service.clock import ended_by
from service.places.queries import BUILDING, PLACE, STREET, GroundSet, GroundSubject

_CELL_M, _MOST_CELLS = 25.0, 100_000


class Near(NamedTuple):
    """A subject at a point; 0 m inside it."""

    subject: GroundSubject
    metres: float


@dataclass(frozen=True)
class Reach:
    """Within how many metres a street, and a facility or a reach, counts as here; a building only inside."""

    street: float
    place: float

    def of(self, subject: GroundSubject) -> float:
        return self.street if subject.kind == STREET else 0.0 if subject.kind == BUILDING else self.place


class NearbySubjects:
    """Found on a plane that is true in the middle of the subjects: within a city it is off by less than 1 in 200."""

    def __init__(self, ground: GroundSet) -> None:
        self.rows, self.geoms = ground.rows, ground.geoms
        self.by_subject: Mapping[tuple[str, str], int] = {(row.kind, row.code): i for i, row in enumerate(self.rows)}
        self._by_name: dict[str, list[GroundSubject]] = {}
        for row in self.rows:
            if row.kind == PLACE:
                self._by_name.setdefault(row.name, []).append(row)
        present = ~(shapely.is_missing(self.geoms) | shapely.is_empty(self.geoms)) if len(self.geoms) else []
        bounds = shapely.total_bounds(self.geoms[present]).tolist() if np.any(present) else [0.0] * 4
        self._lon, self._lat = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
        angle = math.radians(self._lat)
        self._kx = 111_412.84 * math.cos(angle) - 93.5 * math.cos(3 * angle)
        self._ky = 111_132.92 - 559.82 * math.cos(2 * angle)
        flat = shapely.transform(self.geoms, self._flat) if len(self.geoms) else self.geoms
        shapely.prepare(flat)
        self._shapes = flat
        self._tree = shapely.STRtree(flat)
        self._cells: dict[tuple[int, int, float], tuple[list[GroundSubject], np.ndarray]] = {}

    def _flat(self, coords: np.ndarray) -> np.ndarray:
        return np.asarray((coords - (self._lon, self._lat)) * (self._kx, self._ky))

    def at(self, lon: float, lat: float, reach: Reach, on: date) -> list[Near]:
        """What lies within reach of a point on the day, the nearest of each kind first: what one stands in, then
        streets, then reaches."""
        if not self.rows:
            return []
        x, y = (lon - self._lon) * self._kx, (lat - self._lat) * self._ky
        rows, shapes = self._around(x, y, max(reach.street, reach.place))
        if not rows:
            return []
        metres = shapely.distance(shapes, shapely.Point(x, y)).tolist()
        held = [
            Near(row, far)
            for row, far in zip(rows, metres, strict=True)
            if far <= reach.of(row) and not ended_by(on, row.ended_on)
        ]
        if len(held) > 1:
            held.sort(key=lambda one: (_order(one.subject), one.metres, one.subject.code))
        return held

    def _around(self, x: float, y: float, most: float) -> tuple[list[GroundSubject], np.ndarray]:
        """What may lie within a distance of a point: asked of the tree once for each cell of a lattice."""
        cell = (math.floor(x / _CELL_M), math.floor(y / _CELL_M), most)
        known = self._cells.get(cell)
        if known is None:
            west, south = cell[0] * _CELL_M - most, cell[1] * _CELL_M - most
            wide = _CELL_M + 2 * most
            hits = np.sort(
                self._tree.query(shapely.box(west, south, west + wide, south + wide), predicate="intersects")
            )
            if len(self._cells) >= _MOST_CELLS:
                self._cells.clear()
            known = self._cells[cell] = [self.rows[i] for i in hits.tolist()], self._shapes[hits]
        return known

    def shape(self, kind: str, code: str) -> Any:
        """The subject's shape in degrees; None when it isn't among these."""
        at = self.by_subject.get((kind, code))
        return None if at is None else self.geoms[at]

    def places_called(self, name: str) -> list[GroundSubject]:
        """Places with a name, of those here."""
        return self._by_name.get(name, [])


def _order(subject: GroundSubject) -> int:
    """From the smallest upward: building, facility, street, reach."""
    return 0 if subject.kind == BUILDING else 2 if subject.kind == STREET else 3 if subject.is_reach else 1
