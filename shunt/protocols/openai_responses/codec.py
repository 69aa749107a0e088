"""This protocol's functions, as one record."""

from __future__ import annotations

from typing import Final

from shunt.protocols.codec import Codec
from shunt.protocols.openai_responses.adaptation import adapt_request
from shunt.protocols.openai_responses.decode_request import WORDS, decode_request
from shunt.protocols.openai_responses.encode_request import encode_request
from shunt.protocols.openai_responses.gathering import Gathering
from shunt.protocols.openai_responses.steering import steered
from shunt.protocols.openai_responses.stream_decoder import ResponsesStreamDecoder, decode_answer
from shunt.protocols.openai_responses.stream_encoder import ResponsesStreamEncoder, encode_answer
from shunt.protocols.openai_responses.without_reasoning import without_reasoning

CODEC: Final = Codec(
    decode_request=decode_request,
    encode_request=encode_request,
    decode_answer=decode_answer,
    encode_answer=encode_answer,
    stream_decoder=ResponsesStreamDecoder,
    stream_encoder=ResponsesStreamEncoder,
    words=WORDS,
    adapt_request=adapt_request,
    without_reasoning=without_reasoning,
    steered=steered,
    gathering=Gathering,
)
