"""Drafts as values: what is drawn and planned, what it began from, its steps, what lies around it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import shapely
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from service.db.spatial import raw_geometry, read_geometries, within_bbox
from service.errors import NotFound
from service.geo.coverage import Fault
from service.geo.tiling import faults_within
from service.geo.values import BBox
from service.grids.draft_models import Draft, DraftGrid, DraftStep, PlannedDuty
from service.grids.draft_rows import EDITION, FAULT, Base, Drawn, Plan, State, fault_of_row, tiling_of
from service.grids.models import Community, Edition, Grid
from service.grids.rules import TILING_KINDS, edition_in_force
from service.people.access import Area
from service.records.batches import visible
from service.records.models import AuditEntry

OPEN, PUBLISHED, DROPPED = "open", "published", "dropped"
SUBJECT = "drafts"
_AROUND = 0.08  # of the draft's width and height on each side
_DRAWN = [getattr(DraftGrid, name) for name in Drawn.__dataclass_fields__ if name != "geom"]
_TAKEN = ("code", "name", "community_code", "kind", "parent_code", "households", "population", "notes")


@dataclass(frozen=True)
class StepRow:
    """A step without its rows."""

    number: int
    kind: str
    words: str
    actor: str
    at: datetime
    undone: bool


@dataclass(frozen=True)
class Since:
    """Something done to a draft after a version that somebody still holds: the version it made, and what it moved."""

    version: int
    words: str
    actor: str
    at: datetime
    codes: tuple[str, ...]


def may_read(draft: Draft, area: Area) -> bool:
    return any(area.holds_community(code) for code in draft.communities)


def may_edit(draft: Draft, area: Area) -> bool:
    return all(area.holds_community(code) for code in draft.communities)


def draft_of(session: Session, draft_id: int, area: Area, lock: bool = False) -> Draft:
    """A draft within the area. `lock`: nobody else writes it until the commit. Raises NotFound."""
    statement = select(Draft).where(Draft.id == draft_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    draft = session.scalars(statement).first()
    if draft is None or not may_read(draft, area):
        raise NotFound(f"没有编号为 {draft_id} 的草稿。")
    return draft


def drafts(session: Session, area: Area, state: str | None = None) -> list[Draft]:
    """Drafts within the area, the last changed first."""
    statement = select(Draft).order_by(Draft.changed_at.desc(), Draft.id.desc())
    if state:
        statement = statement.where(Draft.state == state)
    return [draft for draft in session.scalars(statement) if may_read(draft, area)]


def open_drafts(session: Session, communities: Collection[str]) -> list[Draft]:
    """The open drafts of any of the communities."""
    found = session.scalars(select(Draft).where(Draft.state == OPEN).order_by(Draft.id))
    return [draft for draft in found if set(draft.communities) & set(communities)]


def drafts_of_editions(session: Session) -> dict[int, int]:
    """Edition to the draft that it was published from, by id."""
    rows = session.execute(select(Draft.id, Draft.outcome).where(Draft.state == PUBLISHED))
    return {key: draft for draft, outcome in rows for key in (outcome or {}).get("editions", {}).values()}


def state_of(session: Session, draft_id: int) -> State:
    """What is drawn and planned now."""
    rows = session.execute(
        select(*_DRAWN, raw_geometry(DraftGrid.geom)).where(DraftGrid.draft_id == draft_id).order_by(DraftGrid.code)
    ).all()
    geoms = read_geometries([row[-1] for row in rows])
    names = [column.key for column in _DRAWN]
    grids = {}
    for row, geom in zip(rows, geoms, strict=True):
        values: dict[str, Any] = dict(zip(names, row[:-1], strict=True))
        grids[row[0]] = Drawn(**values, geom=geom)
    plans = session.scalars(select(PlannedDuty).where(PlannedDuty.draft_id == draft_id).order_by(PlannedDuty.id))
    return State(grids, tuple(Plan(one.grid_code, one.role, one.person_code, one.ends_on, one.id) for one in plans))


def base_of(session: Session, draft_id: int) -> Base:
    """What the draft began from, as its step 0 keeps it."""
    begun = session.scalars(select(DraftStep).where(DraftStep.draft_id == draft_id, DraftStep.number == 0)).one()
    grids = [Drawn.of_row(row) for row in begun.after]
    editions = {row["community"]: row for row in begun.before if row["row"] == EDITION}
    return Base(
        {grid.code: grid for grid in grids},
        tuple(fault_of_row(row) for row in begun.before if row["row"] == FAULT),
        {home: frozenset(row["known"]) for home, row in editions.items()},
        {home: row["revision"] for home, row in editions.items()},
    )


def steps_of(session: Session, draft_id: int) -> list[StepRow]:
    """All steps in order but the beginning."""
    columns = [getattr(DraftStep, name) for name in StepRow.__dataclass_fields__]
    statement = select(*columns).where(DraftStep.draft_id == draft_id, DraftStep.number > 0).order_by(DraftStep.number)
    return [StepRow(*row) for row in session.execute(statement)]


def since(session: Session, draft_id: int, version: int) -> list[Since]:
    """What was done to a draft after a version: the trail tells it, undoing too."""
    rows = session.execute(
        select(AuditEntry.after, AuditEntry.note, AuditEntry.actor, AuditEntry.at)
        .where(AuditEntry.subject_kind == SUBJECT, AuditEntry.subject_code == str(draft_id))
        .order_by(AuditEntry.id)
    )
    return [
        Since(after["version"], note or "", actor, at, tuple(after.get("grids", ())))
        for after, note, actor, at in rows
        if after and after.get("version", 0) > version
    ]


def faults_of_draft(state: State, base: Base, around: Mapping[str, Any]) -> list[Fault]:
    """What is left of the faults that an import brought. A draft makes no new ones."""
    return faults_within(tiling_of(state, base, around), base.faults) if base.faults else []


# The editions -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class EditionRow:
    """One version of a community's boundaries."""

    id: int
    community_code: str
    starts_on: date | None

    @property
    def mark(self) -> str:
        """Tells it from every other one, also from a later one with the same id."""
        return f"{self.id} {self.starts_on}"


