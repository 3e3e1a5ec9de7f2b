"""Two editions of a community beside each other: what stands left and right, and what changes between them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import shapely
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.errors import InvalidValue, NotFound
from service.grids.comparing import Change, Compared, compare
from service.grids.draft_queries import draft_of
from service.grids.drafting import Drawer
from service.grids.editions import FUTURE, IN_FORCE, EditionRow, edition_zones
from service.grids.queries import Zone, ZoneSet
from service.grids.rules import KINDS, short_code
from service.responsibility.snapshot import Tiling
from service.web.context import actor, area, now, services, viewer
from service.web.draft_json import Shown
from service.web.draft_people import People
from service.web.grid_layer import shapes_of
from service.web.words import spoken_day

FIRST, DRAFT = "first", "draft-"


@dataclass(frozen=True)
class Side:
    """One of both: `key` names it in the address, `told` says whose leaders are shown."""

    key: str
    label: str
    told: str
    tiling: Tiling
    grids: list[Compared]


def key_of(row: EditionRow) -> str:
    """How an address names an edition: by its first day."""
    return row.starts_on.isoformat() if row.starts_on else FIRST


def label_of(row: EditionRow) -> str:
    """An edition by its period, and whether it holds."""
    state = {IN_FORCE: _("现行"), FUTURE: _("未到")}.get(row.state)
    return period_of(row) + (f"（{state}）" if state else "")


def period_of(row: EditionRow) -> str:
    """From which day to which an edition holds."""
    since = spoken_day(row.starts_on) if row.starts_on else _("最初")
    if row.ends_on is None:
        return _("%(day)s起", day=since)
    return _("%(first)s至 %(last)s", first=since, last=row.last)


def side_of(session: Session, rows: list[EditionRow], key: str, community: str, today: date) -> Side:
    """What a word of the address names: an edition by its first day, or a draft. Raises InvalidValue, NotFound."""
    if key.startswith(DRAFT) and key[len(DRAFT) :].isdecimal():
        return _draft_side(session, int(key[len(DRAFT) :]), community, today)
    row = next((one for one in rows if key_of(one) == key), None)
    if row is None:
        raise InvalidValue("community", _("没有“%(word)s”这一版。从名单里选一版。", word=key[:20]))
    return _edition_side(session, row, today)


def keys_asked(rows: list[EditionRow], left: str, right: str) -> tuple[str, str]:
    """The two sides' words; by default the latest edition and the one before."""
    if not rows:
        raise NotFound(_("这个社区还没有网格。"))
    keys = [key_of(row) for row in rows]
    after = right or keys[0]
    return left or keys[min(keys.index(after) + 1, len(keys) - 1) if after in keys else 0], after


def _edition_side(session: Session, row: EditionRow, today: date) -> Side:
    """An edition with who leads its grids on the day on which it is looked at."""
    on, asking = row.shown_on(today), viewer()
    found = edition_zones(session, row, on)
    snapshot = services().responsibility.on(on)
    grids = []
    for zone, geom in zip(found.zones, found.geoms, strict=True):
        leader = snapshot.leader_of(zone.code, zone.name, zone.kind)
        # Who holds the duty: a stand-in comes and goes without the grids.
        holder = (leader.acting_for or leader.person) if leader else None
        name = asking.name(holder.name, True) if holder else None
        grids.append(Compared(zone.code, zone.name, zone.kind, name, geom))
    return Side(key_of(row), label_of(row), _("网格长按 %(day)s", day=on), Tiling.of(found), grids)


def _draft_side(session: Session, draft_id: int, community: str, today: date) -> Side:
    """A draft's grids of the community with who leads them from its day."""
    by = Drawer(actor(), area("grids.draw"), now(), services().settings.subdistrict)
    draft = draft_of(session, draft_id, by.area)
    shown = Shown.of(session, draft, by)
    people = People.of(shown, viewer())
    drawn = [one for one in shown.state.grids.values() if one.community_code == community]
    if not drawn:
        raise NotFound(_("这份草稿里没有这个社区的网格。"))
    grids, zones = [], []
    for one in sorted(drawn, key=lambda each: each.code):
        leader = people.leader(one)
        name = leader["name"] if leader else None
        grids.append(Compared(one.code, one.name, one.kind, name, one.geom, one.origin))
        words = (one.code, one.name, one.kind, community, one.parent_code, one.households, one.population, one.notes)
        zones.append(Zone(*words, None))
    found = ZoneSet(today, (), zones, np.array([one.geom for one in grids], dtype=object))
    label = _("草稿“%(name)s”", name=draft.name)
    return Side(f"{DRAFT}{draft.id}", label, _("网格长按草稿里的计划"), Tiling.of(found), grids)


def side_json(side: Side, community: dict[str, Any]) -> dict[str, Any]:
    """A side as js/map/grids.js reads a day's grids."""
    shapes, leaders = shapes_of(side.tiling), {one.code: one.leader for one in side.grids}
    features = []
    for i, zone in enumerate([*side.tiling.zones, *side.tiling.micro_zones]):
        properties = {
            "code": zone.code,
            "short": short_code(zone.code)[1],
            "name": zone.name,
            "kind": zone.kind,
            "community": zone.community_code,
            "label": shapes["label"][i],
            "r": shapes["radius"][i],
            "leader": leaders[zone.code],
            "vacant": leaders[zone.code] is None,
            "ha": shapes["ha"][i],
            "open": 0,
            "overdue": 0,
        }
        features.append({"type": "Feature", "geometry": shapes["geometry"][i], "properties": properties})
    return {"type": "FeatureCollection", "communities": [community], "features": features}


def bounds_of(*sides: Side) -> list[float]:
    """[west, south, east, north] of all their grids."""
    shapes = [one.geom for side in sides for one in side.grids]
    return [float(value) for value in shapely.total_bounds(shapes)]


def change_words(one: Change) -> dict[str, Any]:
    """A change as the table's row shows it."""
    words = {
        "new": _("新增"),
        "gone": _("不再有"),
        "reshaped": _("界线变了"),
        "renamed": _("改名"),
        "recoded": _("改编码"),
        "kind": _("改类型"),
        "leader": _("换网格长"),
    }
    shown = one.right or one.left
    assert shown is not None
    return {
        "code": shown.code,
        "short": short_code(shown.code)[1],
        "name": shown.name,
        "kinds": [words[kind] for kind in one.kinds],
        "look": look_of(one),
        "left_code": one.left.code if one.left else None,
        "right_code": one.right.code if one.right else None,
        "left_name": one.left.name if one.left else None,
        "left_kind": KINDS.get(one.left.kind, one.left.kind) if one.left else None,
        "right_kind": KINDS.get(one.right.kind, one.right.kind) if one.right else None,
        "left_leader": one.left.leader if one.left else None,
        "right_leader": one.right.leader if one.right else None,
        "left_ha": one.left_m2 / 1e4,
        "right_ha": one.right_m2 / 1e4,
        "by_ha": (one.right_m2 - one.left_m2) / 1e4,
        "moved": one.moved_m2 > 1,
    }


def look_of(one: Change) -> str:
    """How a change is drawn: new, gone, reshaped, or words (nothing else differs)."""
    return next((kind for kind in ("new", "gone", "reshaped") if kind in one.kinds), "words")


def changes_of(left: Side, right: Side) -> list[Change]:
    return compare(left.grids, right.grids)
