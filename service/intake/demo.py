"""The demo: read like anybody's files, its offsets turned into dates that end on the day of loading."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from service.clock import SHANGHAI, local_date
from service.config import ROOT, Settings
from service.db.engine import Database
from service.duties.models import Duty
from service.files.reader import ReadOptions, read_source
from service.files.table import SourceTable, objects
from service.frontages.models import Frontage
from service.grids.draft_models import Draft
from service.grids.models import Community, Edition, Grid, TilingFault
from service.incidents.models import Incident
from service.intake.relocating import relocate_if_due
from service.intake.run import Request, apply_table
from service.people.models import Account, Organisation, Person
from service.places.models import Building, Place, Street
from service.records import attachments, batches, counters
from service.records.audit import COMMAND_LINE, Actor, append
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
    out = {}
    for kind, name in _ORDER:
        table = read_source(FOLDER / name, ReadOptions())
        shift(table, int(manifest["reference_weekday"]), now)
        request = Request(kind=kind, files=(FOLDER / name,))
        result = apply_table(database, settings, request, table, now, demo=True)
        out[kind] = int(result.summary["accepted"])
    return out


def reference_day(today: date, weekday: int) -> date:
    """The first day with the generator's weekday from today on.

    >>> reference_day(date(2026, 11, 25), 0), reference_day(date(2026, 11, 23), 0)
    (datetime.date(2026, 11, 30), datetime.date(2026, 11, 23))
    """
    return today + timedelta(days=(weekday - today.weekday()) % 7)


def shift(table: SourceTable, weekday: int, now: datetime) -> None:
    """Turn `…_offset` (days) and `…_offset_minutes` columns into dates and times, in place (see TRUTH.md).

    Days count from the day of loading. Closed incidents move by whole weeks, so that weekdays keep their rhythm, and
    those that lie after now are left out; open ones count from the day of loading, so that they are as late as planned.
    """
    today = local_date(now)
    columns: dict[str, Any] = {}
    for name, values in table.columns.items():
        if name.endswith("_offset"):
            dates = [None if v in (None, "") else today + timedelta(days=int(float(v))) for v in values.tolist()]
            columns[_DATES.get(name, name.removesuffix("_offset"))] = objects(dates)
        elif not name.endswith("_offset_minutes"):
            columns[name] = values
    if "reported_offset_minutes" not in table.columns:
        table.columns = columns
        return
    opened = [value in (None, "") for value in table.columns["closed_offset_minutes"].tolist()]
    starts = [_midnight(today) if one else _midnight(reference_day(today, weekday)) for one in opened]
    for name in ("reported", "due", "closed"):
        pairs = zip(table.columns[f"{name}_offset_minutes"].tolist(), starts, strict=True)
        columns[f"{name}_at"] = objects(
            [None if v in (None, "") else start + timedelta(minutes=float(v)) for v, start in pairs]
        )
    table.columns = columns
    ends = zip(columns["reported_at"].tolist(), columns["closed_at"].tolist(), strict=True)
    table.keep(np.array([max(filter(None, pair)) <= now for pair in ends], dtype=bool))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)


_DATES = {"starts_offset": "starts_on", "ends_offset": "ends_on"}


def remove_demo(database: Database, now: datetime, by: Actor = COMMAND_LINE) -> dict[str, int]:
    """Remove the demo and nothing else; how many rows went. Demo rows that own imports took over stay."""
    gone: dict[str, int] = {}
    with database.write() as session:
        demo = list(session.scalars(select(ImportBatch.id).where(ImportBatch.demo.is_(True))))
        for kind, model in _WITH_PHOTOS.items():
            attachments.hide_all(session, kind, select(model.code).where(model.batch_id.in_(demo)), now)
        for model in (Draft, *_PLAIN, TilingFault, Grid):
            gone[model.__tablename__] = _delete(session, model, demo)
        used = select(Grid.edition_id)  # an own grid keeps its edition, and that its community
        gone["editions"] = _delete(session, Edition, demo, Edition.id.not_in(used))
        kept = select(Edition.community_code)
        gone["communities"] = _delete(session, Community, demo, Community.code.not_in(kept))
        batches.removed(session, demo, now)
        session.execute(delete(Account).where(Account.demo.is_(True)))
        for name in counters.NAMES:
            counters.move(session, name)
        counters.ask_relocation(session)
        counters.move(session, counters.ACCOUNTS)
        append(session, by, "demo.remove", now, before=gone)
    relocate_if_due(database)
    return {name: count for name, count in gone.items() if count}


def _delete(session: Session, model: Any, batches: list[int], *more: Any) -> int:
    return int(session.execute(delete(model).where(model.batch_id.in_(batches), *more)).rowcount)  # type: ignore[attr-defined]


_WITH_PHOTOS: dict[str, Any] = {"frontages": Frontage, "places": Place, "buildings": Building}
_PLAIN = (Incident, Duty, Frontage, Place, Building, Street, Person, Organisation)
