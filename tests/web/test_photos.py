"""Photos of a frontage over HTTP: added by those who may write it, seen by those who may read it, never lost."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from service.frontages.models import Frontage
from service.records import attachments
from service.records.models import Attachment, AuditEntry
from service.web import photos
from tests.conftest import MONDAY_NOON, PASSWORD
from tests.documents.test_photos import from_a_phone
from tests.stores import Stores
from tests.web.town_service import client_of, town_service

SHOP = "/photos/frontages/F1"
FETCH = {"X-Requested-With": "fetch"}


@pytest.fixture(scope="module")
def app(stores: Stores, store_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    yield from town_service(stores, store_kind, tmp_path_factory.mktemp("photos"))


@pytest.fixture(autouse=True)
def _no_photos(app: Flask) -> None:
    with app.extensions["steward"].database.write() as session:
        for one in session.scalars(select(Attachment)):
            session.delete(one)


def signed_in(app: Flask, name: str) -> FlaskClient:
    """A browser: cookies, so that forms need their token. One per account: sign-ins are counted."""
    known: dict[str, FlaskClient] = app.extensions.setdefault("test_browsers", {})
    if name in known:
        return known[name]
    client = known[name] = app.test_client()
    page = client.get("/login").text
    client.post("/login", data={"name": name, "password": PASSWORD, "csrf_token": token(page)})
    return client


def token(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found
    return found[1]


def body(fields: dict[str, str], data: bytes | None, name: str, field: str = "photo") -> dict[str, object]:
    """What a browser sends; made here because the test client leaves the file of a large body open."""
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    if data is not None:
        head = f'--edge\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
        parts.append(head.encode() + data + b"\r\n")
    return {"data": b"".join([*parts, b"--edge--\r\n"]), "content_type": "multipart/form-data; boundary=edge"}


def send(
    client: FlaskClient, data: bytes | None = None, name: str = "IMG_1.jpg", path: str = SHOP, **fields: str
) -> object:
    form = {"csrf_token": token(client.get("/account/password").text), **fields}
    return client.post(path, headers=FETCH, **body(form, data, name))


def kept(app: Flask) -> list[Attachment]:
    with app.extensions["steward"].database.read() as session:
        found = list(session.scalars(select(Attachment).order_by(Attachment.id)))
        session.expunge_all()
    return found


def trail(app: Flask, action: str) -> list[AuditEntry]:
    with app.extensions["steward"].database.read() as session:
        found = list(session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)))
        session.expunge_all()
    return found


def test_a_photo_is_added_shown_and_removed_without_loss(app: Flask) -> None:
    west = signed_in(app, "west")
    answer = send(west, from_a_phone(), caption=" 门头\n正面 ")
    assert answer.status_code == 200 and answer.headers["X-Fragment"] == "photos"
    (one,) = kept(app)
    assert (one.subject_kind, one.subject_code, one.caption) == ("frontages", "F1", "门头 正面")
    assert (one.media_type, one.width, one.height) == ("image/jpeg", 1600, 1200)
    assert f"/photos/{one.id}/thumb" in answer.text and "门头 正面" in answer.text
    shown = west.get(f"/photos/{one.id}")
    assert shown.mimetype == "image/jpeg" and len(shown.data) == one.size
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.headers["Cache-Control"].startswith("private")
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    assert west.get(f"/photos/{one.id}", headers={"If-None-Match": shown.headers["ETag"]}).status_code == 304
    assert not Image.open(io.BytesIO(shown.data)).getexif()
    assert Image.open(io.BytesIO(west.get(f"/photos/{one.id}/thumb").data)).size == (360, 270)
    gone = west.post(f"/photos/{one.id}/remove", data={"csrf_token": token(answer.text)}, headers=FETCH)
    assert gone.status_code == 200 and "还没有照片" in gone.text
    assert west.get(f"/photos/{one.id}").status_code == 404
    (row,) = kept(app)
    assert row.removed_at == MONDAY_NOON, "the row stays"
    assert list((app.extensions["steward"].settings.data_dir / "photos").rglob(f"{row.sha256}.jpg"))
    added, removed = trail(app, "photo.add")[-1], trail(app, "photo.remove")[-1]
    assert (added.actor, added.subject_kind, added.subject_code, added.subject_name) == (
        "west",
        "frontages",
        "F1",
        "张记",
    )
    assert added.after == removed.before == {"photo": row.id, "sha256": row.sha256, "caption": "门头 正面"}


@pytest.mark.parametrize(
    ("name", "reads", "removes", "adds"),
    [
        (None, 401, 401, 401),
        ("looker", 200, 403, 403),
        ("firm", 403, 403, 403),
        ("idle", 403, 403, 403),
        ("walker", 200, 403, 200),
        ("east", 403, 403, 403),
        ("west", 200, 200, 200),
        ("chief", 200, 200, 200),
        ("head", 200, 200, 200),
    ],
)
def test_who_may(app: Flask, name: str | None, reads: int, removes: int, adds: int) -> None:
    assert send(signed_in(app, "west"), from_a_phone()).status_code == 200
    (one,) = kept(app)
    client = app.test_client() if name is None else signed_in(app, name)
    wanted = {"Accept": "application/json"}
    for path in (SHOP, f"/photos/{one.id}", f"/photos/{one.id}/thumb"):
        assert client.get(path, headers=wanted).status_code == reads, path
    form = {"csrf_token": token(client.get("/login" if name is None else "/account/password").text)}
    found = client.post(f"/photos/{one.id}/remove", data=form, headers=wanted | FETCH)
    assert found.status_code == removes
    assert (kept(app)[0].removed_at is not None) == (removes == 200)
    data = form | {"photo": (io.BytesIO(from_a_phone(6)), "a.jpg")}
    assert client.post(SHOP, data=data, headers=wanted | FETCH).status_code == adds
    assert len(kept(app)) == (2 if adds == 200 else 1)
    if reads == 200:
        assert ('name="photo"' in client.get(SHOP).text) == (adds == 200), "no form for those who may not"


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (None, "", "还没有选照片"),
        (b"", "a.jpg", "空的"),
        (b"<html><script>alert(1)</script>", "photo.jpg", "不是 JPEG"),
        (from_a_phone()[:9_000], "photo.jpg", "没有传完整"),
        (b"\xff\xd8" + b"\0" * (15 * 2**20 + 1), "big.jpg", "最多 15 MB"),
    ],
)
def test_a_file_that_is_no_photo_is_refused_beside_the_field(
    app: Flask, data: bytes | None, name: str, said: str
) -> None:
    answer = send(signed_in(app, "chief"), data, name, caption="留着我")
    assert answer.status_code == 422
    assert said in answer.text and 'aria-invalid="true"' in answer.text
    assert 'value="留着我"' in answer.text, "what was typed is not lost"
    assert kept(app) == []


def test_a_png_under_another_name_is_a_photo_all_the_same(app: Flask) -> None:
    out = io.BytesIO()
    Image.new("RGB", (640, 480), "green").save(out, "PNG")
    assert send(signed_in(app, "chief"), out.getvalue(), "shop.jpg").status_code == 200


def test_twice_the_same_and_too_many(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    chief = signed_in(app, "chief")
    send(chief, from_a_phone())
    again = send(chief, from_a_phone())
    assert again.status_code == 409 and "已经在这里了" in again.text
    monkeypatch.setattr("service.records.attachments.MOST_PER_SUBJECT", 1)
    assert "最多 1 张" in send(chief, from_a_phone(3)).text
    assert "最多 60 个" in send(chief, from_a_phone(6), caption="长" * 61).text


def test_hostile_captions_are_text(app: Flask) -> None:
    answer = send(signed_in(app, "chief"), from_a_phone(), caption='"><script>alert(1)</script>')
    assert "<script>alert" not in answer.text and "&lt;script&gt;alert" in answer.text


def test_without_a_script_the_form_leads_back(app: Flask) -> None:
    chief = signed_in(app, "chief")
    page = chief.get(SHOP)
    assert page.status_code == 200 and "<title>" in page.text and "张记" in page.text
    for back, target in (
        ("/frontages/F1", "/frontages/F1"), ("https://elsewhere/", SHOP), ("//elsewhere", SHOP), ("/\\elsewhere", SHOP)
    ):  # fmt: skip
        with app.extensions["steward"].database.write() as session:
            for one in session.scalars(select(Attachment)):
                session.delete(one)
        data = {"csrf_token": token(page.text), "photo": (io.BytesIO(from_a_phone()), "a.jpg"), "back": back}
        answer = chief.post(SHOP, data=data)
        assert answer.status_code == 302 and answer.headers["Location"] == target
    refused = chief.post(SHOP, data={"csrf_token": token(page.text)})
    assert refused.status_code == 422 and "<title>" in refused.text and "还没有选照片" in refused.text


def test_forms_need_their_token(app: Flask) -> None:
    chief = signed_in(app, "chief")
    data = {"photo": (io.BytesIO(from_a_phone()), "a.jpg")}
    assert chief.post(SHOP, data=data, headers=FETCH).status_code == 400
    assert chief.post("/photos/1/remove", headers=FETCH).status_code == 400


@pytest.mark.parametrize(
    "path", ["/photos/frontages/none", "/photos/people/P1", "/photos/999999", "/photos/999999/thumb"]
)
def test_what_is_not_there(app: Flask, path: str) -> None:
    assert client_of(app, "chief").get(path).status_code == 404


def test_one_photo_at_a_time(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "_WAIT_SECONDS", 0.05)
    with photos._ONE_AT_A_TIME:
        answer = send(signed_in(app, "chief"), from_a_phone())
    assert answer.status_code == 429 and "过一会儿再传" in answer.text
    assert send(signed_in(app, "chief"), from_a_phone()).status_code == 200


def test_the_larger_limit_holds_for_photos_alone(app: Flask) -> None:
    chief = signed_in(app, "chief")
    page = token(chief.get("/account/password").text)
    large = b"x" * 9 * 2**20
    assert chief.post("/account/password", **body({"csrf_token": page}, large, "x", "old")).status_code == 413
    looker = signed_in(app, "looker")
    assert looker.post(SHOP, headers=FETCH, **body({"csrf_token": page}, large, "x.jpg")).status_code == 413


def test_photos_go_with_the_demo_and_no_others(app: Flask) -> None:
    """A shop of the office's own that gets the code of a demo shop does not inherit its photos."""
    database = app.extensions["steward"].database
    chief = signed_in(app, "chief")
    send(chief, from_a_phone())
    send(chief, from_a_phone(), path="/photos/frontages/F3")
    with database.write() as session:
        shop = session.scalars(select(Frontage).where(Frontage.code == "F3")).one()
        attachments.hide_all(session, "frontages", select(Frontage.code).where(Frontage.id == shop.id), MONDAY_NOON)
    assert {one.subject_code: one.removed_at is None for one in kept(app)} == {"F1": True, "F3": False}


def test_an_officer_removes_own_photos_only(app: Flask) -> None:
    west, walker = signed_in(app, "west"), signed_in(app, "walker")
    assert send(west, from_a_phone()).status_code == 200
    mine = send(walker, from_a_phone(6))
    theirs, own = kept(app)
    assert f"/photos/{own.id}/remove" in mine.text and f"/photos/{theirs.id}/remove" not in mine.text
    form = {"csrf_token": token(mine.text)}
    refused = walker.post(f"/photos/{theirs.id}/remove", data=form, headers={"Accept": "application/json"})
    assert refused.status_code == 403 and "别人加的" in refused.json["detail"]
    assert walker.post(f"/photos/{own.id}/remove", data=form, headers=FETCH).status_code == 200
    assert [one.removed_at is None for one in kept(app)] == [True, False]
    page = west.get("/frontages/F1").text
    assert f"/photos/{theirs.id}/remove" in page, "a manager removes any of the own area"
