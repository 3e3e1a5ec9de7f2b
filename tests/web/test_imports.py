"""Files through the browser, over HTTP: every step, its refusals, hostile names and cells, who may."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import shapely
from flask import Flask
from sqlalchemy import func, select

from service.app import create_app
from service.config import Settings
from service.db.engine import Database
from service.frontages.models import Frontage
from service.geo.crs import wgs84_to_gcj02
from service.jobs.doing import do_all
from service.people.accounts import create_account
from service.people.models import Person
from service.records.models import AuditEntry, Upload
from service.web.imports import receiving
from tests.conftest import MONDAY_NOON, PASSWORD
from tests.intake.conftest import ground
from tests.stores import Filling

HOSTILE = "<img src=x onerror=alert(1)>"
PEOPLE = "工号,姓名,电话\nP1,张三,13800000001\nP2,,13800000002\n"


class Desk:
    """A signed-in clerk; `work` does what waits for the job process."""

    def __init__(self, app: Flask, database: Database, settings: Settings) -> None:
        self.app, self.database, self.settings = app, database, settings
        self.client = app.test_client()
        self.enter("clerk")

    def enter(self, name: str) -> None:
        self.client = self.app.test_client()
        form = {"name": name, "password": PASSWORD, "csrf_token": token(self.client.get("/login").text)}
        assert self.client.post("/login", data=form).status_code == 302

    def work(self) -> None:
        do_all(self.database, self.settings)

    def page(self, path: str) -> str:
        answer = self.client.get(path, follow_redirects=True)
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, path: str, **form: str) -> Any:
        form["csrf_token"] = token(self.page("/imports"))
        return self.client.post(path, data=form)

    def download(self, path: str) -> str:
        with self.client.get(path) as answer:
            assert answer.status_code == 200 and "attachment" in answer.headers["Content-Disposition"]
            return answer.data.decode("utf-8-sig")

    def upload(self, *files: tuple[str, bytes]) -> Any:
        form = {
            "files": [(io.BytesIO(content), name) for name, content in files],
            "csrf_token": token(self.page("/imports")),
        }
        answer = self.client.post("/imports/upload", data=form, content_type="multipart/form-data")
        answer.request.environ["wsgi.input"].close()
        return answer

    def begin(self, name: str, content: bytes) -> str:
        """/imports/<id> of an upload that was looked at."""
        answer = self.upload((name, content))
        assert answer.status_code == 303, answer.text
        assert "正在读取" in self.page(answer.headers["Location"])
        self.work()
        return str(answer.headers["Location"]).removesuffix("/file")

    def columns(self, at: str) -> dict[str, str]:
        """What the form of the columns' step holds."""
        text = self.page(f"{at}/columns")
        return {
            name: (re.search(r'<option value="([^"]*)" selected', body) or ["", ""])[1]
            for name, body in re.findall(r'<select id="[^"]*" name="(map\.\w+)">(.*?)</select>', text, re.S)
        }

    def go(self, at: str, kind: str, crs: str = "") -> str:
        """From the first look to the verdict; the page with it."""
        assert self.post(f"{at}/file", kind=kind).headers["Location"] == f"{at}/columns"
        assert self.post(f"{at}/columns", **self.columns(at)).status_code == 303
        if crs:
            assert self.post(f"{at}/place", crs=crs).headers["Location"] == f"{at}/verdict"
        assert self.post(f"{at}/judge").status_code == 303
        self.work()
        return self.page(f"{at}/verdict")

    def store(self, at: str) -> str:
        """The page of the stored batch."""
        assert self.post(f"{at}/store").status_code == 303
        self.work()
        return self.page(at)


