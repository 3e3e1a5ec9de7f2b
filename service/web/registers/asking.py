"""What every page of a register needs to know: the register, the asker, the day, and where its rows stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from service.clock import local_date
from service.people.access import Area, reach
from service.people.rules import Viewer
from service.records.register import Register
from service.registers.kinds import register_of
from service.registers.location import Located
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
    def words(self) -> Words:
        return Words(self.register, self.look, self.viewer, self.now, self.on)

    @property
    def may_write(self) -> bool:
        """Whether forms of this register are for the asker at all."""
        return self.writable is not None and not self.register.read_only


def asking(session: Session, name: str) -> Asking:
    """Raises NotFound for an unknown register."""
    register = register_of(name)
    on = local_date(now())
    return Asking(
        register,
        LOOKS[name],
        viewer(),
        now(),
        on,
        area(register.read_right),
        area("registers.write") if _reaches("registers.write") else None,
        services().responsibility.on(on),
        here(session, register, on),
    )


def _reaches(right: str) -> bool:
    who = account()
    return reach(who.role if who else None, right) is not None
