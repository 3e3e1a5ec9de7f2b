"""Drafts as their interface tells them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from sqlalchemy.orm import Session

from service.db.types import iso_ms
from service.geo.coverage import Fault, label_points
from service.geo.crs import square_metres
from service.grids.draft_models import Draft
from service.grids.draft_queries import (
    OPEN,
    AroundRow,
    Since,
    StepRow,
    around_of,
    base_of,
    communities_by_code,
    faults_of_draft,
    may_edit,
    state_of,
    steps_of,
)
from service.grids.draft_rows import Base, Drawn, State, same
from service.grids.drafting import Drawer
from service.grids.editions import EditionRow
from service.grids.models import Edition
from service.records import jobs
from service.responsibility.preview import change_kinds, outlines_moved

_DIGITS = 10


@dataclass
class Shown:
    """A draft at one version with all that its answers are made of."""

    session: Session
    draft: Draft
    state: State
    base: Base
    by: Drawer

    @classmethod
    def of(cls, session: Session, draft: Draft, by: Drawer, state: State | None = None) -> Shown:
        return cls(session, draft, state or state_of(session, draft.id), base_of(session, draft.id), by)

    @cached_property
    def around(self) -> list[AroundRow]:
        return around_of(self.session, self.draft.communities, self.state)

    @cached_property
    def around_geoms(self) -> dict[str, Any]:
        return {row.code: row.geom for row in self.around}

    @cached_property
    def homes(self) -> dict[str, str]:
        """Names of the draft's communities; the code where one has ended since."""
        names = communities_by_code(self.session, list(self.draft.communities), self.by.today)
        return {code: names.get(code, code) for code in self.draft.communities}

    @cached_property
    def steps(self) -> list[StepRow]:
        return steps_of(self.session, self.draft.id)

    @property
    def can(self) -> dict[str, bool]:
        edit = self.draft.state == OPEN and may_edit(self.draft, self.by.area)
        return {
            "undo": edit and any(not step.undone for step in self.steps),
            "redo": edit and any(step.undone for step in self.steps),
            "edit": edit,
            "publish": edit and (len(self.draft.communities) == 1 or self.by.supervises),
            "extent": edit and self.by.supervises,
        }

    @property
    def gone(self) -> list[str]:
        """Codes of the base's grids that are no more."""
        kept = {grid.origin for grid in self.state.grids.values()}
        return sorted(code for code in self.base.grids if code not in kept)

    def faults(self) -> list[dict[str, Any]]:
        found = faults_of_draft(self.state, self.base, self.around_geoms)
        return [{**fault_json(fault), "inherited": True} for fault in found]

    def status(self, grid: Drawn) -> str:
        """unchanged, changed or new, against the base as it was taken over."""
        before = self.base.grids.get(grid.origin or "")
        if before is None:
            return "new"
        return "changed" if change_kinds(before, grid) else "unchanged"

    def outlines(self) -> list[str]:
        """Where the draft moves the outline of a community: what a supervisor drew too far is seen."""
        return [
            f"{self.homes.get(home, home)}的外边界变了：多出 {gained:.0f} 平方米，让出 {lost:.0f} 平方米。"
            for home, gained, lost in outlines_moved(self.state, self.base)
        ]

    def warnings(self) -> list[str]:
        """What may need a hand: a community's outline that moved, grids in several parts that were one before."""
        out = self.outlines()
        for code, grid in sorted(self.state.grids.items()):
            parts = int(shapely.get_num_geometries(grid.geom))
            before = self.base.grids.get(grid.origin or "")
            had = int(shapely.get_num_geometries(before.geom)) if before else 1
            if parts > max(had, 1):
                out.append(f"网格 {code} 是分开的 {parts} 块。")
        return out


def relocating_json(session: Session, draft_id: int) -> dict[str, Any] | None:
    """The job that finds the grids of past incidents again after the draft was published for a past day: its state
    (waiting, running, done, failed) and how far it is; None where nothing of the past changed."""
    job = jobs.last_of(session, jobs.RELOCATE, draft=draft_id)
    if job is None:
        return None
    told = {"job": job.id, "state": job.state, "done": job.done, "total": job.total, "url": f"/jobs/{job.id}"}
    return told | ({"changed": (job.result or {}).get("changed")} if job.state == jobs.DONE else {})


def geometry(geom: Any) -> Any:
    """GeoJSON with the digits that the tiling has."""
    rounded = shapely.transform(geom, lambda c: np.round(c, _DIGITS))
    return json.loads(shapely.to_geojson(rounded))


