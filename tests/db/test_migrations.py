"""Migrations: both stores, a rebuilt table that is full, a failing one, models and migrations in step."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import shapely
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import func, select, text

from service.db.base import Base
from service.db.engine import Database
from service.db.migrate import FOLDER, MigrationFailed, include_object, migrate
from service.db.spatial import decode, encode
from service.grids import draft_models
from service.grids.models import Edition, Grid
from service.notices.models import Notice
from service.patrols.models import Patrol
from service.people.models import Organisation
from service.responsibility import models as proposals
from service.taxonomy.models import Category
from service.worktime.models import CalendarDay
from tests.conftest import MONDAY_NOON

KNOWN = (draft_models.Draft, proposals.Proposal, Notice, Patrol, Category, CalendarDay)  # their tables are compared too
NEWEST = sorted(path.name for path in (FOLDER / "versions").glob("*.py"))[-1][:4]
STEP = """
from alembic import op
import sqlalchemy as sa
from service.db.migrate import gpkg_ddl
revision = "9001"
down_revision = "{newest}"
branch_labels = None
depends_on = None


def upgrade():
{body}
"""
REBUILD = """    with gpkg_ddl(op, "grids"):
        with op.batch_alter_table("grids", recreate="auto") as batch:
            batch.alter_column("name", existing_type=sa.Text(), nullable=True)
            batch.add_column(sa.Column("colour", sa.Text()))
    rebuilt = "always" if op.get_bind().dialect.name == "geopackage" else "auto"
    with op.batch_alter_table("editions", recreate=rebuilt) as batch:
        batch.alter_column("state", existing_type=sa.Text(), nullable=True)
"""
FAIL = """    op.execute("DELETE FROM organisations")
    op.execute("SELECT * FROM nowhere")
"""


def with_step(folder: Path, body: str) -> Path:
    """A copy of the migrations with one more step."""
    target = folder / "migrations"
    (target / "versions").mkdir(parents=True)
    ours = sorted(path.name for path in (FOLDER / "versions").glob("*.py"))
    for name in ("env.py", "script.py.mako", *(f"versions/{one}" for one in ours)):
        (target / name).write_text((FOLDER / name).read_text())
    (target / "versions" / "9001_step.py").write_text(STEP.format(body=body, newest=NEWEST))
    return target


def fill(database: Database) -> None:
    square = shapely.multipolygons([shapely.box(109, 31, 110, 32)])
    with database.write() as session:
        session.add(Organisation(code="o", name="x"))
        session.add(Edition(id=1, community_code="c"))
        session.flush()
        for i in range(3):
            session.add(Grid(edition_id=1, code=f"{i}", name="x", community_code="c", geom=encode(square)))


def test_models_and_migrations_say_the_same(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": include_object})
        assert compare_metadata(context, Base.metadata) == []


def test_a_rebuilt_full_table_keeps_rows_children_index_and_metadata(
    database: Database, store_url: str, tmp_path: Path
) -> None:
    fill(database)
    report = migrate(store_url, tmp_path / "backups", MONDAY_NOON, with_step(tmp_path, REBUILD))
    assert report.after == "9001"
    assert report.backup is not None and report.backup.stat().st_size > 0
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Grid)) == 3
        assert decode(session.scalars(select(Grid.geom)).first()).area == 1
    if database.path is None:
        return
    with sqlite3.connect(database.path) as db:
        assert db.execute("SELECT rtreecheck('rtree_grids_geom')").fetchone()[0] == "ok"
        assert db.execute("SELECT count(*) FROM rtree_grids_geom").fetchone()[0] == 3
        assert db.execute("SELECT count(*) FROM gpkg_geometry_columns WHERE table_name='grids'").fetchone()[0] == 1
        names = {
            row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type='trigger' AND tbl_name='grids'")
        }
        assert {f"rtree_grids_geom_{suffix}" for suffix in ("insert", "update6", "update7", "delete")} <= names
        assert not db.execute(
            "SELECT 1 FROM sqlite_master WHERE name LIKE '%alembic_tmp%' OR sql LIKE '%alembic_tmp%'"
        ).fetchall()
    db.close()
    with database.write() as session:
        session.add(
            Grid(
                edition_id=1,
                code="9",
                name="x",
                community_code="c",
                geom=encode(shapely.MultiPolygon([shapely.box(0, 0, 1, 1)])),
            )
        )
    with sqlite3.connect(database.path) as db:
        assert db.execute("SELECT count(*) FROM rtree_grids_geom").fetchone()[0] == 4
    db.close()


def test_a_failing_migration_leaves_everything_as_it_was(database: Database, store_url: str, tmp_path: Path) -> None:
    fill(database)
    with pytest.raises(MigrationFailed, match="仍是原样"):
        migrate(store_url, tmp_path / "backups", MONDAY_NOON, with_step(tmp_path, FAIL))
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Organisation)) == 1
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == NEWEST


def test_an_empty_store_needs_no_backup_and_a_second_run_does_nothing(blank_url: str, tmp_path: Path) -> None:
    first = migrate(blank_url, tmp_path / "backups", MONDAY_NOON)
    assert (first.before, first.backup) == (None, None)
    second = migrate(blank_url, tmp_path / "backups", MONDAY_NOON)
    assert second.before == second.after


def test_codes_made_of_name_and_phone_give_way_to_quiet_ones(blank_url: str, tmp_path: Path) -> None:
    """0002: masked lists show codes; whoever referred to such a person still does."""
    first = tmp_path / "first"
    (first / "versions").mkdir(parents=True)
    for name in ("env.py", "script.py.mako", "versions/0001_initial.py"):
        (first / name).write_text((FOLDER / name).read_text())
    migrate(blank_url, tmp_path / "backups", MONDAY_NOON, first)
    database = Database(blank_url)
    with database.write() as session:
        for code, name, phone in (
            ("张三-13812345678", "张三", "13812345678"),
            ("李四", "李四", None),
            ("P3", "王五", "110"),
        ):
            told = {"code": code, "name": name, "phone": phone}
            words = "(code, name, phone, subdistrict, revision) VALUES (:code, :name, :phone, 'x', 0)"
            session.execute(text(f"INSERT INTO persons {words}"), told)
        duty = "(code, role, subject_kind, subject_code, person_code, acting_code, subdistrict, revision)"
        values = "('d', 'grid_leader', 'grid', 'g', '张三-13812345678', '李四', 'x', 0)"
        session.execute(text(f"INSERT INTO duties {duty} VALUES {values}"))
    migrate(blank_url, tmp_path / "backups", MONDAY_NOON)
    with database.read() as session:
        codes = dict(session.execute(text("SELECT name, code FROM persons")).all())
        assert session.execute(text("SELECT person_code, acting_code FROM duties")).one() == (
            codes["张三"],
            codes["李四"],
        )
    database.close()
    assert codes["王五"] == "P3"
    assert not any("张三" in code or "5678" in code or "李四" in code for code in codes.values())
