"""The registry of strategies."""

from __future__ import annotations

from shunt.config import types
from shunt.routing.strategies import STRATEGIES


def test_the_configuration_knows_exactly_these_strategies() -> None:
    """What config.toml accepts is what there is, the default first."""
    assert tuple(strategy.name for strategy in STRATEGIES) == types.STRATEGIES
    assert types.RoutingConfig().strategy == STRATEGIES[0].name
    assert set(types.STRATEGY_ALIASES.values()) <= set(types.STRATEGIES)


def test_every_strategy_says_what_it_is_for() -> None:
    """Lists of strategies have a line for each."""
    assert all(strategy.summary for strategy in STRATEGIES)
