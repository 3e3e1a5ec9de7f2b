"""Tables as XLSX and CSV that spreadsheets open safely and the import reads back unchanged."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from service.documents.tables import (
    BOTH,
    LAT,
    LON,
    MARKS,
    NOWHERE,
    POINTS,
    SHAPE,
    SHAPES,
    TEXT,
    Cell,
    Chunk,
    Table,
    guarded,
    is_dangerous,
)
from service.documents.tables import Column as TableColumn
from service.documents.wkt import exact_wkt
from service.geo.points import Points

MOST_XLSX_ROWS = 100_000
_LONGEST = 32_000  # Excel takes 32,767 characters a cell
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
HEADER_FILL = PatternFill("solid", fgColor="E8EEF4")
HEADER_FONT = Font(name="Noto Sans SC", bold=True, color="1F2A37")


def write_csv(path: Path, table: Table) -> int:
    """UTF-8 with the mark that Excel needs. Returns how many rows."""
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="", errors="replace") as file:
        writer = csv.writer(file)
        writer.writerow([column.header for column in _columns(table, 1)])
        for chunk in table.chunks:
            rows = _placed(table.places, chunk)
            # Most cells begin harmlessly: one look at the first sign is all that a million rows can afford.
            writer.writerows(
                [[guarded(cell) if type(cell) is str and cell[:1] in MARKS else cell for cell in row] for row in rows]
            )
            count += len(chunk.rows)
    return count


def write_xlsx(path: Path, table: Table) -> int:
    """One sheet with a frozen header; at most MOST_XLSX_ROWS rows, which are held in memory. Returns how many."""
    rows = [row for chunk in table.chunks for row in _placed(table.places, chunk)]
    parts = 1
    if table.places in (SHAPES, BOTH):
        parts = max((-(-len(str(row[-1] or "")) // _LONGEST) for row in rows), default=1) or 1
    columns = _columns(table, parts)
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(sheet_name(table.name))
    sheet.freeze_panes = "A2"
    for at, column in enumerate(columns, start=1):
        sheet.column_dimensions[get_column_letter(at)].width = column.width
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{len(rows) + 1}"
    sheet.append([header_cell(sheet, column.header) for column in columns])
    for row in rows:
        cells = row if parts == 1 else (*row[:-1], *_cut(row[-1], parts))
        sheet.append([_cell(sheet, cell) for cell in cells])
    book.save(path)
    return len(rows)


def sheet_name(name: str) -> str:
    """Excel allows 31 characters, and not these."""
    return re.sub(r"[\[\]:*?/\\']", " ", name)[:31].strip() or "数据"


def header_cell(sheet: Any, text: str) -> Any:
    cell: Any = WriteOnlyCell(sheet, text)
    cell.font, cell.fill = HEADER_FONT, HEADER_FILL
    cell.alignment = Alignment(vertical="center")
    return cell


def _cell(sheet: Any, value: Cell) -> Any:
    """Texts as texts whatever they begin with; days as days."""
    if isinstance(value, str):
        text = _UNWRITABLE.sub("", value)
        if not is_dangerous(text):
            return text
        cell: Any = WriteOnlyCell(sheet, text)
        cell.data_type = "s"  # never "f": that is what a leading equals sign makes of it
        cell.quotePrefix = True
        return cell
    if isinstance(value, date):
        day: Any = WriteOnlyCell(sheet, datetime.combine(value, time()))
        day.number_format = "yyyy-mm-dd"
        return day
    return value


def _columns(table: Table, parts: int) -> list[TableColumn]:
    out = list(table.columns)
    if table.places in (POINTS, BOTH):
        out += [TableColumn(LON, "number", 12), TableColumn(LAT, "number", 12)]
    if table.places in (SHAPES, BOTH):
        out += [TableColumn(SHAPE if not at else continued(at), TEXT, 24) for at in range(parts)]
    return out


def continued(at: int) -> str:
    """The header of the column in which a shape goes on that is too long for one cell."""
    return f"{SHAPE}（续{at}）"


def _cut(text: Any, parts: int) -> list[str | None]:
    whole = str(text or "")
    return [whole[at * _LONGEST : (at + 1) * _LONGEST] or None for at in range(parts)]


def _placed(places: str, chunk: Chunk) -> Iterator[tuple[Cell, ...]]:
    """Rows with their places behind: a point's own coordinates, of other shapes a point on them and the shape."""
    if places == NOWHERE or chunk.on_map is None:
        return iter(chunk.rows)
    if places == POINTS and isinstance(chunk.on_map, Points):
        at = (_numbers(chunk.on_map.lon), _numbers(chunk.on_map.lat))
        return ((*row, lon, lat) for row, lon, lat in zip(chunk.rows, *at, strict=True))
    geoms = chunk.geoms
    assert geoms is not None
    behind: list[Any] = []
    if places in (POINTS, BOTH):
        spots = geoms.copy()
        other = shapely.get_type_id(spots) > 0
        spots[other] = shapely.point_on_surface(spots[other])
        behind += [_numbers(shapely.get_x(spots)), _numbers(shapely.get_y(spots))]
    if places in (SHAPES, BOTH):
        behind.append([_shape(geom, places) for geom in geoms.tolist()])
    return (tuple(itertools.chain(row, more)) for row, more in zip(chunk.rows, zip(*behind, strict=True), strict=True))


def _numbers(values: np.ndarray) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]


def _shape(geom: Any, places: str) -> str | None:
    if geom is None or (places == BOTH and geom.geom_type == "Point"):
        return None
    return exact_wkt(geom)
