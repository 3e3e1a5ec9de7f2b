"""The trail's head, written outside the database: whoever rewrites the trail there cannot rewrite what stands here."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from service.db.types import iso_ms

FILE = "trail-heads.log"


def note(folder: Path, number: int, digest: str, now: datetime) -> None:
    """One more line, durably: moment, number and hash of the trail's last line, apart by blanks."""
    handle = os.open(folder / FILE, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        os.write(handle, f"{iso_ms(now)} {number} {digest}\n".encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def up_to(folder: Path, number: int) -> bytes:
    """The file's lines as far as the trail's line `number`: a backup must not name lines that it doesn't hold."""
    path = folder / FILE
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []
    return "".join(line for line in lines if _number(line) <= number).encode()


def _number(line: str) -> int:
    """A line that nobody of ours wrote is kept: the check of the trail is to find it."""
    parts = line.split()
    return int(parts[1]) if len(parts) == 3 and parts[1].isdigit() else 0
