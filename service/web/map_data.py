"""What the map draws: grids, ground, clusters, frontages, places, faults."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import orjson
from flask import Blueprint, Response, request

from service.clock import SHANGHAI
from service.errors import InvalidValue
from service.geo.clusters import Filters
from service.geo.values import BBox
from service.grids.queries import edition_days
from service.incidents.columns import Columns
from service.incidents.queries import point_rows
from service.people.access import NOWHERE
from service.web.context import asked_day, now, require_account, require_look, services, viewer
from service.web.grid_layer import faults_layer, grids_layer

bp = Blueprint("map_data", __name__, url_prefix="/map")
POINTS_FROM_ZOOM = 17
MOST_POINTS = 4_000
MOST_FRONTAGES = 4_000


class Packed:
    """A few answers kept gzipped, by what they were made from."""

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[object, tuple[str, bytes]] = OrderedDict()

    def answer(self, key: object, make: Callable[[], Any], mimetype: str = "application/json") -> Response:
        """The kept answer of `key`, made on first demand; 304 when the browser has it."""
        kept = self._kept.get(key)
        if kept is None:
            body = gzip.compress(orjson.dumps(make(), option=orjson.OPT_SERIALIZE_NUMPY), 5, mtime=0)
            kept = (hashlib.sha256(body).hexdigest()[:20], body)
            with self._lock:
                self._kept[key] = kept
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        etag, body = kept
        response = Response(body, mimetype=mimetype)
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Cache-Control"] = "private, no-cache"
        response.headers["Vary"] = "Cookie, Authorization"
        response.set_etag(etag)
        response.make_conditional(request)
        return response


_packed = Packed()


@bp.get("/grids.geojson")
def grids() -> Response:
    """All grids of a day with who leads them and how many open incidents they have."""
    asking, day = require_look(), asked_day()
    given = services()
    snapshot = given.responsibility.on(day)
    columns = given.incidents.current()
    minute = int(now().timestamp() // 60)
    # What differs between viewers: whether leaders are named, and where overdue incidents are counted.
    shown = (asking.sees_leaders, asking.incidents_within if asking.signed_in else NOWHERE)
    key = ("grids", id(given.database), given.responsibility.version, columns.version, day, shown, minute)

    def make() -> dict[str, Any]:
        with given.database.read() as session:
            days = edition_days(session)
        return grids_layer(snapshot, columns.open_by_grid(now()), asking, days)

    return _packed.answer(key, make, "application/geo+json")


@bp.get("/faults.geojson")
def faults() -> Response:
    """Where the editions in force don't tile; for those who are signed in."""
    require_account()
    given = services()
    with given.database.read() as session:
        body = faults_layer(session, asked_day())
    return Response(orjson.dumps(body), mimetype="application/geo+json")


@bp.get("/ground")
def ground() -> Response:
    """Streets, buildings, waters and woods of a view."""
    require_look()
    box, zoom, day = asked_box(), asked_zoom(), asked_day()
    given = services().ground
    key = ("ground", id(given), given.data().version, given.endings(day))
    if given.complete:
        return _packed.answer(key, lambda: given.view(box, 0.1, day))
    return _packed.answer((*key, box, zoom), lambda: given.view(box, metres_per_px(box, zoom), day))


@bp.get("/places")
def places() -> Response:
    """Facilities of a view."""
    require_look()
    found = services().ground.facilities(asked_box(), asked_day())
    return Response(orjson.dumps({"places": found}), mimetype="application/json")


@bp.get("/frontages")
def frontages() -> Response:
    """Frontages of a view: [code, shop name, valid|expired|vacant|none, [lon, lat, …]]; `more` where they are not all.
    The public reads names only."""
    told = require_look().signed_in
    day, box = asked_day(), asked_box()
    found = (
        services().responsibility.on(day).frontages.within(box.west, box.south, box.east, box.north, MOST_FRONTAGES + 1)
    )
    out = [
        [
            row.code,
            row.shop_name,
            row.standing(day) if told else "valid",
            [round(value, 6) for value in coords.ravel().tolist()],
        ]
        for row, coords in found[:MOST_FRONTAGES]
    ]
    body = {"frontages": out, "more": len(found) > MOST_FRONTAGES}
    return Response(orjson.dumps(body), mimetype="application/json")


