"""Photos of a record: shown, added by file or camera, removed; only within the asker's area, never to the public."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from service.clock import spoken
from service.documents.photos import FIELD, MOST_BYTES, Photo, clean, keep, read
from service.errors import Conflict, InvalidValue, NotAllowed, StewardError, TooMany
from service.people.access import reach
from service.records import attachments
from service.records.attachments import Picture
from service.records.audit import Subject
from service.web.context import account, actor, now, services
from service.web.photo_subjects import may, may_touch, require, right_to
from service.web.problems import status_of

bp = Blueprint("photos", __name__)
_MOST_BODY = 2 * MOST_BYTES  # what is a little too large is refused in words, not by the server's limit
_WAIT_SECONDS = 20.0
_ONE_AT_A_TIME = threading.Lock()  # unpacking takes memory: one photo at a time in each worker
_HEADERS = {
    "Cache-Control": "private, max-age=3600",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@bp.url_value_preprocessor
def raise_the_limit(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Before the form is read; only for those who may write at all."""
    who = account()
    if endpoint == "photos.add" and who is not None and reach(who.role, "photos.add") is not None:
        request.max_content_length = _MOST_BODY


@bp.app_context_processor
def panel_context() -> dict[str, object]:
    """`photos_for(kind, code)` in any template, for the fragment registers/photos.html."""
    return {"photos_for": photos_for}


def photos_for(kind: str, code: str) -> dict[str, Any]:
    """What registers/photos.html shows of a record."""
    with services().database.read() as session:
        return _panel(session, require(session, kind, code, "registers.read"))


@bp.get("/photos/<kind>/<code>")
def subject(kind: str, code: str) -> Response:
    """The photos of one record, on a page of their own."""
    return _shown(photos_for(kind, code))


@bp.post("/photos/<kind>/<code>")
def add(kind: str, code: str) -> BaseResponse:
    """One more photo. What is wrong with it is said beside the field; the caption is not lost."""
    with services().database.read() as session:
        require(session, kind, code, right_to("add", kind))
    typed = request.form.get("caption", "")
    try:
        caption = attachments.caption_of(typed)
        photo = _cleaned()
        keep(_folder(), photo)
        picture = Picture(photo.sha256, len(photo.jpeg), photo.width, photo.height)
        with services().database.write() as session:
            asked = require(session, kind, code, right_to("add", kind))
            attachments.add(session, asked, picture, caption, actor(), now())
    except (InvalidValue, Conflict, TooMany) as fault:
        return _refused(kind, code, fault, typed)
    return _done(kind, code)


@bp.post("/photos/<int:key>/remove")
def remove(key: int) -> BaseResponse:
    """Shown no more; nothing is lost."""
    with services().database.write() as session:
        photo = attachments.one(session, key)
        asked = require(session, photo.subject_kind, photo.subject_code, right_to("remove", photo.subject_kind))
        if not may_touch(photo):
            raise NotAllowed("这张照片是别人加的，由社区管理员或主管来移除。")
        attachments.remove(session, photo, asked.name, actor(), now())
        kind, code = photo.subject_kind, photo.subject_code
    return _done(kind, code)


@bp.get("/photos/<int:key>")
def show(key: int) -> BaseResponse:
    """The photo itself."""
    return _picture(key, thumb=False)


@bp.get("/photos/<int:key>/thumb")
def thumb(key: int) -> BaseResponse:
    """The small one of the list."""
    return _picture(key, thumb=True)


def _picture(key: int, thumb: bool) -> BaseResponse:
    with services().database.read() as session:
        photo = attachments.one(session, key)
        require(session, photo.subject_kind, photo.subject_code, "registers.read")
        sha256 = photo.sha256
    response = Response(read(_folder(), sha256, thumb), mimetype="image/jpeg", headers=_HEADERS)
    response.set_etag(f"{sha256}-{thumb:d}")
    return response.make_conditional(request)


def _folder() -> Path:
    return services().settings.data_dir / "photos"


def _cleaned() -> Photo:
    """The first file that came along, cleaned. Raises InvalidValue, TooMany."""
    file = next((one for one in request.files.getlist(FIELD) if one.filename), None)
    if file is None:
        raise InvalidValue(FIELD, "还没有选照片。拍一张或选一个文件。")
    with _one_at_a_time():
        return clean(file.stream.read(MOST_BYTES + 1))


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    if not _ONE_AT_A_TIME.acquire(timeout=_WAIT_SECONDS):
        raise TooMany("正在处理别的照片，过一会儿再传。")
    try:
        yield
    finally:
        _ONE_AT_A_TIME.release()


def _panel(session: Session, asked: Subject, **more: Any) -> dict[str, Any]:
    assert asked.code is not None
    found = attachments.of_subject(session, asked.kind, asked.code)
    removes = may(session, asked.kind, asked.code, right_to("remove", asked.kind))
    return {
        "kind": asked.kind,
        "code": asked.code,
        "name": asked.name,
        "items": [
            {
                "id": one.id,
                "caption": one.caption,
                "made_at": spoken(one.made_at),
                "width": one.width,
                "height": one.height,
                "may_remove": removes and may_touch(one),
            }
            for one in found
        ],
        "may_add": may(session, asked.kind, asked.code, right_to("add", asked.kind)),
        "most_mb": MOST_BYTES // 2**20,
        "most_caption": attachments.MOST_CAPTION,
        **more,
    }


def _fetched() -> bool:
    return request.headers.get("X-Requested-With") == "fetch"


def _shown(panel: dict[str, Any], status: int = 200) -> Response:
    """The fragment for the script, a whole page for everybody else."""
    template = "registers/photos.html" if _fetched() else "registers/photos_page.html"
    response = make_response(render_template(template, photos=panel, back=_back(panel["kind"], panel["code"])), status)
    response.headers["X-Fragment"] = "photos"
    return response


def _refused(kind: str, code: str, fault: StewardError, typed: str) -> Response:
    field = getattr(fault, "field", FIELD)
    with services().database.read() as session:
        asked = require(session, kind, code, "registers.read")
        panel = _panel(session, asked, errors={field: fault.message}, caption=typed[:200])
    return _shown(panel, status_of(type(fault))[0])


def _done(kind: str, code: str) -> BaseResponse:
    return _shown(photos_for(kind, code)) if _fetched() else redirect(_back(kind, code))


def _back(kind: str, code: str) -> str:
    """The page that the form stood on, when it is one of ours; else the photos' own."""
    asked = request.form.get("back", "")
    parts = urlsplit(asked)
    own = asked.startswith("/") and not asked.startswith(("//", "/\\")) and not (parts.scheme or parts.netloc)
    return asked if own else url_for("photos.subject", kind=kind, code=code)
