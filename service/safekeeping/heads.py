"""The trail's head, written outside the database: whoever rewrites the trail cannot rewrite this file through it."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from service.db.types import iso_ms

FILE = "trail-heads.log"


def note(folder: Path, number: int, digest: str, now: datetime) -> None:
    """One more line: moment, number and hash of the trail's last line, separated by tabs."""
    handle = os.open(folder / FILE, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        os.write(handle, f"{iso_ms(now)}\t{number}\t{digest}\n".encode())
    finally:
        os.close(handle)
