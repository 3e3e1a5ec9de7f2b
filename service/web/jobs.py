"""How far a job has come; asked by the page that waits for it."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from service.errors import NotFound
from service.people.access import reach
from service.records import jobs
from service.records.models import Job
from service.web.context import require_account, services

bp = Blueprint("jobs", __name__)


@bp.get("/jobs/<int:job_id>")
def job(job_id: int) -> Response:
    """State and progress; `result` once it is done. One's own jobs, those of imports for who may import, those that a
    published edition brought for who may draw."""
    who = require_account()
    with services().database.read() as session:
        found = session.get(Job, job_id)
    if found is None or (found.account_id != who.id and not _concerns(found, who.role)):
        raise NotFound(f"没有编号为 {job_id} 的任务。")
    answer = jsonify(
        {
            "id": found.id,
            "kind": found.kind,
            "state": found.state,
            "done": found.done,
            "total": found.total,
            "message": found.message,
            "result": found.result if found.state in jobs.ENDED else None,
        }
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _concerns(found: Job, role: str) -> bool:
    """Whether a job that somebody else asked for is the role's business."""
    right = "grids.draw" if found.kind == jobs.RELOCATE else "files.import" if found.kind.startswith("import.") else ""
    return bool(right) and reach(role, right) is not None
