"""A real service and a real Chromium."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from service.config import ROOT
from tests.conftest import MONDAY_NOON
from tests.ports import free_port

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running service with the demo."""
    folder = tmp_path_factory.mktemp("service")
    port = free_port()
    env = os.environ | {
        "DATA_DIR": str(folder),
        "PORT": str(port),
        "STEWARD_NOW": MONDAY_NOON.isoformat(),
        "DATABASE_URL": "",
        "DEMO": "1",
    }
    with Path(folder / "log").open("w") as log:
        running = subprocess.Popen(
            [sys.executable, "-m", "service", "serve"], cwd=ROOT, env=env, stdout=log, stderr=log
        )
    address = f"http://127.0.0.1:{port}"
    for _ in range(300):
        if running.poll() is not None:
            pytest.fail(Path(folder / "log").read_text())
        try:
            urllib.request.urlopen(f"{address}/healthz", timeout=2).close()
            break
        except OSError:
            time.sleep(0.2)
    yield address
    running.terminate()
    running.wait(20)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's browser; a skip that says why, in CI a failure."""
    if not CHROMIUM:
        if os.environ.get("STEWARD_TEST_BROWSER") == "required":
            pytest.fail("no Chromium on this machine")
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


class Watched:
    """A page with everything that it complained of and every address that it asked."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda one: self.complaints.append(one.text) if one.type in ("error", "warning") else None)
        page.on("pageerror", lambda one: self.complaints.append(str(one)))
        page.on("request", lambda one: self.asked.append(one.url))


@pytest.fixture
def desktop(chromium: Browser) -> Iterator[Watched]:
    context = chromium.new_context(viewport={"width": 1400, "height": 900}, locale="zh-CN", timezone_id="Asia/Shanghai")
    yield Watched(context.new_page())
    context.close()


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Watched]:
    context = chromium.new_context(
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
    )
    yield Watched(context.new_page())
    context.close()


def enter_demo(watched: Watched, service: str) -> None:
    """One click on the sign-in page, then the map."""
    watched.page.goto(f"{service}/login")
    watched.page.locator('form[action$="/login/demo"] button').click()
    watched.page.wait_for_url("**/map*")
