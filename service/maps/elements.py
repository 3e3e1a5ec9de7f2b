"""A lean folium.Map, and layers of one template line each that start a class in service/static/js/map."""

from __future__ import annotations

from typing import Any

from branca.element import Element, Figure, MacroElement
from folium import Map
from folium.elements import JSCSSMixin
from folium.map import Layer
from folium.template import Template

from service.maps.script import START, map_script

STATIC = "/static"
VENDOR = f"{STATIC}/vendor"


class LeanMap(Map):
    """folium.Map without its stock libraries, inline styles and tiles; every option reaches Leaflet.

    The script makes `steward.queue`, which the module main.js empties once it is loaded.
    """

    default_js = [("leaflet", f"{VENDOR}/leaflet/leaflet.js")]  # noqa: RUF012
    default_css = [("leaflet_css", f"{VENDOR}/leaflet/leaflet.css")]  # noqa: RUF012
    _template = Template(
        "{% macro html(this, kwargs) %}"
        '<div class="board" id={{ this.get_name()|tojson }} role="application" tabindex="0"'
        ' aria-label="{{ this.label|e }}"></div>'
        "{% endmacro %}"
        "{% macro script(this, kwargs) %}"
        "var steward = window.steward || {queue: []};\n"
        "steward.layer = (kind, settings) => ({addTo: map => steward.queue.push([kind, map, settings])});\n"
        "var {{ this.get_name() }} = L.map({{ this.get_name()|tojson }},"
        " {center: {{ this.location|tojson }}, ...{{ this.options|tojavascript }}});"
        "{% endmacro %}"
    )

    def __init__(
        self, location: tuple[float, float], zoom: int, label: str, name: str = "steward", **options: Any
    ) -> None:
        super().__init__(location=location, tiles=None, zoom_start=zoom, zoom_control=False)
        self._id = name
        self.label = label
        self.options.update(options)

    def root(self) -> Figure:
        """The figure that holds head, body and script."""
        return _root(self)


class DrawingMap(LeanMap):
    """A map on which boundaries are drawn: Geoman's drawing tools stand ready, none of its buttons."""

    default_js = [*LeanMap.default_js, ("geoman", f"{VENDOR}/leaflet-geoman/leaflet-geoman.min.js")]  # noqa: RUF012
    default_css = [*LeanMap.default_css, ("geoman_css", f"{VENDOR}/leaflet-geoman/leaflet-geoman.css")]  # noqa: RUF012


class BoardLayer(JSCSSMixin, Layer):
    """A layer drawn by one of our classes: `kind` names it in service/static/js/map/main.js."""

    kind = ""
    _template = Template(
        "{% macro script(this, kwargs) %}"
        "var {{ this.get_name() }} = steward.layer({{ this.kind|tojson }}, {{ this.settings|tojson }});"
        "{% endmacro %}"
    )

    def __init__(self, **settings: Any) -> None:
        super().__init__(name=self.kind, overlay=True, control=False, show=True)
        self._name = self.kind
        self._id = "layer"
        self.settings = settings


def _root(element: Element) -> Figure:
    figure = element.get_root()
    assert isinstance(figure, Figure)
    return figure


class Basemaps(BoardLayer):
    """The choice of base maps; the first is the one shown."""

    kind = "basemaps"


class Ground(BoardLayer):
    """Streets, buildings, waters and woods."""

    kind = "ground"


class Grids(BoardLayer):
    """Grids and communities: fills, borders, selection."""

    kind = "grids"


class Frontages(BoardLayer):
    """Three-guarantees frontages along the walls, near by only."""

    kind = "frontages"


class Places(BoardLayer):
    """Facilities as small icons, near by only."""

    kind = "places"


class Incidents(BoardLayer):
    """Incidents as clusters with rings by state, near by as single marks."""

    kind = "incidents"


class Density(BoardLayer):
    """A picture of where incidents are dense; no statistics."""

    kind = "density"


class Faults(BoardLayer):
    """Where the edition does not tile."""

    kind = "faults"


class Chiefs(BoardLayer):
    """Who answers for streets, houses, waters, woods and facilities."""

    kind = "chiefs"


class Audit(BoardLayer):
    """Where the responsibility audit found something."""

    kind = "audit"


class Subjects(BoardLayer):
    """What a duty can be for, hatched where nobody has the role; clicked or boxed to be chosen."""

    kind = "subjects"


class Names(BoardLayer):
    """Names of communities, grids, waters, streets and shops, none over another."""

    kind = "names"


class ModuleStart(MacroElement):
    """The module that draws; loaded after the page's own script has run."""

    _template = Template(
        '{% macro header(this, kwargs) %}<script type="module" src="{{ this.path }}"></script>{% endmacro %}'
    )

    def __init__(self, start: str = START, path: str = "") -> None:
        """`start`: which page's module, `path`: its address where it isn't one of the map's scripts."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "start"
        self._id = "module"
        self.path = path or map_script(start).path
