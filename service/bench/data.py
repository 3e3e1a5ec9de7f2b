"""Synthetic zones and incidents, the same for the same seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from service.geo.clusters import ClusterColumns

WEST, SOUTH, EAST, NORTH = 109.80, 31.00, 109.92, 31.10  # about 11 km by 11 km
_DAY = 86_400
NOW = 1_795_392_000  # 2026-11-23, Shanghai's midnight
_WAVES = 8


def tiling(rng: np.random.Generator, zones: int, winding: bool) -> np.ndarray:
    """(zones,) polygons that tile the area without gap or overlap: Voronoi cells of random sites.

    `winding`: borders bend as streets and streams do, with a vertex every 20 m or so; else they are straight.
    """
    area = shapely.box(WEST, SOUTH, EAST, NORTH)
    sites = np.column_stack([rng.uniform(WEST, EAST, zones), rng.uniform(SOUTH, NORTH, zones)])
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(sites), extend_to=area))
    cells = shapely.intersection(cells, area)
    if not winding:
        return np.asarray(cells)
    bend = _bending(rng)
    # Rounded before and after, so that both neighbours of a border have the same vertices.
    return np.asarray(shapely.transform(shapely.segmentize(cells, 0.0002), lambda at: bend(at.round(9)).round(8)))


class _Bending:
    """A smooth shift of the plane by some 50 m: sums of sine waves, so that neighbours bend alike."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._waves = rng.normal(0, 2 * np.pi / 0.004, (2, _WAVES, 2))
        self._phase = rng.uniform(0, 2 * np.pi, (2, _WAVES))

    def __call__(self, at: np.ndarray) -> np.ndarray:
        shift = [
            np.sin(at @ waves.T + phase).sum(axis=1) for waves, phase in zip(self._waves, self._phase, strict=True)
        ]
        return np.asarray(at + 0.0001 * np.column_stack(shift))


def _bending(rng: np.random.Generator) -> _Bending:
    return _Bending(rng)


def places(rng: np.random.Generator, count: int, clustered: bool) -> tuple[np.ndarray, np.ndarray]:
    """(lon, lat) of points: evenly over the area, or most of them around forty busy spots."""
    lon, lat = rng.uniform(WEST, EAST, count), rng.uniform(SOUTH, NORTH, count)
    if clustered:
        spot = rng.integers(0, 40, count)
        near = rng.random(count) < 0.9
        spread = rng.lognormal(np.log(0.0015), 0.6, 40)[spot]
        spots = rng.uniform((WEST, SOUTH), (EAST, NORTH), (40, 2))[spot]
        lon = np.where(near, np.clip(rng.normal(spots[:, 0], spread), WEST, EAST), lon)
        lat = np.where(near, np.clip(rng.normal(spots[:, 1], spread), SOUTH, NORTH), lat)
    return lon, lat


@dataclass(frozen=True)
class Incidents:
    """Aligned columns as ClusterColumns takes them; two years of reports, 30 % still open, 9 % overdue."""

    ids: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    category: np.ndarray
    community: np.ndarray
    group: np.ndarray
    reported_at: np.ndarray
    due_at: np.ndarray

    @classmethod
    def random(cls, rng: np.random.Generator, count: int, clustered: bool) -> Incidents:
        lon, lat = places(rng, count, clustered)
        group = rng.choice(4, count, p=[0.10, 0.15, 0.05, 0.70])
        reported = NOW - rng.integers(0, 730 * _DAY, count)
        due = NOW + rng.integers(-10 * _DAY, 20 * _DAY, count)
        return cls(
            np.arange(count), lon, lat, rng.integers(0, 60, count), rng.integers(0, 12, count), group, reported, due
        )

    def index(self) -> ClusterColumns:
        return ClusterColumns(
            self.ids, self.lon, self.lat, self.category, self.community, self.group, self.reported_at, self.due_at
        )

    def some(self, at: np.ndarray) -> list[np.ndarray]:
        """The columns at some positions, in ClusterColumns' order."""
        return [getattr(self, name)[at] for name in self.__dataclass_fields__]
