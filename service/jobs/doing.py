"""One job from its claim to its end: done, failed in words, or given back when the process is to stop."""

from __future__ import annotations

import secrets
import threading

import structlog

from service.clock import utcnow
from service.config import Settings
from service.db.engine import Database
from service.errors import StewardError
from service.intake.applying import undo_unfinished
from service.intake.relocating import make_good
from service.jobs.handlers import HANDLERS, after_failure
from service.jobs.work import Stopped, Work
from service.records import jobs
from service.records.owners import alive, this_process

log = structlog.get_logger()


def do(database: Database, settings: Settings, job_id: int, stop: threading.Event | None = None) -> bool:
    """Does a waiting job; False when it was no longer waiting. Raises Stopped."""
    with database.write() as session:
        job = jobs.claim(session, job_id, this_process(), utcnow())
        if job is None:
            return False
        work = Work(database, settings, job.id, job.kind, job.given, job.account_id, stop or threading.Event())
    try:
        result = HANDLERS[work.kind](work)
    except Stopped:
        with database.write() as session:
            jobs.give_back(session, job_id)
        raise
    except StewardError as fault:
        _failed(work, fault.message, {"field": getattr(fault, "field", None)})
    except Exception as fault:  # the last resort of a job: whoever waits must hear of it, and the process goes on
        ref = secrets.token_hex(4)
        log.error("job failed", job=job_id, kind=work.kind, ref=ref, exc_info=fault)
        _failed(work, f"服务出了问题，已经记下，什么也没有存入。请把编号 {ref} 告诉管理员。", None)
    else:
        with database.write() as session:
            jobs.finish(session, job_id, result, utcnow())
    return True


def _failed(work: Work, message: str, result: dict[str, object] | None) -> None:
    with work.database.write() as session:
        jobs.fail(session, work.job_id, message, utcnow(), result)
        after_failure(session, work.kind, work.given, message)


def recover(database: Database, settings: Settings) -> None:
    """What a killed job process left: half-done imports are undone, their jobs wait again or have failed."""
    for line in undo_unfinished(database, utcnow()):
        log.warning("undone", what=line)
    with database.write() as session:
        for job in jobs.take_up(session, alive, utcnow()):
            after_failure(session, job.kind, job.given, job.message or "")
            log.error("job given up", job=job.id, kind=job.kind)
    make_good(database)  # also what a job that was given up had to do


def do_all(database: Database, settings: Settings) -> int:
    """Every waiting job here and now; how many. For tests and for a machine that runs no job process."""
    count = 0
    while True:
        with database.read() as session:
            found = jobs.waiting(session)
        if not found:
            return count
        for job_id in found:
            count += do(database, settings, job_id)
