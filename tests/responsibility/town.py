"""A small town of five zones in two editions, with its people: imported like anybody's files."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import shapely

from service.config import Settings
from service.db.engine import Database
from service.intake.run import Request, run_import
from service.responsibility.keeper import Responsibility
from tests.conftest import MONDAY_NOON

WEST, SOUTH, STEP = 109.88, 31.07, 0.001
"""A step is 95.4 m from west to east and 110.9 m from south to north."""
WEST_HOME, EAST_HOME, OFFICE = "500237002001", "500237002002", "500237002"
A1, A2, SPECIAL = WEST_HOME + "001", WEST_HOME + "002", WEST_HOME + "900"
B1, B2 = EAST_HOME + "001", EAST_HOME + "002"
MICRO = A1 + "01"
SECOND_EDITION = date(2026, 7, 1)
"""From here on the border of A1 and A2 runs along x = 6 instead of 5."""


def at(x: float, y: float) -> tuple[float, float]:
    """Longitude and latitude so many steps from the town's south-western corner."""
    return WEST + x * STEP, SOUTH + y * STEP


def box(x1: float, y1: float, x2: float, y2: float) -> shapely.Polygon:
    return shapely.box(*at(x1, y1), *at(x2, y2))


_HOMES = [
    (box(0, 0, 12, 5), {"code": WEST_HOME, "name": "聚鹤社区"}),
    (box(0, 5, 12, 10), {"code": EAST_HOME, "name": "龙江社区"}),
]
_NORTH = [  # B1 and B2 overlap between x = 8 and 9
    (box(0, 5, 9, 10), {"code": B1, "community_code": EAST_HOME, "kind": "grid"}),
    (box(8, 5, 12, 10), {"code": B2, "community_code": EAST_HOME, "kind": "grid"}),
]


def _south(border: float) -> list[tuple[shapely.Geometry, dict[str, Any]]]:
    return [
        (box(0, 0, border, 5), {"code": A1, "community_code": WEST_HOME, "kind": "grid"}),
        (box(border, 0, 10, 5), {"code": A2, "community_code": WEST_HOME, "kind": "grid"}),
        (box(10, 0, 12, 5), {"code": SPECIAL, "community_code": WEST_HOME, "kind": "special"}),
        (box(0, 0, 2, 2), {"code": MICRO, "community_code": WEST_HOME, "kind": "micro_grid", "parent_code": A1}),
    ]


_PEOPLE = [
    {"code": code, "name": name, "phone": f"1380000{serial:04d}"}
    for serial, (code, name) in enumerate(
        [
            ("P1", "张三"),
            ("P2", "李四"),
            ("P3", "王五"),
            ("P4", "赵六"),
            ("P5", "钱七"),
            ("P6", "孙八"),
            ("P7", "周九"),
            ("P8", "吴十"),
        ]
    )
]
HANDOVER = date(2026, 11, 1)
LEAVE = (date(2026, 11, 20), date(2026, 11, 25))
_DUTIES: list[dict[str, Any]] = [
    {"code": "D1", "role": "grid_leader", "kind": "grid", "subject": A1, "person": "P1", "ends": HANDOVER},
    {
        "code": "D2",
        "role": "grid_leader",
        "kind": "grid",
        "subject": A1,
        "person": "P2",
        "acting": "P3",
        "acting_from": LEAVE[0],
        "acting_until": LEAVE[1],
        "starts": HANDOVER,
    },
    {"code": "D3", "role": "grid_officer", "kind": "grid", "subject": A1, "person": "P3"},
    {"code": "D4", "role": "micro_leader", "kind": "micro_grid", "subject": MICRO, "person": "P4"},
    {"code": "D5", "role": "community_head", "kind": "community", "subject": WEST_HOME, "person": "P5"},
    {"code": "D6", "role": "area_leader", "kind": "community", "subject": WEST_HOME, "person": "P6"},
    {"code": "D7", "role": "first_responsible", "kind": "subdistrict", "subject": OFFICE, "person": "P7"},
    {"code": "D8", "role": "grid_leader", "kind": "grid", "subject": SPECIAL, "person": "P8"},
]
DUTY_FIELDS = {
    "code": "code",
    "role": "role",
    "kind": "subject_kind",
    "subject": "subject_code",
    "person": "person_code",
    "acting": "acting_code",
    "acting_from": "acting_from",
    "acting_until": "acting_until",
    "starts": "starts_on",
    "ends": "ends_on",
}


def _front(x1: float, x2: float, y: float) -> shapely.LineString:
    return shapely.LineString([at(x1, y), at(x2, y)])


_FRONTAGES = [
    (_front(1.0, 1.1, 1), {"code": "F1", "shop_name": "张记", "person_name": "郑店长", "phone": "13900000001"}),
    (_front(1.0, 1.1, 1.1), {"code": "F2", "shop_name": "李记", "state": "vacant", "owner_name": "房东"}),
    (_front(3.0, 3.1, 3), {"code": "F3", "shop_name": "无人铺"}),
]


def load_town(database: Database, settings: Settings, folder: Path) -> None:
    """A filling: the whole town, imported."""
    bring(database, settings, "communities", layer(folder / "communities.geojson", _HOMES))
    bring(database, settings, "grids", first_edition(folder))
    later = layer(folder / "later.geojson", _south(6))
    bring(database, settings, "grids", later, edition=SECOND_EDITION)
    bring(database, settings, "people", sheet(folder / "people.csv", _PEOPLE))
    duties(database, settings, folder, _DUTIES)
    bring(database, settings, "frontages", layer(folder / "frontages.geojson", _FRONTAGES))


def first_edition(folder: Path) -> Path:
    """The file of the grids as they were first."""
    return layer(folder / "grids.geojson", [*_south(5), *_NORTH])


def duties(database: Database, settings: Settings, folder: Path, rows: list[dict[str, Any]]) -> None:
    """Import duties; fields that a row doesn't name are empty."""
    full = [{column: row.get(short, "") for short, column in DUTY_FIELDS.items()} for row in rows]
    bring(database, settings, "duties", sheet(folder / "duties.csv", full))


def bring(database: Database, settings: Settings, kind: str, path: Path, **options: Any) -> None:
    done = run_import(database, settings, Request(kind=kind, files=(path,), **options), MONDAY_NOON)
    assert done.exit_code == 0, done.messages


def layer(path: Path, rows: list[tuple[shapely.Geometry, dict[str, Any]]]) -> Path:
    features = [
        {"type": "Feature", "properties": properties, "geometry": json.loads(shapely.to_geojson(shape))}
        for shape, properties in rows
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def sheet(path: Path, rows: list[dict[str, Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def keeper_of(database: Database) -> Responsibility:
    """What a worker holds."""
    return Responsibility(database, OFFICE, "龙门街道")
