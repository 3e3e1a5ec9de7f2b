"""CSV, TSV and other delimited text: delimiter and header found, row numbers kept as lines of the file."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from service.files.headers import find_header, looks_like_data
from service.files.table import Column, ReadOptions, Reject, SourceTable, objects, present, refuse, shown, unique_names
from service.files.text import as_utf8, doubts

csv.field_size_limit(64 << 20)  # one cell may hold a whole boundary as WKT
_DELIMITERS = ",\t;|，"
_HEAD = 256 << 10
_CHUNK = 20_000
# An apostrophe before what a spreadsheet would take for a formula: exports put it there, it is no letter of the text.
_GUARD_SEEN, _GUARDED = re.compile(rb"'[=+@\t\r\n-]"), re.compile(r"'+[=+@\t\r\n-]")
_OPEN_QUOTE = '这一行的引号（"）没有闭合，分不清内容到哪里为止；后面的行照常读。补上引号，或去掉它'


def read_delimited(path: Path, data: bytes, options: ReadOptions) -> SourceTable:
    """A table of text or None (empty cell). Raises UnreadableFile."""
    data, encoding = as_utf8(data, path, options.encoding)
    notes = [f"文字编码：{encoding}", *doubts(data)]
    head = data[:_HEAD].decode("utf-8", errors="ignore")
    delimiter = _delimiter(head)
    header_line, names = _header(path, head, delimiter, options, notes)
    begin = _after_lines(data, header_line)
    if delimiter != ",":
        notes.append("列之间的分隔符：" + {"\t": "制表符"}.get(delimiter, delimiter))
    columns, lines, broken = _fast(data, begin, delimiter, len(names)) or _careful(
        data[begin:].decode("utf-8"), delimiter, len(names), notes, header_line
    )
    if _GUARD_SEEN.search(data, begin):
        columns = [_unguarded(column) for column in columns]
    table = SourceTable(
        path=path,
        format="CSV",
        columns=dict(zip(names, columns, strict=True)),
        row_numbers=lines + header_line,
        encoding=encoding,
        notes=notes,
        rejects=[Reject(one.line + header_line, "", shown(" | ".join(one.cells)), one.reason) for one in broken],
        ragged={one.line + header_line: _folded(one.cells, delimiter, len(names)) for one in broken},
    )
    _drop_blank(table)
    if not len(table) and not table.rejects:
        raise refuse(path, "里只有表头，没有数据。请确认导出时选中了数据再导入。")
    return table


def _unguarded(column: Column) -> Column:
    return objects([one[1:] if isinstance(one, str) and _GUARDED.match(one) else one for one in column.tolist()])


def _delimiter(head: str) -> str:
    """The delimiter that cuts most lines into the same number (> 1) of pieces."""
    if head[:4].lower() == "sep=" and len(hint := head.splitlines()[0][4:]) == 1:
        return hint  # Excel's own hint
    best, best_score = ",", 0.0
    for candidate in _DELIMITERS:
        widths = [len(row) for row in _rows(head, candidate, 60) if row]
        common = max(set(widths), key=widths.count, default=1)
        if common > 1:
            score = widths.count(common) / len(widths) + min(common, 50) / 200
            best, best_score = (candidate, score) if score > best_score else (best, best_score)
    return best


def _rows(text: str, delimiter: str, limit: int) -> list[list[str]]:
    rows: list[list[str]] = []
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
        rows.append(row)
        if len(rows) > limit:
            break
    return rows[:limit]


def _header(path: Path, head: str, delimiter: str, options: ReadOptions, notes: list[str]) -> tuple[int, list[str]]:
    """(number of the header's last line, column names)."""
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    rows, ends = [], []
    for row in reader:
        rows.append([] if row == [f"sep={delimiter}"] or row == ["sep=", ""] else row)
        ends.append(reader.line_num)
        if len(rows) >= 60:
            break
    if not any(any(cell.strip() for cell in row) for row in rows):
        raise refuse(path, "是空的，没有任何数据。")
    if options.header_row == 0:
        return 0, [f"列{i + 1}" for i in range(max(len(r) for r in rows))]
    index = find_header(rows)
    if options.header_row is not None:
        found = [i for i, end in enumerate(ends) if end >= options.header_row]
        if not found:
            raise refuse(path, f"的第 {options.header_row} 行不可能是表头。请改 --header-row。")
        index = found[0]
    elif index:
        notes.append(f"表头在第 {ends[index]} 行，上面的标题没有读")
    elif looks_like_data(rows[index]):
        notes.append("第一行像是数据而不是表头；没有表头时请用 --header-row 0")
    names = list(rows[index])
    while len(names) > 1 and not names[-1].strip() and not any(row[len(names) - 1 :] != [""] for row in rows[index:]):
        names.pop()  # a delimiter at the end of every line
    return ends[index], unique_names(names, notes)


def _after_lines(data: bytes, lines: int) -> int:
    """Offset after so many lines; they end with LF, CR LF or a lone CR, as the csv module counts them."""
    position = 0
    for _ in range(lines):
        line_feed, carriage = data.find(b"\n", position), data.find(b"\r", position)
        if carriage < 0 or 0 <= line_feed < carriage:
            position = line_feed + 1 if line_feed >= 0 else len(data)
        else:
            position = carriage + 2 if line_feed == carriage + 1 else carriage + 1
    return position


@dataclass(frozen=True)
class Broken:
    """A record that can't be cut into the header's columns; `line` from 1 behind the header."""

    line: int
    cells: list[str]
    reason: str


Read = tuple[list[Column], NDArray[np.int64], list[Broken]]


def _folded(cells: list[str], delimiter: str, width: int) -> list[str]:
    """As many cells as the header has, what is over joined in the last."""
    cells = cells + [""] * (width - len(cells))
    return [*cells[: width - 1], delimiter.join(cells[width - 1 :])]


def _fast(data: bytes, begin: int, delimiter: str, width: int) -> Read | None:
    """pandas' C engine; None when a row doesn't fit, so that the careful reader can say which."""
    if b"\r" in data and data.count(b"\r") != data.count(b"\r\n"):
        return None
    lines = _record_lines(data, begin, delimiter)
    if lines is None or not len(lines):
        return None
    source = io.BytesIO(data)  # shares the bytes
    source.seek(begin)
    columns = [np.empty(len(lines), dtype=object) for _ in range(width)]
    done = 0
    try:
        chunks = pd.read_csv(
            source, header=None, names=list(range(width)), sep=delimiter, dtype=object, na_filter=False,
            skip_blank_lines=False, encoding="utf-8", engine="c", low_memory=False, chunksize=_CHUNK,
        )  # fmt: skip
        for chunk in chunks:
            if not len(chunk) or chunk.index.nlevels > 1 or chunk.index[0] != done or done + len(chunk) > len(lines):
                return None
            for i, column in enumerate(columns):
                column[done : done + len(chunk)] = chunk[i].to_numpy(dtype=object)
            done += len(chunk)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError, UnicodeError):
        return None
    if done != len(lines):
        return None
    for column in columns:
        column[column == ""] = None
    return columns, lines, []


