"""The list of imports, one import with what it did, and undoing it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import redirect, render_template, request, send_file, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from service.clock import spoken
from service.errors import NotFound
from service.intake import uploads
from service.intake.applying import SUBJECT
from service.intake.kinds import KINDS
from service.intake.undoing import may_undo, undo_file
from service.people.models import Account
from service.records import batches, jobs
from service.records.models import AuditEntry, ImportBatch, Job, Upload
from service.web.context import actor, now, services
from service.web.imports.blueprint import STEP_WORDS, bp, faults_of, job_view, register_url, root

PAGE = 50
STATES = {
    batches.APPLYING: ("正在存入", "way"),
    batches.DONE: ("已存入", "done"),
    batches.UNDOING: ("正在撤回", "way"),
    batches.UNDONE: ("已撤回", "rep"),
    batches.PARTLY: ("部分撤回", "chk"),
    batches.REMOVED: ("演示，已去掉", "rep"),
}
_UPLOAD_STATES = {
    uploads.LOOKING: "正在读取",
    uploads.JUDGING: "正在核对",
    uploads.JUDGED: "核对好了，等待存入",
    uploads.STORING: "正在存入",
}


@bp.get("")
def index() -> str:
    """Unfinished uploads to go on with, then every import, the latest first."""
    before = request.args.get("before", type=int)
    with services().database.read() as session:
        statement = select(ImportBatch).order_by(ImportBatch.id.desc()).limit(PAGE + 1)
        if before is not None:
            statement = statement.where(ImportBatch.id < before)
        found = list(session.scalars(statement))
        actors = _actors(session, [one.id for one in found])
        names = {row.id: row.display_name for row in session.scalars(select(Account))}
        waiting = [] if before else [_upload_row(one, names) for one in uploads.unfinished(session)]
        total = session.scalar(select(func.count(ImportBatch.id))) or 0
    rows = [_row(one, actors) for one in found[:PAGE]]
    return render_template(
        "imports/index.html",
        rows=rows,
        waiting=waiting,
        total=total,
        more=found[PAGE - 1].id if len(found) > PAGE else None,
        kinds=KINDS.values(),
    )


def _upload_row(one: Upload, names: dict[int, str]) -> dict[str, Any]:
    step = STEP_WORDS[uploads.next_step(one)]
    return {
        "id": one.id,
        "name": one.name,
        "kind": KINDS[one.kind].label if one.kind in KINDS else "",
        "who": names.get(one.account_id, ""),
        "when": spoken(one.created_at),
        "size": one.size,
        "state": _UPLOAD_STATES.get(one.state, f"停在“{step}”"),
        "busy": one.state in uploads.BUSY,
    }


def _actors(session: Session, ids: list[int]) -> dict[str, str]:
    """Who stored each batch, by the trail; by the display name where the account has one."""
    rows = session.execute(
        select(AuditEntry.subject_code, AuditEntry.actor, Account.display_name)
        .outerjoin(Account, Account.name == AuditEntry.actor)
        .where(AuditEntry.subject_kind == SUBJECT, AuditEntry.action == "import.store")
        .where(AuditEntry.subject_code.in_([str(one) for one in ids]))
    )
    return {str(code): display or name for code, name, display in rows}


def _row(one: ImportBatch, actors: dict[str, str]) -> dict[str, Any]:
    words, tone = STATES.get(one.state, (one.state, "rep"))
    return {
        "id": one.id,
        "files": one.files,
        "kind": KINDS[one.kind].label if one.kind in KINDS else one.kind,
        "kind_code": one.kind,
        "who": actors.get(str(one.id), "系统"),
        "when": spoken(one.finished_at or one.started_at),
        "counts": one.counts or {},
        "state": words,
        "tone": tone,
        "demo": one.demo,
        "undoable": not one.demo and one.state in (batches.DONE, batches.PARTLY),
    }


@bp.get("/batches/<int:batch_id>")
def batch(batch_id: int) -> str:
    """One import: what was read, what became of the rows, what was chosen."""
    with services().database.read() as session:
        found = _batch(session, batch_id)
        told = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.subject_kind == SUBJECT, AuditEntry.subject_code == str(batch_id))
            .order_by(AuditEntry.id)
        ).all()
        upload = session.scalar(select(Upload).where(Upload.batch_id == batch_id))
        row = _row(found, _actors(session, [batch_id]))
        entries = [_entry(one.action, one.actor, one.at, one.after or {}) for one in told]
        stored = next((one.after or {} for one in told if one.action == "import.store"), {})
        kept = upload is not None and (uploads.folder_of(upload, root()) / uploads.REJECTS).is_file()
        faults = faults_of(session, upload) if upload is not None and kept else None
        running = _undo_job(session, batch_id)
    return render_template(
        "imports/batch.html",
        row=row,
        entries=entries,
        stored=stored,
        upload=upload,
        verdict=(upload.verdict if upload else None) or {},
        reports=kept,
        faults=faults,
        register=register_url(found.kind),
        undoing=running,
    )


def _entry(action: str, who: str, when: datetime, after: dict[str, Any]) -> dict[str, Any]:
    return {"action": action, "who": who, "when": spoken(when), "after": after}


@bp.post("/batches/<int:batch_id>/undo/look")
def undo_look(batch_id: int) -> Response:
    """Ask for the verdict per row before anything is undone."""
    return _enqueue("import.undo_look", batch_id)


@bp.post("/batches/<int:batch_id>/undo")
def undo(batch_id: int) -> Response:
    """Undo it, as a job."""
    return _enqueue("import.undo", batch_id)


def _enqueue(kind: str, batch_id: int) -> Response:
    who = actor()
    with services().database.write() as session:
        job = jobs.under_way(session, kind, batch=batch_id)
        if job is None:  # a second click finds the first one's
            may_undo(session, batch_id)
            told = {"name": who.name, "role": who.role, "address": who.address}
            job = jobs.enqueue(session, kind, {"batch": batch_id, "actor": told}, who.account_id, now())
        target = url_for("imports.undo_page", batch_id=batch_id, job=job.id)
    return redirect(target, 303)


@bp.get("/batches/<int:batch_id>/undo")
def undo_page(batch_id: int) -> Response | str:
    """How the asked undoing stands: under way, judged row by row, or done."""
    with services().database.read() as session:
        found = _batch(session, batch_id)
        job = session.get(Job, request.args.get("job", 0, type=int))
        if job is None or job.given.get("batch") != batch_id or not job.kind.startswith("import.undo"):
            return redirect(url_for("imports.batch", batch_id=batch_id))
        row = _row(found, _actors(session, [batch_id]))
        return render_template(
            "imports/undo.html",
            row=row,
            job=job_view(job),
            failed=job.message if job.state == jobs.FAILED else None,
            looked=job.kind == "import.undo_look",
            result=job.result or {},
            listed=undo_file(root(), batch_id).is_file(),
        )


@bp.get("/batches/<int:batch_id>/undo.csv")
def undo_list(batch_id: int) -> Response:
    """The verdict of every row."""
    path = undo_file(root(), batch_id)
    if not path.is_file():
        raise NotFound("这份清单已经清理。再看一次撤回会怎样，就又有了。")
    return send_file(path, "text/csv", as_attachment=True, download_name=f"撤回-导入{batch_id}.csv", max_age=0)


def _batch(session: Session, batch_id: int) -> ImportBatch:
    found = session.get(ImportBatch, batch_id)
    if found is None:
        raise NotFound(f"没有编号为 {batch_id} 的导入。")
    return found


def _undo_job(session: Session, batch_id: int) -> int | None:
    """The job that undoes the batch just now."""
    running = session.scalars(select(Job).where(Job.kind == "import.undo", Job.state.in_((jobs.WAITING, jobs.RUNNING))))
    return next((one.id for one in running if one.given.get("batch") == batch_id), None)
