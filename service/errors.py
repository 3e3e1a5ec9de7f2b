"""Errors of the domain. Each message is a sentence for the user: what was wrong, with which value, what to do.

The status that each class has over HTTP stands in one table at the edge (service/web/problems.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class StewardError(Exception):
    """Base of all errors that a user may see."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidValue(StewardError):
    """One named input is unusable; `field` is its name as the user typed or saw it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class InvalidValues(InvalidValue):
    """Several inputs at once; `errors`: (field, message) of each, the first also as the error's own."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        super().__init__(*errors[0])
        self.errors = list(errors)


class BadSetting(StewardError):
    """A setting stops the start."""


class UnreadableFile(StewardError):
    """A file that cannot be read at all; nothing of it was stored.

    `option` and `choices`: what has to be said first (sheet or layer), where the file holds several.
    """

    def __init__(self, message: str, option: str | None = None, choices: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.option, self.choices = option, choices


class NothingStored(StewardError):
    """An import that was refused as a whole."""


class NotFound(StewardError):
    """No such thing."""


class NoSuchRow(NotFound):
    """No such row of a register, or none within the asker's area: the answer is the same, the trail's isn't."""

    def __init__(self, message: str, register: str, code: str) -> None:
        super().__init__(message)
        self.register, self.code = register, code


class NotSignedIn(StewardError):
    """The question needs a signed-in account."""


class NotAllowed(StewardError):
    """The account may not do this."""


class Conflict(StewardError):
    """An illegal step, a stale version, or something else is in the way."""


class StaleVersion(Conflict):
    """Somebody else changed the row meanwhile. Both sides: what is stored now, and what was sent, by field."""

    def __init__(
        self, message: str, stored: Mapping[str, Any], stored_version: int, sent: Mapping[str, Any], sent_version: int
    ) -> None:
        super().__init__(message)
        self.stored, self.stored_version = dict(stored), stored_version
        self.sent, self.sent_version = dict(sent), sent_version


class Unavailable(StewardError):
    """Something that this machine lacks."""


class TooMany(StewardError):
    """Too many requests, or more rows than one request may ask for."""
