"""A whole import undone, row by row: rows that it made go, rows that it replaced regain their old values."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from service.db.engine import Database
from service.errors import Conflict, NotFound
from service.files.verdicts import harmless
from service.grids.importing import check_again
from service.grids.models import Edition, Grid
from service.intake.applying import SUBJECT, Advance
from service.intake.kinds import KINDS
from service.intake.undo_plan import MADE, Plan, TablePlan, examine
from service.records import batches, counters
from service.records.audit import Actor, Subject, append
from service.records.models import ImportBatch, ImportRow
from service.records.owners import alive, this_process

_IN_ONE_GO = 2_000
_AT_ONCE = 2_000
_SO_FAR = "undone_so_far"  # in the batch's counts, while it is being undone in steps
_WHAT = {True: "新增的行：删去", False: "改过的行：恢复原值"}


@dataclass(frozen=True)
class Undone:
    """How many rows went, regained their old values, and stayed because later work depends on them."""

    removed: int
    restored: int
    kept: int


def undo(database: Database, batch_id: int, actor: Actor, now: datetime, advance: Advance | None = None) -> Undone:
    """Undo a finished import. Raises NotFound, Conflict.

    A small one in one transaction. A large one in steps that each leave whole rows: broken off, it can be gone on with.
    """
    with database.write() as session:
        batch = _begin(session, batch_id)
        batch.counts = {_SO_FAR: {"removed": 0, "restored": 0}} | (batch.counts or {})
        if _size(session, batch) <= _IN_ONE_GO:
            plan = examine(session, batch)
            for table in plan.tables:
                _undo_rows(session, table, table.going)
                _count(session, batch_id, table, table.going)
            return _end(session, batch, plan, actor, now)
        batch.state, batch.owner = batches.UNDOING, this_process()
    with database.read() as session:
        plan = examine(session, session.get_one(ImportBatch, batch_id))
    done, everything = 0, plan.removed + plan.restored
    for table in plan.tables:
        for rows in _portions(table.going):
            with database.write() as session:
                _undo_rows(session, table, rows)
                _count(session, batch_id, table, rows)
            done += len(rows)
            if advance is not None:
                advance(done, everything)
    with database.write() as session:
        return _end(session, session.get_one(ImportBatch, batch_id), plan, actor, now)


def may_undo(session: Session, batch_id: int) -> ImportBatch:
    """The batch, when it can be undone at all. Raises NotFound or Conflict with the reason."""
    batch = session.get(ImportBatch, batch_id)
    if batch is None:
        raise NotFound(f"没有编号为 {batch_id} 的导入。")
    if batch.demo:
        raise Conflict("这是演示数据。要去掉它，用“换成我们自己的数据”（manage demo --remove）。")
    if batch.state in (batches.UNDONE, batches.REMOVED):
        raise Conflict("这次导入已经撤回过了。")
    if batch.state == batches.APPLYING:
        raise Conflict("这次导入还在进行，等它结束再撤回。")
    if batch.state == batches.UNDOING and batch.owner != this_process() and alive(batch.owner):
        raise Conflict("这次导入正在撤回。")
    return batch


def _begin(session: Session, batch_id: int) -> ImportBatch:
    batch = may_undo(session, batch_id)
    if batch.state == batches.UNDOING:  # broken off: it is gone on with
        batch.state = batches.PARTLY
        session.flush()
    batches.refuse_while_busy(session, batch.kind)
    return batch


def _size(session: Session, batch: ImportBatch) -> int:
    """How many rows the batch made or replaced, about."""
    tables: list[Any] = [ImportRow, *KINDS[batch.kind].tables.values()]
    counts = [session.scalar(select(func.count(one.id)).where(one.batch_id == batch.id)) or 0 for one in tables]
    return int(sum(counts))


def _undo_rows(session: Session, table: TablePlan, rows: list[int]) -> None:
    """Some rows of one table. One that was changed since it was examined stays, with the reason."""
    model = table.model
    if hasattr(model, "version"):
        for part in _portions(rows):
            for row, version in session.execute(select(model.id, model.version).where(model.id.in_(part))):
                if version != table.seen[row]:
                    table.refused[row] = "刚才有人改过这一行"
    going = [row for row in rows if row not in table.refused]
    for part in _portions([row for row in going if row in table.lines]):
        for found in session.scalars(select(model).where(model.id.in_(part))):
            for line in table.lines[found.id]:
                batches.restore(found, line.old)
        session.flush()
        lines = [line.id for row in part for line in table.lines[row]]
        session.execute(update(ImportRow).where(ImportRow.id.in_(lines)).values(undone=True))
    session.expire_all()
    for part in _portions([row for row in going if row in table.made]):
        session.execute(delete(model).where(model.id.in_(part)))


def _count(session: Session, batch_id: int, table: TablePlan, rows: list[int]) -> None:
    """How many rows went or regained their values so far, kept with them: whoever goes on after a crash adds to it."""
    batch = session.get_one(ImportBatch, batch_id)
    counts = dict(batch.counts or {})
    gone = sum(row in table.made for row in rows if row not in table.refused)
    back = sum(row not in table.refused for row in rows) - gone
    so_far = counts[_SO_FAR]
    counts[_SO_FAR] = {"removed": so_far["removed"] + gone, "restored": so_far["restored"] + back}
    batch.counts = counts


def _end(session: Session, batch: ImportBatch, plan: Plan, actor: Actor, now: datetime) -> Undone:
    """The batch's state, what follows from the rows, the trail, and the counters by which readers see it."""
    for table in plan.tables:
        if not table.made - set(table.going):
            session.execute(
                update(ImportRow)
                .where(ImportRow.batch_id == batch.id, ImportRow.table_name == table.model.__tablename__)
                .where(ImportRow.until_id.is_not(None))
                .values(undone=True)
            )
    if batch.kind == "grids":
        _settle_editions(session, batch)
    before = dict(batch.counts or {})
    so_far = before.pop(_SO_FAR)
    done = Undone(so_far["removed"], so_far["restored"], plan.kept)
    batch.state = batches.PARTLY if done.kept else batches.UNDONE
    batch.counts = before | {
        "removed": before.get("removed", 0) + done.removed,
        "restored": before.get("restored", 0) + done.restored,
        "kept": done.kept,
    }
    after = {"removed": done.removed, "restored": done.restored, "kept": done.kept}
    append(session, actor, "import.undo", now, Subject(SUBJECT, str(batch.id), batch.files), after=after)
    for name in KINDS[batch.kind].counters:
        counters.move(session, name)
    return done


