"""GeoPackage blobs, and the SQL functions that GeoAlchemy2 and the R*Tree triggers call; by Shapely."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from pyproj import CRS

from service.db import rtree

ENVELOPE = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}
APPLICATION_ID = 0x47504B47
VERSION = 10400
POINT = np.dtype(
    [
        ("magic", "S2"),
        ("version", "u1"),
        ("flags", "u1"),
        ("srid", "<i4"),
        ("order", "u1"),
        ("kind", "<u4"),
        ("x", "<f8"),
        ("y", "<f8"),
    ]
)
_PREDICATES = ("intersects", "contains", "within", "touches", "crosses", "overlaps")


def encode(geom: Any, srid: int) -> bytes:
    """A shapely geometry as a GeoPackage blob: little endian, with an envelope unless it is a point."""
    if geom.is_empty:
        flags, envelope = 0x11, b""
    elif geom.geom_type == "Point":
        flags, envelope = 0x01, b""
    else:
        west, south, east, north = geom.bounds
        flags, envelope = 0x03, struct.pack("<4d", west, east, south, north)
    wkb_bytes: bytes = shapely.to_wkb(geom, byte_order=1, flavor="iso")
    return b"GP\0" + struct.pack("<Bi", flags, srid) + envelope + wkb_bytes


def encode_points(x: np.ndarray, y: np.ndarray, srid: int) -> list[bytes]:
    """Blobs of many points at once, 29 bytes each."""
    out = np.empty(len(x), POINT)
    out["magic"], out["version"], out["flags"], out["srid"] = b"GP", 0, 1, srid
    out["order"], out["kind"], out["x"], out["y"] = 1, 1, x, y
    raw = out.tobytes()
    size = POINT.itemsize
    return [raw[i : i + size] for i in range(0, len(raw), size)]


def header(blob: bytes) -> tuple[int, int]:
    """(srid, where the WKB begins)."""
    flags = blob[3]
    return struct.unpack("<i" if flags & 1 else ">i", blob[4:8])[0], 8 + ENVELOPE[(flags >> 1) & 7]


def wkb(blob: bytes) -> bytes:
    """The WKB inside a blob."""
    return blob[8 + ENVELOPE[(blob[3] >> 1) & 7] :]


def decode(blob: bytes) -> Any:
    """The shapely geometry of a blob."""
    return shapely.from_wkb(wkb(bytes(blob)))


def bounds(blob: bytes) -> tuple[float, float, float, float] | None:
    """(west, south, east, north) from the header, or from a point's coordinates; None when empty."""
    flags = blob[3]
    if flags & 0x10:
        return None
    order, kind = "<" if flags & 1 else ">", (flags >> 1) & 7
    if kind:
        west, east, south, north = struct.unpack_from(order + "4d", blob, 8)
        return west, south, east, north
    inner = "<" if blob[8] else ">"
    if struct.unpack_from(inner + "I", blob, 9)[0] % 1000 == 1:
        x, y = struct.unpack_from(inner + "2d", blob, 13)
        return None if x != x else (x, y, x, y)
    return shapely.from_wkb(bytes(blob[8:])).bounds


def _strict(function: Callable[..., Any]) -> Callable[..., Any]:
    """SQL's way with NULL: any NULL in, NULL out."""
    return lambda *given: None if any(one is None for one in given) else function(*given)


def _bound(which: int) -> Callable[[bytes], float | None]:
    def read(blob: bytes) -> float | None:
        found = bounds(blob)
        return None if found is None else found[which]

    return read


@lru_cache(64)
def _prepared(blob: bytes) -> Any:
    geom = decode(blob)
    shapely.prepare(geom)
    return geom


def _predicate(name: str) -> Callable[[bytes, bytes], int]:
    test = getattr(shapely, name)
    return lambda a, b: int(test(_prepared(a), _prepared(b)))


def _from_ewkt(text: str) -> bytes:
    srid, _, wkt = text.partition(";") if text.upper().startswith("SRID=") else ("SRID=0", "", text)
    return encode(shapely.from_wkt(wkt), int(srid[5:]))


