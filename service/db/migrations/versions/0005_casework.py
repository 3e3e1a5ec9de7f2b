"""Incidents from report to closing: taxonomy, working time, steps, contacts, dispatch, notices, patrols."""

from __future__ import annotations

import geoalchemy2
import sqlalchemy as sa
from alembic import op

import service.db.types

revision = "0005"
down_revision = "0004"
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
    _taxonomy()
    _worktime()
    _incidents()
    _casework()
    _notices()
    _patrols()
    _requests()


def _taxonomy() -> None:
    op.create_table(
        "taxonomy_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("made_at", _moment(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_taxonomy_versions")),
    )
    op.create_table(
        "categories",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="event", nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=True),
        sa.Column("class_code", sa.Text(), nullable=False),
        sa.Column("class_name", sa.Text(), nullable=False),
        sa.Column("disorder", sa.Text(), nullable=True),
        sa.Column("icon", sa.Text(), nullable=True),
        sa.Column("hint", sa.Text(), nullable=True),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("aliases", _json(), nullable=False),
        sa.Column("unit_code", sa.Text(), nullable=True),
        sa.Column("limit_amount", sa.Integer(), nullable=True),
        sa.Column("limit_unit", sa.Text(), nullable=True),
        sa.Column("urgent_amount", sa.Integer(), nullable=True),
        sa.Column("urgent_unit", sa.Text(), nullable=True),
        sa.Column("verify", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("public", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("local", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("standard_ref", sa.Text(), nullable=True),
        sa.Column("more", _json(), nullable=True),
        sa.ForeignKeyConstraint(
            ["version_id"], ["taxonomy_versions.id"], name=op.f("fk_categories_version_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_categories")),
        sa.UniqueConstraint("version_id", "kind", "code", name=op.f("uq_categories_version_id_kind_code")),
    )
    op.create_index(op.f("ix_categories_version_id"), "categories", ["version_id"])


def _worktime() -> None:
    op.create_table(
        "calendar_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("works", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_calendar_days")),
    )
    op.create_table(
        "calendar_years",
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_calendar_years")),
    )
    op.create_table(
        "office_hours",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit_code", sa.Text(), nullable=True),
        sa.Column("spans", _json(), nullable=False),
        sa.Column("every_day", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_office_hours")),
        sa.UniqueConstraint("unit_code", name=op.f("uq_office_hours_unit_code")),
    )


def _incidents() -> None:
    op.add_column("accounts", sa.Column("mail", sa.Text(), nullable=True))
    op.add_column("attachments", sa.Column("phase", sa.Text(), nullable=True))
    op.add_column("attachments", sa.Column("source_sha256", sa.Text(), nullable=True))
    op.add_column("incidents", sa.Column("kind", sa.Text(), server_default="event", nullable=False))
    op.add_column("incidents", sa.Column("urgent", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("incidents", sa.Column("taxonomy_version", sa.Integer(), nullable=True))
    op.add_column("incidents", sa.Column("subject_kind", sa.Text(), nullable=True))
    op.add_column("incidents", sa.Column("subject_code", sa.Text(), nullable=True))
    op.add_column("incidents", sa.Column("subject_m", sa.Float(), nullable=True))
    op.add_column("incidents", sa.Column("subject_why", sa.Text(), nullable=True))
    op.add_column("incidents", sa.Column("located_by", sa.Text(), nullable=True))
    op.add_column("incidents", sa.Column("confidence", sa.Float(), nullable=True))
    op.add_column("incidents", sa.Column("unit_code", sa.Text(), nullable=True))
    op.add_column("incidents", sa.Column("handler_code", sa.Text(), nullable=True))
    op.add_column("incidents", sa.Column("dispatch_why", sa.Text(), nullable=True))
    op.add_column("incidents", sa.Column("verified_at", _moment(), nullable=True))
    op.add_column("incidents", sa.Column("filed_at", _moment(), nullable=True))
    op.add_column("incidents", sa.Column("dispatched_at", _moment(), nullable=True))
    op.add_column("incidents", sa.Column("accepted_at", _moment(), nullable=True))
    op.add_column("incidents", sa.Column("handled_at", _moment(), nullable=True))
    op.add_column("incidents", sa.Column("stage_due_at", _moment(), nullable=True))
    op.add_column("incidents", sa.Column("deadline", _json(), nullable=True))
    op.add_column("incidents", sa.Column("due_unconfirmed", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("incidents", sa.Column("extension", _json(), nullable=True))
    op.add_column("incidents", sa.Column("postponed_at", _moment(), nullable=True))
    op.add_column("incidents", sa.Column("state_before", sa.Text(), nullable=True))
    op.add_column("incidents", sa.Column("parent_number", sa.Text(), nullable=True))
    op.add_column("incidents", sa.Column("recurs_number", sa.Text(), nullable=True))
    op.add_column("incidents", sa.Column("reworks", sa.Integer(), server_default="0", nullable=False))
    op.add_column("incidents", sa.Column("extensions", sa.Integer(), server_default="0", nullable=False))
    op.add_column("incidents", sa.Column("escalated", sa.Integer(), server_default="0", nullable=False))
    op.add_column("incidents", sa.Column("account_id", sa.Integer(), nullable=True))
    op.add_column("incidents", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    some = sa.text("parent_number IS NOT NULL")
    op.create_index(
        "ix_incidents_parent_number", "incidents", ["parent_number"], sqlite_where=some, postgresql_where=some
    )


def _casework() -> None:
    op.create_table(
        "dispatch_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("conditions", _json(), nullable=False),
        sa.Column("target", _json(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatch_rules")),
    )
    op.create_table(
        "incident_contacts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("callback", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("reporter", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("made_at", _moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_incident_contacts_incident_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_contacts")),
        sa.UniqueConstraint("key", name=op.f("uq_incident_contacts_key")),
    )
    op.create_index(op.f("ix_incident_contacts_incident_id"), "incident_contacts", ["incident_id"])
    op.create_table(
        "incident_steps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("at", _moment(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=True),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("given", _json(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_incident_steps_incident_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_steps")),
    )
    op.create_index(op.f("ix_incident_steps_incident_id"), "incident_steps", ["incident_id"])


def _notices() -> None:
    op.create_table(
        "channels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("community_code", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channels")),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("made_at", _moment(), nullable=False),
        sa.Column("read_at", _moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_notices_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    op.create_index("ix_notices_account", "notices", ["account_id", "read_at"])
    op.create_index(op.f("ix_notices_made_at"), "notices", ["made_at"])
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("made_at", _moment(), nullable=False),
        sa.Column("next_at", _moment(), nullable=False),
        sa.Column("sent_at", _moment(), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notices.id"], name=op.f("fk_deliveries_notice_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index("ix_deliveries_due", "deliveries", ["state", "next_at"])
    op.create_index(op.f("ix_deliveries_notice_id"), "deliveries", ["notice_id"])


def _patrols() -> None:
    op.create_table(
        "patrols",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("person_code", sa.Text(), nullable=False),
        sa.Column("started_at", _moment(), nullable=False),
        sa.Column("ended_at", _moment(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "geom",
            geoalchemy2.types.Geometry(
                geometry_type="LINESTRING", srid=4326, dimension=2, from_text="ST_GeomFromEWKT", name="geometry"
            ),
            nullable=True,
        ),
        *_owned(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrols")),
        sa.UniqueConstraint("code", name=op.f("uq_patrols_code")),
    )
    op.create_index(op.f("ix_patrols_batch_id"), "patrols", ["batch_id"])
    op.create_index(op.f("ix_patrols_person_code"), "patrols", ["person_code"])
    op.create_index(op.f("ix_patrols_started_at"), "patrols", ["started_at"])
    op.create_table(
        "patrol_grids",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("patrol_id", sa.Integer(), nullable=False),
        sa.Column("grid_code", sa.Text(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["patrol_id"], ["patrols.id"], name=op.f("fk_patrol_grids_patrol_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_grids")),
    )
    op.create_index("ix_patrol_grids_grid", "patrol_grids", ["grid_code"])
    op.create_index(op.f("ix_patrol_grids_patrol_id"), "patrol_grids", ["patrol_id"])


def _requests() -> None:
    op.create_table(
        "request_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", _json(), nullable=False),
        sa.Column("made_at", _moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_keys")),
        sa.UniqueConstraint("account_id", "key", name=op.f("uq_request_keys_account_id_key")),
    )
    op.create_index(op.f("ix_request_keys_made_at"), "request_keys", ["made_at"])


def downgrade() -> None:
    raise RuntimeError("not undone: restore the backup that was made before the upgrade")
