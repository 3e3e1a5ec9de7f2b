"""An export as a whole: which rows, in which format, into which file, and its line in the trail."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from service.db.bulk import uncollected
from service.documents.layers import write_geojson, write_gpkg, write_shapefile
from service.documents.spreadsheets import MOST_XLSX_ROWS, write_csv, write_xlsx
from service.documents.tables import Table
from service.errors import InvalidValue, TooMany
from service.incidents.columns import Columns
from service.intake.kinds import KINDS
from service.records.audit import Actor, Subject, append
from service.records.register import BY_COLUMNS
from service.registers import queries
from service.registers.asked import Asked
from service.registers.exporting import table_of
from service.registers.kinds import REGISTERS
from service.registers.location import Located, locate
from service.responsibility.showing import Showing
from service.responsibility.snapshot import Snapshot

FORMATS: dict[str, tuple[Callable[[Path, Table], int], str]] = {
    "xlsx": (write_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "csv": (write_csv, "text/csv"),
    "geojson": (write_geojson, "application/geo+json"),
    "gpkg": (write_gpkg, "application/geopackage+sqlite3"),
    "shp.zip": (write_shapefile, "application/zip"),
}
_IN_MEMORY = {"xlsx": MOST_XLSX_ROWS, "shp.zip": MOST_XLSX_ROWS}


@dataclass(frozen=True)
class Selection:
    """The rows of a kind that were asked for, in order: `ids` (n,)."""

    kind: str
    ids: np.ndarray
    located: Located | None


def choose(session: Session, name: str, asked: Asked, snapshot: Snapshot, columns: Callable[[], Columns]) -> Selection:
    """Raises InvalidValue naming the filter at fault."""
    register = REGISTERS[name]
    located = locate(session, register, snapshot, columns() if register.area == BY_COLUMNS else None)
    return Selection(name, queries.ids(session, register, asked, located), located)


def write(session: Session, chosen: Selection, form: str, target: Path, showing: Showing) -> int:
    """The file, whole or not at all. Returns how many rows. Raises TooMany for a format that can't hold them."""
    most = _IN_MEMORY.get(form)
    if most is not None and len(chosen.ids) > most:
        raise TooMany(f"有 {len(chosen.ids):,} 行，{form.upper()} 一次最多 {most:,} 行。缩小筛选，或者导出 CSV。")
    table = table_of(session, chosen.kind, chosen.ids, showing, chosen.located)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=target.parent) as folder:
        made = Path(folder) / f"data.{form}"
        with uncollected():
            count = FORMATS[form][0](made, table)
        made.replace(target)
    return count


def log_export(
    session: Session, actor: Actor, now: datetime, name: str, form: str, count: int, asked: Asked, whole: bool
) -> None:
    """Who took how many rows with which filters, and whether with whole numbers."""
    told: dict[str, Any] = {"rows": count, "format": form}
    filters = {key: list(words) for key, words in asked.filters.items() if any(words)}
    told |= {"filters": filters} if filters else {}
    told |= {"whole_numbers": True} if whole else {}
    append(session, actor, f"{name}.export", now, Subject(name, None, KINDS[name].label), after=told)


def form_of(path: Path) -> str:
    """The format that a file's name asks for. Raises InvalidValue."""
    name = path.name.lower()
    for form in FORMATS:
        if name.endswith(f".{form}"):
            return form
    raise InvalidValue("out", f"“{path.name}”：文件名要以 {'、'.join('.' + form for form in FORMATS)} 结尾。")


def words_of(given: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """`--where field=value` options as a list's filters."""
    return {name: (value,) for name, value in given.items()}
