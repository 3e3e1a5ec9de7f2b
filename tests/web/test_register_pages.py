"""The registers' pages: what a form keeps and refuses, both versions of a conflict, bulk verdicts, views, escaping."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from service.app import create_app
from service.config import Settings
from service.db.engine import Database
from service.errors import InvalidValue
from service.frontages.models import Frontage
from service.frontages.register import FRONTAGES
from service.people.accounts import create_account
from service.people.models import Person
from service.places.register import PLACES, STREETS
from service.records.models import AuditEntry
from service.registers import incident_page, queries
from service.web.registers.forms import Typed, drawn, points_text
from service.web.registers.query import parse_query
from tests.conftest import MONDAY_NOON, PASSWORD
from tests.registers.conftest import whole_town
from tests.responsibility.town import A1, EAST_HOME, WEST_HOME, at, bring, duties, layer
from tests.stores import Filling

HURTFUL = "\"><img src=x onerror=hurt()>'{{7*7}}"
WALL = "\n".join(f"{x:.7f}, {y:.7f}" for x, y in (at(3, 4), at(3.1, 4)))


def town_with_accounts(database: Database, settings: Settings, folder: Path) -> None:
    """The small town and an account of each kind."""
    whole_town(database, settings, folder)
    with database.write() as session:
        create_account(session, "boss", "supervisor", PASSWORD, MONDAY_NOON, display_name="周主管")
        create_account(session, "west", "manager", PASSWORD, MONDAY_NOON, area=WEST_HOME)
        create_account(session, "east", "manager", PASSWORD, MONDAY_NOON, area=EAST_HOME)
        create_account(session, "looker", "viewer", PASSWORD, MONDAY_NOON)
        create_account(session, "idle", "officer", PASSWORD, MONDAY_NOON)
        create_account(session, "firm", "unit", PASSWORD, MONDAY_NOON, unit="O1")


@pytest.fixture
def filling() -> Filling:
    return town_with_accounts


@pytest.fixture
def app(database: Database, settings: Settings) -> Iterator[Flask]:
    made = create_app(settings)
    yield made
    made.extensions["steward"].database.close()


def token(page: str) -> str:
    return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1]  # type: ignore[index]


def enter(app: Flask, name: str) -> FlaskClient:
    client = app.test_client()
    form = {"name": name, "password": PASSWORD, "csrf_token": token(client.get("/login").text)}
    assert client.post("/login", data=form).status_code == 302
    return client


@pytest.fixture
def boss(app: Flask) -> FlaskClient:
    return enter(app, "boss")


def send(client: FlaskClient, path: str, form: str | None = None, **fields: Any) -> TestResponse:
    """Posts with the token of the form's own page; double underscores stand for what a name can't hold."""
    page = client.get(form or path).text
    named = {name.replace("__", ":").replace("_DOT_", "."): value for name, value in fields.items()}
    return client.post(path, data={"csrf_token": token(page), **named})


def shown(answer: TestResponse) -> str:
    """The words of a page, without its tags."""
    return html.unescape(re.sub(r"<[^>]+>", " ", answer.text))


def stored(database: Database, code: str) -> Frontage:
    with database.read() as session:
        return session.scalars(select(Frontage).where(Frontage.code == code)).one()


def filled(client: FlaskClient, path: str) -> dict[str, str]:
    """What the form's fields hold as it is shown."""
    page = client.get(path).text
    out = {name: html.unescape(value) for name, value in re.findall(r'<input id="f-(\w+)"[^>]*? value="([^"]*)"', page)}
    for name, options in re.findall(r'<select id="f-(\w+)".*?>(.*?)</select>', page, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected>', options)
        out[name] = chosen[1] if chosen else ""
    for name, text in re.findall(r'<textarea id="f-\w+" name="(\w+)"[^>]*>(.*?)</textarea>', page, re.S):
        out[name] = html.unescape(text)
    return out | {"version": re.search(r'name="version" value="(\d*)"', page)[1]}  # type: ignore[index]


@pytest.mark.parametrize(
    "path",
    ["/frontages", "/places", "/streets", "/grids", "/communities", "/people", "/organisations", "/incidents"],
)
def test_every_register_is_listed_and_each_row_opens(boss: FlaskClient, path: str) -> None:
    page = boss.get(path).text
    urls = [html.unescape(url) for url in re.findall(r'data-url="([^"]+)"', page)]
    assert urls
    for url in urls:
        whole = boss.get(url)
        assert whole.status_code == 200 and 'id="rows"' in whole.text and "经过" in whole.text
        part = boss.get(url, headers={"X-Requested-With": "fetch"})
        assert part.text.lstrip().startswith('<div class="inside"') and "<html" not in part.text


def test_a_filter_is_a_chip_in_the_address_and_can_be_taken_away(boss: FlaskClient) -> None:
    answer = boss.get("/frontages?state=vacant&columns=shop_name,phone&sort=-shop_name")
    assert re.findall(r'data-code="(\w+)"', answer.text) == ["F2"]
    assert re.search(r'aria-label="移除筛选 状态：空置"', answer.text)
    chip = html.unescape(re.search(r'class="chip" href="([^"]+)"', answer.text)[1])  # type: ignore[index]
    assert chip == "/frontages?sort=-shop_name&columns=shop_name,phone"
    assert sorted(re.findall(r'data-code="(\w+)"', boss.get(chip).text)) == ["F1", "F2", "F3"]
    heads = re.findall(r"<th scope=\"col\"[^>]*>(?:<a[^>]*>)?([^<]+)", answer.text)
    assert [head.strip() for head in heads] == ["店名", "电话"]


def test_a_very_long_list_names_what_would_narrow_it(
    app: Flask, boss: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only then; each link leaves as many as it says, and names no community outside the asker's area."""
    assert 'class="narrow"' not in boss.get("/incidents?group=all").text
    monkeypatch.setattr(queries, "MANY", 1)
    monkeypatch.setattr(incident_page, "MANY", 1)
    page = boss.get("/incidents?group=all").text
    links = re.findall(r'class="chip less" href="([^"]+)"><bdi>([^<]+)</bdi><span class="num">([\d,]+)<', page)
    assert links
    for url, word, n in links:
        narrowed = boss.get(html.unescape(url)).text
        assert re.search(rf"共 {n} 件", narrowed), word
    assert "community=" in boss.get("/frontages").text.split('class="narrow"')[1]
    west = enter(app, "west").get("/frontages").text
    assert EAST_HOME not in west.split('class="narrow"')[1].split("</div>")[0]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("state=vacant&unheard=1&sort=unheard&columns=unheard,trade", "state=vacant&columns=trade"),
        ("agreement_until.from=2026-01-01&agreement_until.to=2026-12-31", "agreement_until=2026-01-01..2026-12-31"),
        ("agreement_until.to=2026-12-31", "agreement_until=..2026-12-31"),
        ("q=%E5%BC%A0&page=3&state=vacant&state=closed", "q=%E5%BC%A0&state=vacant&state=closed&page=3"),
    ],
)
def test_an_address_is_read_and_written_back(text: str, kept: str) -> None:
    assert parse_query(FRONTAGES, text).text() == kept


