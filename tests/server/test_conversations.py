"""`/sessions`: what a local program holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from shunt.server.local import NoSessions
from shunt.wire import json
from tests.fakes.gateway import Setting, house


class Held:
    """Three conversations."""

    def __init__(self) -> None:
        self.left = 3

    def listed(self) -> Sequence[Mapping[str, Any]]:
        return [{"conversation": str(number)} for number in range(self.left)]

    def at_work(self) -> Mapping[str, Any]:
        return {"answering": 1}

    async def cleanup(self, *, everything: bool) -> int:
        gone = self.left if everything else 1
        self.left -= gone
        return gone


async def test_they_are_listed() -> None:
    """With what the processes do."""
    async with house(setting=Setting(local=Held())) as served:
        answer = await served.ask(b"GET", b"/sessions", (), b"")
    told = json.value(answer.body)
    assert (len(told["sessions"]), told["processes"]) == (3, {"answering": 1})


@pytest.mark.parametrize(("body", "left"), [(b"", 2), (b'{"all": false}', 2), (b'{"all": true}', 0)])
async def test_they_are_let_go(body: bytes, left: int) -> None:
    """The expired ones, or all; how many went and stay is told."""
    async with house(setting=Setting(local=Held())) as served:
        answer = await served.ask(b"POST", b"/sessions/cleanup", (), body)
    assert json.value(answer.body) == {"removed": 3 - left, "remaining": left}


async def test_nonsense_is_refused() -> None:
    """And nothing is let go."""
    held = Held()
    async with house(setting=Setting(local=held)) as served:
        answer = await served.ask(b"POST", b"/sessions/cleanup", (), b'{"all": "yes"}')
    assert (answer.status, held.left) == (400, 3)


async def test_without_a_local_program_there_are_none() -> None:
    """Empty answers instead of errors."""
    async with house() as served:
        answer = await served.ask(b"GET", b"/sessions", (), b"")
    assert json.value(answer.body) == {"sessions": [], "processes": {}}
    assert await NoSessions().cleanup(everything=True) == 0
