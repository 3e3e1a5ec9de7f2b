"""A bulk change of as many rows as one may have: how long it holds the write lock, against the same row by row."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select

from service.bench.figures import Context, Figure, figure
from service.bench.stores import Timed, empty_store, stores
from service.clock import local_date, utcnow
from service.config import Settings, load_settings
from service.intake.demo import load_demo
from service.people.access import EVERYWHERE
from service.records.audit import Actor
from service.registers import actions
from service.registers.actions import By
from service.registers.bulk import MOST_ROWS, change_many, end_many
from service.registers.kinds import REGISTERS
from service.registers.location import Located, locate
from service.responsibility.keeper import Responsibility
from service.serving import migrate_store

_FRONTAGES = REGISTERS["frontages"]
_ROUNDS = 3


def measure(context: Context) -> list[Figure]:
    """The demo's shops, on each store."""
    rows = context.count(MOST_ROWS)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        for label, url in stores(Path(folder)):
            with empty_store(url) as real:
                settings = load_settings(data_dir=Path(folder) / label, database_url=real)
                figures += _one_store(label, settings, rows)
    return figures


def _one_store(label: str, settings: Settings, rows: int) -> list[Figure]:
    migrate_store(settings)
    database, now = Timed(settings.store_url), utcnow()
    load_demo(database, settings, now)
    snapshot = Responsibility(database, settings.subdistrict, settings.office_name).on(local_date(now))
    with database.read() as session:
        located = locate(session, _FRONTAGES, snapshot)
        codes = list(session.scalars(select(_FRONTAGES.model.code).order_by(_FRONTAGES.model.code).limit(rows)))
    by = By(Actor("bench", "supervisor"), EVERYWHERE, now, settings.subdistrict)
    together, single, ended = [], [], []
    for i in range(_ROUNDS):
        together.append(_locked(database, _many(database, codes, f"行业{i}", by, located)))
        single.append(_locked(database, _one_by_one(database, codes, f"单{i}", by, located)))
        ended.append(_locked(database, _end(database, codes, by, located)))
        _restore(database, codes, by, located)
    database.close()
    note = f"{label}，{len(codes)} 行，最长的一次"
    return [
        figure(
            f"{label}：成批修改占锁",
            max(together),
            "秒",
            peer="逐行修改，一个事务",
            peer_value=max(single),
            most=1.0,
            note=note,
        ),
        figure(f"{label}：成批终止占锁", max(ended), "秒", most=1.0, note=note),
    ]


def _locked(database: Timed, job: Callable[[], None]) -> float:
    database.longest = 0.0
    job()
    return database.longest


def _many(database: Timed, codes: list[str], trade: str, by: By, located: Located) -> Callable[[], None]:
    def job() -> None:
        with database.write() as session:
            change_many(session, _FRONTAGES, dict.fromkeys(codes), {"trade": trade}, by, located)

    return job


def _one_by_one(database: Timed, codes: list[str], trade: str, by: By, located: Located) -> Callable[[], None]:
    def job() -> None:
        with database.write() as session:
            for code in codes:
                actions.change(session, _FRONTAGES, code, {"trade": trade}, None, by, located)

    return job


def _end(database: Timed, codes: list[str], by: By, located: Located) -> Callable[[], None]:
    def job() -> None:
        with database.write() as session:
            end_many(session, _FRONTAGES, dict.fromkeys(codes), by, located)

    return job


def _restore(database: Timed, codes: list[str], by: By, located: Located) -> None:
    with database.write() as session:
        for code in codes:
            actions.restore(session, _FRONTAGES, code, None, by, located)
