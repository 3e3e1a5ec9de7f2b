"""What a page shows of a row's columns: words for stored values, masked for the asker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _

from service.clock import SHANGHAI
from service.incidents.rules import GROUP_OF, GROUPS, SOURCES, due_text
from service.people.rules import Viewer
from service.records.register import DATE, LONG, MOMENT, REFERENCE, WHOLE, Register
from service.registers.rows import Row
from service.web.register_view import masked, masked_names, whose
from service.web.registers.looks import WHAT, Look, State

_PLAIN_LINES = 2


@dataclass(frozen=True)
class Cell:
    """One cell: its text (or state), what stands small beside it, its class, whether it opens the row."""

    text: str
    cls: str = ""
    sub: str = ""
    state: State | None = None
    main: bool = False


@dataclass(frozen=True)
class Words:
    """Turns rows of one register into words for one asker at one moment."""

    register: Register
    look: Look
    viewer: Viewer
    now: datetime
    on: date

    def cell(self, row: Row, name: str) -> Cell:
        cls = self.look.places.get(name, "far") + (" r num" if name in self.look.numeric else "")
        if name == self.register.title:
            under = self.text(row, self.look.under).split("\n")[0] if self.look.under else ""
            title = self.text(row, name) or row.code
            return Cell(title, WHAT, "" if under == title else under, main=True)
        if name == self.register.state and self.look.states:
            return Cell("", cls, state=self.state(row))
        if name in ("due_at", "agreement_until"):
            text, late = self.until(row, name)
            return Cell(text, f"{cls} num{' late-ink' if late else ''}")
        return Cell(self.text(row, name), cls)

    def title(self, row: Row) -> str:
        return self.text(row, self.register.title) or row.code

    def state(self, row: Row) -> State | None:
        """The row's state as coloured word; an overdue incident is late and nothing else."""
        if self.register.state is None:
            return None
        value = row.values.get(self.register.state)
        if value is None:
            return None
        word = self.register.by_name[self.register.state].shown(value)
        key = str(value)
        if self.register.groups:
            group = GROUP_OF.get(key, 0)
            late = due_text(group, row.values.get("due_at"), self.now)[1] and GROUPS[group] != "done"
            key = "late" if late else GROUPS[group]
            word = self.register.groups[key] if late else word
        look, icon = self.look.states.get(key, ("none", None))
        return State(word, look, icon)

    def until(self, row: Row, name: str) -> tuple[str, bool]:
        """A deadline or an agreement's last day, and whether it has passed."""
        value = row.values.get(name)
        if isinstance(value, datetime):
            group = GROUP_OF.get(str(row.values.get("state")), 0)
            if GROUPS[group] == "done":
                return moment(value), False
            return due_text(group, value, self.now)
        if isinstance(value, date):
            over = value < self.on and row.values.get("state") in ("operating", "renovating")
            return value.isoformat(), over
        return "", False

    def text(self, row: Row, name: str) -> str:
        """One column as words; empty when there is nothing."""
        described = self.register.by_name.get(name)
        if described is None:
            return self._derived(row, name)
        value = row.values.get(name)
        if value is None:
            return ""
        if described.kind == REFERENCE:
            return masked_names(self.register, row, self.viewer).get(name) or str(value)
        if described.personal or described.kind == LONG:
            return str(masked(described, value, self.viewer, whose(self.register, row)) or "")
        if described.kind == MOMENT:
            return moment(value)
        if described.kind == DATE:
            return str(value.isoformat())
        if name == "source":
            return SOURCES.get(str(value), str(value))
        if described.kind == WHOLE:
            return f"{value:,}"
        return described.shown(value)

    def _derived(self, row: Row, name: str) -> str:
        value: Any = row.derived.get(name)
        if name == "grid":
            home = row.derived.get("community")
            return f"{_brief(home)} {value['short']}".strip() if value else ""
        if name == "community":
            return str(value["name"]) if value else ""
        if name == "leader":
            return (self.viewer.name(value["name"], leader=True) or "") if value else ""
        if name == "duties":
            return "、".join(f"{one.role_name} {one.name}" for one in value[:_PLAIN_LINES]) + (
                f" 等 {len(value)} 处" if len(value) > _PLAIN_LINES else ""
            )
        if name == "account":
            return _("有") if value else ""
        if name == "subject":
            return subject_text(value) if value else ""
        if name == "last_day":
            return value.isoformat() if value else ""
        return f"{value:,}" if value else ""


def subject_text(subject: Mapping[str, str]) -> str:
    """What a duty is for: its name; its kind before a name that doesn't say it (a street 12, a house 3)."""
    name, kind = subject["name"], subject["kind_name"]
    return name if any(sign > "\u2e7f" for sign in name) else f"{kind} {name}"


def _brief(community: Mapping[str, str] | None) -> str:
    """A community's name without its kind: 龙江社区 → 龙江."""
    return community["name"].removesuffix("社区") if community else ""


def moment(value: datetime) -> str:
    """A moment as lists write it: 2026-11-23 09:30 in Shanghai."""
    return f"{value.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
