"""All that /admin shows: the settings with their versions, what each does, the state of the service, the backups."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import current_app, url_for
from sqlalchemy import func, select
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from service import locks
from service.basemaps import in_folder
from service.clock import spoken
from service.db.base import Base
from service.people.access import reach
from service.records.batches import holds_demo
from service.records.models import AuditEntry, Job
from service.records.office import BASEMAP_FOLDER, SECTIONS, Section, offered_basemaps, sections
from service.safekeeping import making, retention, shelf
from service.safekeeping.schedule import last_hour
from service.safekeeping.work import KIND, under_way
from service.web.context import asked_day, now, require_account, services
from service.web.map_config import office_bounds
from service.web.office_effects import basemap_hosts, distance_effect, public_previews

_REGISTERS = (
    ("communities", "社区"),
    ("grids", "网格"),
    ("persons", "人员"),
    ("organisations", "单位"),
    ("duties", "责任"),
    ("frontages", "门前三包"),
    ("places", "场所"),
    ("streets", "街路"),
    ("buildings", "建筑"),
    ("incidents", "事项"),
)
_URLS = {"persons": "people"}
# (endpoint, word, what for, icon): the other rooms of an administrator, where they exist.
_ROOMS = (
    ("accounts.index", "账号", "谁能登录，做什么，管哪里", "person"),
    ("trail.index", "操作记录", "谁在什么时候改了什么", "history"),
    ("imports.index", "导入", "把表格和图层读进来", "export"),
)


def page(session: Session) -> dict[str, Any]:
    """What templates/office/index.html reads."""
    given, who = services(), require_account()
    settings, office = given.settings, given.office
    kept = sections(session, settings)
    return {
        "sections": SECTIONS,
        "kept": {name: _shown(one) for name, one in kept.items()},
        "changed": {name: _last_change(session, name) for name in SECTIONS},
        "rooms": _rooms(session),
        "state": _state(session),
        "frame": office_bounds(given.responsibility.on(asked_day()), given.ground.data()),
        "offered": _offered(kept["basemaps"]),
        "own_folder": str(settings.data_dir / BASEMAP_FOLDER),
        "own_faults": in_folder(settings.data_dir / BASEMAP_FOLDER)[1],
        "hosts": basemap_hosts(),
        "effect": distance_effect(office.border_m, office.frontage_m, office.here_m, office.street_m, office.place_m),
        "previews": public_previews(),
        "aged": retention.aged(session, office.retention, settings.data_dir, now()),
        "backup": _backup(session),
        "may_back_up": reach(who.role, "backups", who.demo) is not None,
        "moment": spoken,
    }


def _shown(section: Section) -> dict[str, Any]:
    """A section as the form shows it: of a key only that there is one."""
    values = {name: value for name, value in section.values.items() if name != "tianditu_key"}
    return values | {"version": section.version, "has_key": bool(section.values.get("tianditu_key"))}


def _last_change(session: Session, section: str) -> tuple[str, str] | None:
    """(moment, who) of a section's last change."""
    query = (
        select(AuditEntry.at, AuditEntry.actor)
        .where(AuditEntry.subject_kind == "office", AuditEntry.subject_code == section)
        .where(AuditEntry.action == "office.change")
        .order_by(AuditEntry.id.desc())
        .limit(1)
    )
    found = session.execute(query).first()
    return (spoken(found.at), found.actor) if found else None


def _rooms(session: Session) -> list[dict[str, str]]:
    known = current_app.view_functions
    out = [
        {"url": url_for(endpoint), "word": word, "help": what, "icon": sign}
        for endpoint, word, what, sign in _ROOMS
        if endpoint in known
    ]
    out.append({"url": "#backup", "word": "数据备份", "help": "现在备份、定时、下载", "icon": "lock"})
    if holds_demo(session):
        own = {"word": "换成我们自己的数据", "help": "删除演示数据，别的不动", "icon": "out"}
        out.append({"url": url_for("pages.own_data"), **own})
    return out


def _state(session: Session) -> dict[str, Any]:
    given = services()
    database, settings = given.database, given.settings
    if database.path is not None:
        kind, where = "GeoPackage", str(database.path)
    else:
        url = make_url(database.url)
        kind, where = "PostgreSQL", f"{url.host or '本机'}{f':{url.port}' if url.port else ''}/{url.database}"
    good = shelf.last_good(session)
    return {
        "version": making.service_version(),
        "database": kind,
        "where": where,
        "size": making.store_bytes(database),
        "folder": str(settings.data_dir),
        "jobs": locks.held(settings.data_dir / locks.JOBS),
        "workers": settings.workers,
        "last_backup": shelf.age_text(good.at, now()) if good else None,
        "stale": good is None or now() - good.at > shelf.STALE,
        "rows": [(word, _count(session, table), _list_url(table)) for table, word in _REGISTERS],
    }


def _count(session: Session, table: str) -> int:
    return session.scalar(select(func.count()).select_from(Base.metadata.tables[table])) or 0


def _list_url(table: str) -> str | None:
    endpoint = f"registers.{_URLS.get(table, table)}"
    return url_for(endpoint) if endpoint in current_app.view_functions else None


def _offered(kept: Section) -> list[dict[str, Any]]:
    """Base maps to choose from, Tianditu also while it has no key yet."""
    settings, chosen = services().settings, kept.values["chosen"]
    offered = offered_basemaps(settings, kept.values["tianditu_key"] or "?")
    return [
        {
            "id": one.id,
            "label": one.label,
            "kind": "own" if one.url.startswith("/") else "public",
            "crs": one.crs,
            "chosen": one.id in chosen,
        }
        for one in sorted(offered.values(), key=lambda one: one.url.startswith("/"))
    ]


def _backup(session: Session) -> dict[str, Any]:
    plan, tried = services().office.backup, shelf.last_try(session)
    return {
        "plan": plan,
        "folder": str(plan.folder),
        "kept": shelf.listed(plan.folder),
        "failed": tried if tried is not None and not tried.ok else None,
        "next": spoken(last_hour(now(), plan) + timedelta(days=1)) if plan.on else None,
        "job": job_told(session),
        "age": lambda then: shelf.age_text(then, now()),
    }


def job_told(session: Session) -> dict[str, Any]:
    """How the backup that was asked for stands: state and words."""
    job = under_way(session)
    if job is not None:
        alive = locks.held(services().settings.data_dir / locks.JOBS)
        words = {"waiting": "排着队", "running": "正在备份"}[job.state] if alive else "排着队，但后台任务进程没有运行"
        return {"state": job.state, "words": words, "id": job.id}
    last = session.scalar(select(Job).where(Job.kind == KIND).order_by(Job.id.desc()).limit(1))
    if last is not None and last.state == "failed":
        return {"state": "failed", "words": last.message or "没有做成", "id": last.id}
    return {"state": "idle", "words": "", "id": last.id if last else None}
