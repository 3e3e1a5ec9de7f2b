"""Which process works on something, so that a crash can be told from work under way."""

from __future__ import annotations

import os
import socket
from pathlib import Path


def this_process() -> str:
    """host:pid:start, the start in the kernel's ticks where it tells them: numbers of processes are given again."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def alive(owner: str | None) -> bool:
    """Whether that process still runs. One on another machine can't be asked and counts as dead."""
    host, number, started = (*(owner or "").split(":"), "", "", "")[:3]
    if host != socket.gethostname() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return started == _started(int(number))


def _started(pid: int) -> str:
    """Field 22 of /proc/PID/stat, after the program's name, which may hold brackets and spaces; "" elsewhere."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    return told.rpartition(")")[2].split()[19]
