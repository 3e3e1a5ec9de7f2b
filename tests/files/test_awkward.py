"""Files as people really send them: each is read, or refused in words that help."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from service.errors import UnreadableFile
from service.files.reader import ReadOptions, read_source

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("STEWARD_TEST_DATA") or ROOT / ".." / "shared" / "data") / "awkward"
with (Path(__file__).parent / "awkward_expected.csv").open(encoding="utf-8") as _file:
    EXPECTED = list(csv.DictReader(_file))

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real test data (STEWARD_TEST_DATA) are not on this machine"
)


@pytest.mark.parametrize("row", EXPECTED, ids=lambda row: row["file"].rsplit("/", 1)[-1])
def test_every_awkward_file(row: dict[str, str]) -> None:
    path = DATA / row["file"]
    if row["refusal"]:
        with pytest.raises(UnreadableFile) as caught:
            read_source(path)
        assert row["refusal"] in caught.value.message
        assert path.name in caught.value.message
        return
    table = read_source(path)
    shapes = [] if table.geometry is None else [g for g in table.geometry if g is not None]
    assert (len(table), len(shapes), len(table.rejects)) == (
        int(row["rows"]), int(row["with_geometry"]), int(row["rejected"]))  # fmt: skip
    assert (table.crs or "") == row["crs"]
    assert all(len(values) == len(table) for values in table.columns.values())
    assert not any(g.has_z or g.is_empty for g in shapes)


def test_no_file_is_missing_from_the_table() -> None:
    words = {"LICENSE", "SOURCE.txt", "README.md", "LICENSE.txt"}
    present = {p.relative_to(DATA).as_posix() for p in DATA.rglob("*") if p.is_file() and p.name not in words}
    assert present == {row["file"] for row in EXPECTED}


def test_chinese_shapefile_without_cpg_is_no_mojibake() -> None:
    table = read_source(DATA / "derived_cn/shp_gbk_nocpg/道路_GBK.shp")
    assert list(table.columns) == ["道路编号", "道路名称", "等级", "养护单位"]
    assert table.columns["道路名称"][0] == "道路0号"
    assert table.encoding == "GBK"


def test_sheet_with_titles_above_its_header() -> None:
    table = read_source(DATA / "derived_cn/巫山村社区.xlsx", ReadOptions(sheet="村社区"))
    assert (len(table), table.row_numbers[0]) == (340, 4)
    assert table.columns["村社区代码"][0] == "500237001001"


def test_every_layer_of_a_geodatabase_reads_or_says_that_it_is_empty() -> None:
    path = DATA / "fiona/testopenfilegdb.gdb.zip"
    polygons = read_source(path, ReadOptions(layer="polygon25D"))
    assert len(polygons) == 5 and not any(g.has_z for g in polygons.geometry)
    with pytest.raises(UnreadableFile, match="没有任何要素"):
        read_source(path, ReadOptions(layer="no_field"))
    with pytest.raises(UnreadableFile, match="现有：none、point"):
        read_source(path, ReadOptions(layer="网格"))
