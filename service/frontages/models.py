"""The three-guarantees register: a shop's or unit's frontage and who answers for it."""

from __future__ import annotations

from datetime import date

from geoalchemy2 import WKBElement
from sqlalchemy import Date, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.db.base import Base, Kept, Owned
from service.db.spatial import geometry_column


class Frontage(Owned, Kept, Base):
    """The line along the shop's front; a point where that is all that is known."""

    __tablename__ = "frontages"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    shop_name: Mapped[str] = mapped_column(Text, index=True)
    trade: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text, index=True)
    state: Mapped[str] = mapped_column(Text, default="operating")
    person_name: Mapped[str | None] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(Text)
    owner_name: Mapped[str | None] = mapped_column(Text)
    agreement_until: Mapped[date | None] = mapped_column(Date)
    grade: Mapped[str | None] = mapped_column(Text)
    geom: Mapped[WKBElement] = geometry_column("GEOMETRY")
