"""The list of incidents with up to a million of them: a page with its total and counts, against the same in SQL."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from service.app import wire
from service.bench.figures import Context, Figure, figure, in_turn
from service.bench.town import filled_town
from service.clock import local_date, utcnow
from service.config import load_settings
from service.incidents.models import Incident
from service.incidents.rules import OPEN_STATES
from service.people.access import EVERYWHERE, Area
from service.registers import queries
from service.registers.asked import Asked
from service.registers.kinds import REGISTERS
from service.registers.location import Located, locate

_MILLION = 1_000_000
_WEST = "500237002001"
_REGISTER = REGISTERS["incidents"]


def measure(context: Context) -> list[Figure]:
    """Every usual filter on the million; the other registers of the demo as they are."""
    with tempfile.TemporaryDirectory() as folder:
        filled_town(Path(folder), context.count(_MILLION), context)
        given = wire(load_settings(data_dir=Path(folder), database_url=""))
        now = utcnow()
        snapshot, columns = given.responsibility.on(local_date(now)), given.incidents.current()
        with given.database.read() as session:
            located = locate(session, _REGISTER, snapshot, columns)
            out = _incidents(session, located, now)
            for name, register in REGISTERS.items():
                if register is not _REGISTER:
                    here, asked = locate(session, register, snapshot), Asked(local_date(now), now)
                    taken = in_turn([_page(session, name, asked, here)])[0]
                    out.append(figure(f"{register.label}：一页", taken * 1000, "ms", most=300))
        given.database.close()
    return out


def _incidents(session: Session, located: Located, now: datetime) -> list[Figure]:
    category = session.scalar(select(Incident.category).where(Incident.category.is_not(None)).limit(1)) or ""
    opened = Incident.state.in_(OPEN_STATES)
    home = Incident.community_code == _WEST
    since = datetime.fromisoformat(f"{now.year}-01-01T00:00:00+08:00")
    west = Area(communities=frozenset({_WEST}))
    asked: list[tuple[str, dict[str, tuple[str, ...]], Area, list[ColumnElement[bool]]]] = [
        ("全部", {}, EVERYWHERE, []),
        ("未结案", {"group": ("open",)}, EVERYWHERE, [opened]),
        ("一个类别", {"category": (category,)}, EVERYWHERE, [Incident.category == category]),
        ("一个社区，未结案", {"community": (_WEST,), "group": ("open",)}, EVERYWHERE, [home, opened]),
        ("今年", {"reported_at": (f"{now.year}-01-01..",)}, EVERYWHERE, [Incident.reported_at >= since]),
        ("社区管理员的", {}, west, [home]),
    ]
    out = []
    for name, filters, area, where in asked:
        question = Asked(located.on, now, filters, area=area)
        ours, peer = in_turn([_page(session, "incidents", question, located), _sql(session, where)], rounds=3)
        label = f"事项：{name}，一页带总数和各状态数"
        out.append(figure(label, ours * 1000, "ms", peer="SQL", peer_value=peer * 1000, most=300))
    return out


def _page(session: Session, name: str, asked: Asked, located: Located) -> Callable[[], object]:
    return lambda: queries.page(session, REGISTERS[name], asked, located)


def _sql(session: Session, where: list[ColumnElement[bool]]) -> Callable[[], object]:
    """What a list does without the columns in memory."""
    counts = select(Incident.state, func.count()).where(*where).group_by(Incident.state)
    newest: Any = select(Incident.id).where(*where).order_by(Incident.reported_at.desc()).limit(50)
    return lambda: (session.execute(counts).all(), session.scalars(newest).all())
