"""What the printed pages' font can print, against fontTools."""

from __future__ import annotations

import pytest
from fontTools.ttLib import TTCollection

from service.documents.fonts import FAMILY, FONT_PATH, GETA, coverage, cut, font_folder, printable, width


def test_the_coverage_is_the_fonts_own() -> None:
    with TTCollection(str(FONT_PATH), lazy=True) as faces:
        face = faces[2]
        assert face["name"].getDebugName(1) == FAMILY
        assert coverage() == {code for code, glyph in face.getBestCmap().items() if glyph != ".notdef"}
    assert (font_folder() / "NotoSansCJK-Regular.ttc").is_file()


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("张\u202e三", "张三"),
        ("甲\n乙\t丙\u3000丁", "甲 乙 丙 丁"),
        ("\x00\x1b王\ufeff五", "王五"),
        ("\U0001f600李四", f"{GETA}李四"),
        ("\U00020bb7野家", "\U00020bb7野家"),  # outside the basic plane, and there
        ("\U00030000", GETA),
        ("\ue000", GETA),
        ("#set page()[x] $y$ \\", "#set page()[x] $y$ \\"),
        ("", ""),
    ],
)
def test_what_becomes_of_a_text(text: str, printed: str) -> None:
    assert printable(text) == printed
    assert {ord(sign) for sign in printable(text)} <= coverage()


def test_widths_are_those_of_the_letters() -> None:
    assert width("网格", 10) == pytest.approx(20)
    assert width("11", 10) < width("网", 10) * 1.2
    assert width("", 10) == 0
    assert cut("很长的名字", 10, 30) == "很长…"
    assert cut("短", 10, 30) == "短"
