"""Pictures of the running service with the demo, at a fixed time, into docs/img (or the folder that is named)."""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from service.bench.servers import service_server
from service.config import ROOT

NOW = "2026-11-23T02:30:00+00:00"  # a Monday morning in Longmen
DESKTOP, PHONE = {"width": 1400, "height": 900}, {"width": 390, "height": 844}
_RESTS = """async () => {
  const rests = () => {
    const { board, parts } = window.steward ?? {};
    if (!board?.drawn || board.soon || document.querySelector('#panel[data-busy]')) return false;
    return !Object.values(parts).some((part) => part?.asking?.running || part?.counting?.running);
  };
  for (let quiet = 0; quiet < 6;) {
    quiet = rests() ? quiet + 1 : 0;
    await new Promise((done) => setTimeout(done, 100));
  }
  await document.fonts.ready;
}"""


@dataclass(frozen=True)
class Shot:
    """One picture: a page, on a desktop or a phone, signed in or not."""

    name: str
    path: str
    phone: bool = False
    public: bool = False


SHOTS = (
    Shot("map-desktop", "/map?p=109.877920,31.072490"),
    Shot("duty-desktop", "/map?paint=leader&p=109.877920,31.072490"),
    Shot("street-desktop", "/map?at=109.878200,31.072100&z=18.2&p=109.877920,31.072490"),
    Shot("public-desktop", "/map?p=109.877920,31.072490", public=True),
    Shot("sign-in-desktop", "/login", public=True),
    Shot("map-phone", "/map", phone=True),
    Shot("answer-phone", "/map?at=109.878200,31.072400&z=17&p=109.877920,31.072490", phone=True),
)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    program = next(path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name)))
    with tempfile.TemporaryDirectory() as place, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        with service_server(Path(place), STEWARD_NOW=NOW) as port:
            for shot in SHOTS:
                _take(browser, f"http://127.0.0.1:{port}", shot, folder)
                print(f"{shot.name}.png")
        browser.close()


def _take(browser: Browser, address: str, shot: Shot, folder: Path) -> None:
    context = browser.new_context(
        viewport=PHONE if shot.phone else DESKTOP,
        device_scale_factor=2 if shot.phone else 1,
        is_mobile=shot.phone,
        has_touch=shot.phone,
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
    )
    page = context.new_page()
    if not shot.public:
        page.goto(f"{address}/login")
        page.locator('form[action$="/login/demo"] button').click()
        page.wait_for_url("**/map*")
    page.goto(address + shot.path)
    _settle(page, shot)
    page.screenshot(path=folder / f"{shot.name}.png")
    context.close()


def _settle(page: Page, shot: Shot) -> None:
    if shot.path.startswith("/map"):
        page.evaluate(_RESTS)
    else:
        page.wait_for_load_state("networkidle")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "img")
