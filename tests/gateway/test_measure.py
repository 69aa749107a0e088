"""How much of an answer is held, and what its client is told where that is exceeded."""

from __future__ import annotations

import gzip

from shunt.gateway.measure import Measure
from tests.fakes import anthropic
from tests.fakes.upstream import Answer, Step
from tests.gateway.stages import message, stage
from tests.gateway.test_retelling import chat

SMALL = Measure(event=2000, answer=2000)


def long_event() -> list[Step]:
    """A stream with an event of five thousand bytes in it."""
    return [
        *anthropic.opening_events(),
        *anthropic.text_events(["a", "x" * 5000]),
        *anthropic.closing_events(),
    ]


async def test_an_event_beyond_the_measure_ends_a_translated_stream() -> None:
    """What came before it is told, then the client's own error, and no faked end."""
    async with stage([anthropic.events_answer(long_event())], "a", measure=SMALL) as s:
        answered = await s.ask(chat(stream=True))
        assert b'"content":"a"' in answered.body
        assert b"more than 2,000 bytes" in answered.body
        assert b"[DONE]" not in answered.body
        assert s.records[0].outcome == "cut"


async def test_what_is_only_passed_on_has_no_measure() -> None:
    """A client of the vendor's own protocol gets the very bytes: nothing is held for it."""
    async with stage([anthropic.events_answer(long_event())], "a", measure=SMALL) as s:
        answered = await s.ask(message(stream=True))
        assert answered.body == b"".join(step for step in long_event() if isinstance(step, bytes))


async def test_a_plain_answer_beyond_the_measure_is_an_error() -> None:
    """As it came or unpacked: 502 in the client's shape, and never a cut document."""
    packed = Answer(
        200,
        (*anthropic.JSON_HEADERS, (b"content-encoding", b"gzip")),
        (gzip.compress(b" " * 1_000_000 + b"{}"),),
    )
    async with stage([anthropic.plain("x" * 5000), packed], "a", measure=SMALL) as s:
        for said in ("longer than 2,000 bytes", "unpacks to more than 2,000 bytes"):
            answered = await s.ask(chat(stream=False))
            assert answered.status == 502
            assert said in answered.json["error"]["message"]


async def test_a_chunk_of_very_many_events_loses_none() -> None:
    """They are taken in batches, so that nobody waits for all of them, and told whole."""
    words = [f"{n} " for n in range(2000)]
    events = b"".join(
        [*anthropic.opening_events(), *anthropic.text_events(words), *anthropic.closing_events()]
    )
    async with stage([anthropic.events_answer([events]), anthropic.events_answer([events])], "a") as s:
        streamed = await s.ask(chat(stream=True))
        assert streamed.body.count(b'"content":"') >= 2000
        assert streamed.body.endswith(b"data: [DONE]\n\n")
        plain = await s.ask(message(stream=False))
        assert plain.json["content"][0]["text"] == "".join(words)
