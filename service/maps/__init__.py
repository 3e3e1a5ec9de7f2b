"""Folium: the map page's head, body and start-up script from plain data. Nothing else knows Folium."""

from service.maps.drawing import render_editor, render_sides
from service.maps.render import NONCE, MapParts, UnmappedAsset, render_map

__all__ = ["NONCE", "MapParts", "UnmappedAsset", "render_editor", "render_map", "render_sides"]
