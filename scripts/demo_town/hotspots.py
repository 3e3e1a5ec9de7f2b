"""The planted hotspots: what a good analysis of the demo should find, and what it should no longer find."""

from __future__ import annotations

from dataclasses import dataclass

from shapely.geometry import Point

from .grids import Grid
from .places import Place
from .rhythm import DAYS
from .terrain import at


@dataclass(frozen=True)
class Hotspot:
    """Within `radius` metres there is `factor` times the background on the days first <= day < until (offsets).

    `mix` gives the categories of what comes on top.
    """

    name: str
    x: float
    y: float
    radius: float
    factor: float
    first: int
    until: int
    mix: dict[str, float]
    story: str


def make_hotspots(grids: list[Grid], places: list[Place]) -> list[Hotspot]:
    """Seven places, 2-3 times the background."""
    centre = {grid.code: grid.polygon.centroid for grid in grids}
    near = centre["500237002001010"]
    bins = next(p.geometry for p in places if p.kind == "refuse_station" and p.geometry.distance(near) < 140)
    market = centre["500237002003017"]
    gate = at(0.142, 0.646)
    mall, north, quay, village = at(0.342, 0.305), at(0.545, 0.645), at(0.52, 0.14), at(0.56, -0.5)
    start, today = -DAYS, 0
    rows = (
        ("神女天街路口", mall, 85, 2.6, start, today, "持续", {"09009": 5, "09010": 4, "L0002": 2, "09006": 2}),
        ("龙水农贸市场周边", market, 90, 2.3, start, today, "持续", {"09006": 5, "09005": 3, "09020": 2}),
        ("聚鹤垃圾收集站", bins, 95, 2.5, start, today, "持续", {"06042": 5, "06010": 4, "06041": 2}),
        ("梨早路中段", village, 140, 2.4, start, today, "持续，件数少", {"06011": 4, "06036": 3, "06020": 2}),
        ("聚鹤小学校门", gate, 105, 3.0, -42, today, "新增：六周前起", {"09009": 4, "09001": 4, "09010": 2}),
        ("平湖路中段", north, 90, 2.7, start, -63, "已治愈：九周前止", {"09005": 5, "09006": 3, "06030": 2}),
        ("滨江路夜市", quay, 120, 3.0, -175, -83, "季节性：六至八月", {"06029": 5, "06028": 4, "06010": 2}),
    )
    return [
        Hotspot(name, *_xy(spot), radius, factor, first, until, mix, story)
        for name, spot, radius, factor, first, until, story, mix in rows
    ]


def _xy(spot: Point | tuple[float, float]) -> tuple[float, float]:
    return (spot.x, spot.y) if isinstance(spot, Point) else spot
