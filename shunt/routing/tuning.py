"""From `[routing]` to the numbers that decisions read."""

from __future__ import annotations

from shunt.config.types import RoutingConfig
from shunt.routing.view import Tuning


def tuning_of(routing: RoutingConfig) -> Tuning:
    """The tuning that a configuration asks for."""
    return Tuning(
        strategy=routing.strategy,
        expiry_soon=routing.expiry_soon_minutes * 60,
        pin_spills=routing.pin_spills,
    )