def test_no_result_and_no_row_say_what_to_do(app: Flask, boss: FlaskClient, database: Database) -> None:
    assert "没有符合条件的门店" in shown(boss.get("/frontages?q=没有这家")) and "清除筛选" in shown(
        boss.get("/frontages?q=没有这家")
    )
    with database.write() as session:
        for row in session.scalars(select(Frontage)):
            session.delete(row)
    empty = boss.get("/frontages")
    assert "还没有门店" in shown(empty) and 'href="/frontages/new"' in empty.text
    assert 'class="act main" href="/frontages/new"' not in enter(app, "looker").get("/frontages").text


def test_an_empty_part_does_not_say_that_there_is_nothing(app: Flask) -> None:
    """Others have shops; whoever sees none of them is told whose are listed."""
    for name, said in (("east", "你的社区"), ("idle", "担任或代理的网格"), ("firm", "派给你们单位")):
        page = shown(enter(app, name).get("/frontages"))
        assert "你的范围里没有门店" in page and said in page and "还没有门店" not in page, name


def test_the_bar_leads_a_units_handler_nowhere_that_is_always_empty(app: Flask) -> None:
    bar = re.search(r'<nav class="nav".*?</nav>', enter(app, "firm").get("/people").text, re.S)
    assert bar and re.findall(r'href="([^"]+)"', bar[0]) == ["/map", "/my", "/duties", "/people"]
    bar = re.search(r'<nav class="nav".*?</nav>', enter(app, "idle").get("/people").text, re.S)
    assert bar and "/frontages" in bar[0] and "/incidents" in bar[0]


