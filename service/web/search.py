"""The search box of the map: grids, communities, shops, persons, addresses, coordinates."""

from __future__ import annotations

import re
from typing import Any

import shapely
from flask import Blueprint, Response, jsonify, request

from service.duties.rules import role_name
from service.grids.rules import short_code
from service.people.rules import Viewer
from service.responsibility.snapshot import Snapshot
from service.web.context import asked_day, require_look, services

bp = Blueprint("search", __name__)
MOST = 12
_COORDINATES = re.compile(r"^\s*(-?\d{1,3}(?:\.\d+)?)\s*[,，\s]\s*(-?\d{1,3}(?:\.\d+)?)\s*$")


@bp.get("/map/search")
def search() -> Response:
    """Up to twelve results, best first."""
    asking = require_look()
    asked = request.args.get("q", "").strip()[:60]
    snapshot = services().responsibility.on(asked_day())
    return jsonify({"results": find_all(snapshot, asked, asking)[:MOST] if asked else []})


def find_all(snapshot: Snapshot, asked: str, viewer: Viewer) -> list[dict[str, Any]]:
    """What the words name. The public finds grids, communities, shops, streets and coordinates, never persons."""
    found = _coordinates(asked) + _grids(snapshot, asked, viewer) + _communities(snapshot, asked)
    if viewer.signed_in:
        found += _persons(snapshot, asked, viewer)
    found += _shops(snapshot, asked, viewer.signed_in) + _streets(asked)
    return sorted(found, key=lambda one: one.pop("rank"))


def _result(rank: int, kind: str, code: str, title: str, subtitle: str, geom: Any) -> dict[str, Any]:
    at = shapely.point_on_surface(geom)
    box = [round(value, 6) for value in geom.bounds] if geom.geom_type != "Point" else None
    return {
        "rank": rank,
        "kind": kind,
        "code": code,
        "title": title,
        "subtitle": subtitle,
        "lon": round(at.x, 6),
        "lat": round(at.y, 6),
        "bbox": box,
    }


def _rank(asked: str, *texts: str | None) -> int | None:
    """0 the same, 1 begins so, 2 ends so, 3 contains; None not at all."""
    best = None
    for text in texts:
        if text and asked.lower() in text.lower():
            low, word = text.lower(), asked.lower()
            rank = 0 if low == word else 1 if low.startswith(word) else 2 if low.endswith(word) else 3
            best = rank if best is None else min(best, rank)
    return best


def _coordinates(asked: str) -> list[dict[str, Any]]:
    match = _COORDINATES.match(asked)
    if not match:
        return []
    lon, lat = float(match[1]), float(match[2])
    if abs(lat) > 90 >= abs(lon):
        lon, lat = lat, lon
    if abs(lon) > 180 or abs(lat) > 90:
        return []
    return [_result(0, "coordinates", "", f"{lon:.9g}, {lat:.9g}", "经度, 纬度", shapely.Point(lon, lat))]


def _grids(snapshot: Snapshot, asked: str, viewer: Viewer) -> list[dict[str, Any]]:
    out = []
    for i, zone in enumerate(snapshot.tiling.zones):
        rank = _rank(asked, zone.code, zone.name)
        if rank is None:
            continue
        community = snapshot.communities.get(zone.community_code)
        leader = snapshot.leader_of(zone.code, zone.name, zone.kind)
        who = viewer.name(leader.person.name, True) if leader else "网格长空缺"
        title = f"{short_code(zone.code)[1]} {zone.name}"
        out.append(
            _result(
                rank,
                "grid",
                zone.code,
                title,
                f"{community.name if community else ''} {who}".strip(),
                snapshot.tiling.geoms[i],
            )
        )
    return out


def _communities(snapshot: Snapshot, asked: str) -> list[dict[str, Any]]:
    out = []
    for row in snapshot.communities.values():
        rank = _rank(asked, row.code, row.name)
        mine = (
            [i for i, zone in enumerate(snapshot.tiling.zones) if zone.community_code == row.code]
            if rank is not None
            else []
        )
        geom = shapely.union_all(snapshot.tiling.geoms[mine]) if mine else row.geom
        if rank is not None and geom is not None:
            out.append(_result(rank, "community", row.code, row.name, f"{len(mine)} 个网格", geom))
    return out


def _persons(snapshot: Snapshot, asked: str, viewer: Viewer) -> list[dict[str, Any]]:
    """Persons with a duty over a grid today, whose name the viewer may read; choosing one shows that grid."""
    out = []
    for (kind, code), duties in snapshot.duties.items():
        at = snapshot.tiling.by_code.get(code) if kind == "grid" else None
        if at is None:
            continue
        for duty in duties:
            person = snapshot.persons.get(duty.holder_on(snapshot.on)[0])
            if person is None or not viewer.sees_name(duty.role == "grid_leader", person.organisation_code):
                continue
            rank = _rank(asked, person.name)
            if rank is not None:
                title = f"{person.name}　{role_name(duty.role)}"
                out.append(
                    _result(rank, "person", code, title, f"{snapshot.tiling.zones[at].name}", snapshot.tiling.geoms[at])
                )
    return out


def _shops(snapshot: Snapshot, asked: str, told: bool) -> list[dict[str, Any]]:
    """By name, address or code; the public by name."""
    out = []
    for row, geom in zip(snapshot.frontages.rows, snapshot.frontages.geoms, strict=True):
        rank = _rank(asked, row.shop_name, *((row.address, row.code) if told else ()))
        if rank is not None:
            out.append(_result(rank, "frontage", row.code, row.shop_name, (told and row.address) or "门店", geom))
            if len(out) >= MOST * 4:
                break
    return out


def _streets(asked: str) -> list[dict[str, Any]]:
    layer, seen, out = services().ground.data().streets, set(), []
    for i in layer.within(None, asked_day()).tolist():
        (name, _level), geom = layer.rows[i], layer.geoms[i]
        rank = _rank(asked, name)
        if rank is not None and name not in seen:
            seen.add(name)
            out.append(_result(rank and rank + 1, "address", name, name, "街路", geom))
    return out
