"""/duties/wall: responsibility maps to print, and the same for programs under /api/v1/wall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from service.clock import local_date
from service.errors import InvalidValue, NotAllowed, NotFound
from service.maps.offline import offline_page
from service.people.access import reach
from service.records import jobs
from service.records.batches import holds_demo
from service.records.models import Job
from service.responsibility.showing import Showing
from service.responsibility.snapshot import Snapshot
from service.wall import work
from service.wall.asked import NAMES, PAPERS, WHATS, Asked, Choice, ask, check, choices
from service.wall.offline import offline_data
from service.wall.printing import as_pdf, as_picture, contents, file_name, lay_out, log_print, page_title
from service.wall.sheets import Setting
from service.web.context import actor, area, now, parse_day, require_account, services, viewer
from service.web.words import ago

bp = Blueprint("wall", __name__)
RIGHT = "duties.print"
_TYPES = {"pdf": "application/pdf", "html": "text/html; charset=utf-8", "png": "image/png"}
_AT_ONCE = 1


@dataclass(frozen=True)
class _Made:
    """A printing in the list of the page."""

    id: int
    title: str
    state: str
    done: int
    total: int
    says: str
    age: str
    url: str | None


@bp.get("/duties/wall")
def page() -> str:
    """What to print, and what it will look like."""
    who = require_account()
    given = request.args
    what = given.get("what", "")
    if what not in WHATS and what:
        raise InvalidValue("what", f"what=“{what[:20]}”不认识。可用：{'、'.join(WHATS)}。")
    day = parse_day(given.get("on"))
    snapshot = services().responsibility.on(day)
    all_of = {key: choices(snapshot, key, area(RIGHT)) for key in WHATS}
    what = what or next((key for key in WHATS if all_of[key]), "community")
    offered = all_of[what]
    known = {one.code for one in offered}
    chosen = [code for code in given.getlist("code") if code in known] or [one.code for one in offered[:1]]
    paper, names = given.get("paper", "a3"), given.get("names", "names")
    asked = ask(what, chosen, day, paper, names, "") if chosen else None
    with services().database.read() as session:
        made = [_told(job) for job in work.made_by(session, who.id)]
    others = {"on": day.isoformat(), "paper": paper, "names": names}
    return render_template(
        "wall/page.html",
        what=what,
        whats=[(key, len(all_of[key]), _url(what=key, **others)) for key in WHATS],
        groups=_grouped(offered),
        chosen=set(chosen),
        total=len(offered),
        papers=PAPERS,
        paper=paper,
        kinds=NAMES,
        names=names,
        day=day.isoformat(),
        today=local_date(now()).isoformat(),
        preview=_preview_url(asked.only(chosen[0])) if asked else None,
        reveals=reach(who.role, "phones.reveal") is not None,
        address=_address(),
        only_here=_only_here(_address()),
        made=made,
        kept_days=work.KEPT_DAYS,
        asked_code=given.get("code") if given.get("code") not in known else None,
    )


@bp.post("/duties/wall")
def give() -> AnyResponse:
    """One sheet at once; many as a job, whose result the page offers."""
    form = request.form
    day = parse_day(form.get("on"))
    snapshot = services().responsibility.on(day)
    what = form.get("what", "")
    codes = form.getlist("code")
    if form.get("all") and what in WHATS:
        codes = [one.code for one in choices(snapshot, what, area(RIGHT))]
    asked = ask(what, codes, day, form.get("paper", "a3"), form.get("names", "names"), _address())
    check(snapshot, asked, area(RIGHT))
    kind = form.get("form", "pdf")
    if kind not in ("pdf", "html"):
        raise InvalidValue("form", f"form=“{kind[:20]}”不认识。可用：pdf、html。")
    if kind == "html" or len(asked.codes) <= _AT_ONCE:
        return _file(snapshot, asked, kind)
    with services().database.write() as session:
        work.ask_job(session, asked, viewer(), actor(), now())
    return redirect(_url(what=what, on=form.get("on", ""), paper=asked.paper, names=asked.names) + "#made", 303)


@bp.get("/duties/wall/preview.png")
def preview() -> Response:
    """The first sheet as a picture; numbers masked, so that looking isn't an export."""
    asked = _asked(request.args.getlist("code")[:1], request.args.get("what", ""))
    snapshot = services().responsibility.on(asked.on)
    check(snapshot, asked, area(RIGHT))
    setting = _setting(asked)
    printed = lay_out(Showing(snapshot, viewer()), services().ground.data(), asked, setting)
    return _answer(as_picture(printed, setting, asked.paper), "png")


