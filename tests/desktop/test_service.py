from __future__ import annotations

from shunt.desktop.service import Service


def test_managers_wait_longer_than_the_drain() -> None:
    """A stream that may finish is not killed by the manager."""
    assert Service((), "", {}, drain_seconds=0.5).stop_seconds == 15
    assert Service((), "", {}, drain_seconds=600).stop_seconds == 615
