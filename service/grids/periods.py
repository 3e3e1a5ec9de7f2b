"""The editions of a community as periods, each from its day to the next one's, and the grids of one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.db.spatial import raw_geometry, read_geometries
from service.errors import NotFound
from service.grids.editions import Listed, listed
from service.grids.models import Edition, Grid
from service.grids.queries import Zone, ZoneSet
from service.people.access import EVERYWHERE
from service.records.batches import visible

PAST, IN_FORCE, FUTURE = "past", "in_force", "future"


@dataclass(frozen=True)
class Period:
    """An edition, half-open: it holds from `starts_on` (None: since ever) to `ends_on` (None: until a later one is
    published)."""

    edition: Listed
    ends_on: date | None

    @property
    def starts_on(self) -> date | None:
        return self.edition.starts_on

    @property
    def state(self) -> str:
        return self.edition.state

    @property
    def last(self) -> date | None:
        """The last day on which it holds; None while no later one is published."""
        return self.ends_on - timedelta(days=1) if self.ends_on else None

    def shown_on(self, today: date) -> date:
        """The day on which to look at it: today while it holds, its first day when to come, its last when past."""
        if self.state == FUTURE:
            return self.starts_on or today
        return self.last or today if self.state == PAST else today


def periods(session: Session, today: date, community: str | None = None) -> dict[str, list[Period]]:
    """Per community its editions as of the day, the latest first."""
    out: dict[str, list[Period]] = {}
    later: Listed | None = None
    for row in reversed(listed(session, EVERYWHERE, today, community)):
        same = later is not None and later.community == row.community
        out.setdefault(row.community, []).append(Period(row, later.starts_on if same and later else None))
        later = row
    return {code: out[code] for code in sorted(out)}


def zones_of(session: Session, period: Period, on: date) -> ZoneSet:
    """Every grid of an edition by code, as seen on a day. Raises NotFound when it has none."""
    rows = session.execute(
        select(
            Grid.code,
            Grid.name,
            Grid.kind,
            Grid.community_code,
            Grid.parent_code,
            Grid.households,
            Grid.population,
            Grid.notes,
            Edition.starts_on,
            raw_geometry(Grid.geom),
        )
        .join(Edition, Edition.id == Grid.edition_id)
        .where(Grid.edition_id == period.edition.id, visible(Grid), Grid.ended_on.is_(None))
        .order_by(Grid.code)
    ).all()
    if not rows:
        raise NotFound("这一版没有网格。")
    zones = [Zone(*row[:9]) for row in rows]
    return ZoneSet(on, (period.edition.id,), zones, read_geometries([row[9] for row in rows]))
