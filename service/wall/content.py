"""What a responsibility map says: who answers for which grid, in words, masked for whoever prints it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import shapely

from service.duties.rules import role_name
from service.geo.crs import MetricFrame
from service.grids.queries import Zone
from service.grids.rules import KINDS, short_code
from service.responsibility.lookup import shown_name
from service.responsibility.showing import Showing
from service.responsibility.snapshot import Held, Snapshot
from service.wall.asked import people_with_grids

VACANT = "未落实"
_OFFICERS = ("grid_officer", "part_time_officer")
_LONGEST_NUMBER = 4
_ALSO_NAMED = 12


@dataclass(frozen=True)
class Name:
    """Somebody in a role as the sheet may show them; `name` and `phone` None where the choice or the right says so."""

    role: str
    role_name: str
    name: str | None
    phone: str | None
    acting_for: str | None
    subject: str = ""


@dataclass(frozen=True)
class GridRow:
    """A grid on the sheet. `number`: how the map and the table call it; `index`: its place in the tiling."""

    index: int
    code: str
    number: str
    title: str
    community: str
    leader: Name | None
    officers: tuple[Name, ...]
    others: tuple[Name, ...]
    shops: int
    own_roles: str = ""

    @property
    def people(self) -> tuple[Name, ...]:
        """All of them, the 网格长 first."""
        return (*((self.leader,) if self.leader else ()), *self.officers, *self.others)


@dataclass(frozen=True)
class Content:
    """One sheet's words. `heads`: who stands over all of it; `editions`: from when its borders hold (None: since ever);
    `also`: what else the person answers for."""

    what: str
    code: str
    title: str
    names: str
    on: date
    rows: tuple[GridRow, ...]
    heads: tuple[Name, ...]
    facts: tuple[tuple[str, str], ...]
    editions: tuple[date | None, ...]
    also: tuple[str, ...] = ()

    @property
    def vacant(self) -> int:
        """How many of its grids have no 网格长."""
        return sum(row.leader is None for row in self.rows)


@dataclass
class Teller:
    """Tells people by the viewer's right and the choice on the page; counts the whole numbers that it gave."""

    showing: Showing
    names: str
    whole: set[str] = field(default_factory=set)

    @property
    def snapshot(self) -> Snapshot:
        return self.showing.snapshot

    def name(self, held: Held) -> Name:
        """One duty's holder."""
        leader = held.role == "grid_leader"
        if self.names == "roles":
            return Name(held.role, role_name(held.role), None, None, None, held.subject_name)
        viewer = self.showing.viewer
        phone = self.showing.phone("people", held.person.code, held.person.phone) if self.names == "phones" else None
        if phone and phone == held.person.phone:
            self.whole.add(held.person.code)
        absent = shown_name(held.acting_for, viewer, leader) if held.acting_for else None
        told = shown_name(held.person, viewer, leader)
        return Name(held.role, role_name(held.role), told, phone, absent, held.subject_name)

    def held(self, kind: str, code: str, name: str) -> list[Name]:
        """All that answer for a subject, in order."""
        return [self.name(held) for held in self.snapshot.held(kind, code, name)]


def content_of(teller: Teller, what: str, code: str) -> Content:
    """The words of one sheet; the code has been checked (asked.check)."""
    return {"community": _community, "grid": _grid, "officer": _officer}[what](teller, code)


def _community(teller: Teller, code: str) -> Content:
    snapshot = teller.snapshot
    mine = [i for i, zone in enumerate(snapshot.tiling.zones) if zone.community_code == code]
    name = community_name(snapshot, code)
    rows = _rows(teller, mine)
    heads = tuple(one for one in teller.held("community", code, name))
    shops = sum(row.shops for row in rows)
    facts = [("网格", f"{len(rows)} 个"), *_household_facts(teller, mine), ("门前三包", f"{shops} 家")]
    return Content(
        "community",
        code,
        f"{name}网格责任图",
        teller.names,
        snapshot.on,
        rows,
        heads,
        tuple(facts),
        _editions(teller, mine),
    )


def _grid(teller: Teller, code: str) -> Content:
    snapshot = teller.snapshot
    at = snapshot.tiling.by_code[code]
    zone = snapshot.tiling.zones[at]
    home = community_name(snapshot, zone.community_code)
    rows = _rows(teller, [at])
    heads = tuple(teller.held("community", zone.community_code, home))
    named = zone.name if zone.name not in (zone.code, short_code(zone.code)[1]) else f"{rows[0].number} 网格"
    title = named if home in named else f"{home} {named}"
    facts = (
        ("编码", zone.code),
        *_household_facts(teller, [at]),
        ("面积", f"{_hectares(snapshot, at):.1f} 公顷"),
        ("门前三包", f"{rows[0].shops} 家"),
    )
    return Content(
        "grid", code, f"{title}责任图", teller.names, snapshot.on, rows, heads, facts, _editions(teller, [at])
    )