def _settle_editions(session: Session, batch: ImportBatch) -> None:
    """Editions of the batch that have no grid left go; the tiling of the others is checked again."""
    used = select(Grid.edition_id)
    touched = set(session.scalars(select(Edition.id).where(Edition.batch_id == batch.id)))
    replaced = select(ImportRow.row_id).where(ImportRow.batch_id == batch.id, ImportRow.table_name == "grids")
    touched |= set(session.scalars(select(Grid.edition_id).where(Grid.id.in_(replaced))))
    session.execute(delete(Edition).where(Edition.batch_id == batch.id, Edition.id.not_in(used)))
    check_again(session, touched | _with_faults_of(session, batch))


def _with_faults_of(session: Session, batch: ImportBatch) -> set[int]:
    from_batch: Any = KINDS["grids"].tables["tiling_faults"]
    return set(session.scalars(select(from_batch.edition_id).where(from_batch.batch_id == batch.id)))


def undo_file(root: Path, batch_id: int) -> Path:
    """Where the verdicts of undoing a batch lie for a while; `root` is DATA_DIR."""
    folder = root / "uploads"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"undo-{batch_id}.csv"


def write_verdicts(path: Path, plan: Plan) -> None:
    """Every row with its verdict, as a CSV that Excel opens."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["编码", "名称", "撤回时", "结论"])
        for one in plan.verdicts():
            words = f"留下：{one.refused}" if one.refused else "可以撤回"
            writer.writerow([harmless(str(cell)) for cell in (one.code, one.name, _WHAT[one.what == MADE], words)])


def _portions(rows: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(rows), _AT_ONCE):
        yield rows[start : start + _AT_ONCE]
