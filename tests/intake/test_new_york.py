"""A stranger's files by the commands that a stranger would type: New York, Houston, San Francisco."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import select

from service.config import Settings
from service.db.engine import Database
from service.db.spatial import raw_geometry, read_points
from service.incidents.models import Incident
from service.intake.run import Request, Result, run_import
from service.responsibility.keeper import Responsibility
from service.responsibility.lookup import Distances, locate_many
from tests.conftest import MONDAY_NOON

BOROUGHS = {"MANHATTAN": "1", "BRONX": "2", "BROOKLYN": "3", "QUEENS": "4", "STATEN ISLAND": "5"}
DISTRICTS = {"code": "GEOCODE", "name": "GEONAME", "community_code": "BOROUGH"}


def bring(database: Database, settings: Settings, kind: str, path: Path, **options: Any) -> Result:
    return run_import(database, settings, Request(kind=kind, files=(path,), **options), MONDAY_NOON)


@pytest.fixture
def new_york(database: Database, settings: Settings, shared_data: Path) -> Database:
    """Boroughs as communities, all 71 districts as grids."""
    zones = shared_data / "nyc_zones"
    names = {"code": "BoroCode", "name": "BoroName"}
    assert bring(database, settings, "communities", zones / "borough.geo.json", mapping=names).exit_code == 0
    done = bring(database, settings, "grids", zones / "CD.geo.json", mapping=DISTRICTS, duplicates="number")
    assert (done.summary["read"], done.summary["accepted"], done.exit_code) == (71, 71, 0)
    return database


def test_repeated_codes_are_named(database: Database, settings: Settings, shared_data: Path) -> None:
    zones = shared_data / "nyc_zones"
    bring(
        database, settings, "communities", zones / "borough.geo.json", mapping={"code": "BoroCode", "name": "BoroName"}
    )
    done = bring(database, settings, "grids", zones / "CD.geo.json", mapping=DISTRICTS)
    assert (done.summary["accepted"], done.summary["rejected"], done.exit_code) == (65, 6, 3)
    assert sum("“0”重复" in line for line in done.messages) == 6


def test_the_lookup_agrees_with_the_records_own_community_board(
    new_york: Database, settings: Settings, shared_data: Path
) -> None:
    """96.05 % of the located rows agree (SOURCE.txt of the data set; the others are park codes and edges)."""
    path = shared_data / "nyc_311_animals" / "311_Animals_short.csv"
    done = bring(new_york, settings, "incidents", path, time_zone="America/New_York")
    assert (done.summary["read"], done.summary["accepted"], done.exit_code) == (4969, 4969, 0)
    again = bring(new_york, settings, "incidents", path, time_zone="America/New_York")
    assert (again.summary["unchanged"], again.summary["updated"]) == (4969, 0)
    with path.open(encoding="utf-8", newline="") as rows:
        located = [row for row in csv.DictReader(rows) if row["Latitude"]]
    snapshot = Responsibility(new_york, "1", "New York").on(date(2026, 11, 23))
    lon = np.array([float(row["Longitude"]) for row in located])
    lat = np.array([float(row["Latitude"]) for row in located])
    grids, homes, _ = locate_many(snapshot, lon, lat, Distances())
    stated = [board(row["Community Board"]) for row in located]
    agree = sum(grid == one for grid, one in zip(grids, stated, strict=True))
    assert len(located) == 4907
    assert agree / len(located) >= 0.960
    right = sum(home == BOROUGHS.get(row["Borough"]) for home, row in zip(homes, located, strict=True))
    assert right / len(located) > 0.99


def board(text: str) -> str:
    """
    >>> board("05 BROOKLYN")
    '305'
    """
    number, _, borough = text.partition(" ")
    return BOROUGHS.get(borough, "?") + number


OFFENSES = {"theft": 46556, "burglary": 17802, "auto theft": 7946, "aggravated assault": 7177, "robbery": 6298}


def test_houston_without_grids(database: Database, settings: Settings, shared_data: Path) -> None:
    """Its `type` is a street's suffix, its `time` is UTC, its day and hour stand in two columns, local."""
    path = shared_data / "houston_crime_2010" / "houston_crime_2010.csv.gz"
    done = bring(database, settings, "incidents", path, time_zone="America/Chicago")
    assert (done.summary["read"], done.summary["accepted"]) == (86314, 86314)
    assert any("5 行没有坐标" in line for line in done.summary["warnings"])
    taken = {"category_name": "offense", "reported_at": "date", "reported_clock": "hour"}
    assert done.summary["columns"].items() >= taken.items()
    assert any("类别 ← offense" in line and "上报钟点 ← hour" in line for line in done.summary["warnings"])
    assert any("没有用到的列：time、premise" in line and "type" in line for line in done.summary["warnings"])
    with gzip.open(path, "rt", encoding="utf-8", newline="") as rows:
        hours = Counter(int(row["hour"]) for row in csv.DictReader(rows))
    with database.read() as session:
        kept = session.execute(select(Incident.reported_at, Incident.category_name)).all()
    assert Counter(name for _, name in kept).items() >= OFFENSES.items()
    local = Counter(moment.astimezone(ZoneInfo("America/Chicago")).hour for moment, _ in kept)
    assert len(hours) == 24
    # In the night the clocks went forward, 02:00 to 02:59 never was: 14 March 2010.
    assert {hour: n for hour, n in local.items() if hour not in (2, 3)} == {
        hour: n for hour, n in hours.items() if hour not in (2, 3)
    }
    assert local[2] + local[3] == hours[2] + hours[3]


def test_san_franciscos_projected_points(database: Database, settings: Settings, shared_data: Path) -> None:
    """The file's own X and Y columns are the truth for its projected geometry (EPSG:2227, US feet)."""
    path = shared_data / "sf_crime_2012" / "sf_crime_2012h2.gpkg"
    done = bring(database, settings, "incidents", path, time_zone="America/Los_Angeles")
    assert (done.summary["read"], done.summary["accepted"]) == (13472, 13472)
    with database.read() as session:
        lon, lat = read_points(list(session.scalars(select(raw_geometry(Incident.geom)))))
    assert lon.min() > -122.52 and lon.max() < -122.36
    assert lat.min() > 37.70 and lat.max() < 37.83
    # The source's `Time` lost its hours: each is 1899-12-30 00:00, and says nothing.
    assert done.summary["columns"]["reported_at"] == "Date" and "reported_clock" not in done.summary["columns"]
