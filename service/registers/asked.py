"""What a list was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from service.people.access import EVERYWHERE, Area

MANY = 10_000  # rows that nobody reads to the end: the list then names what would narrow it


@dataclass(frozen=True)
class Asked:
    """What a list was asked for. `filters`: name to words, of one name any of them; all names together. `names`:
    whether the asker reads persons' names, else they are neither searched, filtered nor sorted by."""

    on: date
    now: datetime
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sort: str = ""
    limit: int = 50
    offset: int = 0
    area: Area = EVERYWHERE
    names: bool = True
