"""Judged rows into the tables: new ones in short transactions under one batch, changed ones where it is finished."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
from service.intake.relocating import relocate_if_due
from service.records import batches, counters
from service.records.changes import Change, adopt, classify, write_updates
from service.records.importing import Kind, Prepared, Rows
from service.records.models import ImportBatch

_FIRST_CHUNK, _LEAST_CHUNK, _MOST_CHUNK = 4_000, 500, 50_000
_HOLD_SECONDS = 0.3
_AT_ONCE_UPDATES = 1_000
_WINDOW = 100_000


def apply(
    database: Database,
    kind: Kind,
    prepared: Prepared,
    files: str,
    subdistrict: str,
    now: datetime,
    demo: bool = False,
    progress: bool = False,
) -> dict[str, int]:
    """How many rows were new, updated and unchanged, and how many of these have ended. Raises Conflict while another
    import of the kind is under way.
    """
    with database.write() as session:
        batch = batches.begin(session, kind.name, files, _owner(), now, demo)
        batch_id = batch.id
        revision = max(counters.read_all(session).values()) + 1
        demos = frozenset() if demo else batches.demo_batches(session)
    counts = {"new": 0, "updated": 0, "unchanged": 0, "ended": 0}
    late: list[Change] = []
    try:
        with _progress(progress, kind.label) as advance:
            for stage in prepared.stages:
                with database.read() as session:
                    rows = stage(session)
                    change = classify(session, rows, local_date(now), demos)
                if rows.source:
                    counts["new"] += len(change.new)
                    counts["updated"] += len(change.updated)
                    counts["unchanged"] += change.unchanged
                    counts["ended"] += change.ended
                _insert_new(database, change, batch_id, revision, subdistrict, advance)
                if change.updated or change.adopted:
                    late.append(change)
        _finish(database, kind, prepared, late, batch_id, revision, counts, now)
        if kind.relocates:
            relocate_if_due(database)
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
    batch_id: int,
    revision: int,
    counts: dict[str, int],
    now: datetime,
) -> None:
    """The last transactions: changed rows, then everything becomes visible and the counters move."""
    pending = list(_split(late))
    for change in pending[:-1]:
        with database.write() as session:
            write_updates(session, change, batch_id, revision)
    with database.write() as session:
        for change in pending[-1:]:
            write_updates(session, change, batch_id, revision)
        for change in late:
            adopt(session, change, batch_id)
        for step in prepared.at_finish:
            step(session, batch_id)
        batches.finish(session, batch_id, dict(counts), now)
        for name in kind.counters:
            counters.move(session, name)
        if kind.relocates:
            counters.ask_relocation(session)


def _split(late: list[Change]) -> Iterator[Change]:
    """Changes in portions that hold the lock under a second: a thousand become visible at once, more do so in turn."""
    for change in late:
        for start in range(0, len(change.updated), _AT_ONCE_UPDATES):
            part = change.updated[start : start + _AT_ONCE_UPDATES]
            yield Change(change.rows, change.new, part)


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
            if KINDS[kind].relocates:
                counters.ask_relocation(session)
            for name in KINDS[kind].counters:
                counters.move(session, name)
        lines.append(f"上次没有做完的导入（{files}）已撤回，{count} 行。")
    relocate_if_due(database)
    return lines


@contextmanager
def _progress(shown: bool, label: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal; nothing elsewhere."""
    if not shown:
        yield lambda _done, _all: None
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
