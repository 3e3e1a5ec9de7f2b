"""The grid of every incident again, after grids came, moved or went: an incident is judged by its day's edition.

What is due is written down in the transaction that changes the grids, so that a crash before the end of the work is
made good at the next start.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from service.db.engine import Database
from service.db.spatial import raw_geometry, read_points
from service.files.table import objects
from service.grids.draft_queries import SUBJECT
from service.incidents.importing import locate_by_day
from service.incidents.models import Incident
from service.records import counters, jobs
from service.records.audit import Subject, append
from service.records.jobs import Work

_READ, _WRITTEN = 100_000, 5_000


def relocate_if_due(
    database: Database,
    advance: Callable[[int, int], None] | None = None,
    at_end: Callable[[Session, int], None] | None = None,
) -> int:
    """Give incidents the grid and community of their day's edition; how many changed. Holds the lock briefly.

    `advance` is called with rows looked at and all of them; `at_end` runs in the last transaction with how many
    changed, also when nothing was due.
    """
    with database.read() as session:
        due = counters.relocation_due(session)
        total = session.scalar(select(func.count(Incident.id))) or 0
    if not due:
        if at_end is not None:
            with database.write() as session:
                at_end(session, 0)
        return 0
    seen, after = 0, 0
    while True:
        if advance is not None:
            advance(min(seen, total), total)
        with database.read() as session:
            ids, grids, homes, after = _moved(session, after)
        for start in range(0, len(ids), _WRITTEN):
            part = slice(start, start + _WRITTEN)
            with database.write() as session:
                _write(session, ids[part], grids[part], homes[part])
                counters.relocated_more(session, len(ids[part]))
            if advance is not None:
                advance(min(seen, total), total)
        seen += _READ
        if not after:
            break
    with database.write() as session:
        if counters.relocated_so_far(session):
            counters.move(session, counters.INCIDENTS)
        changed = counters.relocated(session, due)
        if at_end is not None:
            at_end(session, changed)
    return changed


def relocate_job(work: Work) -> dict[str, Any]:
    """The handler of jobs.RELOCATE. Run twice it goes on where it broke off; the trail has one line of it."""
    given, message = work.given, "看过的事项"

    def told(session: Session, changed: int) -> None:
        subject = Subject(SUBJECT, str(given["draft"]), given["name"])
        after = {"starts_on": given["on"], "relocated": changed}
        append(session, work.actor, "draft.relocate", work.now, subject, after=after)

    changed = relocate_if_due(work.database, lambda done, total: work.progress(done, total, message), told)
    return {"draft": given["draft"], "changed": changed}


def make_good(database: Database) -> int:
    """What a crash left undone, unless a job is to do it."""
    with database.read() as session:
        if jobs.under_way(session, jobs.RELOCATE) is not None:
            return 0
    return relocate_if_due(database)


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
