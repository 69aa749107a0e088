"""What the collector is told."""

from __future__ import annotations

import gc

from shunt.app.memory import THRESHOLDS, settle


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
