"""How far a spreadsheet reaches is found before it is read."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from service.errors import UnreadableFile
from service.files import extent
from service.files.reader import read_source

HEADER, SHOP = ("店名", "电话", "经度", "纬度"), ("老店", "13800000000", 109.8738, 31.0732)


def workbook(path: Path, cell: str | None = None, value: str = " ") -> Path:
    """Two rows, and one more cell far away."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADER)
    sheet.append(SHOP)
    if cell:
        sheet[cell] = value
    book.save(path)
    return path


@pytest.mark.parametrize(
    "cell, told",
    [("XFD1048576", "第 1048576 行、XFD 列"), ("ZZ1048576", "第 1048576 行、ZZ 列"), ("XFD2000", "第 2000 行、XFD 列")],
)
def test_one_cell_far_away_is_told_at_once_and_costs_nothing(tmp_path: Path, cell: str, told: str) -> None:
    path = workbook(tmp_path / "shops.xlsx", cell)
    begun = time.monotonic()
    with pytest.raises(UnreadableFile, match=told):
        read_source(path)
    assert time.monotonic() - begun < 5  # reading it took minutes and gigabytes


@pytest.mark.parametrize("cell", [None, "Z3", "AB40", "F90000"])
def test_a_cell_a_little_aside_is_no_reason_to_refuse(tmp_path: Path, cell: str | None) -> None:
    assert len(read_source(workbook(tmp_path / "shops.xlsx", cell, "旁注"))) >= 1


def open_document(path: Path, rows: int) -> Path:
    """The least that is an OpenDocument spreadsheet."""
    cells = "".join(
        f"<table:table-cell office:value-type='string'><text:p>{n}</text:p></table:table-cell>" for n in HEADER
    )
    names = "".join(
        f" xmlns:{name}='urn:oasis:names:tc:opendocument:xmlns:{name}:1.0'" for name in ("office", "table", "text")
    )
    content = (
        f"<office:document-content{names}><office:body><office:spreadsheet><table:table table:name='表'>"
        + f"<table:table-row>{cells}</table:table-row>" * rows
        + "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", content)
    return path


def test_open_document_sheets_are_measured_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = open_document(tmp_path / "shops.ods", 31)
    assert len(read_source(path)) == 30
    monkeypatch.setattr(extent, "MOST_CELLS", 100)
    with pytest.raises(UnreadableFile, match="伸得太远"):
        read_source(path)


def test_formulas_that_nobody_computed_are_told(tmp_path: Path) -> None:
    notes = read_source(workbook(tmp_path / "shops.xlsx", "B2", "=1+1")).notes
    assert any("1 格公式还没有算出结果" in note for note in notes)


def test_a_tag_cut_by_the_pieces_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    xml = b'<row r="7"><c r="AC7"><f>A1</f></c></row><row r="1234"><c r="B1234"/></row>'
    for size in range(40, len(xml) + 1):
        monkeypatch.setattr(extent, "_CHUNK", size)
        assert extent.measure(io.BytesIO(xml)) == extent.Extent(1234, 29, 1)


def test_rows_that_do_not_say_their_number() -> None:
    found = extent.measure(io.BytesIO(b'<row><c r="A1"/></row><row><c r="A1048576"/></row>'))
    assert (found.rows, found.columns) == (1048576, 26)
