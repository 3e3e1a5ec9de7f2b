"""What each kind of job does. A handler may be run twice: it first looks what is done already."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from service.db.bulk import uncollected
from service.errors import StewardError
from service.files.reader import read_source
from service.files.verdicts import write_rejects
from service.intake import uploads
from service.intake.kinds import KINDS
from service.intake.looking import look
from service.intake.relocating import relocate_job
from service.intake.reports import write_reports
from service.intake.run import Result, apply_table
from service.intake.undo_plan import examine
from service.intake.undoing import may_undo, undo, undo_file, write_verdicts
from service.intake.words import for_browser
from service.jobs.schedule import DAILY, PLANNED, Planned
from service.jobs.work import Handler, Work
from service.records import audit_heads, jobs
from service.records.audit_heads import write_head
from service.records.models import Upload
from service.records.office import read_office
from service.safekeeping import work as backups
from service.wall import work as wall

_SHOWN_REJECTS, _SHOWN_VERDICTS = 30, 100
_SAID_BEFORE = ("文字编码：", "工作表：", "图层：", "表头在第", "字段 ← 列：")  # by the steps before
_ON_THE_MAP = re.compile(r"(重叠|空隙|越界) [\d.]+ m²（|另有 \d+ 处较小的界线问题")  # drawn and listed on the page
_ABANDONED_AFTER = 24 * 3600.0


def _look(work: Work) -> dict[str, Any] | None:
    upload = _upload(work)
    work.progress(0, 0, "正在读取文件…")
    seen = look(
        uploads.source_of(upload, work.settings.data_dir),
        uploads.read_options(upload),
        uploads.folder_of(upload, work.settings.data_dir),
    )
    with work.database.write() as session:
        upload = uploads.one(session, upload.id)
        before = upload.seen or {}
        if not seen.get("choices") and before.get("choices"):  # so that another sheet can still be chosen
            seen |= {"choices": before["choices"], "option": before["option"]}
        upload.seen, upload.state = seen, uploads.OPEN
        if not upload.kind and seen.get("kinds"):
            upload.kind = seen["kinds"][0]
    return None


def _judge(work: Work) -> dict[str, Any] | None:
    upload = _upload(work)
    try:
        work.progress(0, 0, "正在逐行核对…")
        result = _import(work, upload, dry_run=True)
    except StewardError as fault:
        verdict: dict[str, Any] = {"refused": for_browser(fault.message), "field": getattr(fault, "field", None)}
    else:
        verdict = verdict_of(upload, result)
    with work.database.write() as session:
        upload = uploads.one(session, upload.id)
        upload.verdict = verdict
        upload.state = uploads.JUDGED if "read" in verdict else uploads.OPEN
    return None


def _store(work: Work) -> dict[str, Any] | None:
    upload = _upload(work)
    if upload.state == uploads.STORED:  # stored before the process died; only the job didn't hear of it
        return {"batch": upload.batch_id}

    def stored(session: Session, batch_id: int) -> None:
        found = uploads.one(session, upload.id)
        found.state, found.batch_id = uploads.STORED, batch_id

    work.progress(0, 0, "正在读取文件…")
    result = _import(work, upload, dry_run=False, stored=stored)
    with work.database.write() as session:
        found = uploads.one(session, upload.id)
        found.verdict = verdict_of(upload, result)
    return {"batch": result.batch_id}


def _import(work: Work, upload: Upload, dry_run: bool, stored: Any = None) -> Result:
    """Through the one pipeline, as the command goes."""
    request = uploads.request_of(upload, work.settings.data_dir, dry_run)
    with uncollected():
        table = read_source(request.files[0], uploads.read_options(upload))
        work.progress(0, 0, "正在逐行核对…")
        result = apply_table(
            work.database,
            work.settings,
            request,
            table,
            work.now,
            actor=work.actor,
            advance=lambda done, everything: work.progress(done, everything, "正在存入…"),
            at_finish=[stored] if stored else [],
        )
    write_reports(None, request.faults, result.rejects, result.faults)
    write_rejects(request.rejects or Path(uploads.REJECTS), _for_browser(result))
    return result


def _for_browser(result: Result) -> list[Any]:
    return [(name, reject_in_words(one)) for name, one in result.rejects]


def reject_in_words(one: Any) -> Any:
    return type(one)(one.row, one.field, one.value, for_browser(one.reason))


def verdict_of(upload: Upload, result: Result) -> dict[str, Any]:
    """What the page shows of a judgement."""
    labels = {field.name: field.label for field in KINDS[upload.kind].fields if field.label} | {"geometry": "图形"}
    summary = result.summary
    faults: dict[str, dict[str, float]] = {}
    for fault in result.faults:
        kind = faults.setdefault(fault.kind, {"count": 0, "m2": 0.0})
        kind["count"], kind["m2"] = kind["count"] + 1, round(kind["m2"] + fault.area_m2, 1)
    return {
        "read": summary["read"],
        "accepted": summary["accepted"],
        "rejected": summary["rejected"],
        **{name: result.counts[name] for name in ("new", "updated", "unchanged")},
        "edition": summary["edition"],
        "warnings": [_warning(line, labels) for line in summary["warnings"] if not _is_shown(line)],
        "faults": faults,
        "rejects": [
            {
                "row": one.row,
                "field": labels.get(one.field, one.field),
                "value": one.value,
                "reason": for_browser(one.reason),
            }
            for _, one in result.rejects[:_SHOWN_REJECTS]
        ],
    }


def _is_shown(line: str) -> bool:
    """Whether the pages show it otherwise."""
    return line.startswith(_SAID_BEFORE) or _ON_THE_MAP.match(line) is not None


def _warning(line: str, labels: dict[str, str]) -> str:
    field, sep, rest = line.partition("：")
    return for_browser(f"{labels[field]}{sep}{rest}" if field in labels else line)


def _undo_look(work: Work) -> dict[str, Any]:
    """What undoing a batch would do to each row."""
    batch_id = int(work.given["batch"])
    work.progress(0, 0, "正在逐行查看…")
    with work.database.read() as session:
        plan = examine(session, may_undo(session, batch_id))
    write_verdicts(undo_file(work.settings.data_dir, batch_id), plan)
    shown = [vars(one) for one, _ in zip(plan.verdicts(), range(_SHOWN_VERDICTS), strict=False)]
    return {"batch": batch_id, **_counts(plan), "rows": shown}


def _undo(work: Work) -> dict[str, Any]:
    batch_id = int(work.given["batch"])
    work.progress(0, 0, "正在撤回…")
    done = undo(
        work.database,
        batch_id,
        work.actor,
        work.now,
        lambda done, everything: work.progress(done, everything, "正在撤回…"),
    )
    return {"batch": batch_id, **_counts(done)}


def _counts(of: Any) -> dict[str, int]:
    return {"removed": of.removed, "restored": of.restored, "kept": of.kept}


def _daily(work: Work) -> dict[str, Any]:
    """Everything that belongs to a day; what fails doesn't keep the rest from being done."""
    faults = {}
    for name, do in DAILY:
        try:
            do(work)
        except StewardError as fault:
            faults[name] = fault.message
    return {"day": work.given["day"], "faults": faults}


