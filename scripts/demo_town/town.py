"""The whole town in one value."""

from __future__ import annotations

from dataclasses import dataclass

from shapely.geometry import Polygon

from .buildings import Building, make_buildings
from .chance import stream
from .chiefs import add_chiefs
from .frontages import Frontage, make_frontages
from .grids import Grid, make_grids, outlines
from .hotspots import make_hotspots
from .incidents import Incident, Planted, make_incidents
from .people import Staff, make_staff
from .places import Place, all_places, plan_facilities
from .sites import make_sites
from .skeleton import make_skeleton
from .streets import Street, make_streets
from .terrain import make_ground


@dataclass(frozen=True)
class Town:
    outlines: dict[str, Polygon]
    grids: list[Grid]
    streets: list[Street]
    buildings: list[Building]
    places: list[Place]
    frontages: list[Frontage]
    staff: Staff
    incidents: list[Incident]
    planted: list[Planted]


def make_town() -> Town:
    """Ground first, then what stands on it, then who answers for it, then what happens there."""
    ground = make_ground()
    skeleton = make_skeleton()
    grids = make_grids(skeleton)
    streets = make_streets(skeleton, grids)
    facilities = plan_facilities(ground, streets, grids)
    buildings = make_buildings(ground, streets, grids, facilities)
    frontages = make_frontages(buildings)
    places = all_places(ground, facilities, streets)
    _populate(grids, buildings)
    staff = make_staff(grids, streets, places)
    add_chiefs(staff, grids, streets, places, buildings)
    sites = make_sites(facilities.area, streets, frontages, buildings, places)
    incidents, planted = make_incidents(sites, make_hotspots(grids, places))
    return Town(outlines(grids), grids, streets, buildings, places, frontages, staff, incidents, planted)


def _populate(grids: list[Grid], buildings: list[Building]) -> None:
    """Households from the floor space in each grid, one per 190 m² with its share of shops and stairs."""
    rng = stream("households")
    for grid in grids:
        inside = [b for b in buildings if grid.polygon.contains(b.polygon.representative_point())]
        if grid.kind == "special" or not inside:
            continue
        space = sum(b.polygon.area * b.storeys for b in inside if not b.name)
        grid.households = max(28, round(space / 190 * float(rng.uniform(0.85, 1.1))))
        grid.population = round(grid.households * float(rng.uniform(2.3, 2.9)))
    for grid in grids:
        parts = [g for g in grids if g.parent_code == grid.code]
        if parts:
            grid.households, grid.population = sum(g.households for g in parts), sum(g.population for g in parts)
