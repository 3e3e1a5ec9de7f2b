"""The blueprint, and what its pages share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Blueprint, current_app, render_template, url_for
from sqlalchemy.orm import Session

from service.clock import local_date, spoken
from service.intake import uploads
from service.intake.kinds import KINDS
from service.intake.looking import SAMPLE, sample_of
from service.intake.place import own_area
from service.intake.run import mapped_sample
from service.intake.whereabouts import outlines_of
from service.records import jobs
from service.records.models import Job, Upload
from service.web.context import now, services
from service.web.imports.fault_picture import FaultPicture, draw_faults

bp = Blueprint("imports", __name__, url_prefix="/imports")
STEP_WORDS = {"file": "文件", "columns": "对应列", "place": "坐标", "verdict": "核对"}


def root() -> Path:
    return services().settings.data_dir


def job_view(job: Job | None) -> dict[str, Any] | None:
    """What a progress bar needs."""
    if job is None:
        return None
    return {
        "id": job.id,
        "state": job.state,
        "done": job.done,
        "total": job.total,
        "message": job.message or ("排队等候…" if job.state == jobs.WAITING else "正在处理…"),
        "ended": job.state in jobs.ENDED,
        "url": url_for("jobs.job", job_id=job.id),
    }


def steps_view(upload: Upload, here: str) -> list[dict[str, Any]]:
    """The steps with what is done, where one is, and which can be gone back to."""
    steps, done = uploads.steps_of(upload), upload.chosen.get("done", [])
    reachable = steps[: steps.index(uploads.next_step(upload)) + 1]
    return [
        {
            "word": STEP_WORDS[step],
            "url": url_for("imports.step", upload_id=upload.id, step=step) if step in reachable else None,
            "here": step == here,
            "done": step in done and step != here,
        }
        for step in steps
    ]


def page(name: str, session: Session, upload: Upload, here: str, **more: Any) -> str:
    """A page of the wizard."""
    kind = KINDS.get(upload.kind)
    return render_template(
        f"imports/{name}.html",
        upload=upload,
        kind=kind,
        steps=steps_view(upload, here),
        job=job_view(uploads.job_of(session, upload)),
        uploaded_at=spoken(upload.created_at),
        **more,
    )


def faults_of(session: Session, upload: Upload) -> FaultPicture | None:
    """Where the file doesn't tile, as far as its reports and its sample are still kept."""
    folder = uploads.folder_of(upload, root())
    if not (folder / uploads.FAULTS).is_file() or not (folder / SAMPLE).is_file():
        return None
    sample = sample_of(folder, upload.name)
    request = uploads.request_of(upload, root(), dry_run=True)
    values = mapped_sample(uploads.kind_of(upload), sample, request)
    named = "code" in values and "name" in values
    pairs = zip(values["code"], values["name"], strict=True) if named else ()
    names = {str(code): str(name) for code, name in pairs if code is not None and name}
    shapes = outlines_of(sample, upload.chosen.get("crs"))
    return draw_faults(folder / uploads.FAULTS, shapes, own_area(session, local_date(now())), names)


def register_url(kind: str) -> str:
    """Where the records of a kind are kept: their list where there is one, else the map."""
    endpoint = f"registers.{kind}"
    return url_for(endpoint) if endpoint in current_app.view_functions else url_for("pages.map_page")
