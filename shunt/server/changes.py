"""Turns changes of the pool, the watchers and the running requests into events, while somebody reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import trio
from attrs import define, field

from shunt.accounts.state import AccountState
from shunt.server.parts import ServerParts
from shunt.server.status import Picture, of_account, of_watcher, savings

EVERY: Final = 0.25
"""Seconds between two looks at least: a busy pool changes hundreds of times a second."""
ACTIVE_EVERY: Final = 1.0
"""Seconds between two pictures of the running requests."""
_MOVING: Final = ("last_run_ms", "next_run_ms", "runs")
"""Of a watcher: what changes all the time and says nothing."""


@define(eq=False)
class Changes:
    """Compares what is with what was last told."""

    parts: ServerParts
    picture: Callable[[], Picture]
    _accounts: dict[str, AccountState] = field(factory=dict)
    _pool: dict[str, Any] = field(factory=dict)
    _days: object = None
    _watchers: dict[str, dict[str, Any]] = field(factory=dict)
    _active_at: float = 0.0
    _was_active: bool = False

    async def run(self, idle: Callable[[], None], working: Callable[[], None]) -> None:
        """Publish for as long as the program runs; rest while nobody reads."""
        bus = self.parts.observatory.bus
        while True:
            idle()
            await bus.reader_came()
            working()
            self._take(self.picture())  # whoever comes asks for the whole picture by itself
            version = self.parts.pool.version
            while bus:
                await trio.sleep(EVERY)
                with trio.move_on_after(ACTIVE_EVERY - EVERY):
                    version = await self.parts.pool.changed(version)
                working()
                self.look()

    def look(self) -> None:
        """Publish what differs."""
        picture = self.picture()
        self._tell_accounts(picture)
        self._tell_pool(picture)
        self._tell_watchers(picture)
        self._tell_active(picture)
        self._take(picture)

    def _take(self, picture: Picture) -> None:
        self._accounts = dict(picture.state.accounts)
        self._pool = _pool(picture)
        self._days = picture.state.total
        self._watchers = _watchers(picture)

    def _tell_accounts(self, picture: Picture) -> None:
        bus = self.parts.observatory.bus
        if set(picture.state.accounts) != set(self._accounts):
            bus.publish("accounts", {"names": list(picture.accounts)})
        for name, account in picture.accounts.items():
            state = picture.state.accounts.get(name)
            if state is not None and state is not self._accounts.get(name):
                bus.publish("account", of_account(account, state, picture))

    def _tell_pool(self, picture: Picture) -> None:
        bus = self.parts.observatory.bus
        pool = _pool(picture)
        if pool != self._pool:
            bus.publish("pool", pool)
        if picture.state.total is not self._days:
            bus.publish("savings", savings(picture.state, picture.now))

    def _tell_watchers(self, picture: Picture) -> None:
        for name, watcher in _watchers(picture).items():
            before = self._watchers.get(name)
            if before is None or _steady(before) != _steady(watcher):
                self.parts.observatory.bus.publish("watcher", watcher)

    def _tell_active(self, picture: Picture) -> None:
        clock = trio.current_time()
        running = bool(self.parts.observatory.active())
        due = clock - self._active_at >= ACTIVE_EVERY
        if (running and due) or (self._was_active and not running):
            self._active_at = clock
            self._was_active = running
            told = {
                "now_ms": round(picture.now * 1000),
                "waiting": picture.waiting,
                "active": self.parts.observatory.running(),
            }
            self.parts.observatory.bus.publish("active", told)


def _pool(picture: Picture) -> dict[str, Any]:
    state = picture.state
    return {
        "strategy": picture.strategy,
        "strategy_source": "override" if state.strategy else "config",
        "pinned_account": state.pinned,
        "last_used_account": state.last_used,
        "waiting": picture.waiting,
    }


def _watchers(picture: Picture) -> dict[str, dict[str, Any]]:
    return {condition.name: of_watcher(condition) for condition in picture.watchers}


def _steady(watcher: dict[str, Any]) -> dict[str, Any]:
    state = "failed" if watcher["state"] == "failed" else "well"
    return {**{key: value for key, value in watcher.items() if key not in _MOVING}, "state": state}
