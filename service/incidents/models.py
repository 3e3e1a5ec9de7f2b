"""Incidents (事项), every step taken with them, who reported or follows them, and the rules of dispatch."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from geoalchemy2 import WKBElement
from sqlalchemy import Boolean, Float, ForeignKey, Index, Integer, Text, false, text, true
from sqlalchemy.orm import Mapped, mapped_column

from service.db.base import Base, Owned
from service.db.spatial import geometry_column
from service.db.types import JsonText, UtcDateTime


class Incident(Owned, Base):
    """One matter (事项). Its grid is that of the edition in force on the day it was reported. Overdue is derived.

    `subject_*`: the frontage or place that it happened at, how far off (metres) and why that one. `unit_code`,
    `handler_code`: the organisation and the person who have it now, `dispatch_why`: by which rule. `due_at`: until when
    it is to be handled; `deadline`: the rule as it was frozen at filing; `stage_due_at`: until when the present state
    is to be left. `state_before`: where a postponed or merged one returns to. `parent_number`: the incident that it was
    merged into; `recurs_number`: the closed one that came back as this. `version` counts its changes.
    """

    __tablename__ = "incidents"
    # Hardly any has a parent: an index of all rows would slow down every import for nothing.
    __table_args__ = (
        Index(
            "ix_incidents_parent_number",
            "parent_number",
            sqlite_where=text("parent_number IS NOT NULL"),
            postgresql_where=text("parent_number IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    number: Mapped[str] = mapped_column(Text, unique=True)
    kind: Mapped[str] = mapped_column(Text, default="event", server_default="event")
    category: Mapped[str | None] = mapped_column(Text)
    category_name: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    source: Mapped[str | None] = mapped_column(Text)
    urgent: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    reported_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    grid_code: Mapped[str | None] = mapped_column(Text, index=True)
    community_code: Mapped[str | None] = mapped_column(Text)
    stated_grid: Mapped[str | None] = mapped_column(Text)
    taxonomy_version: Mapped[int | None] = mapped_column(Integer)
    subject_kind: Mapped[str | None] = mapped_column(Text)
    subject_code: Mapped[str | None] = mapped_column(Text)
    subject_m: Mapped[float | None] = mapped_column(Float)
    subject_why: Mapped[str | None] = mapped_column(Text)
    located_by: Mapped[str | None] = mapped_column(Text)
    confidence: Mapped[float | None] = mapped_column(Float)
    unit_code: Mapped[str | None] = mapped_column(Text)
    handler_code: Mapped[str | None] = mapped_column(Text)
    dispatch_why: Mapped[str | None] = mapped_column(Text)
    verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    filed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dispatched_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    handled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    stage_due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deadline: Mapped[dict[str, Any] | None] = mapped_column(JsonText)
    due_unconfirmed: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    extension: Mapped[dict[str, Any] | None] = mapped_column(JsonText)
    postponed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    state_before: Mapped[str | None] = mapped_column(Text)
    parent_number: Mapped[str | None] = mapped_column(Text)
    recurs_number: Mapped[str | None] = mapped_column(Text)
    reworks: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    extensions: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    escalated: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    account_id: Mapped[int | None] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    geom: Mapped[WKBElement | None] = geometry_column("POINT", nullable=True)


class IncidentStep(Base):
    """One step of an incident; appended, never changed. `given`: what the step carried beside its note."""

    __tablename__ = "incident_steps"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    step: Mapped[str] = mapped_column(Text)
    from_state: Mapped[str | None] = mapped_column(Text)
    to_state: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    role: Mapped[str | None] = mapped_column(Text)
    account_id: Mapped[int | None] = mapped_column(Integer)
    note: Mapped[str | None] = mapped_column(Text)
    given: Mapped[dict[str, Any] | None] = mapped_column(JsonText)
    version: Mapped[int] = mapped_column(Integer)


class IncidentContact(Base):
    """Somebody outside who reported an incident or follows it. Never shown with the incident itself.

    `key`: what opens the tracking page, 128 bits; `reporter`: False for one who joined a report that was there.
    """

    __tablename__ = "incident_contacts"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"), index=True)
    key: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str | None] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(Text)
    callback: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    reporter: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DispatchRule(Base):
    """A rule of dispatch; the first that fits, by `position`, says to whom. Empty conditions fit all.

    `conditions`: {categories, classes, communities, grids, places, hours: ["18:00", "08:00"], weekdays, urgent}.
    `target`: {"kind": "role", "role": …, "subject": …} | {"kind": "unit", "code": …} | {"kind": "person", "code": …}.
    """

    __tablename__ = "dispatch_rules"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(Text)
    conditions: Mapped[dict[str, Any]] = mapped_column(JsonText)
    target: Mapped[dict[str, Any]] = mapped_column(JsonText)
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
