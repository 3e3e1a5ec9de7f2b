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

    def _flat(self, coords: np.ndarray) -> np.ndarray:
        return np.asarray((coords - (self._lon, self._lat)) * (self._kx, self._ky))

    def at(self, lon: float, lat: float, reach: Reach, on: date) -> list[Near]:
        """What lies within reach of a point on the day, the nearest of each kind first: what one stands in, then
        streets, then reaches."""
        if not self.rows:
            return []
        point = shapely.Point((lon - self._lon) * self._kx, (lat - self._lat) * self._ky)
        most = max(reach.street, reach.place)
        hits = self._tree.query(point, predicate="dwithin", distance=most)
        if not len(hits):
            return []
        metres = shapely.distance(self._shapes[hits], point).tolist()
        found = [Near(self.rows[i], far) for i, far in zip(hits.tolist(), metres, strict=True)]
        held = [one for one in found if one.metres <= reach.of(one.subject) and not ended_by(on, one.subject.ended_on)]
        return sorted(held, key=lambda one: (_order(one.subject), one.metres, one.subject.code))

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
