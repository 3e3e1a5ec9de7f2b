"""The registry of base maps: none by default, the office's own file, or a public service that the office chose."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict

OWN_FILE = "/map/base"
_TIANDITU = (
    "https://t0.tianditu.gov.cn/{layer}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER={layer}&STYLE=default"
    "&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={{z}}&TILEROW={{y}}&TILECOL={{x}}&tk={key}"
)


class BaseMap(BaseModel):
    """One entry. `labels`: a second layer with names; `crs`: gcj02 layers are shifted back in the browser."""

    model_config = ConfigDict(extra="forbid")

    id: str
    label: str
    kind: Literal["none", "xyz", "pmtiles"] = "xyz"
    url: str = ""
    labels: str = ""
    attribution: str = ""
    approval: str = ""
    crs: Literal["wgs84", "gcj02"] = "wgs84"
    max_zoom: int = 18


NONE = BaseMap(id="none", label="无底图", kind="none", max_zoom=20)
PRESETS = ("tianditu", "osm", "amap")


def preset(name: str, tianditu_key: str) -> BaseMap:
    """A public service by name. Raises ValueError with what is missing."""
    if name == "tianditu":
        if not tianditu_key:
            raise ValueError("tianditu 需要密钥：同时设置 TIANDITU_KEY")
        return BaseMap(
            id=name,
            label="天地图",
            url=_TIANDITU.format(layer="vec", key=tianditu_key),
            labels=_TIANDITU.format(layer="cva", key=tianditu_key),
            attribution="天地图",
        )
    if name == "osm":
        url = "https://tile.openstreetmap.org/{z}/{x}/{y}.png"
        return BaseMap(id=name, label="OpenStreetMap", url=url, attribution="© OpenStreetMap contributors", max_zoom=19)
    if name == "amap":
        url = "https://webrd01.is.autonavi.com/appmaptile?lang=zh_cn&size=1&scale=1&style=8&x={x}&y={y}&z={z}"
        return BaseMap(id=name, label="高德地图", url=url, attribution="高德地图", crs="gcj02")
    raise ValueError(f"没有名为“{name}”的底图。可写 {'、'.join(PRESETS)}，或一段 JSON")


def of_file(path: Path, name: str = "own", label: str = "本地底图", address: str = OWN_FILE) -> BaseMap:
    """The office's own vector .pmtiles or raster .mbtiles, served from here. Raises ValueError for another file."""
    if not path.is_file():
        raise ValueError(f"没有文件 {path}")
    if path.suffix == ".pmtiles":
        url, kind, deepest = f"{address}.pmtiles", "pmtiles", _deepest_pmtiles(path)
    elif path.suffix == ".mbtiles":
        url, kind, deepest = f"{address}/{{z}}/{{x}}/{{y}}", "xyz", _deepest_mbtiles(path)
    else:
        raise ValueError(f"{path.name} 不是 .pmtiles 或 .mbtiles")
    return BaseMap.model_validate({"id": name, "label": label, "kind": kind, "url": url, "max_zoom": deepest})


def in_folder(folder: Path) -> tuple[list[BaseMap], list[str]]:
    """The base maps among a folder's files by name, and a sentence for each file that is none."""
    found, faults = [], []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.name.startswith("."):
            continue
        try:
            found.append(of_file(path, f"file-{path.name}", path.stem, f"{OWN_FILE}/{quote(path.stem)}"))
        except (ValueError, OSError) as fault:
            faults.append(str(fault))
    return found, faults


def _deepest_pmtiles(path: Path) -> int:
    """The greatest zoom of a PMTiles version 3 file (its specification: 127 bytes of header, little endian)."""
    with path.open("rb") as file:
        header = file.read(127)
    if len(header) < 127 or not header.startswith(b"PMTiles\x03"):
        raise ValueError(f"{path.name} 不是 PMTiles 第 3 版的文件")
    if header[99] != 1:
        raise ValueError(f"{path.name} 里是图片。图片底图请用 .mbtiles，.pmtiles 用矢量的")
    return header[101]


def _deepest_mbtiles(path: Path) -> int:
    """The greatest zoom of an MBTiles file."""
    try:
        with closing(sqlite3.connect(f"file:{path.resolve()}?mode=ro", uri=True)) as db:
            told = dict(db.execute("SELECT name, value FROM metadata WHERE name IN ('format', 'maxzoom')"))
            deepest = told.get("maxzoom") or db.execute("SELECT max(zoom_level) FROM tiles").fetchone()[0]
    except sqlite3.DatabaseError as fault:
        raise ValueError(f"{path.name} 不是 MBTiles 文件（{fault}）") from None
    if told.get("format") == "pbf":
        raise ValueError(f"{path.name} 里是矢量。矢量底图请用 .pmtiles，.mbtiles 用图片的")
    if deepest is None:
        raise ValueError(f"{path.name} 里没有图片")
    return int(deepest)
