"""The grid of every incident again, after grids came, moved or went: an incident is judged by its day's edition.

What is due is written down in the transaction that changes the grids, so that a crash before the end of the work is
made good at the next start.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from service.db.engine import Database
from service.db.spatial import raw_geometry, read_points
from service.files.table import objects
from service.incidents.importing import locate_by_day
from service.incidents.models import Incident
from service.records import counters

_READ, _WRITTEN = 100_000, 5_000


def relocate_if_due(database: Database) -> int:
    """Give incidents the grid and community of their day's edition; how many changed. Holds the lock briefly."""
    with database.read() as session:
        due = counters.relocation_due(session)
    if not due:
        return 0
    changed, after = 0, 0
    while True:
        with database.read() as session:
            ids, grids, homes, after = _moved(session, after)
        for start in range(0, len(ids), _WRITTEN):
            part = slice(start, start + _WRITTEN)
            with database.write() as session:
                _write(session, ids[part], grids[part], homes[part])
        changed += len(ids)
        if not after:
            break
    with database.write() as session:
        counters.relocated(session, due)
        if changed:
            counters.move(session, counters.INCIDENTS)
    return changed


def _moved(session: Session, after: int) -> tuple[list[int], list[Any], list[Any], int]:
    """Of the next hundred thousand incidents those whose stored grid differs from the right one, with the right ones;
    last the id to go on after, 0 at the end."""
    columns = (Incident.id, Incident.reported_at, Incident.grid_code, Incident.community_code)
    rows = session.execute(
        select(*columns, raw_geometry(Incident.geom)).where(Incident.id > after).order_by(Incident.id).limit(_READ)
    ).all()
    if not rows:
        return [], [], [], 0
    ids, reported, stored_grid, stored_home, raw = zip(*rows, strict=True)
    lon, lat = read_points(raw)
    moments = np.array([round(one.timestamp() * 1000) for one in reported], dtype="datetime64[ms]")
    grid, home = locate_by_day(session, moments, lon, lat)
    differs = np.flatnonzero((grid != objects(stored_grid)) | (home != objects(stored_home))).tolist()
    last = ids[-1] if len(rows) == _READ else 0
    return [ids[i] for i in differs], [grid[i] for i in differs], [home[i] for i in differs], last


def _write(session: Session, ids: list[int], grids: list[Any], homes: list[Any]) -> None:
    table: Any = Incident.__table__
    values: dict[str, Any] = {"grid_code": bindparam("of_grid"), "community_code": bindparam("of_home")}
    statement = update(table).where(table.c.id == bindparam("of_id")).values(values)
    session.execute(
        statement,
        [{"of_id": i, "of_grid": grid, "of_home": home} for i, grid, home in zip(ids, grids, homes, strict=True)],
    )
