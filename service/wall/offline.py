"""The same in one file for a browser without a network: everything as plain data, by longitude and latitude."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from service.clock import spoken
from service.documents.staticmap import TINTS
from service.geo.coverage import colour_communities, label_points, neighbours_of, outer_boundary, simplify_coverage
from service.geo.values import BBox
from service.places.ground import GroundData
from service.responsibility.snapshot import Snapshot
from service.wall.content import VACANT, Content, GridRow, Name, community_name
from service.wall.sheets import Setting

_UNIT = 1e-6
_MARGIN = 0.12
_SIMPLE = 4e-6  # degrees
_LAND = ("wood", "dense_wood", "bank", "park", "river")
_MOST_BUILDINGS, _MOST_STREETS = 12_000, 6_000


def offline_data(
    snapshot: Snapshot, ground: GroundData, contents: Sequence[Content], title: str, setting: Setting
) -> dict[str, Any]:
    """What service.maps.offline draws. Coordinates are whole numbers of 1e-6 degree from `origin`, flat."""
    rows = _each_once(contents)
    shapes = simplify_coverage(snapshot.tiling.geoms[[row.index for row in rows]], _SIMPLE)
    box = _box(shapes)
    origin = (round((box.west + box.east) / 2, 3), round((box.south + box.north) / 2, 3))
    on = contents[0].on
    days = sorted({day for one in contents for day in one.editions if day})
    return {
        "title": title,
        "office": setting.office,
        "on": on.isoformat(),
        "notes": [
            f"责任以 {on.isoformat()} 为准" + ("（尚未开始）" if on > setting.today else ""),
            f"界线：{'、'.join(day.isoformat() + ' 版' for day in days) or '首版'}",
            f"制作 {spoken(setting.made_at)}",
            f"数据：{setting.office}",
            *([f"另负责：{'；'.join(contents[0].also)}"] if len(contents) == 1 and contents[0].also else []),
            *([f"审图号：{setting.approval}"] if setting.approval else []),
        ],
        "demo": "演示数据，界线和人员均为虚构" if setting.demo else "",
        "vacant_word": VACANT,
        "bounds": [float(value) for value in shapely.total_bounds(shapes)],
        "origin": origin,
        "unit": _UNIT,
        "grids": _grids(rows, shapes, origin),
        "homes": _homes(snapshot, rows, origin),
        "heads": _heads(contents),
        "around": _around(snapshot, rows, box, origin),
        "ground": _ground(ground, box, on, origin),
    }


def _each_once(contents: Sequence[Content]) -> list[GridRow]:
    """The grids of all sheets in the order of their codes."""
    found: dict[str, GridRow] = {}
    for one in contents:
        for row in one.rows:
            found.setdefault(row.code, row)
    return [found[code] for code in sorted(found)]


def _box(shapes: np.ndarray) -> BBox:
    west, south, east, north = (float(value) for value in shapely.total_bounds(shapes))
    dx, dy = max(east - west, 0.0015) * _MARGIN, max(north - south, 0.0015) * _MARGIN
    return BBox(west - dx, south - dy, east + dx, north + dy)


def _grids(rows: Sequence[GridRow], shapes: np.ndarray, origin: tuple[float, float]) -> list[dict[str, Any]]:
    colours = colour_communities(neighbours_of(shapes), len(shapes), len(TINTS))
    lon, lat, radius = label_points(shapes)
    return [
        {
            "code": row.code,
            "number": row.code[-3:] if len(row.code) == 15 else row.number,
            "title": row.title,
            "community": row.community,
            "leader": row.leader.name if row.leader else None,
            "vacant": row.leader is None,
            "people": [_person(one) for one in row.people],
            "shops": row.shops,
            "tint": TINTS[colour],
            "rings": _polygons(shape, origin),
            "at": [round(float(x), 6), round(float(y), 6)],
            "radius": round(float(r)),
        }
        for row, shape, colour, x, y, r in zip(
            rows, shapes, colours, lon.tolist(), lat.tolist(), radius.tolist(), strict=True
        )
    ]


def _person(one: Name) -> list[str]:
    name = f"{one.name}（代{one.acting_for}）" if one.name and one.acting_for else one.name or ""
    return [one.role_name, name, one.phone or ""]


def _homes(snapshot: Snapshot, rows: Sequence[GridRow], origin: tuple[float, float]) -> list[dict[str, Any]]:
    """The communities that the grids lie in, with their outlines."""
    zones = snapshot.tiling.zones
    out = []
    for code in sorted({zones[row.index].community_code for row in rows}):
        mine = [i for i, zone in enumerate(zones) if zone.community_code == code]
        outline = shapely.simplify(outer_boundary(snapshot.tiling.geoms[mine]), _SIMPLE)
        out.append({"name": community_name(snapshot, code), "rings": _polygons(outline, origin)})
    return out


def _heads(contents: Sequence[Content]) -> list[list[str]]:
    """Who stands over all of it, each once."""
    told = {(one.subject, *_person(one)) for content in contents for one in content.heads}
    return [list(one) for one in sorted(told)]


def _around(
    snapshot: Snapshot, rows: Sequence[GridRow], box: BBox, origin: tuple[float, float]
) -> list[list[list[int]]]:
    mine = {row.index for row in rows}
    tree = shapely.STRtree(snapshot.tiling.geoms)
    hit = np.sort(tree.query(shapely.box(box.west, box.south, box.east, box.north))).tolist()
    return [
        rings
        for i in hit
        if i not in mine
        for rings in _polygons(shapely.simplify(snapshot.tiling.geoms[i], _SIMPLE), origin)
    ]


def _ground(ground: GroundData, box: BBox, on: Any, origin: tuple[float, float]) -> dict[str, Any]:
    window = shapely.box(box.west, box.south, box.east, box.north)
    areas: dict[str, list[list[list[int]]]] = {kind: [] for kind in _LAND}
    for i in ground.places.within(box, on).tolist():
        kind = ground.places.rows[i][2]
        if kind in areas:
            areas[kind] += _polygons(_cut(ground.places.geoms[i], window), origin)
    streets: list[list[Any]] = []
    for i in ground.streets.within(box, on)[:_MOST_STREETS].tolist():
        name, level = ground.streets.rows[i]
        parts = shapely.get_parts(_cut(ground.streets.geoms[i], window))
        lines = [part for part in parts if part.geom_type == "LineString" and not part.is_empty]
        streets += [[name, min(3, level or 0), _flat(line, origin)] for line in lines]
    buildings = [
        rings[0]
        for i in ground.buildings.within(box, on)[:_MOST_BUILDINGS].tolist()
        for rings in _polygons(ground.buildings.geoms[i], origin)
    ]
    return {"areas": areas, "streets": streets, "buildings": buildings}


def _cut(geom: Any, window: Any) -> Any:
    return shapely.intersection(geom if shapely.is_valid(geom) else shapely.make_valid(geom), window)


def _polygons(geom: Any, origin: tuple[float, float]) -> list[list[list[int]]]:
    return [
        [_flat(ring, origin) for ring in (part.exterior, *part.interiors)]
        for part in shapely.get_parts(geom)
        if part.geom_type == "Polygon" and not part.is_empty
    ]


def _flat(line: Any, origin: tuple[float, float]) -> list[int]:
    return [int(value) for value in np.rint((shapely.get_coordinates(line) - origin) / _UNIT).ravel().tolist()]
