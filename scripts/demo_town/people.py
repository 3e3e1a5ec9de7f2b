"""Persons, organisations and who answers for what, with the faults that an audit should find."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from .chance import stream
from .grids import COMMUNITIES, OFFICE, Grid
from .names import invented_names, person_phone
from .places import Place
from .streets import Street

GAPS = ("500237002001012", "500237002003006", "500237002202019")
"""Grids without a leader today; the last one lost its leader three weeks ago."""
ENDING = ("500237002002003", 12)
"""The leader's duty ends in so many days and nobody follows."""
OVERLAP = "500237002003009"
"""Two leaders at the same time."""
ACTING = ("500237002001010", -5, 9)
"""The leader is on leave: acting person from, until (days)."""
OVERLOADED = COMMUNITIES[1][0]
"""In this community one officer has as many grids as the three others together."""
_OFFICES = (
    ("O01", "党政办公室", "科室", "主任"),
    ("O02", "城市管理办公室", "科室", "主任"),
    ("O03", "平安建设办公室", "科室", "主任"),
    ("O04", "民政和社会事务办公室", "科室", "主任"),
    ("O05", "综合行政执法大队", "科室", "大队长"),
    ("O06", "龙门派出所", "辖区单位", "所长"),
    ("O07", "龙门街道中心医院", "辖区单位", "院长"),
    ("O08", "聚鹤小学", "辖区单位", "校长"),
    ("O09", "龙水中学", "辖区单位", "校长"),
    ("O10", "神女天街物业服务中心", "辖区单位", "经理"),
    ("O11", "龙水农贸市场管理站", "辖区单位", "站长"),
    ("O12", "龙门环卫所", "辖区单位", "所长"),
)
_LEADERS = ("党工委书记", "办事处主任", "人大工委主任", "党工委副书记", "办事处副主任", "武装部长", "政法委员")


@dataclass
class Person:
    code: str
    name: str
    phone: str
    organisation_code: str
    title: str
    notes: str = ""


@dataclass
class Organisation:
    code: str
    name: str
    kind: str
    head_code: str
    phone: str
    address: str


@dataclass
class Duty:
    """Offsets are days from the loading day, half-open, None for open."""

    role: str
    subject_kind: str
    subject_code: str
    person_code: str
    acting_code: str = ""
    acting_from: int | None = None
    acting_until: int | None = None
    starts: int | None = None
    ends: int | None = None
    code: str = ""


@dataclass
class Staff:
    """Everybody with a duty; `hire` is the only way in, so that codes and phones stay unique."""

    persons: list[Person] = field(default_factory=list)
    organisations: list[Organisation] = field(default_factory=list)
    duties: list[Duty] = field(default_factory=list)
    _names: Iterator[str] = field(default_factory=lambda: iter(invented_names("staff", 200)))

    def hire(self, organisation: str, title: str, notes: str = "") -> str:
        serial = len(self.persons) + 1
        person = Person(f"R{serial:03d}", next(self._names), person_phone(serial), organisation, title, notes)
        self.persons.append(person)
        return person.code


def make_staff(grids: list[Grid], streets: list[Street], places: list[Place]) -> Staff:
    """About 120 people and 300 duties, coded D0001 …"""
    rng = stream("people")
    staff = Staff()
    office = [staff.hire("O01", title) for title in _LEADERS]
    _organise(staff, places)
    heads = _communities(staff, office, rng)
    _leaders(staff, grids, rng)
    _officers(staff, grids, heads, rng)
    _ways(staff, streets, places, office, rng)
    for number, duty in enumerate(staff.duties, start=1):
        duty.code = f"D{number:04d}"
    return staff


def _organise(staff: Staff, places: list[Place]) -> None:
    address = {place.name: place.address for place in places}
    near = {"龙门街道中心医院": "龙门街道中心医院", "聚鹤小学": "聚鹤小学", "龙水中学": "龙水中学"}
    near |= {"神女天街物业服务中心": "神女天街", "龙水农贸市场管理站": "龙水农贸市场"}
    for serial, (code, name, kind, title) in enumerate(_OFFICES):
        head = staff.hire(code, title)
        where = address.get(near.get(name, ""), "龙门大道")
        staff.organisations.append(Organisation(code, name, kind, head, f"1540002{serial:04d}", where))
        staff.duties.append(Duty("first_responsible", "organisation", code, head, starts=-700 + 31 * serial))


def _communities(staff: Staff, office: list[str], rng: np.random.Generator) -> dict[str, str]:
    """Secretaries and area leaders; returns each community's organisation."""
    homes = {}
    for serial, (code, name, kind) in enumerate(COMMUNITIES):
        home = f"O{20 + serial}"
        head = staff.hire(home, "党总支书记" if kind == "village" else "社区党委书记")
        committee = name + ("村民委员会" if kind == "village" else "居民委员会")
        staff.organisations.append(Organisation(home, committee, "社区", head, f"1540002{100 + serial:04d}", name))
        staff.duties.append(Duty("first_responsible", "organisation", home, head, starts=-900))
        staff.duties.append(Duty("community_head", "community", code, head, starts=-900 + int(rng.integers(300))))
        staff.duties.append(Duty("area_leader", "community", code, office[1 + serial], starts=-300 + 20 * serial))
        homes[code] = home
    staff.duties.append(Duty("area_leader", "community", COMMUNITIES[2][0], office[6], starts=-620, ends=-260))
    staff.duties.append(Duty("first_responsible", "subdistrict", OFFICE, office[0], starts=-800))
    return homes


