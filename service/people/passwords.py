"""Passwords: kept as argon2id hashes only, checked in the same time whether the account is there or not."""

from __future__ import annotations

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from service.errors import InvalidValue
from service.people.rules import password_faults

_HASHER = PasswordHasher()
_NOBODYS = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$" + "A" * 43
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"


def one_time_password() -> str:
    """A random first password: readable, 80 bits, passes the rules."""
    return "-".join("".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(4)) + "-A7"


def hashed(password: str) -> str:
    return _HASHER.hash(password)


def hashed_new(password: str, name: str) -> str:
    """The hash of a password that an account is to get. Raises InvalidValue naming `new`, with all that is wrong."""
    faults = password_faults(password, name)
    if faults:
        raise InvalidValue("new", "密码要改：" + "；".join(faults) + "。")
    return hashed(password)


def fits(kept: str | None, password: str) -> bool:
    """Whether the password is the one. Without a hash the time of a check is spent all the same."""
    try:
        return _HASHER.verify(kept or _NOBODYS, password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _HASHER.check_needs_rehash(kept)
