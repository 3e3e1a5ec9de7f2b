"""Accounts, the own account and the trail in a real browser, on a desktop and on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Watched
from tests.browser.test_safety import faults

pytestmark = pytest.mark.browser
PAGES = (
    "/login",
    "/account",
    "/account/password",
    "/accounts",
    "/accounts/new",
    "/accounts?account=admin",
    "/trail",
    "/trail?line=1",
    "/trail?ok=no&group=office",
)


def enter_as(page: Page, service: str, role: str) -> None:
    path = "/login/demo" if role == "supervisor" else f"/login/demo/{role}"
    page.context.clear_cookies()
    page.goto(f"{service}/login")
    page.locator(f'form[action$="{path}"] button').click()
    page.wait_for_url("**/map*")


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_every_page_is_usable_and_quiet(service: str, device: str, request: pytest.FixtureRequest) -> None:
    """No serious fault of accessibility, nothing wider than the screen, no complaint, nothing from elsewhere."""
    watched: Watched = request.getfixturevalue(device)
    page = watched.page
    page.goto(f"{service}/login")
    assert faults(page) == [], "the ways into the demo"
    enter_as(page, service, "admin")
    for path in PAGES[1:]:
        page.goto(service + path)
        assert faults(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    if device == "phone":
        page.set_viewport_size({"width": 360, "height": 740})
        for path in PAGES[1:]:
            page.goto(service + path)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    assert watched.complaints == []
    assert all(url.startswith((service, "data:", "blob:")) for url in watched.asked)


def test_an_account_is_made_told_once_and_used(service: str, desktop: Watched) -> None:
    page = desktop.page
    enter_as(page, service, "admin")
    page.goto(f"{service}/accounts")
    page.get_by_role("link", name="新建账号").click()
    assert not page.get_by_text("管哪些社区").is_visible()
    page.get_by_label("账号", exact=True).fill("tan.dengke")
    page.get_by_label("显示名").fill("谭登科")
    page.get_by_label("社区管理员").check()
    page.get_by_label("聚鹤社区").check()
    page.get_by_label("龙水社区").check()
    page.get_by_role("button", name="建账号").click()
    password = page.locator("#secret").inner_text()
    page.get_by_role("button", name="复制").click()
    page.get_by_role("button", name="已复制").or_(page.get_by_role("button", name="复制")).wait_for()
    page.get_by_role("link", name="记下了").click()
    detail = page.locator("aside.detail").inner_text()
    assert "待换密码" in detail and "聚鹤社区、龙水社区" in detail and password not in detail
    page.context.clear_cookies()
    page.goto(f"{service}/login")
    page.get_by_label("账号", exact=True).fill("tan.dengke")
    page.get_by_label("密码", exact=True).fill(password)
    page.get_by_role("button", name="登录", exact=True).click()
    page.wait_for_url("**/account/password")
    page.get_by_label("现在的密码").fill(password)
    page.get_by_label("新密码", exact=True).fill("Correct-horse-9")
    page.get_by_label("再输一次新密码").fill("Correct-horse-9")
    page.get_by_role("button", name="修改密码").click()
    page.wait_for_url("**/map*")
    page.goto(f"{service}/account")
    assert "聚鹤社区、龙水社区" in page.locator("main").inner_text()
    assert page.goto(f"{service}/accounts").status == 403  # type: ignore[union-attr]


def test_the_trail_is_narrowed_and_read_by_keyboard(service: str, desktop: Watched) -> None:
    page = desktop.page
    enter_as(page, service, "supervisor")
    page.goto(f"{service}/trail")
    page.locator("summary.add").click()
    page.locator("#filters select[name=group]").select_option("signing")
    page.locator("#filters").get_by_role("button", name="看结果").press("Enter")
    page.wait_for_url("**group=signing*")
    assert "actor" not in page.url, "what wasn't chosen isn't in the address"
    words = set(page.locator("td.what a").all_inner_texts())
    assert words <= {"登录", "退出", "锁定账号", "锁定网络地址", "解除地址锁定"} and "登录" in words
    page.locator("td.what a").first.press("Enter")
    page.locator("aside.detail").wait_for()
    assert "demo-supervisor" in page.locator("aside.detail").inner_text()
    page.get_by_label("关闭详情").press("Enter")
    page.locator("aside.detail").wait_for(state="detached")
    page.get_by_label("移除筛选 动作：登录").click()
    page.wait_for_url(lambda url: "group" not in url)
