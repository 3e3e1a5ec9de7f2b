"""The job process: huey rings the bell and keeps the clock, the table says what is to be done."""

from __future__ import annotations

import fcntl
import logging
import signal
import threading
import time
from pathlib import Path
from typing import IO, Any

from huey.api import SqliteHuey, crontab
from huey.consumer import Consumer

from service import logs
from service.clock import utcnow
from service.config import Settings
from service.db.engine import Database
from service.errors import Conflict
from service.jobs import alive
from service.jobs.doing import do, recover
from service.jobs.schedule import plan
from service.jobs.work import Stopped
from service.records import jobs

_LOOK_EVERY = 0.3
_SWEEP_EVERY = 30.0
_STOP_WITHIN = 10.0
_TRIES = 10


class _Bell:
    """Hands waiting jobs to huey: at once when somebody committed, and in any case twice a minute."""

    def __init__(self, database: Database, queue: Any) -> None:
        self.database, self.queue = database, queue
        self._moved: object = None
        self._swept = 0.0
        self._rung: set[int] = set()

    def look(self) -> None:
        moved, moment = self.database.moved(), time.monotonic()
        if moved == self._moved and moment - self._swept < _SWEEP_EVERY:
            return
        if moment - self._swept >= _SWEEP_EVERY:
            self._rung.clear()  # what was rung and is still waiting got lost with the queue
            self._swept = moment
        self._moved = moved
        with self.database.read() as session:
            found = jobs.waiting(session)
        for job_id in found:
            if job_id not in self._rung:
                self._rung.add(job_id)
                self.queue(job_id)


def run(settings: Settings) -> None:
    """Until asked to stop. Raises Conflict when the data folder has a job process already."""
    logs.configure()
    logging.getLogger("huey").setLevel(logging.WARNING)
    lock = _only_one(settings.data_dir)
    database = Database(settings.store_url)
    stop = threading.Event()
    recover(database, settings)
    huey = SqliteHuey("steward", filename=str(settings.data_dir / "jobs.db"), results=False, utc=True)
    huey.storage.flush_queue()  # the table knows what waits; the sweep rings again
    (settings.data_dir / "jobs.db").chmod(0o600)

    @huey.task()
    def work(job_id: int) -> None:
        try:
            do(database, settings, job_id, stop)
        except Stopped:
            return

    @huey.periodic_task(crontab())
    def minute() -> None:
        with database.write() as session:
            plan(session, settings, utcnow())

    consumer = Consumer(huey, workers=1, max_delay=0.5, shutdown_timeout=_STOP_WITHIN, graceful_signal="TERM")
    work_once_planned(database, settings)  # before the clock runs: two planners would each see nothing planned
    consumer.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    bell = _Bell(database, work)
    began = time.monotonic()
    while not stop.wait(_LOOK_EVERY):
        bell.look()
        if time.monotonic() - began > alive.BEAT_EVERY:
            began = time.monotonic()
            alive.beat(lock)
            consumer.check_worker_health()
    consumer.stop(graceful=True)
    database.close()


def work_once_planned(database: Database, settings: Settings) -> None:
    """What became due while nothing ran."""
    with database.write() as session:
        plan(session, settings, utcnow())


def _only_one(folder: Path) -> IO[str]:
    """The lock of the data folder's job process, held until the process ends, however it ends."""
    lock = alive.lock_file(folder).open("a+")
    for _ in range(_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.1)  # `check` holds it for a moment when it looks
        else:
            Path(lock.name).chmod(0o600)
            alive.beat(lock)
            return lock
    lock.close()
    raise Conflict("任务进程已经在运行（DATA_DIR 里的 jobs.lock 被占用）。")
