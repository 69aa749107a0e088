"""A driver at work on the stand-in program."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio
from attrs import define, evolve, field

from shunt.accounts.account import Account
from shunt.config.claude_code import ClaudeCodeConfig
from shunt.limits.windows import Window
from shunt.providers.base import UpstreamCall
from shunt.providers.claude_code import LOCAL
from shunt.store.logs import Redactor
from shunt.upstream.claude_code.driver import Driver
from shunt.upstream.claude_code.memory import Memory
from shunt.upstream.claude_code.program import Program
from shunt.upstream.claude_code.sessions import Sessions
from shunt.upstream.claude_code.turn import Reply

STAND_IN = Path(__file__).parents[2] / "fakes" / "claude_program.py"
TOOL = {"name": "look", "description": "Looks.", "input_schema": {"type": "object", "properties": {}}}


def stand_in(folder: Path) -> Path:
    """The stand-in program as an executable."""
    program = folder / "claude"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "{STAND_IN}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return program


@define(eq=False)
class Desk:
    """Asks the driver, and looks at what it does."""

    driver: Driver
    settings: ClaudeCodeConfig
    learned: list[tuple[str, tuple[Window, ...]]] = field(factory=list)

    def set(self, **changes: Any) -> None:
        """Change settings."""
        self.settings = evolve(self.settings, **changes)

    async def ask(
        self,
        *turns: str | Mapping[str, Any],
        tools: Sequence[Mapping[str, Any]] = (),
        headers: tuple[tuple[bytes, bytes], ...] = (),
        **fields: Any,
    ) -> Reply:
        """Send one request; a text is a turn of the person's."""
        messages = [
            {"role": "user", "content": turn} if isinstance(turn, str) else dict(turn) for turn in turns
        ]
        body = {"model": "claude-opus-5-5", "max_tokens": 64, "stream": True, "messages": messages}
        body |= fields
        if tools:
            body["tools"] = list(tools)
        call = UpstreamCall("local", "POST", LOCAL, b"/v1/messages", headers, json.dumps(body).encode())
        return await self.driver.send(call)

    async def gone(self) -> None:
        """Wait until no process is left."""
        with trio.fail_after(20):
            while self.driver.runs or self.driver.places.taken:  # noqa: ASYNC110 - real processes end
                await trio.sleep(0.01)


async def events(reply: Reply) -> list[dict[str, Any]]:
    """The whole of a streamed answer."""
    found = b"".join([chunk async for chunk in reply.chunks()])
    await reply.aclose()
    return [json.loads(line[6:]) for line in found.decode().splitlines() if line.startswith("data: ")]


def text_of(answer: list[dict[str, Any]]) -> str:
    """What was said in an answer."""
    deltas = [event["delta"] for event in answer if event["type"] == "content_block_delta"]
    return "".join(delta.get("text", "") for delta in deltas)


@asynccontextmanager
async def desk(folder: Path, **settings: Any) -> AsyncIterator[Desk]:
    """A driver on the stand-in, in a folder of its own."""
    async with trio.open_nursery() as nursery:
        found: Desk
        account = Account("local", "claude-code", LOCAL, subscription=True)
        environ = {"PATH": os.environ["PATH"], "HOME": str(folder / "home")}
        memory = Memory(folder / "data", environ, lambda: {"local": ""}, Sessions(10))
        driver = Driver(
            settings=lambda: found.settings,
            accounts=lambda: {"local": account},
            learned=lambda name, windows: found.learned.append((name, windows)),
            memory=memory,
            program=Program(environ),
            environ=environ,
            folder=folder / "data",
            nursery=nursery,
            now=lambda: 1_800_000_000.0,
            clean=Redactor().clean,
        )
        found = Desk(driver, ClaudeCodeConfig(**{"command": str(stand_in(folder)), **settings}))
        yield found
        nursery.cancel_scope.cancel()
