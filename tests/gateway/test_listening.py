"""Streams that turn out to be of another protocol."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.gateway.listening import MOST, Listening
from tests.fakes import anthropic, openai_chat, openai_responses
from tests.fakes.upstream import Answer
from tests.strategies import chunked

MESSAGES, CHAT, RESPONSES = "anthropic-messages", "openai-chat", "openai-responses"


def raw(answer: Answer) -> bytes:
    return b"".join(step for step in answer.steps if isinstance(step, bytes))


STREAMS = {
    MESSAGES: raw(anthropic.stream("hel", "lo")),
    CHAT: raw(openai_chat.stream("hel", "lo")),
    RESPONSES: raw(openai_responses.stream(openai_responses.message_item("hello"))),
}


@pytest.mark.parametrize("expected", STREAMS)
@pytest.mark.parametrize("spoken", STREAMS)
@given(data=st.data())
def test_a_stream_is_read_as_what_it_is(expected: str, spoken: str, data: st.DataObject) -> None:
    """Whatever was asked for and however it is cut, its own tap reads all of it."""
    listening = Listening(expected)
    for chunk in data.draw(chunked(STREAMS[spoken])):
        listening.feed(chunk)
    listening.close()
    assert (listening.spoken, listening.content, listening.finished) == (spoken, True, True)
    assert (listening.failure, listening.pending) == (None, 0)
    assert listening.usage.output == listening.reader.usage.output > 0
    assert listening.model == listening.reader.model != ""


def test_what_says_nothing_of_itself_is_what_was_asked_for() -> None:
    """Keep-alives, errors and noise make no other protocol of a stream, and are not kept for ever."""
    listening = Listening(CHAT)
    listening.feed(b": keep-alive\n\n" + b'data: {"error":{"message":"busy"}}\n\n')
    assert (listening.spoken, listening.failure is not None) == (CHAT, True)
    noisy = Listening(MESSAGES)
    noisy.feed(b": " + b"x" * MOST + b"\n\n")
    noisy.feed(b"data: " + json.dumps({"type": "response.created", "response": {}}).encode() + b"\n\n")
    assert noisy.spoken == MESSAGES
