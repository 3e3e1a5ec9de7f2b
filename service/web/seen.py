"""When accounts and their sign-ins were last seen, written beside the requests: no answer waits for a writer."""

from __future__ import annotations

import threading
from datetime import datetime

import structlog
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from service.db.engine import Database
from service.people.models import Account, SignIn
from service.people.sign_ins import SEEN_EVERY

log = structlog.get_logger()
_MOST_TOLD = 10_000


class LastSeen:
    """One per worker. Safe to share between its threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._told: dict[int, datetime] = {}
        self._due: dict[int, tuple[int, datetime]] = {}
        self._writing: threading.Thread | None = None

    def note(self, sign_in: SignIn, now: datetime) -> None:
        """Somebody does something now; at most every five minutes that is written down."""
        if now - max(self._told.get(sign_in.id, sign_in.seen_at), sign_in.seen_at) < SEEN_EVERY:
            return
        with self._lock:
            if len(self._told) > _MOST_TOLD:
                self._told.clear()
            self._told[sign_in.id] = now
            self._due[sign_in.id] = sign_in.account_id, now
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
                    for sign_in_id, (account_id, moment) in due.items():
                        session.execute(update(Account).where(Account.id == account_id).values(last_seen_at=moment))
                        session.execute(update(SignIn).where(SignIn.id == sign_in_id).values(seen_at=moment))
            except SQLAlchemyError as fault:  # the next visit is written down again
                log.warning("last seen not written", reason=type(fault).__name__)
