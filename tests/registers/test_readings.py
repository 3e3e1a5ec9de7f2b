"""How names are typed on a keyboard without Chinese."""

from __future__ import annotations

import pytest

from service.registers.readings import readings


@pytest.mark.parametrize(
    ("text", "person", "first"),
    [
        ("龙门大道", False, "LongMenDaDao"),
        ("重庆银行", False, "ChongQingYinHang"),
        ("绿色食品", False, "LvSeShiPin"),
        ("KFC（肯德基）8号店", False, "KFCKenDeJi8HaoDian"),
        ("单雄信", True, "ShanXiongXin"),
        ("仇英", True, "QiuYing"),
        ("曾国藩", True, "ZengGuoFan"),
        ("欧阳修", True, "OuYangXiu"),
        ("", False, ""),
        ("🙂 -", False, ""),
        ("𠮷野家", False, "𠮷YeJia"),
    ],
)
def test_the_usual_reading_comes_first(text: str, person: bool, first: str) -> None:
    assert readings(text, person)[0] == first


@pytest.mark.parametrize(
    ("text", "person", "other"),
    [
        ("重百超市", False, "ChongBaiChaoShi"),
        ("长乐街", False, "ChangYueJie"),
        ("单雄信", True, "DanXiongXin"),
        ("朝阳路", False, "ZhaoYangLu"),
    ],
)
def test_other_readings_are_known(text: str, person: bool, other: str) -> None:
    assert other in readings(text, person)


def test_readings_stay_few() -> None:
    assert len(readings("长" * 50)) <= 3
