"""巷长, 楼长, 林长 and those who answer for a facility; with the gaps that an audit should find."""

from __future__ import annotations

from shapely.geometry.base import BaseGeometry

from .buildings import Building
from .chance import stream
from .grids import COMMUNITIES, Grid
from .people import Duty, Staff
from .places import Place
from .streets import Street

WITHOUT_LANE_CHIEF = COMMUNITIES[3][0]
"""In the village no lane has a 巷长; elsewhere all have."""
HOUSES = ("500237002001008", "500237002002012", "500237002003012")
"""In these grids the houses have a 楼长."""
_PER_CHIEF = 6
UNHELD_WOODS = 3
"""So many woods have no 林长."""
_KEEPERS = {  # place: organisation whose head answers for it
    "龙门街道中心医院": "O07",
    "聚鹤小学": "O08",
    "龙水中学": "O09",
    "神女天街": "O10",
    "龙水农贸市场": "O11",
    "聚鹤农贸市场": "O11",
    "龙江便民菜市场": "O11",
}
_BY_KIND = {"refuse_station": "O12", "transfer_station": "O12", "toilet": "O12", "park": "O02"}
UNHELD = ("龙水社区卫生服务中心", "聚鹤幼儿园", "梨早村小学", "石桥街垃圾收集站", "梨早路六巷公共厕所")
"""These facilities have nobody."""


def add_chiefs(
    staff: Staff, grids: list[Grid], streets: list[Street], places: list[Place], buildings: list[Building]
) -> None:
    """More duties for the same people, coded on from the last one."""
    rng = stream("chiefs")
    first = len(staff.duties)
    zones = [grid for grid in grids if grid.kind != "micro_grid"]
    helpers = {
        home: [p.code for p in staff.persons if p.organisation_code == f"O{20 + i}" and p.title == "兼职网格员"]
        for i, (home, _, _) in enumerate(COMMUNITIES)
    }
    heads = {one.code: one.head_code for one in staff.organisations}
    since = lambda: -int(rng.integers(30, 400))  # noqa: E731
    for number, lane in enumerate(street for street in streets if street.level == 3):
        home = _home(lane.line, zones)
        if home != WITHOUT_LANE_CHIEF:
            chief = helpers[home][number % 3]
            staff.duties.append(Duty("lane_chief", "street", lane.code, chief, starts=since()))
    for code in HOUSES:
        grid = next(one for one in zones if one.code == code)
        inside = [b for b in buildings if grid.polygon.contains(b.polygon.representative_point()) and not b.name]
        chiefs = helpers[grid.community_code]
        for number, house in enumerate(inside[: _PER_CHIEF * len(chiefs)]):
            chief = chiefs[number // _PER_CHIEF]
            staff.duties.append(Duty("building_chief", "building", house.code, chief, starts=since()))
    woods = [place for place in places if place.kind in ("wood", "dense_wood")]
    for wood in woods[:-UNHELD_WOODS]:
        chief = heads[f"O{20 + [home for home, _, _ in COMMUNITIES].index(_home(wood.geometry, zones))}"]
        staff.duties.append(Duty("forest_chief", "place", wood.code, chief, starts=since()))
    for place in places:
        organisation = _KEEPERS.get(place.name) or _BY_KIND.get(place.kind)
        if organisation and place.name not in UNHELD:
            keeper = heads[organisation]
            staff.duties.append(Duty("place_keeper", "place", place.code, keeper, starts=since()))
    for number, duty in enumerate(staff.duties[first:], start=first + 1):
        duty.code = f"D{number:04d}"


def _home(geometry: BaseGeometry, zones: list[Grid]) -> str:
    """The community in whose grids most of it lies; the nearest when it lies in none."""
    best = max(zones, key=lambda zone: _share(geometry.intersection(zone.polygon)))
    if geometry.intersects(best.polygon):
        return best.community_code
    return min(zones, key=lambda zone: geometry.distance(zone.polygon)).community_code


def _share(piece: BaseGeometry) -> float:
    return piece.area if piece.area else piece.length
