"""The responsibility audit: counts that lead to the list, the list to the fix; as page, file and interface."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request

from service.clock import local_date
from service.documents.spreadsheets import write_csv, write_xlsx
from service.documents.tables import DAY, Chunk, Column, Table
from service.errors import InvalidValue
from service.people.access import reach
from service.records.audit import Subject, append
from service.responsibility.audit import NAMES, URGENT, Finding
from service.responsibility.showing import Showing
from service.web.api import as_json
from service.web.audit_rows import Row, assign_url, limits, may_go, plain, row_of, seen_findings
from service.web.context import actor, area, now, require_account, services, viewer
from service.web.exports import download

bp = Blueprint("duty_audit", __name__)
_PAGE = 100
_MOST_AT_ONCE = 60
_GROUPS = (
    ("网格", ("vacant", "vacant_soon", "overlap")),
    ("人员", ("overloaded", "person_gone", "no_phone")),
    ("责任", ("ending", "subject_gone")),
    ("街路和场所", ("street", "reach", "place")),
    ("门前三包", ("frontage", "agreement")),
)
_ASSIGNED = ("vacant", "vacant_soon", "street", "reach", "place")
_HEADS = (
    Column("问题"), Column("对象类型"), Column("编码", width=20), Column("名称", width=24), Column("社区", width=20),
    Column("职务"), Column("责任人", width=20), Column("日期", DAY, 12), Column("说明", width=40),
)  # fmt: skip


@bp.get("/duties/audit")
def index() -> str:
    """What is to be put right, by kind and community."""
    found, kind, home = _asked()
    counted = Counter(one.kind for one in found)
    chosen = [one for one in found if not kind or one.kind == kind]
    pages = max(1, -(-len(chosen) // _PAGE))
    at = min(max(1, request.args.get("page", 1, int)), pages)
    who = require_account()
    shown = _rows(chosen[(at - 1) * _PAGE : at * _PAGE])
    urgent = sum(counted[one] for one in URGENT)
    return render_template(
        "duties/audit.html",
        groups=[(word, [(one, NAMES[one], counted[one], one in URGENT) for one in kinds]) for word, kinds in _GROUPS],
        kind=kind,
        kind_name=NAMES.get(kind, ""),
        home=home,
        homes=_homes(),
        rows=shown,
        total=len(chosen),
        all=len(found),
        urgent=urgent,
        first=(at - 1) * _PAGE + 1 if chosen else 0,
        number=at,
        pages=pages,
        url=_url,
        limits=limits(),
        assign=_assign_all(chosen, kind),
        may_export=reach(who.role, "registers.export") is not None,
        balance=reach(who.role, "duties.assign") is not None,
        office_settings=reach(who.role, "office") is not None,
        today=local_date(now()),
    )


@bp.get("/duties/audit/export")
def export() -> Response:
    """The list with its filters as XLSX or CSV, names by the viewer's right."""
    form = request.args.get("format", "xlsx")
    if form not in ("xlsx", "csv"):
        raise InvalidValue("format", f"不能导出“{form[:20]}”。可用的格式：xlsx、csv。")
    found, kind, home = _asked()
    rows = _rows([one for one in found if not kind or one.kind == kind])
    day = local_date(now())
    with tempfile.TemporaryDirectory(prefix="audit-") as folder:
        target = Path(folder) / f"out.{form}"
        table = Table("责任检查", _HEADS, [Chunk([_cells(one) for one in rows])])
        (write_xlsx if form == "xlsx" else write_csv)(target, table)
        file, size = target.open("rb"), target.stat().st_size
    with services().database.write() as session:
        told = {"format": form, "rows": len(rows), "kind": kind or None, "community": home or None}
        append(session, actor(), "duties_audit.export", now(), Subject("duties_audit"), after=told)
    mimetype = "text/csv" if form == "csv" else "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return download(file, size, f"责任检查-{day.isoformat()}.{form}", mimetype)


@bp.get("/api/v1/duties/audit")
def as_api() -> Response:
    """{"on", "counts": {kind: n}, "findings": […]}; `kind=` and `community=` narrow it."""
    found, kind, _ = _asked()
    counted = Counter(one.kind for one in found)
    rows = _rows([one for one in found if not kind or one.kind == kind])
    rules = limits()
    return as_json(
        {
            "on": local_date(now()).isoformat(),
            "days": rules.days,
            "most_grids": dict(rules.most),
            "counts": {one: counted[one] for one in NAMES},
            "findings": [plain(one) for one in rows],
        }
    )


def _asked() -> tuple[list[Finding], str, str]:
    """(findings of the asker's area and of the community asked for, the kind asked for, the community)."""
    kind, home = request.args.get("kind", ""), request.args.get("community", "")
    if kind and kind not in NAMES:
        raise InvalidValue("kind", f"没有“{kind[:20]}”这类问题。可用：{'、'.join(NAMES)}。")
    given = services()
    snapshot = given.responsibility.on(local_date(now()))
    if home and home not in snapshot.communities:
        raise InvalidValue("community", f"没有编码是“{home[:20]}”的社区。")
    with given.database.read() as session:
        found = seen_findings(session, snapshot, area("duties.audit"))
    return [one for one in found if not home or home in one.communities], kind, home


def _rows(found: list[Finding]) -> list[Row]:
    who = require_account()
    may_write = reach(who.role, "registers.write") is not None
    showing = Showing(services().responsibility.on(local_date(now())), viewer())
    return [row_of(one, showing, _may_assign(one), may_write) for one in found]


def _may_assign(one: Finding) -> bool:
    """Whether all of it is the asker's to assign: a street into another community is the supervisor's."""
    if reach(require_account().role, "duties.assign") is None:
        return False
    mine = area("duties.assign")
    return mine.everywhere or all(mine.holds_community(home) for home in one.communities)


def _homes() -> list[tuple[str, str]]:
    """Communities of the asker's area."""
    mine = area("duties.audit")
    rows = services().responsibility.on(local_date(now())).communities.values()
    return [(row.code, row.name) for row in rows if mine.holds_community(row.code)]


def _assign_all(chosen: list[Finding], kind: str) -> dict[str, Any] | None:
    """One page on which all of a kind are assigned, when there are several and they need the same role."""
    own = [one for one in chosen if _may_assign(one)] if kind in _ASSIGNED else []
    same = [one for one in own if one.role == own[0].role][:_MOST_AT_ONCE]
    if len(same) < 2:
        return None
    url = assign_url(same)
    return {"url": url, "n": len(same)} if may_go(url) else None


def _url(**changed: object) -> str:
    """The page's address with some of it changed."""
    now_ = {"kind": request.args.get("kind", ""), "community": request.args.get("community", "")}
    told = urlencode({name: word for name, word in (now_ | changed).items() if word not in ("", None)})
    return f"/duties/audit{'?' + told if told else ''}"


def _cells(row: Row) -> tuple[Any, ...]:
    homes = "、".join(name for _, name in row.communities)
    people = "、".join(name for _, name in row.people)
    on = row.on if row.on and row.on.year > 1 else None
    return (row.kind_name, row.subject_kind_name, row.code, row.name, homes, row.role_name, people, on, row.words)
