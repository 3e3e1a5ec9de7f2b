"""Two editions of a community beside each other: what stands left and right, and what changes between them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import shapely
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.errors import InvalidValue, NotFound
from service.grids.comparing import Change, Compared, compare
from service.grids.editions import FUTURE, IN_FORCE, EditionRow, edition_rows, edition_zones
from service.grids.rules import KINDS, short_code
from service.people.rules import Viewer
from service.responsibility.snapshot import Tiling
from service.web.context import services
from service.web.grid_layer import shapes_of
from service.web.words import spoken_day

FIRST = "first"


@dataclass(frozen=True)
class Side:
    """One of both: `key` names it in the address, `on` is the day whose leaders are shown."""

    key: str
    label: str
    on: date
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
    return _("%(first)s至 %(last)s", first=since, last=date.fromordinal(row.ends_on.toordinal() - 1))


def chosen(rows: list[EditionRow], left: str, right: str) -> tuple[EditionRow, EditionRow]:
    """The two editions that an address names; by default the latest and the one before. Raises InvalidValue."""
    if not rows:
        raise NotFound(_("这个社区还没有网格。"))
    known = {key_of(row): row for row in rows}
    for field, word in (("left", left), ("right", right)):
        if word and word not in known:
            raise InvalidValue(field, _("没有“%(word)s”这一版。从名单里选一版。", word=word[:20]))
    after = known[right] if right else rows[0]
    before = known[left] if left else rows[min(rows.index(after) + 1, len(rows) - 1)]
    return before, after


def edition_side(session: Session, row: EditionRow, today: date, viewer: Viewer) -> Side:
    """An edition with who leads its grids on the day on which it is looked at."""
    on = row.shown_on(today)
    found = edition_zones(session, row, on)
    snapshot = services().responsibility.on(on)
    grids = []
    for zone, geom in zip(found.zones, found.geoms, strict=True):
        leader = snapshot.leader_of(zone.code, zone.name, zone.kind)
        name = viewer.name(leader.person.name, True) if leader else None
        grids.append(Compared(zone.code, zone.name, zone.kind, name, geom))
    return Side(key_of(row), label_of(row), on, Tiling.of(found), grids)


def rows_of(session: Session, community: str, today: date) -> list[EditionRow]:
    """The community's editions, the latest first."""
    return edition_rows(session, today, community)


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