@bp.get("/duties/wall/made/<int:job_id>.pdf")
def made(job_id: int) -> Response:
    """The result of one's own job, as long as one could ask for it again today."""
    who = require_account()
    with services().database.read() as session:
        job = session.get(Job, job_id)
        if job is None or job.kind != work.KIND or job.account_id != who.id:
            raise NotFound(_("没有这份责任图。"))
        path = work.kept(services().settings, job)
        asked, result = Asked.of_plain(job.given["asked"]), dict(job.result or {})
    check(services().responsibility.on(asked.on), asked, area(RIGHT))
    if result["whole"] and reach(who.role, "phones.reveal") is None:
        raise NotAllowed(_("这份责任图上有完整号码，你的账号现在不能看。重新打印一份。"))
    body = path.read_bytes()
    with services().database.write() as session:
        log_print(session, actor(), now(), asked, result["title"], "pdf", result["whole"], "download")
    return _answer(body, "pdf", result["name"])


@bp.get("/api/v1/wall/<what>/<code>")
def one(what: str, code: str) -> Response:
    """`?format=pdf|html|png&paper=a3|a4&names=roles|names|phones&on=`; png is the preview, with masked numbers."""
    kind = request.args.get("format", "pdf")
    if kind not in _TYPES:
        raise InvalidValue("format", f"没有“{kind[:20]}”这种格式。可用：{'、'.join(_TYPES)}。")
    if what not in WHATS:
        raise NotFound(f"没有“{what[:20]}”这一类责任图。可用：{'、'.join(WHATS)}。")
    asked = _asked([code], what)
    snapshot = services().responsibility.on(asked.on)
    check(snapshot, asked, area(RIGHT))
    if kind != "png":
        return _file(snapshot, asked, kind)
    setting = _setting(asked)
    printed = lay_out(Showing(snapshot, viewer()), services().ground.data(), asked, setting)
    return _answer(as_picture(printed, setting, asked.paper), "png")


def _file(snapshot: Snapshot, asked: Asked, kind: str) -> Response:
    """Made now, written down, given."""
    given = services()
    setting, showing = _setting(asked), Showing(snapshot, viewer(), whole=True)
    if kind == "html":
        told, whole = contents(showing, asked)
        title = page_title(asked, [one.title for one in told], given.office.name)
        body = offline_page(offline_data(snapshot, given.ground.data(), told, title, setting)).encode()
    else:
        printed = lay_out(showing, given.ground.data(), asked, setting)
        title, whole, body = printed.title, printed.whole, as_pdf(printed, setting)
    with given.database.write() as session:
        log_print(session, actor(), now(), asked, title, kind, len(whole))
    return _answer(body, kind, file_name(title, asked, kind))


def _answer(body: bytes, kind: str, name: str | None = None) -> Response:
    answer = Response(body, content_type=_TYPES[kind])
    if name is not None:
        answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _asked(codes: Sequence[str], what: str) -> Asked:
    given = request.args
    day = parse_day(given.get("on"))
    return ask(what, codes, day, given.get("paper", "a3"), given.get("names", "names"), _address())


def _setting(asked: Asked) -> Setting:
    given = services()
    with given.database.read() as session:
        demo = holds_demo(session)
    return Setting(given.office.name, asked.address, demo, given.settings.map_approval, now(), local_date(now()))


def _address() -> str:
    """The service's own: as set, else as the browser asked."""
    return services().settings.public_url or request.host_url.rstrip("/")


def _only_here(address: str) -> bool:
    """Whether no phone could open it: an address of this machine only."""
    host = urlsplit(address).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _url(**given: Any) -> str:
    return url_for("wall.page") + "?" + urlencode({key: value for key, value in given.items() if value})


def _preview_url(asked: Asked) -> str:
    told = {"what": asked.what, "code": asked.codes[0], "on": asked.on.isoformat()}
    return url_for("wall.preview") + "?" + urlencode(told | {"paper": asked.paper, "names": asked.names})


def _grouped(offered: Sequence[Choice]) -> list[tuple[str, list[Choice]]]:
    """By community, in order; communities themselves in one group without a name."""
    out: dict[str, list[Choice]] = {}
    for one in offered:
        out.setdefault(one.community, []).append(one)
    return list(out.items())


def _told(job: Job) -> _Made:
    asked = Asked.of_plain(job.given["asked"])
    title = (job.result or {}).get("title") or f"{WHATS[asked.what]}责任图 {len(asked.codes)} 张"
    ready = job.state == jobs.DONE and work.path_of(services().settings, job.id).is_file()
    words = {jobs.WAITING: _("在排队"), jobs.RUNNING: job.message or _("正在做"), jobs.FAILED: job.message or ""}
    says = words.get(job.state) or ("" if ready else _("已清理"))
    detail = f"{PAPERS[asked.paper]}　{NAMES[asked.names]}　{asked.on.isoformat()}"
    url = url_for("wall.made", job_id=job.id) if ready else None
    return _Made(job.id, f"{title}　{detail}", job.state, job.done, job.total, says, ago(job.created_at, now()), url)
