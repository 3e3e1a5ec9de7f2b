"""Who answers for streets, houses, waters, woods and facilities: what the map's layers of 五长制 draw and count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson
import shapely
from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from service.duties.rules import role_name
from service.errors import InvalidValue
from service.geo.values import BBox
from service.people.rules import Viewer
from service.places.ground import GroundData, GroundLayer
from service.places.queries import REACHES
from service.responsibility.audit import AGREEMENT, LOADED, NAMES, PHONE, Finding
from service.responsibility.lookup import shown_name
from service.responsibility.snapshot import Snapshot
from service.web.audit_rows import seen_findings
from service.web.context import area, asked_day, require_account, require_look, services
from service.web.map_data import asked_box

bp = Blueprint("chief_layer", __name__, url_prefix="/map")
LAYERS = ("street", "building", "reach", "place")
_MOST = 3_000
_FINE = 1e-5  # degrees: what a screen can't show of a line


@bp.get("/chiefs")
def chiefs() -> Response:
    """`of=street|building|reach|place`: those in a box with who answers for them on the day; of houses only those that
    somebody answers for."""
    asking, layer = require_look(), request.args.get("of", "")
    if layer not in LAYERS:
        raise InvalidValue("of", f"没有“{layer[:20]}”这一层。可用：{'、'.join(LAYERS)}。")
    given = services()
    snapshot, ground, box = given.responsibility.on(asked_day()), given.ground.data(), asked_box()
    items = [_item(snapshot, asking, *one) for one in _within(snapshot, ground, layer, box)]
    return _json({"items": items[:_MOST]})


def _item(
    snapshot: Snapshot, viewer: Viewer, kind: str, code: str, name: str | None, sort: str, shape: Any
) -> list[Any]:
    """[code, name, sort, [[role, who, acting for], …], shape]."""
    held = snapshot.held(kind, code, name or code)
    people = [
        [role_name(one.role), shown_name(one.person, viewer), shown_name(one.acting_for, viewer)]
        if one.acting_for
        else [role_name(one.role), shown_name(one.person, viewer)]
        for one in held
    ]
    return [code, name, sort, people, drawn(shape)]


def _within(
    snapshot: Snapshot, ground: GroundData, layer: str, box: BBox | None
) -> Iterator[tuple[str, str, str | None, str, Any]]:
    """(subject kind, code, name, sort, shape) of a layer."""
    if layer == "street":
        for i in ground.streets.within(box, snapshot.on).tolist():
            name, level = ground.streets.rows[i]
            if name:
                yield "street", ground.streets.codes[i], name, str(level), ground.streets.geoms[i]
    elif layer == "building":
        for (kind, code), at in snapshot.nearby.by_subject.items():
            row = snapshot.nearby.rows[at]
            there = ground.buildings.at.get(code) if kind == "building" else None
            if there is not None and (kind, code) in snapshot.duties and _meets(ground.buildings, there, box):
                yield kind, code, row.name, "", ground.buildings.geoms[there]
    else:
        for i in ground.places.within(box, snapshot.on).tolist():
            code, name, sort = ground.places.rows[i]
            if (sort in REACHES) == (layer == "reach") and sort != "bank":
                yield "place", code, name, sort, ground.places.geoms[i]


def _meets(layer: GroundLayer, at: int, box: BBox | None) -> bool:
    if box is None:
        return True
    west, south, east, north = layer.geoms[at].bounds
    return bool(west <= box.east and east >= box.west and south <= box.north and north >= box.south)


def chief_counts(snapshot: Snapshot, ground: GroundData) -> dict[str, dict[str, int]]:
    """Per layer how many somebody answers for, and how many nobody does (of houses nobody has to)."""
    key = ("chief counts", ground.version)
    kept = snapshot.memo.get(key)
    if kept is None:
        kept = snapshot.memo[key] = {layer: _counted(snapshot, ground, layer) for layer in LAYERS}
    return kept  # type: ignore[return-value]


def _counted(snapshot: Snapshot, ground: GroundData, layer: str) -> dict[str, int]:
    found = [(kind, code) in snapshot.duties for kind, code, *_ in _within(snapshot, ground, layer, None)]
    return {"held": sum(found), "open": len(found) - sum(found)}


@bp.get("/audit")
def audit() -> Response:
    """The audit's findings where they lie: {grids: {code: kind}, marks: [[kind, words, name, code, shape], …]}."""
    require_account()
    given = services()
    day = asked_day()
    snapshot, ground = given.responsibility.on(day), given.ground.data()
    with given.database.read() as session:
        found = seen_findings(session, snapshot, area("duties.audit"))
        return _json(_drawn_findings(session, snapshot, ground, found))


def _drawn_findings(session: Session, snapshot: Snapshot, ground: GroundData, found: list[Finding]) -> dict[str, Any]:
    order = list(NAMES)
    grids: dict[str, str] = {}
    marks = []
    for one in found:
        kind, code = one.subject
        if kind in ("grid", "micro_grid"):
            if code not in grids or order.index(one.kind) < order.index(grids[code]):
                grids[code] = one.kind
        elif one.kind not in (AGREEMENT, PHONE, LOADED):
            shape = _shape_of(snapshot, ground, kind, code)
            if shape is not None:
                marks.append([one.kind, NAMES[one.kind], one.name, code, drawn(shape)])
    return {"grids": grids, "marks": marks[:_MOST]}


def _shape_of(snapshot: Snapshot, ground: GroundData, kind: str, code: str) -> Any:
    """A subject's line, or a point on it; None when it has no place."""
    layers = {"street": ground.streets, "building": ground.buildings, "place": ground.places}
    if kind in layers:
        at = layers[kind].at.get(code)
        return None if at is None else _spot(layers[kind].geoms[at])
    if kind == "frontage":
        at = next((i for i, row in enumerate(snapshot.frontages.rows) if row.code == code), None)
        return None if at is None else _spot(snapshot.frontages.geoms[at])
    return None


def _spot(geom: Any) -> Any:
    return geom if "Line" in geom.geom_type else shapely.point_on_surface(geom)


def drawn(geom: Any) -> dict[str, Any]:
    """{point|lines|areas: …}, coordinates flat: lon, lat, lon, lat …"""
    simple = shapely.simplify(geom, _FINE)
    if simple.geom_type == "Point":
        return {"point": _flat(simple)}
    parts = [part for part in shapely.get_parts(simple) if not part.is_empty]
    if simple.geom_type.endswith("LineString"):
        return {"lines": [_flat(part) for part in parts]}
    return {
        "areas": [
            [_flat(ring) for ring in (part.exterior, *part.interiors)] for part in parts if part.geom_type == "Polygon"
        ]
    }


def _flat(geom: Any) -> list[float]:
    return np.round(shapely.get_coordinates(geom), 6).ravel().tolist()


def _json(body: Any) -> Response:
    response = Response(orjson.dumps(body), mimetype="application/json")
    response.headers["Cache-Control"] = "private, no-cache"
    return response
