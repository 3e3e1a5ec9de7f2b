"""The office's own base map files: PMTiles by byte ranges, MBTiles tile by tile."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from flask import Blueprint, Response, send_file

from service.errors import NotFound
from service.records.office import BASEMAP_FOLDER
from service.web.context import require_look, services

bp = Blueprint("basemap_files", __name__)
_TYPES = {b"\x89PNG": "image/png", b"\xff\xd8\xff\xe0": "image/jpeg", b"RIFF": "image/webp"}


@bp.get("/map/base.pmtiles")
@bp.get("/map/base/<name>.pmtiles")
def pmtiles(name: str | None = None) -> Response:
    """The file, in the ranges that the browser asks for. Without a name BASEMAP_FILE, else one of DATA_DIR/basemaps."""
    require_look()
    return send_file(_own(name, ".pmtiles"), mimetype="application/octet-stream", conditional=True)


@bp.get("/map/base/<int:z>/<int:x>/<int:y>")
@bp.get("/map/base/<name>/<int:z>/<int:x>/<int:y>")
def tile(z: int, x: int, y: int, name: str | None = None) -> Response:
    """One raster tile of an MBTiles file, 204 where the file has none."""
    require_look()
    path = _own(name, ".mbtiles")
    if z > 24 or max(x, y) >= 1 << z:
        return Response(status=204)
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as db:
        row = db.execute(
            "SELECT tile_data FROM tiles WHERE zoom_level=? AND tile_column=? AND tile_row=?", (z, x, (1 << z) - 1 - y)
        ).fetchone()
    if row is None:
        return Response(status=204)
    kind = next((name for magic, name in _TYPES.items() if row[0].startswith(magic)), "application/octet-stream")
    return Response(row[0], mimetype=kind, headers={"Cache-Control": "private, max-age=86400"})


def _own(name: str | None, suffix: str) -> Path:
    """The file of an address: one of the folder's that the office has chosen; a name is never made into a path."""
    settings = services().settings
    if name is None:
        path = settings.basemap_file
        if path is None or path.suffix != suffix:
            raise NotFound(f"没有配置 {suffix} 底图（BASEMAP_FILE）。")
        return path.resolve()
    chosen = {one.id for one in services().office.basemaps}
    folder = settings.data_dir / BASEMAP_FOLDER
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name == name + suffix and f"file-{path.name}" in chosen:
            return path.resolve()
    raise NotFound(f"没有启用底图文件“{name}{suffix}”。在“管理”页的底图里选上它。")
