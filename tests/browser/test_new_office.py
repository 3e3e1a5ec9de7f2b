"""A new office from an empty database to a restored backup, in the browser, on real files and real processes."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from service.config import ROOT
from tests.browser import clerks
from tests.browser.conftest import Watched
from tests.browser.serving import DESKTOP, Town, serving

pytestmark = pytest.mark.browser
OWN = "Gang-an-2026!"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A service on an empty folder, by the real clock."""
    with serving(tmp_path_factory.mktemp("office"), DEMO="0", STEWARD_NOW="") as running:
        yield running


class Desk:
    """Somebody at a browser of their own, who must not meet a complaint of the console."""

    def __init__(self, chromium: Browser, town: Town) -> None:
        given = {"viewport": DESKTOP, "locale": "zh-CN", "timezone_id": "Asia/Shanghai"}
        self.watched = Watched(chromium.new_context(**given).new_page())  # type: ignore[arg-type]
        self.page: Page = self.watched.page
        self.address = town.address

    def open(self, path: str, status: int = 200) -> Page:
        answer = self.page.goto(self.address + path)
        assert answer is not None and answer.status == status, path
        return self.page

    def sign_in(self, name: str, password: str) -> None:
        """The first time: with the one-time password, which must be changed before anything else."""
        page = self.open("/login")
        page.get_by_label("账号", exact=True).fill(name)
        page.get_by_label("密码", exact=True).fill(password)
        page.get_by_role("button", name="登录", exact=True).click()
        page.wait_for_url("**/account/password")
        page.goto(f"{self.address}/frontages")
        assert page.url.endswith("/account/password"), "nothing else is open before the change"
        page.get_by_label("现在的密码").fill(password)
        page.get_by_label("新密码", exact=True).fill(OWN)
        page.get_by_label("再输一次新密码").fill(OWN)
        page.get_by_role("button", name="修改密码").click()
        page.wait_for_url("**/map*")

    def bring(self, file: Path, kind: str, accepted: int, crs: str = "") -> str:
        """A file through every step of the wizard; the address of the import that it became."""
        page = self.open("/imports")
        page.locator("#files").set_input_files(file)
        page.wait_for_url("**/file")
        page.locator(".kinds label", has_text=re.compile(f"^{kind}")).locator("input").check()
        page.get_by_role("button", name="下一步：对应列").click()
        page.wait_for_url("**/columns")
        page.locator("form .foot button.main").click()
        page.wait_for_url(re.compile("/(place|verdict)$"))
        if page.url.endswith("/place"):
            if crs:
                assert page.locator('input[name="crs"]:checked').input_value() == crs
            page.get_by_role("button", name="下一步：核对").click()
            page.wait_for_url("**/verdict")
        page.get_by_role("button", name="开始核对").click()
        page.get_by_role("button", name=f"存入 {accepted} 行").click(timeout=30_000)
        page.wait_for_url(re.compile(r"/imports/batches/\d+$"), timeout=30_000)
        return page.url

    def told(self) -> str:
        return self.page.locator("main").inner_text()

    def leave(self) -> None:
        """Nothing was complained of but the refusals that were asked for, and nobody else was asked for anything."""
        self.page.context.close()
        assert [one for one in self.watched.complaints if "status of 40" not in one] == []
        assert all(one.startswith((self.address, "data:", "blob:")) for one in self.watched.asked)


def one_time_password(town: Town) -> str:
    found = re.search(r"管理员账号 admin，一次性密码：(\S+?)（", (town.folder / "log").read_text())
    assert found is not None
    return found[1]


def names(page: Page) -> set[str]:
    return {text.strip() for text in page.locator("#rows .what a").all_inner_texts()}


def make_account(desk: Desk, name: str, shown: str, role: str, community: str = "", person: str = "") -> str:
    """An account by the form; its one-time password, told once."""
    page = desk.open("/accounts/new")
    page.get_by_label("账号", exact=True).fill(name)
    page.get_by_label("显示名").fill(shown)
    page.get_by_label(role).check()
    if community:
        page.get_by_label(community).check()
    if person:
        page.get_by_label("哪位人员").fill(person)
    page.get_by_role("button", name="建账号").click()
    return page.locator("#secret").inner_text()


def test_a_new_office_from_an_empty_database(town: Town, chromium: Browser, tmp_path: Path) -> None:
    admin = Desk(chromium, town)
    admin.sign_in("admin", one_time_password(town))
    assert "还没有网格" in admin.page.locator("#idle").inner_text()
    set_the_office(admin)
    fill_the_registers(admin, tmp_path)
    correct_a_shop(admin)
    add_a_photo(admin, tmp_path)
    undo_an_import(admin, tmp_path)
    manager = make_account(admin, "zhou.shuji", "周书记", "社区管理员", community="江岸社区")
    officer = make_account(admin, "chen.dayong", "陈大勇", "网格员", person=clerks.LEADER)
    see_only_the_own_part(Desk(chromium, town), "zhou.shuji", manager, ("JA01", "JA02"), exports=True)
    see_only_the_own_part(Desk(chromium, town), "chen.dayong", officer, ("JA01",), exports=False)
    back_up_and_restore(admin, town, tmp_path)
    admin.leave()


def set_the_office(desk: Desk) -> None:
    page = desk.open("/admin")
    page.locator("#identity #f-name").fill("龙门街道")
    page.locator("#identity #f-hotline").fill("023-57681234")
    page.locator("#identity button[type=submit]").click()
    page.wait_for_url("**saved=identity**")
    expect(page.locator(".bar .brand small")).to_have_text("龙门街道")