def _leaders(staff: Staff, grids: list[Grid], rng: np.random.Generator) -> None:
    home = {code: f"O{20 + i}" for i, (code, _, _) in enumerate(COMMUNITIES)}
    special_home = {"神女": ("O10", "物业经理"), "聚鹤": ("O08", "副校长"), "龙水": ("O11", "市场主任")}
    former = [staff.hire(home[code], "网格长", "已调离") for code, _, _ in COMMUNITIES]
    spare = ""
    for index, grid in enumerate(grids):
        if grid.kind == "micro_grid":
            leader = staff.hire(home[grid.community_code], "微网格长")
            staff.duties.append(
                Duty("micro_leader", "micro_grid", grid.code, leader, starts=-int(rng.integers(60, 420)))
            )
            continue
        if grid.code in GAPS:
            if grid.code == GAPS[-1]:
                staff.duties.append(Duty("grid_leader", "grid", grid.code, former[3], starts=-500, ends=-21))
            continue
        where, title = home[grid.community_code], "网格长"
        if grid.kind == "special":
            where, title = special_home[grid.name[:2]]
        # Every seventeenth leader takes the next grid too: two grids in one hand are usual, not a fault.
        leader = spare or staff.hire(where, title)
        spare = leader if not spare and index % 17 == 9 and grid.kind == "grid" else ""
        _lead(staff, grid, leader, former, rng)
    staff.duties.append(
        Duty("grid_leader", "grid", OVERLAP, staff.hire(home[COMMUNITIES[2][0]], "网格长", "新任"), starts=-30)
    )


def _lead(staff: Staff, grid: Grid, leader: str, former: list[str], rng: np.random.Generator) -> None:
    duty = Duty("grid_leader", "grid", grid.code, leader)
    if rng.random() < 0.3:
        duty.starts = -int(rng.integers(25, 330))
        staff.duties.append(
            Duty("grid_leader", "grid", grid.code, former[int(rng.integers(4))], starts=-800, ends=duty.starts)
        )
    elif rng.random() < 0.8:
        duty.starts = -int(rng.integers(430, 900))
    if grid.code == ENDING[0]:
        duty.ends = ENDING[1]
    staff.duties.append(duty)


def _officers(staff: Staff, grids: list[Grid], homes: dict[str, str], rng: np.random.Generator) -> None:
    """专职 in runs of neighbouring grids, 兼职 here and there, one guide per community."""
    for community, home in homes.items():
        zones = [g for g in grids if g.community_code == community and g.kind != "micro_grid"]
        count = 3 if community == COMMUNITIES[3][0] else 4
        officers = [staff.hire(home, "专职网格员") for _ in range(count)]
        shares = [0.5, 0.67, 0.84, 1.0] if community == OVERLOADED else [(i + 1) / count for i in range(count)]
        guide = staff.hire(["O02", "O03", "O04", "O05"][int(home[1:]) - 20], "网格指导员", "下沉干部")
        part_timers = [staff.hire(home, "兼职网格员", note) for note in ("楼栋长", "退休党员", "物业人员")]
        for i, grid in enumerate(zones):
            officer = next(o for o, share in zip(officers, shares, strict=True) if i < share * len(zones))
            since = -int(rng.integers(100, 700))
            staff.duties.append(Duty("grid_officer", "grid", grid.code, officer, starts=since))
            staff.duties.append(Duty("grid_guide", "grid", grid.code, guide, starts=-330))
            if i % 3 == 1:
                helper = part_timers[(i // 3) % 3]
                staff.duties.append(
                    Duty("part_time_officer", "grid", grid.code, helper, starts=-int(rng.integers(20, 300)))
                )
        for duty in staff.duties:
            if duty.role == "grid_leader" and duty.subject_code == ACTING[0] and duty.ends is None:
                duty.acting_code, duty.acting_from, duty.acting_until = officers[1], ACTING[1], ACTING[2]


def _ways(
    staff: Staff, streets: list[Street], places: list[Place], office: list[str], rng: np.random.Generator
) -> None:
    """街长 for the trunk and main streets, 路长 for all with a name but the lanes, 河长 for the river."""
    officers = [p.code for p in staff.persons if p.title == "专职网格员"]
    captains = [p.code for p in staff.persons if p.organisation_code in ("O02", "O05", "O12")]
    for i, street in enumerate(s for s in streets if s.level < 2):
        staff.duties.append(Duty("street_chief", "street", street.code, office[i % len(office)], starts=-400 + 11 * i))
    for i, street in enumerate(s for s in streets if s.level < 3):
        chief = (captains + officers)[i % (len(captains) + len(officers))]
        staff.duties.append(Duty("road_chief", "street", street.code, chief, starts=-int(rng.integers(60, 380))))
    river = next(place for place in places if place.kind == "river")
    staff.duties.append(Duty("river_chief", "place", river.code, office[4], starts=-1100, ends=-190))
    staff.duties.append(Duty("river_chief", "place", river.code, office[1], starts=-190))
