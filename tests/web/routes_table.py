"""How to ask every route, and what each role gets: stated by hand, whatever the service's own tables say.

A new route needs one line in ROUTES. `Call("GET", "/path", WHO)`: WHO has a letter for each of public, viewer, unit,
officer, manager, supervisor, admin:

    +  let through (any answer but those below; a form may still be refused as incomplete: 400, 409, 422)
    ?  asked to sign in (401, or sent to /login)
    -  refused (403)
    0  not found, because it lies outside the area (404)

`other`: the letters for something outside the area of unit, officer and manager; the {words} of path, form and JSON are
then filled from OTHER instead of OWN. Whatever a call changes is rolled back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.conftest import PASSWORD

ASKERS = ("public", "viewer", "unit", "officer", "manager", "supervisor", "admin")
#          pvuomsa
OPEN = "+++++++"
LOOK = OPEN
SIGNED = "?++++++"
EXPORT = "?+--+++"
AUDIT = "?+--+++"
WHOLE_NUMBERS = "?---+++"
WRITE = "?---+++"
WALL, WALL_OTHER = "?+-++++", "?+---++"
SUPERVISORS = "?----++"
ADMINS = "?-----+"
DRAFT_ELSEWHERE = "?---0++"


@dataclass(frozen=True)
class Call:
    """How to ask a route, and what each role gets."""

    method: str
    path: str
    who: str
    other: str | None = None
    form: dict[str, Any] = field(default_factory=dict)
    json: Any = None
    file: tuple[str, str, bytes] | None = None  # field, name, content
    absent: bool = False  # the demo has none of it, so that 404 is what those who may ask get


def _square(lon: float, lat: float) -> dict[str, Any]:
    """The words for a spot: what may be drawn there."""
    east, north = lon + 0.0001, lat + 0.0001
    ring = [[lon, lat], [east, lat], [east, north], [lon, north], [lon, lat]]
    line = {"type": "LineString", "coordinates": ring[:2]}
    area = {"type": "Polygon", "coordinates": [ring]}
    return {"lon": lon, "lat": lat, "frontages_drawn": line, "streets_drawn": line} | {
        "places_drawn": {"type": "Point", "coordinates": [lon, lat]},
        "buildings_drawn": area,
    }


# Something of each kind in the demo: within the demo officer's, manager's or unit's area, and outside of all of them.
# The organisation is the unit's. "_kept": where the one that is read doesn't lie in the manager's communities alone.
OWN: dict[str, Any] = _square(109.8701, 31.0762) | {
    "communities": "500237002001",
    "grids": "500237002001001",
    "people": "R108",  # works for the unit, with duties in the officer's grids and in others
    "people_kept": "R028",
    "organisations": "O02",
    "places": "P071",
    "streets": "S031",
    "frontages": "F0214",
    "buildings": "B0071",
    "incidents": "LM009025",
    "duties": "D0027",
}
OTHER: dict[str, Any] = _square(109.8687, 31.0661) | {
    "communities": "500237002202",
    "grids": "500237002202001",
    "people": "R096",
    "organisations": "O05",
    "places": "P002",
    "streets": "S007",
    "frontages": "F0028",
    "buildings": "B0004",
    "incidents": "LM008910",
    "duties": "D0097",
}
PARTLY = {"places": "P026", "streets": "S005", "people": "R104"}  # reaches out of the manager's and officer's area
NEIGHBOUR = "R045"  # leads a grid of another community that touches the officer's
NAMED = "S006"  # a street elsewhere that a duty of the officer names


@dataclass(frozen=True)
class Kept:
    """A register's letters. `change`: of a row, `make`: new rows, `end`: the end of one and taking that back."""

    read: str
    read_other: str
    change: str
    change_other: str
    make: str
    end: str
    make_other: str = SUPERVISORS


