"""The map page, its front door, its health, and the step from the demo to the office's own data."""

from __future__ import annotations

from flask import Blueprint, current_app, jsonify, redirect, render_template, request, session, url_for
from flask_wtf.csrf import generate_csrf
from sqlalchemy import text
from werkzeug.wrappers import Response

from service.errors import NotFound
from service.maps import render_map
from service.maps.script import STARTS, map_script
from service.people.access import reach
from service.people.rules import ROLES
from service.records.batches import holds_demo
from service.records.counters import read_all
from service.registers.kinds import REGISTERS
from service.registers.rules import may_hold
from service.web import sessions
from service.web.access import ROUTES
from service.web.context import account, actor, now, own_area, require_look, require_role, services, viewer
from service.web.duty_pages import duty_pages
from service.web.map_config import map_config, page_counts
from service.web.security import nonce

bp = Blueprint("pages", __name__)


@bp.get("/")
def home() -> Response:
    return redirect(url_for("pages.map_page"))


@bp.get("/map")
def map_page() -> str:
    """The map; the lookup, search and filters all happen on it."""
    asking = require_look()
    who = account()
    with services().database.read() as store:
        demo = holds_demo(store)
    config = map_config(asking, demo)
    parts = render_map(config)
    return render_template(
        "map/page.html",
        map_head=parts.head,
        map_body=parts.body,
        map_script=parts.script,
        config=config,
        counts=page_counts(asking, now()),
        categories=config["categories"],
        demo=demo,
        own_data=bool(demo and who and who.role == "admin"),
    )


@bp.get("/static/js/map/all-<digest>.js")
def map_modules(digest: str) -> Response:
    """The script of the map page; its address changes with its content."""
    script = next((one for start in STARTS if (one := map_script(start)).digest == digest), None)
    if script is None:
        raise NotFound("没有这个文件。")
    response = Response(script.packed, mimetype="text/javascript")
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


@bp.get("/healthz")
def healthz() -> Response:
    """200 when the database answers."""
    with services().database.read() as store:
        store.execute(text("SELECT 1"))
    return jsonify({"status": "ok"})


@bp.get("/changes")
def changes() -> Response:
    """What moved since `since`; polled by open pages, 304 while nothing did."""
    require_look()
    with services().database.read() as store:
        values = read_all(store)
    token = ".".join(str(values[name]) for name in sorted(values))
    asked = request.args.get("since", "").split(".")
    changed = [name for name, before in zip(sorted(values), asked, strict=False) if before != str(values[name])]
    response = jsonify({"since": token, "changed": changed if len(asked) == len(values) else []})
    response.set_etag(token)
    response.headers["Cache-Control"] = "private, no-cache"
    return response.make_conditional(request)


@bp.get("/admin/demo")
def own_data() -> str:
    """Before the demo goes: what will be removed and what stays."""
    require_role("admin")
    return render_template("account/start_own_data.html")


@bp.post("/admin/demo/remove")
def remove_demo() -> Response:
    """'Start with our own data': removes the demo and nothing else. Everybody but the asker signs in anew."""
    require_role("admin")
    given = services()
    current_app.extensions["steward_remove_demo"](
        given.database, now(), actor(), given.settings.renew_session_secret, sessions.secret_of(session)
    )
    session.modified = True  # signed with the new key
    return redirect(url_for("pages.map_page"))


# (endpoint, word, icon): the bar's places, for those whose role may read them.
_PLACES = (
    ("pages.map_page", "地图", "map"),
    ("my.index", "我的", "house"),
    ("registers.frontages", "三包", "shop"),
    ("registers.grids", "网格", "layers"),
    ("registers.duties", "责任", "person"),
    ("registers.incidents", "事项", "list"),
    ("registers.people", "人员", "me"),
    ("imports.index", "导入", "export"),
    ("office.index", "管理", "columns"),
)


# Registers that stand in the tab row of another one's page, and the rooms of the office's page.
_BESIDE = {
    "communities": "grids",
    "organisations": "people",
    "places": "frontages",
    "streets": "frontages",
    "accounts": "admin",
    "trail": "admin",
}


def navigation() -> list[dict[str, object]]:
    """The bar's links: what the asker's role may read; none before the first password is changed."""
    who = account()
    if who is None or who.must_change:
        return []
    known = current_app.view_functions
    first = request.path.split("/")[1]
    first = _BESIDE.get(first, first)
    return [
        {"url": url_for(endpoint), "word": word, "icon": sign, "here": url_for(endpoint).split("/")[1] == first}
        for endpoint, word, sign in _PLACES
        if endpoint in known and reach(who.role, ROUTES[endpoint]) is not None and not _always_empty(endpoint)
    ]


def _always_empty(endpoint: str) -> bool:
    """Whether the asker's area can't hold a single row of the register behind the link."""
    register = REGISTERS.get(endpoint.removeprefix("registers."))
    return register is not None and not may_hold(register.area, own_area())


# (endpoint, letter, word, English): where g and a letter lead.
_GOES = (
    ("pages.map_page", "m", "地图", "map"),
    ("registers.frontages", "f", "门前三包", "frontages"),
    ("registers.places", "l", "场所", "places"),
    ("registers.streets", "s", "街路", "streets"),
    ("registers.grids", "g", "网格", "grids"),
    ("registers.communities", "c", "社区", "communities"),
    ("registers.incidents", "i", "事项", "incidents"),
    ("registers.duties", "r", "责任", "duties"),
    ("my.index", "y", "我的", "my duties"),
    ("registers.people", "p", "人员", "people"),
    ("registers.organisations", "o", "单位", "organisations"),
    ("imports.index", "d", "导入", "imports"),
    ("office.index", "a", "管理", "office"),
    ("accounts.index", "u", "账号", "accounts"),
    ("trail.index", "t", "操作记录", "trail"),
)


def goes() -> list[dict[str, str]]:
    """The pages that the asker's role may read, each with its letter."""
    who = account()
    if who is None or who.must_change:
        return []
    return [
        {"url": url_for(endpoint), "letter": letter, "word": word, "english": english}
        for endpoint, letter, word, english in _GOES
        if endpoint in current_app.view_functions
        and reach(who.role, ROUTES[endpoint]) is not None
        and not _always_empty(endpoint)
    ]


def page_context() -> dict[str, object]:
    """What every template may use."""
    who = account()
    office = services().office
    return {
        "office": {"name": office.name, "hotline": office.hotline, "logo": office.logo},
        "account": {
            "name": who.display_name,
            "role": who.role,
            "role_name": ROLES[who.role],
            "initial": who.display_name[:1],
        }
        if who
        else None,
        "nav": navigation(),
        "goes": goes(),
        "duty_pages": duty_pages,
        "may_search": viewer().may_look and not (who and who.must_change),
        "nonce": nonce(),
        "csrf_token": generate_csrf(),
    }