def test_a_faulty_form_names_every_fault_and_loses_nothing(boss: FlaskClient, database: Database) -> None:
    typed = {"trade": "餐饮", "phone": "12", "agreement_until": "明年", "state": "没有的", "points": "31.07, 109.88"}
    answer = send(boss, "/frontages/new", shop_name="", **typed)
    said = shown(answer)
    assert answer.status_code == 422
    for part in ("先改好 5 处", "店名：必须填写", "电话", "责任书有效至", "状态", "对调了"):
        assert part in said
    for value in ("餐饮", "12", "明年", "没有的"):
        assert f'value="{value}"' in answer.text
    assert "31.07, 109.88" in answer.text
    assert answer.text.count('aria-invalid="true"') == 4
    with database.read() as session:
        assert session.scalars(select(Frontage.code)).all() == ["F1", "F2", "F3"]


def test_a_new_shop_is_on_the_list_and_its_course_begins(boss: FlaskClient, database: Database) -> None:
    answer = send(boss, "/frontages/new", shop_name="新铺", state="operating", points=WALL, shape="line")
    assert answer.status_code == 302
    detail = boss.get(answer.headers["Location"])
    said = shown(detail)
    assert "已登记。" in said and "新登记" in said and "周主管" in said and "聚鹤 001" in said
    assert 'class="m-mine"' in detail.text and "NaN" not in detail.text
    assert "新铺" in boss.get("/frontages?q=新铺").text
    again = send(boss, "/frontages/new", shop_name="又一家", state="operating", points=WALL, again="1")
    assert again.headers["Location"].startswith("/frontages/new")


def test_the_number_is_not_in_the_form_and_stays_unless_it_is_changed(boss: FlaskClient, database: Database) -> None:
    before = filled(boss, "/frontages/F1/edit")
    assert before["phone"] == "" and "13900000001" not in boss.get("/frontages/F1/edit").text
    assert send(boss, "/frontages/F1/edit", **{**before, "trade": "餐饮"}).status_code == 302
    assert (stored(database, "F1").phone, stored(database, "F1").trade) == ("13900000001", "餐饮")
    before = filled(boss, "/frontages/F1/edit")
    assert send(boss, "/frontages/F1/edit", **{**before, "drop_DOT_phone": "1"}).status_code == 302
    assert stored(database, "F1").phone is None
    told = shown(boss.get("/frontages/F1"))
    assert "139****0001" in told and "13900000001" not in told


def test_saving_without_a_change_changes_nothing(boss: FlaskClient, database: Database) -> None:
    before = filled(boss, "/frontages/F1/edit")
    answer = send(boss, "/frontages/F1/edit", **before)
    assert answer.headers["Location"] == "/frontages/F1?told=same"
    assert stored(database, "F1").version == 1


def test_a_conflict_shows_both_versions_and_a_choice_per_field(
    app: Flask, boss: FlaskClient, database: Database
) -> None:
    mine = filled(boss, "/frontages/F1/edit")
    other = enter(app, "west")
    theirs = {**mine, "trade": "茶馆", "state": "renovating"}
    assert send(other, "/frontages/F1/edit", **theirs).status_code == 302
    answer = send(boss, "/frontages/F1/edit", **{**mine, "shop_name": "张记面馆", "state": "closed"})
    assert answer.status_code == 409 and stored(database, "F1").shop_name == "张记"
    differing = re.findall(r'<tr class="differs"><th scope="row">([^<]+)', answer.text)
    assert "别人先保存了" in shown(answer) and sorted(differing) == ["店名", "状态", "行业"]
    checked = set(re.findall(r'name="take:(\w+)" value="(\w+)" checked', answer.text))
    # The trade was theirs alone, the name mine alone, the state was changed by both: mine unless I say otherwise.
    assert checked == {("shop_name", "mine"), ("trade", "theirs"), ("state", "mine")}
    kept = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', answer.text))
    form = {name: html.unescape(value) for name, value in kept.items() if name != "csrf_token"}
    chosen = {"take__shop_name": "mine", "take__trade": "theirs", "take__state": "theirs"}
    assert send(boss, "/frontages/F1/edit", **{**form, **chosen}).status_code == 302
    row = stored(database, "F1")
    assert (row.shop_name, row.trade, row.state, row.version) == ("张记面馆", "茶馆", "renovating", 3)