def token(text: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', text)
    assert found
    return found[1]


def counts(text: str) -> list[int]:
    return [int(one.replace(",", "")) for one in re.findall(r'<span class="n num">([\d,]+)</span>', text)]


def workbook(*rows: tuple[Any, ...], more: dict[str, list[tuple[Any, ...]]] | None = None) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    for name, others in (more or {}).items():
        sheet = book.create_sheet(name)
        for row in others:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def shops(shift: bool) -> bytes:
    """Ten shops in the only grid of the ground, as an Amap export when `shift`."""
    lines = ["门店名称,经营类别,经度,纬度,业务员"]
    for i in range(10):
        lon, lat = 109.8803 + i * 0.0001, 31.0705 + i * 0.0001
        if shift:
            x, y = wgs84_to_gcj02([lon], [lat])  # type: ignore[arg-type]
            lon, lat = float(x[0]), float(y[0])
        lines.append(f"{HOSTILE if i == 3 else f'店{i}'},餐饮,{lon:.6f},{lat:.6f},小李")
    return "\n".join(lines).encode("gb18030")


@pytest.fixture
def filling() -> Filling:
    return ground


@pytest.fixture
def desk(database: Database, settings: Settings) -> Iterator[Desk]:
    with database.write() as session:
        create_account(session, "clerk", "supervisor", PASSWORD, MONDAY_NOON)
        create_account(session, "officer", "officer", PASSWORD, MONDAY_NOON)
    app = create_app(settings)
    yield Desk(app, database, settings)
    app.extensions["steward"].database.close()


def number_of(desk: Desk, model: Any) -> int:
    with desk.database.read() as session:
        return session.scalar(select(func.count(model.id))) or 0


def test_a_gcj_file_goes_from_upload_to_the_register_and_back(desk: Desk) -> None:
    at = desk.begin("门店_高德.csv", shops(shift=True))
    text = desk.page(at)
    assert 'value="frontages" checked' in text and "GBK" in text
    assert HOSTILE not in text and "&lt;img src=x" in text
    desk.post(f"{at}/file", kind="frontages")
    used = desk.columns(at)
    assert (used["map.shop_name"], used["map.trade"], used["map.lon"]) == ("门店名称", "经营类别", "经度")
    assert "业务员" in re.findall(r"leftover.*?</p>", desk.page(f"{at}/columns"), re.S)[0]
    desk.post(f"{at}/columns", **used)
    text = desk.page(f"{at}/place")
    assert "这些点如果是 GCJ-02（高德、腾讯），就有 100% 落在辖区里" in text
    assert 'value="gcj02" checked' in text and text.count('<g data-crs="') == 3
    assert counts(desk.go(at, "frontages", "gcj02")) == [10, 10, 0, 0, 0]
    assert number_of(desk, Frontage) == 0
    text = desk.store(at)
    assert "已存入" in text and counts(text) == [10, 10, 0, 0, 0] and number_of(desk, Frontage) == 10
    with desk.database.read() as session:
        where = session.scalar(select(func.ST_AsBinary(Frontage.geom)).where(Frontage.shop_name == "店0"))
        entry = session.scalar(
            select(AuditEntry).where(AuditEntry.action == "import.store").order_by(AuditEntry.id.desc())
        )
    assert where is not None
    spot = shapely.from_wkb(bytes(where))
    assert (spot.x, spot.y) == pytest.approx((109.8803, 31.0705), abs=2e-6)
    assert entry is not None and entry.after is not None
    assert (entry.actor, entry.role, entry.after["crs"], entry.subject_name) == (
        "clerk", "supervisor", "gcj02", "门店_高德.csv",
    )  # fmt: skip
    batch = re.search(r"/imports/batches/(\d+)/undo/look", text)
    assert batch
    page = desk.post(f"/imports/batches/{batch[1]}/undo/look").headers["Location"]
    assert "正在看撤回会怎样" in desk.page(page)
    desk.work()
    text = desk.page(page)
    assert counts(text) == [10, 0, 0] and HOSTILE not in text
    assert "可以撤回" in desk.download(f"/imports/batches/{batch[1]}/undo.csv")
    page = desk.post(f"/imports/batches/{batch[1]}/undo").headers["Location"]
    desk.work()
    assert "撤回了：删去 10 行" in desk.page(page) and number_of(desk, Frontage) == 0
    assert desk.post(f"/imports/batches/{batch[1]}/undo").status_code == 409


def test_a_title_above_the_header_and_rejected_rows(desk: Desk) -> None:
    above = (("龙门街道网格员花名册",), ("填表人：王", None, "日期"))
    header = ("工号", "姓名", "手机号码", "所属单位", "职务")
    rows = (header, ("A1", "甲", 13800000001, None, "网格员"), ("A2", None, "=1+1", None, "网格员"))
    at = desk.begin("花名册.xlsx", workbook(*above, *rows))
    text = desk.page(at)
    assert "表头在第 3 行" in text and 'value="people" checked' in text
    text = desk.go(at, "people")
    assert counts(text) == [2, 1, 0, 0, 1] and "第" not in re.findall(r"<h2>拒收的行</h2>", text)[0]
    listed = desk.download(f"{at}/rejects.csv")
    assert listed.splitlines()[0] == "行号,字段,值,原因" and listed.splitlines()[1].startswith("5,name,")
    assert counts(desk.store(at))[:2] == [2, 1]
    at = desk.begin("花名册.xlsx", workbook(("工号", "姓名", "手机号码"), ("A1", "甲", 13800000009)))
    assert counts(desk.go(at, "people")) == [1, 0, 1, 0, 0]


def test_several_sheets_are_asked_for_and_can_be_changed(desk: Desk) -> None:
    rows = [("姓名", "电话"), ("甲", "13800000001")]
    at = desk.begin("两季.xlsx", workbook(*rows, more={"二季度": [*rows, ("乙", "13800000002")]}))
    text = desk.page(at)
    assert "选一份" in text and "下一步" not in text
    assert desk.post(f"{at}/read", choice="二季度").status_code == 303
    desk.work()
    assert "2 行" in desk.page(at) and "选一份" in desk.page(at)
    desk.post(f"{at}/read", choice="二季度", header_row="2")
    desk.work()
    assert "1 行" in desk.page(at)
    assert desk.post(f"{at}/read", header_row="x").status_code == 422


def test_a_column_for_two_fields_and_a_missing_one_are_named(desk: Desk) -> None:
    at = desk.begin("人员.csv", "甲列,乙列\n张三,13800000001\n".encode())
    desk.post(f"{at}/file", kind="people")
    answer = desk.post(f"{at}/columns", **{"map.phone": "乙列"})
    assert answer.status_code == 422 and "“姓名”必须有" in answer.text
    assert '<option value="乙列" selected>' in answer.text  # what was chosen is not lost
    answer = desk.post(f"{at}/columns", **{"map.name": "甲列", "map.code": "甲列"})
    assert answer.status_code == 422 and "只能给一个" in answer.text
    sets = {"map.name": "甲列", "map.title": "=", "set.title": "网格员"}
    assert desk.post(f"{at}/columns", **sets).headers["Location"] == f"{at}/verdict"
    desk.post(f"{at}/judge")
    desk.work()
    desk.store(at)
    with desk.database.read() as session:
        assert session.execute(select(Person.title, Person.phone).where(Person.name == "张三")).one() == (
            "网格员",
            None,
        )


def test_faults_of_the_tiling_editions_and_all_or_nothing(desk: Desk) -> None:
    boxes = (shapely.box(109.89, 31.07, 109.8915, 31.072), shapely.box(109.891, 31.07, 109.894, 31.072))
    named = [{"网格编码": f"50023700200200{i}", "社区": "500237002002"} for i in range(2)]
    rows = [
        {"type": "Feature", "properties": told, "geometry": shapely.geometry.mapping(box)}
        for told, box in zip(named, boxes, strict=True)
    ]
    at = desk.begin("网格.geojson", json.dumps({"type": "FeatureCollection", "features": rows}).encode())
    text = desk.go(at, "grids", "EPSG:4326")
    faults = json.loads(desk.download(f"{at}/faults.geojson"))["features"]
    assert len(re.findall(r'<g class="at (?:overlap|gap|overhang)"', text)) == len(faults) > 0
    assert text.count('aria-pressed="false"><span class="key-spot') == len(faults)
    assert "m²（" not in text  # told once, where it is drawn
    assert desk.post(f"{at}/judge", strict="1", edition="2027-01-01").status_code == 303
    desk.work()
    assert desk.post(f"{at}/store").status_code == 303
    desk.work()
    assert "要求全部合格" in desk.page(f"{at}/verdict")
    assert desk.post(f"{at}/judge", edition="明天").status_code == 422
    desk.post(f"{at}/judge", edition="2027-01-01")
    desk.work()
    assert "2027-01-01" in desk.store(at)


def test_faults_between_communities_are_drawn_and_kept_with_the_batch(desk: Desk) -> None:
    boxes = (shapely.box(109.90, 31.07, 109.9102, 31.08), shapely.box(109.91, 31.07, 109.92, 31.08))
    rows = [
        {
            "type": "Feature",
            "properties": {"编码": f"50023700290{i}", "名称": HOSTILE},
            "geometry": shapely.geometry.mapping(box),
        }
        for i, box in enumerate(boxes)
    ]
    at = desk.begin("社区.geojson", json.dumps({"type": "FeatureCollection", "features": rows}).encode())
    text = desk.go(at, "communities", "EPSG:4326")
    # 21,160.67 m² on the ellipsoid (pyproj.Geod)
    assert text.count('<g class="at overlap"') == 1 and HOSTILE not in text and "21,160.7 m²" in text
    assert '<g class="at overlap"' in desk.store(at)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("名单.xlsx", b"%PDF-1.7 ...", "是 PDF 文档"),
        ("空.csv", b"", "空文件"),
        ("坏.xlsx", b"PK\x03\x04 broken", "压缩包"),
        ("壳.zip", b"", "空文件"),
    ],
)
def test_a_file_is_judged_by_its_content(desk: Desk, name: str, content: bytes, said: str) -> None:
    text = desk.page(desk.begin(name, content))
    assert "读不了" in text and said in text and "下一步" not in text


