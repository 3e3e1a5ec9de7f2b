"""Before an import is undone: which rows it made and replaced, and on which of them later work depends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.db.bulk import among
from service.grids.models import Edition, Grid, TilingFault
from service.intake.applying import SUBJECT
from service.intake.dependants import DEPENDANTS
from service.intake.kinds import KINDS
from service.records import batches
from service.records.models import AuditEntry, ImportBatch, ImportRow

_AT_ONCE = 10_000
_HELPERS = (Edition, TilingFault)  # what follows from the grids: no rows of anybody's file
MADE, REPLACED = "made", "replaced"
LATER_IMPORT = "后来的导入（{}）又改过这一行。先撤回那一次"
LATER_HAND = "后来有人改过这一行"
_DEMO_GONE = "它原是演示数据里的一行，演示数据已经去掉"


@dataclass
class Line:
    """A line of the log that is still to be undone."""

    id: int
    old: dict[str, Any]


@dataclass
class TablePlan:
    """One table's share. `made`: ids, `seen`: each row's version when it was examined (0 where the table has none);
    `lines` by row id; `refused`: row id to the reason."""

    model: Any
    made: set[int] = field(default_factory=set)
    lines: dict[int, list[Line]] = field(default_factory=lambda: defaultdict(list))
    seen: dict[int, int] = field(default_factory=dict)
    codes: dict[int, str] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)

    @property
    def rows(self) -> list[int]:
        return sorted(self.made | set(self.lines))

    @property
    def going(self) -> list[int]:
        """Rows that can be undone."""
        return [row for row in self.rows if row not in self.refused]


@dataclass(frozen=True)
class RowVerdict:
    """What undoing would do to a row: remove it or give it its old values back, or why it stays."""

    code: str
    name: str
    what: str
    refused: str | None


@dataclass
class Plan:
    """What undoing a batch would do."""

    batch_id: int
    kind: str
    tables: list[TablePlan]

    @property
    def removed(self) -> int:
        return sum(1 for table in self.tables for row in table.going if row in table.made)

    @property
    def restored(self) -> int:
        return sum(len(table.going) for table in self.tables) - self.removed

    @property
    def kept(self) -> int:
        return sum(len(table.refused) for table in self.tables)

    def verdicts(self) -> Iterator[RowVerdict]:
        """Row by row, the refused ones first."""
        for refused in (True, False):
            for table in self.tables:
                for row in table.rows:
                    if (row in table.refused) is refused:
                        what = MADE if row in table.made else REPLACED
                        yield RowVerdict(
                            table.codes.get(row, ""), table.names.get(row, ""), what, table.refused.get(row)
                        )


def examine(session: Session, batch: ImportBatch) -> Plan:
    """Every row of a finished batch with its verdict."""
    kind = KINDS[batch.kind]
    plan = Plan(batch.id, kind.name, [TablePlan(model) for model in kind.tables.values() if model not in _HELPERS])
    changed_by_hand = _codes_in_trail(session, batch)
    for table in plan.tables:
        _gather(session, batch, table)
        _label(session, table)
        _judge_demo(session, table)
        _judge_later_imports(session, batch, table)
        for row, code in table.codes.items():
            if code in changed_by_hand:
                table.refused.setdefault(row, LATER_HAND)
    _judge_dependants(session, plan)
    return plan


def _gather(session: Session, batch: ImportBatch, table: TablePlan) -> None:
    name = table.model.__tablename__
    lines = session.execute(
        select(ImportRow.id, ImportRow.row_id, ImportRow.old)
        .where(ImportRow.batch_id == batch.id, ImportRow.table_name == name)
        .where(ImportRow.until_id.is_(None), ImportRow.undone.is_(False))
        .order_by(ImportRow.id.desc())
    )
    adopted = set()
    for line_id, row, old in lines:
        table.lines[row].append(Line(line_id, old))
        if "batch_id" in old:
            adopted.add(row)
    mine = session.scalars(select(table.model.id).where(table.model.batch_id == batch.id))
    table.made = set(mine) - adopted


def _label(session: Session, table: TablePlan) -> None:
    """Codes, names and versions of the rows that are still there; lines of rows that are gone have nothing to undo."""
    model = table.model
    versioned = hasattr(model, "version")
    code = model.number if hasattr(model, "number") else model.code
    name = next(getattr(model, one) for one in ("name", "shop_name", "description", "role") if hasattr(model, one))
    wanted = [model.id, code, name, *([model.version] if versioned else [])]
    for part in _parts(table.rows):
        for row, told, called, *version in session.execute(select(*wanted).where(model.id.in_(part))):
            table.codes[row], table.names[row] = told, called or ""
            table.seen[row] = version[0] if version else 0
    for row in [row for row in table.lines if row not in table.seen]:
        del table.lines[row]


def _judge_demo(session: Session, table: TablePlan) -> None:
    demos = {old.old["batch_id"] for lines in table.lines.values() for old in lines if "batch_id" in old.old}
    if not demos:
        return
    there = set(
        session.scalars(select(ImportBatch.id).where(ImportBatch.id.in_(demos), ImportBatch.state == batches.DONE))
    )
    for row, lines in table.lines.items():
        if any("batch_id" in one.old and one.old["batch_id"] not in there for one in lines):
            table.refused[row] = _DEMO_GONE


def _judge_later_imports(session: Session, batch: ImportBatch, table: TablePlan) -> None:
    """A later import that is in force names the row; or its version tells that somebody changed it otherwise.

    A change and its undoing count the version on by one each.
    """
    later = session.execute(
        select(ImportRow.row_id, ImportRow.undone, ImportBatch.files, ImportRow.old)
        .join(ImportBatch, ImportBatch.id == ImportRow.batch_id)
        .where(ImportRow.batch_id > batch.id, ImportRow.table_name == table.model.__tablename__)
        .where(ImportRow.until_id.is_(None))
    )
    back_and_forth: dict[int, int] = defaultdict(int)
    for row, undone, files, old in later:
        if row not in table.seen:
            continue
        if not undone:
            table.refused.setdefault(row, LATER_IMPORT.format(files))
        elif "version" in old:
            back_and_forth[row] += 2
    if not hasattr(table.model, "version"):
        return
    for row, version in table.seen.items():
        left = 1 if row in table.made else _left(table.lines[row], version)
        if version != left + back_and_forth[row]:
            table.refused.setdefault(row, LATER_HAND)


def _left(lines: list[Line], version: int) -> int:
    """The version that the import left a row with; the row's own where it only took the row over."""
    return next((one.old["version"] + 1 for one in lines if "version" in one.old), version)


