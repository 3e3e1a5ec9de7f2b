"""Points and boxes from text."""

from __future__ import annotations

import math

import pytest
import shapely

from service.errors import InvalidValue
from service.geo.values import BBox, LonLat


@pytest.mark.parametrize(("lon", "lat"), [(109.88, 31.07), (-180, -90), (180, 90), (0, 0)])
def test_a_place_on_earth(lon: float, lat: float) -> None:
    assert (LonLat(lon, lat).lon, LonLat(lon, lat).lat) == (lon, lat)


@pytest.mark.parametrize(
    ("lon", "lat", "field"),
    [(180.1, 0, "lon"), (0, 90.1, "lat"), (math.nan, 0, "lon"), (0, math.inf, "lat"), (31.07, 109.88, "lat")],
)
def test_no_place_on_earth(lon: float, lat: float, field: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        LonLat(lon, lat)
    assert caught.value.field == field


@pytest.mark.parametrize("text", ["109.8,31.0,109.9,31.1", " 109.8, 31.0 ,109.9,31.1 ", "1.098e2,31,109.9,31.1"])
def test_a_box_is_west_south_east_north(text: str) -> None:
    assert BBox.parse(text) == BBox(109.8, 31.0, 109.9, 31.1)


@pytest.mark.parametrize(
    "text",
    ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1,2,nan,4", "1,2,3,inf", "2,1,1,2", "1,2,2,1", "190,0,200,1", "0,91,1,92"],
)
def test_no_box(text: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        BBox.parse(text)
    assert caught.value.field == "bbox"


def test_a_map_that_shows_more_than_the_world_asks_for_the_world() -> None:
    assert BBox.parse("-400,-120,400,120") == BBox(-180, -90, 180, 90)


def test_a_box_as_polygon_and_widened() -> None:
    box = BBox(109.8, 31.0, 109.9, 31.1)
    assert box.polygon.equals(shapely.box(109.8, 31.0, 109.9, 31.1))
    assert box.widened(0.0) == box
    assert box.widened(0.5).polygon.area == pytest.approx(4 * box.polygon.area)
    around = BBox.around(109.88, 31.07, 100)
    assert (around.east - around.west) * 95_400 == pytest.approx(200, rel=0.02)
    assert (around.north - around.south) * 110_850 == pytest.approx(200, rel=0.02)
