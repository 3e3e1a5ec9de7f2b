"""The audit's findings as a viewer may read them: where they lie, in words, with the way to put each right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from flask import current_app
from sqlalchemy.orm import Session

from service.duties.rules import SUBJECT_KINDS, role_name
from service.people.access import Area
from service.registers.audit_facts import findings
from service.responsibility.audit import (
    AGREEMENT,
    ENDING,
    LEFT,
    LOADED,
    LOST,
    NAMES,
    PHONE,
    SHOP,
    SOON,
    TWICE,
    VACANT,
    Finding,
    Rules,
)
from service.responsibility.showing import Showing
from service.responsibility.snapshot import Snapshot
from service.web.context import services

_PAGES = {
    "grid": "grids",
    "micro_grid": "grids",
    "community": "communities",
    "person": "people",
    "organisation": "organisations",
    "street": "streets",
    "place": "places",
    "frontage": "frontages",
}
_KINDS = SUBJECT_KINDS | {"person": "人员"}


@dataclass(frozen=True)
class Link:
    """Where to go, and what one does there."""

    url: str
    word: str


@dataclass(frozen=True)
class Row:
    """One finding as the page, the file and the interface show it."""

    kind: str
    kind_name: str
    subject_kind: str
    subject_kind_name: str
    code: str
    name: str
    url: str | None
    communities: tuple[tuple[str, str], ...]
    role: str
    role_name: str
    people: tuple[tuple[str, str], ...]
    on: date | None
    words: str
    fix: Link | None


def limits() -> Rules:
    """What the office counts as soon, and as too much."""
    given = services().office.audit
    return Rules(given.days, given.leader_grids, given.officer_grids)


def seen_findings(session: Session, snapshot: Snapshot, area: Area) -> list[Finding]:
    """Those that lie in an area, if only in part."""
    found = findings(session, snapshot, limits())
    if area.everywhere:
        return found
    return [one for one in found if any(area.holds_community(home) for home in one.communities)]


def row_of(one: Finding, showing: Showing, may_assign: bool, may_write: bool) -> Row:
    """A finding with names as the viewer may read them; `fix` only for those who may."""
    snapshot = showing.snapshot
    kind, code = one.subject
    people = tuple((who, _person(showing, who)) for who in one.persons)
    homes = tuple((home, _community(snapshot, home)) for home in one.communities)
    page = _PAGES.get(kind)
    return Row(
        one.kind,
        NAMES[one.kind],
        kind,
        _KINDS.get(kind, kind),
        code,
        (_person(showing, code) if kind == "person" else one.name) or code,
        f"/{page}/{quote(code)}" if page else None,
        homes,
        one.role,
        role_name(one.role) if one.role else "",
        people,
        one.on,
        _words(one, snapshot.on),
        _fix(one, may_assign, may_write),
    )


def _person(showing: Showing, code: str) -> str:
    known = showing.snapshot.persons.get(code)
    name = showing.person(code, known.name if known else None, known.organisation_code if known else None)
    return name or code


def _community(snapshot: Snapshot, code: str) -> str:
    row = snapshot.communities.get(code)
    return row.name if row else code


def _words(one: Finding, today: date) -> str:
    """What is wrong, in one line."""
    role = role_name(one.role) if one.role else ""
    if one.kind == VACANT:
        return f"{one.on} 起没有网格长" if one.on else "没有登记网格长"
    if one.kind == SOON and one.on:
        why = {"ends": "现任到期", "edition": "新版网格生效", "leaves": "现任不在岗"}.get(one.why, "")
        return f"{_ahead(one.on, today)}起没有网格长：{why}"
    if one.kind == TWICE:
        since = f"{one.on} 起" if one.on and one.on != date.min else ""
        return f"{since}同时有 {len(one.persons)} 个{role}"
    if one.kind == LOADED:
        return f"{role}管 {one.count} 个网格，上限 {limits().most[one.role]} 个"
    if one.kind == PHONE:
        return f"担着 {one.count} 项责任，没有登记电话"
    if one.kind == ENDING and one.on:
        return f"{role}到 {one.on - timedelta(days=1)} 为止，之后没有人接"
    if one.kind == LOST:
        return f"{role}指着的{_KINDS.get(one.subject[0], '对象')}已经不在登记里"
    if one.kind == LEFT:
        return f"{role}的人{f'已于 {one.on} 终止登记' if one.on else '不在人员登记里'}"
    if one.kind == AGREEMENT:
        return f"责任书 {one.on} 到期"
    return f"没有{role}" if one.kind != SHOP else "没有登记店长或业主"


def _ahead(day: date, today: date) -> str:
    return f"{(day - today).days} 天后（{day}）"


def _fix(one: Finding, may_assign: bool, may_write: bool) -> Link | None:
    kind, code = one.subject
    if one.kind in (PHONE, SHOP, AGREEMENT):
        return Link(f"/{_PAGES[kind]}/{quote(code)}/edit", "补登记") if may_write else None
    if not may_assign:
        return None
    if one.kind == LOADED:
        asked = [("community", home) for home in one.communities] + [("role", one.role)]
        return Link(f"/duties/balance?{urlencode(asked)}", "均衡")
    if one.kind in (TWICE, ENDING, LOST, LEFT):
        return Link(f"/duties/{quote(one.duties[0])}", "处理") if one.duties else None
    return Link(assign_url([one]), "指派")


def assign_url(found: list[Finding]) -> str:
    """The page that assigns, with the subjects and the role filled in; the day too when all begin then."""
    asked = {"subjects": ",".join(":".join(one.subject) for one in found), "role": found[0].role}
    days = {one.on for one in found if one.kind == SOON}
    if len(days) == 1 and (day := days.pop()):
        asked["from"] = day.isoformat()
    return f"/duties/assign?{urlencode(asked, safe=':,')}"


def may_go(url: str) -> bool:
    """Whether the service has the page."""
    adapter = current_app.url_map.bind("")
    return bool(adapter.test(url.split("?")[0], "GET"))


def plain(row: Row) -> dict[str, Any]:
    """A row for the interface."""
    return {
        "kind": row.kind,
        "kind_name": row.kind_name,
        "subject": {"kind": row.subject_kind, "code": row.code, "name": row.name},
        "communities": [code for code, _ in row.communities],
        "role": row.role or None,
        "role_name": row.role_name or None,
        "people": [{"code": code, "name": name} for code, name in row.people],
        "on": row.on.isoformat() if row.on and row.on != date.min else None,
        "words": row.words,
    }
