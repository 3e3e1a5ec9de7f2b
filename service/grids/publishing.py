"""A draft's grids as editions from a day on, and taken back before it. The duties are carried by the room above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from service.db.spatial import encode
from service.errors import Conflict, InvalidValue, NotAllowed
from service.geo.coverage import Fault
from service.grids.draft_models import Draft
from service.grids.draft_queries import (
    PUBLISHED,
    EditionRow,
    around_of,
    communities_by_code,
    editions_of,
    faults_of_draft,
    open_drafts,
    revision_of,
)
from service.grids.draft_rows import Base, State, difference
from service.grids.drafting import Drawer
from service.grids.models import Edition, Grid, TilingFault
from service.records.cells import as_multi

REASON, FAULTS, NEWER = "reason", "accept_faults", "over_newer"
_SHOWN = 8
_GRID_FIELDS = (
    "code",
    "name",
    "community_code",
    "kind",
    "parent_code",
    "households",
    "population",
    "notes",
)


@dataclass(frozen=True)
class Hindrance:
    """Why a draft can't be published on a day. needs: what has to be said with it (None: it can't at all)."""

    field: str
    message: str
    needs: str | None = None
    forbidden: bool = False


def hindrances(session: Session, draft: Draft, state: State, base: Base, on: date, by: Drawer) -> list[Hindrance]:
    """Everything that stands in the way of the day."""
    return [
        *_of_the_day(session, draft, on, by),
        *_of_the_draft(draft, state, base, by),
        *_of_the_base(session, draft, base, by),
        *_of_the_faults(session, draft, state, base),
    ]


def _of_the_day(session: Session, draft: Draft, on: date, by: Drawer) -> list[Hindrance]:
    out = []
    if on <= by.today:
        words = f"{on} 不晚于今天（{by.today}）。"
        if by.administers:
            out.append(Hindrance("reason", f"{words}写明为什么要从这一天起。", REASON))
        else:
            out.append(Hindrance("on", f"{words}生效日从明天起；更早的只有管理员能发布。", forbidden=True))
    on_day = session.execute(
        select(Edition.community_code).where(
            Edition.community_code.in_(list(draft.communities)), Edition.starts_on == on, Edition.state == "published"
        )
    )
    taken = sorted(row[0] for row in on_day)
    names = communities_by_code(session, taken, by.today)
    if taken:
        told = "、".join(names.get(home, home) for home in taken)
        out.append(Hindrance("on", f"{told}在 {on} 已经有一版开始生效，换一天，或先撤回那一版。"))
    ids = [key for key in draft.communities.values() if key is not None]
    begun = [day for day in session.scalars(select(Edition.starts_on).where(Edition.id.in_(ids))) if day is not None]
    if begun and on < max(begun):
        out.append(Hindrance("on", f"草稿是从 {max(begun)} 起的那一版画的，不能比它更早生效。"))
    return out


def _of_the_draft(draft: Draft, state: State, base: Base, by: Drawer) -> list[Hindrance]:
    if len(draft.communities) > 1 and not by.supervises:
        return [Hindrance("communities", "几个社区一起发布，要由主管或管理员来做。", forbidden=True)]
    if not any(grid.tiles for grid in state.grids.values()):
        return [Hindrance("grids", "草稿里没有网格，不能发布。")]
    old, new = difference(State(base.grids), state)
    if not old and not new:
        return [Hindrance("grids", "草稿和原来的版本一样，没有可发布的。")]
    return []


def newer_editions(session: Session, draft: Draft, base: Base) -> list[EditionRow]:
    """Editions that the draft's communities got since it was begun."""
    found = editions_of(session, list(draft.communities))
    return [row for home, rows in sorted(found.items()) for row in rows if row.mark not in base.editions.get(home, ())]


def later_editions(session: Session, draft: Draft, on: date) -> list[EditionRow]:
    """Editions that will follow one that begins on the day."""
    found = editions_of(session, list(draft.communities))
    return [
        row for _, rows in sorted(found.items()) for row in rows if row.starts_on is not None and row.starts_on > on
    ]


def _of_the_base(session: Session, draft: Draft, base: Base, by: Drawer) -> list[Hindrance]:
    newer = newer_editions(session, draft, base)
    now = {row.id for rows in editions_of(session, list(draft.communities)).values() for row in rows}
    lost = [home for home, key in sorted(draft.communities.items()) if key is not None and key not in now]
    names = communities_by_code(session, list(draft.communities), by.today)
    told = [f"{names.get(row.community_code, row.community_code)} {row.starts_on or '向来'} 起的一版" for row in newer]
    told += [f"{names.get(home, home)}原来的那一版已经撤回" for home in lost]
    if not told:
        return []
    words = f"草稿开始之后又有了新版本：{'；'.join(told[:_SHOWN])}。草稿里没有它们的改动。"
    if by.supervises:
        return [Hindrance("over_newer", f"{words}确定仍按草稿发布吗？", NEWER)]
    return [Hindrance("over_newer", f"{words}请主管来定。", forbidden=True)]


