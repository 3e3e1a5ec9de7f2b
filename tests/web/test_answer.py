"""The answer panel where there is no grid: what is open near by is told all the same."""

from __future__ import annotations

from pathlib import Path

from service.app import create_app
from service.config import Settings
from service.db.engine import Database
from service.people.accounts import create_account
from tests.conftest import MONDAY_NOON, PASSWORD, bearer
from tests.intake.conftest import bring, put


def test_incidents_near_by_are_told_where_no_grid_is(database: Database, settings: Settings, tmp_path: Path) -> None:
    rows = "H1,2026-11-20 09:00,店外经营,109.800000,31.000000\nH2,2026-11-20 09:00,道路不洁,109.810000,31.000000\n"
    bring(database, settings, "incidents", put(tmp_path / "事项.csv", "编号,上报时间,类别,经度,纬度\n" + rows))
    with database.write() as session:
        create_account(session, "viewer", "viewer", PASSWORD, MONDAY_NOON)
    app = create_app(settings)
    panel = bearer(app, "viewer").get("/map/answer", query_string={"lon": "109.8002", "lat": "31.0001"}).text
    assert "这里不在任何网格里" in panel
    assert "店外经营" in panel and "道路不洁" not in panel
    assert "店外经营" not in app.test_client().get("/map/answer?lon=109.8002&lat=31.0001").text
    app.extensions["steward"].database.close()
