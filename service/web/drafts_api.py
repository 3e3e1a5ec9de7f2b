"""REST of drawing grids under /api/v1/grids: editions, drafts, their steps, publishing.

A draft's answers carry its version; every change names the version it was made on, 409 with what was done since.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.duties import planning
from service.duties.planning import Roster, duties_of_grids
from service.errors import InvalidValue
from service.geo.tiling import DoesNotTile
from service.grids import draft_queries, drafting, drawing
from service.grids.draft_models import Draft, DraftStep
from service.grids.draft_queries import codes_of_editions, codes_taken, codes_used, communities_by_code, draft_of
from service.grids.draft_rows import State
from service.grids.drafting import Drawer, Saved, StaleDraft
from service.grids.drawing import Desk, Result
from service.grids.editions import edition_rows
from service.grids.models import Edition
from service.grids.publishing import next_monday
from service.people.queries import persons
from service.responsibility import publishing
from service.responsibility.publishing import Order
from service.web import draft_json, draft_steps
from service.web.api import as_json, parsed
from service.web.context import actor, area, now, parse_day, services, viewer
from service.web.draft_json import Shown, fault_json, feature
from service.web.draft_people import People
from service.web.draft_preview import Preview
from service.web.own_page import from_own_page

bp = Blueprint("drafts_api", __name__, url_prefix="/api/v1/grids")
bp.before_request(from_own_page)
_STATES = (draft_queries.OPEN, draft_queries.PUBLISHED, draft_queries.DROPPED)


class NewDraft(BaseModel):
    """Body of POST /drafts."""

    model_config = ConfigDict(extra="forbid")

    communities: Annotated[list[str], Field(min_length=1, max_length=100)]
    name: str | None = None
    base_on: date | None = None


class AtVersion(BaseModel):
    """Body of undo, redo, drop."""

    model_config = ConfigDict(extra="forbid")

    version: int


class Publishing(BaseModel):
    """Body of publish."""

    model_config = ConfigDict(extra="forbid")

    version: int
    on: date
    reason: Annotated[str, Field(max_length=500)] | None = None
    accept_faults: bool = False
    over_newer: bool = False


@bp.errorhandler(DoesNotTile)
def does_not_tile(error: DoesNotTile) -> Response:
    """A refused edit, with the faults that it would leave, to be drawn."""
    errors = [{"field": error.field, "message": error.message}]
    return _problem(422, "填写有误", error.message, errors=errors, faults=[fault_json(one) for one in error.faults])


@bp.errorhandler(StaleDraft)
def stale(error: StaleDraft) -> Response:
    """What was done since, and the grids as they are now."""
    with services().database.read() as session:
        draft = draft_of(session, int((request.view_args or {})["draft_id"]), drawer().area)
        shown = Shown.of(session, draft, drawer())
        people = People.of(shown, viewer())
        changed = [_feature(shown, people, code) for code in error.codes if code in shown.state.grids]
        removed = [code for code in error.codes if code not in shown.state.grids]
        done = [draft_json.since_json(one) for one in error.since]
        more = {"version": draft.version, "steps": done, "changed": changed, "removed": removed}
        return _problem(409, "有冲突", error.message, **more, can=shown.can)


def _problem(status: int, title: str, detail: str, **more: Any) -> Response:
    answer = jsonify({"type": "about:blank", "title": title, "status": status, "detail": detail, **more})
    answer.status_code = status
    answer.mimetype = "application/problem+json"
    return answer


def drawer() -> Drawer:
    """Who asks, as far as drawing goes."""
    return Drawer(actor(), area("grids.draw"), now(), services().settings.subdistrict)


@bp.get("/editions")
def list_editions() -> Response:
    """The editions of the communities within the area, of `community=` only that one's; the latest first."""
    by, asked = drawer(), request.args.get("community") or None
    with services().database.read() as session:
        rows = [row for row in edition_rows(session, by.today, asked) if by.area.holds_community(row.community_code)]
        homes = communities_by_code(session, {row.community_code for row in rows}, by.today)
        made_from = draft_queries.drafts_of_editions(session)
    return as_json({"editions": [draft_json.edition_json(row, homes, made_from.get(row.id)) for row in rows]})


@bp.get("/drafts")
def list_drafts() -> Response:
    """Drafts within the area, the last changed first; `state=` open, published or dropped."""
    by, state = drawer(), request.args.get("state") or None
    if state is not None and state not in _STATES:
        raise InvalidValue("state", f"state 写 {'、'.join(_STATES)} 中的一个。")
    with services().database.read() as session:
        found = draft_queries.drafts(session, by.area, state)
        homes = draft_queries.communities_by_code(
            session, {code for one in found for code in one.communities}, by.today
        )
        bases = _bases(session, found)
        counted = select(DraftStep.draft_id, func.count()).where(DraftStep.number > 0, DraftStep.undone.is_(False))
        steps = {row[0]: row[1] for row in session.execute(counted.group_by(DraftStep.draft_id))}
        items = [draft_json.summary(one, homes, bases, steps.get(one.id, 0)) for one in found]
    return as_json({"drafts": items})


