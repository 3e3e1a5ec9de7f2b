"""Watches granian and the one job process. Little but the standard library: it stays as long as the service.

It forwards the signals that end a service, starts the job process again when it dies, and ends when granian ends.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import IO

from service import locks

_LOOK_EVERY = 0.2
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_LIVED_WELL = 60.0
_STOP_WITHIN = 8.0
_NICE = 5
_PR_SET_PDEATHSIG = 1


class Supervisor:
    """`server` and `jobs` are commands. The job process is polite (nice): people's clicks come first."""

    def __init__(self, server: list[str], jobs: list[str]) -> None:
        self._commands = {"server": server, "jobs": jobs}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._signal: int | None = None
        self._pause, self._again_at, self._began_at = _FIRST_PAUSE, 0.0, 0.0

    def run(self) -> int:
        """Until granian ends; its exit code, 0 when it was asked to end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked_to_end)
        signal.signal(signal.SIGHUP, self._reload)
        self._start("server")
        code: int | None = None
        while "server" in self._running and self._signal is None:
            if "jobs" not in self._running and time.monotonic() >= self._again_at:
                self._start("jobs")
                self._began_at = time.monotonic()
            time.sleep(_LOOK_EVERY)
            code = self._reap()
        return self._end(code if self._signal is None else None)

    def _start(self, name: str) -> None:
        nice = _NICE if name == "jobs" else 0
        # A group of its own: a granian that is told to end while its workers begin waits for them for ever.
        self._running[name] = subprocess.Popen(
            self._commands[name], preexec_fn=lambda: _in_child(nice), process_group=0
        )

    def _reap(self) -> int | None:
        """Takes leave of every process that ended, strangers' children too: as process 1 they are ours.

        Returns the server's exit code when it was among them.
        """
        code = None
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return code
            if pid == 0:
                return code
            name = next((name for name, one in self._running.items() if one.pid == pid), None)
            if name is None:
                continue
            ended = self._running.pop(name)
            ended.returncode = os.waitstatus_to_exitcode(status)
            if name == "server":
                code = ended.returncode
            else:
                self._plan_restart(ended.returncode)

    def _plan_restart(self, code: int) -> None:
        moment = time.monotonic()
        self._pause = _FIRST_PAUSE if moment - self._began_at > _LIVED_WELL else min(self._pause * 2, _LONGEST_PAUSE)
        self._again_at = moment + self._pause
        if self._signal is None:
            sys.stderr.write(f"任务进程结束了（{code}），{self._pause:.0f} 秒后重新启动。\n")
            sys.stderr.flush()

    def _end(self, code: int | None) -> int:
        """Everything that still runs is asked to end, after a while made to."""
        for one in self._running.values():
            one.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + _STOP_WITHIN
        while self._running and time.monotonic() < deadline:
            self._reap()
            time.sleep(0.05)
        for one in self._running.values():
            os.killpg(one.pid, signal.SIGKILL)
            one.wait()
        return 0 if code is None else code if code >= 0 else 128 - code

    def _asked_to_end(self, number: int, _frame: FrameType | None) -> None:
        self._signal = number

    def _reload(self, _number: int, _frame: FrameType | None) -> None:
        """A lost terminal ends nothing; granian takes the signal as a wish for new workers."""
        if "server" in self._running:
            self._running["server"].send_signal(signal.SIGHUP)


def _in_child(nice: int) -> None:
    """In the child before its program: politeness, and its end when the supervisor is killed outright."""
    if nice:
        os.nice(nice)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def serving(folder: Path) -> bool:
    """Whether a supervisor runs for the data folder."""
    return locks.held(folder / locks.SERVE, together=True)


def _hold(folder: Path) -> IO[str]:
    """The sign that the folder is served; several servers may share it."""
    lock = (folder / locks.SERVE).open("a+")
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock


def main() -> None:
    """`python -m service.supervising PLAN`, PLAN as serving.py writes it."""
    plan = json.loads(sys.argv[1])
    with _hold(Path(plan["folder"])):
        sys.exit(Supervisor(plan["server"], plan["jobs"]).run())


if __name__ == "__main__":
    main()
