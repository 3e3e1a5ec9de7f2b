"""A responsibility map in one HTML file that needs nothing else: Leaflet, the data and our script stand in it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from branca.element import Element
from folium.template import Template
from markupsafe import escape

from service.config import ROOT
from service.maps.elements import BoardLayer, LeanMap
from service.maps.render import first_zoom

_STATIC = ROOT / "service" / "static"
_LEAFLET = _STATIC / "vendor" / "leaflet"
# The stock pictures of markers and of the layer control, which this map doesn't have; and what only debuggers ask for.
_PICTURES = re.compile(r"url\([^)]*\)")
_REMARKS = re.compile(r"/\*.*?\*/", re.DOTALL)
_SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)
_FRAME = Template(
    '<!doctype html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    '<meta http-equiv="Content-Security-Policy" content="{{ policy }}">\n<title>{{ title }}</title>\n'
    "<style>{{ style }}</style>\n</head>\n<body>\n"
    '<header><h1>{{ title }}</h1><p>{{ office }}{% if demo %}<b class="demo">{{ demo }}</b>{% endif %}</p></header>\n'
    '<main><div class="map">{{ body }}</div>'
    '<aside><label class="find"><span class="sr">搜索网格或姓名</span>'
    '<input type="search" id="find" placeholder="搜索网格、姓名" autocomplete="off"></label>'
    '<section id="answer" aria-live="polite" hidden></section><ol id="list"></ol></aside></main>\n'
    "<footer>{% for one in notes %}<span>{{ one }}</span>{% endfor %}</footer>\n"
    "{% for one in scripts %}<script>{{ one }}</script>\n{% endfor %}</body>\n</html>\n"
)


class Duties(BoardLayer):
    """Grids with who answers for them, over the ground; drawn by js/offline/page.js."""

    kind = "duties"


class _Alone(LeanMap):
    """Without references to files: what they hold stands in the page."""

    default_js: list[tuple[str, str]] = []  # noqa: RUF012
    default_css: list[tuple[str, str]] = []  # noqa: RUF012


def offline_page(data: Mapping[str, Any]) -> str:
    """The whole file. `data`: what service.wall.offline makes. Texts of it become text, never markup or script."""
    west, south, east, north = data["bounds"]
    board = _Alone(
        location=((south + north) / 2, (west + east) / 2),
        zoom=first_zoom(west, south, east, north),
        label=f"{data['title']}；同样的内容在旁边的名单里",
        attribution_control=False,
        zoom_snap=0.25,
        min_zoom=10,
        max_zoom=20,
    )
    Duties(**data).add_to(board)
    figure = board.root()
    figure.render()
    scripts = [_leaflet_script(), _rendered(figure.script), _file("js", "offline", "page.js")]
    style = _leaflet_style() + _file("css", "offline.css")
    policy = (
        f"default-src 'none'; img-src data:; style-src {_digest(style)}; "
        f"script-src {' '.join(_digest(one) for one in scripts)}; base-uri 'none'; form-action 'none'"
    )
    return str(
        _FRAME.render(
            policy=policy,
            title=escape(data["title"]),
            office=escape(data["office"]),
            demo=escape(data["demo"]),
            notes=[escape(one) for one in data["notes"]],
            style=style,
            body=_rendered(figure.html),
            scripts=scripts,
        )
    )


def _rendered(element: Element) -> str:
    return "\n".join(line.strip() for line in str(element.render()).splitlines() if line.strip())


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@lru_cache(maxsize=1)
def _leaflet_script() -> str:
    return _SOURCE_MAP.sub("", (_LEAFLET / "leaflet.js").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def _leaflet_style() -> str:
    return _PICTURES.sub("none", _REMARKS.sub("", (_LEAFLET / "leaflet.css").read_text(encoding="utf-8")))


def _file(*parts: str) -> str:
    return _STATIC.joinpath(*parts).read_text(encoding="utf-8")
