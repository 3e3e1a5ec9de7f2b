"""What the generator planted, in words: gis_data/demo/TRUTH.md."""

from __future__ import annotations

from shapely.geometry import Point

from .categories import CATEGORIES
from .chiefs import HOUSES, UNHELD, UNHELD_WOODS, WITHOUT_LANE_CHIEF
from .hotspots import Hotspot
from .incidents import DUE_TODAY, OPEN_STATES, OVERDUE, WITHOUT_POINT, Planted
from .people import ACTING, ENDING, GAPS, OVERLAP
from .projection import lonlat
from .rhythm import DAYS, REFERENCE
from .town import Town

_HEAD = """# What is true in the demo

Written by `scripts/make_demo`; everything here is invented (see ../SOURCES.md). An analysis can be judged by it.

## Time
- Dates are offsets: `*_offset` in days from the loading day, `*_offset_minutes` in minutes from 00:00 Asia/Shanghai
  of the loading day. The town was made as if the loading day were a Monday, {reference}; {days} days lie before it.
- Weekdays carry a rhythm, so closed incidents are moved by whole weeks: to the Monday on or after the loading day;
  those that would then be closed after the moment of loading are left out. Open incidents, duties and agreements are
  moved to the loading day itself. So weekdays stay right, the demo ends on the day of loading, and what is open is
  as late as planned.
- Seasons are those before {reference} (summer nights: noise and barbecue; winter: smoke; fireworks around the
  Spring Festival). Loaded at another time of the year the seasons are displaced by as much.

## Hotspots
Factor: incidents within the radius and the period, over what the place's own background would have been.
The background itself is uneven: shops, crossings, markets and stations have more than yards and fields.
There the radius is about one block, so a unit of analysis that holds only a part of it shows less than the factor.
"""


def truth(town: Town) -> str:
    """The whole file."""
    return "\n".join(
        [
            _HEAD.format(reference=REFERENCE.isoformat(), days=DAYS),
            _table(town),
            "",
            *_duties(town),
            "",
            *_incidents(town),
            "",
        ]
    )


def _table(town: Town) -> str:
    rows = [
        "| where | lon, lat | radius | grids | when (days) | planned | there are | background | factor | what |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for planted in town.planted:
        h = planted.hotspot
        lon, lat = lonlat(h.x, h.y)
        when = f"{h.first} … {h.until}"
        what = "、".join(CATEGORIES[code].name for code in h.mix)
        rows.append(
            f"| {h.name}（{h.story}） | {lon:.5f}, {lat:.5f} | {h.radius:.0f} m | {_codes(town, h)} | {when} "
            f"| {h.factor} | {planted.found} | {planted.expected:.0f} | {_factor(planted)} | {what} |"
        )
    return "\n".join(rows)


def _factor(planted: Planted) -> str:
    return f"{planted.found / planted.expected:.1f}"


def _codes(town: Town, hotspot: Hotspot) -> str:
    disk = Point(hotspot.x, hotspot.y).buffer(hotspot.radius)
    shares = [(g.polygon.intersection(disk).area / disk.area, g.code) for g in town.grids if g.kind != "micro_grid"]
    return " ".join(code for share, code in sorted(shares, reverse=True) if share > 0.08)


def _duties(town: Town) -> list[str]:
    leaders = [d for d in town.staff.duties if d.role == "grid_leader"]
    overlap = [f"{d.person_code} from {d.starts}" for d in leaders if d.subject_code == OVERLAP and d.ends is None]
    expired = sum(f.agreement_until is not None and f.agreement_until <= 0 for f in town.frontages)
    acting = next(d for d in leaders if d.acting_code)
    return [
        "## Duties",
        f"- no 网格长: {', '.join(GAPS)} (the last one until 21 days ago)",
        f"- two 网格长 at once: {OVERLAP} ({'; '.join(overlap)})",
        f"- on leave: {ACTING[0]}, {acting.acting_code} acts for {acting.person_code} "
        f"from {ACTING[1]} until {ACTING[2]}",
        f"- ends in {ENDING[1]} days without a successor: {ENDING[0]}",
        "- one 专职网格员 of 龙江社区 answers for half of the community's grids, the three others share the rest",
        f"- no 巷长: the lanes of {WITHOUT_LANE_CHIEF}; all other streets have a 路长 or 巷长",
        f"- 楼长 for houses in {', '.join(HOUSES)}; no 林长 for the last {UNHELD_WOODS} woods; nobody for "
        f"{', '.join(UNHELD)}",
        f"- {sum(f.state == 'vacant' for f in town.frontages)} frontages are vacant, {expired} agreements have run out",
    ]


def _incidents(town: Town) -> list[str]:
    late = sum(i.closed is None and i.due < 0 for i in town.incidents)
    return [
        "## Incidents",
        f"- {len(town.incidents)} in all, {sum(OPEN_STATES.values())} open: "
        + ", ".join(f"{state} {count}" for state, count in OPEN_STATES.items()),
        f"- {late} of the open ones are overdue at 00:00 of the loading day ({OVERDUE} planned), "
        f"{DUE_TODAY} more fall due during it",
        f"- {WITHOUT_POINT} have no point, only an address",
    ]
