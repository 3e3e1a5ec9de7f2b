"""Five hundred duties at once: how long assigning, handing over and ending them holds the write lock."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

from service.bench.figures import Context, Figure, figure
from service.bench.stores import Timed, empty_store, stores
from service.clock import local_date, utcnow
from service.config import Settings, load_settings
from service.duties.actions import MOST, carry_out
from service.duties.ledger import Facts, Verdict
from service.duties.steps import Assign, End, HandOver, Step
from service.intake.demo import load_demo
from service.people.access import EVERYWHERE
from service.people.writers import By
from service.records.audit import Actor
from service.registers.subjects import facts_for
from service.responsibility.keeper import Responsibility
from service.serving import migrate_store

_ROUNDS = 3
_ROLE, _KIND = "other", "frontage"


def measure(context: Context) -> list[Figure]:
    """On the demo's shops, on each store."""
    many = context.count(MOST)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        for label, url in stores(Path(folder)):
            with empty_store(url) as real:
                settings = load_settings(data_dir=Path(folder) / label, database_url=real)
                figures += _one_store(label, settings, many)
    return figures


def _one_store(label: str, settings: Settings, many: int) -> list[Figure]:
    migrate_store(settings)
    database, now = Timed(settings.store_url), utcnow()
    load_demo(database, settings, now)
    keeper = Responsibility(database, settings.subdistrict, settings.office_name)
    snapshot = keeper.on(local_date(now))
    with database.read() as session:
        facts = facts_for(session, snapshot, EVERYWHERE)
    subjects = tuple([one for one in facts.subjects if one[0] == _KIND][:many])
    people = sorted(facts.people)[: _ROUNDS * 2]
    by = By(Actor("bench", "supervisor"), EVERYWHERE, now, settings.subdistrict)
    today, later = snapshot.on, snapshot.on + timedelta(days=30)
    longest = {"指派": 0.0, "交接": 0.0, "终止": 0.0}
    for first, second in zip(people[::2], people[1::2], strict=True):
        took, made = _locked(database, Assign(_ROLE, first, subjects, today), facts, by)
        longest["指派"] = max(longest["指派"], took)
        took, made = _locked(database, HandOver(_codes(made), second, later), facts, by)
        longest["交接"] = max(longest["交接"], took)
        took, made = _locked(database, End(_codes(made), later + timedelta(days=1)), facts, by)
        longest["终止"] = max(longest["终止"], took)
    database.close()
    note = f"{label}，{len(subjects)} 项责任，{_ROUNDS} 次里最长的一次"
    return [figure(f"{label}：成批{verb}占锁", took, "秒", most=1.0, note=note) for verb, took in longest.items()]


def _codes(made: list[Verdict]) -> tuple[str, ...]:
    return tuple(one.code for one in made if one.code)


def _locked(database: Timed, step: Step, facts: Facts, by: By) -> tuple[float, list[Verdict]]:
    database.longest = 0.0
    with database.write() as session:
        verdicts = carry_out(session, step, facts, by)
    refused = next((one for one in verdicts if not one.ok), None)
    if refused is not None:
        raise RuntimeError(f"not measured: {refused.message}")
    return database.longest, verdicts
