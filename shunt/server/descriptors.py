"""File descriptors: how many connections this process can afford."""

from __future__ import annotations

import sys
from typing import Final

KEPT_BACK: Final = 64
"""For files, listening sockets, the history, and the connections that watchers make."""
PER_REQUEST: Final = 2
"""The client's connection and the upstream's."""
ENOUGH: Final = 10_240
"""More is of no use here, and macOS refuses more however high its hard limit is."""
USUAL: Final = 4096
"""Assumed where the system has no such limit."""


def raise_limit() -> int:
    """Raise this process's limit as far as it may without rights; returns the limit in force.

    The usual 1024 (macOS: 256) would do for one person, and not for a team.
    """
    if sys.platform == "win32":
        return USUAL
    import resource  # noqa: PLC0415 - there is none on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return ENOUGH
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(ENOUGH, hard)
    if soft >= wanted:
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (ValueError, OSError):  # a container may forbid it
        return soft
    return wanted


def affordable(connections: int, limit: int) -> int:
    """How many of the wanted connections `limit` descriptors allow; never none."""
    return max(1, min(connections, (limit - KEPT_BACK) // PER_REQUEST))
