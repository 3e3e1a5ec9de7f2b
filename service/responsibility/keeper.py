"""Keeps each worker's snapshots fresh: dropped when a counter in the database moves."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from service.clock import ended_by
from service.db.engine import Database
from service.duties.queries import DutyRow, all_duties, by_subject
from service.frontages.queries import all_frontages
from service.grids.queries import CommunityRow, communities, editions_on, ended_grids, zones_on
from service.people.queries import PersonRow, organisation_names, persons
from service.places.queries import ground_subjects
from service.records import counters
from service.records.office import office_name
from service.responsibility.nearby import NearbySubjects
from service.responsibility.snapshot import FrontageFinder, Snapshot, Tiling

_KEEP = 8


class _Base(NamedTuple):
    """What doesn't depend on the day. `units`: organisations by name."""

    duties: list[DutyRow]
    people: dict[str, PersonRow]
    homes: dict[str, CommunityRow]
    shops: FrontageFinder
    units: dict[str, str]


class Responsibility:
    """Snapshots by day. Safe to share between the threads of a worker."""

    def __init__(self, database: Database, office_code: str, office_name: str) -> None:
        self._database = database
        self._office = (office_code, office_name)
        self._lock = threading.Lock()
        self._token: object = None
        self._version = -1
        self._ground_version = -1
        self._days: OrderedDict[date, Snapshot] = OrderedDict()
        self._tilings: OrderedDict[tuple[object, ...], Tiling] = OrderedDict()
        self._finders: OrderedDict[tuple[int, ...], FrontageFinder] = OrderedDict()
        self._base: _Base | None = None
        self._nearby: NearbySubjects | None = None

    def on(self, day: date, token: object = None) -> Snapshot:
        """The snapshot of a day, fresh as of this call. `token`: the store's `moved()`, of a caller who just asked."""
        token = self._database.moved() if token is None else token
        if token != self._token:
            with self._lock:
                self._check(token)
        known = self._days.get(day)
        if known is not None:
            return known
        with self._lock:
            known = self._days.get(day)
            if known is None:
                known = self._build(day)
                _remember(self._days, day, known)
        return known

    @property
    def version(self) -> int:
        """The counter's value that the snapshots stand for."""
        return self._version

    def _check(self, token: object) -> None:
        with self._database.read() as session:
            moved = counters.read_all(session)
        version, ground = moved[counters.RESPONSIBILITY], moved[counters.GROUND]
        if version != self._version or ground != self._ground_version:
            self._days.clear()
            self._nearby = None  # streets, buildings and places that somebody answers for
            self._ground_version = ground
        if version != self._version:
            self._tilings.clear()
            self._finders.clear()
            self._base = None
            self._version = version
        self._token = token

    def _build(self, day: date) -> Snapshot:
        with self._database.read() as session:
            if self._base is None:
                self._base = _Base(
                    all_duties(session),
                    persons(session),
                    {row.code: row for row in communities(session)},
                    FrontageFinder(all_frontages(session)),
                    {name: code for code, name in sorted(organisation_names(session).items(), reverse=True)},
                )
            if self._nearby is None:
                self._nearby = _nearby(session, self._base)
            editions = editions_on(session, day)
            key = (*editions, *ended_grids(session, editions, day))
            tiling = self._tilings.get(key)
            if tiling is None:
                tiling = Tiling.of(zones_on(session, day))
                _remember(self._tilings, key, tiling)
            office = office_name(session) or self._office[1]
        duties, people, homes = self._base[:3]
        gone = {person.code for person in people.values() if ended_by(day, person.ended_on)}
        here = {code: row for code, row in homes.items() if not ended_by(day, row.ended_on)}
        return Snapshot(
            day,
            tiling,
            here,
            by_subject(duties, day, gone),
            people,
            self._shops(day),
            self._office[0],
            office,
            self._nearby,
            self._base.units,
        )

    def _shops(self, day: date) -> FrontageFinder:
        """The frontages that hold on the day; days on which the same ones have ended share a finder."""
        assert self._base is not None
        everyone = self._base.shops
        over = tuple(i for i, row in enumerate(everyone.rows) if ended_by(day, row.ended_on))
        if not over:
            return everyone
        found = self._finders.get(over)
        if found is None:
            found = everyone.without(over)
            _remember(self._finders, over, found)
        return found


def _nearby(session: Session, base: _Base) -> NearbySubjects:
    """Everything with a shape of its own that a duty names, and the places that are called like a unit."""
    wanted: dict[str, set[str]] = {}
    for duty in base.duties:
        wanted.setdefault(duty.subject_kind, set()).add(duty.subject_code)
    return NearbySubjects(ground_subjects(session, wanted, base.units))


def _remember(kept: OrderedDict[Any, Any], key: object, value: object) -> None:
    kept[key] = value
    while len(kept) > _KEEP:
        kept.popitem(last=False)


SnapshotSource = Callable[[date], Snapshot]
