"""Turns that their vendor pauses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
import trio
import trio.testing

from shunt.accounts.state import RequestRecord
from shunt.errors import UpstreamBroke
from shunt.gateway.attempt import Body
from shunt.gateway.resuming import MOST, Asking, Turn, joined, summed
from shunt.inference.content import Part, Text
from shunt.inference.events import (
    Event,
    Finished,
    PartFinished,
    PartStarted,
    Ping,
    Started,
    Stopped,
    TextDelta,
)
from shunt.inference.response import Answer, Stop
from shunt.inference.usage import Usage
from tests.fakes import anthropic
from tests.fakes.upstream import Answer as Scripted
from tests.gateway.stages import stage
from tests.gateway.test_retelling import chat, told

SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}


def said(words: str, stop: Stop, output: int = 5) -> list[Event]:
    text = Text(words)
    parts: list[Event] = [PartStarted(0, Text("")), TextDelta(0, words), PartFinished(0, text)]
    return [Started("msg_1", "m"), *parts, Ping(), Stopped(stop, Usage(input=10, output=output)), Finished()]


def test_two_answers_are_told_as_one() -> None:
    """One beginning, parts numbered on, one end with all that was written."""
    turn = Turn()
    first = [each for event in said("a", Stop.PAUSE) if (each := turn.told(event)) is not None]
    assert [type(event) for event in first[:-1]] == [Started, PartStarted, TextDelta, PartFinished, Ping]
    assert turn.paused is not None
    turn.go_on()
    second = [each for event in said("b", Stop.END_TURN, 7) if (each := turn.told(event)) is not None]
    assert [type(event) for event in second] == [
        PartStarted,
        TextDelta,
        PartFinished,
        Ping,
        Stopped,
        Finished,
    ]
    assert [event.index for event in second if isinstance(event, TextDelta)] == [1]
    (end,) = [event for event in second if isinstance(event, Stopped)]
    assert (end.stop, end.usage.input, end.usage.output) == (Stop.END_TURN, 10, 12)
    assert turn.parts == [Text("a"), Text("b")]
    assert turn.ended() == []


def test_a_turn_that_does_not_go_on_is_unfinished() -> None:
    """It ends as its vendor left it; after so many answers it is not asked again."""
    turn = Turn()
    for event in said("a", Stop.PAUSE):
        turn.told(event)
    end, finished = turn.ended()
    assert isinstance(end, Stopped)
    assert (end.stop, finished) == (Stop.PAUSE, Finished())
    tired = Turn(rounds=MOST)
    paused = Stopped(Stop.PAUSE, Usage())
    assert tired.told(paused) == paused


def test_plain_answers_are_joined() -> None:
    """The later one's input is the whole turn's; what was written adds up."""
    one = Answer("msg_1", "m", (Text("a"),), Stop.PAUSE, Usage(input=10, output=5, web_searches=1), created=3)
    two = Answer("msg_2", "m", (Text("b"),), Stop.END_TURN, Usage(input=30, output=7, web_searches=1))
    whole = joined(one, two)
    assert (whole.id, whole.parts, whole.stop, whole.created) == (
        "msg_1",
        (Text("a"), Text("b")),
        Stop.END_TURN,
        3,
    )
    assert whole.usage == summed(one.usage, two.usage) == Usage(input=30, output=12, web_searches=2)


def paused_stream() -> Scripted:
    blocks: list[dict[str, Any]] = [SEARCH, FOUND]
    events = [*anthropic.opening_events()]
    for index, block in enumerate(blocks):
        events.append(anthropic.event("content_block_start", index=index, content_block=block))
        events.append(anthropic.event("content_block_stop", index=index))
    return anthropic.events_answer([*events, *anthropic.closing_events(stop_reason="pause_turn")])


def paused_plain() -> Scripted:
    return anthropic.json_answer(
        {**anthropic.document(), "content": [SEARCH, FOUND], "stop_reason": "pause_turn"}
    )


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_of_another_protocol_never_sees_the_pause(stream: bool) -> None:
    """The vendor is asked to go on with what it said, on the same account, and the client gets one answer."""
    answers = (
        [paused_stream(), anthropic.stream("found it")]
        if stream
        else [paused_plain(), anthropic.plain("found it")]
    )
    async with stage(answers, "a") as s:
        answered = await s.ask(chat(stream=stream))
        second = s.up.requests[1].json
        assert [message["role"] for message in second["messages"]] == ["user", "assistant"]
        assert [block["type"] for block in second["messages"][1]["content"]] == [
            "server_tool_use",
            "web_search_tool_result",
        ]
        if stream:
            assert told(answered.body) == "found it"
            assert answered.body.count(b"data: [DONE]") == 1
        else:
            choice = json.loads(answered.body)["choices"][0]
            assert (choice["message"]["content"], choice["finish_reason"]) == ("found it", "stop")
        assert [note.account for note in s.records[0].attempts] == ["a", "a"]
    alone = await lone(stream=stream)
    # Each answer is billed with its own input.
    assert s.records[0].usage == alone.usage.plus(alone.usage)


async def lone(*, stream: bool) -> RequestRecord:
    """The record of an answer that is not paused."""
    async with stage([anthropic.stream("x") if stream else anthropic.plain("x")], "a") as s:
        await s.ask(chat(stream=stream))
    return s.records[0]


async def test_whoever_waits_for_the_rest_may_look_up(autojump_clock: trio.testing.MockClock) -> None:
    """The vendor is asked once; a wait that is too long for the client loses nothing."""
    asked: list[Sequence[Part]] = []

    async def ask(parts: Sequence[Part]) -> Body | None:
        asked.append(parts)
        await trio.sleep(25)
        return Body((b"rest",), None, None)

    async with trio.open_nursery() as nursery:
        asking = Asking(ask, nursery)
        for _ in range(2):
            with pytest.raises(trio.TooSlowError):
                await asking.rest([Text("a")], 10)
        body = await asking.rest([Text("a")], 10)
        assert body is not None
        assert (body.head, len(asked)) == ((b"rest",), 1)


async def test_a_fault_while_asking_reaches_who_waits() -> None:
    """It is no fault of the task it happens in."""

    async def ask(parts: Sequence[Part]) -> Body | None:
        await trio.lowlevel.checkpoint()
        raise UpstreamBroke("no luck")

    async with trio.open_nursery() as nursery:
        with pytest.raises(UpstreamBroke):
            await Asking(ask, nursery).rest([])


@pytest.mark.parametrize("stream", [True, False])
async def test_a_pause_that_cannot_be_ended_is_an_unfinished_answer(stream: bool) -> None:
    """When the vendor refuses to go on, the client is told that the answer was cut."""
    answers = [
        paused_stream() if stream else paused_plain(),
        anthropic.refusal(400, "invalid_request_error", "no"),
    ]
    async with stage(answers, "a") as s:
        answered = await s.ask(chat(stream=stream))
        assert answered.status == 200
        assert b'"finish_reason":"length"' in answered.body
