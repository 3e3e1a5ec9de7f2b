"""How a hit is told: title, what it is, where it lies, and the page that holds its record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
import shapely
from flask import current_app
from werkzeug.exceptions import HTTPException

from service.duties.rules import role_name, role_rank
from service.grids.rules import short_code
from service.incidents.finding import FoundIncident
from service.incidents.rules import STATES
from service.maps.render import first_zoom
from service.people.access import reach
from service.people.rules import Viewer, mask_phone
from service.places.importing import KIND_WORDS
from service.registers.search_index import Hit
from service.registers.search_loading import SearchIndex
from service.web.access import ROUTES
from service.web.context import account, area

# The kinds' registers: the first part of their pages' addresses.
REGISTERS = {
    "grid": "grids",
    "community": "communities",
    "person": "people",
    "organisation": "organisations",
    "frontage": "frontages",
    "place": "places",
    "street": "streets",
    "building": "buildings",
    "incident": "incidents",
}
_PLACES = {code: word for word, code in reversed(KIND_WORDS.items()) if not word.isascii()}
_MOST_DUTIES = 2
Spot = tuple[float, float]


class Results:
    """Makes results out of hits. `on`: the day as it was asked for, kept in links to the map."""

    def __init__(self, index: SearchIndex, viewer: Viewer, on: str | None) -> None:
        self.index, self.viewer, self.on = index, viewer, on
        self.snapshot = index.snapshot

    def result(self, kind: str, hit: Hit) -> dict[str, Any] | None:
        """None for what has neither a page nor a place to show."""
        row = self.index.sheaves[kind].rows[hit.entry]
        title, words, spot, box = getattr(self, f"_{kind}")(row, hit.entry)
        phone = getattr(row, "phone", None)
        if hit.by_phone and phone:
            words = [*words, mask_phone(phone)]
        record = page(kind, row.code)
        if record and not self._within(kind, hit.entry):
            record = None
        told = result(kind, row.code, title, words, spot, box, record, self.on)
        return told if told["url"] else None

    def _within(self, kind: str, entry: int) -> bool:
        mask = self.index.within(kind, area("registers.read"))
        return mask is None or bool(mask[entry])

    def _spot(self, kind: str, entry: int) -> tuple[Spot | None, list[float] | None]:
        lon, lat = self.index.at[kind][entry].tolist()
        box = self.index.box[kind][entry]
        return (None if np.isnan(lon) else (lon, lat)), (None if np.isnan(box[0]) else box.tolist())

    def _grid(self, zone: Any, entry: int) -> tuple[Any, ...]:
        community = self.snapshot.communities.get(zone.community_code)
        leader = self.snapshot.leader_of(zone.code, zone.name, zone.kind)
        who = self.viewer.name(leader.person.name, True) if leader else "网格长空缺"
        title = f"{short_code(zone.code)[1]} {zone.name}"
        return title, [f"{community.name if community else ''} {who}".strip()], *self._spot("grid", entry)

    def _community(self, row: Any, _entry: int) -> tuple[Any, ...]:
        """The middle one of its grids stands for it: a union of all would cost more than the whole search."""
        tiling = self.snapshot.tiling
        mine = [i for i, zone in enumerate(tiling.zones) if zone.community_code == row.code]
        geoms = tiling.geoms[mine] if mine else np.array([row.geom] if row.geom is not None else [], dtype=object)
        return row.name, [f"{len(mine)} 个网格"], *_middle(geoms)

    def _person(self, row: Any, _entry: int) -> tuple[Any, ...]:
        """With the duties held or acted for on the day; shown where the first of them lies."""
        held = sorted(
            (role_rank(duty.role), kind, code, duty.role)
            for kind, code in self.snapshot.subjects_of(row.code)
            for duty in self.snapshot.duties.get((kind, code), ())
            if row.code in duty.holder_on(self.snapshot.on)
        )
        leader = any(role == "grid_leader" for *_, role in held)
        name = self.viewer.name(row.name, leader, row.organisation_code)
        title = f"{name}　{role_name(held[0][3])}" if held else str(name)
        told = [self._subject(kind, code) for _, kind, code, _ in held]
        words = list(dict.fromkeys(name for name, _, _ in told if name))[:_MOST_DUTIES]
        _, spot, box = next((one for one in told if one[1]), ("", None, None))
        return title, words or [row.title or ""], spot, box

    def _subject(self, kind: str, code: str) -> tuple[str, Spot | None, list[float] | None]:
        """(name, point, bounds) of what a duty is for, as far as the day's snapshot knows it."""
        tiling, snapshot = self.snapshot.tiling, self.snapshot
        if kind == "micro_grid":
            code = next((zone.parent_code or "" for zone in tiling.micro_zones if zone.code == code), "")
        if code in tiling.by_code:
            at = tiling.by_code[code]
            return tiling.zones[at].name, *_middle(tiling.geoms[[at]])
        if kind == "community" and code in snapshot.communities:
            name, _, spot, box = self._community(snapshot.communities[code], 0)
            return name, spot, box
        sheaf = self.index.sheaves.get(kind)
        at = -1 if sheaf is None else next((i for i, row in enumerate(sheaf.rows) if row.code == code), -1)
        if sheaf is None or at < 0:
            return "", None, None
        row = sheaf.rows[at]
        return str(getattr(row, "name", None) or getattr(row, "shop_name", "")), *self._spot(kind, at)

    def _frontage(self, row: Any, entry: int) -> tuple[Any, ...]:
        told = self.viewer.signed_in and row.address != row.shop_name
        words = [row.address] if told else []
        return row.shop_name, words, *self._spot("frontage", entry)

    def _street(self, row: Any, entry: int) -> tuple[Any, ...]:
        return row.name, [], *self._spot("street", entry)

    def _place(self, row: Any, entry: int) -> tuple[Any, ...]:
        words = [_PLACES.get(row.kind, ""), row.address or ""]
        return row.name or row.address, words, *self._spot("place", entry)

    def _organisation(self, row: Any, _entry: int) -> tuple[Any, ...]:
        return row.name, [row.address or ""], None, None

    def _building(self, row: Any, entry: int) -> tuple[Any, ...]:
        words = [row.address or ""] if row.name else []
        return row.name or row.address, words, *self._spot("building", entry)


