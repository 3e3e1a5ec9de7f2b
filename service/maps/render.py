"""Renders the map once per configuration; each response only puts its nonce in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import cos, log2, radians
from typing import Any

from markupsafe import Markup

from service.maps import elements

NONCE = "__NONCE__"
_REFERENCE = re.compile(r"""(?:\b(?:src|href)\s*=\s*|\burl\()["']?([^"'\s>)]+)""")
_SMALLEST_ZOOM, _LARGEST_ZOOM = 8, 20
_SCREEN_PX = 900.0
_EARTH_M = 40_075_016.686


class UnmappedAsset(RuntimeError):
    """The render refers to an address that is not one of our own static files."""


@dataclass(frozen=True)
class MapParts:
    """Head, body and script of the map; `NONCE` stands where the response's nonce goes."""

    head: Markup
    body: Markup
    script: Markup


def render_map(config: Mapping[str, Any]) -> MapParts:
    """The map page's parts.

    config: `bounds` [west, south, east, north] in degrees; `office` its name; optional `frame` (all of the office's
    area, where `bounds` is a part of it), `basemaps` (list of dicts with id, label, kind, url, attribution, approval,
    crs, max_zoom), `signed_in`, `has_frontages`, `faults`, `audit`.
    Raises UnmappedAsset when a reference leaves /static.
    """
    return _render(json.dumps(_relevant(config), ensure_ascii=False, sort_keys=True))


def _relevant(config: Mapping[str, Any]) -> dict[str, Any]:
    """What the render depends on: not the day, not the counts."""
    return {
        "bounds": [round(float(value), 6) for value in config["bounds"]],
        "frame": [round(float(value), 6) for value in config.get("frame", config["bounds"])],
        "office": str(config.get("office", "")),
        "basemaps": list(config.get("basemaps", [])),
        "signed_in": bool(config.get("signed_in")),
        "frontages": bool(config.get("has_frontages", True)),
        "faults": bool(config.get("faults")),
        "audit": bool(config.get("audit")),
    }


@lru_cache(maxsize=32)
def _render(key: str) -> MapParts:
    return parts_of(build(json.loads(key)))


def parts_of(board: elements.LeanMap) -> MapParts:
    """A map with its layers as a page's head, body and script. Raises UnmappedAsset."""
    figure = board.root()
    figure.render()
    head = "\n".join(child.render() for name, child in figure.header._children.items() if name != "meta_http")
    parts = MapParts(
        Markup(head),  # noqa: S704
        Markup(figure.html.render().strip()),  # noqa: S704
        Markup(f'<script nonce="{NONCE}">\n{_tight(figure.script.render())}\n</script>'),  # noqa: S704
    )
    for part in (parts.head, parts.body):
        check_references(part)
    return parts


def build(given: Mapping[str, Any]) -> elements.LeanMap:
    """The Folium map with its layers, bottom to top."""
    board = elements.LeanMap(
        label=f"{given['office']}网格图；同样的内容可用搜索查看", **view_of(given["bounds"], given["frame"])
    )
    layers: list[elements.BoardLayer] = [
        elements.Basemaps(choices=given["basemaps"]),
        elements.Ground(),
        elements.Grids(),
    ]
    if given["frontages"]:
        layers.append(elements.Frontages())
    if given["signed_in"]:
        layers += [elements.Density(), elements.Incidents()]
    if given["faults"]:
        layers.append(elements.Faults())
    layers.append(elements.Chiefs())
    if given["audit"]:
        layers.append(elements.Audit())
    layers += [elements.Places(), elements.Names()]
    for layer in layers:
        layer.add_to(board)
    elements.ModuleStart().add_to(board)
    return board


def view_of(bounds: Sequence[float], frame: Sequence[float]) -> dict[str, Any]:
    """What each of our maps asks of Leaflet: it opens on `bounds`, and goes no further out than `frame` needs."""
    west, south, east, north = bounds
    return {
        "location": ((south + north) / 2, (west + east) / 2),
        "zoom": first_zoom(west, south, east, north),
        "attribution_control": False,
        "zoom_snap": 0.05,
        "zoom_delta": 0.5,
        "wheel_px_per_zoom_level": 90,
        "min_zoom": max(3, first_zoom(*frame) - 4),
        "max_zoom": _LARGEST_ZOOM,
        "fade_animation": False,
        "world_copy_jump": False,
        "inertia_max_speed": 2400,
    }


def first_zoom(west: float, south: float, east: float, north: float) -> int:
    """The whole zoom at which the box fits a common screen; the browser then fits exactly.

    >>> first_zoom(109.866, 31.061, 109.893, 31.079)
    15
    """
    wide = (east - west) / 360 * _EARTH_M * cos(radians((south + north) / 2))
    high = (north - south) / 360 * _EARTH_M
    metres = max(wide, high, 50.0)
    per_px = metres / _SCREEN_PX
    zoom = log2(_EARTH_M * cos(radians((south + north) / 2)) / 256 / per_px)
    return int(min(max(zoom, _SMALLEST_ZOOM), 19))


def check_references(html: str) -> None:
    """Every src, href and url() must be one of our static files. Raises UnmappedAsset."""
    for address in _REFERENCE.findall(html):
        if not address.startswith(f"{elements.STATIC}/") or "//" in address[1:] or ".." in address:
            raise UnmappedAsset(f"{address} is not mapped to a file under {elements.STATIC}/")


def _tight(script: str) -> str:
    """Without blank lines and indentation."""
    return "\n".join(line.strip() for line in script.splitlines() if line.strip())
