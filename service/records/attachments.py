"""Photos of subjects: added and removed, each with its line in the trail; a removed one is kept, but shown no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from service.errors import Conflict, InvalidValue, NotFound
from service.records import audit
from service.records.audit import Actor, Subject
from service.records.models import Attachment

MOST_PER_SUBJECT = 20
MOST_CAPTION = 60


@dataclass(frozen=True)
class Picture:
    """The facts of a kept file."""

    sha256: str
    size: int
    width: int
    height: int
    media_type: str = "image/jpeg"


def of_subject(session: Session, kind: str, code: str) -> list[Attachment]:
    """Those that are shown, the newest first."""
    shown = (Attachment.subject_kind == kind, Attachment.subject_code == code, Attachment.removed_at.is_(None))
    return list(
        session.scalars(select(Attachment).where(*shown).order_by(Attachment.made_at.desc(), Attachment.id.desc()))
    )


def one(session: Session, key: int) -> Attachment:
    """One that is shown. Raises NotFound."""
    found = session.get(Attachment, key)
    if found is None or found.removed_at is not None:
        raise NotFound("没有这张照片，可能已经移除。")
    return found


def caption_of(text: str) -> str | None:
    """The caption in one line; None when empty. Raises InvalidValue."""
    caption = " ".join(text.split())
    if len(caption) > MOST_CAPTION:
        raise InvalidValue("caption", f"说明有 {len(caption)} 个字，最多 {MOST_CAPTION} 个。写短一些。")
    return caption or None


def add(
    session: Session, subject: Subject, picture: Picture, caption: str | None, actor: Actor, now: datetime
) -> Attachment:
    """Conflict when the subject already shows this very photo, or as many as it may."""
    assert subject.code is not None
    shown = of_subject(session, subject.kind, subject.code)
    if any(known.sha256 == picture.sha256 for known in shown):
        raise Conflict("这张照片已经在这里了。")
    if len(shown) >= MOST_PER_SUBJECT:
        raise Conflict(f"这里已有 {len(shown)} 张照片，最多 {MOST_PER_SUBJECT} 张。先移除旧的。")
    made = Attachment(
        subject_kind=subject.kind,
        subject_code=subject.code,
        sha256=picture.sha256,
        media_type=picture.media_type,
        size=picture.size,
        width=picture.width,
        height=picture.height,
        caption=caption,
        account_id=actor.account_id,
        made_at=now,
    )
    session.add(made)
    session.flush()
    audit.append(session, actor, "photo.add", now, subject, after=_told(made))
    return made


def remove(session: Session, photo: Attachment, name: str | None, actor: Actor, now: datetime) -> None:
    """Shown no more; the row and the file stay. `name`: the subject's, for the trail."""
    photo.removed_at = now
    subject = Subject(photo.subject_kind, photo.subject_code, name)
    audit.append(session, actor, "photo.remove", now, subject, before=_told(photo))


def hide_all(session: Session, kind: str, codes: Select[tuple[str]], now: datetime) -> None:
    """Those of subjects that are about to go, so that another subject of the same code does not inherit them."""
    shown = (Attachment.subject_kind == kind, Attachment.subject_code.in_(codes), Attachment.removed_at.is_(None))
    session.execute(update(Attachment).where(*shown).values(removed_at=now))


def _told(photo: Attachment) -> dict[str, object]:
    return {"photo": photo.id, "sha256": photo.sha256, "caption": photo.caption}
