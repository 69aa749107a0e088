"""The Messages API's part in translation, as one record."""

from __future__ import annotations

from typing import Final

from shunt.protocols.anthropic_messages.betas import needed_headers
from shunt.protocols.anthropic_messages.read_answer import read_answer
from shunt.protocols.anthropic_messages.read_request import WORDS, read_request
from shunt.protocols.anthropic_messages.steering import steered
from shunt.protocols.anthropic_messages.stream_decoder import MessagesStreamDecoder
from shunt.protocols.anthropic_messages.stream_encoder import MessagesStreamEncoder
from shunt.protocols.anthropic_messages.without_reasoning import adapt_request, without_reasoning
from shunt.protocols.anthropic_messages.write_answer import write_answer
from shunt.protocols.anthropic_messages.write_request import write_request
from shunt.protocols.codec import Codec

CODEC: Final = Codec(
    decode_request=read_request,
    encode_request=write_request,
    decode_answer=read_answer,
    encode_answer=write_answer,
    stream_decoder=MessagesStreamDecoder,
    stream_encoder=MessagesStreamEncoder,
    words=WORDS,
    adapt_request=adapt_request,
    without_reasoning=without_reasoning,
    steered=steered,
    needed_headers=needed_headers,
)
