"""Coordinate systems against published values."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS

from service.errors import InvalidValue
from service.geo.crs import (
    MetricFrame,
    bd09_to_gcj02,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    geometries_to_wgs84,
    metric_crs,
    parse_crs,
    to_wgs84,
    wgs84_to_gcj02,
)

TOWN = (109.88, 31.07)
M_PER_DEG = 111_320


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def numbers(table: list[dict[str, str]], *names: str) -> tuple[np.ndarray, ...]:
    return tuple(np.array([float(row[name]) for row in table]) for name in names)


# Names --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("EPSG:4326", "wgs84"),
        ("epsg:4326", "wgs84"),
        ("4326", "wgs84"),
        ("WGS84", "wgs84"),
        ("EPSG:4490", "wgs84"),
        ("cgcs2000", "wgs84"),
        ("OGC:CRS84", "wgs84"),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "wgs84"),
        ("urn:ogc:def:crs:EPSG::4490", "wgs84"),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", "wgs84"),
        (CRS(4490).to_wkt("WKT1_ESRI"), "wgs84"),
        (CRS(4326).to_wkt("WKT1_GDAL"), "wgs84"),
        (CRS(4326), "wgs84"),
        ("GCJ-02", "gcj02"),
        ("gcj02", "gcj02"),
        ("BD09", "bd09"),
        ("bd-09", "bd09"),
        ("EPSG:4546", "projected"),
        ("2263", "projected"),
        ("ESRI:102025", "projected"),
        (CRS(4546), "projected"),
        (CRS(4546).to_wkt("WKT1_ESRI"), "projected"),
    ],
)
def test_systems_by_name(text: str | CRS, kind: str) -> None:
    assert parse_crs(text).kind == kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "EPSG:",
        "EPSG:0",
        "EPSG:99999999",
        "EPSG:4978",
        "EPSG:5773",
        "+proj=utm +zone=49",
        "GEOGCS[",
        "火星",
        "0x1",
    ],
)
def test_no_system(text: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_crs(text)
    assert caught.value.field == "crs"
    assert "EPSG" in caught.value.message


# GCJ-02 and BD-09 ---------------------------------------------------------------------------------------------------


def test_the_town_in_every_system() -> None:
    """DOMAIN section 6."""
    gcj = wgs84_to_gcj02(*TOWN)
    assert np.round(gcj, 6).tolist() == [109.884738, 31.067551]
    assert np.round(gcj02_to_bd09(*gcj), 6).tolist() == [109.891252, 31.073458]
    assert np.round(metric(*TOWN), 3).tolist() == [393110.235, 3439274.437]


def metric(lon: float, lat: float) -> tuple[float, float]:
    return MetricFrame(lon, lat).forward(lon, lat)


def test_664_cities_as_gcoord_has_them(shared_data: Path) -> None:
    """gcoord's fixtures (MIT) and its tolerances: 1e-4 degree, GCJ-02 to BD-09 1e-5."""
    table = rows(shared_data / "gcj02_vectors" / "gcoord_cities.csv")
    wgs, gcj, bd = (numbers(table, f"{one}_lon", f"{one}_lat") for one in ("wgs", "gcj", "bd"))
    assert len(table) > 600
    for found, given_, tolerance in (
        (wgs84_to_gcj02(*wgs), gcj, 1e-4),
        (gcj02_to_bd09(*gcj), bd, 1e-5),
        (gcj02_to_wgs84(*gcj), wgs, 1e-4),
        (bd09_to_gcj02(*bd), gcj, 1e-5),
    ):
        assert np.abs(np.array(found) - np.array(given_)).max() < tolerance


def test_the_pairs_of_eviltransform(shared_data: Path) -> None:
    """Published pairs (MIT), 1e-6 degree.

    Without its two BD-09 pairs: those use pi where Baidu's own answers, as gcoord keeps them, use pi * 3000 / 180, and
    lie up to 40 m away.
    """
    table = rows(shared_data / "gcj02_vectors" / "eviltransform_pairs.csv")
    some = [row for row in table if row["from"] == "WGS84"]
    assert len(some) == 3
    found = wgs84_to_gcj02(*numbers(some, "from_lon", "from_lat"))
    assert np.abs(np.array(found) - np.array(numbers(some, "to_lon", "to_lat"))).max() < 1e-6


