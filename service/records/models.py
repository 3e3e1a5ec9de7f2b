"""Import batches, what they changed, and the counters by which readers see that something moved."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.db.base import Base
from service.db.types import JsonText, UtcDateTime


class ImportBatch(Base):
    """One import. Its rows are seen once `state` is 'done'; 'applying' means unfinished, to be undone after a crash."""

    __tablename__ = "import_batches"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(Text, index=True)
    state: Mapped[str] = mapped_column(Text, index=True)
    demo: Mapped[bool] = mapped_column(Boolean, default=False)
    files: Mapped[str] = mapped_column(Text)
    owner: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    counts: Mapped[dict[str, Any] | None] = mapped_column(JsonText)


class ImportRow(Base):
    """The values that an import replaced in a row, so that it can be undone."""

    __tablename__ = "import_rows"
    __table_args__ = (Index("ix_import_rows_batch", "batch_id", "table_name"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    batch_id: Mapped[int] = mapped_column(Integer)
    table_name: Mapped[str] = mapped_column(Text)
    row_id: Mapped[int] = mapped_column(Integer)
    old: Mapped[dict[str, Any]] = mapped_column(JsonText)


class Counter(Base):
    """Moves with every change of its subject: responsibility, incidents, ground."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[int] = mapped_column(Integer, default=0)
