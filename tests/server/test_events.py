"""GET /events: what happens, to whoever reads, and never at anybody's cost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from shunt.server.events import KINDS
from shunt.telemetry.bus import MOST_READERS, QUEUE, Bus
from tests.fakes.client import RawClient
from tests.fakes.gateway import House, house
from tests.fakes.records import record
from tests.telemetry.requests import recording


@asynccontextmanager
async def reading(served: House, target: bytes = b"/events") -> AsyncIterator[RawClient]:
    """A connection whose subscription has begun."""
    async with served.client() as client:
        await client.send(served.request(b"GET", target))
        with trio.fail_after(10):
            got = b""
            while b"event: hello" not in got or not got.endswith(b"\r\n"):
                got += await client.stream.receive_some(65536)
        assert b"text/event-stream" in got
        yield client


async def until(client: RawClient, word: bytes) -> bytes:
    got = b""
    with trio.fail_after(10):
        while word not in got:
            piece = await client.stream.receive_some(65536)
            assert piece, got
            got += piece
    return got


async def gone(bus: Bus) -> None:
    with trio.fail_after(10):
        while bus:  # noqa: ASYNC110 - a subscription's end is told to nobody
            await trio.sleep(0.01)


async def test_what_happens_is_told() -> None:
    """A greeting, then events as they come; leaving ends the subscription."""
    async with house() as served:
        seen = served.setting.observatory
        async with reading(served) as client:
            seen.started(recording(1))
            seen.finished(recording(1), record(1))
            got = await until(client, b"event: request_finished")
            assert b"event: request_started" in got
            assert len(seen.bus) == 1
        await gone(seen.bus)


async def test_only_what_was_asked_for_is_told() -> None:
    """Names of events, with commas between."""
    async with house() as served:
        seen = served.setting.observatory
        async with reading(served, b"/events?kinds=request_finished,pool") as client:
            seen.started(recording(1))
            seen.finished(recording(1), record(1))
            got = await until(client, b"event: request_finished")
            assert b"request_started" not in got
    assert "request_finished" in KINDS


async def test_a_reader_that_takes_nothing_is_cut_off() -> None:
    """The publisher goes on at once, and the connection ends without its proper end."""
    async with house() as served:
        bus = served.setting.observatory.bus
        async with reading(served) as client:
            for number in range(QUEUE * 40):
                bus.publish("pool", {"text": "x" * 4000, "n": number})
                await trio.lowlevel.checkpoint()
                if not bus:
                    break
            assert bus.dropped == 1
            got = b""
            with trio.fail_after(10):
                try:
                    while piece := await client.stream.receive_some(65536):
                        got += piece
                except trio.BrokenResourceError:
                    pass
            assert not got.endswith(b"0\r\n\r\n")
        answer = await served.ask(b"GET", b"/health")
        assert answer.status == 200


async def test_the_end_of_the_program_ends_the_stream() -> None:
    """Properly, so that a page may come again."""
    async with house() as served, reading(served) as client:
        served.setting.observatory.bus.close()
        await until(client, b"0\r\n\r\n")


async def test_readers_are_bounded() -> None:
    """One too many is asked to come again."""
    async with house() as served:
        bus = served.setting.observatory.bus
        kept = [bus.subscribe() for _ in range(MOST_READERS)]
        answer = await served.ask(b"GET", b"/events")
        assert (answer.status, answer.get(b"retry-after")) == (503, b"5")
        assert len(kept) == MOST_READERS


@pytest.mark.parametrize("target", [b"/events?kind=pool", b"/events?x=1"])
async def test_unknown_parameters_are_named(target: bytes) -> None:
    """Like everywhere."""
    async with house() as served:
        assert (await served.ask(b"GET", target)).status == 400
