"""When each account was last seen, written beside the requests: no answer waits for the database's writers."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import structlog
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from service.db.engine import Database
from service.people.models import Account

log = structlog.get_logger()
EVERY = timedelta(minutes=5)


class LastSeen:
    """One per worker. Safe to share between its threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._told: dict[int, datetime] = {}
        self._due: dict[int, datetime] = {}
        self._writing: threading.Thread | None = None

    def note(self, account_id: int, stored: datetime | None, now: datetime) -> None:
        """The account does something now; at most every five minutes that is written down."""
        last = max(filter(None, (self._told.get(account_id), stored)), default=None)
        if last is not None and now - last < EVERY:
            return
        with self._lock:
            self._told[account_id] = self._due[account_id] = now
            if self._writing is None or not self._writing.is_alive():
                self._writing = threading.Thread(target=self._write, name="last-seen", daemon=True)
                self._writing.start()

    def settle(self) -> None:
        """Wait until all that is due is written."""
        writing = self._writing
        if writing is not None:
            writing.join()

    def _write(self) -> None:
        while True:
            with self._lock:
                due, self._due = self._due, {}
                if not due:
                    self._writing = None
                    return
            try:
                with self._database.write() as session:
                    for account_id, moment in due.items():
                        session.execute(update(Account).where(Account.id == account_id).values(last_seen_at=moment))
            except SQLAlchemyError as fault:  # the next visit is written down again
                log.warning("last seen not written", reason=type(fault).__name__)
