"""Jobs: work that a page started and the job process does. This table is the truth, the queue only a bell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from service.config import Settings
from service.db.engine import Database
from service.records.audit import Actor
from service.records.models import Job

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
ENDED = (DONE, FAILED)
MOST_ATTEMPTS = 2
RELOCATE = "grids.relocate"  # incidents into the grids of an edition that was published for a past day
KEPT_FOR = timedelta(days=90)
_BROKEN_OFF = "这项任务两次中断（任务进程意外结束），没有再试。没有留下做了一半的数据；把编号 {id} 告诉管理员。"


class Work(Protocol):
    """What the job process hands to a handler (service/jobs/work.py makes it): a room below it that has work for it
    writes its handler against this."""

    @property
    def database(self) -> Database: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def job_id(self) -> int: ...
    @property
    def given(self) -> dict[str, Any]: ...
    @property
    def actor(self) -> Actor: ...
    @property
    def now(self) -> datetime: ...

    def progress(self, done: int, total: int, message: str | None = None) -> None:
        """Told to who waits. Ends the handler when the process is to stop."""


def enqueue(session: Session, kind: str, given: dict[str, Any], account_id: int | None, now: datetime) -> Job:
    """A new waiting job; it starts once the caller's transaction is committed."""
    job = Job(kind=kind, state=WAITING, given=given, account_id=account_id, created_at=now, done=0, total=0, attempts=0)
    session.add(job)
    session.flush()
    return job


def under_way(session: Session, kind: str, **given: Any) -> Job | None:
    """A job of the kind that waits or runs, and was given (at least) this."""
    found = session.scalars(select(Job).where(Job.kind == kind, Job.state.in_((WAITING, RUNNING))).order_by(Job.id))
    return next((job for job in found if given.items() <= job.given.items()), None)


def last_of(session: Session, kind: str, **given: Any) -> Job | None:
    """The latest job of the kind that was given (at least) this, ended or not."""
    found = session.scalars(select(Job).where(Job.kind == kind).order_by(Job.id.desc()))
    return next((job for job in found if given.items() <= job.given.items()), None)


def waiting(session: Session) -> list[int]:
    """Ids of the jobs that nobody has begun, the oldest first."""
    return list(session.scalars(select(Job.id).where(Job.state == WAITING).order_by(Job.id)))


def claim(session: Session, job_id: int, owner: str, now: datetime) -> Job | None:
    """The job as `owner`'s; None when it isn't waiting any more: two processes never do the same."""
    taken = session.execute(
        update(Job)
        .where(Job.id == job_id, Job.state == WAITING)
        .values(state=RUNNING, owner=owner, attempts=Job.attempts + 1, started_at=now, finished_at=None)
    )
    return session.get(Job, job_id) if taken.rowcount else None  # type: ignore[attr-defined]


def progress(session: Session, job_id: int, done: int, total: int, message: str | None) -> None:
    session.execute(update(Job).where(Job.id == job_id).values(done=done, total=total, message=message))


def finish(session: Session, job_id: int, result: dict[str, Any] | None, now: datetime) -> None:
    session.execute(update(Job).where(Job.id == job_id).values(state=DONE, result=result, finished_at=now))


def fail(session: Session, job_id: int, message: str, now: datetime, result: dict[str, Any] | None = None) -> None:
    """Ended without success; `message` is for the person who waits for it."""
    values = {"state": FAILED, "message": message, "result": result, "finished_at": now}
    session.execute(update(Job).where(Job.id == job_id).values(values))


def give_back(session: Session, job_id: int) -> None:
    """To be done after the next start: the process was asked to stop. Doesn't count as an attempt."""
    session.execute(
        update(Job).where(Job.id == job_id).values(state=WAITING, owner=None, attempts=Job.attempts - 1, done=0)
    )


def take_up(session: Session, alive: Callable[[str | None], bool], now: datetime) -> list[Job]:
    """Jobs whose process died wait again, once; the second time they have failed. Returns those that failed."""
    failed = []
    for job in session.scalars(select(Job).where(Job.state == RUNNING)):
        if alive(job.owner):
            continue
        if job.attempts < MOST_ATTEMPTS:
            job.state, job.owner, job.done = WAITING, None, 0
        else:
            job.state, job.message, job.finished_at = FAILED, _BROKEN_OFF.format(id=job.id), now
            failed.append(job)
    session.flush()
    return failed


def latest(session: Session, kind: str) -> Job | None:
    """The job of a kind that was started last."""
    return session.scalar(select(Job).where(Job.kind == kind).order_by(Job.id.desc()).limit(1))


def forget_old(session: Session, now: datetime) -> int:
    """Ended jobs are kept for ninety days; the trail keeps what they did."""
    gone = session.execute(delete(Job).where(Job.state.in_(ENDED), Job.finished_at < now - KEPT_FOR))
    return int(gone.rowcount)  # type: ignore[attr-defined]