def editions_of(session: Session, communities: Collection[str] | None = None) -> dict[str, list[EditionRow]]:
    """The published editions of each community, the earliest first. None: of all."""
    statement = select(Edition.id, Edition.community_code, Edition.starts_on).where(
        Edition.state == "published", visible(Edition)
    )
    if communities is not None:
        statement = statement.where(Edition.community_code.in_(list(communities)))
    out: dict[str, list[EditionRow]] = {}
    for row in session.execute(statement):
        out.setdefault(row[1], []).append(EditionRow(*row))
    for rows in out.values():
        rows.sort(key=lambda row: (row.starts_on or date.min, row.id))
    return out


def base_edition(rows: Iterable[EditionRow], on: date | None) -> EditionRow | None:
    """The edition in force on the day; without a day the latest, one to come included."""
    known = {row.id: row for row in rows}
    chosen = edition_in_force([(row.id, row.starts_on) for row in known.values()], on or date.max)
    return known[chosen] if chosen is not None else None


def grids_of(session: Session, edition_id: int) -> list[Drawn]:
    """An edition's grids as a draft takes them over."""
    columns = [getattr(Grid, name) for name in _TAKEN]
    rows = session.execute(
        select(*columns, raw_geometry(Grid.geom))
        .where(Grid.edition_id == edition_id, visible(Grid), Grid.ended_on.is_(None))
        .order_by(Grid.code)
    ).all()
    out = []
    for row, geom in zip(rows, read_geometries([row[-1] for row in rows]), strict=True):
        values: dict[str, Any] = dict(zip(_TAKEN, row[:-1], strict=True))
        out.append(Drawn(**values, origin=row[0], cut_from=None, geom=geom))
    return out


def revision_of(session: Session, edition_id: int | None) -> int:
    """The newest revision among an edition's grids: it moves when somebody changes one of them."""
    if edition_id is None:
        return 0
    return session.scalar(select(func.max(Grid.revision)).where(Grid.edition_id == edition_id)) or 0


@dataclass(frozen=True)
class AroundRow:
    """A grid of a community beside the draft, as it will be with all that is published."""

    code: str
    name: str
    community_code: str
    geom: Any


def around_of(session: Session, communities: Collection[str], state: State) -> list[AroundRow]:
    """The tiling grids of the other communities near what is drawn, of each one's latest edition."""
    shapes = np.array([grid.geom for grid in state.grids.values()], dtype=object)
    latest = [rows[-1].id for home, rows in editions_of(session).items() if rows and home not in communities]
    if not latest:
        return []
    statement = select(Grid.code, Grid.name, Grid.community_code, raw_geometry(Grid.geom)).where(
        Grid.edition_id.in_(latest), Grid.kind.in_(TILING_KINDS), visible(Grid), Grid.ended_on.is_(None)
    )
    if len(shapes):
        west, south, east, north = shapely.total_bounds(shapes).tolist()
        statement = statement.where(within_bbox(Grid.geom, BBox(west, south, east, north).widened(_AROUND)))
    rows = session.execute(statement.order_by(Grid.code)).all()
    geoms = read_geometries([row[3] for row in rows])
    return [AroundRow(row[0], row[1], row[2], geom) for row, geom in zip(rows, geoms, strict=True)]


def codes_of_editions(session: Session, community: str) -> set[str]:
    """Every code that an edition of the community ever had."""
    return set(session.scalars(select(Grid.code).where(Grid.community_code == community)))


def codes_used(session: Session, community: str) -> set[str]:
    """Every code that an edition or a draft of the community ever had."""
    drawn = select(DraftGrid.code).where(DraftGrid.community_code == community)
    return codes_of_editions(session, community) | set(session.scalars(drawn))


def codes_taken(session: Session, codes: Collection[str], draft: Draft) -> set[str]:
    """Which of the codes are a grid's elsewhere: in an edition of another community, or in another open draft."""
    grids = select(Grid.code).where(Grid.code.in_(list(codes)), Grid.community_code.not_in(list(draft.communities)))
    drawn = (
        select(DraftGrid.code)
        .join(Draft, Draft.id == DraftGrid.draft_id)
        .where(DraftGrid.code.in_(list(codes)), Draft.id != draft.id, Draft.state == OPEN)
    )
    return {*session.scalars(grids), *session.scalars(drawn)}


def communities_by_code(session: Session, codes: Collection[str], on: date) -> dict[str, str]:
    """Names of the communities that hold on the day."""
    statement = select(Community.code, Community.name).where(
        Community.code.in_(list(codes)), visible(Community), or_(Community.ended_on.is_(None), Community.ended_on > on)
    )
    return {row[0]: row[1] for row in session.execute(statement)}
