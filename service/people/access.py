"""What each role may do, and how far: everywhere, or within the account's own area. The one place that says so. Pure.

Permission = role × area. A right is a word; the pages' and the interfaces' routes name theirs in service/web/access.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field

ALL, AREA, OWN = "all", "area", "own"  # own: within the area, what oneself has made
PUBLIC = "public"

# right: {role: how far}; a role that isn't named may not. "public" is somebody who isn't signed in.
RIGHTS: dict[str, dict[str, str]] = {
    "open": {
        PUBLIC: ALL,
        "viewer": ALL,
        "unit": ALL,
        "officer": ALL,
        "manager": ALL,
        "supervisor": ALL,
        "admin": ALL,
    },
    # The map, the lookup, search: for the public as far as the public rule goes.
    "look": {
        PUBLIC: ALL,
        "viewer": ALL,
        "unit": ALL,
        "officer": ALL,
        "manager": ALL,
        "supervisor": ALL,
        "admin": ALL,
    },
    "own_account": {
        "viewer": ALL,
        "unit": ALL,
        "officer": ALL,
        "manager": ALL,
        "supervisor": ALL,
        "admin": ALL,
    },
    "registers.read": {
        "viewer": ALL,
        "unit": AREA,
        "officer": AREA,
        "manager": AREA,
        "supervisor": ALL,
        "admin": ALL,
    },
    "registers.write": {"manager": AREA, "supervisor": ALL, "admin": ALL},
    # Who answers for what: assigned, handed over, acted for, ended.
    "duties.assign": {"manager": AREA, "supervisor": ALL, "admin": ALL},
    # Where nobody answers, two do, or one has too much.
    "duties.audit": {"viewer": ALL, "manager": AREA, "supervisor": ALL, "admin": ALL},
    # Photos of frontages; those of other records are registers.write.
    "photos.add": {"officer": AREA, "manager": AREA, "supervisor": ALL, "admin": ALL},
    "photos.remove": {"officer": OWN, "manager": AREA, "supervisor": ALL, "admin": ALL},
    "registers.export": {"viewer": ALL, "manager": AREA, "supervisor": ALL, "admin": ALL},
    # Responsibility maps for the wall; names and phones on them as the role reads them everywhere.
    "duties.print": {
        "viewer": ALL,
        "officer": AREA,
        "manager": AREA,
        "supervisor": ALL,
        "admin": ALL,
    },
    "phones.reveal": {"unit": AREA, "officer": AREA, "manager": AREA, "supervisor": ALL, "admin": ALL},
    "incidents.read": {
        "viewer": ALL,
        "unit": AREA,
        "officer": AREA,
        "manager": AREA,
        "supervisor": ALL,
        "admin": ALL,
    },
    # Drafts of new editions: a manager those of the own communities.
    "grids.draw": {"manager": AREA, "supervisor": ALL, "admin": ALL},
    "files.import": {"supervisor": ALL, "admin": ALL},
    "trail.read": {"supervisor": ALL, "admin": ALL},
    "accounts": {"admin": ALL},
    "office": {"admin": ALL},
    # A backup holds the keys of the installation and everybody's sign-in.
    "backups": {"admin": ALL},
}
# What the demo's accounts never may, whatever their role: anybody at this machine enters them with one click.
NOT_FOR_DEMO = frozenset({"backups"})


@dataclass(frozen=True)
class Area:
    """Where an account's say reaches today. `everywhere`: the whole subdistrict; else the named grids (micro-grids
    count with their parent), communities, frontages that a duty names, and what is assigned to the organisation.
    `homes`: the communities in which the grids lie; their own records may be read, nothing else in them."""

    everywhere: bool = False
    communities: frozenset[str] = frozenset()
    grids: frozenset[str] = frozenset()
    organisation: str | None = None
    person: str | None = None
    subjects: frozenset[tuple[str, str]] = field(default=frozenset())
    homes: frozenset[str] = frozenset()

    def holds_grid(self, code: str | None, community: str | None = None) -> bool:
        """Whether a grid lies in the area; `community`: the grid's."""
        return self.everywhere or (code is not None and code in self.grids) or self.holds_community(community)

    def holds_community(self, code: str | None) -> bool:
        return self.everywhere or (code is not None and code in self.communities)

    def reads_community(self, code: str) -> bool:
        """Whether the record of a community may be read: an officer's grids lie in one."""
        return self.holds_community(code) or code in self.homes

    def holds_subject(self, kind: str, code: str) -> bool:
        """Whether a duty of the account's person names the subject itself."""
        return self.everywhere or (kind, code) in self.subjects


EVERYWHERE, NOWHERE = Area(everywhere=True), Area()


def reach(role: str | None, right: str, demo: bool = False) -> str | None:
    """How far a role has a right: "all", "area", "own" or None. `role` None: not signed in; `demo`: the account is one
    of the demo's. KeyError for an unknown right.

    >>> reach("manager", "registers.write"), reach("viewer", "registers.write"), reach(None, "look")
    ('area', None, 'all')
    >>> reach("admin", "backups"), reach("admin", "backups", demo=True)
    ('all', None)
    """
    return None if demo and right in NOT_FOR_DEMO else RIGHTS[right].get(role or PUBLIC)
