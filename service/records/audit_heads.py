"""The trail's head written outside the database: whoever rewrites the trail there cannot rewrite what stands here.

One line a time: moment, number and hash of the last line, apart by blanks. A copy on another machine is worth more.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from service.clock import spoken
from service.db.engine import Database
from service.db.types import iso_ms
from service.errors import UnreadableFile
from service.records.audit import head
from service.records.models import AuditEntry

NAME = "trail-heads.log"
OLDEST = timedelta(days=2)


@dataclass(frozen=True)
class Head:
    """The trail's last line at a moment: 0 and zeros of an empty trail."""

    at: datetime
    number: int
    hash: str

    @classmethod
    def parse(cls, line: str) -> Head:
        """
        >>> Head.parse("2026-11-23T04:00:00.000Z 0 " + "0" * 64).number
        0
        """
        at, number, told = line.split(" ")
        if len(told) != 64:
            raise ValueError("a hash has 64 digits")
        return cls(datetime.fromisoformat(at), int(number), told)

    def __str__(self) -> str:
        return f"{iso_ms(self.at)} {self.number} {self.hash}"


def write_head(database: Database, path: Path, now: datetime) -> Head:
    """Append the trail's head to the file, durably; at every start, every backup and once a day."""
    with database.read() as session:
        number, told = head(session)
    made = Head(now, number, told)
    note_head(path, made)
    return made


def note_head(path: Path, made: Head) -> None:
    """One more line, durably."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, f"{made}\n".encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def heads_up_to(path: Path, number: int) -> bytes:
    """The file's lines as far as the trail's line `number`: a backup must not name lines that it doesn't hold. A line
    that nobody of ours wrote is kept: the check of the trail is to find it."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []
    return "".join(line for line in lines if _number(line) <= number).encode()


def _number(line: str) -> int:
    parts = line.split()
    return int(parts[1]) if len(parts) == 3 and parts[1].isdecimal() else 0


def read_heads(path: Path) -> list[Head]:
    """All heads, the oldest first; none when there is no file. Raises UnreadableFile naming the line."""
    if not path.is_file():
        return []
    out = []
    for count, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            out.append(Head.parse(line))
        except ValueError:
            raise UnreadableFile(f"链头文件 {path} 第 {count} 行读不懂，可能被改过。和别处存的副本对照。") from None
    return out


def stale_head(database: Database, path: Path, now: datetime) -> str | None:
    """What is wrong when the last head is older than two days (or there is none and the trail is); else None."""
    heads = read_heads(path)
    if heads:
        last = heads[-1].at
    else:
        with database.read() as session:
            last = session.scalar(select(AuditEntry.at).order_by(AuditEntry.id).limit(1)) or now
    if now - last <= OLDEST:
        return None
    told = f"上一次是 {spoken(last)}" if heads else f"一次也没有，最早的记录是 {spoken(last)}"
    return f"操作记录的链头两天没有写到 {path.name} 了（{told}）。看后台任务进程是否在运行，或重启服务。"
