"""Counters that move with a change, so that every worker's next answer is fresh."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.records.models import Counter

RESPONSIBILITY = "responsibility"
INCIDENTS = "incidents"
GROUND = "ground"
OFFICE = "office"
_RELOCATION = "relocation"
_RELOCATED = "relocated"  # rows changed so far, so that the figure is right after a break in between
NAMES = (RESPONSIBILITY, INCIDENTS, GROUND, OFFICE)
ACCOUNTS = "accounts"  # who may what; open pages have no use for it, so it isn't among the told ones
NUMBERS, NUMBERS_OF = "numbers", "numbers_of"  # the last serial of an incident, and its day as yymmdd
TRAIL = "trail"  # the number of the trail's last line, so that a cut-off end is found (audit_verify.py)


def move(session: Session, name: str) -> int:
    """Move a counter and return its new value; also the `revision` of the rows written with it."""
    done = session.execute(update(Counter).where(Counter.name == name).values(value=Counter.value + 1))
    if not done.rowcount:  # type: ignore[attr-defined]
        session.add(Counter(name=name, value=1))
        session.flush()
    return session.scalar(select(Counter.value).where(Counter.name == name)) or 1


def reach(session: Session, name: str, value: int) -> None:
    """Set a counter that counts something to what it has come to."""
    done = session.execute(update(Counter).where(Counter.name == name).values(value=value))
    if not done.rowcount:  # type: ignore[attr-defined]
        session.add(Counter(name=name, value=value))
        session.flush()


def read(session: Session, name: str) -> int:
    """One counter; 0 when it never moved."""
    return session.scalar(select(Counter.value).where(Counter.name == name)) or 0


def read_all(session: Session) -> dict[str, int]:
    """All counters; one that never moved is 0."""
    rows = {name: int(value) for name, value in session.execute(select(Counter.name, Counter.value))}
    return {name: rows.get(name, 0) for name in NAMES}


def ask_relocation(session: Session) -> None:
    """Grids changed: what lies in them has to be located again (intake/relocating.py)."""
    move(session, _RELOCATION)


def relocation_due(session: Session) -> int:
    """0 when nothing is due; else the number to give back to `relocated`."""
    return session.scalar(select(Counter.value).where(Counter.name == _RELOCATION)) or 0


def relocated_more(session: Session, rows: int) -> None:
    """So many more were given another grid."""
    reach(session, _RELOCATED, relocated_so_far(session) + rows)


def relocated_so_far(session: Session) -> int:
    """How many were given another grid since the last time that it was done."""
    return read(session, _RELOCATED)


def relocated(session: Session, due: int) -> int:
    """Done, unless the grids changed once more meanwhile; how many rows were changed since the last time."""
    session.execute(update(Counter).where(Counter.name == _RELOCATION, Counter.value == due).values(value=0))
    changed = relocated_so_far(session)
    reach(session, _RELOCATED, 0)
    return changed
