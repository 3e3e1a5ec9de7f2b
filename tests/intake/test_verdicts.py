"""Files that are wrong in the ways that offices' files are: a clear verdict, and nothing half stored."""

from __future__ import annotations

import csv
import gzip
import json
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from sqlalchemy import select

from service.db.spatial import raw_geometry, read_geometries
from service.errors import UnreadableFile
from service.geo.crs import MetricFrame, gcj02_to_bd09, wgs84_to_gcj02
from service.grids.models import Grid, TilingFault
from service.incidents.models import Incident
from service.people.models import Person
from service.places.models import Building
from tests.intake.conftest import Columns, Office, counts, features, incidents, rejects, square, write
from tests.test_cli import Terminal

HERE = [(109.8803 + i * 0.0002, 31.0705 + i * 0.0001) for i in range(6)]
GRID = "500237002001001"


def shifted(move: Callable[..., Any]) -> Any:
    return np.column_stack(move(*np.array(HERE).T)).tolist()


def to_bd09(lon: np.ndarray, lat: np.ndarray) -> Any:
    return gcj02_to_bd09(*wgs84_to_gcj02(lon, lat))


class TestPlaces:
    """Coordinates that can't be right."""

    def test_all_swapped_in_columns(self, office: Office) -> None:
        before = office.holds()
        done = office.bring("incidents", office.put("a.csv", incidents((y, x) for x, y in HERE)))
        assert (counts(done), done.exit_code) == ((6, 0, 6, 0, 0), 2)
        assert all("经纬度像是对调了" in line for line in done.messages)
        assert office.holds() == before

    def test_all_swapped_in_shapes(self, office: Office) -> None:
        assert "经纬度像是对调了" in office.refuses(
            "incidents", office.put("a.geojson", features((y, x) for x, y in HERE))
        )

    @pytest.mark.parametrize("form", ["csv", "geojson"])
    @pytest.mark.parametrize(
        ("place", "says"), [((31.0705, 109.8803), "对调"), ((0, 0), "没有定位"), ((200, 31.07), "超出")]
    )
    def test_one_row_among_good_ones(self, office: Office, form: str, place: Any, says: str) -> None:
        places = [*HERE, place]
        path = office.put(f"a.{form}", incidents(places) if form == "csv" else features(places))
        out = office.folder / "退回.csv"
        done = office.bring("incidents", path, rejects=out)
        assert (counts(done), done.exit_code) == ((7, 6, 1, 0, 0), 3)
        (row,) = rejects(out)
        assert says in row["原因"]
        assert row["行号"] == ("8" if form == "csv" else "7")
        assert office.numbers() == [f"A{i}" for i in range(6)]

    @pytest.mark.parametrize("kind", ["communities", "grids"])
    def test_numbers_beyond_all_measure(self, office: Office, kind: str) -> None:
        """Judged before anything is computed with them: warnings of the geometry library are errors here."""
        ring = [[1e300, 31], [109, 31], [109, 1e300], [1e300, 31]]
        shape = {"type": "Polygon", "coordinates": [ring]}
        one = {"type": "Feature", "properties": {"编码": "X1", "名称": "远"}, "geometry": shape}
        text = json.dumps({"type": "FeatureCollection", "features": [one] * 6}, ensure_ascii=False)
        done = office.bring(kind, office.put("大数.geojson", text))
        assert counts(done)[:3] == (6, 0, 6)
        assert "坐标超出经纬度的范围" in done.messages[0]

    def test_whole_degrees(self, office: Office) -> None:
        """In two columns they are a default value; a shape may have been drawn there, and is told."""
        places = [*HERE, (110, 31)]
        done = office.bring("incidents", office.put("a.geojson", features(places)), dry_run=True)
        assert any("整度数" in line and "第 7 行" in line for line in done.summary["warnings"])
        done = office.bring("incidents", office.put("a.csv", incidents(places)))
        assert counts(done) == (7, 6, 1, 0, 0)
        assert "整度数" in done.messages[0] and "第 8 行" in done.messages[0]

    @pytest.mark.parametrize("form", ["csv", "geojson"])
    @pytest.mark.parametrize(("system", "move"), [("gcj02", wgs84_to_gcj02), ("bd09", to_bd09)])
    def test_chinese_systems_taken_for_wgs84(
        self, office: Office, form: str, system: str, move: Callable[..., Any]
    ) -> None:
        """Undeclared: refused with the option to add. Declared as WGS-84: told. Declared right: in its grid."""
        places = shifted(move)
        path = office.put(f"a.{form}", incidents(places) if form == "csv" else features(places))
        assert f"--crs {system}" in office.refuses("incidents", path)
        told = office.bring("incidents", path, crs="EPSG:4326", dry_run=True)
        assert any(f"像是 {system} 坐标" in line for line in told.summary["warnings"])
        done = office.bring("incidents", path, crs=system)
        assert (counts(done), done.exit_code) == ((6, 6, 0, 0, 0), 0)
        with office.database.read() as session:
            assert set(session.scalars(select(Incident.grid_code))) == {GRID}
            stored = read_geometries(
                list(session.scalars(select(raw_geometry(Incident.geom)).order_by(Incident.number)))
            )
        assert np.abs(shapely.get_coordinates(stored) - np.array(HERE)).max() < 1e-6

    def test_projected_numbers_need_their_system(self, office: Office) -> None:
        """DOMAIN's check point in EPSG:4546."""
        path = office.put("a.csv", incidents([(393110.235, 3439274.437)]))
        before = office.holds()
        done = office.bring("incidents", path)
        assert done.exit_code == 2 and "--crs" in done.messages[0]
        assert office.holds() == before
        assert office.bring("incidents", path, crs="EPSG:4546").exit_code == 0


