"""Which right each route needs. A route without a row stops the start, so that none is open by oversight."""

from __future__ import annotations

from flask import Flask, request

from service.errors import NotAllowed, NotSignedIn
from service.people.access import RIGHTS, reach
from service.people.rules import ROLES
from service.web.context import account

# endpoint: right. How far within the area is judged where the rows are known (context.area, the registers).
ROUTES: dict[str, str] = {
    # the frame
    "static": "open",
    "pages.map_modules": "open",
    "pages.healthz": "open",
    "basemap_files.pmtiles": "open",
    "basemap_files.tile": "open",
    # signing in
    "sign_in.login": "open",
    "sign_in.login_post": "open",
    "sign_in.demo_entry": "open",
    "sign_in.logout": "open",
    "sign_in.password": "own_account",
    "sign_in.password_post": "own_account",
    # the map and its questions
    "pages.home": "open",
    "pages.map_page": "look",
    "pages.changes": "look",
    "map_data.grids": "look",
    "map_data.faults": "own_account",
    "map_data.ground": "look",
    "map_data.places": "look",
    "map_data.frontages": "look",
    "map_data.clusters": "incidents.read",
    "answer.answer_fragment": "look",
    "search.search": "look",
    "api.lookup": "look",
    "api.lookup_batch": "look",
    # files through the browser
    "imports.index": "files.import",
    "imports.upload": "files.import",
    "imports.resume": "files.import",
    "imports.step": "files.import",
    "imports.decide": "files.import",
    "imports.read_again": "files.import",
    "imports.judge": "files.import",
    "imports.store": "files.import",
    "imports.drop": "files.import",
    "imports.report": "files.import",
    "imports.batch": "files.import",
    "imports.undo_look": "files.import",
    "imports.undo": "files.import",
    "imports.undo_page": "files.import",
    "imports.undo_list": "files.import",
    "jobs.job": "own_account",
    # from the demo to the office's own data
    "pages.own_data": "office",
    "pages.remove_demo": "office",
}


def register(app: Flask) -> None:
    """Judge every request by its route's row, before anything else reads it."""

    @app.before_request
    def allowed() -> None:
        if request.endpoint is None:
            return
        who = account()
        right = ROUTES[request.endpoint]
        if reach(who.role if who else None, right) is not None:
            return
        if who is None:
            raise NotSignedIn("请先登录。")
        able = "或".join(ROLES[role] for role in ("supervisor", "admin") if role in RIGHTS[right]) or "管理员"
        raise NotAllowed(f"你的账号（{ROLES[who.role]}）不能做这一步，要由{able}来做。")


def complete(app: Flask) -> None:
    """Raise when a route has no row, or a row no right."""
    missing = [rule.endpoint for rule in app.url_map.iter_rules() if rule.endpoint not in ROUTES]
    unknown = [right for right in ROUTES.values() if right not in RIGHTS]
    if missing or unknown:
        raise RuntimeError(f"routes without a right: {missing}; unknown rights: {unknown}")
