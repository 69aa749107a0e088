"""What is written down when somebody asks what goes on."""

from __future__ import annotations

import json

import trio
import trio.testing

from shunt.server.situation import situation
from tests.fakes.gateway import house


async def test_tasks_are_told_with_the_places_they_wait_at() -> None:
    """Names of functions and lines of files, for every task there is, beside what /status tells."""

    async def waiting_for_godot() -> None:
        await trio.sleep_forever()

    async with house() as served, trio.open_nursery() as nursery:
        nursery.start_soon(waiting_for_godot)
        await trio.testing.wait_all_tasks_blocked()
        told = json.loads(situation(served.setting.parts(), str))
        (found,) = [task for task in told["tasks"] if "waiting_for_godot" in task["name"]]
        assert any(place.startswith("test_situation.py:") for place in found["waits_at"])
        assert told["tasks_in_all"] == len(told["tasks"])
        assert {account["name"] for account in told["status"]["accounts"]} == {"a", "b"}
        nursery.cancel_scope.cancel()


async def test_every_text_is_cleaned() -> None:
    """What the log never shows is not shown here, either."""
    async with house() as served:
        assert '"name": "***"' in situation(served.setting.parts(), lambda text: text.replace('"a"', '"***"'))
