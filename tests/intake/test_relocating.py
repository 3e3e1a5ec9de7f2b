"""An incident lies in the grid of its day's edition, whatever came first and whatever was corrected since."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import shapely
from sqlalchemy import select

from service.config import Settings
from service.db.engine import Database
from service.incidents.models import Incident
from service.intake.applying import undo_unfinished
from service.records import counters
from tests.conftest import MONDAY_NOON
from tests.intake.conftest import bring, put

INCIDENTS = "编号,上报时间,经度,纬度\nA1,2026-02-01 09:00,109.8025,31.005\nA2,2026-06-01 09:00,109.8075,31.005\n"


def grids(path: Path, border: float) -> Path:
    """Two grids that meet at `border` of longitude."""
    boxes = {"G1": shapely.box(109.8, 31.0, border, 31.01), "G2": shapely.box(border, 31.0, 109.81, 31.01)}
    features = [
        {"type": "Feature", "geometry": json.loads(shapely.to_geojson(box)), "properties": {"code": code}}
        for code, box in boxes.items()
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def where(database: Database) -> dict[str, tuple[str | None, str | None]]:
    with database.read() as session:
        rows = session.execute(select(Incident.number, Incident.grid_code, Incident.community_code))
        return {number: (grid, home) for number, grid, home in rows}


def test_incidents_that_came_before_the_grids_are_located_when_these_come(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    bring(database, settings, "incidents", put(tmp_path / "事项.csv", INCIDENTS))
    assert where(database) == {"A1": (None, None), "A2": (None, None)}
    bring(database, settings, "communities", put(tmp_path / "社区.csv", "编码,名称\nC1,东社区\n"))
    bring(database, settings, "grids", grids(tmp_path / "网格.geojson", 109.805))
    assert where(database) == {"A1": ("G1", "C1"), "A2": ("G2", "C1")}


def test_a_corrected_border_and_a_later_edition_move_the_incidents_of_their_days(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    bring(database, settings, "communities", put(tmp_path / "社区.csv", "编码,名称\nC1,东社区\n"))
    bring(database, settings, "grids", grids(tmp_path / "网格.geojson", 109.805))
    bring(database, settings, "incidents", put(tmp_path / "事项.csv", INCIDENTS))
    with database.read() as session:
        before = counters.read_all(session)[counters.INCIDENTS]
    bring(database, settings, "grids", grids(tmp_path / "新版.geojson", 109.808), edition=date(2026, 5, 1))
    assert where(database) == {"A1": ("G1", "C1"), "A2": ("G1", "C1")}, "only what was reported since the new edition"
    bring(database, settings, "grids", grids(tmp_path / "改正.geojson", 109.807), edition=date(2026, 5, 1))
    assert where(database)["A2"] == ("G2", "C1")
    with database.read() as session:
        assert counters.read_all(session)[counters.INCIDENTS] >= before + 2
        assert not counters.relocation_due(session)


def test_what_a_crash_left_unlocated_is_made_good_at_the_next_start(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    bring(database, settings, "communities", put(tmp_path / "社区.csv", "编码,名称\nC1,东社区\n"))
    bring(database, settings, "grids", grids(tmp_path / "网格.geojson", 109.805))
    bring(database, settings, "incidents", put(tmp_path / "事项.csv", INCIDENTS))
    with database.write() as session:  # as if the process had died right after the grids were stored
        for row in session.scalars(select(Incident)):
            row.grid_code = row.community_code = None
        counters.ask_relocation(session)
    undo_unfinished(database, MONDAY_NOON)
    assert where(database) == {"A1": ("G1", "C1"), "A2": ("G2", "C1")}
