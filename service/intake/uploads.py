"""Files that came through the browser, from the upload to the register. Actions never commit."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.errors import Conflict, InvalidValue, NotFound
from service.files.table import ReadOptions
from service.intake.kinds import KINDS
from service.intake.run import Request
from service.records import jobs
from service.records.audit import Actor, Subject, append
from service.records.importing import Kind
from service.records.models import Job, Upload

LOOKING, OPEN, JUDGING, JUDGED, STORING, STORED, DROPPED = (
    "looking",
    "open",
    "judging",
    "judged",
    "storing",
    "stored",
    "dropped",
)
UNFINISHED = (LOOKING, OPEN, JUDGING, JUDGED, STORING)
BUSY = (LOOKING, JUDGING, STORING)
SUBJECT = "uploads"
STEPS = ("file", "columns", "place", "verdict")
TOGETHER = "上传的文件"
REJECTS, FAULTS = "rejects.csv", "faults.geojson"


@dataclass(frozen=True)
class Received:
    """What arrived: the folder's name under DATA_DIR/uploads, the name to show, bytes and their SHA-256."""

    folder: str
    name: str
    size: int
    sha256: str


def receive(session: Session, given: Received, actor: Actor, now: datetime, kind: str | None = None) -> Upload:
    """A new upload, of which the job process takes a first look."""
    assert actor.account_id is not None
    upload = Upload(
        account_id=actor.account_id,
        kind=kind or "",
        name=given.name,
        path=given.folder,
        size=given.size,
        sha256=given.sha256,
        state=OPEN,
        chosen={"kind_chosen": bool(kind)},
        created_at=now,
    )
    session.add(upload)
    session.flush()
    told = {"size": given.size, "sha256": given.sha256}
    append(session, actor, "import.upload", now, Subject(SUBJECT, str(upload.id), given.name), after=told)
    look_again(session, upload, actor, now)
    return upload


def look_again(session: Session, upload: Upload, actor: Actor, now: datetime) -> None:
    """Read the file as chosen; what was decided about its columns and judged is no longer known to hold."""
    _start(session, upload, LOOKING, "import.look", actor, now)
    upload.verdict = None


def choose(session: Session, upload: Upload, step: str, **chosen: Any) -> None:
    """Remember what was decided in a step; what was judged before no longer holds."""
    refuse_when_busy(upload)
    done = [one for one in upload.chosen.get("done", []) if one != step]
    upload.chosen = {**upload.chosen, **chosen, "done": [*done, step]}
    upload.verdict = None
    upload.state = OPEN
    session.flush()


def judge(session: Session, upload: Upload, actor: Actor, now: datetime) -> None:
    """Have every row judged; nothing is stored."""
    _start(session, upload, JUDGING, "import.judge", actor, now)


def store(session: Session, upload: Upload, actor: Actor, now: datetime) -> None:
    """Have the judged rows stored. Raises Conflict unless they were judged as they would be stored."""
    if upload.state != JUDGED or not (upload.verdict or {}).get("accepted"):
        raise Conflict("先核对，再存入。")
    _start(session, upload, STORING, "import.store", actor, now)


def drop(session: Session, upload: Upload, root: Path, actor: Actor, now: datetime) -> None:
    """Give an upload up; its files go."""
    refuse_when_busy(upload)
    upload.state = DROPPED
    append(session, actor, "import.drop", now, Subject(SUBJECT, str(upload.id), upload.name))
    session.flush()
    shutil.rmtree(folder_of(upload, root), ignore_errors=True)


def refuse_when_busy(upload: Upload) -> None:
    """Conflict while a job works on the upload, or when there is nothing left to decide."""
    if upload.state in BUSY:
        raise Conflict("正在处理这个文件，等它结束再改。")
    if upload.state in (STORED, DROPPED):
        raise Conflict("这个文件已经处理完了。要再导入，重新上传。")


def _start(session: Session, upload: Upload, state: str, kind: str, actor: Actor, now: datetime) -> None:
    refuse_when_busy(upload)
    who = {"name": actor.name, "role": actor.role, "address": actor.address}
    job = jobs.enqueue(session, kind, {"upload": upload.id, "actor": who}, actor.account_id, now)
    upload.state, upload.job_id = state, job.id
    session.flush()


