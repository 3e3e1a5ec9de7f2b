"""The planted hotspots: what a good analysis of the demo should find, and what it should no longer find."""

from __future__ import annotations

from dataclasses import dataclass

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
    station = next(
        p for p in places if p.kind == "refuse_station" and p.geometry.distance(centre["500237002001010"]) < 140
    )
    market, school = centre["500237002003017"], centre["500237002001019"]
    mall, north, quay, village = at(0.342, 0.305), at(0.545, 0.645), at(0.52, 0.14), at(0.56, -0.5)
    always, never = -DAYS, 0
    return [
        Hotspot("神女天街路口", *mall, 85, 2.6, always, never, {"09009": 5, "09010": 4, "90002": 2, "09006": 2}, "持续"),
        Hotspot("龙水农贸市场周边", market.x, market.y, 90, 2.3, always, never, {"09006": 5, "09005": 3, "09020": 2}, "持续"),
        Hotspot(
            "聚鹤垃圾收集站", station.geometry.x, station.geometry.y, 95, 2.5, always, never,
            {"06042": 5, "06010": 4, "06041": 2}, "持续",
        ),
        Hotspot("梨早路中段", *village, 140, 2.4, always, never, {"06011": 4, "06036": 3, "06020": 2}, "持续，件数少"),
        Hotspot("聚鹤小学校门", school.x, school.y, 90, 3.0, -42, never, {"09009": 4, "09001": 4, "09010": 2}, "新增：六周前起"),
        Hotspot("平湖路中段", *north, 90, 2.7, always, -63, {"09005": 5, "09006": 3, "06030": 2}, "已治愈：九周前止"),
        Hotspot("滨江路夜市", *quay, 120, 3.0, -175, -83, {"06029": 5, "06028": 4, "06010": 2}, "季节性：六至八月"),
    ]  # fmt: skip
