"""A workbook to fill in: an empty table with drop-down values, and a sheet that explains every column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from service.documents.spreadsheets import HEADER_FILL, HEADER_FONT, sheet_name
from service.documents.tables import DAY

NOTES, CHOICES = "说明", "可选值"
_ROWS = 2_000  # to which drop-downs and formats reach
_NEEDED_FILL = PatternFill("solid", fgColor="FCE8D8")
_NEEDED_FONT = Font(name="Noto Sans SC", bold=True, color="9A3412")
_PLAIN, _BOLD, _TITLE = (
    Font(name="Noto Sans SC"),
    Font(name="Noto Sans SC", bold=True),
    Font(name="Noto Sans SC", bold=True, size=16),
)
_INLINE = 250  # letters of a list that may stand in the validation itself


@dataclass(frozen=True)
class Asked:
    """One column to fill in. `help`: what goes in it; `form`: how it is written; `choices`: its drop-down values."""

    header: str
    needed: bool = False
    kind: str = "text"
    help: str = ""
    form: str = ""
    choices: tuple[str, ...] = ()
    width: int = 16


def write_template(path: Path, name: str, columns: Sequence[Asked], notes: Sequence[str]) -> None:
    """Sheet 1 the empty table, sheet 2 说明; long drop-down lists lie on a hidden sheet."""
    book = Workbook()
    table: Any = book.active
    table.title = sheet_name(name)
    explained = book.create_sheet(NOTES)
    lists: Any = None
    for at, column in enumerate(columns, start=1):
        letter = get_column_letter(at)
        _head(table, at, column)
        _format(table, letter, column)
        if column.choices:
            source = f'"{",".join(column.choices)}"'
            if len(source) > _INLINE or any("," in one for one in column.choices):
                lists = lists or _hidden(book)
                source = _listed(lists, column)
            _offer(table, letter, column, source)
    table.freeze_panes = "A2"
    table.row_dimensions[1].height = 24
    table.print_title_rows = "1:1"
    table.page_setup.orientation, table.page_setup.paperSize = "landscape", 9
    _explain(explained, name, columns, notes)
    book.save(path)


def _head(table: Any, at: int, column: Asked) -> None:
    cell = table.cell(1, at, column.header + ("*" if column.needed else ""))
    cell.font, cell.fill = (_NEEDED_FONT, _NEEDED_FILL) if column.needed else (HEADER_FONT, HEADER_FILL)
    cell.alignment = Alignment(vertical="center")
    words = "\n".join(one for one in ("必填" if column.needed else "", column.help, column.form) if one)
    if words:
        cell.comment = Comment(words, "网格管家", width=260, height=90)


def _format(table: Any, letter: str, column: Asked) -> None:
    """Codes and phones as text, so that no digit is lost; days as days."""
    table.column_dimensions[letter].width = column.width
    shown = {DAY: "yyyy-mm-dd", "text": "@"}.get(column.kind, "General")
    table.column_dimensions[letter].number_format = shown
    for row in range(2, 201):
        table[f"{letter}{row}"].number_format = shown


def _offer(table: Any, letter: str, column: Asked, source: str) -> None:
    offered = DataValidation(type="list", formula1=source, allow_blank=True, showErrorMessage=True)
    offered.errorStyle = "warning"  # other words that the import knows may stand
    offered.errorTitle, offered.error = column.header, "不在可选值里。导入能认的别的写法见“说明”。"
    offered.promptTitle, offered.prompt = column.header, "从列表里选。"
    offered.showInputMessage = True
    table.add_data_validation(offered)
    offered.add(f"{letter}2:{letter}{_ROWS}")


def _hidden(book: Workbook) -> Any:
    sheet = book.create_sheet(CHOICES)
    sheet.sheet_state = "hidden"
    return sheet


def _listed(lists: Any, column: Asked) -> str:
    at = lists.max_column + (lists.cell(1, 1).value is not None)
    for row, word in enumerate((column.header, *column.choices), start=1):
        lists.cell(row, at, word)
    letter = get_column_letter(at)
    return f"='{CHOICES}'!${letter}$2:${letter}${len(column.choices) + 1}"


def _explain(sheet: Any, name: str, columns: Sequence[Asked], notes: Sequence[str]) -> None:
    for letter, width in zip("ABCDE", (20, 8, 46, 34, 40), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.sheet_view.showGridLines = False
    sheet.cell(1, 1, f"{name}：怎样填").font = _TITLE
    sheet.row_dimensions[1].height = 30
    row = 2
    for line in notes:
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=5)
        cell = sheet.cell(row, 1, line)
        cell.font, cell.alignment = _PLAIN, Alignment(wrap_text=True, vertical="top")
        sheet.row_dimensions[row].height = 18 * (1 + len(line) // 72)
        row += 1
    row += 1
    for at, word in enumerate(("列", "必填", "填什么", "写法", "可选值"), start=1):
        cell = sheet.cell(row, at, word)
        cell.font, cell.fill = HEADER_FONT, HEADER_FILL
    for column in columns:
        row += 1
        told = (column.header, "必填" if column.needed else "", column.help, column.form, "、".join(column.choices))
        for at, word in enumerate(told, start=1):
            cell = sheet.cell(row, at, word)
            cell.font = _BOLD if at == 1 else _PLAIN
            cell.alignment = Alignment(wrap_text=True, vertical="top")
        lines = max(1 + len(column.help) // 22, 1 + len(column.form) // 16, 1 + len(told[4]) // 19)
        sheet.row_dimensions[row].height = 18 * lines
