"""What may have photos, and who may see or change them: by the register's right and the place of the subject."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.errors import NotAllowed, NotFound
from service.people.access import OWN, Area, reach
from service.records.audit import Subject
from service.records.batches import visible
from service.records.models import Attachment
from service.registers.kinds import REGISTERS
from service.registers.rules import holds, holds_all
from service.web.context import account, area
from service.web.register_view import here

_EXTENSION = "steward_photo_subjects"


@dataclass(frozen=True)
class Found:
    """A subject that exists: its name, and whether somebody with an area reads it, and may change it."""

    name: str | None
    reads: Callable[[Area], bool]
    writes: Callable[[Area], bool]

    def within(self, right: str) -> bool:
        """Whether the asker's reach of a right holds the subject."""
        judge = self.reads if right == "registers.read" else self.writes
        return judge(area(right))


Finder = Callable[[Session, str], Found | None]


def right_to(step: str, kind: str) -> str:
    """The right that adding or removing a photo needs: officers have it for frontages."""
    return f"photos.{step}" if kind == "frontages" else "registers.write"


def may_touch(photo: Attachment) -> bool:
    """Whether the photo is the asker's to remove where the right reaches to own ones only; the place is another
    question."""
    who = account()
    return who is not None and (
        reach(who.role, right_to("remove", photo.subject_kind)) != OWN or photo.account_id == who.id
    )


def bind(app: Flask, kind: str, finder: Finder) -> None:
    """From here on this register's records may have photos, and `finder` says which exist and where."""
    app.extensions.setdefault(_EXTENSION, {})[kind] = finder


def require(session: Session, kind: str, code: str, right: str) -> Subject:
    """The subject. Raises NotFound for none, NotAllowed when it lies outside the asker's reach of that right."""
    found = _find(session, kind, code)
    if not found.within(right):
        raise NotAllowed("这条记录不在你的片区里，由它所在社区的管理员或主管处理。")
    return Subject(kind, code, found.name)


def may(session: Session, kind: str, code: str, right: str) -> bool:
    """Whether the asker's reach of a right holds the subject."""
    return _find(session, kind, code).within(right)


def _find(session: Session, kind: str, code: str) -> Found:
    finders = cast(dict[str, Finder], current_app.extensions[_EXTENSION])
    found = finders[kind](session, code) if kind in finders else None
    if found is None:
        raise NotFound("没有这条记录，可能编号写错了。")
    return found


def on_the_map(kind: str) -> Finder:
    """For a register whose rows lie somewhere: who reads the row sees its photos, who may change it adds some. The
    record's page shows them, so that a rule of their own would close the page to some who may read it."""
    register = REGISTERS[kind]

    def find(session: Session, code: str) -> Found | None:
        title = getattr(register.model, register.title)
        row = session.execute(select(title).where(register.model.code == code, visible(register.model))).first()
        if row is None:
            return None
        spots = here(session, register).spots
        return Found(
            row[0],
            lambda asked: holds(register.area, register.subject, spots, asked, code),
            lambda asked: holds_all(asked, spots.get(code, ())),
        )

    return find


def register(app: Flask) -> None:
    for kind in ("frontages", "places", "buildings"):
        bind(app, kind, on_the_map(kind))
