"""Patrols and the grids that they walked."""

from __future__ import annotations

from datetime import datetime

from geoalchemy2 import WKBElement
from sqlalchemy import ForeignKey, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.db.base import Base, Owned
from service.db.spatial import geometry_column
from service.db.types import UtcDateTime


class Patrol(Owned, Base):
    """One walk. Open while `ended_at` is null. `geom`: the track where the phone kept one."""

    __tablename__ = "patrols"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    person_code: Mapped[str] = mapped_column(Text, index=True)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    note: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    geom: Mapped[WKBElement | None] = geometry_column("LINESTRING", nullable=True)


class PatrolGrid(Base):
    """A grid of a patrol. `found`: incidents reported on the way there, 0 too."""

    __tablename__ = "patrol_grids"
    __table_args__ = (Index("ix_patrol_grids_grid", "grid_code"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    patrol_id: Mapped[int] = mapped_column(ForeignKey("patrols.id", ondelete="CASCADE"), index=True)
    grid_code: Mapped[str] = mapped_column(Text)
    found: Mapped[int] = mapped_column(Integer, default=0)