def test_a_zip_bomb_is_refused_even_when_it_lies_about_its_size(desk: Desk) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"\0" * (80 << 20))
    honest = out.getvalue()
    assert "压缩炸弹" in desk.page(desk.begin("账册.xlsx", honest))
    size = (80 << 20).to_bytes(4, "little")
    lying = honest.replace(size, (1000).to_bytes(4, "little"))
    text = desk.page(desk.begin("账册.xlsx", lying))
    assert "读不了" in text


def test_the_parts_of_a_shapefile_belong_together(desk: Desk, shared_data: Path) -> None:
    folder = shared_data / "awkward" / "derived_cn" / "shp_gbk_nocpg"
    parts = [(path.name, path.read_bytes()) for path in folder.iterdir()]
    answer = desk.upload(*parts)
    assert answer.status_code == 303
    desk.work()
    text = desk.page(answer.headers["Location"])
    assert "Shapefile" in text and 'value="streets" checked' in text and "道路_GBK.shp" in text
    answer = desk.upload(("a.csv", b"x"), ("b.csv", b"y"))
    assert answer.status_code == 422 and "一次上传一份" in answer.text
    assert desk.upload().status_code == 422


def test_steps_that_another_tab_went_back_from_are_shown_again(desk: Desk) -> None:
    at = desk.begin("人员.csv", PEOPLE.encode())
    for step in ("columns", "place", "verdict"):
        answer = desk.post(f"{at}/{step}", crs="EPSG:99999999")
        assert answer.status_code == 303 and answer.headers["Location"] == f"{at}/file", step
    assert desk.post(f"{at}/read", header_row="²").status_code in (303, 422)
    for row in ("²", "９" * 5, "1" * 5000):
        answer = desk.post(f"{at}/read", header_row=row)
        assert answer.status_code == 422 and "0 到 1000" in answer.text, row


