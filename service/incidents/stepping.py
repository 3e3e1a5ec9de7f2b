"""A step taken: judged by the table of the lifecycle, written, appended to the timeline. Nothing commits."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.clock import spoken
from service.errors import Conflict, InvalidValue, InvalidValues, NotAllowed, StaleVersion
from service.incidents import telling, timeline
from service.incidents.dispatching import serves
from service.incidents.effects import EFFECTS, Given
from service.incidents.facts import Facts
from service.incidents.lifecycle import CITIZEN, NEEDS, STEPS, Step, hindrance, target_of
from service.incidents.models import Incident
from service.incidents.rules import STATES
from service.incidents.standing import asks_as, one, standing_of
from service.people.writers import By
from service.records import counters
from service.records.models import Attachment

SUBJECT = "incidents"
"""The kind under which an incident's photos are kept, as its register is called; their code is its number."""
MOST_NOTE = 1_000


NOTHING = Given()


def take(
    session: Session, number: str, code: str, given: Given, facts: Facts, by: By, citizen: Incident | None = None
) -> Incident:
    """Takes a step. `citizen`: the incident, when its reporter asks with the key instead of an account.

    Raises NoSuchRow, InvalidValue for an unknown step or what it lacks, NotAllowed, Conflict for a step whose time it
    isn't, StaleVersion with the fresh state.
    """
    if code not in STEPS:
        raise InvalidValue("step", f"没有“{code[:30]}”这一步。可用：{'、'.join(STEPS)}。")
    counters.move(session, counters.INCIDENTS)  # writers wait here for each other, before they read
    incident = citizen if citizen is not None else one(session, number, by)
    session.refresh(incident)
    if given.version is not None and given.version != incident.version:
        raise _stale(session, incident, given)
    asker = frozenset({CITIZEN}) if citizen is not None else asks_as(incident, by)
    step = STEPS[code]
    barred = hindrance(step, standing_of(session, incident), asker, by.actor.account_id, by.now)
    if barred is not None:
        raise NotAllowed(barred.message) if barred.forbidden else Conflict(barred.message)
    return carry(session, incident, code, given, facts, by)


def carry(session: Session, incident: Incident, code: str, given: Given, facts: Facts, by: By) -> Incident:
    """Writes a step that may be taken: its needs, its effects, its line. Raises InvalidValues, Conflict."""
    step, came_from = STEPS[code], incident.state
    _need(session, step, incident, given, facts, by)
    told = EFFECTS[code](session, incident, given, facts, by) if code in EFFECTS else {}
    holder = bool(incident.unit_code or incident.handler_code)
    incident.state = target_of(step, came_from, incident.state_before, holder)
    if step.target == "before":
        incident.state_before = None
    if incident.state != came_from:
        incident.stage_due_at = facts.clock_of(session, incident.unit_code).stage(incident.state, by.now)
        incident.escalated = 0
        if incident.state not in ("handling", "rework"):
            incident.extension = None
    incident.version += 1
    incident.revision = counters.read(session, counters.INCIDENTS)
    session.flush()
    if given.photos:
        told = told | {"photos": list(given.photos)}
    timeline.append(session, incident, code, came_from, by, (given.note or "").strip() or None, told)
    telling.tell(session, incident, code, facts, by)
    return incident


def _stale(session: Session, incident: Incident, given: Given) -> StaleVersion:
    last = timeline.of(session, incident.id)[-1:]
    who = f"（{last[0].actor}，{spoken(last[0].at)}）" if last else ""
    return StaleVersion(
        f"这件事项在你打开之后变过{who}，现在是“{STATES[incident.state]}”。看过现在的内容，再决定怎样做。",
        {"state": incident.state, "unit_code": incident.unit_code, "handler_code": incident.handler_code},
        incident.version,
        {},
        given.version or 0,
    )


def _need(session: Session, step: Step, incident: Incident, given: Given, facts: Facts, by: By) -> None:
    """Raises InvalidValues naming everything that the step lacks."""
    wrong: list[tuple[str, str]] = []
    note = (given.note or "").strip()
    if "note" in step.needs and not note:
        wrong.append(("note", f"“{step.name}”要写明原因。"))
    if len(note) > MOST_NOTE:
        wrong.append(("note", f"说明有 {len(note)} 个字，最多 {MOST_NOTE} 个。写短一些。"))
    if "holder" in step.needs:
        wrong += _holder_faults(given, facts)
    if "until" in step.needs:
        due = incident.due_at
        if given.until is None:
            wrong.append(("until", "写明要延到什么时候。"))
        elif given.until <= by.now or (due is not None and given.until <= due):
            wrong.append(("until", "新的期限要晚于现在，也晚于原来的期限。"))
    if "parent" in step.needs and not given.parent:
        wrong.append(("parent", f"填{NEEDS['parent']}的编号。"))
    if "after_photo" in step.needs and not _has_after_photo(session, incident, given):
        wrong.append(("photos", "传一张处置后的照片，再提交处置完成。"))
    if given.photos:
        wrong += _photo_faults(session, incident, given)
    if wrong:
        raise InvalidValues(wrong)


def _holder_faults(given: Given, facts: Facts) -> list[tuple[str, str]]:
    if not given.unit and not given.person:
        return [("holder", "选承办的人或单位。")]
    out = []
    if given.person and not serves(facts.today, given.person):
        out.append(("person", f"没有编码是“{given.person[:40]}”的人员，或者已经终止登记。"))
    if given.unit and given.unit not in facts.today.units.values():
        out.append(("unit", f"没有编码是“{given.unit[:40]}”的单位。"))
    return out


def _has_after_photo(session: Session, incident: Incident, given: Given) -> bool:
    """One that comes with the step, or was added since the incident was last accepted or sent back."""
    if given.photos:
        return True
    since = max(
        (one.at for one in timeline.of(session, incident.id) if one.step in ("accept", "inspect_fail", "reopen")),
        default=incident.reported_at,
    )
    return bool(
        session.scalars(_photos(incident).where(Attachment.phase == "after", Attachment.made_at >= since)).all()
    )


def _photos(incident: Incident) -> Any:
    return select(Attachment.id).where(
        Attachment.subject_kind == SUBJECT,
        Attachment.subject_code == incident.number,
        Attachment.removed_at.is_(None),
    )


def _photo_faults(session: Session, incident: Incident, given: Given) -> list[tuple[str, str]]:
    known = set(session.scalars(_photos(incident)))
    strange = [str(key) for key in given.photos if key not in known]
    return [("photos", f"照片 {'、'.join(strange)} 不是这件事项的。")] if strange else []
