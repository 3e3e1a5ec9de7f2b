"""Roles of duties: the field's names, which are exclusive, and in which order they answer. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from service.clock import in_force


@dataclass(frozen=True)
class Role:
    """`rank` orders the people of one subject; exclusive: one holder per subject on any date."""

    code: str
    name: str
    rank: int
    exclusive: bool = False


ROLES = {
    role.code: role
    for role in (
        Role("shop_keeper", "店长", 0, True),
        Role("grid_leader", "网格长", 1, True),
        Role("micro_leader", "微网格长", 1, True),
        Role("grid_officer", "专职网格员", 2),
        Role("part_time_officer", "兼职网格员", 3),
        Role("grid_guide", "网格指导员", 4),
        Role("building_chief", "楼长", 2, True),
        Role("place_keeper", "场所负责人", 2, True),
        Role("lane_chief", "巷长", 3, True),
        Role("road_chief", "路长", 4, True),
        Role("street_chief", "街长", 5, True),
        Role("river_chief", "河长", 5, True),
        Role("lake_chief", "湖（库）长", 5, True),
        Role("forest_chief", "林长", 5, True),
        Role("community_head", "社区书记", 6, True),
        Role("area_leader", "包片领导", 7),
        Role("first_responsible", "一把手", 8, True),
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
