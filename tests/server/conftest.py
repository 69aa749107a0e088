"""Fixtures of the server's tests."""

from __future__ import annotations

import pytest
from trio.testing import MockClock

from tests.fakes.clocks import socket_clock


@pytest.fixture
def clock() -> MockClock:
    """A clock that jumps over waits, with real sockets."""
    return socket_clock()