def test_a_second_click_on_undo_finds_the_first_ones_job(desk: Desk) -> None:
    at = desk.begin("人员.csv", PEOPLE.encode())
    desk.go(at, "people")
    desk.store(at)
    batch = str(desk.client.get(at).headers["Location"])
    first, second = (desk.post(f"{batch}/undo").headers["Location"] for _ in range(2))
    assert first == second
    desk.work()
    with desk.database.read() as session:
        undone = AuditEntry.action == "import.undo"
        assert session.scalar(select(func.count()).select_from(AuditEntry).where(undone)) == 1


def test_what_the_form_would_ask_about_is_told_before_it_is_stored(desk: Desk) -> None:
    """A shop without a name, a phone that is none, a place in no grid, a period without an end, a total below."""
    shops = (
        "店名,地址,电话,责任书有效期至,经度,纬度\n"
        "甲店,一号,13800000001,长期,109.8801,31.0701\n"
        ",二号,138,2026-13-77,109.8802,31.0702\n"
        "丙店,三号,13800000003,2027-01-01,100.1,30.1\n"
        "合计,,,,,\n"
    )
    text = desk.go(desk.begin("门店.csv", shops.encode()), "frontages", "EPSG:4326")
    assert "没有店名，用地址或行业代替" in text and "位置不在任何网格里" in text
    assert "“责任书有效期至”写的是长期" in text and "第 5 行是合计，没有读" in text
    assert "不像电话号码" in text or "手机号应是 11 位" in text
    assert "没有这个日期" in text and "08:30" not in text


