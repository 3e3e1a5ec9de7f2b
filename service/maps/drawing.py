"""The maps of drawing: the editor's, and two beside each other that compare editions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from service.maps import elements
from service.maps.render import MapParts, parts_of, view_of

EDITOR = f"{elements.STATIC}/js/draft/main.js"
COMPARE = f"{elements.STATIC}/js/draft/compare.js"
_LARGEST_ZOOM = 22  # a vertex is set to the metre


def render_editor(bounds: Sequence[float], basemaps: Sequence[dict[str, object]]) -> MapParts:
    """The map of a draft. `bounds`: west, south, east, north of what is drawn; `basemaps` as in render_map."""
    view = view_of(bounds, bounds) | {"max_zoom": _LARGEST_ZOOM, "double_click_zoom": False}
    board = elements.DrawingMap(label="草稿的网格；同样的内容可用右边的名单修改", **view)
    layers = [elements.Basemaps(choices=list(basemaps)), elements.Ground(), elements.Grids(), elements.Names()]
    for layer in layers:
        layer.add_to(board)
    elements.ModuleStart(path=EDITOR).add_to(board)
    return parts_of(board)


@lru_cache(maxsize=64)
def render_sides(west: float, south: float, east: float, north: float) -> tuple[MapParts, MapParts]:
    """Two maps that open on the same box: the right one's head serves both."""
    box, sides = (west, south, east, north), []
    for name, label in (("left", "左边一版的网格"), ("right", "右边一版的网格")):
        board = elements.LeanMap(label=label, name=name, **view_of(box, box))
        for layer in (elements.Ground(), elements.Grids(), elements.Names()):
            layer.add_to(board)
        if name == "right":
            elements.ModuleStart(path=COMPARE).add_to(board)
        sides.append(parts_of(board))
    return sides[0], sides[1]
