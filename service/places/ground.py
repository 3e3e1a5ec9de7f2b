"""The drawn ground: streets, buildings, waters and woods, kept in memory per worker and answered by view."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.clock import in_force
from service.db.engine import Database
from service.db.spatial import raw_geometry, read_geometries
from service.geo.values import BBox
from service.places.centreline import centreline
from service.places.models import Building, Place, Street
from service.records import counters
from service.records.batches import visible

UNIT = 1e-6
_DRAWN_AS = {"lake": "river"}  # water is water on the map; the register tells them apart
AREA_KINDS = ("river", "wood", "dense_wood", "park", "bank")
POINT_KINDS = ("market", "refuse_station", "transfer_station", "toilet", "school", "hospital", "other")
_ALL_VERTICES = 120_000
_MOST_BUILDINGS = 6_000
_MOST_STREETS = 8_000


@dataclass(frozen=True)
class GroundLayer:
    """Features of one kind with an index: `rows[i]` describes `geoms[i]`, which holds until `ended[i]`, half-open;
    `codes[i]` is its code."""

    rows: list[Any]
    geoms: np.ndarray
    tree: shapely.STRtree
    ended: np.ndarray
    codes: list[str]

    @classmethod
    def of(
        cls, rows: list[Any], geoms: np.ndarray, ended: Sequence[date | None] = (), codes: Sequence[str] = ()
    ) -> GroundLayer:
        days = np.array([date.max if one is None else one for one in ended], dtype="datetime64[D]")
        return cls(rows, geoms, shapely.STRtree(geoms), days, list(codes))

    @cached_property
    def at(self) -> dict[str, int]:
        """Index by code."""
        return {code: i for i, code in enumerate(self.codes)}

    def within(self, box: BBox | None, on: date | None = None) -> np.ndarray:
        """Indexes, ascending, of those that the box touches and that hold on the day (None: whenever)."""
        if box is None:
            found = np.arange(len(self.rows))
        else:
            found = np.sort(self.tree.query(shapely.box(box.west, box.south, box.east, box.north)))
        return found if on is None or not len(self.ended) else found[self.ended[found] > np.datetime64(on)]


@dataclass(frozen=True)
class GroundData:
    version: int
    streets: GroundLayer
    buildings: GroundLayer
    places: GroundLayer
    river_lines: list[tuple[str, np.ndarray, date | None]]

    @property
    def vertices(self) -> int:
        return sum(
            int(shapely.get_num_coordinates(layer.geoms).sum()) for layer in (self.streets, self.buildings, self.places)
        )


class Ground:
    """All of it, dropped when the ground's counter moves."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._token: object = None
        self._data: GroundData | None = None
        self._complete = True

    @property
    def complete(self) -> bool:
        """Whether one answer holds all there is."""
        return self._complete

    def data(self) -> GroundData:
        """The ground, fresh as of this call."""
        token = self._database.moved()
        if self._data is not None and token == self._token:
            return self._data
        with self._lock, self._database.read() as session:
            version = counters.read_all(session)[counters.GROUND]
            if self._data is None or self._data.version != version:
                self._data = load(session, version)
                self._complete = self._data.vertices <= _ALL_VERTICES
            self._token = token
            return self._data

    def endings(self, on: date) -> int:
        """How many features have ended by the day: a kept answer holds as long as that stays the same."""
        data = self.data()
        return sum(
            int((layer.ended <= np.datetime64(on)).sum()) for layer in (data.streets, data.buildings, data.places)
        )

    def view(self, box: BBox, metres_per_px: float, on: date) -> dict[str, Any]:
        """The ground of a view on a day as integers of 1e-6 degree from an origin: see CONTRACT's map data.

        `complete`: all there is was sent, no need to ask again. Else the view with a margin of one third.
        """
        data = self.data()
        margin = None if self._complete else box.widened(1 / 3)
        origin = (round((box.west + box.east) / 2, 3), round((box.south + box.north) / 2, 3))
        chosen = data.streets.within(margin, on)
        if margin is not None:
            chosen = _by_level(data, chosen, metres_per_px)
        out: dict[str, Any] = {
            "origin": origin,
            "unit": UNIT,
            "bbox": None if margin is None else [margin.west, margin.south, margin.east, margin.north],
            "complete": self._complete,
            "streets": [],
            "buildings": [],
            "areas": {kind: [] for kind in AREA_KINDS},
            "lines": {
                "river": [[n, _flat(line, origin)] for n, line, ends in data.river_lines if in_force(None, on, ends)]
            },
        }
        for i in chosen.tolist():
            name, level = data.streets.rows[i]
            out["streets"] += [[name, level, flat] for flat in _flat_lines(data.streets.geoms[i], origin)]
        if margin is None or metres_per_px <= 2.4:
            for i in data.buildings.within(margin, on)[:_MOST_BUILDINGS].tolist():
                out["buildings"] += [rings[0] for rings in _flat_polygons(data.buildings.geoms[i], origin)]
        for i in data.places.within(margin, on).tolist():
            _code, _name, kind = data.places.rows[i]
            if kind in AREA_KINDS:
                out["areas"][kind] += _flat_polygons(data.places.geoms[i], origin)
        return out

    def facilities(self, box: BBox, on: date, most: int = 2_000) -> list[list[Any]]:
        """[code, name, kind, lon, lat] of the facilities in a box on a day."""
        layer = self.data().places
        out = []
        for i in layer.within(box, on).tolist():
            code, name, kind = layer.rows[i]
            if kind not in AREA_KINDS:
                at = shapely.point_on_surface(layer.geoms[i])
                out.append([code, name, kind, round(at.x, 6), round(at.y, 6)])
        return out[:most]


