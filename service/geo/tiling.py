"""The grids of one or more communities as one net of faces: noded together, so that neighbours share every node.

An edit gives faces to grids; what doesn't belong to exactly one grid afterwards is a fault that can be told face by
face. Everything is in lon/lat.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import shapely

from service.errors import InvalidValue
from service.geo.coverage import LEAST_M2, Fault
from service.geo.crs import square_metres

# The common grid of coordinates, in degrees (about 0.01 mm): a long outer edge moves by less than 0.01 m² against the
# communities that aren't in the tiling. What a person draws freely is rounded to 1e-6 (snapping.py).
COMMON = 1e-10
_BESIDE = 5e-7  # degrees, about 5 cm
_MOST_BESIDE = 6


class DoesNotTile(InvalidValue):
    """An edit that would leave a fault behind; `faults`: where, to be drawn on the map."""

    def __init__(self, field_name: str, message: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(field_name, message)
        self.faults = list(faults)


@dataclass(frozen=True)
class Tile:
    """A grid: kinds grid and special tile their community, a micro_grid lies in its parent."""

    code: str
    community: str
    kind: str
    geom: Any
    parent: str | None = None


@dataclass(frozen=True)
class Tiling:
    """What can be edited, and what lies around it.

    tiles: grids that tile, by code; micros: micro-grids; gaps: places that an import left without a grid; around: grids
    in force of communities that aren't in the tiling, with their codes; may_extend: whether an edit may move the extent
    of a community.
    """

    tiles: Mapping[str, Tile]
    micros: Mapping[str, Tile] = field(default_factory=dict)
    gaps: Sequence[Any] = ()
    around: Mapping[str, Any] = field(default_factory=dict)
    may_extend: bool = False

    @property
    def codes(self) -> list[str]:
        return sorted([*self.tiles, *self.micros])

    def of(self, community: str) -> list[str]:
        """Codes of the tiles of one community."""
        return sorted(code for code, tile in self.tiles.items() if tile.community == community)

    def extent(self, community: str) -> Any:
        """The union of a community's tiles."""
        return shapely.union_all([self.tiles[code].geom for code in self.of(community)])


@dataclass(frozen=True)
class Outcome:
    """A tiling after an edit; `changed`: codes whose geometry or parent differs, new ones too; `gone`: codes."""

    tiling: Tiling
    changed: tuple[str, ...]
    gone: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass
class Faces:
    """The pieces of a tiling that no border crosses. shapes: (n,) polygons; owners[i]: codes of the tiles over face i
    (none: a gap or a hole; several: an overlap); areas: (n,) m²."""

    shapes: np.ndarray
    owners: list[frozenset[str]]
    areas: np.ndarray

    def of(self, code: str) -> list[int]:
        """Indexes of the faces of a tile."""
        return [i for i, owners in enumerate(self.owners) if code in owners]

    def within(self, region: Any) -> np.ndarray:
        """Mask of the faces that lie in a region whose border was cut in. shape (n,)."""
        shapely.prepare(region)
        return np.asarray(shapely.intersects(region, shapely.point_on_surface(self.shapes)), dtype=bool)

    def area_of(self, code: str) -> float:
        return float(self.areas[self.of(code)].sum())


def cut(tiles: Mapping[str, Tile], lines: Iterable[Any] = ()) -> Faces:
    """The faces between all borders and `lines`. A face below 0.01 m² in a gap or an overlap goes to its neighbour or
    to the lowest code: it comes from rounding, not from anybody's hand."""
    codes = sorted(tiles)
    geoms = np.array([tiles[code].geom for code in codes], dtype=object)
    borders = [*shapely.boundary(geoms).tolist(), *lines] if codes else list(lines)
    net = shapely.union_all(borders, grid_size=COMMON)
    shapes = shapely.get_parts(shapely.polygonize(shapely.get_parts(net)))
    if not len(shapes):
        return Faces(shapes, [], np.empty(0))
    owners: list[set[str]] = [set() for _ in shapes]
    if codes:
        inside = shapely.STRtree(geoms).query(shapely.point_on_surface(shapes), predicate="intersects")
        for face, tile in zip(*inside.tolist(), strict=True):
            owners[face].add(codes[tile])
    faces = Faces(shapes, [frozenset(one) for one in owners], square_metres(shapes))
    _close_slivers(faces)
    return faces


def area_of(geom: Any) -> float:
    """Square metres of one geometry in lon/lat; 0 for none."""
    return 0.0 if geom is None or geom.is_empty else float(square_metres(np.array([geom], dtype=object))[0])


def _close_slivers(faces: Faces) -> None:
    for i in np.flatnonzero(faces.areas < LEAST_M2).tolist():
        owners = faces.owners[i]
        if len(owners) > 1:
            faces.owners[i] = frozenset({min(owners)})
        elif not owners:
            beside = longest_beside(faces, [i])
            if beside is not None:
                faces.owners[i] = frozenset({beside})


def longest_beside(faces: Faces, piece: Sequence[int], among: Iterable[str] | None = None) -> str | None:
    """The tile with the longest border along a piece (indexes of faces), the lowest code of equals; None: no tile
    touches it. `among`: only these."""
    wanted = None if among is None else set(among)
    shape = shapely.coverage_union_all(faces.shapes[list(piece)])
    near = np.setdiff1d(shapely.STRtree(faces.shapes).query(shape, predicate="intersects"), np.asarray(piece))
    lengths: dict[str, float] = {}
    shared = shapely.length(shapely.intersection(shapely.boundary(faces.shapes[near]), shapely.boundary(shape)))
    for i, length in zip(near.tolist(), shared.tolist(), strict=True):
        for code in faces.owners[i]:
            if length > 0 and (wanted is None or code in wanted):
                lengths[code] = lengths.get(code, 0.0) + length
    return min(lengths, key=lambda code: (-lengths[code], code), default=None)


