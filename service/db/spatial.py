"""Geometry columns on both stores: declaring, filtering by box, reading and writing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from geoalchemy2 import Geometry, WKBElement
from geoalchemy2.shape import from_shape
from sqlalchemy import Boolean, literal, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import MappedColumn, mapped_column
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import UserDefinedType

from service.db import gpkg
from service.geo.values import BBox

SRID = 4326
EWKB_POINT = np.dtype([("order", "u1"), ("kind", "<u4"), ("srid", "<u4"), ("x", "<f8"), ("y", "<f8")])
_POINT_HEX = "0101000020E6100000"  # little-endian, a point, with its SRID: as PostGIS prints ours


def geometry_column(kind: str, nullable: bool = False) -> MappedColumn[Any]:
    """A geometry attribute in longitude/latitude with a spatial index."""
    return mapped_column(Geometry(kind, srid=SRID, spatial_index=True), nullable=nullable)


class _Raw(UserDefinedType[Any]):
    """The stored value as the driver gives it."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "BLOB"


def raw_geometry(attribute: Any) -> Any:
    """The stored geometry for a select, without a call per row; decode with read_geometries or read_points."""
    return type_coerce(attribute, _Raw())


def encode(geom: Any) -> WKBElement:
    """A shapely geometry for an ORM attribute or a Core value."""
    return from_shape(geom, srid=SRID)


def decode(element: WKBElement | None) -> Any:
    """The shapely geometry of an ORM attribute."""
    return None if element is None else shapely.from_wkb(bytes.fromhex(element.desc))


def read_geometries(raw: Sequence[Any]) -> np.ndarray:
    """Raw values (GeoPackage blobs, or PostGIS hex) as shapely objects, shape (n,); None stays None."""
    if not len(raw):
        return np.empty(0, dtype=object)
    plain = [gpkg.wkb(one) if isinstance(one, bytes) else one for one in raw]
    return np.asarray(shapely.from_wkb(np.array([*plain, None], dtype=object))[:-1], dtype=object)


def read_points(raw: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """(lon, lat) of raw points, float64 (n,); NaN where there is none."""
    n = len(raw)
    lon, lat = np.full(n, np.nan), np.full(n, np.nan)
    if n == 0:
        return lon, lat
    here = np.fromiter((one is not None for one in raw), bool, count=n)
    some = [one for one in raw if one is not None]
    if some and isinstance(some[0], bytes) and all(len(one) == gpkg.POINT.itemsize for one in some):
        points = np.frombuffer(b"".join(some), gpkg.POINT)
        lon[here], lat[here] = points["x"], points["y"]
    elif some and isinstance(some[0], str) and all(one.startswith(_POINT_HEX) and len(one) == 50 for one in some):
        points = np.frombuffer(bytes.fromhex("".join(some)), EWKB_POINT)
        lon[here], lat[here] = points["x"], points["y"]
    elif some:
        shapes = read_geometries(some)
        lon[here], lat[here] = shapely.get_x(shapes), shapely.get_y(shapes)
    return lon, lat


class _WithinBox(FunctionElement[bool]):
    """`&&` on PostGIS, an R*Tree sub-select on the GeoPackage."""

    type = Boolean()
    inherit_cache = True

    def __init__(self, attribute: Any, *bounds: float) -> None:
        column = attribute.__clause_element__() if hasattr(attribute, "__clause_element__") else attribute
        base = getattr(column.table, "element", column.table)
        key = column.table.c[next(iter(base.primary_key)).key]
        super().__init__(column, key, *[literal(float(value)) for value in bounds])

    def self_group(self, against: Any = None) -> Any:
        return self  # else SQLite gets "(…) = 1"


@compiles(_WithinBox, "postgresql")
def _within_pg(element: Any, compiler: Any, **kw: Any) -> str:
    column, _, *bounds = [compiler.process(one, **kw) for one in element.clauses]
    return f"({column} && ST_MakeEnvelope({', '.join(bounds)}, {SRID}))"


@compiles(_WithinBox, "geopackage")
def _within_gpkg(element: Any, compiler: Any, **kw: Any) -> str:
    column = next(iter(element.clauses))
    base = getattr(column.table, "element", column.table)
    _, key, west, south, east, north = [compiler.process(one, **kw) for one in element.clauses]
    tree = compiler.preparer.quote(f"rtree_{base.name}_{column.name}")
    inside = f"maxx >= {west} AND maxy >= {south} AND minx <= {east} AND miny <= {north}"
    return f"{key} IN (SELECT id FROM {tree} WHERE {inside})"


def within_bbox(attribute: Any, box: BBox) -> Any:
    """The rows whose geometry's box touches `box`: a filter that uses the index on both stores."""
    return _WithinBox(attribute, box.west, box.south, box.east, box.north)