def _officer(teller: Teller, code: str) -> Content:
    snapshot = teller.snapshot
    mine = [snapshot.tiling.by_code[grid] for grid in people_with_grids(snapshot)[code]]
    roles: dict[str, list[str]] = {}
    posts: Counter[str] = Counter()
    also: dict[str, list[str]] = {}
    micro_home = {zone.code: zone.parent_code for zone in snapshot.tiling.micro_zones}
    for kind, subject in sorted(snapshot.subjects_of(code)):
        name = _subject_name(snapshot, kind, subject)
        for held in snapshot.held(kind, subject, name):
            if held.person.code != code:
                continue
            word = role_name(held.role) + ("（代）" if held.acting_for else "")
            if kind in ("grid", "micro_grid"):
                roles.setdefault((micro_home.get(subject) or subject) if kind == "micro_grid" else subject, []).append(
                    word
                )
                posts[word] += 1
            else:
                also.setdefault(word, []).append(name)
    rows = _rows(teller, mine, roles)
    person = snapshot.persons.get(code)
    leads = any("网格长" in word and "微" not in word for words in roles.values() for word in words)
    told = shown_name(person, teller.showing.viewer, leads) if person and teller.names != "roles" else ""
    title = f"{told} 责任网格图" if told else "责任网格图"
    homes = list(dict.fromkeys(row.community for row in rows))
    facts = [
        ("职务", "、".join(posts)),
        ("网格", f"{len(rows)} 个"),
        ("社区", "、".join(homes)),
        ("门前三包", f"{sum(row.shops for row in rows)} 家"),
    ]
    if teller.names == "phones" and person:
        phone = teller.showing.phone("people", code, person.phone)
        if phone:
            facts.insert(1, ("电话", phone))
            if phone == person.phone:
                teller.whole.add(code)
    return Content(
        "officer", code, title, teller.names, snapshot.on, rows, (), tuple(facts), _editions(teller, mine), _also(also)
    )


def _also(posts: dict[str, list[str]]) -> tuple[str, ...]:
    """A few words for each role: what it is held for, the first of them where there are many."""
    out = []
    for word, names in posts.items():
        more = f" 等 {len(names)} 处" if len(names) > _ALSO_NAMED else ""
        out.append(f"{word} {'、'.join(names[:_ALSO_NAMED])}{more}")
    return tuple(out)


def _rows(teller: Teller, indexes: Sequence[int], roles: dict[str, list[str]] | None = None) -> tuple[GridRow, ...]:
    snapshot = teller.snapshot
    zones = [snapshot.tiling.zones[i] for i in indexes]
    numbers = _numbers(zones)
    shops = _shops(snapshot)
    micros: dict[str, list[Zone]] = {}
    for zone in snapshot.tiling.micro_zones:
        micros.setdefault(zone.parent_code or "", []).append(zone)
    out = []
    for i, zone, number in zip(indexes, zones, numbers, strict=True):
        people = teller.held("grid", zone.code, zone.name)
        leader = next((one for one in people if one.role == "grid_leader"), None)
        officers = tuple(one for one in people if one.role in _OFFICERS)
        others = [one for one in people if one is not leader and one not in officers]
        others += [
            one for micro in micros.get(zone.code, []) for one in teller.held("micro_grid", micro.code, micro.name)
        ]
        home = community_name(snapshot, zone.community_code)
        out.append(
            GridRow(
                i,
                zone.code,
                number,
                grid_title(zone, home),
                home,
                leader,
                officers,
                tuple(others),
                shops.get(i, 0),
                "、".join((roles or {}).get(zone.code, ())),
            )
        )
    return tuple(out)


def _numbers(zones: Sequence[Zone]) -> list[str]:
    """The last three digits of their codes where these tell them apart, else 1, 2, 3 …"""
    short = [short_code(zone.code)[1] for zone in zones]
    if len(set(short)) == len(short) and all(len(one) <= _LONGEST_NUMBER for one in short):
        return short
    return [str(n) for n in range(1, len(zones) + 1)]


def grid_title(zone: Zone, community: str) -> str:
    """A grid's name without its community's; its kind where it has no name of its own."""
    if zone.name in (zone.code, short_code(zone.code)[1]):
        return f"{short_code(zone.code)[1]} {KINDS.get(zone.kind, '网格')}"
    return zone.name.removeprefix(community) or zone.name


def community_name(snapshot: Snapshot, code: str) -> str:
    row = snapshot.communities.get(code)
    return row.name if row else code


def _subject_name(snapshot: Snapshot, kind: str, code: str) -> str:
    """What a duty is for, by name as far as the snapshot knows one, else by its code."""
    if kind == "community":
        return community_name(snapshot, code)
    if kind == "subdistrict":
        return snapshot.office_name
    if kind == "organisation":
        return next((name for name, known in snapshot.units.items() if known == code), code)
    if kind == "frontage":
        return next((row.shop_name for row in snapshot.frontages.rows if row.code == code), "") or code
    at = snapshot.nearby.by_subject.get((kind, code))
    return code if at is None else snapshot.nearby.rows[at].name or code


def _household_facts(teller: Teller, indexes: Sequence[int]) -> list[tuple[str, str]]:
    zones = [teller.snapshot.tiling.zones[i] for i in indexes]
    out = []
    for label, counts, unit in (
        ("户数", [zone.households for zone in zones], "户"),
        ("人口", [zone.population for zone in zones], "人"),
    ):
        known = [count for count in counts if count is not None]
        if known and len(known) == len(counts) and sum(known):
            out.append((label, f"{sum(known):,} {unit}"))
    return out


def _editions(teller: Teller, indexes: Sequence[int]) -> tuple[date | None, ...]:
    days = {teller.snapshot.tiling.zones[i].starts_on for i in indexes}
    return tuple(sorted(days, key=lambda day: day or date.min))


def _shops(snapshot: Snapshot) -> dict[int, int]:
    at = snapshot.shop_zones()
    counts = np.bincount(at[at >= 0], minlength=len(snapshot.tiling.zones))
    return {i: int(n) for i, n in enumerate(counts.tolist()) if n}


def _hectares(snapshot: Snapshot, index: int) -> float:
    geom = snapshot.tiling.geoms[index]
    west, south, east, north = geom.bounds
    frame = MetricFrame((west + east) / 2, (south + north) / 2)
    return float(shapely.area(frame.geometries(np.array([geom], dtype=object)))[0]) / 1e4
