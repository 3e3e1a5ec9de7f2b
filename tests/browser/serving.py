"""A service of a test's own, whose database the test may read and change; and a page that has come to rest."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, StorageState

from service.config import ROOT
from service.db.engine import Database
from tests.browser.conftest import Watched, enter_demo
from tests.conftest import MONDAY_NOON, the_demo
from tests.ports import free_port
from tests.stores import Stores

DESKTOP = {"width": 1400, "height": 900}

_RESTS = """() => {
  const { board, parts } = window.steward ?? {};
  if (!board?.drawn) return false;
  const asking = Object.values(parts).some((part) => part?.asking?.running || part?.counting?.running);
  const moving = board.map._animatingZoom || board.map._panAnim?._inProgress || board.soon;
  const untold = parts.grids.state.later; // the address bar is still to be written
  const busy = document.querySelector('#panel[data-busy]') || document.fonts.status !== 'loaded';
  return !asking && !moving && !untold && !busy;
}"""


_DRAWN = """() => {
  const { world, over } = window.steward.board.canvas;
  const sheet = document.createElement('canvas');
  sheet.width = world.width / 2;
  sheet.height = world.height / 2;
  const ctx = sheet.getContext('2d', { willReadFrequently: true });
  for (const canvas of [world, over]) ctx.drawImage(canvas, 0, 0, sheet.width, sheet.height);
  return sheet.toDataURL();
}"""


@dataclass(frozen=True)
class Town:
    """A running service: its address, its folder and its database."""

    address: str
    folder: Path
    database: Database


@contextmanager
def demo_serving(stores: Stores, folder: Path, **settings: str) -> Iterator[Town]:
    """`serving` over the demo, without the wait for it to be loaded."""
    with stores.copied("gpkg", the_demo, folder), serving(folder, **settings) as town:
        yield town


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[Town]:
    """Starts `serve` on the GeoPackage in the folder, a new one when there is none; ends it afterwards."""
    port = free_port()
    env = os.environ | {
        "DATA_DIR": str(folder),
        "PORT": str(port),
        "STEWARD_NOW": MONDAY_NOON.isoformat(),
        "DATABASE_URL": "",
        "WORKERS": "1",
        **settings,
    }
    log = folder / "log"
    with log.open("w") as out:
        running = subprocess.Popen(
            [sys.executable, "-m", "service", "serve"], cwd=ROOT, env=env, stdout=out, stderr=out
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _await(running, address, log)
        database = Database(f"gpkg:///{folder / 'steward.gpkg'}")
        yield Town(address, folder, database)
        database.close()
    finally:
        running.terminate()
        running.wait(20)


def _await(running: subprocess.Popen[bytes], address: str, log: Path) -> None:
    for _ in range(300):
        if running.poll() is not None:
            break
        try:
            urllib.request.urlopen(f"{address}/healthz", timeout=2).close()
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(log.read_text())


def demo_session(chromium: Browser, address: str) -> StorageState:
    """The cookies of a demo supervisor."""
    context = chromium.new_context()
    enter_demo(Watched(context.new_page()), address)
    kept = context.storage_state()
    context.close()
    return kept


def rest(page: Page) -> None:
    """Waits until the map has read, moved and drawn, and the address bar tells the view."""
    page.wait_for_timeout(260)
    page.wait_for_function(_RESTS, timeout=10_000)


def picture(page: Page) -> str:
    """What is drawn on the map, at rest; equal texts are equal pixels."""
    rest(page)
    drawn: str = page.evaluate(_DRAWN)
    return drawn
