"""Every client protocol there is. A new one is one folder and one name in PROTOCOLS."""

from __future__ import annotations

from typing import Final

from shunt.protocols.anthropic_messages.protocol import PROTOCOL as ANTHROPIC_MESSAGES
from shunt.protocols.base import Protocol
from shunt.protocols.codec import Codec
from shunt.protocols.openai_chat.protocol import PROTOCOL as OPENAI_CHAT
from shunt.protocols.openai_responses.protocol import PROTOCOL as OPENAI_RESPONSES

PROTOCOLS: Final = (ANTHROPIC_MESSAGES, OPENAI_CHAT, OPENAI_RESPONSES)

_BY_NAME: Final = {protocol.name: protocol for protocol in PROTOCOLS}


def protocol_named(name: str) -> Protocol:
    """Return the protocol of this name. Raises KeyError: names come from our own tables."""
    return _BY_NAME[name]


def codec_named(name: str) -> Codec:
    """Return how this protocol is taken apart and put together. Raises KeyError, as `protocol_named`."""
    return _BY_NAME[name].codec
