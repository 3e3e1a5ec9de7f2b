"""What every page of a register needs to know: the register, the asker, the day, and where its rows stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from service.clock import local_date
from service.people.access import Area, reach
from service.people.rules import Viewer
from service.records.register import BY_PLACE, BY_UNIT, Register
from service.registers.kinds import register_of
from service.registers.location import Located
from service.registers.rows import Row
from service.registers.rules import holds_all
from service.responsibility.snapshot import Snapshot
from service.web.context import account, area, now, services, viewer
from service.web.register_view import here
from service.web.registers.cells import Words
from service.web.registers.looks import LOOKS, Look


@dataclass(frozen=True)
class Asking:
    """One request's view of one register. `area`: how far the asker reads; `writable`: how far they write."""

    register: Register
    look: Look
    viewer: Viewer
    now: datetime
    on: date
    area: Area
    writable: Area | None
    snapshot: Snapshot
    located: Located

    @property
    def today(self) -> date:
        return local_date(self.now)

    @property
    def words(self) -> Words:
        return Words(self.register, self.look, self.viewer, self.now, self.on)

    @property
    def may_write(self) -> bool:
        """Whether forms of this register are for the asker at all."""
        return self.writable is not None and not self.register.read_only  # own_writing: by its own steps

    @property
    def may_change_any(self) -> bool:
        """Whether there can be a row that the asker may change: no organisation lies in a manager's communities."""
        area = self.writable
        return self.may_write and area is not None and (area.everywhere or self.register.area != BY_UNIT)

    @property
    def may_create(self) -> bool:
        """Whether new rows are the asker's to make, and the end of one to set: a manager has only what stands somewhere
        in the own communities; a community, a person or an organisation is the supervisors'."""
        area = self.writable
        return self.may_write and area is not None and (area.everywhere or self.register.area == BY_PLACE)

    def may_change(self, row: Row) -> bool:
        """Whether the asker's area holds the whole row; the action judges again."""
        area = self.writable
        if not self.may_change_any or area is None:
            return False
        return holds_all(area, self.located.spots.get(row.code, ()))


def asking(session: Session, name: str, on: date | None = None) -> Asking:
    """As on a day, today unless told; what isn't today's is only read. Raises NotFound for an unknown register."""
    register = register_of(name)
    today = local_date(now())
    on = on or today
    writes = on == today and _reaches(register.write_right)
    return Asking(
        register,
        LOOKS[name],
        viewer(),
        now(),
        on,
        area(register.read_right),
        area(register.write_right) if writes else None,
        services().responsibility.on(on),
        here(session, register, on),
    )


def _reaches(right: str) -> bool:
    who = account()
    return reach(who.role if who else None, right) is not None
