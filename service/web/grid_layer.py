"""The grids of a day as one GeoJSON, simplified as a coverage so that neighbours keep their shared border."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import shapely
from sqlalchemy.orm import Session

from service.geo.coverage import (
    colour_communities,
    label_points,
    neighbours_of,
    outer_boundary,
    simplify_coverage,
)
from service.geo.crs import MetricFrame
from service.grids.queries import editions_on, faults_of
from service.grids.rules import short_code
from service.people.rules import Viewer
from service.responsibility.snapshot import Snapshot, Tiling

COLOURS = 8
_SCREEN_STEPS = 20_000


def grids_layer(
    snapshot: Snapshot, opened: dict[str, tuple[int, int]], viewer: Viewer, days: list[tuple[date, str]]
) -> dict[str, Any]:
    """FeatureCollection of the tiling grids and the micro-grids, with the communities and the days beside it.

    `days`: (day, community code) of each edition that begins on a day.
    """
    shapes = shapes_of(snapshot.tiling)
    shops = _frontages_by_grid(snapshot)
    features = []
    for i, zone in enumerate([*snapshot.tiling.zones, *snapshot.tiling.micro_zones]):
        leader = snapshot.leader_of(zone.code, zone.name, zone.kind)
        count = opened.get(zone.code, (0, 0))
        home = zone.parent_code if zone.kind == "micro_grid" else zone.code
        counted = viewer.may_see_incidents(viewer.area.holds_grid(home, zone.community_code))
        features.append(
            {
                "type": "Feature",
                "geometry": shapes["geometry"][i],
                "properties": {
                    "code": zone.code,
                    "short": short_code(zone.code)[1],
                    "name": zone.name,
                    "kind": zone.kind,
                    "community": zone.community_code,
                    "label": shapes["label"][i],
                    "r": shapes["radius"][i],
                    "leader": viewer.name(leader.person.name, True) if leader else None,
                    "vacant": leader is None,
                    "households": zone.households if viewer.signed_in else None,
                    "population": zone.population if viewer.signed_in else None,
                    "ha": shapes["ha"][i],
                    "frontages": shops.get(zone.code, 0),
                    "open": count[0],
                    "overdue": count[1] if counted else None,
                },
            }
        )
    return {
        "type": "FeatureCollection",
        "on": snapshot.on.isoformat(),
        "editions": _editions(snapshot, days),
        "communities": _communities(snapshot),
        "features": features,
    }


def _editions(snapshot: Snapshot, days: list[tuple[date, str]]) -> list[dict[str, Any]]:
    """The days on which boundaries begin to hold, with the names of whose they are."""
    named: dict[date, list[str]] = {}
    for day, code in days:
        row = snapshot.communities.get(code)
        named.setdefault(day, []).append(row.name if row else code)
    return [{"on": day.isoformat(), "communities": names} for day, names in named.items()]


def shapes_of(tiling: Tiling) -> dict[str, Any]:
    """What depends on the tiling only; kept with it, for all days of the same editions."""
    known = tiling.memo.get("shapes")
    if known is not None:
        return known  # type: ignore[return-value]
    micro = np.array([tiling.micro_index.geoms[i] for i in range(len(tiling.micro_zones))], dtype=object)
    whole = np.concatenate([tiling.geoms, micro]) if len(micro) else tiling.geoms
    out: dict[str, Any] = {"geometry": [], "label": [], "radius": [], "ha": []}
    if len(whole):
        west, south, east, north = shapely.total_bounds(whole)
        step = max(east - west, north - south) / _SCREEN_STEPS
        drawn = simplify_coverage(tiling.geoms, step) if len(tiling.geoms) else tiling.geoms
        drawn = np.concatenate([drawn, micro]) if len(micro) else drawn
        lon, lat, radius = label_points(whole)
        frame = MetricFrame((west + east) / 2, (south + north) / 2)
        areas = shapely.area(frame.geometries(whole)) / 1e4
        out["geometry"] = [geojson(one) for one in drawn]
        out["label"] = [[round(x, 6), round(y, 6)] for x, y in zip(lon.tolist(), lat.tolist(), strict=True)]
        out["radius"] = [round(r) for r in radius.tolist()]
        out["ha"] = [round(a, 1) for a in areas.tolist()]
    tiling.memo["shapes"] = out
    return out


def _outlines(tiling: Tiling) -> dict[str, Any]:
    """The outer boundary of each community that has grids; kept with the tiling."""
    known = tiling.memo.get("outlines")
    if known is not None:
        return known  # type: ignore[return-value]
    members: dict[str, list[int]] = {}
    for i, zone in enumerate(tiling.zones):
        members.setdefault(zone.community_code, []).append(i)
    out = {code: outer_boundary(tiling.geoms[mine]) for code, mine in members.items()}
    tiling.memo["outlines"] = out
    return out


def _communities(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Each community with its colour, its number of grids and, where it has no grids, its imported outline."""
    known = snapshot.memo.get("communities")
    if known is not None:
        return known  # type: ignore[return-value]
    zones = snapshot.tiling.zones
    codes = sorted({*snapshot.communities, *(zone.community_code for zone in zones)})
    outlines = _outlines(snapshot.tiling)
    shapes = []
    for code in codes:
        row = snapshot.communities.get(code)
        shapes.append(outlines.get(code) or (row.geom if row else None))
    colours = _colours(shapes)
    out = []
    for i, code in enumerate(codes):
        row = snapshot.communities.get(code)
        count = sum(zone.community_code == code for zone in zones)
        entry = {
            "code": code,
            "name": row.name if row else code,
            "kind": row.kind if row else "community",
            "colour": colours[i],
            "grids": count,
        }
        if not count and row is not None and row.geom is not None:
            entry["geometry"] = geojson(row.geom)
        out.append(entry)
    snapshot.memo["communities"] = out
    return out