def changed_base(session: Session, draft: Draft, base: Base) -> list[str]:
    """Communities of which somebody changed a grid of the base edition since the draft was begun."""
    return [home for home, key in sorted(draft.communities.items()) if revision_of(session, key) > base.revisions[home]]


def _of_the_faults(session: Session, draft: Draft, state: State, base: Base) -> list[Hindrance]:
    left = faults_left(session, draft, state, base)
    if not left:
        return []
    metres = sum(fault.area_m2 for fault in left)
    words = f"导入时带来的界线问题还有 {len(left)} 处（{metres:.1f} 平方米）。"
    return [Hindrance("accept_faults", f"{words}先修补；不修补就要确认知道了。", FAULTS)]


def faults_left(session: Session, draft: Draft, state: State, base: Base) -> list[Fault]:
    around = {row.code: row.geom for row in around_of(session, draft.communities, state)} if base.faults else {}
    return faults_of_draft(state, base, around)


def refuse(found: Sequence[Hindrance], given: Mapping[str, Any]) -> None:
    """Raise for the first hindrance that what was given doesn't clear: InvalidValue, NotAllowed or Conflict."""
    for one in found:
        if one.needs is not None and given.get(one.needs):
            continue
        if one.forbidden:
            raise NotAllowed(one.message)
        if one.field in ("on", REASON):
            raise InvalidValue(one.field, one.message)
        # A person ticks a box for it; a program is told the word.
        raise Conflict(f"{one.message}确定就带上 {one.needs}: true。" if one.needs else one.message)


def write_editions(
    session: Session, draft: Draft, state: State, faults: Sequence[Fault], on: date, revision: int
) -> dict[str, int]:
    """The editions with their grids and what is left of faults; per community the edition's id."""
    out: dict[str, int] = {}
    owner = {"subdistrict": draft.subdistrict, "batch_id": draft.batch_id}
    for home in sorted(draft.communities):
        edition = Edition(community_code=home, starts_on=on, state="published", revision=revision, **owner)
        session.add(edition)
        session.flush()
        out[home] = edition.id
        for grid in state.grids.values():
            if grid.community_code == home:
                values = {name: getattr(grid, name) for name in _GRID_FIELDS}
                geom = encode(as_multi(grid.geom, "polygon"))
                session.add(Grid(edition_id=edition.id, geom=geom, revision=revision, version=1, **owner, **values))
    for fault in faults:
        home = next((state.grids[c].community_code for c in fault.codes if c in state.grids), min(out))
        session.add(
            TilingFault(
                **owner,
                edition_id=out[home],
                community_code=home,
                kind=fault.kind,
                codes=",".join(fault.codes),
                area_m2=round(fault.area_m2, 3),
                geom=encode(as_multi(fault.geom, "polygon")),
                revision=revision,
            )
        )
    session.flush()
    return out


def refuse_taking_back(session: Session, draft: Draft, by: Drawer) -> None:
    """Raises Conflict or NotAllowed with the reason why a published draft's editions have to stay."""
    if draft.state != PUBLISHED or draft.outcome is None or draft.starts_on is None:
        raise Conflict(f"草稿“{draft.name}”没有发布，不用撤回。")
    if draft.starts_on <= by.today:
        raise Conflict(f"{draft.starts_on} 起的这一版已经生效，不能撤回。要改就再画一版。")
    if len(draft.communities) > 1 and not by.supervises:
        raise NotAllowed("几个社区一起发布的，要由主管或管理员来撤回。")
    ids = set(draft.outcome["editions"].values())
    for other in open_drafts(session, draft.communities):
        raise Conflict(f"这个社区又有一份草稿“{other.name}”（编号 {other.id}）。先发布或放弃它。")
    for other in session.scalars(select(Draft).where(Draft.state == PUBLISHED, Draft.id != draft.id)):
        if ids & set(other.communities.values()):
            raise Conflict(f"“{other.name}”（{other.starts_on} 起）是从这一版画的，先撤回它。")
    touched = session.scalars(
        select(Grid.code).where(
            Grid.edition_id.in_(ids), (Grid.version > 1) | Grid.batch_id.is_distinct_from(draft.batch_id)
        )
    ).all()
    if touched:
        shown = "、".join(sorted(touched)[:_SHOWN])
        raise Conflict(f"这一版的网格后来又改过：{shown}。撤回会丢掉这些修改，请主管先处理。")


def remove_editions(session: Session, draft: Draft) -> None:
    """The editions that publishing made go again."""
    ids = list((draft.outcome or {})["editions"].values())
    for model in (TilingFault, Grid):
        session.execute(delete(model).where(model.edition_id.in_(ids)))
    session.execute(delete(Edition).where(Edition.id.in_(ids)))


def next_monday(today: date) -> date:
    """The Monday after the day: when an office likes an edition to begin.

    >>> next_monday(date(2026, 11, 23)), next_monday(date(2026, 11, 29))
    (datetime.date(2026, 11, 30), datetime.date(2026, 11, 30))
    """
    return today + timedelta(days=7 - today.weekday())
