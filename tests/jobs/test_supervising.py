"""`serve` starts and watches granian and the job process: real processes, real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from service.config import ROOT
from tests.jobs.conftest import wait_for

# A server and a job process of a few lines, so that the supervisor alone is tried.
STAND_IN = "import sys, time, os; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(1000)"


@contextmanager
def supervised(folder: Path) -> Iterator[subprocess.Popen[str]]:
    import json

    plan = {name: [sys.executable, "-c", STAND_IN, str(folder / name)] for name in ("server", "jobs")}
    command = [sys.executable, "-m", "service.supervising", json.dumps(plan | {"folder": str(folder)})]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        try:
            yield running
        finally:
            if running.poll() is None:
                running.kill()
            for pid in (*started(folder, "server"), *started(folder, "jobs")):
                if exists(pid):
                    os.kill(pid, signal.SIGKILL)


def started(folder: Path, name: str) -> list[int]:
    path = folder / name
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def exists(pid: int) -> bool:
    """Whether it runs; one that only waits to be taken leave of doesn't."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def both(folder: Path) -> bool:
    return bool(started(folder, "server") and started(folder, "jobs"))


def test_a_job_process_that_dies_is_started_again_and_leaves_no_zombie(tmp_path: Path) -> None:
    with supervised(tmp_path) as running:
        wait_for(lambda: both(tmp_path), running)
        first = started(tmp_path, "jobs")[0]
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: len(started(tmp_path, "jobs")) == 2, running)
        assert not Path(f"/proc/{first}").exists()
        assert os.getpriority(os.PRIO_PROCESS, started(tmp_path, "jobs")[1]) > 0
        assert exists(started(tmp_path, "server")[0])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything(tmp_path: Path, number: signal.Signals) -> None:
    with supervised(tmp_path) as running:
        wait_for(lambda: both(tmp_path), running)
        running.send_signal(number)
        assert running.wait(20) == 0
        assert not any(exists(pid) for name in ("server", "jobs") for pid in started(tmp_path, name))


def test_it_ends_when_the_server_ends(tmp_path: Path) -> None:
    with supervised(tmp_path) as running:
        wait_for(lambda: both(tmp_path), running)
        os.kill(started(tmp_path, "server")[0], signal.SIGKILL)
        assert running.wait(20) == 128 + signal.SIGKILL
        assert not exists(started(tmp_path, "jobs")[0])


def test_nothing_stays_when_the_supervisor_is_killed_outright(tmp_path: Path) -> None:
    with supervised(tmp_path) as running:
        wait_for(lambda: both(tmp_path), running)
        running.kill()
        running.wait(20)
        wait_for(lambda: not any(exists(pid) for name in ("server", "jobs") for pid in started(tmp_path, name)))
