"""Import batches: begun, finished, undone. Rows of a batch that isn't done are seen nowhere."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from geoalchemy2 import WKBElement
from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session

from service.db.base import Base, Owned
from service.errors import Conflict
from service.records.models import ImportBatch, ImportRow

APPLYING, DONE, UNDONE, REMOVED = "applying", "done", "undone", "removed"
UNDOING, PARTLY = "undoing", "partly"  # being undone; undone but for the rows on which later work depends
IN_FORCE = (DONE, PARTLY, UNDOING)


def visible(model: type[Owned]) -> ColumnElement[bool]:
    """The criterion that every query over an importable table carries."""
    unfinished = select(ImportBatch.id).where(ImportBatch.state == APPLYING)
    return or_(model.batch_id.is_(None), model.batch_id.not_in(unfinished))


def begin(session: Session, kind: str, files: str, owner: str, now: datetime, demo: bool = False) -> ImportBatch:
    """A new batch. One import of a kind at a time: Conflict while another is being applied."""
    refuse_while_busy(session, kind)
    batch = ImportBatch(kind=kind, state=APPLYING, files=files, owner=owner, started_at=now, demo=demo)
    session.add(batch)
    session.flush()
    return batch


def refuse_while_busy(session: Session, kind: str) -> None:
    """Conflict while an import of the kind is being applied or undone."""
    busy = session.scalar(
        select(ImportBatch).where(ImportBatch.state.in_((APPLYING, UNDOING)), ImportBatch.kind == kind)
    )
    if busy is not None:
        what = f"导入（{busy.files}）正在进行" if busy.state == APPLYING else f"导入（{busy.files}）正在撤回"
        raise Conflict(f"另一次“{kind}”{what}，等它结束再导入。")


def finish(session: Session, batch_id: int, counts: dict[str, Any], now: datetime) -> None:
    """From here on the batch's rows are seen."""
    session.execute(
        update(ImportBatch).where(ImportBatch.id == batch_id).values(state=DONE, counts=counts, finished_at=now)
    )


def unfinished(session: Session) -> list[ImportBatch]:
    return list(session.scalars(select(ImportBatch).where(ImportBatch.state == APPLYING)))


def half_undone(session: Session) -> list[ImportBatch]:
    return list(session.scalars(select(ImportBatch).where(ImportBatch.state == UNDOING)))


def only_demo(session: Session) -> bool:
    """Whether the database holds the demo and nothing of anybody's own."""
    done = session.execute(
        select(ImportBatch.demo, func.count()).where(ImportBatch.state == DONE).group_by(ImportBatch.demo)
    ).all()
    return [bool(demo) for demo, _ in done] == [True]


def demo_batches(session: Session) -> frozenset[int]:
    """The ids of the demo's imports."""
    return frozenset(session.scalars(select(ImportBatch.id).where(ImportBatch.demo.is_(True))))


def holds_demo(session: Session) -> bool:
    """Whether demo rows are still there."""
    found = session.scalar(select(ImportBatch.id).where(ImportBatch.demo.is_(True), ImportBatch.state == DONE).limit(1))
    return found is not None


def is_empty(session: Session) -> bool:
    """Whether nothing was ever imported."""
    return session.scalar(select(ImportBatch.id).where(ImportBatch.state != UNDONE).limit(1)) is None


def removed(session: Session, batch_ids: list[int], now: datetime) -> None:
    """Remember that the demo was there and went: a restart doesn't bring it back."""
    session.execute(
        update(ImportBatch)
        .where(ImportBatch.id.in_(batch_ids), ImportBatch.state == DONE)
        .values(state=REMOVED, finished_at=now)
    )


def undo(session: Session, batch: ImportBatch, tables: dict[str, type[Base]], now: datetime) -> int:
    """Of an unfinished batch: rows that it updated regain their old values, those that it made go. Returns how many.

    `tables` names what the batch may have touched, children before parents.
    """
    touched = 0
    for name, model in tables.items():
        olds = session.execute(
            select(ImportRow.row_id, ImportRow.old)
            .where(ImportRow.batch_id == batch.id, ImportRow.table_name == name, ImportRow.until_id.is_(None))
            .order_by(ImportRow.id.desc())
        ).all()
        for row_id, old in olds:
            restore(session.get(model, row_id), old)
        session.flush()
        gone = session.execute(delete(model).where(model.batch_id == batch.id))  # type: ignore[attr-defined]
        touched += len(olds) + int(gone.rowcount)  # type: ignore[attr-defined]
    session.execute(delete(ImportRow).where(ImportRow.batch_id == batch.id))
    batch.state, batch.finished_at = UNDONE, now
    session.flush()
    return touched


def restore(row: Any, old: dict[str, Any]) -> None:
    """Old values back into a row. Its version counts on: whoever read the values between holds a stale one."""
    if row is None:
        return
    for field, value in model_values(old).items():
        setattr(row, field, row.version + 1 if field == "version" else value)


def plain_values(values: dict[str, Any]) -> dict[str, Any]:
    """A row's values as JSON: dates and times as ISO text, geometry as hex WKB."""
    out: dict[str, Any] = {}
    for field, value in values.items():
        if isinstance(value, datetime):
            out[field] = {"time": value.isoformat()}
        elif hasattr(value, "isoformat"):
            out[field] = {"date": value.isoformat()}
        elif isinstance(value, bytes | memoryview):
            out[field] = {"wkb": bytes(value).hex()}
        else:
            out[field] = value
    return out


def model_values(old: dict[str, Any]) -> dict[str, Any]:
    """The inverse of plain_values, for a model's attributes."""
    return {field: _restored(value) if isinstance(value, dict) else value for field, value in old.items()}


def _restored(tagged: dict[str, str]) -> Any:
    ((tag, text),) = tagged.items()
    if tag == "time":
        return datetime.fromisoformat(text)
    if tag == "date":
        return date.fromisoformat(text)
    return WKBElement(bytes.fromhex(text), srid=4326)
