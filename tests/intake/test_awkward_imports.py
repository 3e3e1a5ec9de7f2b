"""Every awkward file of the shared data through the real command: loaded, or refused in words that a clerk can use."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import shapely
from sqlalchemy import func, select

from service.cli import main
from service.db.engine import Database
from service.db.spatial import raw_geometry, read_geometries
from service.intake.kinds import KINDS
from service.records.batches import DONE
from service.records.models import ImportBatch
from tests.conftest import POSTGRES, no_postgres
from tests.stores import Stores, nothing

with (Path(__file__).parent / "awkward_imports.csv").open(encoding="utf-8", newline="") as _file:
    EXPECTED = list(csv.DictReader(_file))
EXIT = {"loaded": 0, "partly": 3, "refused": 2}
# What only a programmer reads: tracebacks, exceptions, Python's and GEOS's own words.
MACHINERY = re.compile(r"Traceback|Error|Exception|Warning|GeometryCollection|MultiPolygon|LineString|None|nan|\{'")
NO_DATA = {"LICENSE", "LICENSE.txt", "SOURCE.txt", "README.md"}
ON_POSTGIS = {
    "derived_cn/道路_GBK_zip.zip",
    "derived_cn/巫山村社区_GB18030.csv",
    "fiona/testopenfilegdb.gdb.zip",
    "geojson_invalid/examples/invalid_structure/invalid_geometry_coordinates_1d.geojson",
    "geojson_invalid/examples/problematic_geometries/problematic_zero_length_linestring.geojson",
    "geojson_invalid/examples/valid/valid_geometry_geometrycollection.geojson",
    "kml/addresses.kml",
    "pyogrio/curvepolygon.gpkg",
}


@dataclass
class Store:
    """What the command writes to."""

    url: str
    folder: Path

    def contents(self, since: int = 0) -> tuple[dict[str, int], str, list[str]]:
        """(rows per table, bounding box, states of the imports) of what came after the batch `since`."""
        database = Database(self.url)
        counts: dict[str, int] = {}
        shapes: list[object] = []
        with database.read() as session:
            states = list(session.scalars(select(ImportBatch.state).where(ImportBatch.id > since)))
            for name, model in (pair for kind in KINDS.values() for pair in kind.tables.items()):
                mine = model.batch_id > since  # type: ignore[attr-defined]
                count = session.scalar(select(func.count()).select_from(model).where(mine)) or 0
                if count:
                    counts[name] = count
                if count and hasattr(model, "geom"):
                    shapes += list(read_geometries(list(session.scalars(select(raw_geometry(model.geom)).where(mine)))))
        database.close()
        found = [shape for shape in shapes if shape is not None]
        box = " ".join(f"{value:.3f}" for value in shapely.total_bounds(found)) if found else ""
        return counts, box, states

    def last_batch(self) -> int:
        database = Database(self.url)
        with database.read() as session:
            last = session.scalar(select(func.max(ImportBatch.id))) or 0
        database.close()
        return int(last)


@dataclass
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str
    summary: dict[str, object] = field(default_factory=dict)

    @property
    def words(self) -> str:
        return "\n".join([self.err, *map(str, self.summary.get("warnings", []))])


class Command:
    """`python -m service import …` in this process, warnings being errors."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._patch, self._captured = monkeypatch, capsys

    def __call__(self, store: Store, *words: str) -> Said:
        self._patch.setenv("DATA_DIR", str(store.folder))
        self._patch.setenv("DATABASE_URL", store.url)
        self._patch.setattr(sys, "argv", ["service", "import", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = self._captured.readouterr()
        summary = json.loads(said.out) if said.out else {}
        return Said(int(ended.value.code or 0), said.out, said.err, summary)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(monkeypatch, capsys)


@pytest.fixture
def geopackage(stores: Stores, tmp_path: Path) -> Iterator[Store]:
    """Every file gets a store of its own."""
    with stores.copied("gpkg", nothing, tmp_path) as url:
        yield Store(url, tmp_path)


@pytest.fixture(scope="module")
def postgis(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    if not POSTGRES:
        no_postgres()
    folder = tmp_path_factory.mktemp("postgis")
    with stores.copied("postgis", nothing, folder) as url:
        yield Store(url, folder)


def short(row: dict[str, str]) -> str:
    return row["file"].rsplit("/", 1)[-1]


@pytest.mark.parametrize("row", EXPECTED, ids=short)
def test_every_awkward_file(row: dict[str, str], geopackage: Store, command: Command, shared_data: Path) -> None:
    check(row, geopackage, command, shared_data / "awkward")


@pytest.mark.parametrize("row", [row for row in EXPECTED if row["file"] in ON_POSTGIS], ids=short)
def test_some_of_them_on_postgis(row: dict[str, str], postgis: Store, command: Command, shared_data: Path) -> None:
    check(row, postgis, command, shared_data / "awkward")


def check(row: dict[str, str], store: Store, command: Command, folder: Path) -> None:
    """The verdict, the place, the words; nothing half stored; a second time nothing changes."""
    words = (row["kind"], str(folder / row["file"]), *row["options"].split())
    before = store.last_batch()
    said = command(store, *words)
    counts, box, states = store.contents(before)
    assert said.code == EXIT[row["verdict"]], said.err
    assert sum(counts.values()) == int(row["rows_loaded"])
    assert box == row["where"]
    assert row["words"] in said.words
    name = row["file"].rsplit("/", 1)[-1]
    assert not MACHINERY.search(said.err.replace(name, ""))
    if row["verdict"] == "refused":
        assert states == []
        assert name in said.err
        assert said.summary.get("accepted", 0) == 0
        return
    assert states == [DONE]
    assert said.summary["accepted"] == int(row["rows_loaded"])
    if int(row["rows_loaded"]) == 1:
        return  # a second time is for those whose rows have to be told apart
    again = command(store, *words)
    assert (again.code, again.summary["unchanged"]) == (said.code, said.summary["accepted"])
    assert store.contents(before)[0] == counts


def test_the_table_and_the_folder_agree(shared_data: Path) -> None:
    folder = shared_data / "awkward"
    present = [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.name not in NO_DATA]
    assert sorted(present) == sorted(row["file"] for row in EXPECTED)


def test_only_what_has_nothing_usable_is_refused() -> None:
    """Each refusal gives one of these reasons; another one has to be argued here."""
    reasons = (
        "没有图形", "没有任何要素", "不是要素", "应是一列要素", "应是图形", "没有坐标", "一对坐标也没有", "围不成面",
        "有不止一种改法", "超出经纬度的范围", "只是 Shapefile 的索引",
    )  # fmt: skip
    refused = [row for row in EXPECTED if row["verdict"] == "refused"]
    assert len(refused) < len(EXPECTED) / 4
    for row in refused:
        assert any(reason in row["words"] for reason in reasons), row


def test_a_workbook_and_a_geodatabase_ask_which_part_is_meant(
    geopackage: Store, command: Command, shared_data: Path
) -> None:
    folder = shared_data / "awkward"
    sheets = command(geopackage, "communities", str(folder / "derived_cn" / "巫山村社区.xlsx"))
    assert sheets.code == 2 and "--sheet 村社区" in sheets.err
    layers = command(geopackage, "places", str(folder / "fiona" / "testopenfilegdb.gdb.zip"))
    assert layers.code == 2 and "--layer" in layers.err and "multipatch" in layers.err
    assert geopackage.contents() == ({}, "", [])


def written(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("kind", ["people", "communities", "organisations"])
def test_numbers_for_repeated_codes_are_free_ones(kind: str, geopackage: Store, command: Command) -> None:
    """0 and 0-2 are taken by other rows: the second 0 becomes 0-3."""
    path = written(geopackage.folder, "重复.csv", "编码,姓名,名称\n0,甲,甲\n0-2,乙,乙\n0,丙,丙\n")
    names = {"organisations": "name=名称", "communities": "name=名称", "people": "name=姓名"}
    said = command(geopackage, kind, path, "--map", names[kind], "--duplicates", "number")
    assert (said.code, said.summary["accepted"]) == (0, 3)
    again = command(geopackage, kind, path, "--map", names[kind], "--duplicates", "number")
    assert again.summary["unchanged"] == 3


def test_rows_without_code_that_are_alike_are_told_so(geopackage: Store, command: Command) -> None:
    path = written(geopackage.folder, "人员.csv", "姓名,电话\n张三,13800001111\n张三,13800001111\n")
    said = command(geopackage, "people", path)
    assert said.code == 3
    assert "没有编码，内容又和第 2 行一样" in said.err


def test_places_from_two_columns(geopackage: Store, command: Command) -> None:
    path = written(geopackage.folder, "场所.csv", "名称,类别,经度,纬度\n东市场,菜市场,109.88,31.07\n")
    assert command(geopackage, "places", path).code == 0
    assert geopackage.contents() == ({"places": 1}, "109.880 31.070 109.880 31.070", [DONE])


def test_mixed_shapes_with_a_twisted_polygon_among_them(geopackage: Store, command: Command) -> None:
    """GEOS can't unite such parts; the row is refused in words."""
    twisted = [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]
    parts = [{"type": "Polygon", "coordinates": twisted}, {"type": "Polygon", "coordinates": [twisted[0][::-1]]}]
    text = json.dumps({"type": "GeometryCollection", "geometries": [*parts, {"type": "Point", "coordinates": [1, 1]}]})
    said = command(geopackage, "buildings", written(geopackage.folder, "楼.geojson", text))
    assert said.code == 2 and "有不止一种改法" in said.err
    assert geopackage.contents() == ({}, "", [])
