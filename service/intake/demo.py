"""The demo: read like anybody's files, its offsets turned into dates that end on the day of loading."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
from sqlalchemy import delete, select

from service.clock import SHANGHAI, local_date
from service.config import ROOT, Settings
from service.db.engine import Database
from service.files.reader import ReadOptions, read_source
from service.files.table import SourceTable, objects
from service.intake.kinds import KINDS
from service.intake.run import Request, apply_table
from service.people.models import Account
from service.records import counters
from service.records.models import ImportBatch

FOLDER = ROOT / "gis_data" / "demo"
_ORDER = (
    ("organisations", "organisations.csv"),
    ("people", "persons.csv"),
    ("communities", "communities.geojson"),
    ("grids", "grids.geojson"),
    ("streets", "streets.geojson"),
    ("buildings", "buildings.geojson"),
    ("places", "places.geojson"),
    ("frontages", "frontages.geojson"),
    ("duties", "duties.csv"),
    ("incidents", "incidents.csv"),
)


def load_demo(database: Database, settings: Settings, now: datetime) -> dict[str, int]:
    """Load every file of the demo; how many rows of each kind were stored."""
    manifest = json.loads((FOLDER / "demo.json").read_text(encoding="utf-8"))
    day = reference_day(local_date(now), int(manifest.get("reference_weekday", 0)))
    out = {}
    for kind, name in _ORDER:
        table = read_source(FOLDER / name, ReadOptions())
        shift(table, day, now)
        request = Request(kind=kind, files=(FOLDER / name,))
        result = apply_table(database, settings, request, table, now, demo=True)
        out[kind] = int(result.summary["accepted"])
    return out


def reference_day(today: date, weekday: int) -> date:
    """The first day with the generator's weekday from today on: shifted by whole weeks, what is later is cut off.

    >>> reference_day(date(2026, 11, 25), 0), reference_day(date(2026, 11, 23), 0)
    (datetime.date(2026, 11, 30), datetime.date(2026, 11, 23))
    """
    return today + timedelta(days=(weekday - today.weekday()) % 7)


def shift(table: SourceTable, day: date, now: datetime) -> None:
    """Turn `…_offset` (days) and `…_offset_minutes` columns into dates and times, in place."""
    midnight = datetime.combine(day, time(), SHANGHAI).astimezone(UTC)
    columns: dict[str, Any] = {}
    for name, values in table.columns.items():
        if name.endswith("_offset_minutes"):
            moved = [None if v in (None, "") else midnight + timedelta(minutes=float(v)) for v in values.tolist()]
            columns[name.removesuffix("_offset_minutes") + "_at"] = objects(moved)
        elif name.endswith("_offset"):
            dates = [None if v in (None, "") else day + timedelta(days=int(float(v))) for v in values.tolist()]
            columns[_DATES.get(name, name.removesuffix("_offset"))] = objects(dates)
        else:
            columns[name] = values
    table.columns = columns
    if "reported_at" in columns:
        _end_now(table, now)


def _end_now(table: SourceTable, now: datetime) -> None:
    """Cut off what is reported after now; what is closed after now stands where it would stand now."""
    reported, closed, state = (table.columns[name] for name in ("reported_at", "closed_at", "state"))
    for i, moment in enumerate(closed.tolist()):
        if moment is not None and moment > now and reported[i] is not None:
            closed[i], state[i] = None, _state_now(now - reported[i], moment - now)
    table.keep(np.array([one is None or one <= now for one in reported.tolist()], dtype=bool))


def _state_now(age: timedelta, left: timedelta) -> str:
    """Where an incident stands so long after it was reported and so long before it is closed."""
    if age < timedelta(hours=8):
        return "unverified"
    if age < timedelta(hours=20):
        return "undispatched"
    return "inspecting" if left < timedelta(hours=12) else "handling"


_DATES = {"starts_offset": "starts_on", "ends_offset": "ends_on"}


def remove_demo(database: Database, now: datetime) -> dict[str, int]:
    """Remove the demo and nothing else; how many rows went. Demo rows that own imports took over stay."""
    gone: dict[str, int] = {}
    with database.write() as session:
        demo = list(session.scalars(select(ImportBatch.id).where(ImportBatch.demo.is_(True))))
        if demo:
            for kind in reversed(list(KINDS.values())):
                for name, model in kind.tables.items():
                    if name in gone:
                        continue
                    statement = delete(model).where(model.batch_id.in_(demo))  # type: ignore[attr-defined]
                    gone[name] = int(session.execute(statement).rowcount)  # type: ignore[attr-defined]
            session.execute(delete(ImportBatch).where(ImportBatch.id.in_(demo)))
        session.execute(delete(Account).where(Account.demo.is_(True)))
        for name in counters.NAMES:
            counters.move(session, name)
    return {name: count for name, count in gone.items() if count}
