"""Locks of the data folder's long-lived processes. Only the standard library: the supervisor is small and stays so."""

from __future__ import annotations

import fcntl
from pathlib import Path

SERVE = "serve.lock"  # held together by the servers of a folder
JOBS = "jobs.lock"  # held by its one job process


def held(path: Path, *, together: bool = False) -> bool:
    """Whether a process holds the lock of a file, by the kernel's word: a lock ends with its process, however that
    ends. `together`: its holders share it; else two who look don't take each other for one."""
    try:
        with path.open("r+") as lock:
            fcntl.flock(lock, (fcntl.LOCK_EX if together else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
