"""Base maps in the browser: an own PMTiles and MBTiles file, and GCJ-02 tiles drawn where their content belongs."""

from __future__ import annotations

import json
import math
import sqlite3
import struct
import zlib
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page

from service.basemaps import of_file
from service.geo.crs import wgs84_to_gcj02
from tests.browser.conftest import Watched
from tests.browser.serving import demo_serving, rest
from tests.stores import Stores

LON, LAT, ZOOM = 109.8792, 31.0695, 16
_SPOT = """([lon, lat, path]) => {
  const map = window.steward.board.map;
  const images = [...document.querySelectorAll('.leaflet-tile-pane img')];
  const tile = images.find((img) => img.src.endsWith(path) && img.naturalWidth === 256);
  if (!tile) return null;
  const wanted = map.latLngToContainerPoint([lat, lon]);
  const [box, at] = [map.getContainer().getBoundingClientRect(), tile.getBoundingClientRect()];
  return [at.left - box.left, at.top - box.top, wanted.x, wanted.y];
}"""
_FILLED = """() => [...document.querySelectorAll('.leaflet-tile-pane canvas')].some((canvas) => {
  const pixel = canvas.getContext('2d').getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data;
  return pixel[3] === 255 && (pixel[0] || pixel[1] || pixel[2]);
})"""


