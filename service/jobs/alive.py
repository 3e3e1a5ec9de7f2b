"""Whether the job process lives: its lock tells by the kernel's word, its heartbeat whether it still moves."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import IO

from service import locks

BEAT_EVERY = 5.0
_STUCK_AFTER = 60.0


def lock_file(folder: Path) -> Path:
    return folder / locks.JOBS


def beat(lock: IO[str]) -> None:
    """Sets the time of the lock file."""
    os.utime(lock.fileno())


def state(folder: Path) -> str:
    """running, stuck (no heartbeat for a minute) or absent."""
    if not locks.held(lock_file(folder)):
        return "absent"
    late = time.time() - lock_file(folder).stat().st_mtime > _STUCK_AFTER
    return "stuck" if late else "running"
