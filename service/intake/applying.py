"""Judged rows into the tables: new ones in short transactions under one batch, changed ones where it is finished."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import shapely
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from service.clock import local_date
from service.db.bulk import insert_columns
from service.db.engine import Database
from service.geo.points import Points, near_order
from service.intake.kinds import KINDS
from service.intake.relocating import make_good, relocate_if_due
from service.records import batches, counters
from service.records.audit import SYSTEM, Actor, Subject, append
from service.records.changes import Change, adopt, classify, write_updates
from service.records.importing import Kind, Prepared, Rows
from service.records.models import ImportBatch
from service.records.owners import alive, this_process
from service.records.rowlog import RowLog, made_ranges

_FIRST_CHUNK, _LEAST_CHUNK, _MOST_CHUNK = 4_000, 500, 50_000
_HOLD_SECONDS = 0.3
_AT_ONCE_UPDATES = 1_000
_WINDOW = 100_000
SUBJECT = "imports"
Advance = Callable[[int, int], None]


@dataclass
class Applied:
    """What an import did, or would do: rows of the file by verdict. `batch_id` None: nothing was stored."""

    batch_id: int | None
    counts: dict[str, int] = field(default_factory=lambda: {"new": 0, "updated": 0, "unchanged": 0, "ended": 0})

    def add(self, change: Change) -> None:
        if change.rows.source:
            self.counts["new"] += len(change.new)
            self.counts["updated"] += len(change.updated)
            self.counts["unchanged"] += change.unchanged
            self.counts["ended"] += change.ended


def apply(
    database: Database,
    kind: Kind,
    prepared: Prepared,
    files: str,
    subdistrict: str,
    now: datetime,
    demo: bool = False,
    actor: Actor = SYSTEM,
    advance: Advance | None = None,
    told: Mapping[str, Any] | None = None,
) -> Applied:
    """How many rows were new, updated and unchanged, and how many of these have ended. Raises Conflict while another
    import of the kind is under way.

    `told`: what else the trail says of the import. `advance` is called with rows done and all of them.
    """
    advance = advance or _silent
    with database.write() as session:
        batch = batches.begin(session, kind.name, files, this_process(), now, demo)
        log = RowLog(batch.id)
        revision = max(counters.read_all(session).values()) + 1
        demos = frozenset() if demo else batches.demo_batches(session)
    applied = Applied(log.batch_id)
    late: list[Change] = []
    models: list[Any] = []
    try:
        for stage in prepared.stages:
            with database.read() as session:
                change = classify(session, stage(session), local_date(now), demos)
            applied.add(change)
            models.append(change.rows.model)
            _insert_new(database, change, log.batch_id, revision, subdistrict, advance)
            if change.updated or change.adopted:
                late.append(change)
        with database.read() as session:
            made = [(model.__tablename__, made_ranges(session, model, log.batch_id)) for model in models]
        entry = {"kind": kind.name, **(told or {})}
        _finish(database, kind, prepared, late, log, made, revision, applied, now, actor, files, entry, advance)
        if kind.relocates:
            relocate_if_due(database)
    except BaseException:
        with database.write() as session:
            found = session.get(ImportBatch, log.batch_id)
            if found is not None and found.state == batches.APPLYING:
                batches.undo(session, found, kind.tables, now)
        raise
    return applied


def forecast(database: Database, prepared: Prepared, now: datetime) -> Applied:
    """What `apply` would do, without doing it. Stages that stand on rows not yet written count theirs as new."""
    applied = Applied(None)
    with database.read() as session:
        demos = batches.demo_batches(session)
        for stage in prepared.stages:
            applied.add(classify(session, stage(session), local_date(now), demos))
    return applied


def _insert_new(
    database: Database,
    change: Change,
    batch_id: int,
    revision: int,
    subdistrict: str,
    advance: Advance,
) -> None:
    """In one transaction into an empty table (the index is packed), else in chunks under a second, near rows together:
    a chunk then touches few pages of the index."""
    rows, new = change.rows, change.new
    table: Any = rows.model.__table__
    extra = {"subdistrict": subdistrict, "batch_id": batch_id, "revision": revision}

    def put(part: np.ndarray, first: bool) -> None:
        columns = {name: values[part] for name, values in rows.columns.items()}
        columns |= {name: np.full(len(part), value, dtype=object) for name, value in extra.items()}
        shapes = rows.geometry[part] if rows.geometry is not None else None
        with database.write() as session:
            insert_columns(session, table, columns, shapes, first_load=first)

    if change.empty_table and len(new):
        put(new, True)
        advance(len(new), len(new))
        return
    new = _near(rows, new)
    start, size = 0, _FIRST_CHUNK
    while start < len(new):
        began = time.perf_counter()
        put(new[start : start + size], False)
        start += size
        advance(min(start, len(new)), len(new))
        taken = time.perf_counter() - began
        size = int(np.clip(size * _HOLD_SECONDS / max(taken, 1e-3), _LEAST_CHUNK, min(2 * size, _MOST_CHUNK)))


def _near(rows: Rows, new: np.ndarray) -> np.ndarray:
    """The rows `new`, neighbours next to each other within each hundred thousand."""
    if rows.geometry is None or len(new) <= _FIRST_CHUNK:
        return new
    some = rows.geometry[new]
    lon, lat = (some.lon, some.lat) if isinstance(some, Points) else shapely.bounds(some)[:, :2].T
    windows = [slice(start, start + _WINDOW) for start in range(0, len(new), _WINDOW)]
    return np.concatenate([new[one][near_order(lon[one], lat[one])] for one in windows])


def _finish(
    database: Database,
    kind: Kind,
    prepared: Prepared,
    late: list[Change],
    log: RowLog,
    made: list[tuple[str, list[tuple[int, int]]]],
    revision: int,
    applied: Applied,
    now: datetime,
    actor: Actor,
    files: str,
    entry: dict[str, Any],
    advance: Advance,
) -> None:
    """The last transactions: changed rows, then everything becomes visible, the trail says so and the counters move."""
    pending = list(_split(late))
    done, everything = 0, sum(len(change.updated) for change in pending)
    for change in pending[:-1]:
        with database.write() as session:
            write_updates(session, change, log, revision)
        done += len(change.updated)
        advance(done, everything)
    with database.write() as session:
        for change in pending[-1:]:
            write_updates(session, change, log, revision)
        for change in late:
            adopt(session, change, log)
        for table, ranges in made:
            log.made(session, table, ranges)
        for step in prepared.at_finish:
            step(session, log.batch_id)
        batches.finish(session, log.batch_id, applied.counts | {"rejected": entry.get("rejected", 0)}, now)
        after = entry | applied.counts | {"log_lines": log.count, "log_digest": log.digest}
        for name in kind.counters:  # before the trail: every writer takes its locks in this order
            counters.move(session, name)
        if kind.relocates:
            counters.ask_relocation(session)
        append(session, actor, "import.store", now, Subject(SUBJECT, str(log.batch_id), files), after=after)


def _split(late: list[Change]) -> Iterator[Change]:
    """Changes in portions that hold the lock under a second: a thousand become visible at once, more do so in turn."""
    for change in late:
        for start in range(0, len(change.updated), _AT_ONCE_UPDATES):
            part = change.updated[start : start + _AT_ONCE_UPDATES]
            yield Change(change.rows, change.new, part)


def undo_unfinished(database: Database, now: datetime) -> list[str]:
    """Undo the imports that a crash left half done; a line for each."""
    lines = []
    with database.read() as session:
        broken = [(one.id, one.kind, one.files) for one in batches.unfinished(session) if _broken(one.owner)]
    for batch_id, kind, files in broken:
        with database.write() as session:
            batch = session.get_one(ImportBatch, batch_id)
            count = batches.undo(session, batch, KINDS[kind].tables, now)
            if KINDS[kind].relocates:
                counters.ask_relocation(session)
            for name in KINDS[kind].counters:
                counters.move(session, name)
        lines.append(f"上次没有做完的导入（{files}）已撤回，{count} 行。")
    with database.write() as session:
        for batch in batches.half_undone(session):
            if _broken(batch.owner):
                batch.state = batches.PARTLY  # each row is either undone or as it was; the rest can be undone again
                lines.append(f"撤回“{batch.files}”时中断，其余的行还在，可以接着撤回。")
    make_good(database)
    return lines


def _broken(owner: str) -> bool:
    return owner == this_process() or not alive(owner)


def _silent(_done: int, _everything: int) -> None:
    return


@contextmanager
def bar_of(shown: bool, label: str) -> Iterator[Advance | None]:
    """A bar on a terminal; nothing elsewhere."""
    if not shown:
        yield None
        return
    columns = (
        TextColumn(label),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(file=sys.stderr)) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, all_of_them: bar.update(task, completed=done, total=all_of_them)