NOTATIONS = [
    "2026-11-20 08:30", "2026/11/20 8:30", "2026年11月20日 8时30分", "20261120083000", "2026-11-20T00:30:00Z",
    "11/20/2026 08:30:00 AM", "46346.3541666667", "1795134600", "2026.11.20 08:30", "20-Nov-2026 08:30",
]  # fmt: skip


class TestCells:
    """Dates, codes, words."""

    @pytest.mark.parametrize("notation", NOTATIONS)
    def test_a_moment_in_each_notation(self, office: Office, notation: str) -> None:
        """Half past eight in Shanghai; the eighth and ninth are Excel's and Unix's numbers."""
        done = office.bring("incidents", office.put("a.csv", f"编号,上报时间\nA1,{notation}\n"))
        assert counts(done) == (1, 1, 0, 0, 0)
        with office.database.read() as session:
            assert session.scalar(select(Incident.reported_at)) == datetime(2026, 11, 20, 0, 30, tzinfo=UTC)

    def test_all_notations_in_one_column(self, office: Office) -> None:
        rows = "".join(f"A{i},{notation}\n" for i, notation in enumerate(NOTATIONS))
        assert office.bring("incidents", office.put("a.csv", "编号,上报时间\n" + rows)).exit_code == 0
        with office.database.read() as session:
            assert set(session.scalars(select(Incident.reported_at))) == {datetime(2026, 11, 20, 0, 30, tzinfo=UTC)}

    def test_no_date(self, office: Office) -> None:
        text = "编号,上报时间\nA1,去年冬天\nA2,2026-02-30\nA3,\nA4,2026-11-20\n"
        out = office.folder / "退回.csv"
        done = office.bring("incidents", office.put("a.csv", text), rejects=out)
        assert (counts(done), done.exit_code) == ((4, 1, 3, 0, 0), 3)
        assert [(row["行号"], row["字段"], row["值"]) for row in rejects(out)] == [
            ("2", "reported_at", "去年冬天"),
            ("3", "reported_at", "2026-02-30"),
            ("4", "reported_at", ""),
        ]
        assert ["看不懂" in rejects(out)[0]["原因"], "没有这个日期" in rejects(out)[1]["原因"]] == [True, True]
        assert office.numbers() == ["A4"]

    @pytest.mark.parametrize(
        ("kind", "header", "row", "field", "longest"),
        [
            ("people", "工号,姓名", "L1,{}", "name", 200),
            ("people", "工号,姓名", "{},甲", "code", 100),
            ("people", "工号,姓名,备注", "L1,甲,{}", "notes", 5_000),
            ("incidents", "编号,上报时间,描述", "A1,2026-11-01,{}", "description", 20_000),
            ("incidents", "编号,上报时间,地址", "A1,2026-11-01,{}", "address", 500),
        ],
    )
    def test_texts_beyond_what_a_field_takes(
        self, office: Office, kind: str, header: str, row: str, field: str, longest: int
    ) -> None:
        rows = [row.format("长" * length) for length in (longest + 1, longest)]
        rows[1] = rows[1].replace("L1", "L2").replace("A1", "A2")
        out = office.folder / "退回.csv"
        done = office.bring(kind, office.put("a.csv", "\n".join([header, *rows]) + "\n"), rejects=out)
        assert counts(done) == (2, 1, 1, 0, 0)
        assert [(one["行号"], one["字段"]) for one in rejects(out)] == [("2", field)]
        assert f"有 {longest + 1} 个字，最多 {longest} 个" in rejects(out)[0]["原因"]

    def test_repeated_codes_name_both_rows(self, office: Office) -> None:
        text = "工号,姓名\nL101,甲\nL102,乙\nL101,丙\nL103,丁\nL102,戊\n"
        out = office.folder / "退回.csv"
        done = office.bring("people", office.put("a.csv", text), rejects=out)
        assert (counts(done), done.summary["rejects"]) == ((5, 3, 2, 0, 0), str(out))
        assert list(rejects(out)[0]) == ["行号", "字段", "值", "原因"]
        assert [(row["行号"], row["字段"], row["值"]) for row in rejects(out)] == [
            ("4", "code", "L101"),
            ("6", "code", "L102"),
        ]
        assert "第 2 行" in rejects(out)[0]["原因"] and "第 3 行" in rejects(out)[1]["原因"]
        with office.database.read() as session:
            kept = dict(session.execute(select(Person.code, Person.name).where(Person.code.like("L1%"))).all())
        assert kept == {"L101": "甲", "L102": "乙", "L103": "丁"}

    @pytest.mark.parametrize(
        ("spoil", "says"),
        [
            (lambda text: text.encode().decode("cp1252", errors="replace"), "乱码"),
            (lambda text: text.encode().decode("gbk", errors="replace"), "应是“"),
            (lambda text: "工号,姓名\n1,锟斤拷锟斤拷\n2,锟斤拷烫烫\n", "乱码"),
            (lambda text: text.encode("gbk").decode("utf-8", errors="replace"), "乱码"),
        ],
        ids=["UTF-8 as Western", "UTF-8 as GBK", "lost for good", "GBK as UTF-8"],
    )
    def test_mojibake(self, office: Office, spoil: Callable[[str], str], says: str) -> None:
        text = "工号,姓名,单位\nL101,欧阳建国,聚鹤社区\nL102,诸葛秀英,龙江社区\nL103,司马小军,龙水社区\n"
        assert says in office.refuses("people", office.put("a.csv", spoil(text)))

    def test_the_wrong_encoding_asked_for(self, office: Office) -> None:
        text = "工号,姓名,单位\nL101,欧阳建国,聚鹤社区\nL102,诸葛秀英,龙江社区\nL103,司马小军,龙水社区\n"
        assert "乱码" in office.refuses("people", office.put("a.csv", text), encoding="GBK")
        assert "--encoding" in office.refuses("people", office.put("b.csv", text, "gbk"), encoding="UTF-8")

    @pytest.mark.parametrize(
        "text", ["<script>alert(1)</script>", "=cmd|' /C calc'!A0", "@SUM(1)", "'; DROP TABLE persons"]
    )
    def test_hostile_text_is_text(self, office: Office, text: str) -> None:
        """Stored as it was written; harmless in the file of rejects, which a spreadsheet opens."""
        out = office.folder / "退回.csv"
        path = office.folder / "a.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["工号", "姓名"], ["L101", text], [text, "甲"], [text, "乙"]])
        done = office.bring("people", path, rejects=out)
        assert counts(done) == (3, 2, 1, 0, 0)
        with office.database.read() as session:
            assert session.scalar(select(Person.name).where(Person.code == "L101")) == text
            assert session.scalar(select(Person.code).where(Person.name == "甲")) == text.removeprefix("'")
        (row,) = rejects(out)
        assert row["值"].removeprefix("'") == text.removeprefix("'")
        assert row["值"][0] not in "=+-@"


