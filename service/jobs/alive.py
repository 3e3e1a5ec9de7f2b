"""Whether the job process lives: its lock tells by the kernel's word, its heartbeat whether it still moves."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import IO

BEAT_EVERY = 5.0
_STUCK_AFTER = 60.0


def lock_file(folder: Path) -> Path:
    return folder / "jobs.lock"


def beat(lock: IO[str]) -> None:
    """Sets the time of the lock file."""
    os.utime(lock.fileno())


def state(folder: Path) -> str:
    """running, stuck (no heartbeat for a minute) or absent."""
    try:
        with lock_file(folder).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return "absent"
    except BlockingIOError:
        late = time.time() - lock_file(folder).stat().st_mtime > _STUCK_AFTER
        return "stuck" if late else "running"
    return "absent"
