"""Which right each route needs. A route without a row stops the start, so that none is open by oversight."""

from __future__ import annotations

from flask import Flask, request

from service.errors import NotAllowed, NotSignedIn
from service.people.access import RIGHTS, reach
from service.people.rules import ROLES
from service.web.context import account

_GRIDS_TOO = ("communities", "grids", "people", "organisations", "places", "streets", "frontages")
_MADE_BY_HAND = tuple(name for name in _GRIDS_TOO if name != "grids")

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
    # the own account, the office's accounts, the trail
    "own_account.index": "own_account",
    "own_account.end_sessions": "own_account",
    "own_account.create_token": "own_account",
    "own_account.end_token": "own_account",
    "accounts.index": "accounts",
    "accounts.new": "accounts",
    "accounts.create": "accounts",
    "accounts.edit": "accounts",
    "accounts.change": "accounts",
    "accounts.step": "accounts",
    "accounts.release_address_lock": "accounts",
    "trail.index": "trail.read",
    # the map and its questions
    "pages.home": "open",
    "pages.map_page": "look",
    "pages.changes": "look",
    "map_data.grids": "look",
    "map_data.faults": "own_account",
    "map_data.ground": "look",
    "map_data.places": "look",
    "chief_layer.chiefs": "look",
    "chief_layer.audit": "duties.audit",
    # what is to be put right about duties
    "duty_audit.index": "duties.audit",
    "duty_audit.export": "duties.audit",
    "duty_audit.as_api": "duties.audit",
    # balanced proposals
    "balance.index": "duties.assign",
    "balance.keep": "duties.assign",
    "balance.proposals": "duties.assign",
    "balance.proposal": "duties.assign",
    "balance.adopt": "duties.assign",
    "balance.drop_proposal": "duties.assign",
    "duties_api.balance_division": "duties.assign",
    "duties_api.proposal_list": "duties.assign",
    "duties_api.proposal_one": "duties.assign",
    "duties_api.proposal_adopt": "duties.assign",
    "map_data.frontages": "look",
    "map_data.clusters": "incidents.read",
    "answer.answer_fragment": "look",
    "search.search": "look",
    # photos of records; the subject's place is judged in photo_subjects
    "photos.subject": "registers.read",
    "photos.show": "registers.read",
    "photos.thumb": "registers.read",
    "photos.add": "photos.add",
    "photos.remove": "photos.remove",
    "api.lookup": "look",
    "api.lookup_batch": "look",
    # whole phone numbers
    "people.reveal": "phones.reveal",
    # files out of the registers, and the empty ones to fill in
    "exports.list": "registers.export",
    "exports.template": "files.import",
    # the registers' interface
    "register_api.rows": "registers.read",
    "register_api.row": "registers.read",
    "register_api.row_history": "registers.read",
    "register_api.create": "registers.write",
    "register_api.bulk": "registers.write",
    "register_api.change": "registers.write",
    "register_api.end": "registers.write",
    "register_api.restore": "registers.write",
    "register_api.incidents": "incidents.read",
    "register_api.incident": "incidents.read",
    "register_api.incident_history": "incidents.read",
    # drawing grids: the area is judged per community of the draft
    **{
        f"drafts_api.{name}": "grids.draw"
        for name in (
            *("list_editions", "list_drafts", "begin", "read", "codes", "take_step", "undo", "redo", "drop"),
            *("since", "preview", "publish", "withdraw"),
        )
    },
    # the registers' pages
    **{f"registers.{name}{page}": "registers.read" for name in _GRIDS_TOO for page in ("", "_one", "_suggest")},
    **{f"registers.{name}{page}": "registers.write" for name in _GRIDS_TOO for page in ("_edit", "_change", "_bulk")},
    **{
        f"registers.{name}{page}": "registers.write"
        for name in _MADE_BY_HAND
        for page in ("_new", "_create", "_end", "_end_post", "_restore")
    },
    # who answers for what: changed by steps; what lies in the area is judged by them (registers.subjects)
    **{
        f"duties.{step}": "duties.assign" for step in ("assign", "assign_post", "subjects", "bulk", "step", "step_post")
    },
    **{f"duties.{step}": "duties.assign" for step in ("edit", "change", "subject_suggest")},
    "duties.answered": "registers.read",
    **{f"duties_api.{step}": "duties.assign" for step in ("create", "change", "copy", "step")},
    "my.index": "own_account",
    **{f"registers.duties{page}": "registers.read" for page in ("", "_one", "_suggest")},
    "registers.incidents": "incidents.read",
    "registers.incidents_one": "incidents.read",
    "registers.view_save": "own_account",
    "registers.view_drop": "own_account",
    # responsibility maps for the wall; which ones lie in the area is judged with the snapshot
    "wall.page": "duties.print",
    "wall.give": "duties.print",
    "wall.preview": "duties.print",
    "wall.made": "duties.print",
    "wall.one": "duties.print",
    # editions, drafts, publishing; the area is judged per community of the draft
    "drafts.editions": "registers.read",
    "drafts.compare": "registers.read",
    "drafts.compare_data": "registers.read",
    "drafts.editor": "grids.draw",
    "drafts.publish": "grids.draw",
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
    # the office's settings and its backups
    "office.index": "office",
    "office.save": "office",
    "office.logo": "open",
    "office.distances": "office",
    "office.back_up": "backups",
    "office.backup_state": "backups",
    "office.download": "backups",
    "office.check": "backups",
}


def register(app: Flask) -> None:
    """Judge every request by its route's row, before anything else reads it."""

    @app.before_request
    def allowed() -> None:
        if request.endpoint is not None:
            require_right(ROUTES[request.endpoint])


def require_right(right: str) -> None:
    """Raises NotSignedIn or NotAllowed, which says who can."""
    who = account()
    if reach(who.role if who else None, right, bool(who and who.demo)) is not None:
        return
    if who is None:
        raise NotSignedIn("请先登录。")
    if who.demo and reach(who.role, right) is not None:
        raise NotAllowed("演示账号不能做备份：备份里有整个系统的密钥。用管理员账号 admin 登录再做。")
    able = [ROLES[role] for role in ("manager", "supervisor", "admin") if role in RIGHTS[right]] or ["管理员"]
    told = "或".join(part for part in ("、".join(able[:-1]), able[-1]) if part)
    raise NotAllowed(f"你的账号（{ROLES[who.role]}）不能做这一步，要由{told}来做。")


def complete(app: Flask) -> None:
    """Raise when a route has no row, or a row no right."""
    missing = [rule.endpoint for rule in app.url_map.iter_rules() if rule.endpoint not in ROUTES]
    unknown = [right for right in ROUTES.values() if right not in RIGHTS]
    if missing or unknown:
        raise RuntimeError(f"routes without a right: {missing}; unknown rights: {unknown}")
