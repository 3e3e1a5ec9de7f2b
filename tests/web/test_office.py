"""/admin: for administrators; each section is saved by itself, in the trail, and every worker's next answer follows."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import escape
from PIL import Image
from sqlalchemy import select
from werkzeug.test import TestResponse

from service.app import create_app
from service.config import Settings
from service.db.engine import Database
from service.documents.logo import clean_logo
from service.errors import InvalidValue
from service.people.accounts import create_account
from service.records.models import AuditEntry, Job
from service.records.office import SECTIONS, defaults, read_office
from service.safekeeping import shelf
from tests.conftest import MONDAY_NOON, bearer
from tests.responsibility.town import at, load_town
from tests.stores import Filling

IN_A1 = at(2.5, 2.5)

KEY = "0123456789abcdef0123456789abcdef"
BAD: list[tuple[str, dict[str, Any], str]] = [
    ("identity", {"name": "", "hotline": ""}, "1 到 40 个字"),
    ("identity", {"name": "x" * 41, "hotline": ""}, "1 到 40 个字"),
    ("identity", {"name": "x\u202ey", "hotline": ""}, "1 到 40 个字"),
    ("identity", {"name": "x", "hotline": "javascript:1"}, "不像电话"),
    ("view", {"frame": "box", "west": "110", "east": "109", "south": "31", "north": "32"}, "西边要小于东边"),
    ("view", {"frame": "box", "west": "nan", "east": "109", "south": "31", "north": "32"}, "西边经度要填"),
    ("view", {"frame": "box", "west": "100", "east": "119", "south": "31", "north": "32"}, "范围太大"),
    ("basemaps", {"chosen": ["tianditu"]}, "天地图要有密钥"),
    ("basemaps", {"chosen": [], "tianditu_key": "<script>"}, "一串字母和数字"),
    ("distances", {"border_m": "0", "frontage_m": "15", "here_m": "50"}, "近边界距离要填 1 到 200"),
    ("distances", {"border_m": "10", "frontage_m": "", "here_m": "50"}, "现在空着"),
    ("distances", {"border_m": "10", "frontage_m": "1e999", "here_m": "50"}, "找门店距离"),
    ("public", {"rule": "everything"}, "三种里选一种"),
    ("retention", {"uploads_days": "30", "ended_days": "0", "trail_days": "182"}, "183 到 36500"),
    ("retention", {"uploads_days": "30", "ended_days": "5", "trail_days": "365"}, "至少 30 天"),
    ("backup", {"hour": "24", "daily": "7", "weekly": "4", "folder": ""}, "0 到 23"),
    ("backup", {"hour": "2", "daily": "7", "weekly": "4", "folder": "backups"}, "完整路径"),
    ("backup", {"hour": "2", "daily": "7", "weekly": "4", "folder": "/nowhere/at/all"}, "服务不能写"),
]


@pytest.fixture
def filling() -> Filling:
    return load_town


@pytest.fixture
def app(settings: Settings, database: Database) -> Iterator[Flask]:
    with database.write() as session:
        for role in ("admin", "supervisor", "manager", "officer", "unit", "viewer"):
            create_account(session, f"test-{role}", role, None, MONDAY_NOON)
    made = create_app(settings)
    made.config["WTF_CSRF_ENABLED"] = False
    yield made
    made.extensions["steward"].database.close()


@pytest.fixture
def admin(app: Flask) -> FlaskClient:
    return bearer(app, "test-admin")


def save(client: FlaskClient, section: str, version: int = 0, **fields: Any) -> TestResponse:
    return client.post(f"/admin/office/{section}", data={"version": version, **fields})


def trail(database: Database) -> list[AuditEntry]:
    with database.read() as session:
        found = list(session.scalars(select(AuditEntry).order_by(AuditEntry.id)))
        session.expunge_all()
    return found


def changes(database: Database) -> list[AuditEntry]:
    return [entry for entry in trail(database) if entry.action == "office.change"]


def test_only_administrators_come_in(app: Flask) -> None:
    assert app.test_client().get("/admin").status_code == 302
    for role in ("supervisor", "manager", "officer", "unit", "viewer"):
        client = bearer(app, f"test-{role}")
        assert client.get("/admin").status_code == 403
        assert save(client, "public", rule="off").status_code == 403
        assert client.post("/admin/backups").status_code == 403
        assert client.get("/admin/backups/steward-20261123-120000.tar.zst").status_code == 403
    with app.extensions["steward"].database.read() as session:
        assert session.scalar(select(Job.id)) is None


def test_a_form_without_its_token_is_refused(app: Flask, admin: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    assert save(admin, "public", rule="off").status_code == 400


def test_the_page_shows_every_section_with_its_effect(admin: FlaskClient) -> None:
    text = admin.get("/admin").text
    for section in SECTIONS:
        assert f'id="{section}"' in text
    assert text.count('class="effect') == len(SECTIONS)
    assert "还没有备份过" in text


def test_the_name_is_everywhere_at_once(app: Flask, admin: FlaskClient, database: Database, settings: Settings) -> None:
    other = create_app(settings)  # another worker
    assert "龙门街道" in other.test_client().get("/login").text
    answer = save(admin, "identity", name="<b>新街道</b>", hotline="12345")
    assert answer.headers["Location"].endswith("?saved=identity#identity")
    for each in (app, other):
        page = each.test_client().get("/login").text
        assert "&lt;b&gt;新街道&lt;/b&gt;" in page and "<b>新街道" not in page and "12345" in page
        snapshot = each.extensions["steward"].responsibility.on(MONDAY_NOON.date())
        assert snapshot.office_name == "<b>新街道</b>"
    other.extensions["steward"].database.close()
    (entry,) = changes(database)
    assert (entry.actor, entry.subject_kind, entry.subject_code) == ("test-admin", "office", "identity")
    assert entry.before == {"name": "龙门街道", "hotline": ""}
    assert entry.after == {"name": "<b>新街道</b>", "hotline": "12345"}
    assert "已保存" in admin.get("/admin?saved=identity").text


def test_saving_what_holds_already_is_no_change(admin: FlaskClient, database: Database) -> None:
    assert save(admin, "public", rule="basic").status_code == 302
    assert changes(database) == []


def test_a_stale_page_shows_both_and_overwrites_nothing(admin: FlaskClient, database: Database) -> None:
    save(admin, "identity", name="甲街道", hotline="")
    late = save(admin, "identity", name="乙街道", hotline="110")
    assert late.status_code == 409
    assert "甲街道" in late.text and 'value="乙街道"' in late.text and "刚被别人改过" in late.text
    version = re.search(r'id="identity".*?name="version" value="(\d+)"', late.text, re.S)
    assert version is not None and version[1] == "1"
    assert save(admin, "identity", 1, name="乙街道", hotline="110").status_code == 302
    assert [entry.after["name"] for entry in changes(database)] == ["甲街道", "乙街道"]  # type: ignore[index]


def test_a_bad_field_is_named_and_what_was_typed_stays(admin: FlaskClient, database: Database) -> None:
    for section, fields, words in BAD:
        answer = save(admin, section, **fields)
        assert answer.status_code == 422, fields
        assert words in answer.text, words
        if section in ("identity", "view", "distances", "retention", "backup"):
            assert all(f'value="{escape(value)}"' in answer.text for value in fields.values() if value), fields
    assert changes(database) == []


def test_full_width_digits_are_digits(app: Flask, admin: FlaskClient) -> None:
    assert (
        save(
            admin, "distances", border_m="２５", frontage_m="15.5", street_m="15", place_m="20", here_m="80"
        ).status_code
        == 302
    )
    given = app.extensions["steward"]
    assert (given.office.border_m, given.distances.frontage, given.office.here_m) == (25.0, 15.5, 80.0)
    lon, lat = IN_A1
    answer = app.test_client().get(f"/api/v1/lookup?lon={lon}&lat={lat}")
    assert answer.json["near_boundary_m"] == 25.0  # type: ignore[index]


def test_what_a_distance_would_do_is_counted(admin: FlaskClient) -> None:
    def near(metres: int) -> int:
        query = {"border_m": metres, "frontage_m": 15, "street_m": 15, "place_m": 20, "here_m": 50}
        share: int = admin.get("/admin/distances", query_string=query).json["effect"]["near"]  # type: ignore[index]
        return share

    assert 0 <= near(1) < near(50) < near(200) <= 100
    assert "faults" in (admin.get("/admin/distances?border_m=x").json or {})


def test_the_public_rule_holds_from_the_next_request(app: Flask, admin: FlaskClient) -> None:
    lon, lat = IN_A1
    public = app.test_client()
    assert public.get("/map").status_code == 200
    previews = admin.get("/admin").text
    assert previews.count('class="asif"') == 3
    assert save(admin, "public", rule="off").status_code == 302
    assert public.get("/map").status_code == 302
    assert public.get(f"/api/v1/lookup?lon={lon}&lat={lat}").status_code == 401
    assert save(admin, "public", 1, rule="names").status_code == 302
    names = {duty["person"]["name"] for duty in public.get(f"/api/v1/lookup?lon={lon}&lat={lat}").json["duties"]}  # type: ignore[index]
    assert any("*" not in name for name in names)


def test_the_first_view(app: Flask, admin: FlaskClient) -> None:
    box = {"west": "109.1", "south": "31.1", "east": "109.2", "north": "31.2"}
    assert save(admin, "view", frame="box", **box).status_code == 302
    assert '"bounds": [109.1, 31.1, 109.2, 31.2]' in app.test_client().get("/map").text
    assert save(admin, "view", 1, frame="grids").status_code == 302
    assert '"bounds": [109.1, 31.1, 109.2, 31.2]' not in app.test_client().get("/map").text


def test_base_maps_join_the_policy_and_the_key_is_never_shown(
    app: Flask, admin: FlaskClient, database: Database
) -> None:
    public = app.test_client()
    assert "tianditu" not in public.get("/map").headers["Content-Security-Policy"]
    saved = save(admin, "basemaps", chosen=["tianditu", "osm", "unknown"], tianditu_key=KEY)
    assert saved.status_code == 302
    policy = public.get("/map").headers["Content-Security-Policy"]
    assert "https://t0.tianditu.gov.cn" in policy and "https://tile.openstreetmap.org" in policy
    assert "autonavi" not in policy
    assert KEY not in admin.get("/admin").text
    (entry,) = changes(database)
    assert entry.after == {"chosen": ["tianditu", "osm"], "tianditu_key": "****cdef"}
    refused = save(admin, "basemaps", 1, chosen=["tianditu"], drop_key="1")
    assert refused.status_code == 422 and KEY not in refused.text
    stale = save(admin, "basemaps", 0, chosen=["amap"])
    assert stale.status_code == 409 and KEY not in stale.text
    save(admin, "basemaps", 1, chosen=["amap"])  # the key stays where nothing is typed
    with database.read() as session:
        kept = [one.id for one in read_office(session, app.extensions["steward"].settings).basemaps]
    assert kept == ["amap"]
    save(admin, "basemaps", 2, chosen=["tianditu"])
    assert KEY in public.get("/map").text


def test_own_files_are_served_once_chosen(app: Flask, admin: FlaskClient, settings: Settings) -> None:
    from tests.browser.test_base_maps import LAT, LON, write_mbtiles, write_pmtiles

    folder = settings.data_dir / "basemaps"
    folder.mkdir()
    write_pmtiles(folder / "老城 1.pmtiles", LON, LAT)
    write_mbtiles(folder / "town.mbtiles", LON, LAT)
    (folder / "bad.pmtiles").write_bytes(b"x")
    text = admin.get("/admin").text
    assert "老城 1" in text and "bad.pmtiles 不是 PMTiles" in text
    public = app.test_client()
    assert public.get("/map/base/%E8%80%81%E5%9F%8E%201.pmtiles").status_code == 404
    save(admin, "basemaps", chosen=["file-老城 1.pmtiles", "file-town.mbtiles"])
    assert public.get("/map/base/%E8%80%81%E5%9F%8E%201.pmtiles", buffered=True).data.startswith(b"PMTiles")
    assert public.get("/map/base/town/16/1/1").status_code == 204
    for path in ("/map/base/..%2fsecret_key.pmtiles", "/map/base/bad.pmtiles", "/map/base/%2e%2e/16/1/1"):
        assert public.get(path).status_code == 404


def picture(kind: str, size: tuple[int, int] = (900, 200)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_logo_is_written_anew_and_shown(app: Flask, admin: FlaskClient, settings: Settings, kind: str) -> None:
    given = picture(kind) + b"<script>hidden</script>"
    fields = {"name": "x", "hotline": "", "logo": (io.BytesIO(given), "evil.php")}
    assert save(admin, "identity", **fields).status_code == 302
    address = re.search(r'src="(/office/logo-[0-9a-f]{64}\.png)"', app.test_client().get("/login").text)
    assert address is not None
    shown = app.test_client().get(address[1], buffered=True)
    assert shown.mimetype == "image/png" and shown.data.startswith(b"\x89PNG") and b"script" not in shown.data
    assert Image.open(io.BytesIO(shown.data)).size == (640, 142)
    (path,) = (settings.data_dir / "office").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert app.test_client().get("/office/logo-" + "0" * 64 + ".png").status_code == 404
    save(admin, "identity", 1, name="x", hotline="", drop_logo="1")
    assert "/office/logo-" not in app.test_client().get("/login").text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "SVG 不能用"),
        (b"<?xml version='1.0'?><svg/>", "SVG 不能用"),
        (b"GIF89a" + bytes(100), "不是能读的图片"),
        (picture("PNG")[:60], "不是能读的图片"),
        (bytes(1024 * 1024 + 1), "最多 1 MB"),
        (picture("PNG", (6001, 2)), "边长最多"),
    ],
    ids=["svg", "xml", "gif", "cut", "large", "wide"],
)
def test_other_files_are_no_logo(data: bytes, words: str) -> None:
    with pytest.raises(InvalidValue, match=words):
        clean_logo(data)


def test_a_refused_logo_is_said_beside_the_field(admin: FlaskClient, database: Database) -> None:
    answer = save(admin, "identity", name="新", hotline="", logo=(io.BytesIO(b"<svg/>"), "logo.svg"))
    assert answer.status_code == 422 and "SVG 不能用" in answer.text and 'value="新"' in answer.text
    assert changes(database) == []


def test_a_backup_is_asked_for_once_and_downloads_are_logged(
    app: Flask, admin: FlaskClient, database: Database, settings: Settings
) -> None:
    assert admin.post("/admin/backups").status_code == 302
    admin.post("/admin/backups")
    with database.read() as session:
        (job,) = session.scalars(select(Job))
        assert (job.kind, job.state, job.given["actor"]["name"]) == ("backup", "waiting", "test-admin")
        plan = read_office(session, settings).backup
    assert admin.get("/admin/backups/state").json == {
        "state": "waiting",
        "words": "排着队，但后台任务进程没有运行",
        "id": job.id,
    }
    from service.records.audit import SYSTEM

    made = shelf.make_one(database, settings, plan, SYSTEM, MONDAY_NOON)
    text = admin.get("/admin").text
    assert "已核对" in text and made.path.name in text
    answer = admin.get(f"/admin/backups/{made.path.name}", buffered=True)
    assert answer.data == made.path.read_bytes()
    assert [entry.action for entry in trail(database)][-2:] == ["backup.make", "backup.download"]
    assert admin.get("/admin/backups/..%2Fsecret_key").status_code == 404
    assert admin.get("/admin/backups/steward-20261123-120001.tar.zst").status_code == 404


def test_a_backup_put_there_by_hand_is_checked_on_demand(
    app: Flask, admin: FlaskClient, database: Database, settings: Settings
) -> None:
    from service.records.audit import SYSTEM

    with database.read() as session:
        plan = read_office(session, settings).backup
    made = shelf.make_one(database, settings, plan, SYSTEM, MONDAY_NOON)
    made.path.with_name(made.path.name + ".json").unlink()
    assert "没有核对过" in admin.get("/admin").text
    assert admin.post(f"/admin/backups/{made.path.name}/check").status_code == 302
    assert "没有核对过" not in admin.get("/admin").text
    data = bytearray(made.path.read_bytes())
    data[len(data) // 2] ^= 1
    made.path.write_bytes(bytes(data))
    answer = admin.post(f"/admin/backups/{made.path.name}/check")
    assert answer.status_code == 422 and "已损坏" in answer.text
    assert "没有核对过" in admin.get("/admin").text


def test_a_lookup_asks_the_store_for_its_token_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    lon, lat = IN_A1
    client, store = app.test_client(), app.extensions["steward"].database
    client.get(f"/api/v1/lookup?lon={lon}&lat={lat}")
    asked = 0
    plain = store.moved

    def counting() -> object:
        nonlocal asked
        asked += 1
        return plain()

    monkeypatch.setattr(store, "moved", counting)
    assert client.get(f"/api/v1/lookup?lon={lon}&lat={lat}").status_code == 200
    assert asked == 1


def test_the_page_of_an_error_needs_no_database(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy.exc import OperationalError

    def broken() -> object:
        raise OperationalError("x", None, Exception("gone"))

    monkeypatch.setattr(app.extensions["steward"].database, "moved", broken)
    answer = app.test_client().get("/nothing-here")
    assert answer.status_code == 404 and "龙门街道" in answer.text


def test_every_section_has_defaults_and_a_reader(settings: Settings) -> None:
    from service.records.office_forms import _READERS

    assert set(defaults(settings)) == set(SECTIONS) == set(_READERS)