def fill_the_registers(desk: Desk, folder: Path) -> None:
    """In the order that the page of imports tells."""
    desk.bring(clerks.communities(folder), "社区", len(clerks.COMMUNITIES))
    desk.bring(clerks.grids(folder), "网格", len(clerks.GRIDS))
    desk.bring(clerks.people(folder), "人员", 5)
    desk.bring(clerks.duties(folder), "责任", len(clerks.GRIDS))
    desk.bring(clerks.shops(folder), "门前三包", sum(map(len, clerks.SHOPS.values())), crs="gcj02")
    page = desk.open("/frontages?grid=JA01")
    assert names(page) == set(clerks.SHOPS["JA01"]), "the points are where they were picked"


def correct_a_shop(desk: Desk) -> None:
    page = desk.open("/frontages/M001")
    page.locator("#detail .foot .main").click()
    page.locator("#f-shop_name").fill("老码头小面")
    page.locator("#f-state").select_option("renovating")
    page.locator("#sheet .main").click()
    page.wait_for_url("**/frontages/M001?*told=changed")
    assert all(word in desk.told() for word in ("老码头小面", "装修", "陈大勇"))
    step = page.locator(".trail li").first.inner_text()
    assert "老码头面馆 → 老码头小面" in step and "系统管理员" in step


def add_a_photo(desk: Desk, folder: Path) -> None:
    page = desk.open("/frontages/M001")
    page.locator('#photos input[type="file"]').last.set_input_files(clerks.shop_front(folder))
    page.locator("#photo-caption").fill("换了招牌")
    page.locator("#photos .add button[type=submit]").click()
    expect(page.locator("#photos .shots img")).to_have_count(1)


def undo_an_import(desk: Desk, folder: Path) -> None:
    """The rows of the one import go; those of the others stay, the hand's correction too."""
    desk.bring(clerks.wrong_shops(folder), "门前三包", len(clerks.GRIDS), crs="EPSG:4326")
    page = desk.page
    assert "试填门店1" in names(desk.open("/frontages?grid=JA01"))
    page.go_back()
    page.get_by_role("button", name="撤回整次导入…").click()
    page.get_by_role("button", name=f"撤回 {len(clerks.GRIDS)} 行").click(timeout=30_000)
    page.get_by_text(f"撤回了：删去 {len(clerks.GRIDS)} 行").wait_for(timeout=30_000)
    assert names(desk.open("/frontages?grid=JA01")) == {"老码头小面", *clerks.SHOPS["JA01"][1:]}
    desk.open("/frontages/T001", status=404)


def see_only_the_own_part(desk: Desk, name: str, secret: str, grids: tuple[str, ...], exports: bool) -> None:
    """The own grids' shops in the list, on their pages, in its search and in a file; another's is not there."""
    desk.sign_in(name, secret)
    mine = {shop for grid in grids for shop in clerks.SHOPS[grid]} - {"老码头面馆"} | {"老码头小面"}
    page = desk.open("/frontages")
    assert names(page) == mine
    assert page.locator("#rows td", has_text="张三").count() == len(mine), "keepers are named in the own area"
    for asked, found in (("老码头", True), ("北门五金", False)):
        page.locator("#list-q").fill(asked)
        page.locator("#list-q").press("Enter")
        page.wait_for_url("**q=**")
        assert (page.locator("#rows tr").count() > 0) == found, asked
    export = page.request.get(f"{desk.address}/frontages/export?format=csv")
    if exports:
        assert all((shop in export.text()) == (shop in mine) for cell in clerks.SHOPS.values() for shop in cell[1:])
    else:
        assert export.status == 403
    desk.open("/frontages/M001")
    desk.open("/frontages/M011", status=404)
    for path in ("/accounts", "/admin", "/imports", "/trail"):
        desk.open(path, status=403)
    desk.leave()


def back_up_and_restore(desk: Desk, town: Town, folder: Path) -> None:
    """A backup by the page, put back into an empty folder, holds every row."""
    page = desk.open("/admin")
    before = page.locator(".kept li").count()  # the plan may have made one already
    page.get_by_role("button", name="现在备份").click()
    expect(page.locator(".kept li")).to_have_count(before + 1, timeout=30_000)
    with page.expect_download() as coming:
        page.get_by_role("link", name=re.compile("^下载")).first.click()
    kept = folder / "backup.tar.zst"
    coming.value.save_as(kept)
    elsewhere = folder / "elsewhere"
    manage(elsewhere, "restore", str(kept))
    restored, running = rows(elsewhere), rows(town.folder)
    assert restored.pop("sign_ins") == [] and running.pop("sign_ins"), "a restored backup signs everybody out"
    assert restored == running
    photos = [{one.name: one.read_bytes() for one in photos_of(there)} for there in (elsewhere, town.folder)]
    assert photos[0] == photos[1] and len(photos[0]) > 0
    manage(elsewhere, "audit", "verify")
    manage(elsewhere, "check")


def manage(folder: Path, *command: str) -> None:
    env = os.environ | {"DATA_DIR": str(folder), "DATABASE_URL": "", "DEMO": "0", "STEWARD_NOW": ""}
    done = subprocess.run(
        [sys.executable, "-m", "service", *command], cwd=ROOT, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)


def photos_of(folder: Path) -> list[Path]:
    return [one for one in (folder / "photos").rglob("*") if one.is_file()]


def rows(folder: Path) -> dict[str, list[str]]:
    """Every row of every table, but for what the download and the restoring move on: the trail, its count, the jobs."""
    moving = ("audit_", "counters", "jobs", "gpkg_", "rtree_", "sqlite_")
    with closing(sqlite3.connect(folder / "steward.gpkg")) as store:
        tables = [name for (name,) in store.execute("select name from sqlite_master where type = 'table'")]
        kept = [name for name in tables if not name.startswith(moving)]
        return {name: sorted(map(repr, store.execute(f'select * from "{name}"'))) for name in kept}
