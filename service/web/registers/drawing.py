"""The small map around a shape, with the day's grids."""

from __future__ import annotations

from typing import Any

from service.grids.rules import short_code
from service.maps.mini import HEIGHT, MiniMap, Zones, mini_map
from service.web.context import services
from service.web.registers.asking import Asking

HIGH = 240


def map_of(ask: Asking, shape: Any, zone: bool = False, chosen: str | None = None) -> MiniMap | None:
    """`zone`: whether the shape is itself a grid or a community; `chosen`: the grid that it stands in."""
    if shape is None or shape.is_empty:
        return None
    tiling = ask.snapshot.tiling
    names = [short_code(one.code)[1] for one in tiling.zones]
    zones = Zones(list(tiling.geoms), names, tiling.by_code.get(chosen) if chosen else None)
    return mini_map(shape, services().ground.data(), zones, HIGH if zone else HEIGHT, zone)
