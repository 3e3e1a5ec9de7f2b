"""What is made for the test: broken, hostile and odd files of every format."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyogrio
import pytest
import shapely

from service.errors import UnreadableFile
from service.files import archives
from service.files.reader import ReadOptions, SourceTable, read_source

CSV = "编码,名称,户数\n001,甲网格,12\n002,乙网格,\n"


def saved(folder: Path, name: str, content: bytes | str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def shapefile(folder: Path, stem: str, names: list[str], encoding: str = "GBK", cpg: bool = False) -> Path:
    points = shapely.to_wkb(shapely.points([[109.88 + i / 100, 31.07] for i in range(len(names))]))
    path = folder / f"{stem}.shp"
    pyogrio.raw.write(
        path, points, [np.array(names, dtype=object)], ["名称"], geometry_type="Point", crs="EPSG:4326",
        encoding=encoding, driver="ESRI Shapefile",
    )  # fmt: skip
    if not cpg:
        path.with_suffix(".cpg").unlink()
    return path


def refused(path: Path, options: ReadOptions | None = None) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read_source(path, options)
    assert path.name in caught.value.message
    return str(caught.value.message)


def rows(table: SourceTable) -> list[tuple[Any, ...]]:
    return list(zip(*table.columns.values(), strict=True))


_POINT = '{"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [109.88, 31.07]}}'


class TestTables:
    def test_a_lone_quote_and_nothing_else(self, tmp_path: Path) -> None:
        """Blank text that pandas gives no rows for."""
        for text in ('a\n""\n', "a\n \n", "{}", 'a,b\n"', "a,b\n\x00\n"):
            path = saved(tmp_path, "表.csv", text)
            try:
                read_source(path)
            except UnreadableFile as error:
                assert path.name in error.message

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
    @pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
    @pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
    def test_every_encoding_delimiter_and_newline(
        self, tmp_path: Path, encoding: str, delimiter: str, newline: str
    ) -> None:
        path = saved(tmp_path, "表.csv", CSV.replace(",", delimiter).replace("\n", newline), encoding)
        table = read_source(path)
        assert list(table.columns) == ["编码", "名称", "户数"]
        assert rows(table) == [("001", "甲网格", "12"), ("002", "乙网格", None)]
        assert table.row_numbers.tolist() == [2, 3]

    def test_characters_beyond_gbk(self, tmp_path: Path) -> None:
        path = saved(tmp_path, "表.csv", "姓名,网格\n李𠮷,一\n王㐂,二\n张龑,三\n", "gb18030")
        table = read_source(path)
        assert table.columns["姓名"].tolist() == ["李𠮷", "王㐂", "张龑"]
        assert table.encoding == "GB18030"

    def test_row_numbers_are_lines_of_the_file(self, tmp_path: Path) -> None:
        text = '编码,说明\n1,"两\n行"\n\n2,一行\n3,"又,""是\n\n三行"\n4,完\n'
        table = read_source(saved(tmp_path, "表.csv", text))
        assert table.row_numbers.tolist() == [2, 5, 6, 9]
        assert table.columns["说明"].tolist() == ["两\n行", "一行", '又,"是\n\n三行', "完"]

    def test_a_row_with_too_many_cells_is_rejected_alone(self, tmp_path: Path) -> None:
        table = read_source(saved(tmp_path, "表.csv", "编码,地址\n1,平湖路1号,二楼\n2,平湖路2号\n3\n4,平湖路4号,\n"))
        assert table.columns["编码"].tolist() == ["2", "3", "4"]
        assert table.columns["地址"].tolist() == ["平湖路2号", None, "平湖路4号"]
        assert [(r.row, "引号" in r.reason) for r in table.rejects] == [(2, True)]
        assert table.row_numbers.tolist() == [3, 4, 5]

    def test_a_quote_that_nobody_closed_swallows_nothing(self, tmp_path: Path) -> None:
        lines = [f"{i},路{i}号" for i in range(200)]
        lines[7] = '7,"路7号'
        table = read_source(saved(tmp_path, "表.csv", "编码,地址\n" + "\n".join(lines) + "\n"))
        assert len(table) == 200
        assert table.columns["地址"][7] == "路7号"
        assert any("第 9 行有一个引号没有闭合" in note for note in table.notes)

    @pytest.mark.parametrize(
        ("lines", "codes", "rejected"),
        [
            (['1,"路1', "2,路2"], ["1", "2"], []),
            (['1,"路1', "2,路2", '3,"路3', "4,路4"], ["1", "2", "3", "4"], []),
            (['1,"路1', "2,路2", '3,"路3,又",', "4,路4"], ["1", "2", "3", "4"], []),
            (['1,"路1,二楼', "2,路2"], ["2"], [2]),
            (['1,"路', '1"', '2,"路2', '"'], ["1", "2"], []),
        ],
        ids=["at the end", "two of them", "before a good one", "with a comma", "closed ones"],
    )
    def test_a_stray_quote_costs_its_own_row_at_most(
        self, tmp_path: Path, lines: list[str], codes: list[str], rejected: list[int]
    ) -> None:
        table = read_source(saved(tmp_path, "表.csv", "编码,地址\n" + "\n".join(lines) + "\n"))
        assert table.columns["编码"].tolist() == codes
        assert [r.row for r in table.rejects] == rejected
        assert all("引号" in r.reason and "没有闭合" in r.reason for r in table.rejects)

    def test_titles_above_the_header(self, tmp_path: Path) -> None:
        text = "龙门街道网格一览表,,\n填表人：张三,,\n编码,名称,户数\n1,甲,3\n"
        table = read_source(saved(tmp_path, "表.csv", text))
        assert list(table.columns) == ["编码", "名称", "户数"]
        assert table.row_numbers.tolist() == [4]

    def test_header_row_as_told(self, tmp_path: Path) -> None:
        path = saved(tmp_path, "表.csv", "a,b\nc,d\n1,2\n")
        assert list(read_source(path, ReadOptions(header_row=2)).columns) == ["c", "d"]
        assert rows(read_source(path, ReadOptions(header_row=0)))[0] == ("a", "b")
        assert "--header-row" in refused(path, ReadOptions(header_row=9))

    def test_two_spoilt_words_and_no_good_one_are_refused(self, tmp_path: Path) -> None:
        spoilt = "聚鹤社区,龙江社区".encode().decode("gbk")
        assert "“鑱氶工绀惧尯”应是“聚鹤社区”" in refused(saved(tmp_path, "表.csv", f"code,name\n1,{spoilt}\n"))

    @pytest.mark.parametrize("text", ["暴露垃圾".encode().decode("gbk"), "锟斤拷"])
    def test_a_spoilt_word_among_good_ones_is_told(self, tmp_path: Path, text: str) -> None:
        table = read_source(saved(tmp_path, "表.csv", f"上报时间,编号,描述\n2026-11-01,M1,{text}\n"))
        assert len(table) == 1
        assert any("乱码" in note and text[:3] in note for note in table.notes)

    @pytest.mark.parametrize(
        ("name", "text", "options", "says"),
        [
            ("表.csv", "a,b\n1,2\n", ReadOptions(sheet="x"), "没有工作表“x”。去掉 --sheet"),
            ("表.csv", "a,b\n1,2\n", ReadOptions(layer="zz"), "没有图层“zz”。去掉 --layer"),
            ("表.csv", "a,b\n1,2\n", ReadOptions(header_row=-5), "不可能在第 -5 行"),
            ("点.geojson", _POINT, ReadOptions(layer="zz"), "没有图层“zz”"),
            ("点.geojson", _POINT, ReadOptions(sheet="x"), "没有工作表“x”"),
            ("点.geojson", _POINT, ReadOptions(header_row=1), "去掉 --header-row"),
        ],
    )
    def test_an_option_without_a_use_is_refused(
        self, tmp_path: Path, name: str, text: str, options: ReadOptions, says: str
    ) -> None:
        assert says in refused(saved(tmp_path, name, text), options)

    def test_excels_own_delimiter_line(self, tmp_path: Path) -> None:
        table = read_source(saved(tmp_path, "表.csv", "sep=;\n编码;名称\n1;甲\n"))
        assert rows(table) == [("1", "甲")]
        assert table.row_numbers.tolist() == [3]

    def test_blank_and_repeated_headers(self, tmp_path: Path) -> None:
        table = read_source(saved(tmp_path, "表.csv", "名称,名称,\n甲,乙,丙\n"))
        assert list(table.columns) == ["名称", "名称.2", "列3"]

    def test_one_column(self, tmp_path: Path) -> None:
        assert rows(read_source(saved(tmp_path, "表.csv", "编码\n1\n\n2\n"))) == [("1",), ("2",)]

    def test_gzip(self, tmp_path: Path) -> None:
        assert len(read_source(saved(tmp_path, "表.csv.gz", gzip.compress(CSV.encode("gbk"))))) == 2

    def test_an_encoding_that_is_wrong_or_unknown(self, tmp_path: Path) -> None:
        path = saved(tmp_path, "表.csv", CSV * 50, "gbk")
        assert "按 UTF-8 读不出" in refused(path, ReadOptions(encoding="utf-8"))
        assert "不认识" in refused(path, ReadOptions(encoding="klingon"))
        assert len(read_source(path, ReadOptions(encoding="GBK"))) == 149

    @pytest.mark.parametrize(
        ("cells", "kind"),
        [
            (["POINT (109.88 31.07)", "POINT (109.89 31.08)"], "Point"),
            (["SRID=4490;POINT(109.88 31.07)"], "Point"),
            (["POLYGON Z ((0 0 5, 0 1 5, 1 1 5, 0 0 5))"], "Polygon"),
            (['{"type":"Point","coordinates":[109.88,31.07]}'], "Point"),
            ([shapely.to_wkb(shapely.Point(1, 2), hex=True)], "Point"),
        ],
    )
    def test_a_column_of_shapes(self, tmp_path: Path, cells: list[str], kind: str) -> None:
        quoted = ['"' + cell.replace('"', '""') + '"' for cell in cells]
        text = "编码,位置\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(quoted)) + "99,\n"
        table = read_source(saved(tmp_path, "表.csv", text))
        assert [None if g is None else g.geom_type for g in table.geometry] == [kind] * len(cells) + [None]
        assert list(table.columns) == ["编码"]
        assert table.crs == ("EPSG:4490" if "4490" in cells[0] else None)

    def test_a_broken_shape_costs_its_row_only(self, tmp_path: Path) -> None:
        text = '编码,WKT\n1,POINT (1 2)\n2,POINT (1\n3,"CIRCULARSTRING (0 0, 1 1, 2 0)"\n4,POINT EMPTY\n'
        table = read_source(saved(tmp_path, "表.csv", text))
        assert table.columns["编码"].tolist() == ["1", "4"]
        assert table.geometry is not None and table.geometry[1] is None
        assert [(r.row, "曲线" in r.reason) for r in table.rejects] == [(3, False), (4, True)]


class TestRefusals:
    @pytest.mark.parametrize(
        ("name", "content", "says"),
        [
            ("空.csv", b"", "空文件"),
            ("空白.csv", b" \n\n ", "空白"),
            ("表头.csv", "编码,名称\n".encode(), "只有表头"),
            ("乱.csv", bytes(range(256)) * 40, "二进制"),
            ("图.xlsx", b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, "图片"),
            ("文.csv", b"%PDF-1.7 ...", "PDF"),
            ("包.zip", b"Rar!\x1a\x07\x00", "RAR"),
            ("假.xls", b"<html><table><tr><td>1</td></tr></table></html>", "网页"),
            ("断.zip", b"PK\x03\x04" + b"\x00" * 60, "损坏"),
            ("断.gz", gzip.compress(b"a,b\n1,2\n" * 99)[:30], "不完整"),
            ("断.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "损坏"),
            ("断.gpkg", b"SQLite format 3\x00" + b"\x00" * 200, "不是完整"),
            ("断.shp", b"\x00\x00\x27\x0a" + b"\x00" * 20, "不是完整"),
            ("断.geojson", b'{"type":"FeatureCollection","features":[{"type":"Fea', "不完整"),
            ("深.geojson", b'{"type":"Polygon","coordinates":' + b"[" * 100_000, "GeoJSON"),
            ("乱码.csv", "编码,名称\n".encode() + "1,锟斤拷锟斤拷锟斤拷\n".encode() * 9, "乱码"),
            ("拓扑.json", b'{"type":"Topology","objects":{},"arcs":[]}', "TopoJSON"),
            ("记录.json", b'[{"a":1},{"a":2}]', "不是 GeoJSON"),
            ("数.json", b"[1,2,3", "格式有误|不完整"),
            ("实体.kml", b'<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY a "b">]><kml><Placemark/></kml>', "不安全"),
            ("断.kml", b'<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placema', "KML"),
            ("路.dbf", b"\x03" + b"\x00" * 60, "缺少 .shp"),
        ],
    )  # fmt: skip
    def test_in_words_a_clerk_understands(self, tmp_path: Path, name: str, content: bytes, says: str) -> None:
        message = refused(saved(tmp_path, name, content))
        assert any(word in message for word in says.split("|")), message

    def test_missing_and_folders(self, tmp_path: Path) -> None:
        assert "找不到" in refused(tmp_path / "没有.csv")
        (tmp_path / "空夹").mkdir()
        assert "没有能导入的数据" in refused(tmp_path / "空夹")

    def test_a_gigabyte_of_zeros(self, tmp_path: Path) -> None:
        path = tmp_path / "炸弹.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.csv", "w") as member:
            for _ in range(64):
                member.write(bytes(1 << 20))
        assert "压缩炸弹" in refused(path)
        packed = io.BytesIO()
        with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9) as file:
            for _ in range(64):
                file.write(bytes(1 << 20))
        assert "压缩炸弹" in refused(saved(tmp_path, "炸弹.csv.gz", packed.getvalue()))

    def test_a_zip_that_lies_about_its_sizes(self, tmp_path: Path) -> None:
        path = zipped(tmp_path / "谎.zip", {"a.csv": bytes(40 << 20)})
        data = path.read_bytes()
        real = (40 << 20).to_bytes(4, "little")
        path.write_bytes(data.replace(real, (99).to_bytes(4, "little")))
        refused(path)

    def test_too_large(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(archives, "MAX_UNPACKED", 1000)
        assert "超过" in refused(zipped(tmp_path / "大.zip", {"a.csv": bytes(2000)}))

    @pytest.mark.parametrize(
        "name", ["../../etc/passwd.csv", "/etc/x.csv", "..\\..\\x.csv", "C:/x.csv", "a/../../x.csv"]
    )
    def test_names_that_leave_the_zip(self, tmp_path: Path, name: str) -> None:
        assert "不安全" in refused(zipped(tmp_path / "坏.zip", {name: CSV.encode()}))
        assert not list(tmp_path.parent.glob("x.csv"))

    def test_a_zip_with_a_password_bit(self, tmp_path: Path) -> None:
        path = zipped(tmp_path / "密.zip", {"a.csv": CSV.encode()})
        data = bytearray(path.read_bytes())
        data[6] |= 1
        data[data.index(b"PK\x01\x02") + 8] |= 1
        path.write_bytes(bytes(data))
        assert "密码" in refused(path)


class TestSpreadsheets:
    def book(self, path: Path, **sheets: list[list[Any]]) -> Path:
        book = openpyxl.Workbook()
        assert book.active is not None
        book.remove(book.active)
        for name, cells in sheets.items():
            sheet = book.create_sheet(name)
            for row in cells:
                sheet.append(row)
        book.save(path)
        return path

    def test_the_only_sheet_with_data(self, tmp_path: Path) -> None:
        path = self.book(
            tmp_path / "表.xlsx", 说明=[], 网格=[["编码", "户数"], [500237002001001, 3.5], [None, None], ["A", True]]
        )
        table = read_source(path)
        assert rows(table) == [(500237002001001, 3.5), ("A", True)]
        assert table.row_numbers.tolist() == [2, 4]

    def test_several_sheets_are_named(self, tmp_path: Path) -> None:
        data = [["编码", "名称"], [1, "甲"]]
        path = self.book(tmp_path / "表.xlsx", 一月=data, 二月=data)
        assert "一月、二月" in refused(path) and "--sheet" in refused(path)
        assert len(read_source(path, ReadOptions(sheet="二月"))) == 1
        assert "现有：一月、二月" in refused(path, ReadOptions(sheet="三月"))

    def test_merged_cells_hold_for_each_of_their_rows(self, tmp_path: Path) -> None:
        path = self.book(
            tmp_path / "表.xlsx", 表=[["社区", "网格"], ["聚鹤", "一"], [None, "二"], [None, "三"], ["龙江", "一"]]
        )
        book = openpyxl.load_workbook(path)
        book["表"].merge_cells("A2:A4")
        book.save(path)
        assert read_source(path).columns["社区"].tolist() == ["聚鹤", "聚鹤", "聚鹤", "龙江"]

    def test_content_counts_not_the_name(self, tmp_path: Path) -> None:
        path = self.book(tmp_path / "表.xlsx", 表=[["编码"], [1]])
        assert len(read_source(path.rename(tmp_path / "表.csv"))) == 1
        assert len(read_source(saved(tmp_path, "表2.xls", CSV.replace(",", "\t"), "gbk"))) == 2
        assert read_source(saved(tmp_path, "点.txt", '{"type":"Point","coordinates":[1,2]}')).format == "GeoJSON"

    def test_a_geometry_column(self, tmp_path: Path) -> None:
        path = self.book(tmp_path / "表.xlsx", 表=[["编码", "wkt"], [1, "POINT (1 2)"]])
        assert read_source(path).geometry is not None


class TestGeoJson:
    def test_one_defect_costs_one_feature(self, tmp_path: Path) -> None:
        good = {"type": "Feature", "properties": {"a": 1}, "geometry": {"type": "Point", "coordinates": [1, 2]}}
        bad = {"type": "Feature", "properties": {"a": 2}, "geometry": {"type": "Point", "coordinates": [1]}}
        path = saved(
            tmp_path, "点.geojson", json.dumps({"type": "FeatureCollection", "features": [good, bad, None, good]})
        )
        table = read_source(path)
        assert table.row_numbers.tolist() == [1, 4]
        assert [r.row for r in table.rejects] == [3, 2] or [r.row for r in table.rejects] == [2, 3]

    def test_nan_is_no_place(self, tmp_path: Path) -> None:
        text = '{"type":"Feature","properties":{"a":NaN},"geometry":{"type":"Point","coordinates":[NaN,2]}}'
        assert "有限" in read_source(saved(tmp_path, "点.geojson", text)).rejects[0].reason

    def test_a_sequence_with_record_separators(self, tmp_path: Path) -> None:
        points = [
            '{"type":"Point",\n"coordinates":[1,2]}',
            '{"type":"Point","coor',
            '{"type":"Point","coordinates":[3,4]}',
        ]
        text = "".join(f"\x1e{point}\n" for point in points)
        table = read_source(saved(tmp_path, "点.geojsons", text))
        assert (len(table), [r.row for r in table.rejects]) == (2, [2])

    @pytest.mark.parametrize("encoding", ["gbk", "utf-8-sig", "utf-16"])
    def test_other_encodings(self, tmp_path: Path, encoding: str) -> None:
        text = '{"type":"Feature","properties":{"名称":"聚鹤社区居民委员会"},"geometry":null}'
        assert read_source(saved(tmp_path, "点.geojson", text, encoding)).columns["名称"][0] == "聚鹤社区居民委员会"


class TestLayers:
    def test_zipped_in_folders_with_a_mac_in_between(self, tmp_path: Path) -> None:
        shapefile(tmp_path, "网格", ["甲社区", "乙社区"])
        parts = {f"资料/边界/网格{s}": (tmp_path / f"网格{s}").read_bytes() for s in (".shp", ".shx", ".dbf", ".prj")}
        path = zipped(tmp_path / "包.zip", parts | {"__MACOSX/资料/边界/._网格.shp": b"x", "资料/.DS_Store": b"x"})
        table = read_source(path)
        assert table.columns["名称"].tolist() == ["甲社区", "乙社区"]
        assert table.crs == "EPSG:4326"
        assert table.path == path

    def test_names_in_gbk_without_a_flag(self, tmp_path: Path) -> None:
        shapefile(tmp_path, "网格", ["甲"], encoding="UTF-8", cpg=True)
        shapefile(tmp_path, "社区", ["乙"])
        path = tmp_path / "包.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for part in tmp_path.glob("*.*"):
                if part.suffix != ".zip":
                    info = zipfile.ZipInfo("00" + part.suffix if part.stem == "网格" else "11" + part.suffix)
                    archive.writestr(info, part.read_bytes())
        data = path.read_bytes().replace(b"00.", "网".encode("gbk") + b".").replace(b"11.", "社".encode("gbk") + b".")
        path.write_bytes(data)
        message = refused(path)
        assert "社、网" in message and "--layer" in message
        assert read_source(path, ReadOptions(layer="社")).columns["名称"].tolist() == ["乙"]

    def test_a_folder_and_missing_companions(self, tmp_path: Path) -> None:
        path = shapefile(tmp_path / "", "网格", ["甲社区", "乙社区"])
        for suffix in (".prj", ".shx"):
            path.with_suffix(suffix).unlink()
        table = read_source(tmp_path)
        assert (len(table), table.crs) == (2, None)
        assert any(".prj" in note for note in table.notes)
        assert not path.with_suffix(".shx").exists()
        path.with_suffix(".dbf").unlink()
        assert len(read_source(path)) == 2

    def test_a_cpg_that_lies(self, tmp_path: Path) -> None:
        path = shapefile(tmp_path, "网格", ["聚鹤社区", "龙江社区"])
        path.with_suffix(".cpg").write_text("UTF-8")
        assert read_source(path).columns["名称"].tolist() == ["聚鹤社区", "龙江社区"]

    def test_upper_case_names(self, tmp_path: Path) -> None:
        path = shapefile(tmp_path, "GRID", ["聚鹤社区"])
        for part in list(tmp_path.glob("GRID.*")):
            part.rename(part.with_suffix(part.suffix.upper()))
        assert read_source(path.with_suffix(".SHP")).columns["名称"].tolist() == ["聚鹤社区"]

    def test_layers_of_a_geopackage(self, tmp_path: Path) -> None:
        path = tmp_path / "多层!.gpkg"
        for layer in ("网格", "社区"):
            points = shapely.to_wkb(shapely.points([[1.0, 2.0]]))
            pyogrio.raw.write(
                tmp_path / "x.gpkg", points, [np.array([layer], dtype=object)], ["name"], geometry_type="Point",
                crs="EPSG:4490", driver="GPKG", layer=layer, append=(tmp_path / "x.gpkg").exists(),
            )  # fmt: skip
        (tmp_path / "x.gpkg").rename(path)
        assert "网格、社区" in refused(path)
        assert read_source(path, ReadOptions(layer="社区")).columns["name"].tolist() == ["社区"]
        both = read_source(path, ReadOptions(layer="*"))
        assert both.columns["图层"].tolist() == ["网格", "社区"]
        assert both.crs == "EPSG:4490"

    def test_kmz_and_kml_in_gbk(self, tmp_path: Path) -> None:
        text = (
            '<?xml version="1.0" encoding="{}"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark>'
            "<name>聚鹤社区</name><Point><coordinates>109.88,31.07,5</coordinates></Point></Placemark></Document></kml>"
        )
        table = read_source(
            zipped(tmp_path / "图.kmz", {"doc.kml": text.format("UTF-8").encode(), "files/a.png": b"x"})
        )
        assert table.columns["Name"].tolist() == ["聚鹤社区"]
        assert table.geometry is not None and table.geometry[0].equals(shapely.Point(109.88, 31.07))
        assert read_source(saved(tmp_path, "图.kml", text.format("GBK"), "gbk")).columns["Name"][0] == "聚鹤社区"


def test_cut_and_shaken_files_never_crash(tmp_path: Path) -> None:
    """Each format cut short and with bytes changed: a table or a refusal, nothing else."""
    shapefile(tmp_path, "s", ["聚鹤社区"] * 20)
    shapes = {f"s{x}": (tmp_path / f"s{x}").read_bytes() for x in (".shp", ".shx", ".dbf")}
    zipped(tmp_path / "z.zip", shapes)
    TestSpreadsheets().book(tmp_path / "x.xlsx", 表=[["编码", "名称"], *([i, "甲"] for i in range(50))])
    pyogrio.raw.write(
        tmp_path / "g.gpkg", shapely.to_wkb(shapely.points(np.zeros((30, 2)))), [np.arange(30)], ["n"],
        geometry_type="Point", crs="EPSG:4326", driver="GPKG",
    )  # fmt: skip
    saved(tmp_path, "c.csv", CSV * 30, "gbk")
    feature = {"type": "Feature", "properties": {"a": "甲"}, "geometry": {"type": "Point", "coordinates": [1, 2]}}
    saved(tmp_path, "j.geojson", json.dumps({"type": "FeatureCollection", "features": [feature] * 9}))
    rng = random.Random(5)
    for name in ("s.shp", "s.dbf", "z.zip", "x.xlsx", "g.gpkg", "c.csv", "j.geojson"):
        whole = (tmp_path / name).read_bytes()
        for turn in range(12):
            data = bytearray(whole)
            if turn % 2:
                del data[rng.randrange(len(data)) :]
            for _ in range(turn):
                if data:
                    data[rng.randrange(len(data))] = rng.randrange(256)
            (tmp_path / name).write_bytes(bytes(data))
            try:
                table = read_source(tmp_path / name)
            except UnreadableFile as error:
                assert error.message
            else:
                assert all(len(values) == len(table) for values in table.columns.values())
        (tmp_path / name).write_bytes(whole)