def one(session: Session, upload_id: int) -> Upload:
    """Raises NotFound."""
    found = session.get(Upload, upload_id)
    if found is None or found.state == DROPPED:
        raise NotFound("没有这个文件，或者它已经放弃、过期清理了。重新上传。")
    return found


def unfinished(session: Session) -> list[Upload]:
    """The latest first."""
    return list(session.scalars(select(Upload).where(Upload.state.in_(UNFINISHED)).order_by(Upload.id.desc())))


def steps_of(upload: Upload) -> list[str]:
    """The steps of the wizard; kinds without a place have no step for it."""
    kind = KINDS.get(upload.kind)
    return [step for step in STEPS if step != "place" or kind is None or kind.geometry != "none"]


def next_step(upload: Upload) -> str:
    """Where to go on."""
    done = upload.chosen.get("done", [])
    return next((step for step in steps_of(upload) if step not in done), "verdict")


def folder_of(upload: Upload, root: Path) -> Path:
    return root / "uploads" / upload.path


def source_of(upload: Upload, root: Path) -> Path:
    """The file, or the folder of several that belong together."""
    inner = folder_of(upload, root) / TOGETHER
    files = [path for path in inner.iterdir() if path.is_file()] if inner.is_dir() else []
    if not files:
        raise NotFound("上传的文件已经不在了（过期清理或被删除）。重新上传。")
    return files[0] if len(files) == 1 else inner


def read_options(upload: Upload) -> ReadOptions:
    chosen = upload.chosen
    return ReadOptions(None, chosen.get("layer"), chosen.get("encoding"), chosen.get("sheet"), chosen.get("header_row"))


def kind_of(upload: Upload) -> Kind:
    """Raises InvalidValue when none is chosen yet."""
    if upload.kind not in KINDS:
        raise InvalidValue("kind", "先选好这个文件是哪一类数据。")
    return KINDS[upload.kind]


def request_of(upload: Upload, root: Path, dry_run: bool) -> Request:
    """The same options that the command `import` would be given."""
    chosen = upload.chosen
    edition = chosen.get("edition")
    folder = folder_of(upload, root)
    return Request(
        kind=kind_of(upload).name,
        files=(source_of(upload, root),),
        crs=chosen.get("crs"),
        layer=chosen.get("layer"),
        encoding=chosen.get("encoding"),
        sheet=chosen.get("sheet"),
        header_row=chosen.get("header_row"),
        mapping=chosen.get("mapping", {}),
        sets=chosen.get("sets", {}),
        edition=date.fromisoformat(edition) if edition else None,
        duplicates=chosen.get("duplicates", "refuse"),
        dry_run=dry_run,
        rejects=folder / REJECTS,
        faults=folder / FAULTS,
        strict=bool(chosen.get("strict")) and not dry_run,
        shown=upload.name,
        recognise="mapping" not in chosen,
    )


def job_of(session: Session, upload: Upload) -> Job | None:
    return session.get(Job, upload.job_id) if upload.job_id is not None else None


def failed(session: Session, upload_id: int, message: str) -> None:
    """The job behind an upload has failed: it can be changed and tried again."""
    upload = session.get(Upload, upload_id)
    if upload is None or upload.state not in BUSY:
        return
    if upload.state == LOOKING:
        upload.seen = {"refused": message, "choices": []}
    else:
        upload.verdict = {**(upload.verdict or {}), "refused": message}
    upload.state = JUDGED if upload.state == STORING and upload.verdict.get("accepted") else OPEN  # type: ignore[union-attr]


def forget_old(session: Session, root: Path, now: datetime, days: int) -> int:
    """Files older than so many days go; unfinished uploads with them. The trail and the imports stay."""
    old = session.scalars(select(Upload).where(Upload.created_at < now - timedelta(days=days), Upload.state != DROPPED))
    count = 0
    for upload in old:
        if upload.state in BUSY:
            continue
        folder = folder_of(upload, root)
        if folder.is_dir():
            shutil.rmtree(folder, ignore_errors=True)
            count += 1
        if upload.state != STORED:
            upload.state = DROPPED
    return count
