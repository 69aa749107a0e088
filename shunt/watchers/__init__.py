"""Supervised background tasks beside the server. A new one is one module and one name in WATCHERS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from shunt.watchers import (
    auth_sync,
    clock,
    cooldown,
    dumps,
    history,
    prefetch,
    recovery,
    reload,
    renewal,
    snapshots,
    vitals,
)
from shunt.watchers.parts import Parts
from shunt.watchers.supervisor import Watcher

WATCHERS: Final[tuple[Callable[[Parts], Watcher], ...]] = (
    cooldown.watch,
    recovery.watch,
    auth_sync.watch,
    renewal.watch,
    prefetch.watch,
    snapshots.watch,
    history.watch,
    reload.watch,
    clock.watch,
    dumps.watch,
    vitals.watch,
)
NEEDED: Final = (
    cooldown.watch,
    recovery.watch,
    snapshots.watch,
    history.watch,
    reload.watch,
    clock.watch,
)
"""Those without which requests would not be served rightly: all that run after a row of crashes. The history is not
opened then; its watcher lets go of what finished requests left."""
