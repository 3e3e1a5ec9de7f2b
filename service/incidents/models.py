"""Incidents in the form that the map and the lookup need."""

from __future__ import annotations

from datetime import datetime

from geoalchemy2 import WKBElement
from sqlalchemy import Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.db.base import Base, Owned
from service.db.spatial import geometry_column
from service.db.types import UtcDateTime


class Incident(Owned, Base):
    """One matter (事项). Its grid is that of the edition in force on the day it was reported. Overdue is derived."""

    __tablename__ = "incidents"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    number: Mapped[str] = mapped_column(Text, unique=True)
    category: Mapped[str | None] = mapped_column(Text)
    category_name: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    source: Mapped[str | None] = mapped_column(Text)
    reported_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    grid_code: Mapped[str | None] = mapped_column(Text, index=True)
    community_code: Mapped[str | None] = mapped_column(Text)
    stated_grid: Mapped[str | None] = mapped_column(Text)
    geom: Mapped[WKBElement | None] = geometry_column("POINT", nullable=True)
