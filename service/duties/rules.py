"""Roles of duties: the field's names, which are exclusive, and in which order they answer. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta

from service.clock import in_force, is_empty

_PATCHES = ("grid", "micro_grid", "community")
_ANYWHERE = (*_PATCHES, "building", "street", "place", "frontage", "organisation", "subdistrict")
WATERS, LAKES, WOODS = ("river", "bank"), ("lake",), ("wood", "dense_wood", "park")


@dataclass(frozen=True)
class Role:
    """`rank` orders the people of one subject; exclusive: one holder per subject on any date. `fits`: kinds of subjects
    that somebody can be given the role for; `places`: of places only these (empty: any)."""

    code: str
    name: str
    rank: int
    exclusive: bool = False
    fits: tuple[str, ...] = _ANYWHERE
    places: tuple[str, ...] = ()


# What a role is for follows the plan's words (五长制, 河长、湖长、林长, 1+3+N); an office edits this table.
ROLES = {
    role.code: role
    for role in (
        Role("shop_keeper", "店长", 0, True, ("frontage",)),
        Role("grid_leader", "网格长", 1, True, ("grid",)),
        Role("micro_leader", "微网格长", 1, True, ("micro_grid",)),
        Role("grid_officer", "专职网格员", 2, fits=_PATCHES),
        Role("part_time_officer", "兼职网格员", 3, fits=_PATCHES),
        Role("grid_guide", "网格指导员", 4, fits=_PATCHES),
        Role("building_chief", "楼长", 2, True, ("building",)),
        Role("place_keeper", "场所负责人", 2, True, ("place",)),
        Role("lane_chief", "巷长", 3, True, ("street",)),
        Role("road_chief", "路长", 4, True, ("street",)),
        Role("street_chief", "街长", 5, True, ("street",)),
        Role("river_chief", "河长", 5, True, ("place",), WATERS),
        Role("lake_chief", "湖（库）长", 5, True, ("place",), LAKES),
        Role("forest_chief", "林长", 5, True, ("place",), WOODS),
        Role("community_head", "社区书记", 6, True, ("community",)),
        Role("area_leader", "包片领导", 7, fits=("grid", "community", "street", "subdistrict")),
        Role("first_responsible", "一把手", 8, True, ("organisation", "place", "subdistrict")),
        Role("volunteer", "志愿者", 20),
        Role("police", "民警", 21),
        Role("doctor", "医生", 22),
        Role("other", "其他力量", 30),
    )
}
SUBJECT_KINDS = {
    "frontage": "门店",
    "micro_grid": "微网格",
    "grid": "网格",
    "building": "楼栋",
    "street": "街路",
    "place": "场所",
    "organisation": "单位",
    "community": "社区（村）",
    "subdistrict": "街道",
}
_BY_NAME = {role.name: role.code for role in ROLES.values()} | {
    "网格员": "grid_officer",
    "微网格员": "micro_leader",
    "村书记": "community_head",
    "书记": "community_head",
    "湖长": "lake_chief",
    "库长": "lake_chief",
    "场所责任人": "place_keeper",
}
_SUBJECT_BY_NAME = {name: code for code, name in SUBJECT_KINDS.items()} | {
    "社区": "community",
    "村": "community",
    "街道": "subdistrict",
    "道路": "street",
    "楼": "building",
    "河流": "place",
}


def role_code(text: str) -> str | None:
    """The role that a cell names, by code or by Chinese name; None when unknown.

    >>> role_code("网格长"), role_code("grid_leader"), role_code("皇帝")
    ('grid_leader', 'grid_leader', None)
    """
    cleaned = text.strip()
    return cleaned if cleaned in ROLES else _BY_NAME.get(cleaned)


def subject_kind(text: str) -> str | None:
    """The subject kind that a cell names; None when unknown."""
    cleaned = text.strip()
    return cleaned if cleaned in SUBJECT_KINDS else _SUBJECT_BY_NAME.get(cleaned)


def role_name(code: str) -> str:
    """The Chinese name, or the code itself for a role of another place."""
    return ROLES[code].name if code in ROLES else code


def role_rank(code: str) -> int:
    return ROLES[code].rank if code in ROLES else 50


def acting_on(acting: str | None, starts: date | None, on: date, ends: date | None) -> bool:
    """Whether somebody stands in on the day. A stand-in without dates stands in until told otherwise."""
    return acting is not None and in_force(starts, on, ends)


# State of a duty on a day: a stand-in counts as one of its own, because somebody else is called.
ACTING, HELD, COMING, OVER = "acting", "held", "coming", "over"
STATES = {HELD: "在任", ACTING: "代理中", COMING: "将任", OVER: "已止"}


def state_on(
    starts: date | None,
    ends: date | None,
    on: date,
    acting: str | None = None,
    acting_starts: date | None = None,
    acting_ends: date | None = None,
) -> str:
    """What a duty is on the day.

    >>> state_on(date(2026, 1, 1), None, date(2025, 12, 31)), state_on(None, date(2026, 1, 1), date(2026, 1, 1))
    ('coming', 'over')
    >>> state_on(None, None, date(2026, 1, 5), "P3", date(2026, 1, 1), date(2026, 1, 9))
    'acting'
    """
    if is_empty(starts, ends) or (ends is not None and ends <= on):
        return OVER
    if not in_force(starts, on, ends):
        return COMING
    return ACTING if acting_on(acting, acting_starts, on, acting_ends) else HELD


def fits(role: str, kind: str, sort: str | None = None) -> bool:
    """Whether somebody can be given the role for a subject; `sort`: a place's kind. Roles of other places fit anything.

    >>> fits("grid_leader", "grid"), fits("grid_leader", "street"), fits("river_chief", "place", "market")
    (True, False, False)
    """
    known = ROLES.get(role)
    if known is None:
        return True
    return kind in known.fits and (kind != "place" or not known.places or sort in known.places)


def is_exclusive(role: str) -> bool:
    return role in ROLES and ROLES[role].exclusive


def duty_code(role: str, kind: str, code: str, person: str, starts: date | None) -> str:
    """What a duty without a code of its own is known by: the same row imported or entered again is the same duty."""
    key = "|".join(map(str, (role, kind, code, person, starts)))
    return "d" + hashlib.blake2s(key.encode(), digest_size=8).hexdigest()


def last_day(ends: date | None) -> date | None:
    """The last day of a half-open period, as people write it."""
    return None if ends is None else ends - timedelta(days=1)


def period_words(starts: date | None, ends: date | None) -> str:
    """
    >>> period_words(date(2026, 1, 1), None), period_words(None, date(2026, 2, 1))
    ('2026-01-01 起，没有截止', '向来，到 2026-01-31')
    """
    if is_empty(starts, ends):
        return f"原定 {starts} 起，已取消"
    begin = f"{starts} 起" if starts else "向来"
    return f"{begin}，到 {last_day(ends)}" if ends else f"{begin}，没有截止"
