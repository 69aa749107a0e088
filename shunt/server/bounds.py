"""Every limit of the front side in one place, each with its reason. `[limits]` moves them.

Quart's and Hypercorn's own limits are switched off or lie above these (`app.py`, `serve.py`): some of
them end a healthy stream without a word.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

from shunt.config.types import Config

KIB: Final = 1024
MIB: Final = 1024 * KIB


@frozen
class Bounds:
    """Sizes in bytes, times in seconds. Tests shorten the times."""

    # ── a request's head ──────────────────────────────────────────────────────────────────────
    line: int = 8 * KIB
    """Request line. The longest real one is a batch id with a query, far below 1 KiB."""
    head: int = 64 * KIB
    """Request line and headers together. Claude Code sends 2 KiB, Codex 4 KiB."""
    fields: int = 100
    head_seconds: float = 15.0
    """From the connection, or from the first byte of a later request, to the end of its head."""

    # ── a request's body ──────────────────────────────────────────────────────────────────────
    body: int = 64 * MIB
    """Set from `server.max_body_mb`; Anthropic accepts 32 MB, with room for other vendors."""
    control_body: int = 64 * KIB
    bodies: int = 256 * MIB
    """All bodies in memory together; what comes beyond gets a 503 and comes again."""
    body_grace: float = 10.0
    body_rate: int = KIB
    """Bytes per second a body has to come with on average, once the grace is over."""
    body_seconds: float = 600.0
    """The whole body. As long as clients themselves are prepared to wait for an answer."""

    # ── a connection ──────────────────────────────────────────────────────────────────────────
    keep_alive: float = 620.0
    """Idle time of a kept connection. Longer than any client or proxy keeps its own side (600 s is
    the longest seen), so that no request meets a connection that is just being closed. Idle
    connections are cheap, and the oldest goes first when `connections` is reached."""
    stall: float = 60.0
    """Time in which a client that is being sent to must take at least one byte."""
    pipelined: int = MIB
    """Bytes a client may send ahead of an answer that is still running."""
    linger: float = 2.0
    """Silence after which a connection we have ended is closed for good. Closing it while the client
    still sends would reset it, and the client might never read the answer."""
    linger_total: float = 30.0
    connections: int = 2000
    full: float = 5.0
    """How long whoever comes waits for a place before the first is turned away: a burst is served bit by bit."""
    per_address: int = 256
    """Connections of one remote address. Loopback addresses say nothing about who calls."""

    # ── a request ─────────────────────────────────────────────────────────────────────────────
    per_client: int = 0
    """Requests that one client's key may have running; 0 for any number."""
    request: float = 12 * 3600.0
    """Waiting for an account and streaming together: what is still there then has been forgotten."""

    # ── the end ───────────────────────────────────────────────────────────────────────────────
    drain: float = 30.0
    """Set from `server.drain_seconds`: what running requests get at shutdown."""
    cut: float = 3.0
    """What those that did not finish get to tell their clients so."""


def bounds_of(config: Config) -> Bounds:
    """The limits that `[server]` and `[limits]` ask for."""
    server, limits = config.server, config.limits
    body = body_limit(config)
    return Bounds(
        line=limits.line_kb * KIB,
        control_body=limits.control_body_kb * KIB,
        pipelined=limits.pipelined_kb * KIB,
        head=limits.head_kb * KIB,
        fields=limits.header_fields,
        head_seconds=limits.head_seconds,
        body=body,
        bodies=max(limits.bodies_mb * MIB, 2 * body),
        body_grace=limits.body_grace_seconds,
        body_rate=limits.body_rate,
        body_seconds=limits.body_seconds,
        keep_alive=limits.keep_alive_seconds,
        stall=limits.stall_seconds,
        connections=limits.connections,
        full=limits.full_seconds,
        per_address=limits.connections_per_address,
        per_client=limits.requests_per_client,
        request=limits.request_hours * 3600,
        drain=server.drain_seconds,
    )


def body_limit(config: Config) -> int:
    """Bytes that a request's body may have, compressed or not."""
    return int(config.server.max_body_mb * MIB)
