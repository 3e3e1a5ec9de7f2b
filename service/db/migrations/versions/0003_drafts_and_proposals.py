"""Drafts of new editions with their steps and planned duties, balanced proposals; duties count their changes."""

from __future__ import annotations

import geoalchemy2
import sqlalchemy as sa
from alembic import op

import service.db.types

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _moment() -> service.db.types.UtcDateTime:
    return service.db.types.UtcDateTime(timezone=True)


def _json() -> service.db.types.JsonText:
    return service.db.types.JsonText()


def _owned() -> list[sa.Column[object]]:
    return [
        sa.Column("subdistrict", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
    ]


def upgrade() -> None:
    op.add_column("duties", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    _drafts()
    _drawn()
    _proposals()
    for table in ("drafts", "draft_grids", "planned_duties", "proposals"):
        op.create_index(op.f(f"ix_{table}_batch_id"), table, ["batch_id"])


def _drafts() -> None:
    op.create_table(
        "drafts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("communities", _json(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", _moment(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", _moment(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("published_by", sa.Text(), nullable=True),
        sa.Column("published_at", _moment(), nullable=True),
        sa.Column("outcome", _json(), nullable=True),
        *_owned(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
    )
    op.create_index(op.f("ix_drafts_state"), "drafts", ["state"])


def _drawn() -> None:
    op.create_table(
        "draft_grids",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("community_code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("parent_code", sa.Text(), nullable=True),
        sa.Column("households", sa.Integer(), nullable=True),
        sa.Column("population", sa.Integer(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=True),
        sa.Column("cut_from", sa.Text(), nullable=True),
        sa.Column("estimated", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column(
            "geom",
            geoalchemy2.types.Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4326,
                dimension=2,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        *_owned(),
        sa.ForeignKeyConstraint(["draft_id"], ["drafts.id"], name=op.f("fk_draft_grids_draft_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_grids")),
        sa.UniqueConstraint("draft_id", "code", name=op.f("uq_draft_grids_draft_id_code")),
    )
    op.create_index(op.f("ix_draft_grids_draft_id"), "draft_grids", ["draft_id"])
    op.create_table(
        "draft_steps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", _moment(), nullable=False),
        sa.Column("before", _json(), nullable=False),
        sa.Column("after", _json(), nullable=False),
        sa.Column("undone", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["drafts.id"], name=op.f("fk_draft_steps_draft_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_steps")),
        sa.UniqueConstraint("draft_id", "number", name=op.f("uq_draft_steps_draft_id_number")),
    )
    op.create_index(op.f("ix_draft_steps_draft_id"), "draft_steps", ["draft_id"])
    op.create_table(
        "planned_duties",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("grid_code", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("person_code", sa.Text(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        *_owned(),
        sa.ForeignKeyConstraint(
            ["draft_id"], ["drafts.id"], name=op.f("fk_planned_duties_draft_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_planned_duties")),
    )
    op.create_index(op.f("ix_planned_duties_draft_id"), "planned_duties", ["draft_id"])


def _proposals() -> None:
    op.create_table(
        "proposals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("settings", _json(), nullable=False),
        sa.Column("groups", _json(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", _moment(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("outcome", _json(), nullable=True),
        *_owned(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposals")),
    )
    op.create_index(op.f("ix_proposals_state"), "proposals", ["state"])


def downgrade() -> None:
    raise RuntimeError("not undone: restore the backup that was made before the upgrade")
