"""Points on their way into files: as two arrays they read like shapes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from service.documents.layers import write_geojson
from service.documents.spreadsheets import write_csv
from service.documents.tables import POINTS, Chunk, Column, Table
from service.geo.points import Points

SPOTS = Points(np.array([109.88, np.nan, 109.8812345]), np.array([31.07, np.nan, 31.07]))
ROWS = [("=1+1", None), ("'=x", 2), ("店", 3)]


@pytest.mark.parametrize("on_map", [SPOTS, SPOTS.shapes()], ids=["arrays", "shapes"])
def test_points_are_written_alike(tmp_path: Path, on_map: Points | np.ndarray) -> None:
    table = Table("事项", (Column("名"), Column("数", "number")), [Chunk(ROWS, on_map)], POINTS, "Point")  # type: ignore[list-item]
    assert write_csv(tmp_path / "a.csv", table) == 3
    told = (tmp_path / "a.csv").read_text("utf-8-sig").splitlines()
    assert told == ["名,数,经度,纬度", "'=1+1,,109.88,31.07", "''=x,2,,", "店,3,109.8812345,31.07"]
    write_geojson(tmp_path / "a.geojson", table)
    assert (tmp_path / "a.geojson").read_text("utf-8").count('"coordinates"') == 2