def test_ending_needs_a_reason_and_is_undone_by_restoring(boss: FlaskClient, database: Database) -> None:
    answer = send(boss, "/frontages/F3/end", on="2026-11-23", reason=" ", version="1")
    assert answer.status_code == 422 and "写一句原因" in shown(answer)
    answer = send(boss, "/frontages/F3/end", on="2026-11-23", reason="搬走了", version="1")
    assert answer.status_code == 302
    said = shown(boss.get("/frontages/F3"))
    assert "已于 2026-11-23 终止" in said and "搬走了" in said and "恢复" in said
    assert 'data-code="F3"' not in boss.get("/frontages").text
    assert 'data-code="F3"' in boss.get("/frontages?ended=yes").text
    assert send(boss, "/frontages/F3/restore", form="/frontages/F3", version="2").status_code == 302
    assert stored(database, "F3").ended_on is None


def test_what_is_depended_on_is_not_ended(boss: FlaskClient) -> None:
    answer = send(boss, "/people/P2/end", on="2026-11-23", reason="调离", version="1")
    assert answer.status_code == 409 and "还有" in shown(answer) and "责任在任" in shown(answer)


def test_a_bulk_change_has_a_verdict_per_row(app: Flask, boss: FlaskClient, database: Database) -> None:
    ahead = send(boss, "/frontages/bulk", form="/frontages", code=["F1", "F2", "F3", "F9"], field="state")
    said = shown(ahead)
    assert "把 4 家" not in said and "把 3 家门店" in said and "经营" in said and "空置" in said
    assert "1 家 已不在你的范围内" in said or "1 家已不在你的范围内" in said
    sure = {"code": ["F1", "F2", "F3"], "was": ["1", "1", "7"], "field": "state", "value": "vacant", "sure": "1"}
    done = shown(send(boss, "/frontages/bulk", form="/frontages", **sure))
    assert re.search(r"1 家\s*已改", done) and re.search(r"1 家\s*本来就是", done) and re.search(r"1 家\s*没有改", done)
    assert "没有改的，连同原因已记进操作记录" in done
    refused = boss.get("/trail?ok=no")
    assert "批量修改门店" in shown(refused) and "3 行里有 1 行没有改" in shown(refused)
    line = shown(boss.get(html.unescape(re.search(r'href="(/trail\?[^"]*line=\d+)"', refused.text)[1])))  # type: ignore[index]
    assert "编码 F3，原因 “" in line and "被改过" in line
    assert "被改过" in done and stored(database, "F1").state == "vacant" and stored(database, "F3").version == 1
    bad = {"code": "F3", "was": "1", "field": "agreement_until", "value": "不是日期", "sure": "1"}
    assert send(boss, "/frontages/bulk", form="/frontages", **bad).status_code == 422
    assert send(boss, "/frontages/bulk", form="/frontages", code="F3", field="phone").status_code == 422
    east = enter(app, "east")
    left = send(east, "/frontages/bulk", form="/streets", code=["F3"], field="state")
    assert re.search(r"把\s*0\s*家", shown(left))
    gone = shown(
        send(east, "/frontages/bulk", form="/streets", code=["F3"], was=["1"], field="state", value="closed", sure="1")
    )
    assert re.search(r"1 家\s*没有改", gone) and "不在你的范围里" in gone and 'href="/frontages/F3' not in gone


def test_views_are_ones_own_or_everybodys(app: Flask, boss: FlaskClient) -> None:
    saved = send(boss, "/views", form="/frontages", page="frontages", name="空置", query="state=vacant&page=2&x=1")
    assert saved.headers["Location"] == "/frontages?state=vacant"
    assert ">空置</bdi></a>" in boss.get("/frontages").text
    west = enter(app, "west")
    assert ">空置</bdi></a>" not in west.get("/frontages").text
    send(boss, "/views", form="/frontages", page="frontages", name="停业", query="state=closed", shared="1")
    assert ">停业</bdi></a>" in west.get("/frontages").text
    drop = re.search(r'action="(/views/\d+/drop)"', boss.get("/frontages").text)[1]  # type: ignore[index]
    assert send(west, drop, form="/frontages").status_code == 404
    assert send(boss, drop, form="/frontages").headers["Location"] == "/frontages"
    assert ">空置</bdi></a>" not in boss.get("/frontages").text
    assert send(boss, "/views", form="/frontages", page="frontages", name=" ", query="").status_code == 422
    send(west, "/views", form="/frontages", page="frontages", name="我的", query="state=closed", shared="1")
    assert ">我的</bdi></a>" not in boss.get("/frontages").text


