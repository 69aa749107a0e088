"""Chat Completions, to and from the shared vocabulary."""

from __future__ import annotations

from typing import Final

from shunt.protocols.codec import Codec
from shunt.protocols.openai_chat.decode_answer import decode_answer
from shunt.protocols.openai_chat.decode_request import WORDS, decode_request
from shunt.protocols.openai_chat.encode_answer import encode_answer
from shunt.protocols.openai_chat.encode_request import encode_request
from shunt.protocols.openai_chat.steering import steered
from shunt.protocols.openai_chat.stream_decoder import ChatStreamDecoder
from shunt.protocols.openai_chat.stream_encoder import ChatStreamEncoder
from shunt.protocols.openai_chat.without_reasoning import adapt_request, without_reasoning

CODEC: Final = Codec(
    decode_request=decode_request,
    encode_request=encode_request,
    decode_answer=decode_answer,
    encode_answer=encode_answer,
    stream_decoder=ChatStreamDecoder,
    stream_encoder=ChatStreamEncoder,
    words=WORDS,
    adapt_request=adapt_request,
    without_reasoning=without_reasoning,
    steered=steered,
)
