"""The pages of drawing grids: editions and drafts, two editions beside each other, the editor, publishing."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.clock import local_date
from service.errors import NotFound
from service.grids.editions import FUTURE, IN_FORCE, EditionRow, edition_rows
from service.grids.queries import CommunityRow, communities
from service.maps import render_sides
from service.web.api import as_json
from service.web.context import now, services, viewer
from service.web.edition_sides import (
    Side,
    bounds_of,
    change_words,
    changes_of,
    chosen,
    edition_side,
    key_of,
    label_of,
    period_of,
    rows_of,
    side_json,
)

bp = Blueprint("drafts", __name__, url_prefix="/grids")


@bp.get("/editions")
def editions() -> str:
    """The editions of every community: past, in force, to come."""
    today = local_date(now())
    with services().database.read() as session:
        known = {row.code: row for row in communities(session)}
        rows = edition_rows(session, today)
    homes: dict[str, list[EditionRow]] = {code: [] for code, row in known.items() if row.ended_on is None}
    for row in rows:
        homes.setdefault(row.community_code, []).append(row)
    return render_template(
        "drafts/editions.html",
        homes=[
            {"code": code, "name": known[code].name if code in known else code, "editions": _shown(mine)}
            for code, mine in homes.items()
        ],
    )


def _shown(rows: list[EditionRow]) -> list[dict[str, Any]]:
    """Editions of one community, the latest first, as the page lists them."""
    today = local_date(now())
    state = {IN_FORCE: (_("现行"), "done", "s-done"), FUTURE: (_("未到"), "way", "s-way")}
    out = []
    for i, row in enumerate(rows):
        word, look, icon = state.get(row.state, (_("已过"), "rep", "history"))
        out.append(
            {
                "key": key_of(row),
                "label": period_of(row),
                "word": word,
                "look": look,
                "icon": icon,
                "grids": row.grids,
                "km2": row.area_m2 / 1e6,
                "faults": row.faults,
                "on": row.shown_on(today).isoformat(),
                "before": key_of(rows[i + 1]) if i + 1 < len(rows) else None,
            }
        )
    return out


@bp.get("/compare")
def compare() -> str:
    """Two editions of a community side by side, and a table of what changes."""
    with services().database.read() as session:
        home, homes, rows, left, right = _sides(session)
        changes = [change_words(one) for one in changes_of(left, right)]
    maps = render_sides(*(round(value, 6) for value in bounds_of(left, right)))
    return render_template(
        "drafts/compare.html",
        home=home,
        homes=homes,
        choices=[(key_of(row), label_of(row)) for row in rows],
        left=left,
        right=right,
        changes=changes,
        maps=maps,
        map_head=maps[1].head,
        config={
            "bounds": bounds_of(left, right),
            "data": request.full_path.replace("/compare?", "/compare.json?", 1),
            "today": local_date(now()).isoformat(),
        },
    )


@bp.get("/compare.json")
def compare_data() -> Response:
    """Both sides' grids for the maps, and how each changed one is drawn."""
    with services().database.read() as session:
        home, _homes, _rows, left, right = _sides(session)
        changes = [change_words(one) for one in changes_of(left, right)]
    community = {"code": home.code, "name": home.name, "kind": home.kind, "colour": 0, "grids": 0}
    answer = as_json(
        {
            "left": side_json(left, community),
            "right": side_json(right, community),
            "changes": [{key: one[key] for key in ("left_code", "right_code", "look")} for one in changes],
        }
    )
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


def _sides(session: Session) -> tuple[CommunityRow, list[CommunityRow], list[EditionRow], Side, Side]:
    """What the address asks to compare. Raises NotFound for an unknown community."""
    today, asking = local_date(now()), viewer()
    homes = [row for row in communities(session) if row.ended_on is None]
    code = request.args.get("community", "") or (homes[0].code if homes else "")
    home = next((row for row in homes if row.code == code), None)
    if home is None:
        raise NotFound(_("没有这个社区。"))
    rows = rows_of(session, code, today)
    before, after = chosen(rows, request.args.get("left", ""), request.args.get("right", ""))
    return home, homes, rows, edition_side(session, before, today, asking), edition_side(session, after, today, asking)
