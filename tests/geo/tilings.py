"""Random tilings of one or two communities, and random edits of them."""

from __future__ import annotations

import math

import numpy as np
import shapely
from shapely.ops import split as divide

from service.geo import edits
from service.geo.coverage import LEAST_M2, Fault, find_faults
from service.geo.pointindex import PointIndex
from service.geo.tiling import Tile, Tiling, area_of

WEST, SOUTH, WIDE, HIGH = 109.88, 31.07, 0.012, 0.010
HOMES = ("c1", "c2")


def town(seed: int, grids: int, homes: int = 1, may_extend: bool = False) -> Tiling:
    """Cells cut by slanted lines (T-junctions everywhere), some with a special grid inside, one in two parts. As drawn:
    neighbours don't share their nodes, corners are rounded."""
    rng = np.random.default_rng(seed)
    box = shapely.box(WEST, SOUTH, WEST + WIDE, SOUTH + HIGH)
    halves = [box] if homes == 1 else _cut(box, rng)
    cells: list[tuple[str, shapely.Polygon]] = []
    for home, half in zip(HOMES, halves, strict=False):
        some = [half]
        while len(some) < grids:
            some.sort(key=lambda one: -one.area)
            some += _cut(some.pop(0), rng)
        cells += [(home, one) for one in some]
    tiles: dict[str, Tile] = {}
    for number, (home, cell) in enumerate(cells, 1):
        tiles[f"g{number:03d}"] = Tile(f"g{number:03d}", home, "grid", _rounded(cell))
    _with_special(tiles, rng)
    _in_two_parts(tiles, rng)
    return Tiling(tiles, may_extend=may_extend)


def _cut(cell: shapely.Polygon, rng: np.random.Generator) -> list[shapely.Polygon]:
    x, y = shapely.get_coordinates(shapely.centroid(cell))[0] + rng.normal(0, 1e-4, 2)
    west, south, east, north = cell.bounds
    way = rng.uniform(-0.4, 0.4) + (math.pi / 2 if east - west > north - south else 0)
    dx, dy = math.cos(way), math.sin(way)
    parts = divide(cell, shapely.LineString([(x - dx, y - dy), (x + dx, y + dy)]))
    return [part for part in parts.geoms if part.geom_type == "Polygon"]


def _rounded(cell: shapely.Geometry) -> shapely.Geometry:
    return shapely.transform(cell, lambda c: np.round(c, 11))


def _with_special(tiles: dict[str, Tile], rng: np.random.Generator) -> None:
    code = sorted(tiles)[int(rng.integers(len(tiles)))]
    host = tiles[code]
    yard = shapely.maximum_inscribed_circle(host.geom, tolerance=1e-6)
    middle = shapely.get_point(yard, 0)
    ring = _rounded(shapely.buffer(middle, yard.length * 0.4, quad_segs=3))
    tiles[code] = Tile(code, host.community, host.kind, shapely.difference(host.geom, ring))
    tiles["s900"] = Tile("s900", host.community, "special", ring)


def _in_two_parts(tiles: dict[str, Tile], rng: np.random.Generator) -> None:
    codes = [code for code in sorted(tiles) if tiles[code].community == "c1" and tiles[code].kind == "grid"]
    first = tiles[codes[int(rng.integers(len(codes)))]]
    far = [code for code in codes if code != first.code and not shapely.intersects(tiles[code].geom, first.geom)]
    if far and len(codes) > 3:
        other = tiles.pop(far[int(rng.integers(len(far)))])
        both = shapely.union_all([first.geom, other.geom])
        tiles[first.code] = Tile(first.code, "c1", "grid", both)