def _write_head(work: Work) -> None:
    """The trail's end as of today, outside the database."""
    write_head(work.database, work.settings.data_dir / audit_heads.NAME, work.now)


def _tidy_uploads(work: Work) -> None:
    """Files that nobody went on with, uploads that broke off, jobs long done."""
    with work.database.write() as session:
        days = read_office(session, work.settings).retention.uploads
        uploads.forget_old(session, work.settings.data_dir, work.now, days)
        jobs.forget_old(session, work.now)
    folder = work.settings.data_dir / "uploads"
    for path in [*folder.glob("incoming-*"), *folder.glob("undo-*.csv")]:
        if time.time() - path.stat().st_mtime > _ABANDONED_AFTER:
            path.unlink(missing_ok=True)


def _tidy_wall(work: Work) -> None:
    """Printed maps beyond their days: they hold names and numbers."""
    wall.tidy(work.settings)


def _upload(work: Work) -> Upload:
    with work.database.read() as session:
        found = uploads.one(session, int(work.given["upload"]))
        session.expunge(found)
        return found


def after_failure(session: Session, _kind: str, given: dict[str, Any], message: str) -> None:
    """What a failed job leaves behind is put right: its upload can be changed and tried again."""
    if "upload" in given:
        uploads.failed(session, int(given["upload"]), for_browser(message))


HANDLERS: dict[str, Handler] = {
    "import.look": _look,
    "import.judge": _judge,
    "import.store": _store,
    "import.undo_look": _undo_look,
    "import.undo": _undo,
    "daily": _daily,
    jobs.RELOCATE: relocate_job,
    backups.KIND: backups.back_up,
    wall.KIND: wall.print_many,
}
DAILY += [("trail", _write_head), ("uploads", _tidy_uploads), ("retention", backups.sweep), ("wall", _tidy_wall)]
PLANNED.append(Planned(backups.KIND, backups.planned))
