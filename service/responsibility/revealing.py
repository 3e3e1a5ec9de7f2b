"""A whole phone number, given one at a time to those whose work it is, and written into the trail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.errors import InvalidValue, NotAllowed, NotFound
from service.frontages.models import Frontage
from service.people.models import Organisation, Person
from service.people.rules import Viewer
from service.records.audit import Actor, Subject, append
from service.records.batches import visible
from service.responsibility.reach import organisation_inside, person_near, shop_inside
from service.responsibility.snapshot import Snapshot

ACTION = "people.reveal_phone"
# kind: (table, its name's column, whether one lies within an area)
_OWNERS: dict[str, tuple[Any, Any, Any]] = {
    "people": (Person, Person.name, person_near),
    "organisations": (Organisation, Organisation.name, organisation_inside),
    "frontages": (Frontage, Frontage.shop_name, shop_inside),
}


def reveal_phone(
    session: Session, snapshot: Snapshot, kind: str, code: str, viewer: Viewer, actor: Actor, now: datetime
) -> str:
    """The number of a person, shop or organisation. Raises NotAllowed, NotFound, InvalidValue.

    The trail says whose number was shown to whom, never the number.
    """
    if kind not in _OWNERS:
        raise InvalidValue("kind", f"没有“{kind[:20]}”这一类。可用：{'、'.join(_OWNERS)}。")
    model, name, inside = _OWNERS[kind]
    if not viewer.may_reveal(inside(snapshot, code, viewer.area)):
        raise NotAllowed("这个号码不在你的责任范围里。负责那里的社区管理员、主管或管理员能看。")
    found = session.execute(select(model.phone, name).where(model.code == code, visible(model))).first()
    if found is None or not found[0]:
        raise NotFound("没有登记电话号码。" if found else "没有找到，可能已经不在登记里了。刷新后再看。")
    append(session, actor, ACTION, now, Subject(kind, code, found[1]))
    return str(found[0])
