"""Servers for the benchmarks: the service itself and a plain Flask application on the same command."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from service.config import ROOT, load_settings
from service.serving import server_command

WORKERS = 2
_START_SECONDS = 180.0
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")


@contextmanager
def hello_server(data_dir: Path) -> Iterator[int]:
    """The peer, on the command that starts the service."""
    port = _free_port()
    settings = load_settings(
        data_dir=data_dir, host="127.0.0.1", port=port, workers=WORKERS, tls_cert=None, tls_key=None
    )
    with _running(server_command(settings, "service.bench.hello:create_app"), {}, port, "/", data_dir):
        yield port


@contextmanager
def service_server(data_dir: Path, **settings: str) -> Iterator[int]:
    """The service itself on its store, with the demo loaded where that is empty."""
    port = _free_port()
    given = {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "DATA_DIR": str(data_dir),
        "DEMO": "1",
        "WORKERS": str(WORKERS),
    }
    with _running([sys.executable, "-m", "service", "serve"], given | settings, port, "/healthz", data_dir):
        yield port


@contextmanager
def _running(command: Sequence[str], given: dict[str, str], port: int, path: str, data_dir: Path) -> Iterator[None]:
    """A server as long as the block runs, entered when it answers; when it doesn't, RuntimeError with its words."""
    data_dir.mkdir(exist_ok=True)
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ} | given
    words = data_dir / "bench.log"
    with words.open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        _await_answer(server, f"http://127.0.0.1:{port}{path}", words)
        yield
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()


def _await_answer(server: subprocess.Popen[bytes], url: str, words: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise RuntimeError(f"the server did not start: {words.read_text(errors='replace')[-2_000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