@settings(deadline=None)
@given(st.floats(73, 135), st.floats(18, 54))
def test_there_and_back(lon: float, lat: float) -> None:
    for there, back in ((wgs84_to_gcj02, gcj02_to_wgs84), (gcj02_to_bd09, bd09_to_gcj02)):
        assert np.abs(np.array(back(*there(lon, lat))) - (lon, lat)).max() < 1e-9


@pytest.mark.parametrize(("lon", "lat"), [(-74.0, 40.7), (2.35, 48.86), (72.0, 31.0), (110.0, 0.5), (138.0, 40.0)])
def test_nothing_is_shifted_outside_china(lon: float, lat: float) -> None:
    assert (*map(float, wgs84_to_gcj02(lon, lat)),) == (lon, lat) == (*map(float, gcj02_to_wgs84(lon, lat)),)


def test_what_is_no_number_stays_so_and_spoils_nothing_beside_it() -> None:
    lon, lat = np.array([np.nan, TOWN[0], np.inf]), np.array([31.0, TOWN[1], 31.0])
    for name in ("gcj02", "bd09", "EPSG:4546", "EPSG:4326"):
        x, y = to_wgs84(lon, lat, parse_crs(name))
        alone = to_wgs84(lon[1:2], lat[1:2], parse_crs(name))
        assert (x[1], y[1]) == (alone[0][0], alone[1][0])
        assert not (np.isfinite(x[[0, 2]]) & np.isfinite(y[[0, 2]])).any()
    assert [len(one) for one in to_wgs84(np.empty(0), np.empty(0), parse_crs("gcj02"))] == [0, 0]


# Projected systems --------------------------------------------------------------------------------------------------


def test_east_comes_before_north_whatever_the_system_says() -> None:
    lon, lat = to_wgs84(np.array([393110.235]), np.array([3439274.437]), parse_crs("EPSG:4546"))
    assert abs(lon[0] - TOWN[0]) * M_PER_DEG < 0.01
    assert abs(lat[0] - TOWN[1]) * M_PER_DEG < 0.01
    xian = parse_crs("EPSG:4610")  # geographic, latitude first by its own account
    assert to_wgs84(np.array([109.88]), np.array([31.07]), xian)[0][0] == pytest.approx(109.88, abs=0.01)


def test_geometries_of_every_kind_move_and_none_stays_none() -> None:
    there = wgs84_to_gcj02(np.array([109.88, 109.89]), np.array([31.07, 31.08]))
    line = shapely.LineString(np.column_stack(there))
    moved = geometries_to_wgs84(np.array([line, None, shapely.Point()], dtype=object), parse_crs("gcj02"))
    assert np.abs(shapely.get_coordinates(moved[0]) - [[109.88, 31.07], [109.89, 31.08]]).max() < 1e-9
    assert moved[1] is None
    assert moved[2].is_empty


@pytest.mark.parametrize(
    ("lon", "lat", "epsg"),
    [
        (109.88, 31.07, 4546),
        (109.5, 31.0, 4546),
        (109.499, 31.0, 4545),
        (112.5, 31.0, 4547),
        (73.5, 39.0, 4534),
        (135.0, 48.0, 4554),
        (136.5, 48.0, 32653),
        (-74.0, 40.7, 32618),
        (18.4, -33.9, 32734),
        (180.0, 10.0, 32660),
        (-180.0, 10.0, 32601),
    ],
)
def test_where_to_measure(lon: float, lat: float, epsg: int) -> None:
    assert metric_crs(lon, lat).to_epsg() == epsg


def test_a_frame_measures_metres_and_comes_back() -> None:
    frame = MetricFrame(*TOWN)
    square = shapely.box(TOWN[0], TOWN[1], TOWN[0] + 0.01, TOWN[1] + 0.01)
    flat = frame.geometries(np.array([square], dtype=object))
    assert flat[0].area == pytest.approx(954.7 * 1108.7, rel=2e-3)
    assert shapely.equals_exact(frame.to_degrees(flat)[0], square, 1e-9)
    assert frame.inverse(*frame.forward(*TOWN)) == pytest.approx(TOWN, abs=1e-9)
