"""Limits follow the configuration where it has a say."""

from __future__ import annotations

import pytest

from shunt.config.types import ServerConfig
from shunt.server.bounds import MIB, Bounds, bounds_of


@pytest.mark.parametrize(
    ("megabytes", "body", "bodies"),
    [(64, 64 * MIB, 256 * MIB), (1, MIB, 256 * MIB), (500, 500 * MIB, 1000 * MIB)],
)
def test_bodies_may_be_as_large_as_configured(megabytes: float, body: int, bodies: int) -> None:
    """And two of the largest always fit beside each other."""
    bounds = bounds_of(ServerConfig(max_body_mb=megabytes, drain_seconds=7))
    assert (bounds.body, bounds.bodies, bounds.drain) == (body, bodies, 7)


def test_an_idle_connection_outlives_what_clients_keep() -> None:
    """Nobody's pool holds a connection for longer than ten minutes."""
    assert Bounds().keep_alive > 600