#                pvuomsa    pvuomsa    pvuomsa    pvuomsa    pvuomsa    pvuomsa
REGISTERS = {
    "communities": Kept("?+0++++", "?+000++", "?---+++", "?---0++", "?----++", "?----++"),
    "grids": Kept("?+0++++", "?+000++", "?---+++", "?---0++", WRITE, WRITE, WRITE),  # made and ended by nobody: 409
    "people": Kept("?++++++", "?+000++", "?---+++", "?---0++", "?----++", "?----++"),
    "organisations": Kept("?++++++", "?+0++++", "?----++", "?----++", "?----++", "?----++"),
    "places": Kept("?+0++++", "?+000++", "?---+++", "?---0++", "?---+++", "?---+++"),
    "streets": Kept("?+0++++", "?+000++", "?---+++", "?---0++", "?---+++", "?---+++"),
    "frontages": Kept("?+0++++", "?+000++", "?---+++", "?---0++", "?---+++", "?---+++"),
    "buildings": Kept("?+0++++", "?+000++", "?---+++", "?---0++", "?---+++", "?---+++"),
}
INCIDENTS, INCIDENTS_OTHER = "?+0++++", "?+000++"
WITH_PAGES = tuple(name for name in REGISTERS if name != "buildings")
DUTIES, DUTIES_OTHER = "?+0++++", "?+000++"
DUTY_STEPS = ("?---+++", "?---0++")
LISTED = {name: (kept.read, kept.read_other) for name, kept in REGISTERS.items()} | {
    "incidents": (INCIDENTS, INCIDENTS_OTHER),
    "duties": (DUTIES, DUTIES_OTHER),
}
PARTLY_READ, PARTLY_CHANGED = "?+0++++", "?----++"
PHOTOS, PHOTOS_OTHER = "?+-++++", "?+---++"


def _pages(name: str, kept: Kept) -> dict[str, tuple[Call, ...]]:
    """A register's pages."""
    row, mine = f"/{name}/{{{name}}}", f"/{name}/{{{name}_kept}}"
    change, end = (kept.change, kept.change_other), (kept.end, kept.change_other)
    ticked = {"code": [f"{{{name}_kept}}"], "field": "kind", "value": "?"}
    out = {
        "": (Call("GET", f"/{name}", SIGNED),),
        "_suggest": (Call("GET", f"/{name}/suggest?q=a", SIGNED),),
        "_one": (Call("GET", row, kept.read, kept.read_other),),
        "_edit": (Call("GET", f"{mine}/edit", *change),),
        "_change": (Call("POST", f"{mine}/edit", *change, form={"version": "1"}),),
        "_bulk": (Call("POST", f"/{name}/bulk", SUPERVISORS if name == "organisations" else WRITE, form=ticked),),
    }
    if name != "grids":
        out |= {
            "_new": (Call("GET", f"/{name}/new", kept.make),),
            "_create": (Call("POST", f"/{name}/new", kept.make),),
            "_end": (Call("GET", f"{mine}/end", *end),),
            "_end_post": (Call("POST", f"{mine}/end", *end, form={"version": "1", "reason": "x"}),),
            "_restore": (Call("POST", f"{mine}/restore", *end, form={"version": "1"}),),
        }
    if name in PARTLY:
        both = f"/{name}/{PARTLY[name]}"
        out["_one"] += (Call("GET", both, PARTLY_READ),)
        out["_edit"] += (Call("GET", f"{both}/edit", PARTLY_CHANGED),)
        out["_change"] += (Call("POST", f"{both}/edit", PARTLY_CHANGED, form={"version": "1"}),)
        out["_end"] += (Call("GET", f"{both}/end", PARTLY_CHANGED),)
        out["_end_post"] += (Call("POST", f"{both}/end", PARTLY_CHANGED, form={"version": "1", "reason": "x"}),)
        out["_restore"] += (Call("POST", f"{both}/restore", PARTLY_CHANGED, form={"version": "1"}),)
    if name == "streets":
        out["_one"] += (Call("GET", f"/streets/{NAMED}", "?+0+0++"),)
        out["_edit"] += (Call("GET", f"/streets/{NAMED}/edit", "?---0++"),)
    return {f"registers.{name}{suffix}": calls for suffix, calls in out.items()}


