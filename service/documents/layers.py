"""Tables with their shapes as GeoJSON, GeoPackage and zipped Shapefile."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyogrio
import shapely

from service.documents.tables import NUMBER, Chunk, Column, Table, plain

_write_layer: Any = pyogrio.raw.write
_CRS = "EPSG:4326"
_SHAPEFILE_NAME = 10  # bytes of a field's name in a DBF
_SHAPEFILE_KINDS = {"点": (0,), "线": (1, 5), "面": (3, 6)}


def write_geojson(path: Path, table: Table) -> int:
    """RFC 7946, written as it comes. Returns how many features."""
    headers = [column.header for column in table.columns]
    count = 0
    with path.open("wb") as file:
        name = orjson.dumps(table.name).decode()
        file.write(f'{{"type":"FeatureCollection","name":{name},"features":['.encode())
        for chunk in table.chunks:
            for row, shape in zip(chunk.rows, _as_json(chunk), strict=True):
                properties = dict(zip(headers, map(plain, row), strict=True))
                feature = {"type": "Feature", "geometry": orjson.Fragment(shape), "properties": properties}
                file.write((b"\n" if not count else b",\n") + orjson.dumps(feature, default=str))
                count += 1
        file.write(b"\n]}\n")
    return count


def _as_json(chunk: Chunk) -> Iterator[bytes]:
    if chunk.geoms is None:
        return iter([b"null"] * len(chunk.rows))
    return (b"null" if one is None else one.encode() for one in shapely.to_geojson(chunk.geoms).tolist())


def write_gpkg(path: Path, table: Table) -> int:
    """One layer, or an attributes table where the rows have no place. Returns how many rows."""
    path.unlink(missing_ok=True)
    count = 0
    for chunk in _at_least_one(table.chunks):
        _append(path, table, chunk, table.geometry if chunk.geoms is not None else None, count > 0)
        count += len(chunk.rows)
    return count


def write_shapefile(path: Path, table: Table) -> int:
    """A zip with a shapefile per kind of geometry (the format holds one each); the rows are held in memory.

    Names of fields are cut to ten bytes, as the format has it; 字段.txt beside it has the whole ones.
    """
    chunks = list(_at_least_one(table.chunks))
    rows = [row for chunk in chunks for row in chunk.rows]
    placed = chunks[0].geoms is not None
    geoms = np.concatenate([chunk.geoms for chunk in chunks if chunk.geoms is not None]) if placed else None
    with tempfile.TemporaryDirectory(prefix="steward-") as folder:
        names = _short_names([column.header for column in table.columns])
        columns = tuple(Column(name, one.kind) for name, one in zip(names, table.columns, strict=True))
        for word, types in _SHAPEFILE_KINDS.items():
            if geoms is None:
                break
            mine = np.flatnonzero(np.isin(shapely.get_type_id(geoms), types))
            if len(mine):
                part = Chunk([rows[i] for i in mine.tolist()], geoms[mine])
                kind = {"点": "Point", "线": "LineString", "面": "Polygon"}[word]
                _append(Path(folder) / f"{table.name}-{word}.shp", Table(table.name, columns, ()), part, kind, False)
        told = "\n".join(f"{name}\t{one.header}" for name, one in zip(names, table.columns, strict=True))
        (Path(folder) / "字段.txt").write_text(f"{told}\n", encoding="utf-8")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for one in sorted(Path(folder).iterdir()):
                archive.write(one, one.name)
    return len(rows)


def _short_names(headers: list[str]) -> list[str]:
    """Distinct names that fit, cut between characters."""
    out: list[str] = []
    for header in headers:
        name = header
        while len(name.encode()) > _SHAPEFILE_NAME:
            name = name[:-1]
        at = 1
        while name in out:
            at += 1
            name = f"{name[:2]}{at}"
        out.append(name)
    return out


def _at_least_one(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """An empty layer has its fields too."""
    nothing = True
    for chunk in chunks:
        nothing = False
        yield chunk
    if nothing:
        yield Chunk([], np.empty(0, dtype=object))


def _append(path: Path, table: Table, chunk: Chunk, geometry: str | None, append: bool) -> None:
    fields, data, masks = [], [], []
    for at, column in enumerate(table.columns):
        values = [plain(row[at]) for row in chunk.rows]
        nothing = np.array([value is None for value in values], dtype=bool)
        if column.kind == NUMBER:
            data.append(np.array([0 if value is None else value for value in values], dtype=np.int64))
        else:
            data.append(np.array([None if value is None else str(value) for value in values], dtype=object))
        fields.append(column.header)
        masks.append(nothing)
    shapes = None if geometry is None or chunk.geoms is None else shapely.to_wkb(chunk.geoms)
    shapefile = path.suffix == ".shp"
    options: dict[str, Any] = {"encoding": "UTF-8"} if shapefile else {}
    _write_layer(
        path,
        shapes,
        data,
        fields,
        field_mask=masks,
        driver="ESRI Shapefile" if shapefile else "GPKG",
        layer=None if shapefile else table.name,
        geometry_type=geometry,
        crs=_CRS if geometry else None,
        append=append,
        promote_to_multi=False,
        **options,
    )
