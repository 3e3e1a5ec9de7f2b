"""Responsibility maps from the command line, with their line in the trail."""

from __future__ import annotations

from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

from service.clock import local_date
from service.config import Settings
from service.db.engine import Database
from service.errors import InvalidValue
from service.maps.offline import offline_page
from service.people.access import EVERYWHERE
from service.people.rules import Viewer
from service.places.ground import Ground
from service.records.audit import COMMAND_LINE
from service.records.batches import holds_demo
from service.records.office import read_office
from service.responsibility.keeper import Responsibility
from service.responsibility.showing import Showing
from service.wall.asked import ask, check, choices
from service.wall.offline import offline_data
from service.wall.printing import as_pdf, contents, lay_out, log_print, page_title
from service.wall.sheets import Setting


def print_wall(
    settings: Settings,
    what: str,
    code: str,
    target: Path,
    on: date,
    now: datetime,
    paper: str,
    names: str,
    html: bool,
) -> dict[str, Any]:
    """{"title", "sheets", "whole_numbers", "file"}; `code` "all": every one. Raises InvalidValue, NotFound."""
    form = "html" if html else "pdf"
    if target.suffix.lower() != f".{form}":
        raise InvalidValue(
            "out", f"“{target.name}”：文件名要以 .{form} 结尾" + ("。" if html else "；网页请加 --html。")
        )
    if not target.absolute().parent.is_dir():
        raise InvalidValue("out", f"没有“{target.parent}”这个文件夹。")
    with closing(Database(settings.store_url)) as database:
        with database.read() as session:
            office, demo = read_office(session, settings), holds_demo(session)
        snapshot = Responsibility(database, settings.subdistrict, office.name).on(on)
        codes = [one.code for one in choices(snapshot, what, EVERYWHERE)] if code == "all" else [code]
        asked = ask(what, codes, on, paper, names, settings.public_url)
        check(snapshot, asked, EVERYWHERE)
        showing = Showing(snapshot, Viewer("admin", area=EVERYWHERE), whole=True)
        setting = Setting(office.name, asked.address, demo, settings.map_approval, now, local_date(now))
        ground = Ground(database).data()
        if html:
            told, whole = contents(showing, asked)
            title = page_title(asked, [one.title for one in told], office.name)
            body = offline_page(offline_data(snapshot, ground, told, title, setting)).encode()
        else:
            printed = lay_out(showing, ground, asked, setting)
            title, whole, body = printed.title, printed.whole, as_pdf(printed, setting)
        target.write_bytes(body)
        with database.write() as session:
            log_print(session, COMMAND_LINE, now, asked, title, form, len(whole))
    return {"title": title, "sheets": len(asked.codes), "whole_numbers": len(whole), "file": str(target)}