def _interface() -> dict[str, tuple[Call, ...]]:
    """The registers' REST. A new row has a code that is taken: 409 for whoever may make one there."""
    out: dict[str, tuple[Call, ...]] = {}
    for name, kept in REGISTERS.items():
        row, mine = f"/api/v1/{name}/{{{name}}}", f"/api/v1/{name}/{{{name}_kept}}"
        over = WRITE if name == "grids" else kept.change_other
        drawn = {"geometry": f"{{{name}_drawn}}"} if f"{name}_drawn" in OWN else {}
        new = {"code": f"{{{name}_kept}}", "name": "x", "shop_name": "x", "kind": "village"} | drawn
        fields = {field for field in new if field not in _NOT_OF.get(name, {"shop_name", "kind"})}
        calls = {
            "rows": Call("GET", f"/api/v1/{name}", SIGNED),
            "row": Call("GET", row, kept.read, kept.read_other),
            "row_history": Call("GET", f"{row}/history", kept.read, kept.read_other),
            "create": Call(
                "POST", f"/api/v1/{name}", kept.make, kept.make_other, json={one: new[one] for one in sorted(fields)}
            ),
            "bulk": Call(
                "POST",
                f"/api/v1/{name}/bulk",
                SUPERVISORS if name == "organisations" else WRITE,
                json={"rows": [f"{{{name}_kept}}"], "changes": {"nonsense": "x"}},
            ),
            "change": Call("PUT", mine, kept.change, kept.change_other, json={"version": 1}),
            "end": Call("DELETE", f"{mine}?version=1", kept.end, over),
            "restore": Call(
                "POST",
                f"{mine}/restore",
                kept.end,
                WRITE if name == "grids" else kept.change_other,
                json={"version": 1},
            ),
        }
        for endpoint, call in calls.items():
            out[f"register_api.{endpoint}"] = (*out.get(f"register_api.{endpoint}", ()), call)
    for endpoint, path in (("rows", ""), ("row", "/{duties}"), ("row_history", "/{duties}/history")):
        letters = (SIGNED,) if endpoint == "rows" else (DUTIES, DUTIES_OTHER)
        out[f"register_api.{endpoint}"] += (Call("GET", f"/api/v1/duties{path}", *letters),)
    for name, code in PARTLY.items():
        out["register_api.row"] += (Call("GET", f"/api/v1/{name}/{code}", PARTLY_READ),)
        out["register_api.change"] += (Call("PUT", f"/api/v1/{name}/{code}", PARTLY_CHANGED, json={"version": 1}),)
        out["register_api.end"] += (Call("DELETE", f"/api/v1/{name}/{code}?version=1", PARTLY_CHANGED),)
    return out


def _drawing() -> dict[str, Call | tuple[Call, ...]]:
    """Editions and drafts. The step is one that no draft takes: 422 for whoever may draw there."""
    one = "/api/v1/grids/drafts/{draft}"
    step = {"version": 1, "step": "rename", "code": "nowhere", "name": "x"}
    calls: dict[str, Call | tuple[Call, ...]] = {
        "list_editions": Call("GET", "/api/v1/grids/editions", WRITE),
        "list_drafts": Call("GET", "/api/v1/grids/drafts", WRITE),
        "begin": Call("POST", "/api/v1/grids/drafts", WRITE, SUPERVISORS, json={"communities": ["{communities}"]}),
        "read": Call("GET", one, WRITE, DRAFT_ELSEWHERE),
        "since": Call("GET", f"{one}/since?version=1", WRITE, DRAFT_ELSEWHERE),
        "take_step": Call("POST", f"{one}/steps", WRITE, DRAFT_ELSEWHERE, json=step),
        "codes": Call("GET", f"{one}/codes", WRITE, DRAFT_ELSEWHERE),
        "preview": Call("GET", f"{one}/preview", WRITE, DRAFT_ELSEWHERE),
        "publish": Call("POST", f"{one}/publish", WRITE, DRAFT_ELSEWHERE, json={"version": 1, "on": "2026-11-30"}),
        "withdraw": Call("POST", f"{one}/withdraw", WRITE, DRAFT_ELSEWHERE),
    }
    for name in ("undo", "redo", "drop"):
        calls[name] = Call("POST", f"{one}/{name}", WRITE, DRAFT_ELSEWHERE, json={"version": 1})
    return {f"drafts_api.{name}": call for name, call in calls.items()}


