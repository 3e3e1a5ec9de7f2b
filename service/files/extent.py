"""How far a spreadsheet reaches, before it is read: readers make room for every cell up to the farthest one.

One space typed at the far end of a sheet of 5 kB asks for gigabytes, so the farthest row and column are found first.
"""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from service.files.table import refuse

MOST_CELLS = 28_000_000  # a full sheet of 26 columns is 27 million
_CHUNK = 4 << 20
_OVERLAP = 256  # longer than the beginning of a cell's tag
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
# Plain patterns, because a million rows are searched: a row's own number, a cell from column AA on, and a far cell of
# the first 26 columns in a row that doesn't say its number.
_ROW = re.compile(rb' r="(\d{1,7})"')
_FAR_CELL = re.compile(rb' r="([A-Z]{2,3})(\d{1,7})"')
_LOW_CELL = re.compile(rb' r="[A-Z](\d{6,7})"')
_NEAR_COLUMNS, _FEW_ROWS = 26, 100_000
_UNCOUNTED = (b"</f></c>", b"</f><v/></c>", b"</f><v /></c>", b"</f><v></v></c>")
_CHILD_BYTES = 3 << 30
_CHILD_SECONDS = 300
# Run apart, so that a reader that runs out of memory ends this child and not the service.
_CHILD = """
import resource, sys
from python_calamine import CalamineWorkbook
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]), int(sys.argv[2])))
book = CalamineWorkbook.from_path(sys.argv[1])
for name in book.sheet_names:
    sheet = book.get_sheet_by_name(name)
    if (sheet.total_height + 1) * (sheet.total_width + 1) > int(sys.argv[3]):
        sys.exit(7)
"""


@dataclass(frozen=True)
class Extent:
    """The farthest row and column (1-based; at least 26 columns) of a sheet, and its formulas without a value."""

    rows: int
    columns: int
    uncounted: int


def check_extent(path: Path, names: list[str]) -> list[str]:
    """Notes about what a workbook's sheets hold. `names`: the members of its zip. Raises UnreadableFile when a sheet
    reaches farther than MOST_CELLS, however few of its cells are filled."""
    sheets = [name for name in names if _SHEET.fullmatch(name)]
    if not sheets:
        _ask_a_child(path)
        return []
    uncounted = 0
    try:
        with zipfile.ZipFile(path) as archive:
            for name in sheets:
                with archive.open(name) as stream:
                    found = measure(stream)
                if found.rows * found.columns > MOST_CELLS:
                    raise refuse(path, _too_far(found))
                uncounted += found.uncounted
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise refuse(path, "里有损坏的内容，解不开。请重新保存后再导入。") from error
    if not uncounted:
        return []
    return [f"{uncounted} 格公式还没有算出结果，按空的读。用 Excel 打开、保存一次再导入，就有结果了"]


def measure(stream: IO[bytes]) -> Extent:
    """The extent of one sheet's XML, read in pieces."""
    rows, columns, uncounted, before = 0, _NEAR_COLUMNS, 0, b""
    while chunk := stream.read(_CHUNK):
        piece = before + chunk
        rows = max(rows, max(map(int, _ROW.findall(piece)), default=0))
        if rows < _FEW_ROWS:
            rows = max(rows, max(map(int, _LOW_CELL.findall(piece)), default=0))
        far = {(letters, int(number)) for letters, number in _FAR_CELL.findall(piece)}
        columns = max(columns, max((column_number(letters) for letters, _ in far), default=0))
        rows = max(rows, max((number for _, number in far), default=0))
        uncounted += sum(piece.count(mark) - before.count(mark) for mark in _UNCOUNTED)
        before = piece[-_OVERLAP:]
    return Extent(rows, columns, uncounted)


def column_number(letters: bytes) -> int:
    """
    >>> column_number(b"A"), column_number(b"AA"), column_number(b"XFD")
    (1, 27, 16384)
    """
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def column_letters(number: int) -> str:
    """
    >>> column_letters(1), column_letters(27), column_letters(16384)
    ('A', 'AA', 'XFD')
    """
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _too_far(found: Extent) -> str:
    return (
        f"有一个工作表一直伸到第 {found.rows} 行、{column_letters(found.columns)} 列，大半是空的："
        "多半是远处有一格空格或格式。请在 Excel 里选中数据下面和右边的空行空列，删除，另存后再导入。"
    )


def _ask_a_child(path: Path) -> None:
    """Binary workbooks and OpenDocument: how far they reach, their reader alone can tell."""
    asked = [sys.executable, "-c", _CHILD, str(path), str(_CHILD_BYTES), str(MOST_CELLS)]
    try:
        done = subprocess.run(asked, capture_output=True, timeout=_CHILD_SECONDS, check=False)
    except subprocess.TimeoutExpired as late:
        raise refuse(path, "太大，读不完。请用 Excel 打开，只留要导入的工作表，另存为 .xlsx 再导入。") from late
    if done.returncode == 7 or done.returncode < 0:
        raise refuse(path, "的工作表伸得太远，大半是空的。请删掉数据下面和右边的空行空列，另存为 .xlsx 再导入。")