def test_who_may_only_look_finds_no_way_to_write(app: Flask) -> None:
    client = enter(app, "looker")
    page = client.get("/frontages/F1").text
    for trace in ("/frontages/F1/edit", "/frontages/F1/end", "/frontages/new", 'id="bulk"'):
        assert trace not in page
    assert client.get("/frontages/F1/edit").status_code == 403
    sent = {"csrf_token": token(page), "shop_name": "改了"}
    for path in ("/frontages/F1/edit", "/frontages/new", "/frontages/bulk", "/frontages/F1/end", "/people/P1/restore"):
        assert client.post(path, data=sent).status_code == 403


def test_a_manager_writes_in_the_own_communities_only(app: Flask, database: Database) -> None:
    west, east = enter(app, "west"), enter(app, "east")
    assert "/frontages/F1/edit" in west.get("/frontages/F1").text
    assert east.get("/frontages/F1").status_code == 404 and east.get("/frontages/F1/edit").status_code == 404
    outside = send(east, "/frontages/new", shop_name="越界", state="operating", points=WALL)
    assert outside.status_code == 422 and "不在你的社区里" in shown(outside) and "越界" in outside.text


def test_nobody_signed_in_is_asked_to_sign_in(app: Flask) -> None:
    answer = app.test_client().get("/frontages/F1?state=vacant")
    assert answer.status_code == 302 and answer.headers["Location"].startswith("/login?next=")


@pytest.mark.parametrize("page", ["new", "F1/edit", "F1/end", "F1/restore", "bulk"])
def test_without_the_pages_token_nothing_is_written(boss: FlaskClient, page: str) -> None:
    assert boss.post(f"/frontages/{page}", data={"shop_name": "伪造"}).status_code == 400


def test_hostile_words_are_words_everywhere(
    app: Flask, boss: FlaskClient, database: Database, settings: Settings
) -> None:
    made = send(
        boss, "/frontages/new", shop_name=HURTFUL, trade=HURTFUL, state="operating", points=WALL, address=HURTFUL
    )
    assert made.status_code == 302
    code = made.headers["Location"].split("?")[0]
    send(boss, f"{code}/edit", **{**filled(boss, f"{code}/edit"), "trade": HURTFUL[::-1]})
    send(boss, "/views", form="/frontages", page="frontages", name=HURTFUL[:40], query="q=" + HURTFUL)
    faulty = send(boss, "/frontages/new", shop_name=HURTFUL, phone=HURTFUL, points=HURTFUL)
    ahead = send(boss, "/frontages/bulk", form="/frontages", code=[code.rpartition("/")[2], HURTFUL], field="trade")
    pages = [boss.get(path) for path in (code, f"{code}/edit", f"{code}/end", "/frontages", "/frontages?q=" + HURTFUL)]
    for page in (*pages, faulty, ahead):
        assert "<img" not in page.text and "49" not in re.findall(r"'(\d\d)", page.text)
    assert HURTFUL in shown(pages[0])
    assert boss.get("/frontages/" + "%22%3E%3Cimg").status_code == 404


def test_a_code_that_looks_like_a_path_still_opens(
    boss: FlaskClient, database: Database, settings: Settings, tmp_path: Path
) -> None:
    shop = (shapely.Point(*at(2, 3)), {"code": "三包/17 号#a?b%20", "shop_name": "怪编码"})
    bring(database, settings, "frontages", layer(tmp_path / "odd.geojson", [shop]))
    url = html.unescape(re.search(r'data-url="([^"]+)"', boss.get("/frontages?q=怪编码").text)[1])  # type: ignore[index]
    assert "怪编码" in shown(boss.get(url)) and boss.get(f"{url.split('?')[0]}/edit").status_code == 200


