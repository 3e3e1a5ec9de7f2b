"""CSV, TSV and other delimited text: delimiter and header found, row numbers kept as lines of the file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from service.files.headers import find_header, looks_like_data
from service.files.table import Column, ReadOptions, Reject, SourceTable, objects, present, refuse, shown, unique_names
from service.files.text import as_utf8

csv.field_size_limit(64 << 20)  # one cell may hold a whole boundary as WKT
_DELIMITERS = ",\t;|，"
_HEAD = 256 << 10
_CHUNK = 20_000
# An apostrophe before what a spreadsheet would take for a formula: exports put it there, it is no letter of the text.
_GUARD_SEEN, _GUARDED = re.compile(rb"'[=+@\t\r\n-]"), re.compile(r"'+[=+@\t\r\n-]")


def read_delimited(path: Path, data: bytes, options: ReadOptions) -> SourceTable:
    """A table of text or None (empty cell). Raises UnreadableFile."""
    data, encoding = as_utf8(data, path, options.encoding)
    notes = [f"文字编码：{encoding}"]
    head = data[:_HEAD].decode("utf-8", errors="ignore")
    delimiter = _delimiter(head)
    header_line, names = _header(path, head, delimiter, options, notes)
    begin = _after_lines(data, header_line)
    if delimiter != ",":
        notes.append("列之间的分隔符：" + {"\t": "制表符"}.get(delimiter, delimiter))
    columns, lines, rejects = _fast(data, begin, delimiter, len(names)) or _careful(
        data[begin:].decode("utf-8"), delimiter, len(names)
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
        rejects=[Reject(r.row + header_line, r.field, r.value, r.reason) for r in rejects],
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


Read = tuple[list[Column], NDArray[np.int64], list[Reject]]


def _fast(data: bytes, begin: int, delimiter: str, width: int) -> Read | None:
    """pandas' C engine; None when a row doesn't fit, so that the careful reader can say which."""
    if b"\r" in data and data.count(b"\r") != data.count(b"\r\n"):
        return None
    lines = _record_lines(data, begin)
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


def _record_lines(data: bytes, begin: int) -> NDArray[np.int64] | None:
    """Line number (from 1) at which each record starts; a newline inside quotes ends no record."""
    codes = np.frombuffer(data, dtype=np.uint8, offset=begin) if begin < len(data) else np.empty(0, dtype=np.uint8)
    breaks = np.flatnonzero(codes == 10)
    quotes = np.flatnonzero(codes == 34)
    if len(quotes):
        if len(quotes) % 2:
            return None
        ends_record = np.searchsorted(quotes, breaks) % 2 == 0
    else:
        ends_record = np.ones(len(breaks), dtype=bool)
    starts = np.concatenate(([1], np.flatnonzero(ends_record) + 2))
    return starts[:-1] if data.endswith(b"\n") else starts


def _careful(body: str, delimiter: str, width: int) -> Read:
    """The csv module, row by row: a row with too many cells is rejected, the others are kept."""
    rows, lines, rejects = _split(csv.reader(io.StringIO(body, newline=""), delimiter=delimiter), width)
    if rows and _swallowed(rows):
        plain = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, quoting=csv.QUOTE_NONE)
        rows, lines, rejects = _split(plain, width, unquote=True)
    columns = [objects([row[i] or None for row in rows]) for i in range(width)]
    return columns, np.array(lines, dtype=np.int64), rejects


def _swallowed(rows: list[list[str]]) -> bool:
    """A quote that nobody closed has swallowed the lines after it."""
    return any(cell.count("\n") > 50 for cell in rows[-1])


def _split(
    reader: Iterable[list[str]], width: int, unquote: bool = False
) -> tuple[list[list[str]], list[int], list[Reject]]:
    rows: list[list[str]] = []
    lines: list[int] = []
    rejects: list[Reject] = []
    before = 0
    for row in reader:
        line, before = before + 1, reader.line_num  # type: ignore[attr-defined]
        cells = [cell.strip('"') for cell in row] if unquote else row
        if len(cells) > width and not any(cells[width:]):
            cells = cells[:width]
        if len(cells) > width:
            reason = f"这一行有 {len(cells)} 列，表头只有 {width} 列：多半是内容里的分隔符没有用引号括起来"
            rejects.append(Reject(line, "", shown(" | ".join(cells)), reason))
            continue
        rows.append(cells + [""] * (width - len(cells)))
        lines.append(line)
    return rows, lines, rejects


def _drop_blank(table: SourceTable) -> None:
    """Blank lines are no rows."""
    filled = np.zeros(len(table), dtype=bool)
    for values in table.columns.values():
        filled |= present(values)
        if filled.all():
            return
    table.keep(filled)
