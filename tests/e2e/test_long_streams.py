"""Streams that last: real minutes on real sockets. Run by `scripts/test -m slow`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import trio

from tests.e2e.program import MESSAGES, key_account, program
from tests.fakes import anthropic
from tests.fakes.client import RawResponse, raw_client, request
from tests.fakes.upstream import Pause, Step, scripted_upstream

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

MINUTES = 3
SILENCE = 90.0
BODY = json.dumps(
    {"model": "m", "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": "think long"}]}
).encode()


def steps() -> list[Step]:
    """Three minutes of events, ninety seconds of silence in the middle."""
    events = [*anthropic.opening_events(), *anthropic.text_events([f"word {n} " for n in range(90)])]
    pause = (MINUTES * 60 - SILENCE) / len(events)
    out: list[Step] = []
    for number, event in enumerate(events):
        out += [event, Pause(SILENCE if number == len(events) // 2 else pause)]
    return [*out, *anthropic.closing_events()]


async def test_three_minutes_with_ninety_seconds_of_silence_arrive_whole(tmp_path: Path) -> None:
    """Ten such streams at once: every byte of every one arrives, and SIGTERM in the middle changes nothing."""
    script = steps()
    whole = hashlib.sha256(b"".join(step for step in script if isinstance(step, bytes))).hexdigest()
    async with (
        scripted_upstream(lambda *_: anthropic.events_answer(script)) as up,
        program(tmp_path, up.url) as shunt,
    ):
        shunt.configure(
            [key_account("a"), key_account("b")], server={"drain_seconds": 240, "request_timeout_secs": 600}
        )
        await shunt.start()
        got: list[RawResponse] = []

        async def one() -> None:
            async with raw_client(shunt.port) as client:
                await client.send(request(b"POST", b"/v1/messages", MESSAGES, BODY))
                got.append(await client.response(b"POST"))

        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(one)
            await trio.sleep(MINUTES * 60 / 2)
            shunt.signal()
        assert [hashlib.sha256(answer.body).hexdigest() for answer in got] == [whole] * 10
        assert all(answer.complete for answer in got)
        assert await shunt.stopped(30) == 0
