"""Which rows of a register an area holds, and whether somebody may write one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from service.people.access import Area
from service.records.register import BY_COLUMNS, BY_COMMUNITY, BY_DUTY, BY_GRID, BY_PLACE, BY_SUBJECT, BY_UNIT

Spot = tuple[str | None, str | None]


def touches(area: Area, spots: Iterable[Spot]) -> bool:
    """Whether any of the (grid, community) pairs lies in the area.

    >>> touches(Area(communities=frozenset({"c1"})), [("g1", "c1"), ("g9", "c2")])
    True
    """
    return area.everywhere or any(area.holds_grid(grid, community) for grid, community in spots)


def holds_all(area: Area, spots: Iterable[Spot]) -> bool:
    """Whether all of them do, and there is one: what a manager may write.

    >>> holds_all(Area(communities=frozenset({"c1"})), [("g1", "c1"), ("g9", "c2")])
    False
    """
    found = list(spots)
    return area.everywhere or (bool(found) and all(area.holds_grid(grid, community) for grid, community in found))


def on_the_map(area: Area) -> bool:
    """Whether it holds a piece of ground. Organisations stand in no grid: whoever has some ground reads them all.

    >>> on_the_map(Area(communities=frozenset({"c1"}))), on_the_map(Area(organisation="U1")), on_the_map(Area())
    (True, False, False)
    """
    return bool(area.grids or area.communities)


def may_hold(found_by: str, area: Area) -> bool:
    """Whether the area can hold any row of a register at all. A unit's handler has the own organisation and its people,
    and no ground.

    >>> may_hold(BY_PLACE, Area(organisation="U1")), may_hold(BY_DUTY, Area(organisation="U1"))
    (False, True)
    """
    on_ground = found_by in (BY_PLACE, BY_GRID, BY_COMMUNITY, BY_COLUMNS)
    return not on_ground or area.organisation is None or on_the_map(area) or bool(area.subjects)


def reached(
    found_by: str, subject: str | None, spots: Mapping[str, tuple[Spot, ...]], area: Area
) -> frozenset[str] | None:
    """Keys of the rows that the area holds; None for all. A row that a duty of the account's person names is held too.

    `found_by`: how the register's rows are placed; `subject`: the kind by which duties name them.
    """
    if area.everywhere:
        return None
    own = {code for kind, code in area.subjects if kind == subject}
    if found_by == BY_UNIT:
        if area.organisation is None and on_the_map(area):
            return None
        return frozenset(own | {area.organisation} if area.organisation else own)
    if found_by == BY_DUTY and area.person:
        own.add(area.person)
    if found_by in (BY_PLACE, BY_GRID, BY_COMMUNITY, BY_DUTY, BY_SUBJECT):
        own |= {code for code, some in spots.items() if touches(area, some)}
    if found_by == BY_COMMUNITY:
        own |= area.homes
    return frozenset(own)


def holds(found_by: str, subject: str | None, spots: Mapping[str, tuple[Spot, ...]], area: Area, code: str) -> bool:
    """The same for one row."""
    if area.everywhere or (subject is not None and area.holds_subject(subject, code)):
        return True
    if found_by == BY_UNIT:
        return code == area.organisation if area.organisation else on_the_map(area)
    if found_by == BY_COMMUNITY and code in area.homes:
        return True
    return (found_by == BY_DUTY and code == area.person) or touches(area, spots.get(code, ()))


def in_grids(spots: Mapping[str, tuple[Spot, ...]], grids: Iterable[str]) -> frozenset[str]:
    """Keys of the rows that stand in one of the grids."""
    wanted = set(grids)
    return frozenset(code for code, some in spots.items() if any(grid in wanted for grid, _ in some))


def in_communities(spots: Mapping[str, tuple[Spot, ...]], communities: Iterable[str]) -> frozenset[str]:
    """Keys of the rows that stand in one of the communities."""
    wanted = set(communities)
    return frozenset(code for code, some in spots.items() if any(home in wanted for _, home in some))


def with_grid(spots: Mapping[str, tuple[Spot, ...]]) -> frozenset[str]:
    """Keys of the rows that stand in any grid."""
    return frozenset(code for code, some in spots.items() if any(grid is not None for grid, _ in some))


def with_community(spots: Mapping[str, tuple[Spot, ...]]) -> frozenset[str]:
    """Keys of the rows that stand in any community."""
    return frozenset(code for code, some in spots.items() if any(home is not None for _, home in some))
