"""What other processes do to a store while a test looks on. Light to import: eight begin at once."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select

from service.db.engine import Database
from service.db.migrate import migrate
from service.people.models import Organisation


def write_many(url: str, who: int, count: int) -> None:
    """Organisations, each named by how many it found."""
    database = Database(url)
    for i in range(count):
        with database.write() as session:
            total = session.scalar(select(func.count()).select_from(Organisation))
            session.add(Organisation(code=f"{who}-{i}", name=f"{total}"))
    database.close()


def open_new(url: str, backups: str) -> None:
    """The first start over a new store."""
    migrate(url, Path(backups), datetime(2026, 11, 23, 4, 0, tzinfo=UTC))
    database = Database(url)
    with database.write() as session:
        session.add(Organisation(code=f"{os.getpid()}", name="x"))
    database.close()