@bp.post("/drafts")
def begin() -> Response:
    """A new draft of the latest editions, or of those in force on `base_on`. 201 with the draft."""
    body, by = parsed(NewDraft), drawer()
    with services().database.write() as session:
        draft = drafting.begin(session, body.communities, body.name, body.base_on, by)
        draft_id = draft.id
    answer = as_json(_whole(draft_id, by), 201)
    answer.headers["Location"] = f"/api/v1/grids/drafts/{draft_id}"
    return answer


@bp.get("/drafts/<int:draft_id>")
def read(draft_id: int) -> Response:
    """The whole draft: steps, faults, grids, what lies around."""
    return as_json(_whole(draft_id, drawer()))


@bp.get("/drafts/<int:draft_id>/since")
def since(draft_id: int) -> Response:
    """What was done after `version=`, the state too; asked again and again by open editors, 304 while nothing was."""
    word = request.args.get("version", "0")
    if not (word.isascii() and word.isdecimal() and len(word) < 10):
        raise InvalidValue("version", "version 写草稿的版本号。")
    with services().database.read() as session:
        draft = draft_of(session, draft_id, drawer().area)
        known = str(draft.version) in request.if_none_match
        done = [] if known else draft_queries.since(session, draft_id, int(word))
        steps = [draft_json.since_json(one) for one in done]
        answer = as_json({"version": draft.version, "state": draft.state, "steps": steps})
        answer.set_etag(str(draft.version))
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.make_conditional(request)
    return answer


@bp.post("/drafts/<int:draft_id>/steps")
def take_step(draft_id: int) -> Response:
    """One step. 422 with the faults when the community would not be tiled, 409 with what others did."""
    body, by = draft_steps.read_step(request.get_data(cache=False)), drawer()
    with services().database.write() as session:
        draft = draft_of(session, draft_id, by.area)
        saved = drafting.take_step(session, draft_id, body.version, body.step, _step(session, draft, body, by), by)
        return as_json(_after(session, saved, by))


def _step(session: Session, draft: Draft, body: Any, by: Drawer) -> Callable[[State], Result]:
    """What the step does to the state."""
    if isinstance(body, draft_steps.Assign | draft_steps.Unassign | draft_steps.CopyDuties):
        roster = _roster(session, draft, by)
        if isinstance(body, draft_steps.Assign):
            return lambda state: planning.assign(roster, state, body.grids, body.role, body.person, body.until)
        if isinstance(body, draft_steps.Unassign):
            return lambda state: planning.unassign(roster, state, body.id)
        return lambda state: planning.copy_duties(roster, state, body.grids)

    def change(state: State) -> Result:
        return body.take(desk(session, draft, state, by), state)  # type: ignore[no-any-return]

    return change


def desk(session: Session, draft: Draft, state: State, by: Drawer) -> Desk:
    """What the steps of a draft work with."""
    shown = Shown.of(session, draft, by, state)
    return Desk(
        shown.base,
        shown.homes,
        lambda home: codes_used(session, home),
        lambda home: codes_of_editions(session, home),
        lambda codes: codes_taken(session, codes, draft),
        shown.around_geoms,
        by.supervises,
    )


def _roster(session: Session, draft: Draft, by: Drawer) -> Roster:
    base = draft_queries.base_of(session, draft.id)
    return Roster(duties_of_grids(session, base.grids, by.today), persons(session), by.today)


@bp.post("/drafts/<int:draft_id>/undo")
def undo(draft_id: int) -> Response:
    """The last step taken back."""
    return _replay(drafting.undo, draft_id)


@bp.post("/drafts/<int:draft_id>/redo")
def redo(draft_id: int) -> Response:
    """It is done again."""
    return _replay(drafting.redo, draft_id)


def _replay(what: Callable[[Session, int, int, Drawer], Saved], draft_id: int) -> Response:
    body, by = parsed(AtVersion), drawer()
    with services().database.write() as session:
        return as_json(_after(session, what(session, draft_id, body.version, by), by))


@bp.post("/drafts/<int:draft_id>/drop")
def drop(draft_id: int) -> Response:
    """The draft is given up."""
    body, by = parsed(AtVersion), drawer()
    with services().database.write() as session:
        draft = drafting.drop(session, draft_id, body.version, by)
        return as_json({"id": draft.id, "state": draft.state, "version": draft.version})


@bp.get("/drafts/<int:draft_id>/preview")
def preview(draft_id: int) -> Response:
    """What publishing from `on=` (next Monday) would change, and what stands in its way."""
    by = drawer()
    on = parse_day(request.args["on"]) if request.args.get("on") else next_monday(by.today)
    snapshot, columns = services().responsibility.on(on), services().incidents.current()
    with services().database.read() as session:
        shown = Shown.of(session, draft_of(session, draft_id, by.area), by)
        return as_json(Preview(shown, People.of(shown, viewer()), snapshot, columns, on).told())


