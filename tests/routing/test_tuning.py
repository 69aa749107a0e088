from __future__ import annotations

from shunt.config.types import RoutingConfig
from shunt.routing.tuning import tuning_of


def test_minutes_of_the_file_are_seconds_of_the_decision() -> None:
    """What strategies read follows the configuration, in seconds."""
    tuning = tuning_of(RoutingConfig(strategy="reaper", expiry_soon_minutes=2, pin_spills=True))
    assert (tuning.strategy, tuning.expiry_soon, tuning.pin_spills) == ("reaper", 120, True)
