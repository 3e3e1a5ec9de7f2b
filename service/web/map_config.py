"""What the map page tells its scripts: the office's area, layers, filters, distances."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import shapely

from service.basemaps import NONE
from service.clock import local_date
from service.geo.clusters import OPEN_STATES
from service.geo.incidentrows import STATES
from service.geo.values import BBox
from service.grids.queries import has_faults
from service.people.access import Area, reach
from service.people.rules import Viewer
from service.places.ground import GroundData
from service.responsibility.snapshot import Snapshot
from service.web.chief_layer import chief_counts
from service.web.context import asked_day, now, services

_WORLD = [73.0, 18.0, 135.0, 54.0]
_GLOBE = BBox(-180.0, -90.0, 180.0, 90.0)


def map_config(viewer: Viewer, demo: bool) -> dict[str, Any]:
    """Plain data for service.maps and for the page's scripts."""
    given = services()
    snapshot = given.responsibility.on(asked_day())
    columns = given.incidents.current() if viewer.signed_in else None
    frame = office_bounds(snapshot, given.ground.data())
    return {
        "bounds": list(given.office.view or frame),
        "frame": frame,
        "on": snapshot.on.isoformat(),
        "today": local_date(now()).isoformat(),
        "demo": demo,
        "signed_in": viewer.signed_in,
        "office": given.office.name,
        "basemaps": [entry.model_dump() for entry in (NONE, *given.office.basemaps)],
        "border_m": given.office.border_m,
        "frontage_m": given.office.frontage_m,
        "categories": columns.category_counts(viewer.incidents_within) if columns else [],
        "has_frontages": bool(snapshot.frontages.rows),
        "audit": reach(viewer.role, "duties.audit") is not None,
        "faults": _has_faults() if viewer.signed_in else False,
    }


def office_bounds(snapshot: Snapshot, ground: GroundData) -> list[float]:
    """[west, south, east, north] of the office's own area: its grids, else its communities, else what there is."""
    if len(snapshot.tiling.geoms):
        return [float(value) for value in shapely.total_bounds(snapshot.tiling.geoms)]
    outlines = [row.geom for row in snapshot.communities.values() if row.geom is not None]
    for shapes in (outlines, list(ground.streets.geoms), list(snapshot.frontages.geoms)):
        if shapes:
            return [float(value) for value in shapely.total_bounds(np.array(shapes, dtype=object))]
    columns = services().incidents.current()
    return columns.bounds() or _WORLD


def page_counts(viewer: Viewer, now: datetime) -> dict[str, Any]:
    """The numbers of the legend and of the panel before anything was asked; incidents of the viewer's own area."""
    given = services()
    own = viewer.incidents_within if viewer.signed_in else None
    snapshot = given.responsibility.on(asked_day())
    zones = snapshot.tiling.zones
    standing: dict[str, int] = {"valid": 0, "expired": 0, "none": 0, "vacant": 0}
    for row in snapshot.frontages.rows:
        standing[row.standing(snapshot.on)] += 1
    return {
        "communities": len(snapshot.communities),
        "grids": len(zones),
        "vacant": sum(snapshot.leader_of(zone.code, zone.name, zone.kind) is None for zone in zones),
        "incidents": given.incidents.current().counts(now, own),
        "located": _located(now, own),
        "chiefs": chief_counts(snapshot, given.ground.data()),
        "frontages": {**standing, "all": len(snapshot.frontages.rows)},
    }


def _located(now: datetime, own: Area | None) -> dict[str, int]:
    """Open incidents that a map can show, by state: what the legend tells under any filter."""
    columns = services().incidents.current()
    filters = columns.filters(OPEN_STATES, area=own)
    found = columns.index.clusters(_GLOBE, 4, 64, int(now.timestamp()), filters)
    return dict(zip(STATES, found.counts.sum(axis=0).tolist(), strict=True)) | {"open": found.total}


def _has_faults() -> bool:
    """Of any day: the page goes from day to day."""
    with services().database.read() as session:
        return has_faults(session)
