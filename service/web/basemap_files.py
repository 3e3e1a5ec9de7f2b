"""The office's own base map file: PMTiles by byte ranges, MBTiles tile by tile."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from flask import Blueprint, Response, send_file

from service.errors import NotFound
from service.web.context import require_look, services

bp = Blueprint("basemap_files", __name__)
_TYPES = {b"\x89PNG": "image/png", b"\xff\xd8\xff\xe0": "image/jpeg", b"RIFF": "image/webp"}


@bp.get("/map/base.pmtiles")
def pmtiles() -> Response:
    """The file, in the ranges that the browser asks for."""
    require_look()
    path = services().settings.basemap_file
    if path is None or path.suffix != ".pmtiles":
        raise NotFound("没有配置 PMTiles 底图（BASEMAP_FILE）。")
    return send_file(path.resolve(), mimetype="application/octet-stream", conditional=True)


@bp.get("/map/base/<int:z>/<int:x>/<int:y>")
def tile(z: int, x: int, y: int) -> Response:
    """One raster tile of an MBTiles file, 204 where the file has none."""
    require_look()
    path = services().settings.basemap_file
    if path is None or path.suffix != ".mbtiles":
        raise NotFound("没有配置 MBTiles 底图（BASEMAP_FILE）。")
    if z > 24 or max(x, y) >= 1 << z:
        return Response(status=204)
    with closing(sqlite3.connect(f"file:{path.resolve()}?mode=ro", uri=True)) as db:
        row = db.execute(
            "SELECT tile_data FROM tiles WHERE zoom_level=? AND tile_column=? AND tile_row=?", (z, x, (1 << z) - 1 - y)
        ).fetchone()
    if row is None:
        return Response(status=204)
    kind = next((name for magic, name in _TYPES.items() if row[0].startswith(magic)), "application/octet-stream")
    return Response(row[0], mimetype=kind, headers={"Cache-Control": "private, max-age=86400"})
