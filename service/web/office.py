"""/admin: the office's settings section by section, the state of the service, its backups."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request, send_file, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from service.documents.logo import MOST_BYTES, clean_logo
from service.errors import InvalidValue, NotFound
from service.records import audit, office_forms
from service.records.office import LOGO_FOLDER, SECTIONS, offered_basemaps, sections
from service.records.office_actions import ChangedMeanwhile, change, told
from service.safekeeping import shelf, work
from service.web.access import require_right
from service.web.context import actor, now, services
from service.web.office_effects import distance_effect
from service.web.office_page import job_told, page
from service.web.versions import seen_version

bp = Blueprint("office", __name__)
_YEAR = 31_536_000


@bp.get("/admin")
def index() -> str:
    saved = request.args.get("saved")
    return _page(saved=saved if saved in SECTIONS else None)


@bp.post("/admin/office/<section>")
def save(section: str) -> Response | tuple[str, int]:
    """One section. What was typed stays on the page when it is refused."""
    if section not in SECTIONS:
        raise NotFound("没有这一节设置。")
    if section == "backup":
        require_right("backups")
    form: dict[str, Any] = {**request.form.to_dict(), "chosen": "\n".join(request.form.getlist("chosen"))}
    version = seen_version(form.get("version", ""), least=0)
    try:
        with services().database.write() as session:
            values = _read(session, section, form)
            change(session, services().settings, section, values, version, actor(), now())
    except office_forms.Faults as fault:
        return _page(section=section, typed=form, faults=fault.by_field), 422
    except ChangedMeanwhile as fault:
        return _page(section=section, typed=form, stale=fault), 409
    return redirect(url_for("office.index", saved=section, _anchor=section))


def _read(session: Session, section: str, form: dict[str, str]) -> dict[str, Any]:
    """The section's values, the logo's file and the backup's folder looked at. Raises Faults."""
    settings = services().settings
    kept = sections(session, settings)
    key = kept["basemaps"].values["tianditu_key"]
    values = office_forms.read(section, form, kept[section].values, offered_basemaps(settings, key))
    if section == "identity":
        values["logo"] = _logo(values["logo"], form)
    if section == "backup" and values["folder"]:
        folder = Path(values["folder"])
        if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
            raise office_forms.Faults({"folder": f"{folder} 不在，或者服务不能写。先在服务器上建好并给权限。"})
    return values


def _logo(kept: str | None, form: dict[str, str]) -> str | None:
    """The digest of the picture that came, else the one that holds; None when it is taken down. Raises Faults."""
    file = request.files.get("logo")
    if file is None or not file.filename:
        return None if form.get("drop_logo") else kept
    with file.stream:
        data = file.read(MOST_BYTES + 1)
    try:
        picture = clean_logo(data)
    except InvalidValue as fault:
        raise office_forms.Faults({fault.field: fault.message}) from fault
    digest = hashlib.sha256(picture).hexdigest()
    path = _logo_path(digest)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_bytes(picture)
    path.chmod(0o600)
    return digest


def _logo_path(digest: str) -> Path:
    return services().settings.data_dir / LOGO_FOLDER / f"{digest}.png"


@bp.get("/office/logo-<digest>.png")
def logo(digest: str) -> Response:
    """The logo in force; its address changes with it."""
    if digest != services().office.logo or not _logo_path(digest).is_file():
        raise NotFound("没有这张图片。")
    return send_file(_logo_path(digest), mimetype="image/png", max_age=_YEAR)


@bp.get("/admin/distances")
def distances() -> Response:
    """What the distances in the form would do."""
    try:
        given = office_forms.read("distances", request.args, {}, ())
    except office_forms.Faults as fault:
        return jsonify({"faults": fault.by_field})
    return jsonify({"effect": distance_effect(**given)})


@bp.post("/admin/backups")
def back_up() -> Response:
    """Ask the job process for a backup."""
    with services().database.write() as session:
        work.ask(session, actor(), now())
    return redirect(url_for("office.index", _anchor="backup"))


@bp.get("/admin/backups/state")
def backup_state() -> Response:
    """Polled while a backup is being made."""
    with services().database.read() as session:
        return jsonify(job_told(session))


@bp.get("/admin/backups/<name>")
def download(name: str) -> Response:
    """A backup holds everything, passwords' hashes and keys too: who takes it away is in the trail."""
    kept = shelf.one(services().office.backup.folder, name)
    with services().database.write() as session:
        audit.append(
            session, actor(), "backup.download", now(), audit.Subject("backup", name), after={"size": kept.size}
        )
    return send_file(kept.path.resolve(), mimetype="application/zstd", as_attachment=True, download_name=name)


@bp.post("/admin/backups/<name>/check")
def check(name: str) -> Response:
    """Read a backup again and compare every digest; the outcome is in the trail. Raises UnreadableFile."""
    kept = shelf.one(services().office.backup.folder, name)
    shelf.check(kept, now())
    with services().database.write() as session:
        audit.append(session, actor(), "backup.check", now(), audit.Subject("backup", name))
    return redirect(url_for("office.index", _anchor="backup"))


def _page(
    saved: str | None = None,
    section: str | None = None,
    typed: dict[str, str] | None = None,
    faults: dict[str, str] | None = None,
    stale: ChangedMeanwhile | None = None,
) -> str:
    with services().database.read() as session:
        given = page(session)
    return render_template(
        "office/index.html",
        **given,
        saved=saved,
        at_fault=section,
        typed=typed or {},
        faults=faults or {},
        stale=stale.message if stale else None,
        stale_version=stale.current.version if stale else None,
        stale_values=told(stale.current.values) if stale else {},
    )
