"""The live GeoPackage: what GDAL and SQLite say of it, and that many writers lose nothing."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from sqlalchemy import delete, func, select, text, update

from service.db import gpkg
from service.db.bulk import insert_columns
from service.db.engine import Database
from service.db.spatial import encode, raw_geometry, read_geometries, within_bbox
from service.geo.values import BBox
from service.incidents.models import Incident
from service.people.models import Organisation
from service.places.models import Building, Street
from tests.db.writers import open_new, write_many
from tests.stores import MONDAY_NOON, Stores, nothing


@pytest.fixture
def store(stores: Stores, tmp_path: Path) -> Iterator[Database]:
    with stores.copied("gpkg", nothing, tmp_path) as url:
        yield Database(url)


def incidents(n: int, seed: int = 1) -> tuple[dict[str, object], np.ndarray]:
    rng = np.random.default_rng(seed)
    points = shapely.points(rng.uniform(109.8, 109.9, n), rng.uniform(31.0, 31.1, n))
    points = np.array(points, dtype=object)
    points[::7] = None
    columns = {
        "number": [f"{seed}-{i}" for i in range(n)],
        "state": ["handling"] * n,
        "reported_at": np.full(n, np.datetime64("2026-11-01T00:00:00", "ms")),
    }
    return columns, points


def tree_equals_table(store: Database, table: str) -> bool:
    """The R*Tree holds exactly the boxes of the table's geometries, rounded outward to float32."""
    with sqlite3.connect(store.path) as db:
        rows = db.execute(f'SELECT id, geom FROM "{table}" WHERE geom NOTNULL').fetchall()
        tree = {row[0]: row[1:] for row in db.execute(f"SELECT id, minx, maxx, miny, maxy FROM rtree_{table}_geom")}
        assert db.execute(f"SELECT rtreecheck('rtree_{table}_geom')").fetchone()[0] == "ok"
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    db.close()
    if {row[0] for row in rows} != set(tree):
        return False
    for key, blob in rows:
        west, south, east, north = gpkg.bounds(blob)
        x0, x1, y0, y1 = tree[key]
        if not (x0 <= west and east <= x1 and y0 <= south and north <= y1 and x1 - x0 < east - west + 1e-4):
            return False
    return True


@pytest.mark.parametrize("first_load", [True, False])
def test_the_index_equals_the_geometries_after_every_kind_of_change(store: Database, first_load: bool) -> None:
    columns, points = incidents(3000)
    with store.write() as session:
        insert_columns(session, Incident.__table__, columns, points, first_load=first_load)
    assert tree_equals_table(store, "incidents")
    with store.write() as session:
        session.execute(update(Incident).where(Incident.id == 2).values(geom=encode(shapely.Point(110, 30))))
        session.execute(update(Incident).where(Incident.id == 3).values(geom=None))
        session.execute(update(Incident).where(Incident.id == 1).values(geom=encode(shapely.Point(110.5, 30))))
        session.execute(update(Incident).where(Incident.id == 5).values(id=100_000))
        session.execute(delete(Incident).where(Incident.id.between(10, 200)))
        session.add(Incident(number="x", state="closed", reported_at=MONDAY_NOON, geom=encode(shapely.Point(1, 2))))
    assert tree_equals_table(store, "incidents")
    with store.write() as session:
        session.execute(delete(Incident))
    assert tree_equals_table(store, "incidents")


