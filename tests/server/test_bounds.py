"""Limits follow the configuration where it has a say."""

from __future__ import annotations

import attrs
import pytest

from shunt.config.limits import LimitsConfig
from shunt.config.types import Config, ServerConfig
from shunt.server.bounds import MIB, Bounds, bounds_of


@pytest.mark.parametrize(
    ("megabytes", "body", "bodies"),
    [(64, 64 * MIB, 256 * MIB), (1, MIB, 256 * MIB), (500, 500 * MIB, 1000 * MIB)],
)
def test_bodies_may_be_as_large_as_configured(megabytes: float, body: int, bodies: int) -> None:
    """And two of the largest always fit beside each other."""
    bounds = bounds_of(Config(server=ServerConfig(max_body_mb=megabytes, drain_seconds=7)))
    assert (bounds.body, bounds.bodies, bounds.drain) == (body, bodies, 7)


def test_an_idle_connection_outlives_what_clients_keep() -> None:
    """Nobody's pool holds a connection for longer than ten minutes."""
    assert Bounds().keep_alive > 600


def test_every_limit_can_be_moved() -> None:
    """Each key of [limits] changes a bound of the server, or a time-out of the upstream client."""
    moved = {
        "line_kb": 4,
        "control_body_kb": 32,
        "pipelined_kb": 64,
        "head_kb": 32,
        "header_fields": 50,
        "head_seconds": 5.0,
        "body_seconds": 60.0,
        "body_grace_seconds": 2.0,
        "body_rate": 99,
        "bodies_mb": 200,
        "connections": 30,
        "full_seconds": 1.0,
        "connections_per_address": 7,
        "requests_per_client": 4,
        "request_hours": 1.0,
        "keep_alive_seconds": 75.0,
        "stall_seconds": 9.0,
    }
    elsewhere = {"upstream_write_seconds", "wrong_keys_per_minute", "event_mb", "answer_mb"}
    assert set(moved) | elsewhere == {attribute.name for attribute in attrs.fields(LimitsConfig)}
    standard = bounds_of(Config())
    for name, value in moved.items():
        assert bounds_of(Config(limits=LimitsConfig(**{name: value}))) != standard, name  # type: ignore[arg-type]