class TestFiles:
    """Files as such."""

    @pytest.mark.parametrize(
        ("name", "content", "says"),
        [
            ("空.csv", "", "空文件"),
            ("空.geojson", "", "空文件"),
            ("空白.csv", " \n\n \n", "只有空白"),
            ("表头.csv", "编号,上报时间,经度,纬度\n", "只有表头"),
            ("没有要素.geojson", '{"type": "FeatureCollection", "features": []}', "没有任何要素"),
            ("半截.geojson", '{"type": "FeatureCollection", "features": [', "文件不完整"),
            ("半截.zip", b"PK\x03\x04half", "压缩包"),
            ("说明.pdf", b"%PDF-1.7", "PDF"),
        ],
    )
    def test_nothing_in_it(self, office: Office, name: str, content: str | bytes, says: str) -> None:
        words = office.refuses("incidents", office.put(name, content))
        assert says in words and name in words

    def test_a_column_that_must_be_there(self, office: Office) -> None:
        words = office.refuses("incidents", office.put("a.csv", "编号,经度,纬度\nA1,109.88,31.07\n"))
        assert "上报时间" in words and "--map reported_at=列名" in words and "编号、经度、纬度" in words

    def test_formats_that_nobody_listed(self, office: Office) -> None:
        path = office.folder / "a.fgb"
        frame = gpd.GeoDataFrame({"编号": ["A1"]}, geometry=[shapely.Point(HERE[0])], crs="EPSG:4326")
        pyogrio.write_dataframe(frame, path, driver="FlatGeobuf")
        assert "GeoJSON" in office.refuses("incidents", path)

    def test_a_mac_and_nested_folders_in_a_zip(self, office: Office) -> None:
        path = office.folder / "a.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("成果/2026/", "")
            archive.writestr("成果/2026/事项.csv", incidents(HERE))
            archive.writestr("__MACOSX/成果/2026/._事项.csv", b"\x00\x05\x16\x07Mac OS X")
            archive.writestr("成果/.DS_Store", b"\x00\x00\x00\x01Bud1")
        done = office.bring("incidents", path)
        assert (counts(done), done.exit_code) == ((6, 6, 0, 0, 0), 0)
        assert any("事项.csv" in line for line in done.summary["warnings"])

    def test_several_data_sets_or_a_zip_in_a_zip(self, office: Office) -> None:
        two, inner, outer = (office.folder / name for name in ("two.zip", "inner.zip", "outer.zip"))
        with zipfile.ZipFile(two, "w") as archive:
            archive.writestr("甲.csv", incidents(HERE))
            archive.writestr("乙/乙.csv", incidents(HERE[:2]))
        assert "--layer" in office.refuses("incidents", two)
        assert counts(office.bring("incidents", two, layer="乙")) == (2, 2, 0, 0, 0)
        with zipfile.ZipFile(inner, "w") as archive:
            archive.writestr("甲.csv", incidents(HERE))
        with zipfile.ZipFile(outer, "w") as archive:
            archive.write(inner, "inner.zip")
        assert "解压一层" in office.refuses("incidents", outer)

    @pytest.mark.parametrize("form", ["zip", "csv.gz"])
    def test_a_gigabyte_of_zeros(self, office: Office, form: str) -> None:
        """Refused within five seconds and 200 MB."""
        path = office.folder / f"炸弹.{form}"
        block = bytes(1 << 20)
        if form == "zip":
            archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
            with archive, archive.open("a.csv", "w", force_zip64=True) as member:
                for _ in range(1024):
                    member.write(block)
        else:
            path.write_bytes(gzip.compress(block) * 1024)
        assert path.stat().st_size < 8 << 20
        tracemalloc.start()
        began = time.perf_counter()
        with pytest.raises(UnreadableFile, match="压缩炸弹"):
            office.bring("incidents", path)
        taken, (_, peak) = time.perf_counter() - began, tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert taken < 5 and peak < 200 << 20
        assert office.numbers() == []

    def test_one_bad_file_of_several_stores_none(self, office: Office) -> None:
        good = office.put("a.csv", incidents(HERE))
        assert "b.csv" in office.refuses("incidents", good, office.put("b.csv", ""))