def test_hostile_names_stay_in_their_folder_and_are_shown_as_text(desk: Desk) -> None:
    answer = desk.upload((f"../../{HOSTILE}.csv", PEOPLE.encode()))
    desk.work()
    text = desk.page(answer.headers["Location"])
    assert HOSTILE not in text
    root = desk.settings.data_dir / "uploads"
    assert [path.name for path in root.glob("*/*/*.csv")] == ["_img src=x onerror=alert(1)_.csv"]
    assert not list(root.glob("incoming-*")) and root.stat().st_mode & 0o077 == 0


def test_too_much_is_refused_before_it_is_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "MOST_BYTES", 1_000)
    monkeypatch.setattr(receiving, "_AROUND", 1_000)
    answer = desk.upload(("大.csv", b"x" * 5_000))
    assert answer.status_code == 422 and "超过" in answer.text
    monkeypatch.setattr(receiving, "_KEPT_FREE", 1 << 60)
    answer = desk.upload(("小.csv", b"x"))
    assert answer.status_code == 422 and "磁盘" in answer.text
    assert not list((desk.settings.data_dir / "uploads").iterdir()) and number_of(desk, Upload) == 0


def test_it_is_for_supervisors_with_their_token(desk: Desk) -> None:
    form = {"files": (io.BytesIO(b"x"), "a.csv")}
    assert desk.client.post("/imports/upload", data=form).status_code == 400
    assert number_of(desk, Upload) == 0
    at = desk.begin("人员.csv", PEOPLE.encode())
    with desk.database.read() as session:
        job = session.scalar(select(Upload.job_id))
    assert desk.client.get(f"/jobs/{job}").get_json()["state"] == "done"
    desk.enter("officer")
    for path in ("/imports", at, f"{at}/file", f"{at}/rejects.csv", "/imports/batches/1"):
        assert desk.client.get(path).status_code == 403, path
    assert desk.client.get(f"/jobs/{job}").status_code == 404
    assert desk.app.test_client().get("/imports").status_code == 302


def test_an_upload_is_left_found_again_and_given_up(desk: Desk) -> None:
    at = desk.begin("人员.csv", PEOPLE.encode())
    desk.post(f"{at}/file", kind="people")
    assert "停在“对应列”" in desk.page("/imports")
    assert desk.client.get(f"{at}/verdict").headers["Location"] == f"{at}/columns"
    assert desk.post(f"{at}/store").status_code == 409
    assert desk.post(f"{at}/drop").headers["Location"] == "/imports"
    assert desk.client.get(at).status_code == 404 and "停在" not in desk.page("/imports")
    assert not list((desk.settings.data_dir / "uploads").glob("*/*"))
    with desk.database.read() as session:
        actions = session.scalars(select(AuditEntry.action).where(AuditEntry.subject_kind == "uploads")).all()
    assert actions == ["import.upload", "import.drop"]
