"""Values that are parsed once: a point, a box."""

from __future__ import annotations

import math
from dataclasses import dataclass

import shapely

from service.errors import InvalidValue

_M_PER_DEG = 111_320.0


@dataclass(frozen=True)
class LonLat:
    """A WGS-84 point in degrees, finite and in range."""

    lon: float
    lat: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lon) and -180 <= self.lon <= 180):
            raise InvalidValue("lon", f"经度 {self.lon:g} 不在 -180 到 180 之间。")
        if not (math.isfinite(self.lat) and -90 <= self.lat <= 90):
            raise InvalidValue("lat", f"纬度 {self.lat:g} 不在 -90 到 90 之间。")


@dataclass(frozen=True)
class BBox:
    """A box in degrees; west <= east and south <= north."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def parse(cls, text: str) -> BBox:
        """Four finite numbers in order. What a map shows beyond the world's edge is cut off. Raises InvalidValue.

        >>> BBox.parse("109.8,31.0,109.9,31.1")
        BBox(west=109.8, south=31.0, east=109.9, north=31.1)
        """
        try:
            west, south, east, north = (float(part) for part in text.split(","))
        except ValueError:
            raise InvalidValue("bbox", "bbox 写成 西,南,东,北 四个数，例如 109.8,31.0,109.9,31.1。") from None
        if not all(math.isfinite(value) for value in (west, south, east, north)):
            raise InvalidValue("bbox", "bbox 里要是四个有限的数。")
        if west > east or south > north:
            raise InvalidValue("bbox", "bbox 的次序是 西,南,东,北：西不大于东，南不大于北。")
        if west > 180 or east < -180 or south > 90 or north < -90:
            raise InvalidValue("bbox", "bbox 不在经度 -180 到 180、纬度 -90 到 90 之内；次序是 西,南,东,北。")
        return cls(max(west, -180.0), max(south, -90.0), min(east, 180.0), min(north, 90.0))

    @classmethod
    def around(cls, lon: float, lat: float, metres: float) -> BBox:
        """The box that holds everything within `metres` of a point."""
        dy = metres / (_M_PER_DEG * 0.99)
        dx = dy / max(0.01, math.cos(math.radians(lat)))
        return cls(lon - dx, lat - dy, lon + dx, lat + dy)

    def widened(self, share: float) -> BBox:
        """With a margin of `share` of its width and height on each side."""
        dx, dy = (self.east - self.west) * share, (self.north - self.south) * share
        return BBox(self.west - dx, self.south - dy, self.east + dx, self.north + dy)

    @property
    def polygon(self) -> shapely.Polygon:
        return shapely.box(self.west, self.south, self.east, self.north)