def test_gdal_opens_every_layer_of_the_live_file_without_a_warning(store: Database) -> None:
    columns, points = incidents(50)
    with store.write() as session:
        insert_columns(session, Incident.__table__, columns, points, first_load=True)
        line = shapely.multilinestrings([shapely.LineString([(109.8, 31), (109.9, 31.1)])])
        session.add(Street(code="s", name="龙门大道", level=0, geom=encode(line)))
    with store.write() as session:
        session.add(Organisation(code="o", name="城管办"))
        session.flush()  # a writer holds its transaction while GDAL reads
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            layers = {name for name, _ in pyogrio.list_layers(store.path)}
            frames = {name: pyogrio.read_dataframe(store.path, layer=name) for name in layers}
    assert {"incidents", "streets", "grids", "grids_current", "communities", "frontages", "places"} <= layers
    assert not layers & {"persons", "accounts", "tokens", "alembic_version", "duties"}
    assert len(frames["incidents"]) == 50
    assert frames["incidents"].crs.to_epsg() == 4326
    assert str(frames["incidents"]["reported_at"].dtype).startswith("datetime64")
    assert frames["streets"]["name"].tolist() == ["龙门大道"]


def test_the_box_filter_uses_the_index(store: Database) -> None:
    columns, points = incidents(2000)
    with store.write() as session:
        insert_columns(session, Incident.__table__, columns, points, first_load=True)
    box = BBox(109.84, 31.04, 109.86, 31.06)
    asked = select(Incident.id, raw_geometry(Incident.geom)).where(within_bbox(Incident.geom, box))
    with store.read() as session:
        found = session.execute(asked).all()
        plan = session.execute(
            text("EXPLAIN QUERY PLAN " + str(asked.compile(session.get_bind(), compile_kwargs={"literal_binds": True})))
        ).all()
    expected = sum(shapely.intersects(points, box.polygon))
    assert len(found) == expected > 0
    assert shapely.intersects(read_geometries([row[1] for row in found]), box.polygon).all()
    assert any("rtree_incidents_geom" in str(row) or "VIRTUAL TABLE" in str(row) for row in plan)


def test_the_file_is_for_its_owner_only(store: Database) -> None:
    assert os.stat(store.path).st_mode & 0o777 == 0o600


def test_eight_processes_writing_at_once_lose_nothing(store: Database) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=write_many, args=(store.url, who, 25)) for who in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0] * 8
    with store.read() as session:
        names = sorted(int(name) for name in session.scalars(select(Organisation.name)))
    assert names == list(range(200))  # each saw all that came before it


def test_eight_processes_opening_a_new_file_at_once(tmp_path: Path) -> None:
    url = f"gpkg:///{tmp_path / 'new.gpkg'}"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=open_new, args=(url, str(tmp_path))) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0] * 8
    database = Database(url)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Organisation)) == 8
    database.close()


KILLED = """
import sys
from service.db.engine import Database
from service.people.models import Organisation
database = Database(sys.argv[1])
for i in range(100000):
    with database.write() as session:
        session.add(Organisation(code=str(i), name="x"))
    print(i, flush=True)
"""


def test_what_was_acknowledged_survives_kill_9(store: Database) -> None:
    child = subprocess.Popen([sys.executable, "-c", KILLED, store.url], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for _ in range(20):
        child.stdout.readline()
    os.kill(child.pid, signal.SIGKILL)
    told = [int(line) for line in child.stdout.read().split()]
    child.wait()
    child.stdout.close()
    last = max(told, default=19)
    with store.read() as session:
        kept = {int(code) for code in session.scalars(select(Organisation.code))}
    assert set(range(last + 1)) <= kept
    with sqlite3.connect(store.path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    db.close()


def test_a_writer_waits_for_a_writer(store: Database) -> None:
    context = multiprocessing.get_context("spawn")
    other = context.Process(target=write_many, args=(store.url, 9, 1))
    with store.write() as session:
        session.add(Organisation(code="first", name="0"))
        session.flush()
        other.start()
        time.sleep(1.5)
    other.join(60)
    assert other.exitcode == 0


def test_buildings_polygons_go_in_bulk(store: Database) -> None:
    shapes = np.array([shapely.multipolygons([shapely.box(i, 0, i + 1, 1)]) for i in range(5)], dtype=object)
    with store.write() as session:
        insert_columns(session, Building.__table__, {"code": list("abcde")}, shapes, first_load=True)
    assert tree_equals_table(store, "buildings")
