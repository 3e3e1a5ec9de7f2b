"""The registry of base maps: none by default, the office's own file, or a public service that the office chose."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

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


def of_file(path: Path) -> BaseMap:
    """The office's own .pmtiles or .mbtiles, served from here. Raises ValueError for another kind of file."""
    if not path.is_file():
        raise ValueError(f"没有文件 {path}")
    if path.suffix == ".pmtiles":
        return BaseMap(id="own", label="本地底图", kind="pmtiles", url=f"{OWN_FILE}.pmtiles", max_zoom=15)
    if path.suffix == ".mbtiles":
        return BaseMap(id="own", label="本地底图", url=f"{OWN_FILE}/{{z}}/{{x}}/{{y}}", max_zoom=18)
    raise ValueError(f"{path.name} 不是 .pmtiles 或 .mbtiles")
