"""One door for every file: what it is, is decided by its content, never by its name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from service.files import archives
from service.files.delimited import read_delimited
from service.files.extent import check_extent
from service.files.geojson import read_geojson
from service.files.layers import read_geodatabase, read_geopackage, read_kml, read_shapefile
from service.files.shapes import settle, take_geometry_column
from service.files.sheets import read_sheet
from service.files.table import ReadOptions, Reject, SourceTable, refuse, without_totals

__all__ = ["ReadOptions", "Reject", "SourceTable", "read_source"]

MAX_TEXT = 1 << 30
_ZIP, _GZIP, _OLE, _SQLITE, _SHP = (
    b"PK\x03\x04",
    b"\x1f\x8b",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"SQLite format 3\x00",
    b"\x00\x00\x27\x0a",
)
_HEAD = 4096
_USABLE = "可以导入 GeoJSON、GeoPackage、Shapefile（可压缩）、KML/KMZ、CSV、XLSX。"
_DATA_SUFFIXES = {
    ".shp",
    ".gpkg",
    ".geojson",
    ".json",
    ".geojsonl",
    ".kml",
    ".kmz",
    ".csv",
    ".tsv",
    ".xlsx",
    ".xls",
    ".gz",
}
_KNOWN_OTHERS = (
    (b"%PDF", "是 PDF 文档，不是数据。"),
    (b"Rar!", "是 RAR 压缩包。请解压后重新压缩成 ZIP，或直接导入里面的文件。"),
    (b"7z\xbc\xaf", "是 7z 压缩包。请解压后重新压缩成 ZIP，或直接导入里面的文件。"),
    (b"\x89PNG", "是图片，不是数据。"),
    (b"\xff\xd8\xff", "是照片，不是数据。"),
    (b"AC10", "是 AutoCAD 图纸（DWG）。请在 CAD 或 GIS 软件里转成 GeoJSON 或 Shapefile。"),
)


def read_source(path: Path, options: ReadOptions | None = None) -> SourceTable:
    """The one table of a file. Raises UnreadableFile with what to do."""
    path, options = Path(path), options or ReadOptions()
    if not path.exists():
        raise refuse(path, "找不到。请检查文件名和所在的文件夹。")
    if options.header_row is not None and options.header_row < 0:
        raise refuse(path, f"的表头不可能在第 {options.header_row} 行。--header-row 从 1 数起，0 表示没有表头。")
    try:
        return _folder(path, options, path) if path.is_dir() else _file(path, options, path)
    except PermissionError as error:
        raise refuse(path, "没有读取权限。请检查文件的权限，或换一个位置再导入。") from error


def _file(path: Path, options: ReadOptions, shown_as: Path) -> SourceTable:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise refuse(shown_as, "是空文件（0 字节）。请重新导出或重新下载。")
    if head.startswith((_ZIP, b"PK\x05\x06")):
        return _zipped(path, options, shown_as)
    if head.startswith(_SQLITE):
        _only(options, shown_as, "layer")
        return read_geopackage(path, options, shown_as)
    if head.startswith(_SHP):
        _not_a_lone_index(path, shown_as)
        _only(options, shown_as, "layer")
        return read_shapefile(path, options, shown_as)
    if head.startswith(_OLE):
        _only(options, shown_as, "sheet", "header_row")
        table = _renamed(read_sheet(path, options), shown_as)
        without_totals(table)
        return table
    if head.startswith(_GZIP):
        return _text(archives.gunzip(path), path, options, shown_as)
    for magic, what in _KNOWN_OTHERS:
        if head.startswith(magic):
            raise refuse(shown_as, what + _USABLE)
    if path.suffix.lower() in {".dbf", ".shx", ".prj", ".cpg"}:
        return _companion(path, options, shown_as)
    if path.stat().st_size > MAX_TEXT:
        raise refuse(shown_as, f"超过 {MAX_TEXT >> 20} MB，没有读取。请拆成几个文件分别导入。")
    return _text(path.read_bytes(), path, options, shown_as)


def _only(options: ReadOptions, shown_as: Path, *useful: str) -> None:
    """An option that this kind of file has no use for was meant for another file. Raises UnreadableFile."""
    for name, option, reason in (
        ("sheet", "--sheet", "不是 Excel 工作簿，没有工作表“{}”"),
        ("layer", "--layer", "不分图层，没有图层“{}”"),
        ("header_row", "--header-row", "不是表格，没有第 {} 行这样的表头"),
    ):
        value = getattr(options, name)
        if value is not None and name not in useful:
            raise refuse(shown_as, f"{reason.format(value)}。去掉 {option} 再导入，或改选另一份文件。")


def _not_a_lone_index(path: Path, shown_as: Path) -> None:
    if path.suffix.lower() in {".shx", ".sbn", ".sbx"}:
        raise refuse(shown_as, "只是 Shapefile 的索引。请选 .shp 文件，或把整套文件压缩成 ZIP 再导入。")


def _companion(path: Path, options: ReadOptions, shown_as: Path) -> SourceTable:
    shapefile = next((p for p in path.parent.iterdir() if p.stem == path.stem and p.suffix.lower() == ".shp"), None)
    if shapefile is None:
        raise refuse(
            shown_as, "只是 Shapefile 的一部分，缺少 .shp。请把整套文件（.shp .shx .dbf .prj）压缩成 ZIP 再导入。"
        )
    return _file(shapefile, options, shapefile)


def _text(data: bytes, path: Path, options: ReadOptions, shown_as: Path) -> SourceTable:
    """Everything that is text: GeoJSON begins with a bracket, KML with a tag, all else is a table."""
    start = _first_characters(data)
    if not start:
        raise refuse(shown_as, "里只有空白，没有数据。请重新导出。")
    if start[0] in "{[\x1e":
        _only(options, shown_as)
        table = read_geojson(shown_as, data, options)
        settle(table)
        return table
    if start.startswith("<"):
        if "<kml" in start or "<Placemark" in start or ":kml" in start:
            _only(options, shown_as, "layer")
            return read_kml(path, data, options, shown_as)
        if "<html" in start.lower() or "<table" in start.lower():
            raise refuse(shown_as, "其实是网页（有的系统这样导出“Excel”）。请用 Excel 打开，另存为 .xlsx 再导入。")
        raise refuse(shown_as, "是不认识的 XML。" + _USABLE)
    _only(options, shown_as, "header_row")
    table = read_delimited(shown_as, data, options)
    without_totals(table)
    if options.shapes:
        take_geometry_column(table)
    return table


def _first_characters(data: bytes) -> str:
    head = data[:_HEAD]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return head.decode("utf-16", errors="ignore").strip()
    return head.removeprefix(b"\xef\xbb\xbf").replace(b"\x00", b"").decode("latin-1").strip(" \t\r\n")


def _zipped(path: Path, options: ReadOptions, shown_as: Path) -> SourceTable:
    """A workbook, a KMZ, or a zip with one data set; several are named and one is asked for."""
    names = [archives.member_name(member) for member in archives.check_zip(path)]
    if any(n in {"xl/workbook.xml", "xl/workbook.bin", "content.xml"} for n in names):
        _only(options, shown_as, "sheet", "header_row")
        archives.check_unpacked(path)
        notes = check_extent(path, names)
        table = _renamed(read_sheet(path, options), shown_as)
        table.notes += notes
        without_totals(table)
        if options.shapes:
            take_geometry_column(table)
        return table
    if not names:
        raise refuse(shown_as, "是空的压缩包。请重新压缩要导入的文件。")
    with archives.unpacked(path) as folder:
        return _folder(folder, options, shown_as)


def _folder(folder: Path, options: ReadOptions, shown_as: Path) -> SourceTable:
    """A folder's only data set, or the one that --layer names."""
    if folder.suffix.lower() == ".gdb" or any(folder.glob("*.gdbtable")):
        return read_geodatabase(folder, options, shown_as)
    found = _data_sets(folder)
    what = "文件夹" if shown_as.is_dir() else "压缩包"
    if not found:
        if any(folder.rglob("*.zip")):
            raise refuse(shown_as, "里还有压缩包。请解压一层后再导入。")
        raise refuse(shown_as, f"这个{what}里没有能导入的数据。" + _USABLE)
    if len(found) > 1:
        wanted = [p for p in found if options.layer and options.layer.strip() in {p.stem, p.name}]
        if len(wanted) != 1:
            names = sorted(p.stem for p in found)
            raise refuse(
                shown_as,
                f"这个{what}里有 {len(found)} 份数据：{'、'.join(names)}。"
                f"请用 --layer 指明一份，例如 --layer {names[0]}。",
                "layer",
                names,
            )
        found, options = wanted, replace(options, layer=None)
    target = found[0]
    if target.is_dir():
        return read_geodatabase(target, options, shown_as)
    if options.layer in (target.stem, target.name):
        options = replace(options, layer=None)
    table = _file(target, options, shown_as)
    if target.name != shown_as.name:
        table.notes.insert(0, f"读的是其中的“{target.name}”")
    return table


def _data_sets(folder: Path) -> list[Path]:
    databases = [
        p for p in sorted(folder.rglob("*")) if p.is_dir() and (p.suffix.lower() == ".gdb" or any(p.glob("*.gdbtable")))
    ]
    files = [
        p for p in sorted(folder.rglob("*"))
        if p.is_file() and p.suffix.lower() in _DATA_SUFFIXES and not p.name.startswith(".")
        and not any(d in p.parents for d in databases)
    ]  # fmt: skip
    if not databases and not files:  # names say nothing: a .txt may hold a table
        files = [p for p in sorted(folder.rglob("*.txt")) if p.is_file()]
    return databases + files


def _renamed(table: SourceTable, shown_as: Path) -> SourceTable:
    table.path = shown_as
    return table