def load(session: Session, version: int) -> GroundData:
    """Read the whole ground."""
    streets = session.execute(
        select(Street.name, Street.level, Street.ended_on, raw_geometry(Street.geom), Street.code)
        .where(visible(Street))
        .order_by(Street.code)
    ).all()
    houses = session.execute(
        select(Building.ended_on, raw_geometry(Building.geom), Building.code)
        .where(visible(Building))
        .order_by(Building.code)
    ).all()
    places = session.execute(
        select(Place.code, Place.name, Place.kind, Place.ended_on, raw_geometry(Place.geom))
        .where(visible(Place))
        .order_by(Place.code)
    ).all()
    grounds = read_geometries([row[4] for row in places])
    drawn = [(row[0], row[1], _DRAWN_AS.get(row[2], row[2])) for row in places]
    rivers = [
        (name, geom, row[3])
        for (_, name, kind), geom, row in zip(drawn, grounds, places, strict=True)
        if kind == "river" and name
    ]
    middles = [(name, centreline(geom), ends) for name, geom, ends in rivers]
    return GroundData(
        version,
        GroundLayer.of(
            [(row[0], row[1]) for row in streets],
            read_geometries([row[3] for row in streets]),
            [row[2] for row in streets],
            [row[4] for row in streets],
        ),
        GroundLayer.of(
            [None] * len(houses),
            read_geometries([row[1] for row in houses]),
            [row[0] for row in houses],
            [row[2] for row in houses],
        ),
        GroundLayer.of(drawn, grounds, [row[3] for row in places], [row[0] for row in places]),
        [(name, line, ends) for name, line, ends in middles if line is not None],
    )


def _by_level(data: GroundData, chosen: np.ndarray, metres_per_px: float) -> np.ndarray:
    """From far away only the main streets; never more than the screen can show."""
    levels = np.array([data.streets.rows[i][1] for i in chosen.tolist()], dtype=int)
    deepest = 3 if metres_per_px <= 3.4 else 2 if metres_per_px <= 8 else 1 if metres_per_px <= 20 else 0
    keep = levels <= max(deepest, int(levels.min(initial=0)))
    order = np.argsort(levels[keep], kind="stable")[:_MOST_STREETS]
    return chosen[keep][order]


def _flat(coords: np.ndarray, origin: tuple[float, float]) -> list[int]:
    return np.rint((coords - origin) / UNIT).astype(np.int64).ravel().tolist()


def _flat_lines(geom: Any, origin: tuple[float, float]) -> list[list[int]]:
    return [_flat(shapely.get_coordinates(part), origin) for part in shapely.get_parts(geom) if not part.is_empty]


def _flat_polygons(geom: Any, origin: tuple[float, float]) -> list[list[list[int]]]:
    """One list of rings (outer first) per polygon; other geometries give none."""
    return [
        [_flat(shapely.get_coordinates(ring), origin) for ring in (part.exterior, *part.interiors)]
        for part in shapely.get_parts(geom)
        if part.geom_type == "Polygon" and not part.is_empty
    ]
