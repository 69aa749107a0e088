from __future__ import annotations

import json
from typing import Any

import pytest
import trio
from attrs import evolve

from shunt.accounts.account import Account
from shunt.gateway.attempt import Attempt, Attempts
from shunt.gateway.gateway import REMOTE_SILENT
from shunt.gateway.lifetime import Lifetime
from shunt.inference.inbound import Operation
from shunt.protocols import protocol_named
from tests.fakes import anthropic, openai_responses
from tests.fakes.upstream import Answer, End, Framing, Gate, Pause, Step
from tests.gateway.rooms import account, wall
from tests.gateway.stages import message, read, stage, unasked


async def test_a_stream_passes_byte_for_byte_and_is_accounted_for() -> None:
    """The client gets the vendor's bytes; usage, model and times are recorded once."""
    answer = anthropic.stream("hel", "lo")
    sent = b"".join(step for step in answer.steps if isinstance(step, bytes))
    async with stage([answer], "a") as s:
        answered = await s.ask(message(stream=True))
        assert answered.body == sent
        assert [(r.outcome, r.usage.input, r.usage.output, r.status) for r in s.records] == [
            ("served", 10, 5, 200)
        ]
        assert s.records[0].served_model
        assert s.records[0].first_byte_ms is not None
        assert s.gateway.active == {}


async def test_a_stream_is_asked_for_in_the_task_of_its_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """And its answer is given back there: a task of its own would wait for its turn behind all other streams, twice."""
    tasks: list[trio.lowlevel.Task] = []
    make = Attempts.make

    async def made(self: Attempts, *call: Any) -> Attempt:
        tasks.append(trio.lowlevel.current_task())
        return await make(self, *call)

    monkeypatch.setattr(Attempts, "make", made)
    async with stage([anthropic.stream("hello")], "a") as s, trio.open_nursery() as nursery:
        lifetime = Lifetime(nursery, unasked)
        delivery = await s.gateway.handle(message(stream=True), lifetime)
        assert delivery is not None
        await read(delivery)
        await lifetime.close()
    assert tasks == [trio.lowlevel.current_task()]


async def test_the_first_content_is_not_waited_for_beyond_itself() -> None:
    """What has come is passed on while the rest is still on its way."""
    gate = Gate(trio.Event())
    steps: tuple[Step, ...] = (*anthropic.opening_events(), *anthropic.text_events(["hello"])[:2], gate)
    async with stage([anthropic.events_answer(steps)], "a") as s:
        async with s.asking(message(stream=True)) as (delivery, _):
            assert not isinstance(delivery.body, bytes)
            got = b""
            while b"hello" not in got:
                got += await anext(delivery.body)
        assert s.records[0].outcome == "client_gone"
        assert s.records[0].usage.input == 10
        await s.up.requests[0].left.wait()


async def test_a_break_in_the_middle_is_recorded_as_a_cut() -> None:
    """After content nothing is repeated: the stream ends with an error event and one record."""
    async with stage([anthropic.cut_stream("par", ending=End.RST)], "a", "b") as s:
        answered = await s.ask(message(stream=True))
        assert answered.status == 200
        assert b"event: error" in answered.body
        assert len(s.up.requests) == 1
        assert s.records[0].outcome == "cut"


async def test_a_held_stream_is_kept_alive_and_then_served() -> None:
    """Once committed, pings bridge the wait; the answer follows in the same stream."""
    spent = anthropic.rejected(wall() + 2)
    async with stage([spent, anthropic.stream("hello")], "a", silent=0.3, every=0.2) as s:
        answered = await s.ask(message(stream=True, wait=60.0))
        assert answered.status == 200
        before, _, after = answered.body.partition(b"event: message_start")
        assert before.count(b"event: ping") >= 3
        assert b"hello" in after
        assert s.records[0].outcome == "served"


async def test_a_held_stream_whose_wait_fails_ends_with_the_error() -> None:
    """A committed stream cannot change its status any more: the error comes as its last event."""
    spent = anthropic.rejected(wall() + 2)
    later = anthropic.rejected(wall() + 7200)
    async with stage([spent, later], "a", silent=0.2, every=0.2) as s:
        answered = await s.ask(message(stream=True, wait=30.0))
        assert answered.status == 200
        assert b"event: error" in answered.body
        assert b"spent" in answered.body
        assert s.records[0].outcome != "served"


