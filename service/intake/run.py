"""One import from the command line to the table: read, map, judge, apply, finish; undoing what broke off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from sqlalchemy.orm import Session

from service.clock import local_date
from service.config import Settings
from service.db.bulk import uncollected
from service.db.engine import Database
from service.errors import NothingStored
from service.files.mapping import map_columns, recognised
from service.files.reader import ReadOptions, read_source
from service.files.table import SourceTable
from service.files.verdicts import Verdicts
from service.intake.applying import Advance, Applied, apply, bar_of, forecast
from service.intake.kinds import KINDS
from service.intake.place import place_geometry
from service.intake.reports import Rejects, check_reports, describe_faults, messages, tell_columns, write_reports
from service.records.audit import COMMAND_LINE, SYSTEM, Actor
from service.records.importing import Asked, Intake, Kind, Prepared

ENDED_STAY = "这些行在登记册里已终止：内容照文件更新，仍是终止的。确实还在用的，到登记册里恢复"


@dataclass(frozen=True)
class Request:
    """The options of `import`, as CONTRACT has them. `shown`: the file's name where that isn't the path's;
    `recognise` False: only the columns of `mapping` are used, the person having seen and changed the proposal."""

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
    shown: str = ""
    recognise: bool = True


@dataclass
class Result:
    """What the command prints: lines for the person, one JSON object for programs, the exit code."""

    summary: dict[str, Any]
    messages: list[str]
    rejects: Rejects
    faults: list[Any]
    counts: dict[str, int]
    batch_id: int | None = None

    @property
    def exit_code(self) -> int:
        """0 all accepted, 3 some rejected (the accepted ones are stored), 2 nothing stored."""
        if self.summary["read"] == 0 or not (self.summary["accepted"] or self.summary["rejected"] == 0):
            return 2
        return 3 if self.summary["rejected"] else 0


def run_import(
    database: Database, settings: Settings, request: Request, now: datetime, actor: Actor = COMMAND_LINE
) -> Result:
    """Import one or more files of a kind. Raises UnreadableFile, NothingStored, InvalidValue, Conflict.

    Of several files all are read and judged before the first is stored: a refused one leaves nothing behind.
    """
    with uncollected():
        return _run_import(database, settings, request, now, actor)


def _run_import(database: Database, settings: Settings, request: Request, now: datetime, actor: Actor) -> Result:
    check_reports(request.rejects, request.faults)
    options = ReadOptions(request.crs, request.layer, request.encoding, request.sheet, request.header_row)
    tables = [read_source(path, options) for path in request.files]
    if len(tables) > 1 and not request.dry_run:
        for table in tables:
            apply_table(database, settings, replace(request, dry_run=True), table, now)
    with bar_of(request.progress, KINDS[request.kind].label) as advance:
        done = [apply_table(database, settings, request, table, now, actor=actor, advance=advance) for table in tables]
    total = reduce(_sum, done)
    try:
        write_reports(request.rejects, request.faults, total.rejects, total.faults)
    except OSError as error:  # a full disk: what is stored stays stored, and the verdict is told all the same
        total.summary["warnings"].append(f"报告没有写成：{error.strerror or error}。数据的处理不受影响")
    return total


def _sum(first: Result, second: Result) -> Result:
    summary = dict(first.summary)
    for name in ("read", "accepted", "rejected", "updated", "unchanged"):
        summary[name] += second.summary[name]
    summary["warnings"] = [*summary["warnings"], *second.summary["warnings"]]
    return Result(
        summary,
        [*first.messages, *second.messages],
        [*first.rejects, *second.rejects],
        [*first.faults, *second.faults],
        first.counts,
        second.batch_id,
    )


def apply_table(
    database: Database,
    settings: Settings,
    request: Request,
    table: SourceTable,
    now: datetime,
    demo: bool = False,
    actor: Actor = SYSTEM,
    advance: Advance | None = None,
    at_finish: Sequence[Callable[[Session, int], None]] = (),
) -> Result:
    """Judge every row of a table and store the good ones; with `dry_run` say what would be new and what changed.

    `at_finish` runs in the transaction that makes the import visible, with the batch's id.
    """
    kind = KINDS[request.kind]
    verdicts = Verdicts()
    for note in table.notes:
        verdicts.warn(note)
    verdicts.reject_all(table.rejects)
    read = len(table) + len({reject.row for reject in table.rejects})
    name = request.shown or table.path.name
    if len(table) or not table.rejects:
        with database.read() as session:
            intake = take_in(session, kind, table, settings, request, verdicts, now)
            headers = intake.headers
            prepared = kind.prepare(session, intake)
        accepted = int(intake.alive.sum())
    else:
        headers, prepared, accepted = {}, Prepared([]), 0
    rejects = [(name, one) for one in verdicts.rejects]
    if request.strict and (rejects or prepared.faults):
        write_reports(request.rejects, request.faults, rejects, prepared.faults)
        raise NothingStored(
            f"--strict：有 {len(verdicts.rejected_rows)} 行被拒收、{len(prepared.faults)} 处界线问题，什么也没有存入。"
        )
    describe_faults(prepared.faults, verdicts)
    applied = Applied(None)
    if accepted and request.dry_run:
        applied = forecast(database, prepared, now)
    elif accepted:
        files = request.shown or "、".join(one.name for one in request.files)
        prepared.at_finish += at_finish
        told = {"read": read, "rejected": len(verdicts.rejected_rows), "crs": request.crs, "edition": prepared.edition}
        applied = apply(
            database, kind, prepared, files, settings.subdistrict, now, demo, actor, advance, {**told, **given(request)}
        )
    counts = applied.counts
    if counts["ended"]:
        verdicts.warn(ENDED_STAY, counts["ended"])
    summary = {
        "read": read,
        "accepted": accepted,
        "rejected": len(verdicts.rejected_rows),
        "updated": counts["updated"],
        "unchanged": counts["unchanged"],
        "warnings": verdicts.warnings,
        "rejects": str(request.rejects) if request.rejects else None,
        "edition": prepared.edition,
        "columns": headers,
    }
    return Result(summary, messages(name, kind, verdicts), rejects, prepared.faults, counts, applied.batch_id)


def given(request: Request) -> dict[str, Any]:
    """What was chosen about the file, as far as it was, for the trail."""
    names = ("layer", "sheet", "header_row", "encoding", "mapping", "sets")
    return {name: getattr(request, name) for name in names if getattr(request, name)}


def take_in(
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
    found = kind.choose(table) if kind.choose and request.recognise else {}
    if found.keys() & (request.mapping.keys() | sets.keys()):
        found = {}
    mapped = map_columns(table, kind.fields, found | request.mapping, sets, request.recognise)
    chosen = set(request.mapping.items())
    if not request.recognise:  # what the page proposed and the person left is no word of theirs
        chosen -= set(recognised(table.columns, kind.fields).items())
    asked = Asked(
        settings.subdistrict,
        now,
        local_date(now),
        request.edition,
        request.duplicates == "number",
        request.time_zone,
        frozenset(name for name, _ in chosen) | frozenset(request.sets),
    )
    intake = Intake(
        mapped.values,
        table.geometry if has_shapes else None,
        table.row_numbers,
        verdicts,
        asked,
        np.ones(len(table), dtype=bool),
        headers=mapped.used,
    )
    tell_columns(kind, mapped, table, verdicts)
    place_geometry(session, kind, intake, table, request.crs)
    return intake


def mapped_sample(kind: Kind, sample: SourceTable, request: Request) -> dict[str, Any]:
    """The values of a sample by field, with the columns chosen so far; nothing is required of it."""
    used = {name: column for name, column in request.mapping.items() if column in sample.columns}
    if request.recognise:
        used = recognised(sample.columns, kind.fields) | used
    return {name: sample.columns[column] for name, column in used.items()}