def _codes_in_trail(session: Session, batch: ImportBatch) -> set[str]:
    """Codes of the kind's records that the trail says were changed after the import."""
    stored = session.scalar(
        select(AuditEntry.id).where(
            AuditEntry.subject_kind == SUBJECT,
            AuditEntry.subject_code == str(batch.id),
            AuditEntry.action == "import.store",
        )
    )
    later = AuditEntry.id > stored if stored is not None else AuditEntry.at > (batch.finished_at or batch.started_at)
    changed = (AuditEntry.after.is_not(None)) | (AuditEntry.before.is_not(None))
    codes = session.scalars(
        select(AuditEntry.subject_code)
        .where(later, AuditEntry.subject_kind == batch.kind, AuditEntry.ok.is_(True), changed)
        .distinct()
    )
    return {code for code in codes if code}


def _judge_dependants(session: Session, plan: Plan) -> None:
    """Rows that would go although something names them. What goes with the same import holds nothing back; what of it
    stays holds back what it names, and so on."""
    inner: list[tuple[tuple[str, int], TablePlan, int, str]] = []
    doomed = {(table.model.__tablename__, row) for table in plan.tables for row in table.made}
    for table in plan.tables:
        by_code = defaultdict(list)
        for row in table.made - set(table.refused):
            by_code[table.codes[row]].append(row)
        for code in _still_told(session, table, by_code):
            del by_code[code]
        for part in _parts(sorted(by_code)):
            for ask in DEPENDANTS.get(plan.kind, ()):
                for code, one in ask(session, part):
                    for row in by_code.get(code, ()):
                        if one.table is not None and one.row_id is not None and (one.table, one.row_id) in doomed:
                            inner.append(((one.table, one.row_id), table, row, one.words))
                        else:
                            table.refused.setdefault(row, one.words)
    staying = {(table.model.__tablename__, row) for table in plan.tables for row in table.refused}
    moved = True
    while moved:
        moved = False
        for dependant, table, row, words in inner:
            if dependant in staying and row not in table.refused:
                table.refused[row] = words
                staying.add((table.model.__tablename__, row))
                moved = True


def _still_told(session: Session, table: TablePlan, by_code: dict[str, list[int]]) -> set[str]:
    """Grids' codes that another edition has too: whatever names them finds them there."""
    if table.model is not Grid or not by_code:
        return set()
    found: set[str] = set()
    for part in _parts(sorted(by_code)):
        rows = session.execute(select(Grid.code, Grid.id).where(batches.visible(Grid), among(Grid.code, part)))
        found |= {code for code, row in rows if row not in table.made}
    return found


def _parts(everything: Collection[Any]) -> Iterator[list[Any]]:
    listed = list(everything)
    for start in np.arange(0, len(listed), _AT_ONCE).tolist():
        yield listed[start : start + _AT_ONCE]
