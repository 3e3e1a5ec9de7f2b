"""Accounts with an area, the trail, jobs, uploads, photos, the office's settings, saved views; records that end."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

import service.db.types

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_KEPT = ("communities", "grids", "persons", "organisations", "streets", "buildings", "places", "frontages")
_REFUSED = "the trail is append-only"


def _moment() -> service.db.types.UtcDateTime:
    return service.db.types.UtcDateTime(timezone=True)


def _json() -> service.db.types.JsonText:
    return service.db.types.JsonText()


_PERSON_CODES = (
    ("persons", "code"),
    ("duties", "person_code"),
    ("duties", "acting_code"),
    ("organisations", "head_code"),
)


def upgrade() -> None:
    for table in _KEPT:
        op.add_column(table, sa.Column("version", sa.Integer(), server_default="1", nullable=False))
        op.add_column(table, sa.Column("ended_on", sa.Date(), nullable=True))
    op.add_column("accounts", sa.Column("person_code", sa.Text(), nullable=True))
    op.add_column("accounts", sa.Column("last_seen_at", _moment(), nullable=True))
    op.add_column("accounts", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.add_column("import_rows", sa.Column("until_id", sa.Integer(), nullable=True))
    op.add_column("import_rows", sa.Column("undone", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index(op.f("ix_import_rows_row_id"), "import_rows", ["row_id"])
    _addresses()
    _trail()
    _work()
    _kept()
    _quiet_codes()


def _quiet_codes() -> None:
    """Persons without a staff number had codes made of name and phone, which masked lists would tell: new ones."""
    bind = op.get_bind()
    told = sa.text("SELECT code FROM persons WHERE code = name OR code = name || '-' || phone")
    for (code,) in bind.execute(told).all():
        quiet = {"new": f"p{secrets.token_hex(6)}", "old": code}
        for table, column in _PERSON_CODES:
            bind.execute(sa.text(f"UPDATE {table} SET {column} = :new WHERE {column} = :old"), quiet)


def _addresses() -> None:
    op.create_table(
        "address_failures",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", _moment(), nullable=False),
        sa.Column("locked_until", _moment(), nullable=True),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_address_failures")),
    )


def _trail() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", _moment(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=True),
        sa.Column("subject_code", sa.Text(), nullable=True),
        sa.Column("subject_name", sa.Text(), nullable=True),
        sa.Column("before", _json(), nullable=True),
        sa.Column("after", _json(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_index(op.f("ix_audit_entries_action"), "audit_entries", ["action"])
    op.create_index(op.f("ix_audit_entries_actor"), "audit_entries", ["actor"])
    op.create_index(op.f("ix_audit_entries_at"), "audit_entries", ["at"])
    op.create_index("ix_audit_entries_subject", "audit_entries", ["subject_kind", "subject_code"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_trail_change() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{_REFUSED}'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_trail_change()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_entries_no_{verb.lower()} BEFORE {verb} ON audit_entries"
            f" BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
        )


def _work() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("given", _json(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("result", _json(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", _moment(), nullable=False),
        sa.Column("started_at", _moment(), nullable=True),
        sa.Column("finished_at", _moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(op.f("ix_jobs_kind"), "jobs", ["kind"])
    op.create_index(op.f("ix_jobs_state"), "jobs", ["state"])
    op.create_table(
        "uploads",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("chosen", _json(), nullable=False),
        sa.Column("seen", _json(), nullable=True),
        sa.Column("verdict", _json(), nullable=True),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("created_at", _moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    op.create_index(op.f("ix_uploads_account_id"), "uploads", ["account_id"])


def _kept() -> None:
    op.create_table(
        "attachments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_code", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("caption", sa.Text(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("made_at", _moment(), nullable=False),
        sa.Column("removed_at", _moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
    )
    op.create_index("ix_attachments_subject", "attachments", ["subject_kind", "subject_code"])
    op.create_table(
        "office_settings",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", _json(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_office_settings")),
    )
    op.create_table(
        "saved_views",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
    )
    op.create_index(op.f("ix_saved_views_account_id"), "saved_views", ["account_id"])


def downgrade() -> None:
    raise RuntimeError("not undone: restore the backup that was made before the upgrade")
