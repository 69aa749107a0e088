"""Running requests: phase, pace, silence."""

from __future__ import annotations

import pytest
import trio
from attrs import define, field

from shunt.gateway.progress import STALL
from shunt.gateway.recording import Nobody, Recording
from shunt.gateway.trace import Phase
from shunt.inference.usage import Usage
from shunt.telemetry.live import FIRST_GUESS, Pace, of_active, phase_of
from shunt.wire import json
from tests.fakes import anthropic
from tests.fakes.pools import T0
from tests.fakes.records import record
from tests.gateway.rooms import wall
from tests.gateway.stages import message, stage
from tests.telemetry.requests import answered, recording


def test_the_pace_is_learnt_from_streams_that_finished() -> None:
    """Short ones and broken ones teach nothing."""
    pace = Pace()
    assert pace.tokens("anthropic-messages", 4000) == round(4000 * FIRST_GUESS)
    pace.learn(record(1, usage=Usage(output=500)), 10_000)
    assert pace.tokens("anthropic-messages", 4000) == 200
    pace.learn(record(1, usage=Usage(output=5000)), 1_000)
    pace.learn(record(1, usage=Usage(output=5000), outcome="cut"), 10_000)
    assert pace.tokens("anthropic-messages", 4000) == 200
    pace.learn(record(1, usage=Usage(output=1000)), 10_000)
    assert pace.tokens("anthropic-messages", 4000) == pytest.approx(220, abs=1)


def test_a_request_that_has_just_come() -> None:
    """Nothing is known yet, and nothing is guessed."""
    told = of_active(recording(), Pace(), T0 + 1.5, 100.0)
    assert (told["phase"], told["age_ms"], told["account"]) == ("arrived", 1500, None)
    assert (told["tokens_per_second"], told["since_last_byte_ms"], told["stalled"]) == (None, None, False)
    json.encode(told)


def test_a_stream_on_its_way() -> None:
    """Tokens a second are estimated; silence is told, and called a stall when it is long."""
    running = recording()
    running.attempt = answered()
    running.answered(200)
    progress = running.progress
    progress.bytes, progress.chunks, progress.began_at, progress.last_at = 8000, 9, 100.0, 108.0
    told = of_active(running, Pace(), T0 + 12, 110.0)
    assert (told["phase"], told["output_tokens"], told["tokens_per_second"]) == ("streaming", 200, 20.0)
    assert (told["since_last_byte_ms"], told["stalled"], told["first_byte_ms"]) == (2000, False, 3000)
    assert of_active(running, Pace(), T0 + 30, 108.0 + STALL)["stalled"]
    progress.complete = True
    assert phase_of(running) is Phase.FIRST_BYTE


@define
class Watching(Nobody):
    """Keeps what has begun."""

    begun: list[Recording] = field(factory=list)

    def started(self, recording: Recording) -> None:
        self.begun.append(recording)


async def test_a_held_request_is_with_no_account() -> None:
    """It was sent to one that is spent, and whose it will be is open; when it has been served, that is told."""
    watching = Watching()
    async with stage([anthropic.rejected(wall() + 2), anthropic.plain("hello")], "a") as s:
        s.gateway.observer = watching
        async with trio.open_nursery() as nursery:
            nursery.start_soon(s.ask, message(wait=60.0))
            with trio.fail_after(10):
                while not watching.begun or phase_of(watching.begun[0]) is not Phase.QUEUED:
                    await trio.testing.wait_all_tasks_blocked(0.01)
            told = of_active(watching.begun[0], Pace(), wall(), trio.current_time())
            assert (told["phase"], told["account"], told["attempts"]) == ("queued", None, 1)
        told = of_active(watching.begun[0], Pace(), wall(), trio.current_time())
        assert (told["account"], told["attempts"]) == ("a", 2)
