"""How Chat streams fail."""

from __future__ import annotations

from shunt.errors import Kind
from shunt.inference.failure import Failure
from shunt.protocols.openai_chat.errors import encode_stream_error


def test_a_stream_ends_in_an_error_chunk() -> None:
    """No event name, no finish reason, no `[DONE]`: any of them could be taken for success."""
    assert encode_stream_error(Failure(Kind.UPSTREAM, "it broke", request_id="req_1")) == (
        b'data: {"error":{"message":"it broke","type":"server_error","param":null,"code":"server_error"},'
        b'"request_id":"req_1"}\n\n'
    )
