"""Changing the office's settings: one section at a time, in the trail, seen by every worker. Never commits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from service.config import Settings
from service.errors import Conflict
from service.records import audit, counters
from service.records.models import OfficeSetting
from service.records.office import SECTIONS, Section, sections

_SECRETS = {"tianditu_key"}


class ChangedMeanwhile(Conflict):
    """Somebody else saved the section since the page was opened; `current` is what holds now."""

    def __init__(self, section: str, current: Section) -> None:
        super().__init__(f"“{SECTIONS[section]}”刚被别人改过。看看现在的值，再决定是不是仍按你的保存。")
        self.current = current


def change(
    session: Session,
    settings: Settings,
    section: str,
    values: Mapping[str, Any],
    version: int,
    actor: audit.Actor,
    now: datetime,
) -> bool:
    """Save a section. `version`: the one that the page showed. False when nothing differs. Raises ChangedMeanwhile."""
    current = sections(session, settings)[section]
    if current.version != version:
        raise ChangedMeanwhile(section, current)
    before, after = audit.differences(current.values, dict(values))
    if not after:
        return False
    row = session.get(OfficeSetting, section)
    if row is None:
        session.add(OfficeSetting(name=section, value=dict(values), version=1))
    else:
        row.value, row.version = dict(values), row.version + 1
    session.flush()
    counters.move(session, counters.OFFICE)
    if section == "identity":  # the name stands in the answers' subjects
        counters.move(session, counters.RESPONSIBILITY)
    subject = audit.Subject("office", section, SECTIONS[section])
    audit.append(session, actor, "office.change", now, subject, before=told(before), after=told(after))
    return True


def told(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as the trail and the page may tell them: of a key only that there is one, and its last letters.

    >>> told({"tianditu_key": "abcdef0123456789", "hour": 2}), told({"tianditu_key": ""})
    ({'tianditu_key': '****6789', 'hour': 2}, {'tianditu_key': ''})
    """
    return {name: "****" + str(value)[-4:] if name in _SECRETS and value else value for name, value in values.items()}
