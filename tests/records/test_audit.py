"""The trail: each line covers the one before; whatever is done to it behind the service's back is found."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from service.config import ROOT
from service.db.engine import Database
from service.errors import UnreadableFile
from service.people.accounts import create_account
from service.records.audit import GENESIS, Actor, Subject, append, line_hash
from service.records.audit_heads import NAME, read_heads, stale_head, write_head
from service.records.audit_verify import CHANGED, CUT, HEADS_GONE, INSERTED, REMOVED, REWRITTEN, Verdict, verify
from service.records.models import AuditEntry
from tests.conftest import MONDAY_NOON, PASSWORD

BOSS = Actor("boss", "admin", "10.0.0.7", 1)
LINES = 12


@pytest.fixture
def heads(database: Database, tmp_path: Path) -> Path:
    """Twelve lines; a head written outside after the eighth."""
    path = tmp_path / NAME
    _write(database, 1, 8)
    write_head(database, path, MONDAY_NOON)
    _write(database, 9, LINES)
    return path


def _write(database: Database, first: int, last: int) -> None:
    for i in range(first, last + 1):
        with database.write() as session:
            subject = Subject("frontages", f"F{i:03}", f"店{i}")
            append(session, BOSS, "frontage.change", MONDAY_NOON, subject, before={"n": i}, after={"n": i + 1})


def verdict(database: Database, heads: Path) -> Verdict:
    with database.read() as session:
        return verify(session, read_heads(heads))


def tamper(database: Database, deed: Callable[[Session], object]) -> None:
    """Behind the service's back: the triggers are dropped first."""
    with database.write() as session:
        if database.dialect == "postgresql":
            session.execute(text("DROP TRIGGER audit_entries_append_only ON audit_entries"))
        else:
            for verb in ("update", "delete"):
                session.execute(text(f"DROP TRIGGER audit_entries_no_{verb}"))
        deed(session)


def sql(statement: str) -> Callable[[Session], object]:
    return lambda session: session.execute(text(statement))


def test_an_untouched_trail_is_sound(database: Database, heads: Path) -> None:
    found = verdict(database, heads)
    assert found.sound and found.walked == LINES and "一字未改" in found.lines[0]


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_entries SET actor = 'x' WHERE id = 3", "DELETE FROM audit_entries WHERE id = 3"]
)
def test_the_database_itself_refuses(database: Database, heads: Path, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
        session.execute(text(statement))
    assert verdict(database, heads).sound


@pytest.mark.parametrize(
    ("deed", "kind", "line"),
    [
        (sql("UPDATE audit_entries SET actor = 'somebody' WHERE id = 5"), CHANGED, 5),
        (sql("UPDATE audit_entries SET before = '{\"n\": 6}' WHERE id = 5"), CHANGED, 5),
        (sql("UPDATE audit_entries SET at = '2026-11-22T04:00:00.000Z' WHERE id = 5"), CHANGED, 5),
        (sql("UPDATE audit_entries SET note = '' WHERE id = 12"), CHANGED, 12),
        (sql("DELETE FROM audit_entries WHERE id = 5"), REMOVED, 5),
        (sql("DELETE FROM audit_entries WHERE id = 1"), REMOVED, 1),
        (sql("DELETE FROM audit_entries WHERE id BETWEEN 4 AND 6"), REMOVED, 4),
        (sql("DELETE FROM audit_entries WHERE id = 12"), CUT, 12),
        (sql("DELETE FROM audit_entries WHERE id > 6"), CUT, 7),
        (sql("DELETE FROM audit_entries"), CUT, 1),
    ],
)
def test_a_changed_removed_or_cut_off_line_is_found(
    database: Database, heads: Path, deed: Callable[[Session], object], kind: str, line: int
) -> None:
    tamper(database, deed)
    found = verdict(database, heads)
    assert (kind, line) in {(fault.kind, fault.line) for fault in found.faults}
    assert any(f"第 {line}" in told or str(line - 1) in told for told in found.lines)


@pytest.mark.parametrize("number", [0, LINES + 1])
def test_an_inserted_line_is_found(database: Database, heads: Path, number: int) -> None:
    def slip_in(session: Session) -> None:
        previous = session.scalar(select(AuditEntry.hash).where(AuditEntry.id == number - 1)) or GENESIS
        session.add(_forged(number, previous))

    tamper(database, slip_in)
    assert (INSERTED, number) in {(fault.kind, fault.line) for fault in verdict(database, heads).faults}


def test_a_line_squeezed_between_two_is_found(database: Database, heads: Path) -> None:
    def squeeze(session: Session) -> None:
        session.execute(text("UPDATE audit_entries SET id = id + 100 WHERE id >= 5"))
        session.execute(text("UPDATE audit_entries SET id = id - 99 WHERE id >= 105"))
        previous = session.scalar(select(AuditEntry.hash).where(AuditEntry.id == 4)) or ""
        session.add(_forged(5, previous))

    tamper(database, squeeze)
    assert {5, 6} & {fault.line for fault in verdict(database, heads).faults}


def test_lines_rewritten_with_a_recomputed_chain_are_found_by_the_head_outside(database: Database, heads: Path) -> None:
    def rewrite(session: Session) -> None:
        previous = GENESIS
        for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id)):
            entry.actor = "nobody" if entry.id == 5 else entry.actor
            entry.previous = previous
            entry.hash = previous = line_hash(entry)
        session.flush()

    tamper(database, rewrite)
    with database.read() as session:
        assert verify(session, []).sound, "within the database nothing gives it away"
    assert [(fault.kind, fault.line) for fault in verdict(database, heads).faults] == [(REWRITTEN, 8)]


