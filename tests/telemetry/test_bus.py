"""Events to readers: each to all that want it, none waits for any."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from shunt.telemetry.bus import COMMENT, KEEP_ALIVE, MOST_READERS, QUEUE, Bus


async def test_every_reader_gets_every_event_it_wants(autojump_clock: MockClock) -> None:
    """Numbered, in order, several at once when they came together."""
    bus = Bus()
    everything, some = bus.subscribe(), bus.subscribe({"b"})
    bus.publish("a", {"n": 1})
    bus.publish("b", {"n": 2})
    assert await anext(everything) == (
        b'id: 1\nevent: a\ndata: {"n":1}\n\nid: 2\nevent: b\ndata: {"n":2}\n\n'
    )
    assert await anext(some) == b'id: 2\nevent: b\ndata: {"n":2}\n\n'


async def test_silence_is_broken_by_comments(autojump_clock: MockClock) -> None:
    """A connection that lives shows it."""
    reader = Bus().subscribe()
    began = trio.current_time()
    assert await anext(reader) == COMMENT
    assert trio.current_time() - began == KEEP_ALIVE


async def test_who_lags_is_cut_off_and_nobody_else(autojump_clock: MockClock) -> None:
    """The publisher never waits; what fits the queue is still given out."""
    bus, cut = Bus(), []
    slow = bus.subscribe(cut=lambda: cut.append(True))
    quick = bus.subscribe()
    for number in range(QUEUE + 1):
        bus.publish("a", {"n": number})
        await anext(quick)
    assert (cut, bus.dropped, len(bus)) == ([True], 1, 1)
    assert (await anext(slow)).count(b"event: a") == QUEUE
    with pytest.raises(StopAsyncIteration):
        await anext(slow)


def test_nobody_reading_costs_nothing() -> None:
    """Nothing is encoded or numbered."""
    bus = Bus()
    bus.publish("a", {"odd": object()})
    assert bus.published == 0
    reader = bus.subscribe()
    reader.close()
    assert len(bus) == 0


async def test_whoever_waits_for_readers_is_woken(autojump_clock: MockClock) -> None:
    """And goes on at once while there is one."""
    bus = Bus()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(bus.reader_came)
        await trio.testing.wait_all_tasks_blocked()
        bus.subscribe()
    await bus.reader_came()


async def test_the_end_lets_everybody_go(autojump_clock: MockClock) -> None:
    """Also those that wait, and those that come later."""
    bus = Bus()
    reader = bus.subscribe()

    async def read() -> None:
        with pytest.raises(StopAsyncIteration):
            await anext(reader)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await trio.testing.wait_all_tasks_blocked()
        bus.close()
    with pytest.raises(StopAsyncIteration):
        await anext(bus.subscribe())


def test_readers_are_bounded() -> None:
    """Whoever asks first is told."""
    bus = Bus()
    kept = [bus.subscribe() for _ in range(MOST_READERS)]
    states = [bus.full]
    kept[0].close()
    assert [*states, bus.full] == [True, False]
    assert bus.event("hello", {}) == b"event: hello\ndata: {}\n\n"
