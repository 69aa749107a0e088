"""How long an upstream is waited for."""

from __future__ import annotations

from attrs import frozen

CLOSE_WITHIN = 5.0
"""Seconds that closing a connection may hold up a task that is being cancelled."""


@frozen
class Timeouts:
    """How long an upstream is waited for, in seconds."""

    connect: float = 10.0
    """For TCP, for a proxy's part and for TLS, each; three times this for all of them together."""
    write: float = 60.0
    """Without the upstream taking any more of the request."""
    silence: float = 600.0
    """Without a byte of the answer; also the limit for its headers as a whole, since an upstream that
    sends one `102 Processing` after another is as good as silent."""
