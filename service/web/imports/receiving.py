"""The upload: streamed to DATA_DIR/uploads as it comes, never held in memory."""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from flask import request, url_for
from flask_wtf.csrf import CSRFError, validate_csrf
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.wrappers import Response
from wtforms.validators import ValidationError

from service.errors import InvalidValue, NothingStored
from service.intake import uploads
from service.intake.kinds import KINDS
from service.web.context import actor, now, services
from service.web.imports.blueprint import bp, root
from service.web.problems import wants_json

MOST_BYTES = 200 << 20
_MOST_PARTS = 40
_AROUND = 1 << 20
_KEPT_FREE = 500 << 20
_PARTS = {".shp", ".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".qix", ".xml"}
_LONGEST_NAME = 100


@bp.post("/upload")
def upload() -> Response | dict[str, str]:
    """Takes one file, or the parts of one Shapefile, and opens the wizard on it.

    Exempt from the general CSRF check, which would read the whole body first; the token is checked here.
    """
    folder = _folder()
    _refuse_too_large(request.content_length, folder)
    request.max_content_length = MOST_BYTES + _AROUND
    coming: list[IO[bytes]] = []

    def fresh(*_: Any, **__: Any) -> IO[bytes]:
        coming.append((folder / f"incoming-{secrets.token_hex(12)}").open("x+b"))
        return coming[-1]

    try:
        parser = FormDataParser(stream_factory=fresh, max_form_memory_size=100_000, max_form_parts=_MOST_PARTS)
        _, form, files = parser.parse(
            request.stream, request.mimetype, request.content_length, dict(request.mimetype_params)
        )
        _check_token(form.get("csrf_token") or request.headers.get("X-CSRFToken"))
        given = _moved(files.getlist("files"), folder)
    except RequestEntityTooLarge:
        raise _too_large() from None
    finally:
        for one in coming:
            one.close()
            Path(one.name).unlink(missing_ok=True)
    kind = form.get("kind") or None
    try:
        with services().database.write() as session:
            made = uploads.receive(session, given, actor(), now(), kind if kind in KINDS else None)
            target = url_for("imports.step", upload_id=made.id, step="file")
    except BaseException:
        shutil.rmtree(folder / given.folder, ignore_errors=True)
        raise
    if wants_json():
        return {"next": target}
    return Response(status=303, headers={"Location": target})


def _folder() -> Path:
    folder = root() / "uploads"
    folder.mkdir(mode=0o700, exist_ok=True)  # nobody else may enter it, whatever the files' own modes
    return folder


def _refuse_too_large(announced: int | None, folder: Path) -> None:
    """Before anything is read."""
    size = announced or 0
    if size > MOST_BYTES + _AROUND:
        raise _too_large()
    free = shutil.disk_usage(folder).free
    if free < size * 2 + _KEPT_FREE:
        raise NothingStored(f"服务器磁盘只剩 {free >> 20} MB，放不下这个文件。请管理员清理磁盘后再上传。")


def _too_large() -> InvalidValue:
    return InvalidValue("files", f"文件超过 {MOST_BYTES >> 20} MB。请拆成几个文件，或者压缩成 ZIP 再上传。")


def _check_token(token: str | None) -> None:
    try:
        validate_csrf(token)
    except ValidationError as fault:
        raise CSRFError(str(fault)) from None


def _moved(files: Iterable[FileStorage], folder: Path) -> uploads.Received:
    """The parts under their own, cleaned names, in a folder of their own."""
    given = [one for one in files if one.filename]
    names = [safe_name(one.filename or "") for one in given]
    if not given:
        raise InvalidValue("files", "没有选文件。先选一个文件，再上传。")
    stems = {Path(name).stem.lower().removesuffix(".shp") for name in names}
    if len(given) > 1 and not (len(stems) == 1 and {Path(name).suffix.lower() for name in names} <= _PARTS):
        raise InvalidValue(
            "files", f"一次上传一份数据，选了 {len(given)} 个文件。一套 Shapefile 的各个部分（同名）可以一起选。"
        )
    if len(set(names)) < len(names):
        raise InvalidValue("files", "选了两个同名的文件。")
    token = secrets.token_hex(12)
    inner = folder / token / uploads.TOGETHER
    inner.mkdir(mode=0o700, parents=True)
    digest, size = hashlib.sha256(), 0
    for one, name in sorted(zip(given, names, strict=True), key=lambda pair: pair[1]):
        one.stream.flush()
        Path(str(one.stream.name)).rename(inner / name)
        with (inner / name).open("rb") as kept:
            while chunk := kept.read(1 << 20):
                digest.update(chunk)
                size += len(chunk)
    shown = next((name for name in names if name.lower().endswith(".shp")), names[0])
    return uploads.Received(token, shown, size, digest.hexdigest())


def safe_name(given: str) -> str:
    """A file's name as it may lie on the disk and stand in a sentence: no folders, controls or hidden directions.

    >>> safe_name("..\\\\C:/x/网格 表.xlsx"), safe_name(".."), safe_name("a\\u202exslx.exe")
    ('网格 表.xlsx', 'file', 'axslx.exe')
    """
    name = re.split(r"[/\\]", given)[-1]
    name = "".join(c for c in unicodedata.normalize("NFC", name) if unicodedata.category(c)[0] != "C")
    name = re.sub(r'[<>:"|?*]', "_", " ".join(name.split())).lstrip(". ")
    stem, dot, suffix = name.rpartition(".")
    if not dot:
        stem, suffix = name, ""
    stem = stem.encode()[:_LONGEST_NAME].decode(errors="ignore")
    name = f"{stem}{dot}{suffix[:12]}" if dot else stem
    return name or "file"