def random_edit(tiling: Tiling, kind: str, rng: np.random.Generator, number: int) -> edits.Edit:
    """Something that a person might do, or try."""
    codes = sorted(tiling.tiles)
    tile = tiling.tiles[codes[int(rng.integers(len(codes)))]]
    near = [code for code in codes if code != tile.code and edits.touch(tiling.tiles[code].geom, tile.geom)]
    other = near[int(rng.integers(len(near)))] if near else tile.code
    west, south, east, north = tile.geom.bounds
    middle = shapely.get_coordinates(shapely.point_on_surface(tile.geom))[0]
    if kind == "split":
        way = rng.uniform(0, math.pi)
        reach = np.array([math.cos(way), math.sin(way)]) * 0.02
        bend = middle + rng.normal(0, 2e-4, 2)
        line = shapely.LineString([middle - reach, bend, middle + reach])
        return edits.Split(tile.code, line, f"n{number:03d}", ("larger", "first", "second")[int(rng.integers(3))])
    if kind == "merge":
        return edits.Merge((tile.code, other), (tile.code, other)[int(rng.integers(2))])
    if kind == "reshape":
        shape = shapely.get_parts(tile.geom)[0]
        ring = shapely.get_coordinates(shapely.get_exterior_ring(shape)).copy()
        at = int(rng.integers(len(ring) - 1))
        ring[at] += rng.normal(0, 4e-4, 2)
        ring[-1] = ring[0]
        rest = [shapely.get_coordinates(one) for one in shape.interiors]
        moved = shapely.Polygon(ring, rest)
        parts = [moved, *shapely.get_parts(tile.geom)[1:].tolist()]
        return edits.Reshape(tile.code, parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts))
    if kind == "border":
        shared = shapely.intersection(shapely.boundary(tile.geom), shapely.boundary(tiling.tiles[other].geom))
        ends = shapely.get_coordinates(shared)
        if len(ends) < 2:
            ends = np.array([[west, south], [east, north]])
        bend = ends.mean(axis=0) + rng.normal(0, 2e-4, 2)
        return edits.Border(tile.code, other, shapely.LineString([ends[0], bend, ends[-1]]))
    size = rng.uniform(1e-4, 2e-3)
    drawn = shapely.buffer(shapely.Point(middle + rng.normal(0, 3e-4, 2)), size, quad_segs=2)
    kind_of = ("grid", "special")[int(rng.integers(2))]
    return edits.Draw(f"n{number:03d}", kind_of, tile.community, drawn, bool(rng.integers(2)))


def assert_tiled(tiling: Tiling, whole: dict[str, shapely.Geometry], rng: np.random.Generator) -> None:
    """No gap, no overlap, a valid coverage, the same extent, and one grid for every point."""
    codes = sorted(tiling.tiles)
    geoms = np.array([tiling.tiles[code].geom for code in codes], dtype=object)
    assert shapely.is_valid(geoms).all()
    assert shapely.coverage_is_valid(geoms)
    outline = shapely.box(WEST, SOUTH, WEST + WIDE, SOUTH + HIGH)
    faults = [one for one in find_faults(geoms, codes, None) if one.area_m2 > LEAST_M2]
    assert not faults
    for home, extent in whole.items():  # as drawn, in degrees: a node on a long edge bends it in metres
        assert area_of(shapely.symmetric_difference(tiling.extent(home), extent)) < LEAST_M2
    assert abs(float(shapely.area(geoms).sum()) - outline.area) < 1e-12
    points = rng.uniform((WEST, SOUTH), (WEST + WIDE, SOUTH + HIGH), (400, 2))
    index = PointIndex(geoms, codes)
    found = index.locate(points[:, 0], points[:, 1])
    over = np.array([shapely.intersects_xy(geom, points[:, 0], points[:, 1]) for geom in geoms])
    assert (found >= 0).all() and outline.covers(shapely.multipoints(points))
    assert (over.sum(axis=0) == 1).all()
    assert (over.argmax(axis=0) == found).all()


def spoilt(tiling: Tiling, rng: np.random.Generator) -> Tiling:
    """As offices' files are: some grids drawn a little too small, some too large, also beyond the outline."""
    tiles = dict(tiling.tiles)
    for code in rng.permutation(sorted(tiles))[:3].tolist():
        moved = shapely.buffer(tiles[code].geom, rng.uniform(-1, 1) * 6e-5, join_style="mitre", mitre_limit=2)
        if not moved.is_empty:
            tiles[code] = Tile(code, tiles[code].community, tiles[code].kind, _rounded(moved))
    return Tiling(tiles, may_extend=tiling.may_extend)


def found(tiling: Tiling, outline: shapely.Geometry) -> list[Fault]:
    """The faults that an import would tell."""
    codes = sorted(tiling.tiles)
    geoms = np.array([tiling.tiles[code].geom for code in codes], dtype=object)
    return [one for one in find_faults(geoms, codes, outline) if one.area_m2 > LEAST_M2]