def fault_json(fault: Fault) -> dict[str, Any]:
    return {
        "kind": fault.kind,
        "codes": list(fault.codes),
        "area_m2": round(fault.area_m2, 2),
        "geometry": geometry(fault.geom),
    }


def step_json(step: StepRow) -> dict[str, Any]:
    return {
        "number": step.number,
        "kind": step.kind,
        "words": step.words,
        "actor": step.actor,
        "at": iso_ms(step.at),
        "undone": step.undone,
    }


def since_json(done: Since) -> dict[str, Any]:
    return {
        "version": done.version,
        "words": done.words,
        "actor": done.actor,
        "at": iso_ms(done.at),
        "grids": list(done.codes),
    }


def feature(grid: Drawn, status: str, people: Mapping[str, Any]) -> dict[str, Any]:
    """One grid. people: its leader and what is planned for it; label, r: where its name has room, and how many metres
    around."""
    lon, lat, radius = label_points(np.array([grid.geom], dtype=object))
    return {
        "type": "Feature",
        "id": grid.code,
        "geometry": geometry(grid.geom),
        "properties": {
            "code": grid.code,
            "name": grid.name,
            "kind": grid.kind,
            "community_code": grid.community_code,
            "parent_code": grid.parent_code,
            "households": grid.households,
            "population": grid.population,
            "estimated": grid.estimated,
            "notes": grid.notes,
            "origin": grid.origin,
            "cut_from": grid.cut_from.split(",") if grid.cut_from else [],
            "area_m2": round(float(square_metres(np.array([grid.geom], dtype=object))[0]), 1),
            "status": status,
            "label": [round(float(lon[0]), 6), round(float(lat[0]), 6)],
            "r": round(float(radius[0]), 1),
            **people,
        },
    }


def edition_json(row: EditionRow, homes: Mapping[str, str], draft: int | None) -> dict[str, Any]:
    """An edition in a list; `edition` null: since ever."""
    return {
        "id": row.id,
        "community": {"code": row.community_code, "name": homes.get(row.community_code, row.community_code)},
        "edition": row.starts_on.isoformat() if row.starts_on else None,
        "until": row.ends_on.isoformat() if row.ends_on else None,
        "state": row.state,
        "grids": row.grids,
        "area_m2": round(row.area_m2, 1),
        "faults": row.faults,
        "from_draft": draft,
    }


def around_json(rows: Iterable[AroundRow]) -> dict[str, Any]:
    features = [
        {
            "type": "Feature",
            "geometry": geometry(row.geom),
            "properties": {"code": row.code, "name": row.name, "community_code": row.community_code},
        }
        for row in rows
    ]
    return {"type": "FeatureCollection", "features": features}


def summary(draft: Draft, homes: Mapping[str, str], bases: Mapping[int, Edition], steps: int) -> dict[str, Any]:
    """A draft in a list."""
    return {
        "id": draft.id,
        "name": draft.name,
        "state": draft.state,
        "version": draft.version,
        "communities": communities_json(draft, homes, bases),
        "made_by": draft.made_by,
        "made_at": iso_ms(draft.made_at),
        "changed_by": draft.changed_by,
        "changed_at": iso_ms(draft.changed_at),
        "starts_on": draft.starts_on.isoformat() if draft.starts_on else None,
        "published_by": draft.published_by,
        "published_at": iso_ms(draft.published_at) if draft.published_at else None,
        "reason": draft.reason,
        "step_count": steps,
    }


def communities_json(draft: Draft, homes: Mapping[str, str], bases: Mapping[int, Edition]) -> list[dict[str, Any]]:
    """`base_edition`: the day from which the base holds; null since ever, or where there was none."""
    out = []
    for code, base in sorted(draft.communities.items()):
        edition = bases.get(base) if base is not None else None
        day = edition.starts_on if edition else None
        out.append(
            {
                "code": code,
                "name": homes.get(code, code),
                "base_edition": day.isoformat() if day else None,
                "has_base": base is not None,
            }
        )
    return out


def changed_codes(before: State, after: State) -> Sequence[str]:
    """Codes whose grid or whose planned duties differ."""
    codes = {code for code, grid in after.grids.items() if not same(before.grids.get(code), grid)}
    moved = set(before.plans) ^ set(after.plans)
    return sorted(codes | {plan.grid_code for plan in moved if plan.grid_code in after.grids})


def removed_codes(before: State, after: State) -> Collection[str]:
    return sorted(set(before.grids) - set(after.grids))
