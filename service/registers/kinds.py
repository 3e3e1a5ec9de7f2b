"""The registers by name, each described by its own room."""

from __future__ import annotations

from service.duties.register import DUTIES
from service.errors import NotFound
from service.frontages.register import FRONTAGES
from service.grids.register import COMMUNITIES, GRIDS
from service.incidents.register import INCIDENTS
from service.people.register import ORGANISATIONS, PEOPLE
from service.places.register import BUILDINGS, PLACES, STREETS
from service.records.register import Register

REGISTERS: dict[str, Register] = {
    one.name: one
    for one in (FRONTAGES, PLACES, GRIDS, COMMUNITIES, PEOPLE, ORGANISATIONS, STREETS, BUILDINGS, INCIDENTS, DUTIES)
}


def register_of(name: str) -> Register:
    """Raises NotFound."""
    found = REGISTERS.get(name)
    if found is None:
        raise NotFound(f"没有“{name[:40]}”这个登记册。")
    return found
