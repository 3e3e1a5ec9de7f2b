"""Reading the trail: what was done, by whom, to what, in which period; the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session

from service.errors import NotFound
from service.records.models import AuditEntry

AT_ONCE = 50


@dataclass(frozen=True)
class Group:
    """Actions that belong together: LIKE patterns, and those that don't count although they fit."""

    word: str
    patterns: tuple[str, ...]
    but: tuple[str, ...] = ()


GROUPS = {
    "signing": Group("登录", ("sign_in", "sign_out", "account.lock", "address.%")),
    "refusals": Group("拒绝", ("request.refuse",)),
    "accounts": Group("账号与令牌", ("account.%", "token.%"), ("account.lock",)),
    "registers": Group(
        "登记册",
        ("%.create", "%.change", "%.end", "%.restore", "duty.%", "%.bulk%", "%.photo%", "%.attach%", "%.remove%"),
        ("account.%", "token.%", "office.%", "backup.%", "import.%", "demo.%"),
    ),
    "imports": Group("导入", ("import.%", "upload.%", "demo.%")),
    "disclosure": Group("查看号码与导出", ("%.reveal%", "%.export%")),
    "office": Group("设置与备份", ("office.%", "backup.%", "job.%")),
}


@dataclass(frozen=True)
class Question:
    """Filters; None leaves one open. `since <= at < until`."""

    since: datetime | None = None
    until: datetime | None = None
    actor: str | None = None
    group: str | None = None
    kind: str | None = None
    code: str | None = None
    ok: bool | None = None


@dataclass(frozen=True)
class TrailPage:
    """`lines`: the newest first, below the number asked for; `total` and `failed` count what the filters let in,
    whatever became of it."""

    lines: Sequence[AuditEntry]
    more: bool
    total: int
    failed: int


def page(session: Session, asked: Question, below: int | None = None, at_once: int = AT_ONCE) -> TrailPage:
    """One page. `below`: only lines with a smaller number."""
    criteria = _criteria(asked)
    wanted = select(AuditEntry).where(*criteria).order_by(AuditEntry.id.desc()).limit(at_once + 1)
    if below is not None:
        wanted = wanted.where(AuditEntry.id < below)
    lines = list(session.scalars(wanted))
    counted = _criteria(replace(asked, ok=None))
    failed = func.coalesce(func.sum(case((AuditEntry.ok.is_(False), 1), else_=0)), 0)
    total, bad = session.execute(select(func.count(), failed).select_from(AuditEntry).where(*counted)).one()
    return TrailPage(lines[:at_once], len(lines) > at_once, int(total), int(bad))


def line(session: Session, number: int) -> AuditEntry:
    """One line. Raises NotFound."""
    entry = session.get(AuditEntry, number)
    if entry is None:
        raise NotFound(f"操作记录里没有第 {number} 行。")
    return entry


def kinds(session: Session) -> list[str]:
    """The kinds of subject that occur."""
    found = session.scalars(select(AuditEntry.subject_kind).distinct().order_by(AuditEntry.subject_kind))
    return [kind for kind in found if kind]


def _criteria(asked: Question) -> list[ColumnElement[bool]]:
    out: list[ColumnElement[bool]] = []
    if asked.since is not None:
        out.append(AuditEntry.at >= asked.since)
    if asked.until is not None:
        out.append(AuditEntry.at < asked.until)
    if asked.actor is not None:
        out.append(AuditEntry.actor == asked.actor)
    if asked.group is not None:
        group = GROUPS[asked.group]
        out.append(or_(*(AuditEntry.action.like(pattern) for pattern in group.patterns)))
        out += [AuditEntry.action.not_like(pattern) for pattern in group.but]
    if asked.kind is not None:
        out.append(AuditEntry.subject_kind == asked.kind)
    if asked.code is not None:
        out.append(or_(AuditEntry.subject_code == asked.code, AuditEntry.subject_name == asked.code))
    if asked.ok is not None:
        out.append(AuditEntry.ok.is_(asked.ok))
    return out
