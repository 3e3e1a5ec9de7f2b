"""Sign-ins that hold, kept on the server, so that signing out ends one wherever its cookie was copied to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import service.db.types

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _moment() -> service.db.types.UtcDateTime:
    return service.db.types.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("stamp", sa.Text(), nullable=False),
        sa.Column("begun_at", _moment(), nullable=False),
        sa.Column("seen_at", _moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_sign_ins_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ins")),
        sa.UniqueConstraint("digest", name=op.f("uq_sign_ins_digest")),
    )
    op.create_index(op.f("ix_sign_ins_account_id"), "sign_ins", ["account_id"])


def downgrade() -> None:
    raise RuntimeError("not undone: restore the backup that was made before the upgrade")
