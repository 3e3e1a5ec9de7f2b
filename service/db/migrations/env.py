"""Alembic's entry: the connection comes from migrate.py, which owns the transaction."""

from __future__ import annotations

from alembic import context

from service.db.base import Base
from service.db.migrate import include_object

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_object=include_object,
    render_as_batch=True,
    compare_type=False,
)
context.run_migrations()
