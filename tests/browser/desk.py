"""Pages of the demo's roles on one running service, each desktop or phone, none of which may complain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, StorageState

from tests.browser.conftest import Watched
from tests.browser.serving import DESKTOP

PHONE = {"width": 390, "height": 844}


def entered(chromium: Browser, address: str, role: str) -> StorageState:
    """The cookies of one of the demo's ways in."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{address}/login")
    way = "/login/demo" if role == "supervisor" else f"/login/demo/{role}"
    page.locator(f'form[action$="{way}"] button').click()
    page.wait_for_url("**/map*")
    kept = context.storage_state()
    context.close()
    return kept


class Desk:
    """Opens pages by role."""

    def __init__(self, chromium: Browser, roles: dict[str, StorageState]) -> None:
        self.chromium, self.roles = chromium, roles
        self.opened: list[Watched] = []

    def page(self, role: str, phone: bool = False, scripts: bool = True) -> Page:
        more = {"viewport": PHONE, "is_mobile": True, "has_touch": True} if phone else {"viewport": DESKTOP}
        context = self.chromium.new_context(
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            storage_state=self.roles[role],
            java_script_enabled=scripts,
            **more,  # type: ignore[arg-type]
        )
        self.opened.append(Watched(context.new_page()))
        return self.opened[-1].page


@contextmanager
def open_desk(chromium: Browser, roles: dict[str, StorageState]) -> Iterator[Desk]:
    """Closes every page afterwards; a complaint other than a refused request fails the test."""
    made = Desk(chromium, roles)
    yield made
    complaints = [one for watched in made.opened for one in watched.complaints if "status of 4" not in one]
    for watched in made.opened:
        watched.page.context.close()
    assert complaints == []
