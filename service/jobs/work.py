"""What a handler of a job gets, and the table of handlers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from service.clock import utcnow
from service.config import Settings
from service.db.engine import Database
from service.records import jobs
from service.records.audit import SYSTEM, Actor

_TOLD_EVERY = 0.3


class Stopped(BaseException):
    """The process was asked to stop: what is under way is undone and done again after the next start.

    Not an Exception: no handler may take it for a fault of its own.
    """


@dataclass
class Work:
    """One job under way. `given` is what the page asked for."""

    database: Database
    settings: Settings
    job_id: int
    kind: str
    given: dict[str, Any]
    account_id: int | None
    stop: threading.Event = field(default_factory=threading.Event)
    _told: float = 0.0

    @property
    def now(self) -> datetime:
        return utcnow()

    @property
    def actor(self) -> Actor:
        """Who asked for it, as the trail writes it down; the service itself for what the clock started."""
        who = self.given.get("actor")
        return Actor(who["name"], who["role"], who["address"], self.account_id) if who else SYSTEM

    def progress(self, done: int, total: int, message: str | None = None) -> None:
        """Told to the page some times a second. Raises Stopped when the process is to end."""
        if self.stop.is_set():
            raise Stopped
        moment = time.monotonic()
        if done < total and moment - self._told < _TOLD_EVERY:
            return
        self._told = moment
        with self.database.write() as session:
            jobs.progress(session, self.job_id, done, total, message)


Handler = Callable[[Work], dict[str, Any] | None]
