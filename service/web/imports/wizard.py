"""The steps from an uploaded file to the register. Each has an address, so that it can be left and found again."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import redirect, request, send_file, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from service.clock import local_date
from service.errors import InvalidValue, NotFound
from service.files.mapping import recognised
from service.geo.crs import parse_crs
from service.intake import uploads
from service.intake.kinds import KINDS
from service.intake.looking import SAMPLE, sample_of
from service.intake.whereabouts import Whereabouts, where
from service.intake.words import for_browser
from service.records.models import Upload
from service.web.context import account, actor, now, services
from service.web.imports.blueprint import bp, faults_of, page, root
from service.web.imports.picture import draw

ENCODINGS = ("UTF-8", "GBK", "GB18030", "UTF-16", "Big5")
_LONGEST = 200


@bp.get("/<int:upload_id>")
def resume(upload_id: int) -> Response:
    """Where the upload was left."""
    with services().database.read() as session:
        upload = uploads.one(session, upload_id)
        if upload.state == uploads.STORED and upload.batch_id is not None:
            return redirect(url_for("imports.batch", batch_id=upload.batch_id))
        step = "verdict" if upload.state in (uploads.STORING, uploads.JUDGING) else uploads.next_step(upload)
    return redirect(url_for("imports.step", upload_id=upload_id, step=step))


@bp.get("/<int:upload_id>/<any(file, columns, place, verdict):step>")
def step(upload_id: int, step: str) -> Response | str:
    """One step; while a job works on the upload, how far it has come."""
    with services().database.read() as session:
        upload = uploads.one(session, upload_id)
        if upload.state == uploads.STORED:
            return redirect(url_for("imports.resume", upload_id=upload_id))
        if upload.state in uploads.BUSY:
            return page("busy", session, upload, "file" if upload.state == uploads.LOOKING else "verdict")
        if step not in uploads.steps_of(upload) or _behind(upload, step):
            return redirect(url_for("imports.step", upload_id=upload_id, step=uploads.next_step(upload)))
        return _PAGES[step](session, upload, {}, None)


@bp.post("/<int:upload_id>/<any(file, columns, place, verdict):step>")
def decide(upload_id: int, step: str) -> Response | tuple[str, int]:
    """What was decided in a step; a mistake shows the step again with what was typed."""
    try:
        with services().database.write() as session:
            upload = uploads.one(session, upload_id)
            uploads.refuse_when_busy(upload)
            if step not in uploads.steps_of(upload) or _behind(upload, step):  # another tab went back
                return redirect(url_for("imports.step", upload_id=upload_id, step=uploads.next_step(upload)), 303)
            _TAKERS[step](session, upload)
            steps = uploads.steps_of(upload)
            following = steps[min(steps.index(step) + 1, steps.index(uploads.next_step(upload)))]
    except InvalidValue as fault:
        with services().database.read() as session:
            upload = uploads.one(session, upload_id)
            return _PAGES[step](session, upload, request.form, fault), 422
    return redirect(url_for("imports.step", upload_id=upload_id, step=following), 303)


@bp.post("/<int:upload_id>/read")
def read_again(upload_id: int) -> Response:
    """Another sheet, layer, header or encoding: the file is read again."""
    with services().database.write() as session:
        upload = uploads.one(session, upload_id)
        _take_reading(upload)
        uploads.look_again(session, upload, actor(), now())
    return redirect(url_for("imports.step", upload_id=upload_id, step="file"), 303)


@bp.post("/<int:upload_id>/judge")
def judge(upload_id: int) -> Response:
    """Have every row judged, with what was chosen about editions and repeated codes."""
    with services().database.write() as session:
        upload = uploads.one(session, upload_id)
        uploads.choose(session, upload, "options", **_options())
        uploads.judge(session, upload, actor(), now())
    return redirect(url_for("imports.step", upload_id=upload_id, step="verdict"), 303)


@bp.post("/<int:upload_id>/store")
def store(upload_id: int) -> Response:
    """Store what was judged, as a job."""
    with services().database.write() as session:
        uploads.store(session, uploads.one(session, upload_id), actor(), now())
    return redirect(url_for("imports.step", upload_id=upload_id, step="verdict"), 303)


@bp.post("/<int:upload_id>/drop")
def drop(upload_id: int) -> Response:
    """Give the upload up."""
    with services().database.write() as session:
        uploads.drop(session, uploads.one(session, upload_id), root(), actor(), now())
    return redirect(url_for("imports.index"), 303)


@bp.get("/<int:upload_id>/<any('rejects.csv', 'faults.geojson'):name>")
def report(upload_id: int, name: str) -> Response:
    """Every rejected row with its reason; every tiling fault."""
    with services().database.read() as session:
        upload = uploads.one(session, upload_id)
        path = uploads.folder_of(upload, root()) / name
        shown = f"{'拒收行' if name == uploads.REJECTS else '界线问题'}-{upload.name.rsplit('.', 1)[0]}"
    if not path.is_file():
        raise NotFound("还没有核对，或者文件已经清理。")
    kind = "text/csv" if name.endswith("csv") else "application/geo+json"
    return send_file(path, kind, as_attachment=True, download_name=f"{shown}.{name.rsplit('.', 1)[1]}", max_age=0)


def _behind(upload: Upload, step: str) -> bool:
    """Whether an earlier step is still to be decided."""
    steps = uploads.steps_of(upload)
    return steps.index(step) > steps.index(uploads.next_step(upload))


def _file_page(session: Session, upload: Upload, typed: Any, fault: InvalidValue | None) -> str:
    seen = upload.seen or {}
    order = seen.get("kinds") or list(KINDS)
    return page("file", session, upload, "file", seen=seen, kinds=[KINDS[name] for name in KINDS], likely=order[0],
                encodings=ENCODINGS, fault=fault, wanted=typed.get("kind") or upload.kind)  # fmt: skip


def _columns_page(session: Session, upload: Upload, typed: Any, fault: InvalidValue | None) -> str:
    kind, seen = uploads.kind_of(upload), upload.seen or {}
    names = [column["name"] for column in seen["columns"]]
    proposed = recognised(names, kind.fields)
    used = upload.chosen.get("mapping", proposed)
    sets = upload.chosen.get("sets", {})
    if typed:
        used = {field.name: typed.get(f"map.{field.name}", "") for field in kind.fields}
        sets = {field.name: typed.get(f"set.{field.name}", "") for field in kind.fields}
    examples = {column["name"]: column["examples"] for column in seen["columns"]}
    free = [name for name in names if name not in used.values()]
    return page("columns", session, upload, "columns", seen=seen, names=names, used=used, sets=sets, fault=fault,
                proposed=proposed, examples=examples, free=free,
                shaped=seen.get("geometry") is not None)  # fmt: skip


def _place_page(session: Session, upload: Upload, typed: Any, fault: InvalidValue | None) -> str:
    found = _where(session, upload)
    chosen = typed.get("crs") or upload.chosen.get("crs") or found.best
    return page("place", session, upload, "place", found=found, picture=draw(found, chosen), chosen=chosen,
                fault=fault, told=for_browser(found.refused) if found.refused else None)  # fmt: skip


def _where(session: Session, upload: Upload) -> Whereabouts:
    folder = uploads.folder_of(upload, root())
    if not (folder / SAMPLE).is_file():
        raise NotFound("上传的文件已经不在了（过期清理或被删除）。重新上传。")
    request_ = uploads.request_of(upload, root(), dry_run=True)
    return where(session, uploads.kind_of(upload), sample_of(folder, upload.name), request_, local_date(now()))


def _verdict_page(session: Session, upload: Upload, _typed: Any, fault: InvalidValue | None) -> str:
    who, judged = account(), upload.state == uploads.JUDGED
    return page("verdict", session, upload, "verdict", verdict=upload.verdict, fault=fault, chosen=upload.chosen,
                today=local_date(now()).isoformat(), judged=judged, closes_demo=who is not None and who.demo,
                faults=faults_of(session, upload) if judged else None)  # fmt: skip


def _take_file(session: Session, upload: Upload) -> None:
    kind = request.form.get("kind", "")
    if kind not in KINDS:
        raise InvalidValue("kind", "先选这个文件是哪一类数据。")
    if not (upload.seen or {}).get("columns") and not (upload.seen or {}).get("geometry"):
        raise InvalidValue("kind", "文件还没有读出来，先选好工作表或图层。")
    chosen = {"mapping", "sets", "crs"} if kind != upload.kind else set()
    uploads.refuse_when_busy(upload)
    upload.kind = kind
    kept = {name: value for name, value in upload.chosen.items() if name not in chosen}
    upload.chosen = {**kept, "done": [] if chosen else kept.get("done", [])}
    uploads.choose(session, upload, "file", kind_chosen=True)


def _take_columns(session: Session, upload: Upload) -> None:
    kind = uploads.kind_of(upload)
    names = {column["name"] for column in (upload.seen or {})["columns"]}
    mapping: dict[str, str] = {}
    sets: dict[str, str] = {}
    users: dict[str, str] = {}
    for field in kind.fields:
        column = request.form.get(f"map.{field.name}", "")
        fixed = " ".join(request.form.get(f"set.{field.name}", "").split())[:_LONGEST]
        if column == "=" and fixed:
            sets[field.name] = fixed
        elif column in names:
            if column in users:
                raise InvalidValue(
                    field.name, f"“{column}”这一列同时给了“{users[column]}”和“{field.label}”，只能给一个。"
                )
            mapping[field.name], users[column] = column, field.label
        elif field.required:
            raise InvalidValue(field.name, f"“{field.label}”必须有：选文件里的一列，或者给所有行填同一个值。")
    uploads.choose(session, upload, "columns", mapping=mapping, sets=sets)


def _take_place(session: Session, upload: Upload) -> None:
    other = request.form.get("other", "").strip()[:_LONGEST]
    asked = other if request.form.get("crs") == "other" else request.form.get("crs", "")
    if request.form.get("crs") == "other" and not other:
        raise InvalidValue("crs", "写上坐标系的编号，例如 EPSG:4546。")
    if request.form.get("swap"):
        mapping = dict(upload.chosen.get("mapping", {}))
        mapping["lon"], mapping["lat"] = mapping.get("lat", ""), mapping.get("lon", "")
        uploads.choose(session, upload, "columns", mapping=mapping)
        upload.chosen = {**upload.chosen, "done": [one for one in upload.chosen["done"] if one != "place"]}
        return
    crs = parse_crs(asked).name if asked else None
    uploads.choose(session, upload, "place", crs=crs)
    if other:  # to be seen over the grids before it is taken
        upload.chosen = {**upload.chosen, "done": [one for one in upload.chosen["done"] if one != "place"]}


def _take_verdict(_session: Session, _upload: Upload) -> None:
    raise NotFound("没有这一步。")


def _take_reading(upload: Upload) -> None:
    """Sheet, layer, header row and encoding of the form; the mapping that stood on them is asked anew."""
    form = request.form
    row = form.get("header_row", "").strip()
    if row and not (row.isascii() and row.isdigit() and len(row) <= 4 and int(row) <= 1_000):
        raise InvalidValue("header_row", f"表头所在的行“{row[:20]}”要是 0 到 1000 的整数，0 表示没有表头。")
    encoding = form.get("encoding", "")
    chosen: dict[str, Any] = {
        name: value for name, value in upload.chosen.items() if name not in ("mapping", "sets", "done")
    }
    option = (upload.seen or {}).get("option")
    if option in ("sheet", "layer") and form.get("choice"):
        chosen[option] = form["choice"][:_LONGEST]
    chosen["header_row"] = int(row) if row else None
    chosen["encoding"] = encoding if encoding in ENCODINGS else None
    upload.chosen = {**chosen, "done": []}


def _options() -> dict[str, Any]:
    form = request.form
    edition = form.get("edition", "").strip()
    if edition:
        try:
            date.fromisoformat(edition)
        except ValueError:
            raise InvalidValue("edition", f"生效日期“{edition[:20]}”读不懂，写成 2026-11-23 这样。") from None
    return {
        "edition": edition or None,
        "duplicates": "number" if form.get("duplicates") == "number" else "refuse",
        "strict": bool(form.get("strict")),
    }


_PAGES = {"file": _file_page, "columns": _columns_page, "place": _place_page, "verdict": _verdict_page}
_TAKERS = {"file": _take_file, "columns": _take_columns, "place": _take_place, "verdict": _take_verdict}
