"""Drafts of new editions: one or more communities being redrawn, step by step, until published or dropped."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from geoalchemy2 import WKBElement
from sqlalchemy import Boolean, Date, ForeignKey, Integer, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from service.db.base import Base, Owned
from service.db.spatial import geometry_column
from service.db.types import JsonText, UtcDateTime


class Draft(Owned, Base):
    """States: open, published, dropped. `communities`: code of each community in it to the id of the edition that it
    was drawn from (None: the community had no grids). `version` moves with every step. `outcome`: what publishing made
    and ended, so that it can be taken back before its day.
    """

    __tablename__ = "drafts"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="open", index=True)
    communities: Mapped[dict[str, int | None]] = mapped_column(JsonText)
    version: Mapped[int] = mapped_column(Integer, default=1)
    made_by: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    starts_on: Mapped[date | None] = mapped_column(Date)
    reason: Mapped[str | None] = mapped_column(Text)
    published_by: Mapped[str | None] = mapped_column(Text)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[dict[str, Any] | None] = mapped_column(JsonText)


class DraftGrid(Owned, Base):
    """A grid as drawn. `origin`: the code of the grid of the edition before that it continues (its duties stay or move
    with it); `cut_from`: codes of the grids that a new one was cut from, separated by commas. `estimated`: households
    and population are shares by area of what a split grid had, until somebody enters them.
    """

    __tablename__ = "draft_grids"
    __table_args__ = (UniqueConstraint("draft_id", "code"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("drafts.id", ondelete="CASCADE"), index=True)
    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    community_code: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text, default="grid")
    parent_code: Mapped[str | None] = mapped_column(Text)
    households: Mapped[int | None] = mapped_column(Integer)
    population: Mapped[int | None] = mapped_column(Integer)
    notes: Mapped[str | None] = mapped_column(Text)
    origin: Mapped[str | None] = mapped_column(Text)
    cut_from: Mapped[str | None] = mapped_column(Text)
    estimated: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    geom: Mapped[WKBElement] = geometry_column("MULTIPOLYGON")


class DraftStep(Base):
    """One saved change of a draft: the rows before and after it (grids and planned duties, geometry as WKB in hex).
    An undone step can be done again until another one is saved. Step 0 is the beginning: after it the base edition's
    grids as they were taken over, before it what was known of the base (its faults, the editions that there were).
    """

    __tablename__ = "draft_steps"
    __table_args__ = (UniqueConstraint("draft_id", "number"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("drafts.id", ondelete="CASCADE"), index=True)
    number: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    before: Mapped[list[dict[str, Any]]] = mapped_column(JsonText)
    after: Mapped[list[dict[str, Any]]] = mapped_column(JsonText)
    undone: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())


class PlannedDuty(Owned, Base):
    """A duty for a grid of a draft; it becomes a duty on the day on which the draft's edition begins."""

    __tablename__ = "planned_duties"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("drafts.id", ondelete="CASCADE"), index=True)
    grid_code: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    person_code: Mapped[str] = mapped_column(Text)
    ends_on: Mapped[date | None] = mapped_column(Date)