def pieces_of(faces: Faces, chosen: Iterable[int]) -> list[list[int]]:
    """Faces grouped into connected pieces; touching in a point doesn't connect."""
    left = sorted(chosen)
    if not left:
        return []
    whole = shapely.get_parts(shapely.coverage_union_all(faces.shapes[left]))
    points = shapely.point_on_surface(faces.shapes[left])
    which, part = shapely.STRtree(whole).query(points, predicate="intersects")
    groups: dict[int, list[int]] = {}
    for at, one in zip(which.tolist(), part.tolist(), strict=True):
        groups.setdefault(one, []).append(left[at])
    return [groups[key] for key in sorted(groups)]


def shape_of(faces: Faces, chosen: Sequence[int]) -> Any:
    """The union of faces, every node kept; an empty polygon for none."""
    if not len(chosen):
        return shapely.Polygon()
    return shapely.normalize(shapely.coverage_union_all(faces.shapes[list(chosen)]))


def rebuilt(tiling: Tiling, faces: Faces, tiles: Mapping[str, Tile]) -> dict[str, Tile]:
    """The tiles as the union of their faces. `tiles`: kind and community of each code that owns a face."""
    mine: dict[str, list[int]] = {}
    for i, owners in enumerate(faces.owners):
        for code in owners:
            mine.setdefault(code, []).append(i)
    out = {}
    for code, chosen in mine.items():
        shape, before = shape_of(faces, chosen), tiling.tiles.get(code)
        if before is not None and before == tiles[code] and shapely.equals_exact(before.geom, shape, normalize=True):
            out[code] = before
        else:
            out[code] = replace(tiles[code], geom=shape)
    return out


def node(tiling: Tiling) -> Tiling:
    """The same grids on the common grid of coordinates with shared nodes: without true faults `coverage_is_valid`."""
    faces = cut(tiling.tiles)
    lost = [code for code in tiling.tiles if not faces.of(code)]
    if lost:
        raise DoesNotTile("grids", f"网格 {'、'.join(lost)} 小得围不成面，先在原图里改好再导入。")
    return replace(tiling, tiles=rebuilt(tiling, faces, tiling.tiles))


def beside(geom: Any, tiles: Mapping[str, Tile]) -> tuple[str, ...]:
    """Codes of the tiles that touch a place, at most six."""
    codes = sorted(tiles)
    if not codes:
        return ()
    near = shapely.dwithin(np.array([tiles[code].geom for code in codes], dtype=object), geom, _BESIDE)
    return tuple(code for code, close in zip(codes, near.tolist(), strict=True) if close)[:_MOST_BESIDE]


def parts_of(geom: Any) -> list[Any]:
    """The polygons of a geometry, lines and points of a collection passed over."""
    if geom is None:
        return []
    if geom.geom_type == "GeometryCollection":
        return [one for part in geom.geoms for one in parts_of(part)]
    return [part for part in shapely.get_parts(geom).tolist() if part.geom_type == "Polygon" and not part.is_empty]


def faults_within(tiling: Tiling, before: Sequence[Fault]) -> list[Fault]:
    """What is left of the faults that the tiling began with, with the codes that the grids have now: edits make no new
    ones. The large ones first."""
    out: list[Fault] = []
    for kind, left in (("gap", _gaps_left), ("overlap", _overlaps_left), ("overhang", _overhangs_left)):
        places = [fault.geom for fault in before if fault.kind == kind]
        if places:
            out += left(tiling, shapely.union_all(places))
    return sorted(out, key=lambda fault: -fault.area_m2)


def _gaps_left(tiling: Tiling, region: Any) -> list[Fault]:
    over = [tile.geom for tile in tiling.tiles.values() if shapely.intersects(tile.geom, region)]
    return _named("gap", shapely.difference(region, shapely.union_all(over)), tiling, None)


def _overhangs_left(tiling: Tiling, region: Any) -> list[Fault]:
    laid = [(code, shapely.intersection(tile.geom, region)) for code, tile in sorted(tiling.tiles.items())]
    return [one for code, part in laid for one in _named("overhang", part, tiling, (code,))]


def _overlaps_left(tiling: Tiling, region: Any) -> list[Fault]:
    """Pairs of which one at least is the tiling's own."""
    own = [(code, tile.geom) for code, tile in sorted(tiling.tiles.items())]
    laid = [
        (code, shapely.intersection(geom, region))
        for code, geom in (*own, *sorted(tiling.around.items()))
        if shapely.intersects(geom, region)
    ]
    mine = sum(code in tiling.tiles for code, _ in laid)
    return [
        one
        for i, (code, part) in enumerate(laid[:mine])
        for other, its in laid[i + 1 :]
        for one in _named("overlap", shapely.intersection(part, its), tiling, tuple(sorted((code, other))))
    ]


def _named(kind: str, geom: Any, tiling: Tiling, codes: tuple[str, ...] | None) -> list[Fault]:
    return [
        Fault(kind, codes if codes is not None else beside(part, tiling.tiles), metres, part)
        for part in parts_of(geom)
        if (metres := area_of(part)) >= LEAST_M2
    ]
