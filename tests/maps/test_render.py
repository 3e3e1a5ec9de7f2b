"""The map page's parts: small, the same every time, and of nothing but our own files."""

import re
from pathlib import Path

import pytest

from service.config import ROOT
from service.maps import NONCE, UnmappedAsset, render_editor, render_map, render_sides
from service.maps.render import check_references, first_zoom
from service.maps.script import map_script

LONGMEN = [109.8666, 31.0612, 109.8927, 31.0788]
NEW_YORK = [-74.2555, 40.4961, -73.7001, 40.9155]
STATIC = ROOT / "service" / "static"


def config(**given):
    return {"bounds": LONGMEN, "office": "龙门街道", "basemaps": [], "signed_in": True, "faults": True} | given


def test_the_same_configuration_renders_the_same_bytes():
    assert render_map(config()) == render_map(config())
    assert render_map(config(on="2026-01-01", categories=[1])) == render_map(config()), "the day is not part of it"


def test_it_stays_small():
    choices = [{"id": str(n), "label": "底图", "url": "/tiles/{z}/{x}/{y}.png"} for n in range(8)]
    parts = render_map(config(basemaps=choices))
    assert sum(len(part.encode()) for part in (parts.head, parts.body, parts.script)) < 8_000


def test_no_reference_leaves_our_static_files_and_each_exists():
    parts = render_map(config())
    addresses = re.findall(r'(?:src|href)="([^"]+)"', parts.head + parts.body)
    assert addresses
    for address in addresses:
        assert address.startswith("/static/")
        assert address == map_script().path or (STATIC / address.removeprefix("/static/")).is_file(), address
    assert "http" not in parts.head + parts.body + parts.script


def test_an_unmapped_reference_raises():
    for html in (
        '<script src="https://cdn.example/leaflet.js"></script>',
        "<link href=//cdn.example/a.css>",
        '<img src="/tiles/1.png">',
        '<link href="/static/../secret">',
        "a{background:url(http://x/y.png)}",
    ):
        with pytest.raises(UnmappedAsset):
            check_references(html)


def test_the_inline_script_carries_the_placeholder_of_the_nonce_once():
    parts = render_map(config())
    assert parts.script.count(NONCE) == 1
    assert parts.script.startswith(f'<script nonce="{NONCE}">')
    assert "style=" not in parts.head + parts.body


def test_a_hostile_office_name_stays_text():
    parts = render_map(config(office='"><script>alert(1)</script>'))
    assert "<script>alert" not in parts.head + parts.body + parts.script


def test_a_hostile_base_map_stays_text():
    parts = render_map(config(basemaps=[{"id": "x", "label": "</script><script>alert(1)"}]))
    assert "</script><script>" not in parts.script


def test_layers_follow_who_asks_and_what_there_is():
    everything = render_map(config()).script
    public = render_map(config(signed_in=False, faults=False, has_frontages=False)).script
    for kind in ("incidents", "density", "faults", "frontages"):
        assert f'steward.layer("{kind}"' in everything
        assert f'steward.layer("{kind}"' not in public
    for kind in ("ground", "grids", "places", "names"):
        assert f'steward.layer("{kind}"' in public


def test_stock_folium_brings_nothing_along():
    parts = render_map(config())
    page = parts.head + parts.body + parts.script
    for word in ("jquery", "bootstrap", "awesome", "jsdelivr", "cloudflare", "L_NO_TOUCH"):
        assert word not in page


@pytest.mark.parametrize(("bounds", "zoom"), [(LONGMEN, 15), (NEW_YORK, 11), ([109.88, 31.07, 109.88, 31.07], 19)])
def test_the_first_zoom_fits_the_office(bounds: list[float], zoom: int):
    assert first_zoom(*bounds) == zoom


def test_files_of_the_front_end_stay_readable():
    for path in [*STATIC.glob("js/**/*.js"), *STATIC.glob("css/*.css")]:
        assert len(Path(path).read_text(encoding="utf-8").splitlines()) < 400, path.name


def test_the_editor_has_drawing_tools_and_the_map_has_none():
    assert "leaflet-geoman" in render_editor(LONGMEN, []).head
    assert "leaflet-geoman" not in render_map(config()).head


def test_two_maps_share_one_queue_and_one_module():
    left, right = render_sides(*LONGMEN)
    assert 'id="map_left"' in left.body and 'id="map_right"' in right.body
    assert left.script.count("window.steward ||") == right.script.count("window.steward ||") == 1
    assert "js/draft/compare.js" in right.head and "js/draft/" not in left.head
    for address in re.findall(r'(?:src|href)="([^"]+)"', right.head + render_editor(LONGMEN, []).head):
        assert (STATIC / address.removeprefix("/static/")).is_file(), address