def test_a_reference_is_shown_by_name_and_proposed(boss: FlaskClient, database: Database) -> None:
    form = filled(boss, "/organisations/O1/edit")
    assert form["head_code"] == "周九"
    send(boss, "/organisations/O1/edit", **form)
    proposed = boss.get("/people/suggest?q=周").json
    assert proposed["results"][0]["value"] == "周九"
    with database.write() as session:
        session.add(Person(code="P99", name="周九", version=1))
    assert {one["value"] for one in boss.get("/people/suggest?q=周九").json["results"]} == {"P7", "P99"}
    assert send(boss, "/organisations/O1/edit", **{**form, "address": "南街 1 号"}).status_code == 302, (
        "was shown, is kept"
    )


def test_the_course_tells_from_what_to_what(boss: FlaskClient, database: Database) -> None:
    before = filled(boss, "/grids/" + A1 + "/edit")
    assert send(boss, f"/grids/{A1}/edit", **{**before, "households": "120"}).status_code == 302
    before = filled(boss, "/grids/" + A1 + "/edit")
    send(boss, f"/grids/{A1}/edit", **{**before, "households": "150"})
    said = re.sub(r"\s+", " ", shown(boss.get(f"/grids/{A1}")))
    assert "户数： 120 → 150" in said and "导入" in said
    with database.read() as session:
        last = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
    assert (last.action, last.before, last.after) == ("grid.change", {"households": 120}, {"households": 150})


@pytest.mark.parametrize(
    ("register", "points", "shape", "expected"),
    [
        (FRONTAGES, "109.88, 31.07\n109.881，31.07", "line", "LineString"),
        (FRONTAGES, "109.88 31.07", "line", "Point"),
        (STREETS, "1, 2\n3, 4\n\n5, 6\n7, 8", "line", "MultiLineString"),
        (PLACES, "1, 2\n3, 4\n5, 7", "area", "MultiPolygon"),
        (PLACES, "1, 2\n3, 4", "point", "Point"),
        (FRONTAGES, "  \n ", "line", None),
    ],
)
def test_points_as_text_are_a_shape(register: Any, points: str, shape: str, expected: str | None) -> None:
    made = drawn(register, Typed({}, points, shape))
    assert (made["type"] if made else None) == expected
    if made:
        assert shapely.from_geojson(json.dumps(made)).is_valid


@pytest.mark.parametrize(
    ("register", "points", "shape", "said"),
    [
        (FRONTAGES, "109.88, 31.07\n东经109", "line", "第 2 行"),
        (FRONTAGES, "31.07, 109.88", "line", "对调"),
        (FRONTAGES, "200, 95", "line", "不是经纬度"),
        (STREETS, "109.88, 31.07", "line", "至少要两个点"),
        (PLACES, "1, 2\n3, 4", "area", "至少要三个点"),
        (FRONTAGES, "nan, inf", "line", "读不懂"),
    ],
)
def test_points_that_are_no_shape_are_named(register: Any, points: str, shape: str, said: str) -> None:
    with pytest.raises(InvalidValue, match=said):
        drawn(register, Typed({}, points, shape))


def test_an_unchanged_shape_is_no_change_even_with_a_hole() -> None:
    holed = shapely.Polygon([(0, 0), (4, 0), (4, 4)], [[(2, 1), (3, 1), (3, 2)]])
    assert drawn(PLACES, Typed({}, points_text(holed), "area"), holed) is None


def test_a_duty_has_the_name_of_what_it_is_for_and_leads_there_where_one_may_go(
    app: Flask, boss: FlaskClient, database: Database, settings: Settings, tmp_path: Path
) -> None:
    heads = [
        {"code": f"H{i}", "role": "first_responsible", "kind": kind, "subject": subject, "person": "P6"}
        for i, (kind, subject) in enumerate((("organisation", "O1"), ("organisation", "O2"), ("street", "S1")))
    ]
    duties(database, settings, tmp_path, heads)
    with database.write() as session:
        create_account(session, "cleaner", "unit", PASSWORD, MONDAY_NOON, unit="O1")
    filled_in = filled(boss, "/people/P6/edit") | {"organisation_code": "O1"}
    assert send(boss, "/people/P6/edit", **filled_in).status_code == 302
    whole, part = (client.get("/people/P6").text for client in (boss, enter(app, "cleaner")))
    for page in (whole, part):
        assert ">环卫所</bdi>" in page and ">城管办</bdi>" in page and ">南街</bdi>" in page
    for path in ("/organisations/O1", "/organisations/O2", "/streets/S1"):
        assert f'href="{path}"' in whole
        assert (f'href="{path}"' in part) == (path == "/organisations/O1"), "no way to what one may not open"
