"""The list of protocols."""

from __future__ import annotations

import pytest

from shunt.protocols import PROTOCOLS, protocol_named, speaker_of
from shunt.protocols.base import Protocol


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_protocols_are_found_by_name(protocol: Protocol) -> None:
    """A protocol is looked up by the name that requests carry."""
    assert protocol_named(protocol.name) is protocol


def test_an_unknown_protocol_is_a_mistake_of_ours() -> None:
    """Names come from our own tables, so a wrong one is loud."""
    with pytest.raises(KeyError):
        protocol_named("smoke-signals")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b'{"type":"message_start","message":{}}', "anthropic-messages"),
        (b'{"type":"message","content":[]}', "anthropic-messages"),
        (b'{"object":"chat.completion.chunk","choices":[]}', "openai-chat"),
        (b'{"choices":[{}]}', "openai-chat"),
        (b'{"type":"response.created","response":{}}', "openai-responses"),
        (b'{"object":"response","output":[]}', "openai-responses"),
        (b'{"type":"ping"}', ""),
        (b'{"error":{"message":"no"}}', ""),
        (b"[DONE]", ""),
        (b"", ""),
    ],
)
def test_answers_say_what_protocol_they_are_of(data: bytes, name: str) -> None:
    """Whole answers and the events that begin streamed ones; anything else is of none."""
    assert speaker_of(data) == name
