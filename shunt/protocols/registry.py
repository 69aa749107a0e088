"""Every client protocol there is. A new one is one folder and one name in PROTOCOLS."""

from __future__ import annotations

from typing import Final

from msgspec import Raw, Struct

from shunt.protocols.anthropic_messages.protocol import PROTOCOL as ANTHROPIC_MESSAGES
from shunt.protocols.base import Protocol, Sketch
from shunt.protocols.codec import Codec
from shunt.protocols.openai_chat.protocol import PROTOCOL as OPENAI_CHAT
from shunt.protocols.openai_responses.protocol import PROTOCOL as OPENAI_RESPONSES
from shunt.wire import json

PROTOCOLS: Final = (ANTHROPIC_MESSAGES, OPENAI_CHAT, OPENAI_RESPONSES)

_BY_NAME: Final = {protocol.name: protocol for protocol in PROTOCOLS}


def protocol_named(name: str) -> Protocol:
    """Return the protocol of this name. Raises KeyError: names come from our own tables."""
    return _BY_NAME[name]


class _Kind(Struct):
    type: Raw = Raw()
    object: Raw = Raw()
    choices: Raw = Raw()


def speaker_of(data: bytes) -> str:
    """Name of the protocol that a plain answer, or the data of an event, is of; empty when it is of none."""
    kind = json.peek(data, _Kind)
    if kind is None:
        return ""
    sketch = Sketch(
        json.peek(kind.type, str) or "",
        json.peek(kind.object, str) or "",
        has_choices=json.kind(kind.choices) == "an array",
    )
    return next((protocol.name for protocol in PROTOCOLS if protocol.recognises(sketch)), "")


def codec_named(name: str) -> Codec:
    """Return how this protocol is taken apart and put together. Raises KeyError, as `protocol_named`."""
    return _BY_NAME[name].codec
