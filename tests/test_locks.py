"""Whether somebody holds a lock: by the kernel's word, and without disturbing who looks at the same time."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from service.locks import held


@pytest.mark.parametrize(("how", "together"), [(fcntl.LOCK_EX, False), (fcntl.LOCK_SH, True), (fcntl.LOCK_EX, True)])
def test_a_lock_is_held_until_its_holder_ends(tmp_path: Path, how: int, together: bool) -> None:
    path = tmp_path / "x.lock"
    assert not held(path, together=together), "no file, no holder"
    path.touch()
    assert not held(path, together=together)
    hold = f"import fcntl, sys; f = open(sys.argv[1], 'a'); fcntl.flock(f, {how}); print(1, flush=True); input()"
    command = [sys.executable, "-c", hold, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"1\n"
        assert held(path, together=together)
        holder.kill()
    assert not held(path, together=together)


def test_two_who_look_at_once_see_nobody(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with path.open("a") as other:
        fcntl.flock(other, fcntl.LOCK_SH)  # what the other's look is, for a moment
        assert not held(path)
