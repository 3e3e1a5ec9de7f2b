"""Well-known text whose numbers read back as the same ones: GEOS writes sixteen digits, a double needs seventeen."""

from __future__ import annotations

from typing import Any

import shapely


def exact_wkt(geom: Any) -> str:
    """
    >>> exact_wkt(shapely.Point(0.1 + 0.2, 1 / 3))
    'POINT (0.30000000000000004 0.3333333333333333)'
    """
    kind = geom.geom_type
    if geom.is_empty:
        return f"{kind.upper()} EMPTY"
    return f"{kind.upper()} {_body(geom)}"


def _body(geom: Any) -> str:
    kind = geom.geom_type
    if kind == "GeometryCollection":
        return f"({', '.join(exact_wkt(part) for part in geom.geoms)})"
    if kind.startswith("Multi"):
        return f"({', '.join(_body(part) for part in geom.geoms)})"
    if kind == "Polygon":
        return f"({', '.join(_line(ring) for ring in (geom.exterior, *geom.interiors))})"
    return _line(geom)


def _line(geom: Any) -> str:
    return "(" + ", ".join(f"{x!r} {y!r}" for x, y in shapely.get_coordinates(geom).tolist()) + ")"
