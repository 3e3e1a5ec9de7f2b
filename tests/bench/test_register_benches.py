"""The benchmarks of bulk changes and exports at a small part of their size: both sides do the whole work."""

from __future__ import annotations

import pytest

from service.bench import bulk, duties, export
from service.bench.figures import Context


@pytest.fixture(autouse=True)
def _the_file_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STEWARD_TEST_POSTGRES", "STEWARD_BENCH_POSTGRES"):
        monkeypatch.delenv(name, raising=False)


def test_a_bulk_change_is_measured_against_single_ones() -> None:
    change, end = bulk.measure(Context(0.04))
    assert "20 行" in change.note and change.met and end.met
    assert change.peer_value is not None and change.peer_value > 0


def test_duties_in_bulk_hold_the_lock_for_less_than_a_second() -> None:
    figures = duties.measure(Context(0.1))
    assert len(figures) == 3 and all("50 项责任" in one.note and one.met for one in figures)


def test_an_export_is_measured_against_pandas() -> None:
    seconds, memory = export.measure(Context(0.001))
    assert "1,000 行" in seconds.note and seconds.met and memory.met
    assert seconds.peer_value is not None and memory.peer_value is not None
