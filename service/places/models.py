"""The ground: streets, buildings, waters and woods, and the facilities that are inspected."""

from __future__ import annotations

from geoalchemy2 import WKBElement
from sqlalchemy import Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.db.base import Base, Kept, Owned
from service.db.spatial import geometry_column


class Street(Owned, Kept, Base):
    """A street's centre line. `level` 0 trunk, 1 main, 2 side, 3 lane."""

    __tablename__ = "streets"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str | None] = mapped_column(Text, index=True)
    level: Mapped[int] = mapped_column(Integer, default=2)
    geom: Mapped[WKBElement] = geometry_column("MULTILINESTRING")


class Building(Owned, Kept, Base):
    """A building's outline."""

    __tablename__ = "buildings"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)
    geom: Mapped[WKBElement] = geometry_column("MULTIPOLYGON")


class Place(Owned, Kept, Base):
    """A facility or a piece of nature: market, refuse_station, transfer_station, toilet, river, lake, wood, park …"""

    __tablename__ = "places"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str | None] = mapped_column(Text, index=True)
    kind: Mapped[str] = mapped_column(Text, index=True)
    address: Mapped[str | None] = mapped_column(Text)
    geom: Mapped[WKBElement] = geometry_column("GEOMETRY")
