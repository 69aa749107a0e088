"""Changes become events, while somebody reads."""

from __future__ import annotations

from typing import Any

import trio
from attrs import evolve
from trio.testing import MockClock

from shunt.server.changes import ACTIVE_EVERY, Changes
from shunt.server.control import Control
from shunt.telemetry.bus import COMMENT, Subscription
from shunt.wire import json
from tests.fakes.gateway import Setting
from tests.fakes.records import record, request_id
from tests.telemetry.requests import recording


class Stage:
    """A pool whose changes are told."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.setting = Setting()
        parts = self.setting.parts()
        self.changes = Changes(parts, Control(parts).picture)
        self.signs: list[str] = []
        nursery.start_soon(
            self.changes.run, lambda: self.signs.append("idle"), lambda: self.signs.append("working")
        )

    async def reader(self) -> Subscription:
        reader = self.setting.observatory.bus.subscribe()
        await trio.testing.wait_all_tasks_blocked()
        return reader


async def told(reader: Subscription, seconds: float = 2.0) -> list[tuple[str, Any]]:
    """Events of the next seconds."""
    await trio.sleep(seconds)
    if not reader._queue:
        return []
    data = await anext(reader)
    assert data != COMMENT
    events = []
    for block in data.decode().strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        events.append((fields["event"], json.value(fields["data"].encode())))
    return events


async def test_commands_are_told_at_once(autojump_clock: MockClock) -> None:
    """Pin, strategy, pause: with the documents that /status has."""
    async with trio.open_nursery() as nursery:
        stage = Stage(nursery)
        reader = await stage.reader()
        assert await told(reader) == []
        stage.setting.pool.pin("b")
        assert await told(reader) == [
            (
                "pool",
                {
                    "strategy": "maximus",
                    "strategy_source": "config",
                    "pinned_account": "b",
                    "last_used_account": None,
                    "waiting": 3,
                },
            )
        ]
        stage.setting.pool.pause("a")
        ((kind, account),) = await told(reader)
        assert (kind, account["name"], account["status"]) == ("account", "a", "disabled")
        nursery.cancel_scope.cancel()


async def test_a_storm_of_changes_is_a_few_events(autojump_clock: MockClock) -> None:
    """A busy pool changes hundreds of times a second."""
    async with trio.open_nursery() as nursery:
        stage = Stage(nursery)
        reader = await stage.reader()
        for _ in range(100):
            with stage.setting.pool.lease("a"):
                await trio.sleep(0.01)
        assert 1 <= sum(kind == "account" for kind, _ in await told(reader)) <= 6
        nursery.cancel_scope.cancel()


async def test_running_requests_are_pictured_every_second(autojump_clock: MockClock) -> None:
    """And once more when the last has ended."""
    async with trio.open_nursery() as nursery:
        stage = Stage(nursery)
        running = {request_id(1): recording(1)}
        stage.setting.observatory.active = lambda: running
        reader = await stage.reader()
        pictures = [one for kind, one in await told(reader, 5 * ACTIVE_EVERY) if kind == "active"]
        assert 4 <= len(pictures) <= 6
        assert pictures[0]["active"][0]["id"] == request_id(1)
        running.clear()
        pictures = [one for kind, one in await told(reader, 5) if kind == "active"]
        assert [one["active"] for one in pictures] == [[]]
        nursery.cancel_scope.cancel()


async def test_savings_watchers_and_accounts(autojump_clock: MockClock) -> None:
    """A watcher's turns are no news, its state is."""
    async with trio.open_nursery() as nursery:
        stage = Stage(nursery)
        condition = stage.setting.health.enrol("clock")
        reader = await stage.reader()
        await told(reader)
        stage.setting.pool.finished(record(1))
        assert "savings" in [kind for kind, _ in await told(reader)]
        condition.runs += 1
        assert await told(reader) == []
        condition.fail("boom")
        ((kind, watcher),) = await told(reader)
        assert (kind, watcher["name"], watcher["state"]) == ("watcher", "clock", "failed")
        pool = stage.setting.pool
        accounts = [*pool.accounts.values(), evolve(pool.accounts["a"], name="new")]
        pool.reconfigure(accounts, pool.view().tuning, 60)
        events = dict(await told(reader))
        assert events["accounts"] == {"names": ["a", "b", "new"]}
        assert events["account"]["name"] == "new"
        nursery.cancel_scope.cancel()


async def test_nobody_reading_is_rest(autojump_clock: MockClock) -> None:
    """Until somebody comes."""
    async with trio.open_nursery() as nursery:
        stage = Stage(nursery)
        await trio.sleep(100)
        assert stage.signs == ["idle"]
        reader = await stage.reader()
        reader.close()
        stage.setting.pool.pin("a")
        await trio.sleep(100)
        assert stage.signs[-1] == "idle"
        nursery.cancel_scope.cancel()
