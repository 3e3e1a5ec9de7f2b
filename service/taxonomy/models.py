"""Versions of the taxonomy: never changed once published, an incident keeps the one that it was filed by."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Integer, Text, UniqueConstraint, false, true
from sqlalchemy.orm import Mapped, mapped_column

from service.db.base import Base
from service.db.types import JsonText, UtcDateTime


class TaxonomyVersion(Base):
    """One published state of all categories; the newest is in force."""

    __tablename__ = "taxonomy_versions"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)


class Category(Base):
    """A sub-class (小类) as one version has it.

    `code`: class and sub-class, five digits, or a local one; unique only together with `kind` (event or component).
    `limit_*`: how long handling may take, `urgent_*` when urgent; units: working_hours, working_days, hours, days; no
    limit when the amount is null. `unit_code`: the organisation in charge, None for whoever answers at the place.
    `aliases`: codes of older standards. `verify`: a citizen's report is looked at on the spot before it is filed.
    """

    __tablename__ = "categories"
    __table_args__ = (UniqueConstraint("version_id", "kind", "code"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("taxonomy_versions.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(Text, default="event", server_default="event")
    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str | None] = mapped_column(Text)
    class_code: Mapped[str] = mapped_column(Text)
    class_name: Mapped[str] = mapped_column(Text)
    disorder: Mapped[str | None] = mapped_column(Text)
    icon: Mapped[str | None] = mapped_column(Text)
    hint: Mapped[str | None] = mapped_column(Text)
    words: Mapped[str | None] = mapped_column(Text)
    aliases: Mapped[list[str]] = mapped_column(JsonText)
    unit_code: Mapped[str | None] = mapped_column(Text)
    limit_amount: Mapped[int | None] = mapped_column(Integer)
    limit_unit: Mapped[str | None] = mapped_column(Text)
    urgent_amount: Mapped[int | None] = mapped_column(Integer)
    urgent_unit: Mapped[str | None] = mapped_column(Text)
    verify: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    public: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    local: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    position: Mapped[int] = mapped_column(Integer, default=0)
    standard_ref: Mapped[str | None] = mapped_column(Text)
    more: Mapped[dict[str, Any] | None] = mapped_column(JsonText)
