"""Exports from the command line: what the person at the machine may take, with its line in the trail."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

from service.config import Settings
from service.db.engine import Database
from service.errors import InvalidValue
from service.incidents.columns import IncidentColumns
from service.people.access import EVERYWHERE
from service.people.rules import Viewer
from service.records.audit import COMMAND_LINE
from service.registers.asked import Asked
from service.registers.files import choose, form_of, log_export, words_of, write
from service.responsibility.keeper import Responsibility
from service.responsibility.showing import Showing


def export_file(
    settings: Settings, kind: str, target: Path, where: Mapping[str, str], on: date, now: datetime, whole: bool
) -> dict[str, Any]:
    """{"kind", "rows", "file"}. Raises InvalidValue, TooMany; then no file is written."""
    form = form_of(target)
    if not target.absolute().parent.is_dir():
        raise InvalidValue("out", f"没有“{target.parent}”这个文件夹。")
    asked = Asked(on, now, words_of(where), area=EVERYWHERE)
    with closing(Database(settings.store_url)) as database:
        snapshot = Responsibility(database, settings.subdistrict, settings.office_name).on(on)
        showing = Showing(snapshot, Viewer("admin", area=EVERYWHERE), whole)
        with database.read() as session:
            chosen = choose(session, kind, asked, snapshot, IncidentColumns(database).current)
            count = write(session, chosen, form, target.absolute(), showing)
        with database.write() as session:
            log_export(session, COMMAND_LINE, now, kind, form, count, asked, whole)
    return {"kind": kind, "rows": count, "file": str(target)}