BOW_TIE = "POLYGON((109.8801 31.0701,109.8803 31.0703,109.8803 31.0701,109.8801 31.0703,109.8801 31.0701))"
SPIKE = (
    "POLYGON((109.8805 31.0705,109.8807 31.0705,109.8807 31.0707,109.8807 31.0709,109.8807 31.0707,"
    "109.8805 31.0707,109.8805 31.0705))"
)
LINE_ONLY = "POLYGON((109.881 31.071,109.8812 31.071,109.881 31.071,109.881 31.071))"


class TestShapes:
    """Polygons that are invalid, zones that don't tile."""

    def test_repaired_only_where_one_meaning_is_left(self, office: Office) -> None:
        rows = [("B1", BOW_TIE), ("B2", SPIKE), ("B3", LINE_ONLY), ("B4", square(0.001, 0.001, 0.0002).wkt)]
        path = office.put("a.csv", "编号;图形\n" + "".join(f"{code};{shape}\n" for code, shape in rows))
        out = office.folder / "退回.csv"
        done = office.bring("buildings", path, rejects=out)
        assert counts(done) == (4, 2, 2, 0, 0)
        assert [(row["行号"], row["字段"]) for row in rejects(out)] == [("2", "geometry"), ("4", "geometry")]
        assert "不止一种改法" in rejects(out)[0]["原因"] and "围不成面" in rejects(out)[1]["原因"]
        assert any("已自动修复" in line and "第 3 行" in line for line in done.summary["warnings"])
        with office.database.read() as session:
            query = select(raw_geometry(Building.geom)).order_by(Building.code)
            stored = read_geometries(list(session.scalars(query)))
        assert shapely.is_valid(stored).all()
        assert stored[0].symmetric_difference(shapely.box(109.8805, 31.0705, 109.8807, 31.0707)).area < 1e-15

    def tiling(self, folder: Path) -> Path:
        """The second community's grids: two overlap by 20 m, a strip is left, one hangs over by 10 m."""
        x, y = 109.89, 31.07
        boxes = [(x, x + 0.0012), (x + 0.001, x + 0.002), (x + 0.0022, x + 0.0041)]
        shapes = [shapely.box(west, y, east, y + 0.002) for west, east in boxes]
        codes = [f"50023700200200{i}" for i in (1, 2, 3)]
        columns: Columns = {"网格编码": codes, "社区编码": ["500237002002"] * 3}
        return write(folder, "geojson", "UTF-8", columns, shapes)

    def test_tiling_faults_are_told_written_and_stored(self, either_office: Office) -> None:
        office = either_office
        home = f'编码,名称,WKT\n500237002002,龙江社区,"{shapely.box(109.89, 31.07, 109.894, 31.072).wkt}"\n'
        assert office.bring("communities", office.put("c.csv", home)).exit_code == 0
        out = office.folder / "问题.geojson"
        done = office.bring("grids", self.tiling(office.folder), faults=out)
        assert (counts(done), done.exit_code) == ((3, 3, 0, 0, 0), 0)
        found = {one["properties"]["kind"]: one for one in json.loads(out.read_text())["features"]}
        assert set(found) == {"overlap", "gap", "overhang"}
        codes = {kind: one["properties"]["codes"] for kind, one in found.items()}
        assert codes["overlap"] == ["500237002002001", "500237002002002"]
        assert codes["gap"] == ["500237002002002", "500237002002003"]
        assert codes["overhang"] == ["500237002002003"]
        for kind, west, east in (("overlap", 0.001, 0.0012), ("gap", 0.002, 0.0022), ("overhang", 0.004, 0.0041)):
            place = shapely.box(109.89 + west, 31.07, 109.89 + east, 31.072)
            shape = shapely.from_geojson(json.dumps(found[kind]["geometry"]))
            assert shape.symmetric_difference(place).area < 1e-12
            area = shapely.area(MetricFrame(109.892, 31.071).geometries(np.array([place])))[0]
            assert found[kind]["properties"]["area_m2"] == pytest.approx(area, rel=1e-3)
        said = " ".join(done.summary["warnings"])
        assert all(word in said for word in ("重叠", "空隙", "越界", "m²", "109.89"))
        with office.database.read() as session:
            assert set(session.scalars(select(TilingFault.kind))) == {"overlap", "gap", "overhang"}

    def test_strict_stores_no_faulty_tiling(self, either_office: Office) -> None:
        office = either_office
        out = office.folder / "问题.geojson"
        words = office.refuses("grids", self.tiling(office.folder), strict=True, faults=out)
        assert "--strict" in words and "界线问题" in words
        assert {one["properties"]["kind"] for one in json.loads(out.read_text())["features"]} >= {"overlap", "gap"}