def world_pixel(lon: float, lat: float, zoom: int) -> tuple[float, float]:
    """Web-mercator pixels at a zoom."""
    size = 256 * 2.0**zoom
    return (lon + 180) / 360 * size, (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * size


def png() -> bytes:
    """256 by 256, light green."""
    raw = b"".join(b"\0" + b"\xd0\xe8\xd0" * 256 for _ in range(256))

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 256, 256, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def write_mbtiles(path: Path, lon: float, lat: float) -> None:
    """Tiles around a place at one zoom."""
    x, y = (int(value // 256) for value in world_pixel(lon, lat, ZOOM))
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE metadata (name TEXT, value TEXT)")
        db.execute("CREATE TABLE tiles (zoom_level INTEGER, tile_column INTEGER, tile_row INTEGER, tile_data BLOB)")
        db.executemany("INSERT INTO metadata VALUES (?, ?)", [("format", "png"), ("maxzoom", str(ZOOM))])
        around = [(ZOOM, x + i, 2**ZOOM - 1 - y - j, png()) for i in range(-4, 5) for j in range(-4, 5)]
        db.executemany("INSERT INTO tiles VALUES (?, ?, ?, ?)", around)


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def land() -> bytes:
    """A vector tile whose layer `earth` covers all of it (Mapbox vector tile 2.1)."""

    def field(number: int, body: bytes) -> bytes:
        return varint(number << 3 | 2) + varint(len(body)) + body

    ring = [9, 0, 0, 26, 8192, 0, 0, 8192, 8191, 0, 15]
    feature = varint(3 << 3) + varint(3) + field(4, b"".join(varint(one) for one in ring))
    layer = field(1, b"earth") + field(2, feature) + varint(5 << 3) + varint(4096) + varint(15 << 3) + varint(2)
    return field(3, layer)


def write_pmtiles(path: Path, lon: float, lat: float, zoom: int = 12) -> None:
    """One vector tile at `zoom` (PMTiles version 3, nothing compressed)."""
    x, y = (int(value // 256) for value in world_pixel(lon, lat, zoom))
    number, side, i, j = (4**zoom - 1) // 3, 2 ** (zoom - 1), x, y
    while side:  # along Hilbert's curve
        right, down = int(bool(i & side)), int(bool(j & side))
        number += side * side * ((3 * right) ^ down)
        if not down:
            if right:
                i, j = side - 1 - i, side - 1 - j
            i, j = j, i
        side //= 2
    tile = land()
    directory = varint(1) + varint(number) + varint(1) + varint(len(tile)) + varint(1)
    told = json.dumps({"vector_layers": [{"id": "earth", "fields": {}}]}).encode()
    start = 127 + len(directory)
    sizes = (127, len(directory), start, len(told), start + len(told), 0, start + len(told), len(tile), 1, 1, 1)
    box = [round(value * 1e7) for value in (lon - 1, lat - 1, lon + 1, lat + 1)]
    header = b"PMTiles\x03" + struct.pack("<11Q", *sizes) + bytes([1, 1, 1, 1, zoom, zoom])
    header += struct.pack("<4iB2i", *box, zoom, round(lon * 1e7), round(lat * 1e7))
    path.write_bytes(header + directory + told + tile)


def open_map(watched: Watched, address: str, base: str) -> Page:
    watched.page.goto(f"{address}/map?at={LON},{LAT}&z={ZOOM}&base={base}")
    rest(watched.page)
    return watched.page


@pytest.fixture(scope="module")
def picture_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "town.mbtiles"
    write_mbtiles(path, LON, LAT)
    return path


def test_an_own_picture_file_lies_under_the_map(
    stores: Stores, tmp_path: Path, picture_file: Path, desktop: Watched
) -> None:
    with demo_serving(stores, tmp_path, BASEMAP_FILE=str(picture_file)) as town:
        page = open_map(desktop, town.address, "own")
        page.wait_for_function("() => document.querySelector('.leaflet-tile-pane img')?.naturalWidth === 256")
        x, y = world_pixel(LON, LAT, ZOOM)
        path = f"/map/base/{ZOOM}/{int(x // 256)}/{int(y // 256)}"
        left, top, wanted_x, wanted_y = page.evaluate(_SPOT, [LON, LAT, path])
        assert abs(left + x % 256 - wanted_x) < 1.5
        assert abs(top + y % 256 - wanted_y) < 1.5
        assert "本地底图" in page.locator("#attr").inner_text()
        assert desktop.complaints == []
        assert all(url.startswith(town.address) for url in desktop.asked if not url.startswith(("data:", "blob:")))


def test_gcj02_tiles_are_shifted_and_the_data_are_not(
    stores: Stores, tmp_path: Path, picture_file: Path, desktop: Watched
) -> None:
    choice = {"id": "amap-like", "label": "偏移底图", "url": "/map/base/{z}/{x}/{y}", "crs": "gcj02", "max_zoom": ZOOM}
    with demo_serving(stores, tmp_path, BASEMAP_FILE=str(picture_file), BASEMAPS=json.dumps([choice])) as town:
        page = open_map(desktop, town.address, "amap-like")
        page.wait_for_function("() => document.querySelector('.leaflet-tile-pane img')?.naturalWidth === 256")
        (lon,), (lat,) = wgs84_to_gcj02(np.array([LON]), np.array([LAT]))
        x, y = world_pixel(float(lon), float(lat), ZOOM)
        straight = world_pixel(LON, LAT, ZOOM)
        assert math.hypot(x - straight[0], y - straight[1]) > 100  # some hundred metres at this zoom
        path = f"/map/base/{ZOOM}/{int(x // 256)}/{int(y // 256)}"
        left, top, wanted_x, wanted_y = page.evaluate(_SPOT, [LON, LAT, path])
        assert abs(left + x % 256 - wanted_x) < 2
        assert abs(top + y % 256 - wanted_y) < 2


def test_an_own_vector_file_lies_under_the_map(stores: Stores, tmp_path: Path, desktop: Watched) -> None:
    path = tmp_path / "town.pmtiles"
    write_pmtiles(path, LON, LAT)
    assert of_file(path).max_zoom == 12
    with demo_serving(stores, tmp_path, BASEMAP_FILE=str(path)) as town:
        page = open_map(desktop, town.address, "own")
        page.wait_for_function(_FILLED, timeout=10_000)
        assert desktop.complaints == []
        assert all(url.startswith(town.address) for url in desktop.asked if not url.startswith(("data:", "blob:")))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.pmtiles", b"PMTiles\x03" + bytes(91) + b"\x02" + bytes(40), "图片底图请用 .mbtiles"),
        ("x.pmtiles", b"hello", "不是 PMTiles"),
        ("x.mbtiles", b"hello", "不是 MBTiles"),
        ("x.zip", b"PK", "不是 .pmtiles 或 .mbtiles"),
    ],
)
def test_other_files_are_refused_in_words(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=words):
        of_file(tmp_path / name)
