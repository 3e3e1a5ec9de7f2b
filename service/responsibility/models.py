"""Balanced proposals: who could answer for which grids, kept until put in force or dropped."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.db.base import Base, Owned
from service.db.types import JsonText, UtcDateTime


class Proposal(Owned, Base):
    """States: draft, in_force, dropped. `settings`: what was asked (communities, officers, load, seed, date of the
    data); `groups`: the proposed person of each grid, and which of them are adopted; `outcome`: the duties made and
    ended when it was put in force.
    """

    __tablename__ = "proposals"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="draft", index=True)
    version: Mapped[int] = mapped_column(Integer, default=1)
    settings: Mapped[dict[str, Any]] = mapped_column(JsonText)
    groups: Mapped[dict[str, Any]] = mapped_column(JsonText)
    made_by: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    starts_on: Mapped[date | None] = mapped_column(Date)
    outcome: Mapped[dict[str, Any] | None] = mapped_column(JsonText)
