"""What the pages and the interface of duties are asked: subjects, persons, days; and who asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from sqlalchemy.orm import Session

from service.clock import local_date
from service.duties.ledger import Facts, Verdict
from service.duties.queries import Subject
from service.duties.rules import ROLES, SUBJECT_KINDS, role_code
from service.errors import InvalidValue, NotAllowed
from service.people.access import reach
from service.people.writers import By
from service.records.audit import Subject as Noted
from service.records.audit import append
from service.records.register import REFERENCE, RegisterField
from service.registers.subjects import facts_for
from service.registers.values import parse
from service.web.context import account, actor, area, now, services

RIGHT = "duties.assign"
MOST_NOTE = 200


def may_assign() -> bool:
    """Whether the asker's role changes duties at all."""
    who = account()
    return reach(who.role if who else None, RIGHT) is not None


def writer() -> By:
    """The asker as one who changes duties."""
    return By(actor(), area(RIGHT), now(), services().settings.subdistrict)


def facts_now(session: Session) -> Facts:
    """All that steps are judged by, as far as the asker's say reaches."""
    return facts_for(session, services().responsibility.on(local_date(now())), area(RIGHT))


def subject_of(word: str) -> Subject:
    """`grid:500237002001001`. Raises InvalidValue."""
    kind, dots, code = word.strip().partition(":")
    if not dots or kind not in SUBJECT_KINDS or not code or len(code) > 64 or "\0" in code:
        raise InvalidValue("subjects", f"对象“{word[:40]}”读不懂，写成 grid:500237002001001 这样（类型:编码）。")
    return kind, code


def subjects_of(words: Iterable[str]) -> tuple[Subject, ...]:
    """Each once, in order; several may stand behind one another with commas."""
    parts = [part for word in words for part in word.split(",") if part.strip()]
    return tuple(dict.fromkeys(subject_of(part) for part in parts))


def role_of(word: str, default: str = "") -> str:
    """By code or by name. Raises InvalidValue."""
    found = role_code(word or default)
    if found is None:
        raise InvalidValue(
            "role", f"没有“{word[:20]}”这个职务。可以写：{'、'.join(one.name for one in ROLES.values())}。"
        )
    return found


def person_of(session: Session, word: str | None, field: str, label: str) -> str:
    """By code, phone, or a name that only one has. Raises InvalidValue."""
    described = RegisterField(field, label, REFERENCE, reference="people", needed=True)
    return str(parse(session, described, word))


def day_of(text: str | None, field: str, default: date | None = None) -> date | None:
    """A date like 2026-11-23. Raises InvalidValue."""
    if not text or not text.strip():
        return default
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise InvalidValue(field, f"日期“{text[:40]}”读不懂，写成 2026-11-23 这样。") from None


def needed_day(text: str | None, field: str, default: date | None = None) -> date:
    """The same where one is needed."""
    found = day_of(text, field, default)
    if found is None:
        raise InvalidValue(field, "填上日期。")
    return found


def until_of(text: str | None, field: str) -> date | None:
    """A form's last day, as the day after it."""
    last = day_of(text, field)
    return None if last is None or last == date.max else last + timedelta(days=1)


def note_of(sent: Mapping[str, str]) -> str | None:
    return " ".join(sent.get("note", "").split())[:MOST_NOTE] or None


def write_refusals(session: Session, verdicts: list[Verdict], by: By) -> None:
    """What somebody asked for outside their area stands in the trail, in one line."""
    refused = [one for one in verdicts if not one.ok and "不全在你的社区里" in one.message]
    if refused:
        said = "、".join(one.subject[1] for one in refused[:10]) + ("等" if len(refused) > 10 else "")
        noted = Noted("duties", None, "责任")
        note = f"{len(refused)} 项不在范围内：{said}"
        append(session, by.actor, "request.refuse", by.now, noted, ok=False, note=note)


def require_assign() -> None:
    """Raises NotAllowed."""
    if not may_assign():
        raise NotAllowed("责任由社区管理员、主管或管理员来指派。")
