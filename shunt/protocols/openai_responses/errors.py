"""How a Responses stream ends in an error; whole error answers are OpenAI's own in both protocols."""

from __future__ import annotations

from shunt.inference.failure import Failure
from shunt.protocols.base import Tap
from shunt.protocols.openai_responses import response_object
from shunt.protocols.openai_responses.tap import ResponsesStreamTap
from shunt.wire import json, sse


def encode_stream_error(failure: Failure) -> bytes:
    """The terminal event. `event: error` would not do: Codex ignores it and sees a broken stream."""
    return _event("response.failed", 0, _response(failure) | response_object.failed(failure))


def encode_held_error(failure: Failure) -> bytes:
    """The same where nothing came before: SDKs want to see a response created before it fails."""
    failed = _response(failure) | response_object.failed(failure)
    return _event("response.created", 0, _response(failure)) + _event("response.failed", 1, failed)


def encode_break(failure: Failure, tap: Tap | None) -> bytes:
    """The terminal event of a vendor's own stream that broke: it fails the response that was begun."""
    if not isinstance(tap, ResponsesStreamTap) or not tap.answer_id:
        return encode_stream_error(failure)
    begun = response_object.response(tap.answer_id, tap.model)
    return _event("response.failed", tap.sequence_number + 1, begun | response_object.failed(failure))


def _event(name: str, number: int, response: response_object.Response) -> bytes:
    document = {"type": name, "sequence_number": number, "response": response}
    return sse.encode(name, json.encode(document))


def _response(failure: Failure) -> response_object.Response:
    name = "resp_" + (response_object.base_of(failure.request_id) or "failed")
    return response_object.response(name, "", failure.at)
