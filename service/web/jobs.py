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
    """State and progress; `result` once it is done. One's own jobs, and those of imports for who may import."""
    who = require_account()
    with services().database.read() as session:
        found = session.get(Job, job_id)
    importing = found is not None and found.kind.startswith("import.") and reach(who.role, "files.import") is not None
    if found is None or (found.account_id != who.id and not importing):
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
