"""Communities, the editions of their boundaries, and the grids of each edition."""

from __future__ import annotations

from datetime import date

from geoalchemy2 import WKBElement
from sqlalchemy import Date, Float, ForeignKey, Integer, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.db.base import Base, Kept, Owned
from service.db.spatial import geometry_column


class Community(Owned, Kept, Base):
    """社区 or 村. `geom` is the outline as imported; on a date its extent is the union of its grids."""

    __tablename__ = "communities"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text, index=True)
    kind: Mapped[str] = mapped_column(Text, default="community")
    notes: Mapped[str | None] = mapped_column(Text)
    geom: Mapped[WKBElement | None] = geometry_column("MULTIPOLYGON", nullable=True)


class Edition(Owned, Base):
    """One version of a community's boundaries; in force from `starts_on` (None: since ever) to the next one's."""

    __tablename__ = "editions"
    __table_args__ = (UniqueConstraint("community_code", "starts_on"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    community_code: Mapped[str] = mapped_column(Text, index=True)
    starts_on: Mapped[date | None] = mapped_column(Date)
    state: Mapped[str] = mapped_column(Text, default="published")


class Grid(Owned, Kept, Base):
    """A zone of one edition. Kinds grid and special tile the community; a micro_grid lies inside its parent."""

    __tablename__ = "grids"
    __table_args__ = (UniqueConstraint("edition_id", "code"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    edition_id: Mapped[int] = mapped_column(ForeignKey("editions.id", ondelete="CASCADE"), index=True)
    code: Mapped[str] = mapped_column(Text, index=True)
    name: Mapped[str] = mapped_column(Text)
    community_code: Mapped[str] = mapped_column(Text, index=True)
    kind: Mapped[str] = mapped_column(Text, default="grid")
    parent_code: Mapped[str | None] = mapped_column(Text)
    households: Mapped[int | None] = mapped_column(Integer)
    population: Mapped[int | None] = mapped_column(Integer)
    notes: Mapped[str | None] = mapped_column(Text)
    geom: Mapped[WKBElement] = geometry_column("MULTIPOLYGON")


class TilingFault(Owned, Base):
    """Where an edition doesn't tile: an overlap, a gap, or an overhang beyond the community's outline."""

    __tablename__ = "tiling_faults"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    edition_id: Mapped[int] = mapped_column(ForeignKey("editions.id", ondelete="CASCADE"), index=True)
    community_code: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    codes: Mapped[str] = mapped_column(Text)
    area_m2: Mapped[float] = mapped_column(Float)
    geom: Mapped[WKBElement] = geometry_column("MULTIPOLYGON")