class TestTheWholeImport:
    """--dry-run, --strict, a second time; on both stores."""

    TEXT = incidents([*HERE, (0, 0)])

    def test_a_dry_run_judges_and_stores_nothing(self, either_office: Office) -> None:
        office = either_office
        before = office.holds()
        path, out = office.put("a.csv", self.TEXT), office.folder / "退回.csv"
        tried = office.bring("incidents", path, dry_run=True, rejects=out)
        assert (counts(tried), tried.exit_code) == ((7, 6, 1, 0, 0), 3)
        assert [row["行号"] for row in rejects(out)] == ["8"]
        assert office.holds() == before
        done = office.bring("incidents", path)
        assert (done.summary | {"rejects": str(out)}, done.messages) == (tried.summary, tried.messages)

    def test_strict_with_a_reject_stores_nothing(self, either_office: Office) -> None:
        office = either_office
        out = office.folder / "退回.csv"
        words = office.refuses("incidents", office.put("a.csv", self.TEXT), strict=True, rejects=out)
        assert "1 行被拒收" in words and "什么也没有存入" in words
        assert [(row["行号"], row["值"]) for row in rejects(out)] == [("8", "0, 0")]
        assert office.bring("incidents", office.put("b.csv", incidents(HERE)), strict=True).exit_code == 0

    def test_a_second_time_changes_nothing(self, either_office: Office) -> None:
        office = either_office
        path = office.put("a.csv", incidents(HERE))
        assert counts(office.bring("incidents", path)) == (6, 6, 0, 0, 0)
        before = office.holds()["incidents"]
        assert counts(office.bring("incidents", path)) == (6, 6, 0, 0, 6)
        assert office.holds()["incidents"] == before
        changed = office.put("b.csv", incidents([*HERE[:5], (109.8812, 31.0715), (109.8813, 31.0715)]))
        assert counts(office.bring("incidents", changed)) == (7, 7, 0, 1, 5)
        assert office.numbers() == [f"A{i}" for i in range(7)]

    def test_grids_a_second_time(self, either_office: Office) -> None:
        """Neither editions nor grids nor faults double."""
        office = either_office
        path = TestShapes().tiling(office.folder)
        assert office.bring("grids", path).exit_code == 0
        names = ("grids", "editions")
        before = {name: office.holds()[name] for name in names}
        faults = len(office.holds()["tiling_faults"])
        assert counts(office.bring("grids", path)) == (3, 3, 0, 0, 3)
        assert {name: office.holds()[name] for name in names} == before
        assert len(office.holds()["tiling_faults"]) == faults > 0
        with office.database.read() as session:
            assert len(session.scalars(select(Grid.code)).all()) == 4


def test_exit_codes_and_the_last_line(tmp_path: Path) -> None:
    """0 all accepted, 3 some rejected, 2 nothing stored; one JSON object last, the reasons on stderr."""
    terminal = Terminal(tmp_path)
    path = tmp_path / "a.csv"
    for places, words, code in ((HERE, (), 0), ([*HERE, (0, 0)], (), 3), ([*HERE, (0, 0)], ("--strict",), 2)):
        path.write_text(incidents(places), encoding="utf-8")
        done = terminal.run("import", "incidents", str(path), *words)
        assert done.returncode == code, done.stderr
        if code != 2:
            summary = json.loads(done.stdout.splitlines()[-1])
            assert (summary["accepted"], summary["rejected"]) == (6, len(places) - 6)
        assert ("没有定位" in done.stderr) == (code == 3)
    assert done.stderr.startswith("错误：--strict") and not done.stdout
