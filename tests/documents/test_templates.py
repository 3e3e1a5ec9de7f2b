"""Templates: what is needed is marked, choices drop down, and what was filled in is imported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from service.documents.templates import Asked, write_template
from service.files.mapping import plain_header
from service.intake.kinds import KINDS
from service.registers.templates import columns_of, make_template
from tests.intake.conftest import Office, counts, office

__all__ = ["office"]  # fixtures
# One row of each kind, by header: what a clerk would write.
FILLED: dict[str, dict[str, Any]] = {
    "communities": {"编码": "500237002003", "名称": "新社区", "类别": "社区"},
    "grids": {
        "编码": "500237002001002", "名称": "二网格", "社区": "聚鹤社区", "类型": "网格", "户数": 120,
        "图形": "POLYGON ((109.882 31.07, 109.884 31.07, 109.884 31.072, 109.882 31.072, 109.882 31.07))",
    },
    "people": {"工号": "007", "姓名": "张三", "电话": "13812345678"},
    "organisations": {"编码": "U1", "名称": "环卫一队"},
    "duties": {"职务": "网格长", "对象类型": "网格", "对象编码": "500237002001001", "责任人": "L001"},
    "frontages": {"店名": "甲店", "状态": "空置", "经度": 109.8805, "纬度": 31.0705},
    "incidents": {"编号": "A1", "上报时间": "2026-11-20 09:30", "状态": "处置中", "经度": 109.8805, "纬度": 31.0705},
    "streets": {"名称": "平湖路", "级别": "次干路", "图形": "LINESTRING (109.88 31.07, 109.881 31.07)"},
    "buildings": {"名称": "一号楼", "图形": "POLYGON ((109.88 31.07, 109.8801 31.07, 109.8801 31.0701, 109.88 31.07))"},
    "places": {"名称": "东市场", "类别": "农贸市场", "经度": 109.8805, "纬度": 31.0705},
}  # fmt: skip


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_filled_template_is_imported(office: Office, kind: str) -> None:
    path = office.folder / f"{kind}.xlsx"
    make_template(kind, path)
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    at = {str(cell.value).rstrip("*"): cell.column for cell in sheet[1]}
    for header, value in FILLED[kind].items():
        sheet.cell(2, at[header], value)
    book.save(path)
    done = office.bring(kind, path)
    assert counts(done)[:3] == (1, 1, 0), done.summary["warnings"]
    assert not [one for one in done.summary["warnings"] if "不认识" in one]


@pytest.mark.parametrize("kind", list(KINDS))
def test_an_empty_template_says_that_it_is_empty(office: Office, kind: str) -> None:
    path = office.folder / f"{kind}.xlsx"
    make_template(kind, path)
    assert "没有" in office.refuses(kind, path)


@pytest.mark.parametrize("kind", list(KINDS))
def test_headers_are_those_that_the_import_knows_and_choices_are_words_it_takes(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    make_template(kind, path)
    sheet = openpyxl.load_workbook(path).worksheets[0]
    known = {plain_header(word) for field in KINDS[kind].fields for word in field.words} | {"图形"}
    headers = [str(cell.value) for cell in sheet[1]]
    assert {plain_header(header) for header in headers} <= known
    assert [header for header in headers if header.endswith("*")] == [
        f"{one.header}*" for one in columns_of(KINDS[kind]) if one.needed
    ]
    offered = {str(one.sqref).split("2:")[0] for one in sheet.data_validations.dataValidation}
    assert len(offered) == sum(bool(one.choices) for one in columns_of(KINDS[kind]))


def test_long_lists_of_choices_lie_on_a_hidden_sheet(tmp_path: Path) -> None:
    """Excel takes 255 letters of a list in the validation itself."""
    path = tmp_path / "t.xlsx"
    words = tuple(f"第{n}种很长的写法" for n in range(40))
    write_template(path, "试", [Asked("一"), Asked("二", choices=words), Asked("三", choices=("a,b", "c"))], ["说明。"])
    book = openpyxl.load_workbook(path)
    assert [sheet.sheet_state for sheet in book] == ["visible", "visible", "hidden"]
    sources = [one.formula1 for one in book.worksheets[0].data_validations.dataValidation]
    assert sources == ["='可选值'!$A$2:$A$41", "='可选值'!$B$2:$B$3"]
    assert [cell.value for cell in book["可选值"]["A"]] == ["二", *words]
