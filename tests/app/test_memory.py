"""What the collector is told."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from shunt.app.memory import PATIENCE, THRESHOLDS, Tidying, settle
from shunt.telemetry.observatory import Observatory


def test_what_lives_for_ever_is_not_looked_through() -> None:
    """Everything made before is frozen; later garbage in cycles is still found."""
    before = gc.get_threshold()
    try:
        settle()
        assert gc.get_freeze_count() > 1000
        assert gc.get_threshold() == THRESHOLDS
        cycle: list[object] = []
        cycle.append(cycle)
        del cycle
        assert gc.collect() >= 1
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


def test_tidying_waits_for_a_quiet_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The collector runs once after requests, when none is running."""
    collected: list[int] = []
    monkeypatch.setattr(gc, "collect", lambda: collected.append(1))
    active: dict[str, Any] = {}
    observatory = Observatory(lambda: 0.0, active=lambda: active)
    tidy = Tidying(observatory)
    tidy()
    assert len(collected) == 0
    observatory.tallies.finished = 3
    active["req_1"] = None
    tidy()
    assert len(collected) == 0
    active.clear()
    tidy()
    tidy()
    assert len(collected) == 1
    active["req_2"] = None
    for finished in range(2 * PATIENCE):
        observatory.tallies.finished = 10 + finished
        tidy()
    assert len(collected) == 3


def test_after_a_crowd_one_long_answer_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tidied up as soon as nearly all are gone, and not again for each that comes and goes beside it."""
    collected: list[int] = []
    monkeypatch.setattr(gc, "collect", lambda: collected.append(1))
    active: dict[str, Any] = {f"req_{number}": None for number in range(100)}
    observatory = Observatory(lambda: 0.0, active=lambda: active)
    tidy = Tidying(observatory)
    observatory.tallies.finished = 1
    tidy()
    assert not collected
    for number in range(99):
        del active[f"req_{number}"]
    observatory.tallies.finished = 100
    tidy()
    assert len(collected) == 1
    observatory.tallies.finished = 101
    tidy()
    assert len(collected) == 1
