"""The search box of every page: what the words name, for those who may find it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from flask import Blueprint, Response, jsonify, request

from service.incidents.finding import by_number
from service.people.access import reach
from service.people.rules import Viewer
from service.registers.search_index import Asked, choose
from service.registers.search_loading import ORDER, SearchIndex
from service.web.context import account, area, asked_day, require_look, services
from service.web.search_results import Results, coordinates, incident, page

bp = Blueprint("search", __name__)
MOST = 12
_OF_A_KIND = 5
_MOST_INCIDENTS = 4
_COORDINATES = re.compile(r"^\s*(-?\d{1,3}(?:\.\d+)?)\s*[,，\s]\s*(-?\d{1,3}(?:\.\d+)?)\s*$")
# What the map shows to everybody who may look; buildings to everybody signed in; the rest by area.
_FOR_ALL = frozenset({"grid", "community", "frontage", "street", "place"})
_SIGNED_IN = frozenset({"building"})


@bp.get("/map/search")
def search() -> Response:
    """Up to twelve results, grouped by kind, best first."""
    asking = require_look()
    asked = Asked.parse(request.args.get("q", ""))
    return jsonify({"results": find_all(services().search.on(asked_day()), asked, asking) if asked.text else []})


def find_all(index: SearchIndex, asked: Asked, viewer: Viewer) -> list[dict[str, Any]]:
    """What the words name, as far as the asker may find it."""
    point = _point(asked.text)
    kinds = [kind for kind in ORDER if kind in _FOR_ALL or viewer.signed_in]
    if page("organisation", "-") is None:  # it lies nowhere: without a page there is nothing to show
        kinds = [kind for kind in kinds if kind != "organisation"]
    told = viewer.signed_in  # the public finds shops by name, never by what the office notes of them
    found = {
        kind: index.sheaves[kind].find(asked, *_masks(index, kind), addresses=told or kind != "frontage")
        for kind in kinds
    }
    make = Results(index, viewer, request.args.get("on"))
    hits = [make.result(kind, hit) for kind, hit in choose(found, ORDER, MOST, _OF_A_KIND)]
    shown = [one for one in hits if one is not None]
    return ([coordinates(*point)] if point else []) + (_incidents(asked) + shown)[:MOST]


def _masks(index: SearchIndex, kind: str) -> tuple[np.ndarray | None, np.ndarray | bool | None]:
    """(which entries are found, which by their phone); None: all, False: none."""
    free = kind in _FOR_ALL or kind in _SIGNED_IN
    allowed = None if free else index.within(kind, area("registers.read"))
    who = account()
    if who is None or reach(who.role, "phones.reveal") is None:
        return allowed, False
    return allowed, index.within(kind, area("phones.reveal"))


def _incidents(asked: Asked) -> list[dict[str, Any]]:
    """Incidents whose number begins so, within the asker's area."""
    who = account()
    if who is None or reach(who.role, "incidents.read") is None or not re.search(r"\d{2}", asked.text):
        return []
    with services().database.read() as session:
        rows = by_number(session, asked.text, area("incidents.read"), _MOST_INCIDENTS)
    return [one for one in map(incident, rows) if one["url"]]


def _point(text: str) -> tuple[float, float] | None:
    """Longitude and latitude, also given the other way round where only one order can be meant."""
    match = _COORDINATES.match(text)
    if not match:
        return None
    lon, lat = float(match[1]), float(match[2])
    if abs(lat) > 90 >= abs(lon):
        lon, lat = lat, lon
    return None if abs(lon) > 180 or abs(lat) > 90 else (lon, lat)
