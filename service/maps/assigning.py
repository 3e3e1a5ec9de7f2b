"""The map on which subjects are chosen for a duty: ground, and the subjects themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from service.maps import elements
from service.maps.render import MapParts, first_zoom, parts_of
from service.maps.script import ASSIGNING


def render_assigning(config: Mapping[str, Any]) -> MapParts:
    """Head, body and script. config: `bounds`, `frame`, `office`, `basemaps` as of render_map."""
    relevant = {
        "bounds": [round(float(value), 6) for value in config["bounds"]],
        "frame": [round(float(value), 6) for value in config.get("frame", config["bounds"])],
        "office": str(config.get("office", "")),
    }
    return _render(json.dumps(relevant, ensure_ascii=False, sort_keys=True))


@lru_cache(maxsize=8)
def _render(key: str) -> MapParts:
    given = json.loads(key)
    west, south, east, north = given["bounds"]
    board = elements.LeanMap(
        location=((south + north) / 2, (west + east) / 2),
        zoom=first_zoom(west, south, east, north),
        label=f"{given['office']}责任对象；同样的内容可在旁边的名单里选",
        attribution_control=False,
        zoom_snap=0.05,
        zoom_delta=0.5,
        wheel_px_per_zoom_level=90,
        box_zoom=False,
        min_zoom=max(3, first_zoom(*given["frame"]) - 4),
        max_zoom=20,
        fade_animation=False,
    )
    for layer in (elements.Ground(), elements.Subjects()):
        layer.add_to(board)
    elements.ModuleStart(ASSIGNING).add_to(board)
    return parts_of(board)
