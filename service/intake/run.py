"""One import from the command line to the table: read, map, judge, apply, finish; undoing what broke off."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import select

from service.clock import local_date
from service.config import Settings
from service.db.bulk import insert_columns
from service.db.engine import Database
from service.errors import NothingStored
from service.files.mapping import map_columns
from service.files.reader import ReadOptions, read_source
from service.files.table import SourceTable
from service.files.verdicts import Verdicts
from service.intake.kinds import KINDS
from service.intake.place import place_geometry
from service.records import batches, counters
from service.records.importing import Asked, Change, Intake, Kind, Prepared, classify, write_updates
from service.records.models import ImportBatch

_FIRST_CHUNK, _LEAST_CHUNK, _MOST_CHUNK = 4_000, 500, 50_000
_HOLD_SECONDS = 0.4
_AT_ONCE_UPDATES = 4_000
_SHOWN_REJECTS = 10
_SHOWN_FAULTS = 50


@dataclass(frozen=True)
class Request:
    """The options of `import`, as CONTRACT has them."""

    kind: str
    files: tuple[Path, ...]
    crs: str | None = None
    layer: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    header_row: int | None = None
    mapping: dict[str, str] = field(default_factory=dict)
    sets: dict[str, str] = field(default_factory=dict)
    edition: date | None = None
    duplicates: str = "refuse"
    dry_run: bool = False
    rejects: Path | None = None
    faults: Path | None = None
    strict: bool = False
    time_zone: str = "Asia/Shanghai"
    progress: bool = False


@dataclass
class Result:
    """What the command prints: lines for the person, one JSON object for programs, the exit code."""

    summary: dict[str, Any]
    messages: list[str]

    @property
    def exit_code(self) -> int:
        """0 all accepted, 3 some rejected (the accepted ones are stored), 2 nothing stored."""
        if self.summary["read"] == 0 or not (self.summary["accepted"] or self.summary["rejected"] == 0):
            return 2
        return 3 if self.summary["rejected"] else 0


def run_import(database: Database, settings: Settings, request: Request, now: datetime) -> Result:
    """Import one or more files of a kind. Raises UnreadableFile, NothingStored, InvalidValue, Conflict."""
    total: Result | None = None
    for path in request.files:
        table = read_source(
            path, ReadOptions(request.crs, request.layer, request.encoding, request.sheet, request.header_row)
        )
        one = apply_table(database, settings, request, table, now)
        total = one if total is None else _sum(total, one)
    assert total is not None
    return total


def _sum(first: Result, second: Result) -> Result:
    summary = dict(first.summary)
    for name in ("read", "accepted", "rejected", "updated", "unchanged"):
        summary[name] += second.summary[name]
    summary["warnings"] = [*summary["warnings"], *second.summary["warnings"]]
    summary["rejects"] = second.summary["rejects"] or summary["rejects"]
    return Result(summary, [*first.messages, *second.messages])


def apply_table(
    database: Database, settings: Settings, request: Request, table: SourceTable, now: datetime, demo: bool = False
) -> Result:
    """Judge every row of a table and store the good ones."""
    kind = KINDS[request.kind]
    verdicts = Verdicts()
    for note in table.notes:
        verdicts.warn(note)
    verdicts.reject_all(table.rejects)
    read = len(table) + len({reject.row for reject in table.rejects})
    with database.read() as session:
        intake = _intake(session, kind, table, settings, request, verdicts, now)
        prepared = kind.prepare(session, intake)
    if request.strict and (len(verdicts.rejected_rows) or prepared.faults):
        _write_reports(request, verdicts, prepared)
        raise NothingStored(
            f"--strict：有 {len(verdicts.rejected_rows)} 行被拒收、{len(prepared.faults)} 处界线问题，什么也没有存入。"
        )
    _describe_faults(prepared, verdicts)
    counts = {"new": 0, "updated": 0, "unchanged": 0}
    if not request.dry_run and intake.alive.any():
        counts = _apply(database, kind, prepared, request, settings, now, demo)
    elif request.dry_run:
        counts["new"] = int(intake.alive.sum())
    rejects = _write_reports(request, verdicts, prepared)
    summary = {
        "read": read,
        "accepted": int(intake.alive.sum()),
        "rejected": len(verdicts.rejected_rows),
        "updated": counts["updated"],
        "unchanged": counts["unchanged"],
        "warnings": verdicts.warnings,
        "rejects": str(rejects) if rejects else None,
        "edition": prepared.edition,
    }
    return Result(summary, _messages(table.path.name, verdicts))


def _intake(
    session: Any,
    kind: Kind,
    table: SourceTable,
    settings: Settings,
    request: Request,
    verdicts: Verdicts,
    now: datetime,
) -> Intake:
    """Columns mapped to fields, geometry in longitude/latitude, everything alive as yet."""
    if len(table) == 0 and not table.rejects:
        raise NothingStored(f"“{table.path.name}”里没有数据行。")
    has_shapes = table.geometry is not None and not shapely.is_missing(table.geometry).all()
    sets = dict(request.sets)
    mapped = map_columns(table, kind.fields, request.mapping, sets)
    asked = Asked(
        settings.subdistrict,
        now,
        local_date(now),
        request.edition,
        request.duplicates == "number",
        request.time_zone,
        frozenset(request.mapping) | frozenset(request.sets),
    )
    intake = Intake(
        mapped.values,
        table.geometry if has_shapes else None,
        table.row_numbers,
        verdicts,
        asked,
        np.ones(len(table), dtype=bool),
    )
    place_geometry(session, kind, intake, table, request.crs)
    return intake


def _messages(name: str, verdicts: Verdicts) -> list[str]:
    """For the person at the terminal: the first rejects in full, and how many there are."""
    rejects = verdicts.rejects
    lines = [f"{name} 第 {one.row} 行，{one.field}“{one.value}”：{one.reason}" for one in rejects[:_SHOWN_REJECTS]]
    if len(rejects) > _SHOWN_REJECTS:
        lines.append(
            f"{name}：一共拒收 {len(verdicts.rejected_rows)} 行，以上是前几处；加 --rejects 文件.csv 可全部写出。"
        )
    return lines


def _describe_faults(prepared: Prepared, verdicts: Verdicts) -> None:
    words = {"overlap": "重叠", "gap": "空隙", "overhang": "越界"}
    if len(prepared.faults) > _SHOWN_FAULTS:
        left = len(prepared.faults) - _SHOWN_FAULTS
        verdicts.warn(f"另有 {left} 处较小的界线问题，用 --faults 文件.geojson 可全部写出")
    for fault in prepared.faults[:_SHOWN_FAULTS]:
        at = shapely.point_on_surface(fault.geom)
        codes = "、".join(fault.codes[:3])
        verdicts.warn(f"{words[fault.kind]} {fault.area_m2:.1f} m²（{codes}），在 {at.x:.6f},{at.y:.6f}")


def _write_reports(request: Request, verdicts: Verdicts, prepared: Prepared) -> Path | None:
    if request.faults is not None:
        features = [
            {
                "type": "Feature",
                "geometry": json.loads(shapely.to_geojson(fault.geom)),
                "properties": {"kind": fault.kind, "codes": list(fault.codes), "area_m2": round(fault.area_m2, 3)},
            }
            for fault in prepared.faults
        ]
        request.faults.write_text(json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False))
    if request.rejects is not None:
        verdicts.write_rejects(request.rejects)
        return request.rejects
    return None


def _apply(
    database: Database, kind: Kind, prepared: Prepared, request: Request, settings: Settings, now: datetime, demo: bool
) -> dict[str, int]:
    """New rows in short transactions under one batch; changed ones where the batch is finished."""
    with database.write() as session:
        batch = batches.begin(session, kind.name, "、".join(p.name for p in request.files), _owner(), now, demo)
        batch_id = batch.id
        revision = max(counters.read_all(session).values()) + 1
    counts = {"new": 0, "updated": 0, "unchanged": 0}
    late: list[Change] = []
    try:
        with _progress(request.progress, kind.label) as advance:
            for stage in prepared.stages:
                with database.read() as session:
                    rows = stage(session)
                    change = classify(session, rows)
                if rows.source:
                    counts["new"] += len(change.new)
                    counts["updated"] += len(change.updated)
                    counts["unchanged"] += change.unchanged
                _insert_new(database, change, batch_id, revision, settings.subdistrict, advance)
                if change.updated:
                    late.append(change)
        _finish(database, kind, prepared, late, batch_id, revision, counts, now)
    except BaseException:
        with database.write() as session:
            found = session.get(ImportBatch, batch_id)
            if found is not None and found.state == batches.APPLYING:
                batches.undo(session, found, kind.tables, now)
        raise
    return counts


def _insert_new(
    database: Database,
    change: Change,
    batch_id: int,
    revision: int,
    subdistrict: str,
    advance: Callable[[int, int], None],
) -> None:
    """In one transaction into an empty table (the index is packed), else in chunks under a second."""
    rows, new = change.rows, change.new
    table: Any = rows.model.__table__
    extra = {"subdistrict": subdistrict, "batch_id": batch_id, "revision": revision}

    def put(part: np.ndarray, first: bool) -> None:
        columns = {name: values[part] for name, values in rows.columns.items()}
        columns |= {name: [value] * len(part) for name, value in extra.items()}
        shapes = rows.geometry[part] if rows.geometry is not None else None
        with database.write() as session:
            insert_columns(session, table, columns, shapes, first_load=first)

    if change.empty_table and len(new):
        put(new, True)
        advance(len(new), len(new))
        return
    start, size = 0, _FIRST_CHUNK
    while start < len(new):
        began = time.perf_counter()
        put(new[start : start + size], False)
        start += size
        advance(min(start, len(new)), len(new))
        taken = time.perf_counter() - began
        size = int(min(_MOST_CHUNK, max(_LEAST_CHUNK, size * _HOLD_SECONDS / max(taken, 1e-3))))


def _finish(
    database: Database,
    kind: Kind,
    prepared: Prepared,
    late: list[Change],
    batch_id: int,
    revision: int,
    counts: dict[str, int],
    now: datetime,
) -> None:
    """The last transactions: changed rows, then everything becomes visible and the counters move."""
    pending = list(_split(late))
    for change in pending[:-1]:
        with database.write() as session:
            write_updates(session, change, batch_id, revision, set())
    with database.write() as session:
        if pending:
            demo = set(session.scalars(select(ImportBatch.id).where(ImportBatch.demo.is_(True))))
            write_updates(session, pending[-1], batch_id, revision, demo - {batch_id})
        for step in prepared.at_finish:
            step(session, batch_id)
        batches.finish(session, batch_id, dict(counts), now)
        for name in kind.counters:
            counters.move(session, name)


def _split(late: list[Change]) -> Iterator[Change]:
    """Changes in portions that hold the lock under a second; small ones stay whole and become visible at once."""
    for change in late:
        for start in range(0, len(change.updated), _AT_ONCE_UPDATES):
            part = change.updated[start : start + _AT_ONCE_UPDATES]
            yield Change(change.rows, change.new, part, change.unchanged, change.empty_table)


def _owner() -> str:
    """Which process applies a batch, so that a crash can be told from work under way."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _alive(owner: str) -> bool:
    host, _, number = owner.rpartition(":")
    if host != socket.gethostname() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return int(number) != os.getpid()


def undo_unfinished(database: Database, now: datetime) -> list[str]:
    """Undo the imports that a crash left half done; a line for each."""
    lines = []
    with database.read() as session:
        broken = [(one.id, one.kind, one.files) for one in batches.unfinished(session) if not _alive(one.owner)]
    for batch_id, kind, files in broken:
        with database.write() as session:
            batch = session.get_one(ImportBatch, batch_id)
            count = batches.undo(session, batch, KINDS[kind].tables, now)
            for name in KINDS[kind].counters:
                counters.move(session, name)
        lines.append(f"上次没有做完的导入（{files}）已撤回，{count} 行。")
    return lines


@contextmanager
def _progress(shown: bool, label: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal; nothing elsewhere."""
    if not shown:
        yield lambda _done, _all: None
        return
    from rich.console import Console

    columns = (
        TextColumn(label),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(file=sys.stderr)) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, all_of_them: bar.update(task, completed=done, total=all_of_them)
