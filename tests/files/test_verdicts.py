"""The verdict per row."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from service.files.parsed import Problem
from service.files.table import Reject
from service.files.verdicts import Verdicts, harmless


def test_first_reason_per_row_and_field() -> None:
    verdicts = Verdicts()
    verdicts.reject(37, "lat", 109.88, "像是对调了")
    verdicts.reject(37, "lat", 109.88, "别的")
    verdicts.reject(37, "time", None, "看不懂")
    verdicts.reject_all([Reject(3, "", "a|b", "列数不对")])
    verdicts.reject_problems([Problem(1, "code", "5E+14", "丢了位数")], np.array([2, 9]))
    assert [(r.row, r.reason) for r in verdicts.rejects] == [
        (3, "列数不对"),
        (9, "丢了位数"),
        (37, "像是对调了"),
        (37, "看不懂"),
    ]
    assert verdicts.to_summary()["rejected"] == 3
    assert verdicts.accepted(np.array([2, 3, 9, 37])).tolist() == [True, False, False, False]


def test_warnings_are_grouped() -> None:
    verdicts = Verdicts()
    for row in range(2, 10):
        verdicts.warn("没有网格", rows=[row])
    verdicts.warn("日期按月/日理解")
    assert verdicts.warnings == ["没有网格：8 处（第 2、3、4、5、6 行等）", "日期按月/日理解"]
    assert Verdicts().to_summary() == {"rejected": 0, "warnings": [], "reasons": []}
    assert Verdicts().accepted(np.array([1, 2])).all()


def test_rejects_file_opens_in_excel_and_runs_nothing(tmp_path: Path) -> None:
    verdicts = Verdicts()
    verdicts.reject(2, "名称", '=HYPERLINK("http://x","点")', "不行")
    verdicts.reject(3, "lon", "-73.98", "不在范围")
    out = tmp_path / "退回.csv"
    verdicts.write_rejects(out)
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(out.read_text(encoding="utf-8-sig").splitlines()))
    assert rows[0] == ["行号", "字段", "值", "原因"]
    assert rows[1][2].startswith("'=")
    assert rows[2][2] == "-73.98"


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", " =1", "＝1", "-A1"])
def test_formulas_are_neutralised(text: str) -> None:
    assert harmless(text).startswith("'")