def _record_lines(data: bytes, begin: int, delimiter: str) -> NDArray[np.int64] | None:
    """Line number (from 1) at which each record starts; a newline inside quotes ends no record.

    None where quotes are not closed: one left over, or text behind the second of a pair that has lines between.
    """
    codes = np.frombuffer(data, dtype=np.uint8, offset=begin) if begin < len(data) else np.empty(0, dtype=np.uint8)
    breaks = np.flatnonzero(codes == 10)
    quotes = np.flatnonzero(codes == 34)
    if len(quotes):
        if len(quotes) % 2:
            return None
        ends_record = np.searchsorted(quotes, breaks) % 2 == 0
        behind = codes[np.minimum(quotes[1::2] + 1, len(codes) - 1)]
        allowed = [10, 13, 34, ord(delimiter) if ord(delimiter) < 128 else delimiter.encode()[0]]
        if not ends_record.all() and not (np.isin(behind, allowed)).all():
            return None
    else:
        ends_record = np.ones(len(breaks), dtype=bool)
    starts = np.concatenate(([1], np.flatnonzero(ends_record) + 2))
    return starts[:-1] if data.endswith(b"\n") else starts


def _careful(body: str, delimiter: str, width: int, notes: list[str], header_line: int) -> Read:
    """The csv module, record by record: one that doesn't fit is rejected, the others are kept.

    A quote that nobody closed swallows the lines after it, up to the next quote or the end. Its line is read without
    the quote where it fits so, else rejected; the others are read as ever.
    """
    text = io.StringIO(body, newline="").readlines()
    rows: list[list[str]] = []
    lines: list[int] = []
    broken: list[Broken] = []

    def take(line: int, cells: list[str], reason: str | None) -> None:
        if reason is not None:
            broken.append(Broken(line, cells, reason))
        else:
            rows.append(cells + [""] * (width - len(cells)))
            lines.append(line)

    start = 0
    while start < len(text):
        reader = csv.reader((text[i] for i in range(start, len(text))), delimiter=delimiter)
        first = start
        start = len(text)
        before = first
        for cells in reader:
            line, before = before + 1, first + reader.line_num
            if before > line and _badly_quoted(text[line - 1 : before], delimiter):
                cells = next(csv.reader([text[line - 1]], delimiter=delimiter, quoting=csv.QUOTE_NONE))
                cells, reason = [cell.strip('"') for cell in cells], None if len(cells) == width else _OPEN_QUOTE
                if reason is None:
                    notes.append(f"第 {line + header_line} 行有一个引号没有闭合，当作没有引号读")
                take(line, cells, reason)
                start = line
                break
            if len(cells) > width and not any(cells[width:]):
                cells = cells[:width]
            too_many = f"这一行有 {len(cells)} 列，表头只有 {width} 列：多半是内容里的分隔符没有用引号括起来"
            take(line, cells, too_many if len(cells) > width else None)
    columns = [objects([row[i] or None for row in rows]) for i in range(width)]
    return columns, np.array(lines, dtype=np.int64), broken


def _badly_quoted(record: list[str], delimiter: str) -> bool:
    """Whether a record of several lines ends inside a quoted cell, or goes on where one was closed."""
    try:
        for _ in csv.reader(iter(record), delimiter=delimiter, strict=True):
            pass
    except csv.Error:
        return True
    return False


def _drop_blank(table: SourceTable) -> None:
    """Blank lines are no rows."""
    filled = np.zeros(len(table), dtype=bool)
    for values in table.columns.values():
        filled |= present(values)
        if filled.all():
            return
    table.keep(filled)
