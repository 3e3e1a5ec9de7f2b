"""How passwords are kept by the service itself; the other tests hash lightly (tests/conftest.py)."""

from __future__ import annotations

import pytest
from argon2 import Type, extract_parameters

from service.people import passwords
from tests.conftest import OWN_HASHER, OWN_NOBODYS


@pytest.fixture
def _heavy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_HASHER", OWN_HASHER)
    monkeypatch.setattr(passwords, "_NOBODYS", OWN_NOBODYS)


@pytest.mark.usefixtures("_heavy")
def test_a_hash_is_as_costly_as_rfc_9106_wants_it() -> None:
    """The second recommended option: argon2id, three passes over 64 MiB in four lanes."""
    kept = passwords.hashed("Correct-horse-9")
    made = extract_parameters(kept)
    assert (made.type, made.time_cost, made.memory_cost, made.parallelism) == (Type.ID, 3, 64 * 1024, 4)
    assert passwords.fits(kept, "Correct-horse-9") and not passwords.fits(kept, "correct-horse-9")
    assert not passwords.is_outdated(kept)


@pytest.mark.usefixtures("_heavy")
def test_an_account_that_is_not_there_costs_the_same() -> None:
    assert extract_parameters(passwords._NOBODYS) == extract_parameters(passwords.hashed("Correct-horse-9"))
    assert not passwords.fits(None, "Correct-horse-9")


def test_a_lighter_hash_is_outdated(monkeypatch: pytest.MonkeyPatch) -> None:
    light = passwords.hashed("Correct-horse-9")
    monkeypatch.setattr(passwords, "_HASHER", OWN_HASHER)
    assert passwords.is_outdated(light) and passwords.fits(light, "Correct-horse-9")