async def test_a_real_status_is_kept_open_as_long_as_possible() -> None:
    """A stream whose failure is known before its client would give up gets the true status."""
    slow = Answer(
        400,
        ((b"content-type", b"application/json"),),
        (Pause(0.3), json.dumps(anthropic.error_document("invalid_request_error", "no")).encode()),
        Framing.CHUNKED,
    )
    async with stage([slow], "a", silent=5.0) as s:
        answered = await s.ask(message(stream=True))
        assert answered.status == 400


async def test_an_upstream_that_is_slow_to_begin_is_bridged_too() -> None:
    """Silence before the vendor's headers looks like a wait to the client, not like a dead proxy."""
    gate = trio.Event()
    slow = anthropic.events_answer(
        (*anthropic.opening_events(), *anthropic.text_events(["hi"]), *anthropic.closing_events())
    )
    first = Answer(slow.status, slow.headers, slow.steps, slow.framing)
    async with stage(lambda *_: first, "a", silent=0.1, every=0.1) as s:
        delayed = Answer(200, first.headers, (Gate(gate), *first.steps), Framing.CHUNKED)
        s.up._respond = lambda *_: delayed
        async with s.asking(message(stream=True)) as (delivery, _):
            assert not isinstance(delivery.body, bytes)
            assert b"ping" in await anext(delivery.body)
            gate.set()
            rest = await read(delivery)
            assert b"message_stop" in rest.body


@pytest.mark.parametrize(("local", "expected"), [(True, 240.0), (False, REMOTE_SILENT)])
async def test_callers_from_elsewhere_are_answered_earlier(local: bool, expected: float) -> None:
    """Tunnels cut at a hundred seconds of silence; a local Claude Code bears four minutes."""
    async with stage([], "a") as s:
        protocol = protocol_named("anthropic-messages")
        assert s.gateway.silence(message(stream=True, local=local), protocol) == expected


async def test_a_plain_answer_that_breaks_is_asked_for_elsewhere() -> None:
    """Nothing of a plain answer is sent before all of it is there."""
    half = Answer(
        200, ((b"content-type", b"application/json"),), (b'{"type":"message",', End.CUT), Framing.CHUNKED
    )
    async with stage([half, anthropic.plain("hello")], "a", "b") as s:
        answered = await s.ask()
        assert (answered.status, answered.json["content"][0]["text"]) == (200, "hello")


async def test_counting_is_passed_on_and_costs_nothing() -> None:
    """A count is the vendor's own, and is no usage."""
    async with stage([anthropic.count_tokens(42)], "a") as s:
        counting = message(operation=Operation.COUNT_TOKENS, path="/v1/messages/count_tokens")
        answered = await s.ask(counting)
        assert answered.json == {"input_tokens": 42}
        assert s.records[0].usage.input == 0


# ── answers of another protocol than was asked for ────────────────────────────────────────────────


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_of_another_protocol_is_put_into_the_clients_words(stream: bool) -> None:
    """A Responses answer to a Chat call is no answer that its client could read: it is translated."""
    item = openai_responses.message_item("hello")
    answer = openai_responses.stream(item) if stream else openai_responses.plain(item)

    def openai(name: str, url: str) -> Account:
        return evolve(account(name, f"{url}/v1"), provider="openai")

    body = json.dumps(
        {"model": "gpt-5.5", "stream": stream, "messages": [{"role": "user", "content": "hi"}]}
    ).encode()
    asked = evolve(
        message(stream=stream),
        protocol="openai-chat",
        path="/v1/chat/completions",
        body=body,
        outline=protocol_named("openai-chat").outline(body),
    )
    async with stage([answer], "a", build=openai) as s:
        answered = await s.ask(asked)
        assert s.up.requests[0].path == "/v1/chat/completions"
        assert answered.status == 200
        if stream:
            assert b'"object":"chat.completion.chunk"' in answered.body
            assert answered.body.endswith(b"data: [DONE]\n\n")
        else:
            assert answered.json["choices"][0]["message"]["content"] == "hello"
        assert s.records[0].protocol_out == "openai-responses"
        assert s.records[0].usage.output > 0
