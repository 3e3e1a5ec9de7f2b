"""Spreadsheets: XLSX, XLS, XLSB and ODS. Titles above the header, merged cells and several sheets are usual."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from service.files.headers import find_header, looks_like_data
from service.files.table import ReadOptions, SourceTable, objects, present, refuse, unique_names

_EXACT = 2**53
NOTES_SHEET = "说明"
_ERRORS = {"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"}


def read_sheet(path: Path, options: ReadOptions) -> SourceTable:
    """The wanted sheet, or the only one with data. Raises UnreadableFile."""
    try:
        book = CalamineWorkbook.from_path(path)
    except PasswordError as error:
        raise refuse(path, "设有密码。请在 Excel 里去掉密码后另存再导入。") from error
    except (CalamineError, OSError, ValueError) as error:
        raise refuse(path, "打不开：文件损坏、不完整或设有密码。请用 Excel 打开后另存为 .xlsx 再导入。") from error
    notes: list[str] = []
    name, rows = _choose(path, book, options.sheet, notes)
    return _as_table(path, name, rows, options, notes)


def _choose(path: Path, book: CalamineWorkbook, wanted: str | None, notes: list[str]) -> tuple[str, list[list[Any]]]:
    sheets = [m for m in book.sheets_metadata if m.typ == SheetTypeEnum.WorkSheet]
    every = [m.name for m in sheets]
    if wanted is not None:
        if wanted.strip() not in every:
            raise refuse(path, f"里没有名为“{wanted}”的工作表。现有：{'、'.join(every)}。")
        return wanted.strip(), _rows(path, book, wanted.strip(), notes)
    visible = [m.name for m in sheets if m.visible == SheetVisibleEnum.Visible]
    if len(visible) > 1:  # our own templates explain themselves on a sheet of their own
        visible = [name for name in visible if name.strip() != NOTES_SHEET]
    found = [(name, rows) for name in visible if len(rows := _rows(path, book, name, notes)) > 1]
    if not found:
        raise refuse(path, "是空的：没有哪个工作表有表头和数据。")
    if len(found) > 1:
        names = "、".join(name for name, _ in found)
        raise refuse(
            path,
            f"里有 {len(found)} 个有数据的工作表：{names}。请用 --sheet 指明一个，例如 --sheet {found[0][0]}。",
            "sheet",
            [name for name, _ in found],
        )
    if len(every) > 1:
        notes.append(f"只有工作表“{found[0][0]}”有数据，读它")
    return found[0]


def _rows(path: Path, book: CalamineWorkbook, name: str, notes: list[str]) -> list[list[Any]]:
    try:
        sheet = book.get_sheet_by_name(name)
        rows: list[list[Any]] = sheet.to_python(skip_empty_area=False)
        _fill_merged(sheet, rows, name, notes)
    except (CalamineError, OSError, ValueError) as error:
        raise refuse(path, f"的工作表“{name}”读不出来。请用 Excel 打开后另存为 .xlsx 再导入。") from error
    while rows and not any(cell not in ("", None) for cell in rows[-1]):
        rows.pop()
    return rows


def _fill_merged(sheet: CalamineSheet, rows: list[list[Any]], name: str, notes: list[str]) -> None:
    """A cell merged downwards holds for each of its rows; Excel stores it in the first only."""
    filled = 0
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or []:
        if bottom <= top or left != right or top >= len(rows) or left >= len(rows[top]):
            continue
        for row in rows[top + 1 : bottom + 1]:
            if row[left] in ("", None):
                row[left] = rows[top][left]
                filled += 1
    if filled:
        notes.append(f"工作表“{name}”的合并单元格已逐行补上（{filled} 格）")


def _as_table(path: Path, sheet: str, rows: list[list[Any]], options: ReadOptions, notes: list[str]) -> SourceTable:
    if not rows:
        raise refuse(path, f"的工作表“{sheet}”是空的。")
    if options.header_row is None:
        index = find_header(rows)
        if index:
            notes.append(f"表头在第 {index + 1} 行，上面的标题没有读")
        elif looks_like_data(rows[index]):
            notes.append("第一行像是数据而不是表头；没有表头时请用 --header-row 0")
    else:
        index = options.header_row - 1
    if index >= len(rows):
        raise refuse(path, f"的第 {index + 1} 行不可能是表头：工作表“{sheet}”只有 {len(rows)} 行。请改 --header-row。")
    header = [_name(cell) for cell in rows[index]] if index >= 0 else [f"列{i + 1}" for i in range(len(rows[0]))]
    body = rows[index + 1 :]
    cells = [objects([_value(cell) for cell in column]) for column in zip(*body, strict=True)]
    used = [i for i, column in enumerate(cells) if header[i] or present(column).any()]
    names = unique_names([header[i] for i in used], notes)
    table = SourceTable(
        path=path,
        format="XLSX",
        columns={name: cells[i] for name, i in zip(names, used, strict=True)},
        row_numbers=np.arange(index + 2, index + 2 + len(body), dtype=np.int64),
        notes=[f"工作表：{sheet}", *notes],
    )
    filled = np.zeros(len(body), dtype=bool)
    for column in table.columns.values():
        filled |= present(column)
    table.keep(filled)
    if not len(table):
        raise refuse(path, f"的工作表“{sheet}”只有表头，没有数据。")
    return table


def _name(cell: Any) -> str:
    value = _value(cell)
    return "" if value is None else str(value)


def _value(cell: Any) -> Any:
    """Excel knows only floats: whole ones come back as int, so that a code or a count reads as it was typed."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT:
        return int(cell)
    if isinstance(cell, str):
        return None if not cell.strip() or cell in _ERRORS else cell
    return cell
