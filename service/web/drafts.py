"""The pages of drawing grids: editions and drafts, two editions beside each other, the editor, publishing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import shapely
from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf
from sqlalchemy.orm import Session

from service.basemaps import NONE
from service.clock import local_date
from service.duties.rules import ROLES
from service.errors import NotFound
from service.grids import draft_queries
from service.grids.draft_models import Draft
from service.grids.draft_queries import OPEN, PUBLISHED, draft_of, may_edit
from service.grids.editions import FUTURE, IN_FORCE, EditionRow, edition_rows
from service.grids.publishing import next_monday
from service.grids.queries import CommunityRow, communities
from service.maps import render_editor, render_sides
from service.people.access import Area, reach
from service.records import jobs
from service.records.batches import holds_demo
from service.web.api import as_json
from service.web.context import account, area, now, require_account, services
from service.web.edition_sides import (
    DRAFT,
    Side,
    bounds_of,
    change_words,
    changes_of,
    key_of,
    keys_asked,
    label_of,
    period_of,
    side_json,
    side_of,
)
from service.web.words import ago, spoken_day

bp = Blueprint("drafts", __name__, url_prefix="/grids")
# Roles that a grid's people have, the leader first; a micro-grid's leader only there.
_GRID_ROLES = (
    *("grid_leader", "micro_leader", "grid_officer", "part_time_officer", "grid_guide"),
    *("volunteer", "police", "doctor", "other"),
)


@bp.get("/editions")
def editions() -> str:
    """The editions of every community: past, in force, to come; and the drafts of those who may draw."""
    today, mine = local_date(now()), area("grids.draw")
    with services().database.read() as session:
        known = {row.code: row for row in communities(session)}
        rows: dict[str, list[EditionRow]] = {}
        for row in edition_rows(session, today):
            rows.setdefault(row.community_code, []).append(row)
        made_from = draft_queries.drafts_of_editions(session)
        found = draft_queries.drafts(session, mine)
        relocating = _relocating(session)
        steps = {one.id: len([s for s in draft_queries.steps_of(session, one.id) if not s.undone]) for one in found}
    drafts = {one.id: one for one in found}
    sources = {edition: drafts[key] for edition, key in made_from.items() if key in drafts}
    busy = {code: one for one in found if one.state == OPEN for code in one.communities}
    here = [row for row in known.values() if row.ended_on is None]
    return render_template(
        "drafts/editions.html",
        told=_told(drafts),
        relocating=relocating if _may_draw() else None,
        may_draw=_may_draw(),
        several=mine.everywhere,
        drawable=[
            {"code": row.code, "name": row.name, "draft": {"who": busy[row.code].made_by} if row.code in busy else None}
            for row in here
            if mine.holds_community(row.code)
        ],
        drafts=[_draft_line(one, known, steps[one.id], mine) for one in found if one.state == OPEN],
        homes=[
            {"code": row.code, "name": row.name, "editions": _shown(rows.get(row.code, []), sources, mine)}
            for row in sorted(here, key=lambda row: row.code)
        ],
    )


def _relocating(session: Session) -> dict[str, Any] | None:
    """How far the incidents of past days are on their way into the grids of an edition published for such a day: while
    it goes on, and afterwards on the page that was told of the edition."""
    job = jobs.under_way(session, jobs.RELOCATE)
    number = request.args.get("published", "")
    if job is None and number.isascii() and number.isdecimal() and len(number) < 10:
        job = jobs.last_of(session, jobs.RELOCATE, draft=int(number))
    if job is None:
        return None
    return {
        "state": job.state,
        "url": url_for("jobs.job", job_id=job.id),
        "name": job.given["name"],
        "message": job.message or "",
        "done": job.done,
        "total": job.total,
        "changed": (job.result or {}).get("changed"),
        "going": job.state not in jobs.ENDED,
        "after": request.full_path.rstrip("?"),
    }


def _may_draw() -> bool:
    who = account()
    return who is not None and reach(who.role, "grids.draw") is not None


def _told(drafts: dict[int, Draft]) -> dict[str, str] | None:
    """What was just done, after the page that did it."""
    number = request.args.get("published", "")
    draft = drafts.get(int(number)) if number.isascii() and number.isdecimal() and len(number) < 10 else None
    if draft is not None and draft.starts_on is not None:
        words = _("已发布：%(name)s，%(day)s 起生效。", name=draft.name, day=spoken_day(draft.starts_on))
        return {"words": words, "on": draft.starts_on.isoformat()}
    done = {"withdrawn": _("已撤回，草稿重新打开。"), "dropped": _("草稿已放弃。")}
    return next(({"words": words} for key, words in done.items() if key in request.args), None)


def _draft_line(draft: Draft, known: dict[str, CommunityRow], steps: int, mine: Area) -> dict[str, Any]:
    homes = sorted(draft.communities)
    return {
        "id": draft.id,
        "version": draft.version,
        "name": draft.name,
        "url": url_for("drafts.editor", draft_id=draft.id),
        "homes": "、".join(known[code].name if code in known else code for code in homes),
        "steps": steps,
        "who": draft.changed_by,
        "when": ago(draft.changed_at, now()),
        "may_edit": may_edit(draft, mine),
        "compare_url": _compare_url(draft),
    }


def _compare_url(draft: Draft) -> str:
    return url_for("drafts.compare", community=min(draft.communities), right=f"{DRAFT}{draft.id}")


def _shown(rows: list[EditionRow], sources: dict[int, Draft], mine: Area) -> list[dict[str, Any]]:
    """Editions of one community, the latest first, as the page lists them."""
    today = local_date(now())
    state = {IN_FORCE: (_("现行"), "done", "s-done"), FUTURE: (_("未到"), "way", "s-way")}
    out = []
    for i, row in enumerate(rows):
        word, look, icon = state.get(row.state, (_("已过"), "rep", "history"))
        draft = sources.get(row.id)
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
                "draft": {"id": draft.id, "name": draft.name, "url": url_for("drafts.editor", draft_id=draft.id)}
                if draft
                else None,
                "withdraw": bool(draft) and row.state == FUTURE and may_edit(draft, mine) if draft else False,
            }
        )
    return out


@bp.get("/compare")
def compare() -> str:
    """Two editions of a community, or an edition and a draft, side by side, and a table of what changes."""
    with services().database.read() as session:
        home, homes, choices, left, right = _sides(session)
    changes = [change_words(one) for one in changes_of(left, right)]
    box = bounds_of(left, right)
    west, south, east, north = (round(value, 6) for value in box)
    maps = render_sides(west, south, east, north)
    return render_template(
        "drafts/compare.html",
        home=home,
        homes=homes,
        choices=choices,
        left=left,
        right=right,
        changes=changes,
        maps=maps,
        map_head=maps[1].head,
        config={
            "bounds": box,
            "data": url_for("drafts.compare_data", community=home.code, left=left.key, right=right.key),
            "today": local_date(now()).isoformat(),
        },
    )


@bp.get("/compare.json")
def compare_data() -> Response:
    """Both sides' grids for the maps, and how each changed one is drawn."""
    with services().database.read() as session:
        home, _homes, _choices, left, right = _sides(session)
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


