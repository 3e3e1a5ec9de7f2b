"""The zone of a million points, against geopandas.sjoin."""

from __future__ import annotations

import time

import numpy as np
import shapely
from geopandas.geodataframe import GeoDataFrame
from geopandas.tools import sjoin

from service.bench.data import places, tiling
from service.bench.figures import Context, Figure, figure, in_turn
from service.geo.pointindex import PointIndex

_MILLION = 1_000_000
_PEER = "geopandas.sjoin"
_LONG = 2.0  # seconds; a build that takes longer is timed once


def measure(context: Context) -> list[Figure]:
    """Few winding zones, as a subdistrict has; many straight ones, as a province has."""
    few = _one(context, context.count(300), winding=True, most_us=0.3, most_ratio=0.1)
    return few + _one(context, context.count(100_000), winding=False, most_us=2.5, most_ratio=1.0)


def _one(context: Context, zones: int, *, winding: bool, most_us: float, most_ratio: float) -> list[Figure]:
    rng = context.rng()
    geoms = tiling(rng, zones, winding)
    codes = [f"{i:015d}" for i in range(len(geoms))]
    lon, lat = places(rng, context.count(_MILLION), clustered=True)
    start = time.perf_counter()
    index = PointIndex(geoms, codes)
    build = time.perf_counter() - start
    zone_table = GeoDataFrame(geometry=geoms, crs=4326)
    point_table = GeoDataFrame(geometry=shapely.points(lon, lat), crs=4326)
    ours, peer = in_turn(
        [
            lambda: index.locate(lon, lat),
            lambda: _joined(point_table, zone_table),
        ]
    )
    if build < _LONG:
        build = in_turn([lambda: PointIndex(geoms, codes)])[0]
    label, per_point = f"{len(geoms):,} 个网格", 1e6 / len(lon)
    return [
        figure(
            f"{label}：每点", ours * per_point, "µs", peer=_PEER, peer_value=peer * per_point,
            most=most_us, most_ratio=most_ratio, note=f"{len(lon):,} 点，{_vertices(geoms):,} 个顶点",
        ),
        figure(f"{label}：建立索引", build, "s", note="每期网格建一次" + ("" if build < _LONG else "；只测一次")),
        figure(f"{label}：索引内存", index.nbytes / 1e6, "MB", note="网格图形本身不计"),
        figure(f"{label}：与 sjoin 不一致的点", _mismatches(index, point_table, zone_table), "个", most=0),
    ]  # fmt: skip


def _vertices(geoms: np.ndarray) -> int:
    return int(shapely.get_num_coordinates(geoms).sum())


def _joined(points: GeoDataFrame, zones: GeoDataFrame) -> GeoDataFrame:
    joined: GeoDataFrame = sjoin(points, zones, how="left", predicate="intersects")  # type: ignore[no-untyped-call]
    return joined


def _mismatches(index: PointIndex, points: GeoDataFrame, zones: GeoDataFrame) -> int:
    """Points whose zone isn't among the ones that sjoin finds; on a border it finds several."""
    joined = _joined(points, zones)["index_right"]
    ours = index.locate(points.geometry.x.to_numpy(), points.geometry.y.to_numpy())
    same = joined.fillna(-1).to_numpy().astype(np.int64) == ours[joined.index.to_numpy()]
    found = np.zeros(len(ours), bool)
    np.logical_or.at(found, joined.index.to_numpy(), same)
    return int(np.count_nonzero(~found))
