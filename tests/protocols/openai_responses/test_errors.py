"""How Responses streams fail."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.responses import ResponseCreatedEvent, ResponseFailedEvent

from shunt.errors import Kind
from shunt.inference.failure import Failure
from shunt.protocols.openai_responses.errors import encode_break, encode_held_error, encode_stream_error
from shunt.protocols.openai_responses.tap import ResponsesStreamTap
from shunt.wire import json, sse


def events(raw: bytes) -> list[tuple[str, dict[str, Any]]]:
    return [(event.name, json.value(event.data or b"")) for event in sse.Decoder().feed(raw)]


def test_a_running_stream_ends_in_response_failed() -> None:
    """One event with a whole response object; `event: error` would be overlooked by Codex."""
    ((name, document),) = events(encode_stream_error(Failure(Kind.OVERLOADED, "busy", request_id="req_1")))
    assert name == document["type"] == "response.failed"
    assert isinstance(document["sequence_number"], int)
    response = document["response"]
    assert (response["object"], response["status"], response["id"]) == ("response", "failed", "resp_1")
    assert response["error"] == {"code": "server_is_overloaded", "message": "busy"}
    assert (response["output"], response["usage"]) == ([], None)


def test_a_held_stream_is_created_before_it_fails() -> None:
    """The SDK's stream helper raises on a first event of any other kind."""
    (created, first), (failed, second) = events(encode_held_error(Failure(Kind.INTERNAL, "no", at=77)))
    assert (first["response"]["created_at"], second["response"]["created_at"]) == (77, 77)
    assert (created, failed) == ("response.created", "response.failed")
    assert first["sequence_number"] < second["sequence_number"]
    assert (first["response"]["status"], first["response"]["error"]) == ("in_progress", None)
    assert first["response"]["id"] == second["response"]["id"]


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (Failure(Kind.RATE_LIMITED, "Spent.", retry_after=11.2), "Spent. Please try again in 12s."),
        (Failure(Kind.RATE_LIMITED, "Try again in 3s.", retry_after=11.2), "Try again in 3s."),
        (Failure(Kind.RATE_LIMITED, "Spent."), "Spent."),
        (Failure(Kind.INTERNAL, "Broke.", retry_after=5.0), "Broke."),
    ],
)
def test_codex_learns_how_long_to_wait(failure: Failure, message: str) -> None:
    """It reads the time from the words of a rate limit."""
    ((_, document),) = events(encode_stream_error(failure))
    assert document["response"]["error"]["message"] == message


def test_the_sdk_reads_our_events() -> None:
    """The official client's own types accept both events."""
    (_, created), (_, failed) = events(encode_held_error(Failure(Kind.UPSTREAM, "no", request_id="req_1")))
    assert ResponseCreatedEvent.model_validate(created).response.status == "in_progress"
    error = ResponseFailedEvent.model_validate(failed).response.error
    assert error is not None
    assert error.code == "server_error"


def test_a_response_that_was_begun_is_the_one_that_fails() -> None:
    """A vendor's stream that breaks ends with its own response's id, model and next number."""
    failure = Failure(Kind.UPSTREAM, "it broke", request_id="req_1")
    tap = ResponsesStreamTap()
    assert encode_break(failure, tap) == encode_break(failure, None) == encode_stream_error(failure)
    created = {
        "type": "response.created",
        "sequence_number": 0,
        "response": {"id": "resp_v", "model": "gpt-x"},
    }
    delta = {"type": "response.output_text.delta", "sequence_number": 6, "delta": '"sequence_number": 99'}
    tap.feed(b"".join(sse.encode("", json.encode(event)) for event in (created, delta)))
    tap.feed(sse.comment("on the way"))
    ((_, document),) = events(encode_break(failure, tap))
    assert document["sequence_number"] == 7
    response = document["response"]
    assert (response["id"], response["model"], response["status"]) == ("resp_v", "gpt-x", "failed")
