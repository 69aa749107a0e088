"""An agent's turn that streams for an hour, on a clock that jumps: server, gateway and upstream as in life."""

from __future__ import annotations

import json

import pytest
import trio
from trio.testing import MockClock

from shunt.config.types import Config
from shunt.server.access import Access
from shunt.server.app import create_app
from shunt.server.parts import ServerParts
from shunt.telemetry.observatory import Observatory
from shunt.upstream.timeouts import Timeouts
from shunt.watchers.health import Health
from tests.e2e.program import MESSAGES
from tests.fakes import anthropic
from tests.fakes.client import ask
from tests.fakes.clocks import socket_clock
from tests.fakes.serving import running
from tests.fakes.upstream import Pause, Step
from tests.gateway.rooms import wall
from tests.gateway.stages import Stage, stage

BODY = json.dumps(
    {"model": "m", "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": "think"}]}
).encode()


@pytest.fixture
def clock() -> MockClock:
    return socket_clock()


def parts_of(s: Stage) -> ServerParts:
    async def nothing() -> None:
        await trio.lowlevel.checkpoint()

    config = Config()
    return ServerParts(
        gateway=s.gateway,
        pool=s.pool,
        access=Access(config, trio.current_time),
        config=lambda: config,
        health=Health(wall),
        waiting=lambda: 0,
        reload=nothing,
        now=wall,
        version="test",
        started_at=wall(),
        observatory=Observatory(wall),
    )


async def test_an_hour_of_a_stream_arrives_whole(clock: MockClock) -> None:
    """Forty events ninety seconds apart: no limit of any layer cuts a stream that makes progress."""
    events = [*anthropic.opening_events(), *anthropic.text_events([f"{n} " for n in range(36)])]
    steps: list[Step] = []
    for event in events:
        steps += [event, Pause(90)]
    steps += anthropic.closing_events()
    whole = b"".join(step for step in steps if isinstance(step, bytes))
    async with (
        stage([anthropic.events_answer(steps)], "a", timeouts=Timeouts()) as s,
        running(create_app(parts_of(s))) as server,
    ):
        began = trio.current_time()
        answer = await ask(server.port, b"POST", b"/v1/messages", MESSAGES, BODY)
        assert trio.current_time() - began >= 3600 - 90
        assert (answer.body, answer.complete) == (whole, True)
    assert s.records[0].outcome == "served"
