"""The demo town with many incidents, in a store of its own."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np

from service.bench.figures import Context
from service.clock import utcnow
from service.config import load_settings
from service.db.bulk import insert_columns
from service.db.engine import Database
from service.geo.points import Points
from service.incidents.columns import IncidentColumns
from service.incidents.importing import locate_by_day
from service.incidents.models import Incident
from service.intake.demo import load_demo
from service.records import counters
from service.serving import migrate_store
from service.taxonomy.queries import reference

_STATES = ("undispatched", "handling", "inspecting", "closed")
_SHARES = (0.10, 0.15, 0.05, 0.70)
_NEAR_DEGREES = 0.0008
_DAYS = 730


def filled_town(data_dir: Path, incidents: int, context: Context) -> tuple[float, float, float, float]:
    """The demo in `data_dir`, filled up to so many incidents, half of them near the demo's own.

    Returns (west, south, east, north) of nearly all of them.
    """
    settings = load_settings(data_dir=data_dir, database_url="")
    migrate_store(settings)
    database, now = Database(settings.store_url), utcnow()
    load_demo(database, settings, now)
    known = IncidentColumns(database).current()
    n = max(0, incidents - len(known.rows.ids))
    rng = context.rng()
    bounds = known.bounds()
    assert bounds is not None
    west, south, east, north = bounds
    here = ~np.isnan(known.rows.lon)
    at = rng.integers(0, int(here.sum()), n)
    near = rng.random(n) < 0.5
    lon = np.where(near, rng.normal(known.rows.lon[here][at], _NEAR_DEGREES), rng.uniform(west, east, n))
    lat = np.where(near, rng.normal(known.rows.lat[here][at], _NEAR_DEGREES), rng.uniform(south, north, n))
    ago = rng.integers(60, _DAYS * 86_400, n).astype("timedelta64[s]")
    reported = np.datetime64(now.replace(tzinfo=None), "ms") - ago
    state = rng.choice(np.array(_STATES, dtype=object), n, p=_SHARES)
    closed = np.where(state == "closed", reported + ago // 2, np.datetime64("NaT", "ms")).astype("datetime64[ms]")
    due = reported + rng.integers(1, 40, n).astype("timedelta64[D]")
    due[state != "closed"] += np.where(rng.random(int((state != "closed").sum())) < 0.7, _later(_DAYS), _later(0))
    codes = np.array([(row.code, row.name) for row in reference()], dtype=object)
    kind = rng.integers(0, len(codes), n)
    with database.read() as session:
        grid, home = locate_by_day(session, reported, lon, lat)
    columns = {
        "number": np.array([f"B{i:08d}" for i in range(n)], dtype=object),
        "category": codes[kind, 0],
        "category_name": codes[kind, 1],
        "state": state,
        "reported_at": reported,
        "due_at": due,
        "closed_at": closed,
        "grid_code": grid,
        "community_code": home,
    }
    with database.write() as session:
        insert_columns(session, Incident.__table__, columns, Points(lon, lat))  # type: ignore[arg-type]
        counters.move(session, counters.INCIDENTS)
    database.close()
    return west, south, east, north


def _later(days: int) -> np.timedelta64:
    return np.timedelta64(timedelta(days=days))
