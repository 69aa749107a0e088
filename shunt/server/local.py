"""What the server needs of a program on this machine that answers requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class LocalSessions(Protocol):
    """What the driver of the local program tells and does."""

    def listed(self) -> Sequence[Mapping[str, Any]]:
        """Every conversation, the latest used first."""

    def at_work(self) -> Mapping[str, Any]:
        """Processes by what they do, and the line in front of them."""

    async def cleanup(self, *, everything: bool) -> int:
        """Forget conversations: the expired ones, or all; returns how many."""


class NoSessions:
    """Stands in where no such program is driven."""

    def listed(self) -> Sequence[Mapping[str, Any]]:
        """None."""
        return ()

    def at_work(self) -> Mapping[str, Any]:
        """Nothing."""
        return {}

    async def cleanup(self, *, everything: bool) -> int:  # noqa: ARG002 - the shape of the real one
        """Nothing to forget."""
        return 0
