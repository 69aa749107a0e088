"""Every request is seen once, by everybody who looks."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from shunt.gateway.progress import STALL
from shunt.telemetry.observatory import Observatory
from shunt.telemetry.ring import Finished
from shunt.wire import json
from tests.fakes.pools import T0
from tests.fakes.records import record, request_id
from tests.gateway.test_trace import decided
from tests.telemetry.requests import recording


async def test_a_request_is_counted_kept_told_and_exported(autojump_clock: MockClock) -> None:
    """With its silences, counted from its arrival."""
    exported: list[Finished] = []
    seen = Observatory(lambda: T0 + 9, exports=[exported.append])
    reader = seen.bus.subscribe()
    running = recording(1)
    seen.started(running)
    running.progress.moved(5)
    await trio.sleep(STALL)
    running.progress.moved(5)
    seen.finished(running, record(1))
    assert seen.tallies.finished == 1
    kept = seen.ring.find(request_id(1))
    assert kept is exported[0] is not None
    assert kept.stalls == ((0.2, STALL),)
    told = await anext(reader)
    assert told.index(b"event: request_started") < told.index(b"event: request_finished")
    assert b"event: error" not in told


async def test_a_failure_is_kept_and_told(autojump_clock: MockClock) -> None:
    """One that left by itself is none."""
    seen = Observatory(lambda: T0, lambda text: text.replace("without", "W"))
    reader = seen.bus.subscribe({"error"})
    seen.finished(recording(1), record(1, outcome="client_gone", status=499))
    seen.finished(recording(2), record(2, outcome="failed", status=503))
    (failed,) = seen.ring.failures(9)
    assert failed.record.id == request_id(2)
    assert failed.failure is not None
    assert "W an answer" in failed.failure.message
    assert (await anext(reader)).count(b"event: error") == 1


async def test_running_requests_are_listed(autojump_clock: MockClock) -> None:
    """The oldest first."""
    seen = Observatory(lambda: T0 + 5, active=lambda: {"x": recording(1), "y": recording(2)})
    await trio.lowlevel.checkpoint()
    assert [one["id"] for one in seen.running()] == [request_id(1), request_id(2)]


def test_decisions_are_settled_for_the_history() -> None:
    """Worked out once; empty for what is forgotten."""
    seen = Observatory(lambda: T0)
    running = recording(1)
    decided(running.trace)
    seen.finished(running, record(1))
    told = json.value(seen.explanation(request_id(1)))
    assert told[0]["account"] == "b"
    assert running.trace._noted == []
    assert seen.ring.find(request_id(1)).document()["decisions"] == told  # type: ignore[union-attr]
    assert seen.explanation(request_id(2)) == b""
