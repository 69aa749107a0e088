"""How a Responses stream ends in an error; whole error answers are OpenAI's own in both protocols."""

from __future__ import annotations

from shunt.errors import Kind
from shunt.inference.failure import Failure
from shunt.protocols.failures import whole_seconds
from shunt.protocols.openai_errors import stream_code
from shunt.wire import json, sse


def encode_stream_error(failure: Failure) -> bytes:
    """The terminal event. `event: error` would not do: Codex ignores it and sees a broken stream."""
    return _event("response.failed", 0, _response(failure, "failed"))


def encode_held_error(failure: Failure) -> bytes:
    """The same where nothing came before: SDKs want to see a response created before it fails."""
    return _event("response.created", 0, _response(failure, "in_progress")) + _event(
        "response.failed", 1, _response(failure, "failed")
    )


def _event(name: str, number: int, response: dict[str, object]) -> bytes:
    document = {"type": name, "sequence_number": number, "response": response}
    return sse.encode(name, json.encode(document))


def _response(failure: Failure, status: str) -> dict[str, object]:
    """A response object with every field that clients read without asking."""
    failed = status == "failed"
    return {
        "id": "resp_" + (failure.request_id.removeprefix("req_") or "failed"),
        "object": "response",
        "created_at": 0,
        "status": status,
        "error": {"code": stream_code(failure), "message": _message(failure)} if failed else None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "metadata": {},
        "model": "",
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": False,
        "temperature": None,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "truncation": "disabled",
        "usage": None,
        "user": None,
    }


def _message(failure: Failure) -> str:
    """Codex finds out how long to wait from the words `try again in 20s`."""
    told = failure.message
    if failure.kind is not Kind.RATE_LIMITED or failure.retry_after is None or "try again in" in told.lower():
        return told
    return f"{told} Please try again in {whole_seconds(failure.retry_after)}s."