def _middle(geoms: np.ndarray) -> tuple[Spot | None, list[float] | None]:
    """(a point on the shape nearest to the middle of all, the bounds of all)."""
    if not len(geoms):
        return None, None
    west, south, east, north = shapely.total_bounds(geoms).tolist()
    middle = shapely.Point((west + east) / 2, (south + north) / 2)
    nearest = geoms[int(np.argmin(shapely.distance(geoms, middle)))]
    at = middle if shapely.contains(nearest, middle) else shapely.point_on_surface(nearest)
    return (at.x, at.y), [west, south, east, north]


def result(
    kind: str,
    code: str,
    title: str,
    words: Sequence[str | None],
    spot: Spot | None,
    box: list[float] | None = None,
    record: str | None = None,
    on: str | None = None,
) -> dict[str, Any]:
    """One result as the pages take it. `url`: the record's page, else the place on the map; None when neither is."""
    lon, lat = (round(spot[0], 6), round(spot[1], 6)) if spot else (None, None)
    bbox = [round(value, 6) for value in box] if box else None
    shown = map_link(kind, spot, box, on) if spot else None
    return {
        "kind": kind,
        "code": code,
        "title": title,
        "subtitle": " · ".join(word for word in words if word),
        "lon": lon,
        "lat": lat,
        "bbox": bbox,
        "url": record or shown,
    }


def map_link(kind: str, spot: Spot, box: list[float] | None, on: str | None) -> str:
    """The map's address that shows the place; asked there too unless it is a whole community."""
    lon, lat = spot
    zoom = min(first_zoom(*box), 18) if box and kind != "frontage" else 19
    asked = {"at": f"{lon:.6f},{lat:.6f}", "z": zoom}
    if kind != "community":
        asked = {"p": f"{lon:.6f},{lat:.6f}"} | asked
    return "/map?" + urlencode(asked | ({"on": on} if on else {}), safe=",")


def page(kind: str, code: str) -> str | None:
    """The address of the record's page, where there is one that the asker's role may read."""
    path = f"/{REGISTERS[kind]}/{quote(code, safe='')}"
    try:
        endpoint, _ = current_app.url_map.bind("localhost").match(path, method="GET")
    except HTTPException:
        return None
    who = account()
    return path if reach(who.role if who else None, ROUTES[endpoint]) is not None else None


def coordinates(lon: float, lat: float) -> dict[str, Any]:
    """A point that was typed."""
    return result("coordinates", "", f"{lon:.9g}, {lat:.9g}", ["经度, 纬度"], (lon, lat))


def incident(row: FoundIncident) -> dict[str, Any]:
    """An incident found by its number."""
    words = [row.category_name or row.category or "", row.address or "", STATES.get(row.state, row.state)]
    return result("incident", row.number, row.number, words, row.spot, record=page("incident", row.number))