def _sides(session: Session) -> tuple[CommunityRow, list[CommunityRow], list[tuple[str, str]], Side, Side]:
    """What the address asks to compare, with what else can be chosen. Raises NotFound for an unknown community."""
    today = local_date(now())
    homes = [row for row in communities(session) if row.ended_on is None]
    code = request.args.get("community", "") or (homes[0].code if homes else "")
    home = next((row for row in homes if row.code == code), None)
    if home is None:
        raise NotFound(_("没有这个社区。") if homes else _("还没有社区和网格。先在“导入”里导入，再来对照。"))
    rows = edition_rows(session, today, code)
    first, second = keys_asked(rows, request.args.get("left", ""), request.args.get("right", ""))
    choices = [(key_of(row), label_of(row)) for row in rows]
    for draft in draft_queries.drafts(session, area("grids.draw"), OPEN):
        if code in draft.communities:
            choices.insert(0, (f"{DRAFT}{draft.id}", _("草稿“%(name)s”", name=draft.name)))
    sides = [side_of(session, rows, key, code, today) for key in (first, second)]
    return home, homes, choices, sides[0], sides[1]


@bp.get("/drafts/<int:draft_id>")
def editor(draft_id: int) -> str:
    """The editor of a draft; everything that changes goes through its interface (drafts_api)."""
    mine, office = area("grids.draw"), services().office
    with services().database.read() as session:
        draft = draft_of(session, draft_id, mine)
        state = draft_queries.state_of(session, draft_id)
        known = {row.code: row for row in communities(session)}
        rows = edition_rows(session, local_date(now()))
        demo = holds_demo(session)
    shapes = np.array([grid.geom for grid in state.grids.values()], dtype=object)
    outlines = [known[code].geom for code in draft.communities if code in known and known[code].geom is not None]
    box = [float(value) for value in shapely.total_bounds(shapes if len(shapes) else np.array(outlines, dtype=object))]
    basemaps = [entry.model_dump() for entry in (NONE, *office.basemaps)]
    parts = render_editor(box, basemaps)
    return render_template(
        "drafts/editor.html",
        map_head=parts.head,
        map_body=parts.body,
        map_script=parts.script,
        demo=demo,
        basemaps=basemaps,
        draft={
            "id": draft.id,
            "name": draft.name,
            "homes": _homes_of(draft, known),
            "state": _state_of(draft),
            "base": _base_of(draft, rows),
            "compare_url": _compare_url(draft),
            "publish_url": url_for("drafts.publish", draft_id=draft.id),
        },
        config={
            "id": draft.id,
            "token": generate_csrf(),
            "bounds": box,
            "today": local_date(now()).isoformat(),
            "office": office.name,
            "roles": [{"code": code, "name": ROLES[code].name} for code in _GRID_ROLES],
            "may_mark": require_account().role in ("admin", "supervisor"),
        },
    )