_NOT_OF = {"frontages": {"name", "kind"}, "communities": {"shop_name"}, "organisations": {"shop_name"}}

ROUTES: dict[str, Call | tuple[Call, ...]] = {
    # the frame
    "static": Call("GET", "/static/css/tokens.css", OPEN),
    "pages.map_modules": Call("GET", "/static/js/map/all-{script}.js", OPEN),
    "pages.healthz": Call("GET", "/healthz", OPEN),
    "basemap_files.pmtiles": (
        Call("GET", "/map/base.pmtiles", OPEN, absent=True),
        Call("GET", "/map/base/x.pmtiles", OPEN, absent=True),
    ),
    "basemap_files.tile": (
        Call("GET", "/map/base/1/1/1", OPEN, absent=True),
        Call("GET", "/map/base/x/1/1/1", OPEN, absent=True),
    ),
    # signing in and the own account
    "sign_in.login": Call("GET", "/login", OPEN),
    "sign_in.login_post": Call("POST", "/login", OPEN, form={"name": "walk-viewer", "password": PASSWORD}),
    "sign_in.demo_entry": (Call("POST", "/login/demo", OPEN), Call("POST", "/login/demo/viewer", OPEN)),
    "sign_in.logout": Call("POST", "/logout", OPEN),
    "sign_in.password": Call("GET", "/account/password", SIGNED),
    "sign_in.password_post": Call("POST", "/account/password", SIGNED),
    "own_account.index": Call("GET", "/account", SIGNED),
    "own_account.end_sessions": Call("POST", "/account/sign-out-everywhere", SIGNED),
    "own_account.create_token": Call("POST", "/account/tokens", SIGNED, form={"label": "x", "days": "9"}),
    "own_account.end_token": Call("POST", "/account/tokens/987654/revoke", SIGNED, absent=True),
    # accounts and the trail
    "accounts.index": Call("GET", "/accounts", ADMINS),
    "accounts.new": Call("GET", "/accounts/new", ADMINS),
    "accounts.create": Call("POST", "/accounts", ADMINS),
    "accounts.edit": Call("GET", "/accounts/{account}", ADMINS),
    "accounts.change": Call("POST", "/accounts/{account}", ADMINS, form={"version": "1", "role": "viewer"}),
    "accounts.step": Call("POST", "/accounts/{account}/reset-password", ADMINS),
    "accounts.release_address_lock": Call("POST", "/accounts/addresses/release", ADMINS, form={"address": "10.0.0.9"}),
    "trail.index": Call("GET", "/trail", SUPERVISORS),
    # the map and its questions
    "pages.home": Call("GET", "/", OPEN),
    "pages.map_page": Call("GET", "/map", LOOK),
    "pages.changes": Call("GET", "/changes", LOOK),
    "map_data.grids": Call("GET", "/map/grids.geojson", LOOK),
    "map_data.faults": Call("GET", "/map/faults.geojson", SIGNED),
    "map_data.ground": Call("GET", "/map/ground", LOOK),
    "chief_layer.chiefs": tuple(
        Call("GET", f"/map/chiefs?of={layer}&bbox=109.86,31.05,109.90,31.09", LOOK)
        for layer in ("street", "building", "reach", "place")
    ),
    "chief_layer.audit": Call("GET", "/map/audit", AUDIT),
    "duty_audit.index": Call("GET", "/duties/audit?kind=vacant&community=500237002001", AUDIT),
    "duty_audit.export": Call("GET", "/duties/audit/export?format=csv", AUDIT),
    "duty_audit.as_api": Call("GET", "/api/v1/duties/audit", AUDIT),
    # balanced proposals: of the own communities; others' are not found
    "balance.index": (
        Call("GET", "/duties/balance", WRITE),
        Call("GET", "/duties/balance?community={communities}", WRITE, SUPERVISORS),
    ),
    "balance.keep": Call("POST", "/duties/balance", WRITE, SUPERVISORS, form={"community": "{communities}"}),
    "balance.proposals": Call("GET", "/duties/proposals", WRITE),
    "balance.proposal": Call("GET", "/duties/proposals/{proposal}", WRITE, "?---0++"),
    "balance.adopt": Call("POST", "/duties/proposals/{proposal}/adopt", WRITE, "?---0++", form={"version": "1"}),
    "balance.drop_proposal": Call("POST", "/duties/proposals/{proposal}/drop", WRITE, "?---0++", form={"version": "1"}),
    "duties_api.balance_division": Call(
        "POST", "/api/v1/duties/balance", WRITE, SUPERVISORS, json={"communities": ["{communities}"]}
    ),
    "duties_api.proposal_list": Call("GET", "/api/v1/duties/proposals", WRITE),
    "duties_api.proposal_one": Call("GET", "/api/v1/duties/proposals/{proposal}", WRITE, "?---0++"),
    "duties_api.proposal_adopt": Call(
        "POST",
        "/api/v1/duties/proposals/{proposal}/adopt",
        WRITE,
        "?---0++",
        json={"version": 9, "starts_on": "2026-12-01"},
    ),
    "map_data.places": Call("GET", "/map/places", LOOK),
    "map_data.frontages": Call("GET", "/map/frontages?bbox=109.86,31.05,109.90,31.09", LOOK),
    "map_data.clusters": Call("GET", "/map/clusters?bbox=109.8,31,109.9,31.1&z=15", SIGNED),
    "answer.answer_fragment": Call("GET", "/map/answer?lon={lon}&lat={lat}", LOOK),
    "search.search": Call("GET", "/map/search?q=1", LOOK),
    "api.lookup": Call("GET", "/api/v1/lookup?lon={lon}&lat={lat}", LOOK),
    "api.lookup_batch": Call("POST", "/api/v1/lookup", LOOK, json={"points": [[109.88, 31.07]]}),
    # the registers
    **{endpoint: call for name in WITH_PAGES for endpoint, call in _pages(name, REGISTERS[name]).items()},
    "registers.incidents": Call("GET", "/incidents", SIGNED),
    "registers.incidents_one": Call("GET", "/incidents/{incidents}", INCIDENTS, INCIDENTS_OTHER),
    **_interface(),
    # who answers for what: the subject's community decides; a duty elsewhere isn't seen by managers
    "registers.duties": Call("GET", "/duties", SIGNED),
    "registers.duties_suggest": Call("GET", "/duties/suggest?q=a", SIGNED),
    "registers.duties_one": Call("GET", "/duties/{duties}", DUTIES, DUTIES_OTHER),
    "duties.assign": Call("GET", "/duties/assign", WRITE),
    "duties.assign_post": Call("POST", "/duties/assign", WRITE, form={"subject": "grid:{grids}"}),
    "duties.subjects": Call("GET", "/duties/assign/subjects?role=grid_leader", WRITE),
    "duties.bulk": Call("POST", "/duties/bulk", WRITE, form={"field": "end", "code": "{duties}"}),
    "duties.step": tuple(
        Call("GET", f"/duties/{what}?code={{duties}}&of=grid:{{grids}}", WRITE)
        for what in ("hand-over", "leave", "return", "end", "copy")
    ),
    "duties.step_post": tuple(
        Call("POST", f"/duties/{what}", WRITE, form={"code": "{duties}", "step": "save", "of": "grid:{grids}"})
        for what in ("hand-over", "leave", "return", "end", "copy")
    ),
    "duties.subject_suggest": Call("GET", "/duties/subjects/suggest?kind=grid&q=1", WRITE),
    "duties.edit": Call("GET", "/duties/{duties}/edit", *DUTY_STEPS),
    "duties.change": Call("POST", "/duties/{duties}/edit", *DUTY_STEPS, form={"version": "1"}),
    "duties.answered": Call("GET", "/duties/answered?subject=grid:{grids}", SIGNED),
    "duties_api.create": Call(
        "POST",
        "/api/v1/duties",
        WRITE,
        SUPERVISORS,
        json={"role": "volunteer", "person_code": "R104", "subjects": ["grid:{grids}"]},
    ),
    "duties_api.change": Call("PUT", "/api/v1/duties/{duties}", *DUTY_STEPS, json={"version": 1}),
    "duties_api.copy": Call(
        "POST", "/api/v1/duties/copy", WRITE, SUPERVISORS, json={"of": "grid:500237002001002", "to": ["grid:{grids}"]}
    ),
    "duties_api.step": tuple(
        Call("POST", f"/api/v1/duties/{{duties}}/{what}", *DUTY_STEPS, json=body)
        for what, body in (
            ("hand-over", {"to": "R104"}),
            ("acting", {"acting_code": "R104"}),
            ("return", {}),
            ("end", {"on": "2026-12-01"}),
        )
    ),
    "my.index": Call("GET", "/my", SIGNED),
    "register_api.incidents": Call("GET", "/api/v1/incidents", SIGNED),
    "register_api.incident": Call("GET", "/api/v1/incidents/{incidents}", INCIDENTS, INCIDENTS_OTHER),
    "register_api.incident_history": Call("GET", "/api/v1/incidents/{incidents}/history", INCIDENTS, INCIDENTS_OTHER),
    # drawing grids: drafts of the manager's community, and of another
    **_drawing(),
    # their pages; the editions are for everybody who reads the registers
    "drafts.editions": Call("GET", "/grids/editions", SIGNED),
    "drafts.compare": (
        Call("GET", "/grids/compare?community={communities}", SIGNED),
        Call("GET", "/grids/compare?community={communities}&right=draft-{draft}", "?000+++", "?0000++"),
    ),
    "drafts.compare_data": (
        Call("GET", "/grids/compare.json?community={communities}", SIGNED),
        Call("GET", "/grids/compare.json?community={communities}&right=draft-{draft}", "?000+++", "?0000++"),
    ),
    "drafts.editor": Call("GET", "/grids/drafts/{draft}", WRITE, "?---0++"),
    "drafts.publish": Call("GET", "/grids/drafts/{draft}/publish", WRITE, "?---0++"),
    # a view is its maker's; one that is shared may be dropped by an admin too
    "registers.view_save": Call("POST", "/views", SIGNED, form={"page": "frontages", "name": "x", "query": ""}),
    "registers.view_drop": (
        Call("POST", "/views/{view_of_viewer}/drop", "?+00000"),
        Call("POST", "/views/{shared_view_of_supervisor}/drop", "?0000++"),
    ),
    # whole numbers, one at a time; who asks outside the own area is refused in the trail
    "people.reveal": (
        Call("POST", "/phones/reveal", "?--++++", "?----++", json={"kind": "frontages", "code": "{frontages}"}),
        Call("POST", "/phones/reveal", "?-+++++", "?----++", json={"kind": "people", "code": "{people}"}),
        Call("POST", "/phones/reveal", "?-+++++", "?--++++", json={"kind": "organisations", "code": "{organisations}"}),
        Call("POST", "/phones/reveal", "?--++++", json={"kind": "people", "code": NEIGHBOUR}),
    ),
    # photos: who reads the record sees them, who may change it adds and removes them; an officer adds to the shops
    # of the own grids, and removes none that another added
    "photos.subject": (
        *(Call("GET", f"/photos/{name}/{{{name}}}", PHOTOS, PHOTOS_OTHER) for name in ("frontages", "places")),
        Call("GET", "/photos/buildings/{buildings}", PHOTOS, PHOTOS_OTHER),
        Call("GET", f"/photos/places/{PARTLY['places']}", PHOTOS),
    ),
    "photos.show": Call("GET", "/photos/{photo}", PHOTOS, PHOTOS_OTHER, absent=True),
    "photos.thumb": Call("GET", "/photos/{photo}/thumb", PHOTOS, PHOTOS_OTHER, absent=True),
    "photos.add": (
        Call(
            "POST",
            "/photos/frontages/{frontages}",
            "?--++++",
            SUPERVISORS,
            file=("photo", "x.jpg", b"\xff\xd8no photo"),
        ),
        Call("POST", "/photos/places/{places}", WRITE, SUPERVISORS, file=("photo", "x.jpg", b"\xff\xd8no photo")),
        Call("POST", f"/photos/places/{PARTLY['places']}", SUPERVISORS),
    ),
    "photos.remove": Call("POST", "/photos/{photo}/remove", WRITE, SUPERVISORS),
    # files out of the registers
    "exports.list": (
        *(Call("GET", f"/{name}/export?format=csv", EXPORT) for name in LISTED),
        Call("GET", "/frontages/export?format=csv&full=1", WHOLE_NUMBERS),
    ),
    "exports.template": Call("GET", "/imports/template/people.xlsx", SUPERVISORS),
    # responsibility maps for the wall; an officer's area is grids, a community is none of them
    "wall.page": (Call("GET", "/duties/wall", WALL), Call("GET", "/duties/wall?what=grid&code={grids}", WALL)),
    "wall.give": (
        Call("POST", "/duties/wall", WALL, WALL_OTHER, form={"what": "grid", "code": "{grids}", "paper": "a4"}),
        Call("POST", "/duties/wall", "?+--+++", WALL_OTHER, form={"what": "community", "code": "{communities}"}),
    ),
    "wall.preview": Call("GET", "/duties/wall/preview.png?what=grid&code={grids}&paper=a4", WALL, WALL_OTHER),
    "wall.made": Call("GET", "/duties/wall/made/987654.pdf", WALL, absent=True),
    "wall.one": (
        Call("GET", "/api/v1/wall/grid/{grids}?paper=a4&names=roles", WALL, WALL_OTHER),
        Call("GET", "/api/v1/wall/community/{communities}?format=html", "?+--+++", WALL_OTHER),
    ),
    # files into them
    "imports.index": Call("GET", "/imports", SUPERVISORS),
    "imports.upload": Call("POST", "/imports/upload", SUPERVISORS, file=("files", "x.csv", "姓名\n甲乙\n".encode())),
    "imports.resume": Call("GET", "/imports/{upload}", SUPERVISORS),
    "imports.step": tuple(
        Call("GET", f"/imports/{{upload}}/{step}", SUPERVISORS) for step in ("file", "columns", "place", "verdict")
    ),
    "imports.decide": Call("POST", "/imports/{upload}/file", SUPERVISORS),
    "imports.read_again": Call("POST", "/imports/{upload}/read", SUPERVISORS),
    "imports.judge": Call("POST", "/imports/{upload}/judge", SUPERVISORS),
    "imports.store": Call("POST", "/imports/{upload}/store", SUPERVISORS),
    "imports.drop": Call("POST", "/imports/{upload}/drop", SUPERVISORS),
    "imports.report": Call("GET", "/imports/{upload}/rejects.csv", SUPERVISORS, absent=True),
    "imports.batch": Call("GET", "/imports/batches/{batch}", SUPERVISORS),
    "imports.undo_look": Call("POST", "/imports/batches/{batch}/undo/look", SUPERVISORS),
    "imports.undo": Call("POST", "/imports/batches/{batch}/undo", SUPERVISORS),
    "imports.undo_page": Call("GET", "/imports/batches/{batch}/undo", SUPERVISORS),
    "imports.undo_list": Call("GET", "/imports/batches/{batch}/undo.csv", SUPERVISORS, absent=True),
    # a job is its account's; an import's also of those who import
    "jobs.job": (
        Call("GET", "/jobs/{job_of_viewer}", "?+00000"),
        Call("GET", "/jobs/{import_of_supervisor}", "?0000++"),
    ),
    # from the demo to the office's own data, its settings, its backups
    "pages.own_data": Call("GET", "/admin/demo", ADMINS),
    "pages.remove_demo": Call("POST", "/admin/demo/remove", ADMINS),
    "office.index": Call("GET", "/admin", ADMINS),
    "office.save": Call("POST", "/admin/office/identity", ADMINS, form={"version": "1"}),
    "office.logo": Call("GET", "/office/logo-x.png", OPEN, absent=True),
    "office.distances": Call("GET", "/admin/distances", ADMINS),
    "office.back_up": Call("POST", "/admin/backups", ADMINS),
    "office.backup_state": Call("GET", "/admin/backups/state", ADMINS),
    "office.download": Call("GET", "/admin/backups/steward-20260101-000000.tar.zst", ADMINS, absent=True),
    "office.check": Call("POST", "/admin/backups/steward-20260101-000000.tar.zst/check", ADMINS, absent=True),
}


def calls(of: Call | tuple[Call, ...]) -> tuple[Call, ...]:
    return of if isinstance(of, tuple) else (of,)
