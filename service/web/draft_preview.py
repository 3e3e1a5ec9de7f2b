"""The preview of a draft: grids, duties and open incidents asked one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from service.duties.carrying import Carried
from service.duties.queries import DutyRow
from service.duties.rules import role_name
from service.grids.draft_queries import OPEN, PUBLISHED, EditionRow
from service.grids.publishing import Hindrance, changed_base, later_editions, newer_editions, next_monday
from service.incidents.columns import DONE, Columns
from service.incidents.queries import rows_by_id
from service.incidents.rules import STATES
from service.responsibility.preview import GridChange, grid_changes, leaders_at, without_leader
from service.responsibility.publishing import Order, carried, standing
from service.responsibility.snapshot import Snapshot
from service.web.draft_json import Shown
from service.web.draft_people import People

_MOST = 200


@dataclass
class Preview:
    """What a preview is made of. `snapshot`: of the edition's day as it would be without the draft; `columns`: the
    incidents."""

    shown: Shown
    people: People
    snapshot: Snapshot
    columns: Columns
    on: date

    def told(self) -> dict[str, Any]:
        """The whole preview."""
        shown, draft = self.shown, self.shown.draft
        what = carried(shown.session, shown.state, shown.base, self.on)
        order = Order(self.on)
        found = self._closed() or standing(shown.session, draft, shown.state, shown.base, order, shown.by)
        changes = grid_changes(shown.state, shown.base)
        return {
            "id": draft.id,
            "version": draft.version,
            "on": self.on.isoformat(),
            "proposed_on": next_monday(shown.by.today).isoformat(),
            "hindrances": [
                {"field": one.field, "message": one.message, "needs": one.needs, "forbidden": one.forbidden}
                for one in found
            ],
            "can_publish": shown.can["publish"] and all(one.needs for one in found),
            "grids": [self._grid(one, what) for one in changes],
            "counts": _counts(changes),
            "duties": self._duties(what),
            "without_leader": self._vacant(what),
            "incidents": self._incidents(what),
            "faults": shown.faults(),
            "newer": [_edition(row) for row in newer_editions(shown.session, draft, shown.base)],
            "later": [_edition(row) for row in later_editions(shown.session, draft, self.on)],
            "warnings": [*shown.warnings(), *self._warnings(changes)],
        }

    def _closed(self) -> list[Hindrance]:
        """A draft that is published or given up: nothing more can be done with it here."""
        draft = self.shown.draft
        if draft.state == PUBLISHED:
            return [Hindrance("state", f"这份草稿已经发布，从 {draft.starts_on} 起生效。")]
        return [Hindrance("state", "这份草稿已经放弃，不能发布。")] if draft.state != OPEN else []

    def _grid(self, change: GridChange, what: Carried) -> dict[str, Any]:
        before, after = change.before, change.after
        grid = after or before
        assert grid is not None
        leads = what.leader(after, self._ended) if after else None
        return {
            "code": grid.code,
            "name": grid.name,
            "kind": grid.kind,
            "community_code": grid.community_code,
            "changes": list(change.kinds),
            "code_before": before.code if before else None,
            "name_before": before.name if before else None,
            "cut_from": after.cut_from.split(",") if after and after.cut_from else [],
            "area_before_m2": _metres(change.area_before),
            "area_m2": _metres(change.area_after),
            "households_before": before.households if before else None,
            "households": after.households if after else None,
            "population_before": before.population if before else None,
            "population": after.population if after else None,
            "estimated": after.estimated if after else False,
            "leader_before": self._leader_before(change),
            "leader": self.people.person(leads, True) if leads else None,
        }

    @property
    def _ended(self) -> frozenset[str]:
        known = self.people.roster.people
        return frozenset(code for code, one in known.items() if one.ended_on is not None and one.ended_on <= self.on)

    def _leader_before(self, change: GridChange) -> dict[str, Any] | None:
        if change.before is None:
            return None
        held = self.snapshot.leader_of(change.before.code, change.before.name, change.before.kind)
        return self.people.person(held.person.code, True) if held else None

    def _duties(self, what: Carried) -> dict[str, Any]:
        return {
            "stay": len(what.stays),
            "moved": [{**self._duty(old), "to": new.subject_code} for old, new in what.moves[:_MOST]],
            "moved_count": len(what.moves),
            "ended": [self._duty(duty) for duty in what.ends[:_MOST]],
            "ended_count": len(what.ends),
            "planned": [self._duty(duty) for duty in what.planned[:_MOST]],
            "planned_count": len(what.planned),
        }

    def _duty(self, duty: DutyRow) -> dict[str, Any]:
        return {
            "code": duty.code,
            "grid": duty.subject_code,
            "role": duty.role,
            "role_name": role_name(duty.role),
            "person": self.people.person(duty.person_code),
            "from": duty.starts_on.isoformat() if duty.starts_on else None,
            "until": duty.ends_on.isoformat() if duty.ends_on else None,
        }

    def _vacant(self, what: Carried) -> list[dict[str, str]]:
        found = without_leader(self.shown.state, what, self.people.roster.people)
        return [{"code": grid.code, "name": grid.name} for grid in found]

    def _incidents(self, what: Carried) -> dict[str, Any]:
        """Open incidents for which somebody else would answer, the most urgent first."""
        rows = self.columns.rows
        here = np.flatnonzero((rows.group < DONE) & ~np.isnan(rows.lon))
        found = leaders_at(
            self.snapshot,
            self.shown.state,
            self.shown.draft.communities,
            what,
            self.people.roster.people,
            rows.lon[here],
            rows.lat[here],
        )
        moved = np.flatnonzero(found.changed)
        moved = moved[np.argsort(rows.due[here[moved]], kind="stable")]
        shown = moved[:_MOST].tolist()
        known = {one.id: one for one in rows_by_id(self.shown.session, [int(rows.ids[here[i]]) for i in shown])}
        items = []
        for i in shown:
            one = known.get(int(rows.ids[here[i]]))
            if one is not None:
                before, after = found.before[i], found.after[i]
                items.append(
                    {
                        "number": one.number,
                        "title": one.title,
                        "state": one.state,
                        "state_name": STATES.get(one.state, one.state),
                        "at": [round(float(rows.lon[here[i]]), 6), round(float(rows.lat[here[i]]), 6)],
                        "grid_before": found.grid_before[i],
                        "grid": found.grid_after[i],
                        "leader_before": self.people.person(before, True) if before else None,
                        "leader": self.people.person(after, True) if after else None,
                    }
                )
        return {"count": len(moved), "items": items}

    def _warnings(self, changes: Iterable[GridChange]) -> list[str]:
        out = []
        estimated = sum(1 for one in changes if one.after is not None and one.after.estimated)
        if estimated:
            out.append(f"{estimated} 个网格的户数、人口是按面积估的，填上实数再发布更好。")
        homes = changed_base(self.shown.session, self.shown.draft, self.shown.base)
        if homes:
            names = "、".join(self.shown.homes[home] for home in homes)
            out.append(f"{names} 原来那一版的网格在草稿开始之后又改过，发布后以草稿里的为准。")
        return out


def _counts(changes: Iterable[GridChange]) -> dict[str, int]:
    names = ("new", "gone", "changed", "renamed", "recoded", "kind", "attributes")
    listed = list(changes)
    out = {name: sum(1 for one in listed if name in one.kinds) for name in names}
    return out | {"unchanged": sum(1 for one in listed if not one.kinds)}


def _metres(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _edition(row: EditionRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "community_code": row.community_code,
        "edition": row.starts_on.isoformat() if row.starts_on else None,
    }