def _from_wkb(blob: bytes | None, srid: int | None = None) -> bytes | None:
    if blob is None:
        return None
    geom = shapely.from_wkb(blob)
    return encode(geom, srid or int(shapely.get_srid(geom)))


def _as_ewkb(blob: bytes) -> str:
    srid, start = header(blob)
    geom = shapely.from_wkb(bytes(blob[start:]))
    return str(shapely.to_wkb(shapely.set_srid(geom, srid), include_srid=True, hex=True))


def register(connection: sqlite3.Connection) -> None:
    """Make the functions known on one connection."""

    def known(name: str, arguments: int, function: Callable[..., Any]) -> None:
        connection.create_function(name, arguments, function, deterministic=True)

    for which, name in enumerate(("ST_MinX", "ST_MinY", "ST_MaxX", "ST_MaxY")):
        known(name, 1, _strict(_bound(which)))
    known("ST_IsEmpty", 1, _strict(lambda blob: int(bounds(blob) is None)))
    for name in ("GeomFromEWKT", "ST_GeomFromEWKT"):
        known(name, 1, _strict(_from_ewkt))
    for name in ("GeomFromWKB", "GeomFromEWKB"):
        known(name, -1, _from_wkb)
    for name in ("AsEWKB", "ST_AsEWKB"):
        known(name, 1, _strict(_as_ewkb))
    known("AsBinary", 1, _strict(lambda blob: wkb(blob)))
    known("ST_SRID", 1, _strict(lambda blob: header(blob)[0]))
    for name in _PREDICATES:
        known("ST_" + name.title(), 2, _strict(_predicate(name)))
    known("ST_Distance", 2, _strict(lambda a, b: float(shapely.distance(_prepared(a), _prepared(b)))))
    _register_ddl(connection)


def _register_ddl(connection: sqlite3.Connection) -> None:
    """SpatiaLite's names, which GeoAlchemy2's GeoPackage DDL events call."""
    run = connection.execute

    def add_index(table: str, column: str) -> int:
        key = run(f"SELECT name FROM pragma_table_info('{table}') WHERE pk=1").fetchone()[0]
        rtree.create(run, table, column, key)
        return 1

    connection.create_function("gpkgInsertEpsgSRID", 1, lambda srid: insert_srid(run, srid))
    connection.create_function("gpkgAddGeometryTriggers", 2, lambda _table, _column: 1)
    connection.create_function("gpkgAddSpatialIndex", 2, add_index)


def insert_srid(run: Callable[..., Any], srid: int) -> int:
    """The definition of an EPSG system in gpkg_spatial_ref_sys."""
    if srid > 0:
        crs = CRS.from_epsg(srid)
        run(
            "INSERT OR IGNORE INTO gpkg_spatial_ref_sys VALUES (?,?,?,?,?,NULL)",
            (crs.name, srid, "EPSG", srid, crs.to_wkt("WKT1_GDAL")),
        )
    return 1


BASE_TABLES = (
    """CREATE TABLE IF NOT EXISTS gpkg_spatial_ref_sys(
    srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
    organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT)""",
    """CREATE TABLE IF NOT EXISTS gpkg_contents(
    table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE, description TEXT DEFAULT '',
    last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
    min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
    CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id))""",
    """CREATE TABLE IF NOT EXISTS gpkg_geometry_columns(
    table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL,
    z TINYINT NOT NULL, m TINYINT NOT NULL,
    CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name), CONSTRAINT uk_gc_table_name UNIQUE (table_name),
    CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
    CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id))""",
    """CREATE TABLE IF NOT EXISTS gpkg_extensions(
    table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL,
    CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name))""",
    """INSERT OR IGNORE INTO gpkg_spatial_ref_sys VALUES
    ('Undefined Cartesian SRS',-1,'NONE',-1,'undefined','undefined Cartesian coordinate reference system'),
    ('Undefined geographic SRS',0,'NONE',0,'undefined','undefined geographic coordinate reference system')""",
)
