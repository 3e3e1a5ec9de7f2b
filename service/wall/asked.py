"""What somebody wants on the wall, and whether they may have it. Pure but for the snapshot that it looks into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from service.errors import InvalidValue, NotAllowed, NotFound, TooMany
from service.people.access import Area
from service.responsibility.snapshot import Snapshot

WHATS = {"community": "社区", "grid": "网格", "officer": "人员"}
PAPERS = {"a3": "A3", "a4": "A4"}
NAMES = {"names": "职务和姓名", "phones": "姓名和电话", "roles": "只写职务"}
MOST_SHEETS = 300
_ON_GRIDS = ("grid", "micro_grid")


@dataclass(frozen=True)
class Asked:
    """`codes`: of communities, grids or persons, one sheet each; `address`: the service's own, for the QR code."""

    what: str
    codes: tuple[str, ...]
    on: date
    paper: str = "a3"
    names: str = "names"
    address: str = ""

    def only(self, code: str) -> Asked:
        """The same for one of them."""
        return replace(self, codes=(code,))

    def plain(self) -> dict[str, Any]:
        """As a job is given it."""
        return {
            "what": self.what,
            "codes": list(self.codes),
            "on": self.on.isoformat(),
            "paper": self.paper,
            "names": self.names,
            "address": self.address,
        }

    @classmethod
    def of_plain(cls, given: Mapping[str, Any]) -> Asked:
        """What `plain` made."""
        return cls(
            given["what"],
            tuple(given["codes"]),
            date.fromisoformat(given["on"]),
            given["paper"],
            given["names"],
            given["address"],
        )


def ask(what: str, codes: Sequence[str], on: date, paper: str, names: str, address: str) -> Asked:
    """Raises InvalidValue naming the field at fault, TooMany."""
    for field, value, known in (("what", what, WHATS), ("paper", paper, PAPERS), ("names", names, NAMES)):
        if value not in known:
            raise InvalidValue(field, f"{field}=“{value[:20]}”不认识。可用：{'、'.join(known)}。")
    chosen = tuple(dict.fromkeys(code for code in codes if code))
    if not chosen:
        raise InvalidValue("code", f"还没有选要打印的{WHATS[what]}。")
    if len(chosen) > MOST_SHEETS:
        raise TooMany(f"一次最多打印 {MOST_SHEETS} 张，选了 {len(chosen)} 张。分几次打印。")
    return Asked(what, chosen, on, paper, names, address.rstrip("/"))


@dataclass(frozen=True)
class Choice:
    """Something that can be printed: its code and name, the community that it lies in, how many grids it shows."""

    code: str
    name: str
    community: str
    grids: int


def choices(snapshot: Snapshot, what: str, area: Area) -> list[Choice]:
    """What can be printed on the day by somebody with the area, in the order of codes, persons by name."""
    zones = snapshot.tiling.zones
    homes = {code: row.name for code, row in snapshot.communities.items()}
    if what == "grid":
        return [
            Choice(zone.code, zone.name, homes.get(zone.community_code, zone.community_code), 1)
            for zone in zones
            if area.holds_grid(zone.code, zone.community_code)
        ]
    if what == "community":
        counts: dict[str, int] = {}
        for zone in zones:
            counts[zone.community_code] = counts.get(zone.community_code, 0) + 1
        return [
            Choice(code, homes.get(code, code), "", count)
            for code, count in sorted(counts.items())
            if area.holds_community(code)
        ]
    found = []
    for code, grids in people_with_grids(snapshot).items():
        if _holds_all(snapshot, grids, area) or area.person == code:
            first = snapshot.tiling.zones[snapshot.tiling.by_code[grids[0]]].community_code
            person = snapshot.persons.get(code)
            found.append(Choice(code, person.name if person else code, homes.get(first, first), len(grids)))
    return sorted(found, key=lambda one: (one.community, one.name, one.code))


def people_with_grids(snapshot: Snapshot) -> dict[str, list[str]]:
    """Codes of the persons who answer for grids on the day (acting ones too), with the grids, in order."""
    parents = {zone.code: zone.parent_code for zone in snapshot.tiling.micro_zones}
    out: dict[str, set[str]] = {}
    for (kind, code), duties in snapshot.duties.items():
        home = (parents.get(code) or "") if kind == "micro_grid" else code
        if kind not in _ON_GRIDS or home not in snapshot.tiling.by_code:
            continue
        for duty in duties:
            out.setdefault(duty.holder_on(snapshot.on)[0], set()).add(home)
    return {code: sorted(grids) for code, grids in out.items()}


def check(snapshot: Snapshot, asked: Asked, area: Area) -> None:
    """Whether each of them is there on the day and lies in the area. Raises NotFound, NotAllowed."""
    for code in asked.codes:
        _check_one(snapshot, asked, code, area)


def _check_one(snapshot: Snapshot, asked: Asked, code: str, area: Area) -> None:
    tiling = snapshot.tiling
    day = asked.on.isoformat()
    if asked.what == "community":
        known = any(zone.community_code == code for zone in tiling.zones)
        inside = area.holds_community(code)
    elif asked.what == "grid":
        at = tiling.by_code.get(code)
        known = at is not None
        inside = at is not None and area.holds_grid(code, tiling.zones[at].community_code)
    else:
        grids = people_with_grids(snapshot).get(code, [])
        known = bool(grids)
        inside = area.person == code or _holds_all(snapshot, grids, area)
    if not inside and not area.everywhere:
        raise NotAllowed(f"“{code[:40]}”不在你的责任范围里，责任图要由主管或管理员来打印。")
    if not known:
        grounds = {"community": "没有网格", "grid": "没有划定", "officer": "没有负责的网格"}[asked.what]
        raise NotFound(f"{WHATS[asked.what]}“{code[:40]}”在 {day} {grounds}，画不出责任图。换一个日期或编码。")


def _holds_all(snapshot: Snapshot, grids: Sequence[str], area: Area) -> bool:
    zones, at = snapshot.tiling.zones, snapshot.tiling.by_code
    return bool(grids) and all(area.holds_grid(code, zones[at[code]].community_code) for code in grids)