def _colours(shapes: list[Any]) -> list[int]:
    """In order while the palette lasts; beyond it so that neighbours differ."""
    if len(shapes) <= COLOURS:
        return list(range(len(shapes)))
    known = [i for i, shape in enumerate(shapes) if shape is not None]
    pairs = neighbours_of(np.array([shapes[i] for i in known], dtype=object)) if known else np.empty((0, 2), int)
    chosen = dict(zip(known, colour_communities(pairs, len(known), COLOURS), strict=True))
    return [int(chosen.get(i, i % COLOURS)) for i in range(len(shapes))]


def _frontages_by_grid(snapshot: Snapshot) -> dict[str, int]:
    """How many frontages stand in each grid, by the middle of their line."""
    known = snapshot.memo.get("shops")
    if known is not None:
        return known  # type: ignore[return-value]
    at = snapshot.shop_zones()
    counts = np.bincount(at[at >= 0], minlength=len(snapshot.tiling.zones))
    out = {zone.code: int(n) for zone, n in zip(snapshot.tiling.zones, counts, strict=True) if n}
    snapshot.memo["shops"] = out
    return out


@dataclass(frozen=True)
class ZoneSpots:
    """Grids as they are drawn, with room for a label: `spots[i]` is lon, lat, radius in metres."""

    geoms: np.ndarray
    spots: list[list[float]]


def zone_spots(snapshot: Snapshot, at: np.ndarray) -> ZoneSpots:
    """The grids at these indexes of the tiling, simplified together."""
    shapes, tiling = shapes_of(snapshot.tiling), snapshot.tiling
    if not len(at):
        return ZoneSpots(tiling.geoms[at], [])
    west, south, east, north = shapely.total_bounds(tiling.geoms).tolist()
    drawn = simplify_coverage(tiling.geoms, max(east - west, north - south) / 3_000)
    spots = [[*shapes["label"][i], float(shapes["radius"][i])] for i in at.tolist()]
    return ZoneSpots(drawn[at], spots)


def frontages_in(snapshot: Snapshot, code: str) -> int:
    """How many frontages stand in a grid."""
    return _frontages_by_grid(snapshot).get(code, 0)


def area_ha(snapshot: Snapshot, index: int) -> float:
    """A grid's area in hectares."""
    return float(shapes_of(snapshot.tiling)["ha"][index])


def faults_layer(session: Session, on: date) -> dict[str, Any]:
    """Tiling faults of the editions in force on the day."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": geojson(fault.geom),
                "properties": {"kind": fault.kind, "codes": fault.codes, "area_m2": round(fault.area_m2, 2)},
            }
            for fault in faults_of(session, editions_on(session, on))
        ],
    }


def geojson(geom: Any, digits: int = 7) -> dict[str, Any]:
    """A polygon as a GeoJSON geometry, rounded to about a centimetre."""
    parts = [
        [np.round(shapely.get_coordinates(ring), digits).tolist() for ring in (part.exterior, *part.interiors)]
        for part in shapely.get_parts(geom)
        if part.geom_type == "Polygon" and not part.is_empty
    ]
    if len(parts) == 1:
        return {"type": "Polygon", "coordinates": parts[0]}
    return {"type": "MultiPolygon", "coordinates": parts}
