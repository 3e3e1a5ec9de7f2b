"""Many responsibility maps as one job: laid out one after the other, set into one PDF, kept for some days."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.clock import local_date
from service.config import Settings
from service.errors import NotFound
from service.people.access import Area
from service.people.rules import Viewer
from service.places.ground import Ground
from service.records import audit, jobs
from service.records.batches import holds_demo
from service.records.jobs import Work
from service.records.models import Job
from service.records.office import read_office
from service.responsibility.keeper import Responsibility
from service.responsibility.showing import Showing
from service.wall.asked import Asked, check
from service.wall.printing import as_pdf, file_name, lay_out, log_print
from service.wall.sheets import Setting

KIND = "wall.print"
KEPT_DAYS = 7
_FOLDER = "wall"
_SHOWN = 8


def ask_job(session: Session, asked: Asked, viewer: Viewer, actor: audit.Actor, now: datetime) -> Job:
    """The rights are those of the moment in which it is asked for; what was asked has been checked."""
    given = {
        "asked": asked.plain(),
        "viewer": _plain(viewer),
        "actor": {"name": actor.name, "role": actor.role, "address": actor.address},
    }
    return jobs.enqueue(session, KIND, given, actor.account_id, now)


def print_many(work: Work) -> dict[str, Any]:
    """The handler. Run twice it makes the same file again."""
    asked, viewer = Asked.of_plain(work.given["asked"]), _viewer(work.given["viewer"])
    settings, total = work.settings, len(asked.codes)
    work.progress(0, total, "正在读取网格和责任…")
    with work.database.read() as session:
        office, demo = read_office(session, settings), holds_demo(session)
    snapshot = Responsibility(work.database, settings.subdistrict, office.name).on(asked.on)
    check(snapshot, asked, viewer.area)
    setting = Setting(office.name, asked.address, demo, settings.map_approval, work.now, local_date(work.now))
    printed = lay_out(
        Showing(snapshot, viewer, whole=True),
        Ground(work.database).data(),
        asked,
        setting,
        lambda done, _total: work.progress(done, total + 1, f"正在画图，第 {done} 张，共 {total} 张"),
    )
    work.progress(total, total + 1, "正在排成一个 PDF…")
    body = as_pdf(printed, setting)
    _write(path_of(settings, work.job_id), body)
    with work.database.write() as session:
        log_print(session, work.actor, work.now, asked, printed.title, "pdf", len(printed.whole))
    return {
        "name": file_name(printed.title, asked, "pdf"),
        "title": printed.title,
        "sheets": total,
        "size": len(body),
        "whole": len(printed.whole),
    }


def made_by(session: Session, account_id: int) -> list[Job]:
    """Somebody's printings that can still be fetched, the newest first; those under way too."""
    query = select(Job).where(Job.kind == KIND, Job.account_id == account_id).order_by(Job.id.desc()).limit(_SHOWN)
    return list(session.scalars(query))


def path_of(settings: Settings, job_id: int) -> Path:
    return settings.data_dir / _FOLDER / f"{job_id}.pdf"


def kept(settings: Settings, job: Job) -> Path:
    """The file of a job that has ended well. Raises NotFound, in words, when it has been cleared away."""
    path = path_of(settings, job.id)
    if job.state != jobs.DONE or not path.is_file():
        raise NotFound(f"这份责任图还没有做好，或者已经清理（做好的只留 {KEPT_DAYS} 天）。回到责任图页重新打印。")
    return path


def tidy(settings: Settings) -> int:
    """Once a day: files beyond their days; how many."""
    gone = 0
    for path in (settings.data_dir / _FOLDER).glob("*.pdf*"):
        if time.time() - path.stat().st_mtime > KEPT_DAYS * 86_400:
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def _write(path: Path, body: bytes) -> None:
    """Whole or not at all, for the service's own eyes."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_suffix(".pdf.part")
    with os.fdopen(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as out:
        out.write(body)
    part.replace(path)


def _plain(viewer: Viewer) -> dict[str, Any]:
    area = viewer.area
    return {
        "role": viewer.role,
        "public_rule": viewer.public_rule,
        "everywhere": area.everywhere,
        "communities": sorted(area.communities),
        "grids": sorted(area.grids),
        "organisation": area.organisation,
        "person": area.person,
        "subjects": sorted(map(list, area.subjects)),
    }


def _viewer(given: Mapping[str, Any]) -> Viewer:
    area = Area(
        given["everywhere"],
        frozenset(given["communities"]),
        frozenset(given["grids"]),
        given["organisation"],
        given["person"],
        frozenset((kind, code) for kind, code in given["subjects"]),
    )
    return Viewer(given["role"], given["public_rule"], area)
