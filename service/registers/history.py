"""Who changed a row, when, from what: its lines of the trail, and the imports that made or changed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import shapely
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.db.spatial import decode
from service.grids.draft_models import Draft
from service.grids.draft_queries import drafts_of_editions
from service.grids.models import Grid
from service.people.access import Area
from service.records.batches import IN_FORCE, REMOVED
from service.records.models import AuditEntry, ImportBatch, ImportRow
from service.records.register import Register
from service.registers.location import Located
from service.registers.queries import row_id
from service.registers.shapes import plain

VERBS = {"create": "新登记", "change": "修改", "end": "终止", "restore": "恢复", "import": "导入"} | {
    "hand_over": "交接",
    "withdraw": "取消",
    "act": "安排代理",
    "return": "回岗",
    "publish": "发布新界线",
}
_LABELS = {"geometry": "位置", "ended_on": "终止日"}


@dataclass(frozen=True)
class Change:
    """One field, both sides as plain JSON; not masked."""

    field: str
    label: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Event:
    """One thing that was done to the row. `verb`: create, change, end, restore, import or the trail's own word;
    `files` and `batch`: of an import."""

    at: datetime
    actor: str | None
    role: str | None
    verb: str
    word: str
    changes: tuple[Change, ...]
    note: str | None = None
    files: str | None = None
    batch: int | None = None


@dataclass(frozen=True)
class _Told:
    """An event before both sides are known: an import keeps only the old one."""

    at: datetime
    order: tuple[int, int]
    actor: str | None
    role: str | None
    verb: str
    before: Mapping[str, Any]
    after: Mapping[str, Any] | None
    note: str | None = None
    files: str | None = None
    batch: int | None = None


def history(session: Session, register: Register, code: str, area: Area, located: Located) -> list[Event]:
    """The newest first. NotFound like the row itself."""
    row = session.get_one(register.model, row_id(session, register, code, area, located))
    drawn = _drawn(session, row) if isinstance(row, Grid) else None
    made = None if drawn else row.batch_id  # a drawn grid belongs to the demo with its draft; no file brought it
    told = [*_trail(session, register, code), *_imports(session, register, row, made), *([drawn] if drawn else [])]
    told.sort(key=lambda one: one.order)
    state = _stored(register, row)
    events = []
    for one in reversed(told):
        after = {name: state.get(name) for name in one.before} if one.after is None else one.after
        names = [name for name in {**one.before, **after} if one.before.get(name) != after.get(name)]
        changes = tuple(
            Change(name, _label(register, name), one.before.get(name), after.get(name))
            for name in names
            if name in register.by_name or name in _LABELS
        )
        word = VERBS.get(one.verb, one.verb)
        if changes or one.after is not None or not one.before:
            events.append(Event(one.at, one.actor, one.role, one.verb, word, changes, one.note, one.files, one.batch))
        state |= one.before
    return events


def _trail(session: Session, register: Register, code: str) -> list[_Told]:
    found = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.subject_kind == register.name, AuditEntry.subject_code == code, AuditEntry.ok.is_(True))
        .where(AuditEntry.action.startswith(f"{register.noun}."))
        .order_by(AuditEntry.id)
    )
    return [
        _Told(
            one.at,
            (int(one.at.timestamp() * 1000), one.id),
            one.actor,
            one.role,
            one.action.partition(".")[2],
            one.before or {},
            one.after or {},
            one.note,
        )
        for one in found
    ]


def _drawn(session: Session, row: Grid) -> _Told | None:
    """The draft with whose publishing the grid's edition began; None for an imported one."""
    key = drafts_of_editions(session).get(row.edition_id)
    draft = session.get(Draft, key) if key is not None else None
    if draft is None or draft.published_at is None:
        return None
    found = select(AuditEntry.role).where(
        AuditEntry.action == "draft.publish", AuditEntry.subject_code == str(draft.id)
    )
    role = session.scalar(found.order_by(AuditEntry.id.desc()).limit(1))
    at, note = draft.published_at, f"{draft.name}，{draft.starts_on} 起"
    return _Told(at, (int(at.timestamp() * 1000), 0), draft.published_by, role, "publish", {}, {}, note)


def _imports(session: Session, register: Register, row: Any, made: int | None) -> list[_Told]:
    """The import that made the row, and those that changed it."""
    changed = session.execute(
        select(ImportRow.batch_id, ImportRow.old)
        .where(ImportRow.table_name == register.model.__tablename__, ImportRow.row_id == row.id)
        .order_by(ImportRow.id)
    ).all()
    olds: dict[int, dict[str, Any]] = {}
    for batch, old in changed:
        if set(old) == {"batch_id"}:
            made = old["batch_id"]  # a demo's row that an office's own file took over
        olds.setdefault(batch, {}).update(_plain_old(register, old))
    wanted = {batch for batch in (made, *olds) if batch is not None}
    out = []
    for batch in session.scalars(
        select(ImportBatch).where(ImportBatch.id.in_(wanted), ImportBatch.state.in_((*IN_FORCE, REMOVED)))
    ):
        at = batch.finished_at or batch.started_at
        actor, role = _importer(session, batch.id)
        before = olds.get(batch.id, {})
        out.append(
            _Told(at, (int(at.timestamp() * 1000), 0), actor, role, "import", before, None, None, batch.files, batch.id)
        )
    return out


def _importer(session: Session, batch_id: int) -> tuple[str | None, str | None]:
    """Who stored the import, from the trail; None where it wasn't written down (the demo)."""
    found = session.execute(
        select(AuditEntry.actor, AuditEntry.role)
        .where(AuditEntry.action == "import.store", AuditEntry.subject_code == str(batch_id))
        .order_by(AuditEntry.id)
        .limit(1)
    ).first()
    return (found[0], found[1]) if found else (None, None)


def _plain_old(register: Register, old: Mapping[str, Any]) -> dict[str, Any]:
    """An import's old values as the trail would write them."""
    out: dict[str, Any] = {}
    for name, value in old.items():
        if name == "geom":
            wkb = value.get("wkb") if isinstance(value, dict) else None
            out["geometry"] = plain(shapely.from_wkb(bytes.fromhex(wkb))) if wkb else None
        elif name in register.by_name:
            out[name] = next(iter(value.values())) if isinstance(value, dict) else value
    return out


def _stored(register: Register, row: Any) -> dict[str, Any]:
    """The row as it is now, as plain JSON."""
    state: dict[str, Any] = {}
    for one in register.fields:
        if one.computed is not None:
            continue
        value = getattr(row, one.name)
        state[one.name] = value.isoformat() if isinstance(value, date) else value
    state["ended_on"] = row.ended_on.isoformat() if getattr(row, "ended_on", None) else None
    if register.geometry:
        state["geometry"] = plain(decode(row.geom))
    return state


def _label(register: Register, name: str) -> str:
    return register.by_name[name].label if name in register.by_name else _LABELS[name]
