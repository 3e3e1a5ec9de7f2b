"""Lists as files, with the list's filters, masked for the asker; and the workbooks to fill in."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from flask import Blueprint, Response, request

from service.clock import local_date
from service.errors import InvalidValue, NotAllowed, NotFound
from service.intake.kinds import KINDS
from service.people.access import reach
from service.registers.asked import Asked
from service.registers.files import FORMATS, choose, log_export, write
from service.registers.kinds import REGISTERS
from service.registers.templates import make_template
from service.responsibility.showing import Showing
from service.web.context import actor, area, now, require_account, services, viewer

bp = Blueprint("exports", __name__)
_NOT_FILTERS = ("format", "full", "sort", "page", "columns", "limit", "cursor", "told", "on", "csrf_token")
_PIECE = 1 << 18


def export_list(name: str) -> Response:
    """`?format=xlsx|csv|geojson|gpkg` and the filters of the list; `full=1`: whole numbers, for those who may."""
    who, asking = require_account(), viewer()
    if reach(who.role, REGISTERS[name].read_right) is None:
        raise NotAllowed("你的账号不能看这个登记册。")
    form = request.args.get("format", "xlsx")
    if form not in FORMATS:
        raise InvalidValue("format", f"不能导出“{form[:20]}”。可用的格式：{'、'.join(FORMATS)}。")
    whole = request.args.get("full") == "1"
    if whole and reach(who.role, "phones.reveal") is None:
        raise NotAllowed("你的账号不能导出完整的号码，要由主管或管理员来做。去掉 full=1 就能导出打码的。")
    given = services()
    day = local_date(now())
    snapshot = given.responsibility.on(day)
    asked = Asked(
        day,
        now(),
        _filters(),
        request.args.get("sort", "")[:60],
        area=area("registers.export"),
        names=asking.sees_name(),
    )
    with tempfile.TemporaryDirectory(prefix="export-", dir=_folder()) as folder:
        target = Path(folder) / f"out.{form}"
        with given.database.read() as session:
            chosen = choose(session, name, asked, snapshot, given.incidents.current)
            count = write(session, chosen, form, target, Showing(snapshot, asking, whole))
        file = target.open("rb")  # stays readable when its name is gone
        size = target.stat().st_size
    with given.database.write() as session:
        log_export(session, actor(), now(), name, form, count, asked, whole)
    return download(file, size, f"{KINDS[name].label}-{day.isoformat()}.{form}", FORMATS[form][1])


for _name in REGISTERS:  # one address each: a row's page, /frontages/<code>, would go before a common one
    bp.add_url_rule(f"/{_name}/export", "list", export_list, defaults={"name": _name})


@bp.get("/imports/template/<kind>.xlsx")
def template(kind: str) -> Response:
    """The workbook to fill in for an import."""
    if kind not in KINDS:
        raise NotFound(f"没有“{kind[:40]}”这一类模板。")
    with tempfile.TemporaryDirectory(prefix="template-", dir=_folder()) as folder:
        target = Path(folder) / "out.xlsx"
        make_template(kind, target)
        file, size = target.open("rb"), target.stat().st_size
    return download(file, size, f"{KINDS[kind].label}-导入模板.xlsx", FORMATS["xlsx"][1])


def _filters() -> dict[str, tuple[str, ...]]:
    """The list's own, of its address."""
    names = [name for name in request.args if name not in _NOT_FILTERS]
    return {name: tuple(word[:60] for word in request.args.getlist(name) if word) for name in names}


def _folder() -> Path:
    """On the data's own disk: a million rows may not fit into a small /tmp."""
    folder = services().settings.data_dir / "tmp"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def download(file: BinaryIO, size: int, name: str, mimetype: str) -> Response:
    """A file that is read and closed while it is sent; it may have no name left."""

    def pieces() -> Iterator[bytes]:
        with file:
            while piece := file.read(_PIECE):
                yield piece

    answer = Response(pieces(), mimetype=mimetype)
    answer.call_on_close(file.close)
    answer.headers["Content-Length"] = str(size)
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
