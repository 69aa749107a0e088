"""The `response` object: what a plain answer is, and what a stream's first and last events hold."""

from __future__ import annotations

from typing import Any, Final

from shunt.errors import Kind
from shunt.inference.failure import Failure
from shunt.inference.request import ChoiceMode, FormatKind, GenerateRequest
from shunt.inference.response import Stop
from shunt.inference.usage import Usage
from shunt.protocols.failures import whole_seconds
from shunt.protocols.openai_errors import stream_code

Response = dict[str, Any]

_LONGEST: Final = 40
"""Characters of our request id that ids are made of; they may have 64."""

_INCOMPLETE: Final = {
    Stop.MAX_TOKENS: "max_output_tokens",
    Stop.CONTEXT_WINDOW: "max_output_tokens",
    # The turn is unfinished; of this protocol's words only this one says so.
    Stop.PAUSE: "max_output_tokens",
    Stop.REFUSAL: "content_filter",
}
"""Why an answer is incomplete; all other stops complete it."""


def base_of(request_id: str) -> str:
    """What the ids of an answer and its items have in common."""
    return request_id.removeprefix("req_")[:_LONGEST]


def response(response_id: str, model: str, created: int = 0) -> Response:
    """A response in progress, with every field that clients read without asking."""
    return {
        "id": response_id,
        "object": "response",
        "created_at": created,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "max_tool_calls": None,
        "metadata": {},
        "model": model,
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": None,
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


def answering(request: GenerateRequest, request_id: str, created: int) -> Response:
    """The response to a request, which repeats what was asked for.

    Instructions and tools are not repeated: they are most of a request, and every stream would carry
    them three times.
    """
    asked = request.reasoning
    text: dict[str, Any] = {"format": _format(request)}
    if request.verbosity:
        text["verbosity"] = request.verbosity
    return response(f"resp_{base_of(request_id)}", request.model, created) | {
        "max_output_tokens": request.max_output,
        "metadata": dict(request.metadata),
        "parallel_tool_calls": request.parallel_tools is not False,
        "prompt_cache_key": request.cache_key or None,
        "reasoning": {
            "effort": asked.effort.value if asked.effort else None,
            "summary": asked.display or None,
        },
        "temperature": request.temperature,
        "text": text,
        "tool_choice": _choice(request),
        "top_p": request.top_p,
        "user": request.user or None,
    }


def ended(stop: Stop, usage: Usage, *, declined: bool) -> Response:
    """The fields that an end sets. An answer that is a refusal in the model's own words is complete."""
    reason = None if declined else _INCOMPLETE.get(stop)
    return {
        "status": "completed" if reason is None else "incomplete",
        "incomplete_details": None if reason is None else {"reason": reason},
        "usage": write_usage(usage),
    }


def failed(failure: Failure) -> Response:
    """The fields that a failure sets."""
    return {"status": "failed", "error": {"code": stream_code(failure), "message": _message(failure)}}


def write_usage(usage: Usage) -> dict[str, Any]:
    """Token counts; this protocol counts everything that was cached as input."""
    return {
        "input_tokens": usage.prompt,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write,
        },
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.prompt + usage.output,
    }


def _message(failure: Failure) -> str:
    """Codex finds out how long to wait from the words `try again in 20s`."""
    told = failure.message
    if failure.kind is not Kind.RATE_LIMITED or failure.retry_after is None or "try again in" in told.lower():
        return told
    return f"{told} Please try again in {whole_seconds(failure.retry_after)}s."


def _format(request: GenerateRequest) -> dict[str, Any]:
    said = request.format
    if said is None:
        return {"type": "text"}
    if said.kind is FormatKind.JSON_OBJECT:
        return {"type": "json_object"}
    return {
        "type": "json_schema",
        "name": said.name,
        "schema": dict(said.schema or {}),
        "strict": said.strict is True,
    }


def _choice(request: GenerateRequest) -> Any:
    choice = request.tool_choice
    if choice is None or choice.allowed is not None:
        return "auto"
    if choice.mode is not ChoiceMode.NAMED:
        return choice.mode.value
    if choice.hosted:
        return {"type": choice.hosted}
    return {"type": "custom" if choice.custom else "function", "name": choice.name}