def test_a_cut_end_with_the_counter_set_back_is_found_by_the_head_outside(database: Database, heads: Path) -> None:
    def cut(session: Session) -> None:
        session.execute(text("DELETE FROM audit_entries WHERE id > 5"))
        session.execute(text("UPDATE counters SET value = 5 WHERE name = 'trail'"))

    tamper(database, cut)
    assert [(fault.kind, fault.line) for fault in verdict(database, heads).faults] == [(CUT, 6)]


def _forged(number: int, previous: str) -> AuditEntry:
    entry = AuditEntry(id=number, at=MONDAY_NOON, actor="boss", action="frontage.change", ok=True, previous=previous)
    entry.hash = line_hash(entry)
    return entry


def test_heads_that_are_gone_are_told_once_anybody_signed_in(database: Database, heads: Path) -> None:
    """The service writes one before anybody can sign in, so that none means that somebody removed them."""
    with database.write() as session:
        append(session, BOSS, "sign_in", MONDAY_NOON)
    write_head(database, heads, MONDAY_NOON)
    assert verdict(database, heads).sound
    heads.unlink()
    (fault,) = verdict(database, heads).faults
    assert fault.kind == HEADS_GONE and heads.name in fault.message


def test_a_line_is_the_same_when_it_is_read_again(database: Database) -> None:
    odd = MONDAY_NOON + timedelta(microseconds=123_456)
    with database.write() as session:
        append(session, BOSS, "x", odd, Subject("k", "c", "\u202e“名”\n"), after={"甲": [1.5, None, {"z": True}]})
    with database.read() as session:
        entry = session.get_one(AuditEntry, 1)
        assert line_hash(entry) == entry.hash and entry.previous == GENESIS


def test_heads_are_appended_for_the_owner_only(database: Database, tmp_path: Path) -> None:
    path = tmp_path / NAME
    assert write_head(database, path, MONDAY_NOON).number == 0
    _write(database, 1, 2)
    write_head(database, path, MONDAY_NOON + timedelta(days=1))
    assert [head.number for head in read_heads(path)] == [0, 2]
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text(path.read_text() + "2026-11-23 nonsense\n")
    with pytest.raises(UnreadableFile, match="第 3 行"):
        read_heads(path)


@pytest.mark.parametrize(("days", "told"), [(1.9, False), (2.1, True)])
def test_an_old_head_is_told(database: Database, tmp_path: Path, days: float, told: bool) -> None:
    path, later = tmp_path / NAME, MONDAY_NOON + timedelta(days=days)
    assert stale_head(database, path, later) is None, "an empty trail needs no head"
    _write(database, 1, 1)
    assert (stale_head(database, path, later) is not None) is told
    write_head(database, path, MONDAY_NOON)
    assert (stale_head(database, path, later) is not None) is told


def test_the_command_says_which_line_and_what(database: Database, settings: object, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with database.write() as session:
        create_account(session, "boss", "admin", PASSWORD, MONDAY_NOON)
        create_account(session, "clerk", "viewer", PASSWORD, MONDAY_NOON)
    env = os.environ | {"DATA_DIR": str(folder), "DATABASE_URL": database.url, "STEWARD_NOW": MONDAY_NOON.isoformat()}

    def run() -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "service", "audit", "verify"]
        return subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True)

    sound = run()
    assert sound.returncode == 0 and "2 行" in sound.stdout, sound.stderr
    tamper(database, sql("UPDATE audit_entries SET subject_code = 'x' WHERE id = 2"))
    broken = run()
    assert broken.returncode == 1 and "第 2 行" in broken.stderr and "改过" in broken.stderr