@bp.post("/drafts/<int:draft_id>/publish")
def publish(draft_id: int) -> Response:
    """The draft's editions from `on` on. 201 with them and how many duties stay, move, end and are made.

    For a past day `relocating` names the job that finds the grids of past incidents again; GET of the draft tells too.
    """
    body, by = parsed(Publishing), drawer()
    order = Order(body.on, body.reason, body.accept_faults, body.over_newer)
    with services().database.write() as session:
        done = publishing.publish(session, draft_id, body.version, order, by)
        homes = communities_by_code(session, list(done.editions), by.today)
        answer = {
            "id": draft_id,
            "state": done.draft.state,
            "version": done.draft.version,
            "starts_on": body.on.isoformat(),
            "editions": [
                {"id": key, "community": {"code": home, "name": homes.get(home, home)}, "edition": body.on.isoformat()}
                for home, key in sorted(done.editions.items())
            ],
            "duties": done.duties,
            "relocating": draft_json.relocating_json(session, draft_id),
        }
    return as_json(answer, 201)


@bp.post("/drafts/<int:draft_id>/withdraw")
def withdraw(draft_id: int) -> Response:
    """Published editions taken back before their day; the draft is open again."""
    by = drawer()
    with services().database.write() as session:
        done = publishing.withdraw(session, draft_id, by)
        draft = done.draft
        return as_json({"id": draft.id, "state": draft.state, "version": draft.version, "duties": done.duties})


@bp.get("/drafts/<int:draft_id>/codes")
def codes(draft_id: int) -> Response:
    """The next code for a new grid near `near=lon,lat`, for a micro-grid there, and a whole renumbering."""
    by, near = drawer(), _near(request.args.get("near"))
    with services().database.read() as session:
        draft = draft_of(session, draft_id, by.area)
        state = draft_queries.state_of(session, draft_id)
        at = desk(session, draft, state, by)
        return as_json(drawing.code_proposals(at, state, near))


def _near(text: str | None) -> tuple[float, float] | None:
    if not text:
        return None
    try:
        lon, lat = (float(part) for part in text.strip("[] ").split(","))
    except ValueError:
        raise InvalidValue("near", "near 写成 经度,纬度，例如 109.88,31.07。") from None
    if not (abs(lon) <= 180 and abs(lat) <= 90):
        raise InvalidValue("near", "near 不是经纬度：经度在前、纬度在后。")
    return lon, lat


# Answers ----------------------------------------------------------------------------------------------------------


def _whole(draft_id: int, by: Drawer) -> dict[str, Any]:
    with services().database.read() as session:
        draft = draft_of(session, draft_id, by.area)
        shown = Shown.of(session, draft, by)
        people = People.of(shown, viewer())
        out = draft_json.summary(draft, shown.homes, _bases(session, [draft]), 0)
        del out["step_count"]
        features = [_feature(shown, people, code) for code in shown.state.grids]
        return {
            **out,
            "steps": [draft_json.step_json(step) for step in shown.steps],
            "can": shown.can,
            "faults": shown.faults(),
            "warnings": shown.warnings(),
            "grids": {"type": "FeatureCollection", "features": features},
            "gone": shown.gone,
            "relocating": draft_json.relocating_json(session, draft_id),
            "around": draft_json.around_json(shown.around),
        }


def _after(session: Session, saved: Saved, by: Drawer) -> dict[str, Any]:
    """The answer to a step: what differs from before."""
    shown = Shown.of(session, saved.draft, by, saved.after)
    people = People.of(shown, viewer())
    codes = draft_json.changed_codes(saved.before, saved.after)
    done = [step for step in shown.steps if not step.undone]
    told = list(saved.warnings)
    if by.supervises:
        known = Shown.of(session, saved.draft, by, saved.before).outlines()
        told += [line for line in shown.outlines() if line not in known]
    return {
        "version": saved.draft.version,
        "step": draft_json.step_json(done[-1]) if done else None,
        "steps": [draft_json.step_json(step) for step in shown.steps],
        "changed": [_feature(shown, people, code) for code in codes],
        "removed": draft_json.removed_codes(saved.before, saved.after),
        "gone": shown.gone,
        "faults": shown.faults(),
        "warnings": [*saved.warnings, *(line for line in shown.warnings() if line not in saved.warnings)],
        "told": told,
        "can": shown.can,
    }


def _feature(shown: Shown, people: People, code: str) -> dict[str, Any]:
    grid = shown.state.grids[code]
    return feature(grid, shown.status(grid), people.of_grid(grid))


def _bases(session: Session, found: list[Draft]) -> dict[int, Edition]:
    ids = {key for draft in found for key in draft.communities.values() if key is not None}
    return {row.id: row for row in session.scalars(select(Edition).where(Edition.id.in_(ids)))}
