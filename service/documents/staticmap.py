"""Printed maps from plain data: shapes in metres become one SVG in millimetres. Tells areas apart in grey too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

TINTS = ("#f7dfa8", "#cfe3f3", "#dfe8c4", "#f3d3cb", "#dcd3ea", "#ece7e0")
_SIMPLE_MM = 0.06
_SCALES = (1, 2, 5)

# look: fill, stroke, mm wide, dashes in mm. Drawn in the order in which the shapes come.
LOOKS: Mapping[str, tuple[str, str, float, str]] = {
    "land": ("#faf9f5", "none", 0, ""),
    "wood": ("#e6efdf", "none", 0, ""),
    "dense_wood": ("#dde9d4", "none", 0, ""),
    "bank": ("#eef2e8", "none", 0, ""),
    "park": ("#d8e9cd", "none", 0, ""),
    "river": ("#c6dfec", "#8fb6c9", 0.18, ""),
    "building": ("#e3dfd6", "#c2bcb0", 0.1, ""),
    "casing": ("none", "#c9c4b8", 0, ""),
    "street": ("none", "#ffffff", 0, ""),
    "veil": ("#ffffffa6", "none", 0, ""),
    "hatch": ("url(#hatch)", "none", 0, ""),
    "beyond": ("none", "#8b949c", 0.22, ""),
    "micro": ("none", "#5b6670", 0.22, "1.1 0.7"),
    "border": ("none", "#2a3843", 0.4, ""),
    "community": ("none", "#5b6670", 0.75, "4 1 0.9 1"),
    "edge_halo": ("none", "#ffffff", 2.0, ""),
    "edge": ("none", "#14202b", 1.05, ""),
    "lead": ("none", "#14202b", 0.25, ""),
    "spot": ("#14202b", "none", 0, ""),
    "frame": ("none", "#14202b", 0.3, ""),
}


@dataclass(frozen=True)
class Shape:
    """One geometry in millimetres; `tint` goes before the look's fill, `stroke_mm` before its width."""

    look: str
    geom: Any
    tint: str | None = None
    stroke_mm: float | None = None


class Frame:
    """Metres to millimetres on a picture of a given size: the box in its middle, as large as it fits.

    bounds: (west, south, east, north) in metres; `wide`, `high`: mm.
    """

    def __init__(self, bounds: Sequence[float], wide: float, high: float) -> None:
        west, south, east, north = bounds
        self.wide, self.high = wide, high
        self.scale = min(wide / max(east - west, 1e-6), high / max(north - south, 1e-6))
        self._x, self._y = (west + east) / 2, (south + north) / 2
        self.box = shapely.box(0, 0, wide, high)
        self._clip = shapely.box(-3, -3, wide + 3, high + 3)

    @property
    def seen(self) -> tuple[float, float, float, float]:
        """The box in metres that the whole picture shows."""
        dx, dy = self.wide / 2 / self.scale, self.high / 2 / self.scale
        return self._x - dx, self._y - dy, self._x + dx, self._y + dy

    def place(self, geoms: np.ndarray) -> np.ndarray:
        """Geometries (n,) in mm, cut a little beyond the picture's edge; invalid ones are mended."""
        if not len(geoms):
            return geoms
        moved = shapely.transform(geoms, self._mm)
        moved = np.where(shapely.is_valid(moved), moved, shapely.make_valid(moved))
        thinner = shapely.simplify(moved, _SIMPLE_MM)
        return np.asarray(shapely.intersection(thinner, self._clip), dtype=object)

    def exact(self, geoms: np.ndarray) -> np.ndarray:
        """Geometries (n,) in mm as they are, for borders that neighbours share; invalid ones are mended."""
        if not len(geoms):
            return geoms
        moved = shapely.transform(geoms, self._mm)
        return np.asarray(np.where(shapely.is_valid(moved), moved, shapely.make_valid(moved)), dtype=object)

    def _mm(self, coords: np.ndarray) -> np.ndarray:
        out = np.empty_like(coords)
        out[:, 0] = (coords[:, 0] - self._x) * self.scale + self.wide / 2
        out[:, 1] = self.high / 2 - (coords[:, 1] - self._y) * self.scale
        return out

    def bar(self, most_mm: float) -> tuple[float, str]:
        """A scale bar: its length in mm, at most so much, and what it says."""
        best = (0.0, "")
        for power in range(-1, 6):
            for first in _SCALES:
                metres = first * 10**power
                if metres * self.scale <= most_mm:
                    best = (metres * self.scale, f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m")
        return best


def svg(frame: Frame, shapes: Sequence[Shape], hatch_mm: float = 2.4) -> str:
    """The picture, one path a shape, bottom to top."""
    body = "".join(_path(one) for one in shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {frame.wide:.2f} {frame.high:.2f}" '
        f'width="{frame.wide:.2f}mm" height="{frame.high:.2f}mm">'
        f'<defs><pattern id="hatch" width="{hatch_mm}" height="{hatch_mm}" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><rect width="{hatch_mm}" height="{hatch_mm}" fill="#ffffff"/>'
        f'<rect width="{hatch_mm * 0.2:.2f}" height="{hatch_mm}" fill="#58636d"/></pattern></defs>'
        f"{body}</svg>"
    )


def swatch(look: str, tint: str | None = None, wide: float = 9.0, high: float = 5.0, hatch_mm: float = 1.6) -> str:
    """A sample for the legend: a filled box, or a line."""
    fill = LOOKS[look][0]
    frame = Frame((0, 0, wide, high), wide, high)
    if fill == "none" and tint is None:
        return svg(frame, [Shape(look, shapely.LineString([(0.4, high / 2), (wide - 0.4, high / 2)]))])
    box = shapely.box(0.3, 0.3, wide - 0.3, high - 0.3)
    return svg(frame, [Shape(look, box, tint), Shape("beyond", box)], hatch_mm)


def _path(shape: Shape) -> str:
    d = path_data(shape.geom)
    if not d:
        return ""
    fill, stroke, wide, dashes = LOOKS[shape.look]
    fill = shape.tint or fill
    opacity = ""
    if fill.startswith("#") and len(fill) == 9:
        opacity = f' fill-opacity="{int(fill[7:], 16) / 255:.2f}"'
        fill = fill[:7]
    wide = wide if shape.stroke_mm is None else shape.stroke_mm
    line = f' stroke="{stroke}" stroke-width="{wide:.2f}"' if stroke != "none" and wide else ""
    dash = f' stroke-dasharray="{dashes}"' if dashes and line else ""
    joined = ' stroke-linejoin="round" stroke-linecap="round"' if line and not dash else ""
    return f'<path d="{d}" fill="{fill}" fill-rule="evenodd"{opacity}{line}{dash}{joined}/>'


def path_data(geom: Any) -> str:
    """SVG path data of lines, polygons and collections of them."""
    out = []
    for part in shapely.get_parts(geom):
        if part.is_empty:
            continue
        if part.geom_type == "Polygon":
            out += [_run(ring, True) for ring in (part.exterior, *part.interiors)]
        elif part.geom_type in ("LineString", "LinearRing"):
            out.append(_run(part, False))
        elif part.geom_type.startswith(("Multi", "Geometry")):
            out.append(path_data(part))
    return "".join(out)


def _run(ring: Any, closed: bool) -> str:
    coords = shapely.get_coordinates(ring)
    return "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in coords.tolist()) + ("Z" if closed else "")