@bp.get("/clusters")
def clusters() -> Response:
    """Incidents of a view in cells with counts by state; from zoom 17 the points themselves. The asker's area only."""
    require_account()
    box, zoom = asked_box(), asked_zoom()
    cell = _whole("cell", 64, 8, 512)
    columns = services().incidents.current()
    filters = asked_filters(columns)
    at = int(now().timestamp())
    if zoom >= POINTS_FROM_ZOOM and cell == 64:
        ids, states = columns.index.points(box, at, filters, MOST_POINTS + 1)
        more = len(ids) > MOST_POINTS
        ids, states = ids[:MOST_POINTS], states[:MOST_POINTS]
        with services().database.read() as session:
            rows = point_rows(session, ids, states)
        return _json({"total": len(ids), "cells": [], "points": rows, "more": more})
    found = columns.index.clusters(box, zoom, cell, at, filters)
    cells = [
        [round(lon, 6), round(lat, 6), *counts]
        for lon, lat, counts in zip(found.lon.tolist(), found.lat.tolist(), found.counts.tolist(), strict=True)
    ]
    return _json({"total": int(found.total), "cells": cells, "points": None})


def _json(body: Any) -> Response:
    response = Response(orjson.dumps(body), mimetype="application/json")
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def asked_box() -> BBox:
    """`bbox=w,s,e,n`. Raises InvalidValue."""
    return BBox.parse(request.args.get("bbox", ""))


def asked_zoom() -> int:
    """`z=`, rounded down: the browser zooms in fractions."""
    text = request.args.get("z", "")
    try:
        value = float(text)
    except ValueError:
        raise InvalidValue("z", f"z=“{text[:20]}”不是缩放级别，写 0 到 22 的数。") from None
    if not 0 <= value <= 22:
        raise InvalidValue("z", f"z={text[:20]} 不在 0 到 22 之间。")
    return int(value)


def metres_per_px(box: BBox, zoom: int) -> float:
    """Ground resolution in the middle of a box at a web-mercator zoom."""
    from math import cos, radians

    return 156_543.034 * cos(radians((box.south + box.north) / 2)) / 2.0**zoom


def _whole(field: str, default: int, least: int, most: int) -> int:
    text = request.args.get(field, "")
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10) or not least <= int(text) <= most:
        raise InvalidValue(field, f"{field}=“{text[:20]}”要是 {least} 到 {most} 的整数。")
    return int(text)


def asked_filters(columns: Columns) -> Filters:
    """Period, category, status and community of the query string. By default what is open, whenever reported."""
    states = _listed("status") or ["late", "way", "chk", "rep"]
    unknown = [state for state in states if state not in ("late", "way", "chk", "rep", "done", "all")]
    if unknown:
        raise InvalidValue("status", f"没有状态“{unknown[0][:20]}”。可用：late、way、chk、rep、done、all。")
    if "all" in states:
        states = ["late", "way", "chk", "rep", "done"]
    return columns.filters(
        since=_moment("from", 0),
        until=_moment("to", 1),
        categories=_listed("category"),
        communities=_listed("community"),
        states=states,
        area=viewer().incidents_within,
    )


def _listed(field: str) -> list[str]:
    return [part for text in request.args.getlist(field) for part in text.split(",") if part]


def _moment(field: str, days: int) -> datetime | None:
    """The start of a Shanghai day (`days` later: `to` is the last day, included) as UTC."""
    text = request.args.get(field, "")
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
        return datetime.combine(day + timedelta(days=days), time(), SHANGHAI).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidValue(field, f"{field}=“{text[:20]}”读不懂，写成 2026-11-23 这样。") from None
