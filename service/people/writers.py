"""Who writes: what every action that changes a register is told of its caller."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from service.clock import local_date
from service.people.access import Area
from service.records.audit import Actor


@dataclass(frozen=True)
class By:
    """Who writes, how far their say reaches, and when."""

    actor: Actor
    area: Area
    now: datetime
    subdistrict: str

    @property
    def today(self) -> date:
        return local_date(self.now)
