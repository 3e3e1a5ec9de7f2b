"""Load on an HTTP server from a process of its own: wrk where it is installed, else a small asyncio client."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from service.config import ROOT

CONNECTIONS = 8
_WRK = """
local paths, at = {}, 0
for line in io.lines("PATHS") do paths[#paths + 1] = line end
request = function()
  at = at % #paths + 1
  return wrk.format("GET", paths[at])
end
done = function(summary, latency, requests)
  local e = summary.errors
  local bad = e.connect + e.read + e.write + e.status + e.timeout
  io.write(string.format('\\n{"requests":%d,"seconds":%f,"p50_ms":%f,"p99_ms":%f,"bad":%d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, bad))
end
"""


@dataclass(frozen=True)
class Load:
    """What a server bore. `bad`: answers other than 2xx or 3xx, and broken connections."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    bad: int

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def client_name() -> str:
    """Which client `load` uses here."""
    return "wrk" if shutil.which("wrk") else "asyncio"


def load(port: int, paths: Sequence[str], seconds: float) -> Load:
    """Ask a server on this machine for the paths, over and over, on CONNECTIONS kept-alive connections."""
    with tempfile.TemporaryDirectory() as place:
        asked = Path(place) / "paths"
        asked.write_text("\n".join(paths) + "\n")
        if client_name() == "wrk":
            script = Path(place) / "load.lua"
            script.write_text(_WRK.replace("PATHS", str(asked)))
            command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", str(script)]
            command.append(f"http://127.0.0.1:{port}")
        else:
            command = [sys.executable, "-m", __name__, str(port), str(asked), str(seconds)]
        told = subprocess.run(command, capture_output=True, check=True, text=True, cwd=ROOT).stdout
    return Load(**orjson.loads(told.strip().splitlines()[-1]))


# The asyncio client --------------------------------------------------------------------------------------------------


async def _ask_on_one_connection(
    port: int, requests: Sequence[bytes], until: float, taken: list[float], bad: list[int]
) -> None:
    """Requests one after another; adds their seconds to `taken` and the faulty statuses to `bad`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    at = 0
    while (start := time.perf_counter()) < until:
        writer.write(requests[at % len(requests)])
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length[15:]))
        taken.append(time.perf_counter() - start)
        status = int(head[9:12])
        if status >= 400:
            bad.append(status)
        at += 1
    writer.close()


async def _ask(port: int, paths: Sequence[str], seconds: float) -> Load:
    requests = [f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode() for path in paths]
    taken: list[float] = []
    bad: list[int] = []
    start = time.perf_counter()
    shares = [requests[i:] + requests[:i] for i in range(0, len(requests), max(1, len(requests) // CONNECTIONS))]
    await asyncio.gather(
        *(
            _ask_on_one_connection(port, shares[i % len(shares)], start + seconds, taken, bad)
            for i in range(CONNECTIONS)
        )
    )
    spent = time.perf_counter() - start
    taken.sort()
    p50, p99 = (1e3 * taken[int(len(taken) * share)] for share in (0.50, 0.99))
    return Load(len(taken), spent, p50, p99, len(bad))


if __name__ == "__main__":
    result = asyncio.run(_ask(int(sys.argv[1]), Path(sys.argv[2]).read_text().split(), float(sys.argv[3])))
    sys.stdout.buffer.write(orjson.dumps(result) + b"\n")
