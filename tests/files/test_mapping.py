"""Which column is which."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from service.errors import InvalidValue
from service.files.mapping import Field, map_columns
from service.files.table import SourceTable, objects

FIELDS = (
    Field("code", ("编码", "编号"), required=True, label="网格编码"),
    Field("name", ("名称",), label="名称"),
    Field("lon", ("经度", "x"), label="经度"),
    Field("lat", ("纬度", "y"), label="纬度"),
    Field("category", ("code name",)),
)


def table(*headers: str) -> SourceTable:
    columns = {h: objects([f"{h}1", f"{h}2"]) for h in headers}
    return SourceTable(Path("表.csv"), "CSV", columns, np.array([2, 3]))


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("编码", "code"), ("网格编码", "code"), (" 编 号 ", "code"), ("CODE", "code"), ("Ｃｏｄｅ", "code"),
        ("编码*", "code"),
        ("编码（必填）", "code"), ("编码\n(15位)", "code"), ("Code_Name", "category"),
    ],
)  # fmt: skip
def test_headers_as_people_write_them(header: str, field: str) -> None:
    fields = [f if f.name != "code" or field == "code" else Field("code", ("编码",)) for f in FIELDS]
    assert map_columns(table(header), fields).used == {field: header}


def test_units_in_brackets() -> None:
    mapped = map_columns(table("编码", "经度(°)", "纬度（度）", "备注"), FIELDS)
    assert mapped.used == {"code": "编码", "lon": "经度(°)", "lat": "纬度（度）"}
    assert mapped.unmapped == ["备注"]
    assert list(mapped.values["lon"]) == ["经度(°)1", "经度(°)2"]
    assert "name" not in mapped


def test_a_whole_header_wins_over_one_without_its_brackets() -> None:
    mapped = map_columns(table("名称(曾用)", "名称", "编码"), FIELDS)
    assert mapped.used["name"] == "名称"


def test_explicit_and_fixed_values() -> None:
    mapped = map_columns(table("甲", "编码"), FIELDS, {"name": "甲"}, {"category": "06010", "code": "1"})
    assert mapped.used == {"name": "甲"}
    assert list(mapped.values["category"]) == ["06010", "06010"]
    assert mapped.unmapped == ["编码"]


@pytest.mark.parametrize(
    ("explicit", "sets", "says"),
    [
        ({"name": "没有"}, {}, "现有的列：甲、编码"),
        ({"nome": "甲"}, {}, "可用的字段：code、name"),
        ({}, {"colour": "红"}, "没有“colour”这个字段"),
        ({"name": "甲"}, {"name": "乙"}, "只能用一个"),
    ],
)
def test_what_does_not_exist_is_named(explicit: dict[str, str], sets: dict[str, str], says: str) -> None:
    with pytest.raises(InvalidValue, match=says):
        map_columns(table("甲", "编码"), FIELDS, explicit, sets)


def test_a_required_field_that_nobody_has_tells_what_to_type() -> None:
    with pytest.raises(InvalidValue) as caught:
        map_columns(table("甲", "乙"), FIELDS)
    assert caught.value.field == "code"
    assert "网格编码（code）" in caught.value.message
    assert "甲、乙" in caught.value.message
    assert "--map code=列名" in caught.value.message