def _homes_of(draft: Draft, known: dict[str, CommunityRow]) -> str:
    return "、".join(known[code].name if code in known else code for code in sorted(draft.communities))


def _state_of(draft: Draft) -> str:
    """What became of it; empty while it is open."""
    if draft.state == OPEN:
        return ""
    day = spoken_day(draft.starts_on) if draft.starts_on else ""
    return _("已发布，%(day)s起", day=day) if draft.state == PUBLISHED else _("已放弃")


def _base_of(draft: Draft, rows: list[EditionRow]) -> str:
    """Which editions it was drawn from."""
    ids = {key for key in draft.communities.values() if key is not None}
    based = [row for row in rows if row.id in ids]
    days = sorted({spoken_day(row.starts_on) if row.starts_on else _("最初") for row in based})
    return _("从%(days)s的一版改起", days="、".join(days)) if days else _("从空白画起")


@bp.get("/drafts/<int:draft_id>/publish")
def publish(draft_id: int) -> str:
    """Before a draft becomes an edition: from which day, and what changes then."""
    mine, today = area("grids.draw"), local_date(now())
    with services().database.read() as session:
        draft = draft_of(session, draft_id, mine)
        known = {row.code: row for row in communities(session)}
    who = require_account()
    return render_template(
        "drafts/publish.html",
        draft={
            "id": draft.id,
            "name": draft.name,
            "version": draft.version,
            "state": draft.state,
            "homes": _homes_of(draft, known),
            "url": url_for("drafts.editor", draft_id=draft.id),
        },
        tomorrow=(today + timedelta(days=1)).isoformat(),
        first_day=None if who.role == "admin" else (today + timedelta(days=1)).isoformat(),
        monday=next_monday(today).isoformat(),
        config={"id": draft.id, "token": generate_csrf(), "today": today.isoformat(), "role": who.role},
    )
