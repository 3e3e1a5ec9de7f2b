"""The ten kinds of `import`, each described by its own room."""

from __future__ import annotations

from service.duties.importing import DUTIES
from service.frontages.importing import FRONTAGES
from service.grids.importing import COMMUNITIES, GRIDS
from service.incidents.importing import INCIDENTS
from service.people.importing import ORGANISATIONS, PEOPLE
from service.places.importing import BUILDINGS, PLACES, STREETS
from service.records.importing import Kind

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (ORGANISATIONS, PEOPLE, COMMUNITIES, GRIDS, STREETS, BUILDINGS, PLACES, FRONTAGES, DUTIES, INCIDENTS)
}
